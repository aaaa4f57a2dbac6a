//! An ordered list of rules, each with a sampler of its own; the first that matches decides.

use std::borrow::Cow;

use super::{Glob, HeadSampler, SamplingInput, SamplingResult};
use crate::kinds::{SpanKind, SpanType};
use crate::value::{OwnedValue, Value};

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueMatch {
    /// There is one, whatever it is (null counts as none).
    Exists,
    /// It equals this one; an integer equals a double of the same number.
    Equals(OwnedValue),
    /// It is text that begins so.
    Prefix(String),
}

impl ValueMatch {
    fn matches(&self, found: Option<&Value<'_>>) -> bool {
        match (self, found) {
            (_, None | Some(Value::Null)) => false,
            (Self::Exists, Some(_)) => true,
            (Self::Equals(wanted), Some(found)) => equal(wanted, found),
            (Self::Prefix(prefix), Some(found)) => {
                found.as_str().is_some_and(|text| text.starts_with(prefix))
            }
        }
    }
}

/// Equality across the two number types: hosts without integers send every number as a double.
fn equal(wanted: &Value<'_>, found: &Value<'_>) -> bool {
    match (wanted, found) {
        (Value::I64(integer), Value::F64(double)) | (Value::F64(double), Value::I64(integer)) => {
            // Exact only while the double has an integer's precision; beyond it nothing is equal.
            double.abs() <= (1u64 << f64::MANTISSA_DIGITS) as f64 && *integer as f64 == *double
        }
        _ => wanted == found,
    }
}

/// Where in the request context a value stands: map keys, and list places as numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextPath(Vec<String>);

impl ContextPath {
    /// Reads a dotted path such as `tenant.tier` or `roles.0`.
    pub fn dotted(path: &str) -> Self {
        Self(path.split('.').map(str::to_owned).collect())
    }

    /// A path whose keys may hold dots.
    pub fn of<S: Into<String>>(keys: impl IntoIterator<Item = S>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    pub(crate) fn find<'v, 'a>(&self, from: &'v Value<'a>) -> Option<&'v Value<'a>> {
        self.0.iter().try_fold(from, |value, key| match value {
            Value::Map(entries) => last(entries, key),
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

/// The value of a key; of a repeated key the last one counts, as everywhere.
fn last<'v, 'a>(entries: &'v [(Cow<'a, str>, Value<'a>)], key: &str) -> Option<&'v Value<'a>> {
    entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// Conditions that must all hold, and the sampler asked if they do; without conditions it always matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    name: Option<Glob>,
    span_type: Option<SpanType>,
    kind: Option<SpanKind>,
    attributes: Vec<(String, ValueMatch)>,
    request_context: Vec<(ContextPath, ValueMatch)>,
    sampler: HeadSampler,
}

impl Rule {
    /// A rule without conditions.
    pub fn new(sampler: HeadSampler) -> Self {
        Self {
            name: None,
            span_type: None,
            kind: None,
            attributes: Vec::new(),
            request_context: Vec::new(),
            sampler,
        }
    }

    /// The span's name fits this pattern (`*` any run of characters, `?` one).
    #[must_use]
    pub fn name(mut self, pattern: impl Into<String>) -> Self {
        self.name = Some(Glob::new(pattern));
        self
    }

    /// The span is of this type.
    #[must_use]
    pub fn span_type(mut self, span_type: SpanType) -> Self {
        self.span_type = Some(span_type);
        self
    }

    /// The span is of this kind.
    #[must_use]
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// An attribute given at start matches; may be said several times.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<String>, value: ValueMatch) -> Self {
        self.attributes.push((key.into(), value));
        self
    }

    /// A value of the request context matches; may be said several times.
    #[must_use]
    pub fn request_context(mut self, path: ContextPath, value: ValueMatch) -> Self {
        self.request_context.push((path, value));
        self
    }

    fn matches(&self, input: &SamplingInput<'_>) -> bool {
        self.span_type.is_none_or(|wanted| wanted == input.span_type)
            && self.kind.is_none_or(|wanted| wanted == input.kind)
            && self.name.as_ref().is_none_or(|pattern| pattern.matches(input.name))
            && self.attributes.iter().all(|(key, wanted)| wanted.matches(last(input.attributes, key)))
            && self.request_context.iter().all(|(path, wanted)| {
                wanted.matches(input.request_context.and_then(|context| path.find(context)))
            })
    }
}

/// Asks the sampler of the first rule that matches, or the default sampler.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleSampler {
    rules: Vec<Rule>,
    default: Box<HeadSampler>,
    every_span: bool,
}

impl RuleSampler {
    /// Rules in order, and the sampler for what none of them matches; asked per root.
    pub fn new(rules: Vec<Rule>, default: HeadSampler) -> Self {
        Self { rules, default: Box::new(default), every_span: false }
    }

    /// Applies the rules to spans with a parent too, instead of letting them follow it.
    ///
    /// The samplers should then be parent-based ones, or traces come out with holes.
    #[must_use]
    pub fn for_every_span(mut self) -> Self {
        self.every_span = true;
        self
    }

    /// Whether spans with a parent are asked for too.
    pub const fn asks_every_span(&self) -> bool {
        self.every_span
    }

    #[inline]
    pub(super) fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        let rule = self.rules.iter().find(|rule| rule.matches(input));
        rule.map_or(&*self.default, |rule| &rule.sampler).decide(input)
    }

    pub(super) fn description(&self) -> String {
        let samplers: Vec<String> = self.rules.iter().map(|rule| rule.sampler.description()).collect();
        format!("Rules{{[{}],default={}}}", samplers.join(","), self.default.description())
    }
}
