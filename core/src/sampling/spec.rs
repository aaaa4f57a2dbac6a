//! A sampler described as data: what bindings pass on from their users and what the vectors hold.
//!
//! A name (as `OTEL_TRACES_SAMPLER` has it), a number (the share of roots to keep), or a map with the
//! field `type`. Errors name the field as the user wrote it.

use super::fields::{Fields, number, truth, unexpected};
use super::{
    ContextPath, HeadSampler, ParentBased, RateLimited, RatioSampler, Rule, RuleSampler, ValueMatch,
};
use crate::error::Error;
use crate::kinds::{SpanKind, SpanType};
use crate::value::Value;

/// Samplers nest; deeper than this is a mistake and not a wish.
const MAX_DEPTH: usize = 8;
const NAMES: &str = "always_on, always_off, ratio, parent_based, rate_limited, rules, parentbased_always_on, \
                     parentbased_always_off, or a number from 0 to 1";

impl HeadSampler {
    /// Reads a description.
    ///
    /// ```text
    /// "always_on"                                                  also always_off, parentbased_always_on/off
    /// 0.25                                                         parent-based over a ratio
    /// {type: "ratio", ratio: 0.25}
    /// {type: "parent_based", root: …, remote_sampled: …, remote_not_sampled: …, local_sampled: …,
    ///  local_not_sampled: …}                                       all but root have the usual defaults
    /// {type: "rate_limited", per_second: 10, burst: 20}            burst: per_second, at least 1
    /// {type: "rules", rules: [{name: "GET *", span_type: "tool", kind: "server",
    ///                          attributes: {key: MATCH}, request_context: {"tenant.tier": MATCH},
    ///                          sampler: …}], default: …, every_span: false}
    /// MATCH: a value to equal, {exists: true}, {equals: value} or {prefix: "text"}
    /// ```
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`](crate::ErrorCode), naming the field, what it holds and what was
    /// expected.
    pub fn from_value(value: &Value<'_>) -> Result<Self, Error> {
        Self::from_value_at(value, "sampler")
    }

    /// Reads a description that stands at `at` in what the user wrote.
    pub(crate) fn from_value_at(value: &Value<'_>, at: &str) -> Result<Self, Error> {
        read(value, at, 0)
    }
}

fn read(value: &Value<'_>, at: &str, depth: usize) -> Result<HeadSampler, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::invalid_option(at, "a sampler in a sampler …", "at most 8 levels"));
    }
    match value {
        Value::Str(name) => by_name(name, at),
        Value::I64(_) | Value::F64(_) => Ok(HeadSampler::parent_based(ratio(value, at)?)),
        Value::Map(_) => {
            let fields = Fields::of(value, at)?;
            match fields.text("type")? {
                "ratio" => {
                    fields.only(&["type", "ratio"])?;
                    ratio(fields.required("ratio")?, &fields.path("ratio"))
                }
                "parent_based" => parent_based(&fields, depth),
                "rate_limited" => rate_limited(&fields),
                "rules" => rules(&fields, depth),
                name => {
                    fields.only(&["type"])?;
                    by_name(name, &fields.path("type"))
                }
            }
        }
        other => Err(unexpected(at, other, NAMES)),
    }
}

fn by_name(name: &str, at: &str) -> Result<HeadSampler, Error> {
    match name {
        "always_on" => Ok(HeadSampler::AlwaysOn),
        "always_off" => Ok(HeadSampler::AlwaysOff),
        "parentbased_always_on" => Ok(HeadSampler::parent_based(HeadSampler::AlwaysOn)),
        "parentbased_always_off" => Ok(HeadSampler::parent_based(HeadSampler::AlwaysOff)),
        _ => Err(Error::invalid_option(at, name, NAMES)),
    }
}

fn ratio(value: &Value<'_>, at: &str) -> Result<HeadSampler, Error> {
    let expected = "a number from 2^-56 to 1, or 0";
    let ratio = number(value).ok_or_else(|| unexpected(at, value, expected))?;
    let sampler = RatioSampler::new(ratio).map_err(|_| unexpected(at, value, expected))?;
    Ok(HeadSampler::Ratio(sampler))
}

fn parent_based(fields: &Fields<'_, '_>, depth: usize) -> Result<HeadSampler, Error> {
    let delegates = ["root", "remote_sampled", "remote_not_sampled", "local_sampled", "local_not_sampled"];
    fields.only(&[&["type"], delegates.as_slice()].concat())?;
    let mut sampler = ParentBased::new(read(fields.required("root")?, &fields.path("root"), depth + 1)?);
    for (key, slot) in [
        ("remote_sampled", &mut sampler.remote_sampled),
        ("remote_not_sampled", &mut sampler.remote_not_sampled),
        ("local_sampled", &mut sampler.local_sampled),
        ("local_not_sampled", &mut sampler.local_not_sampled),
    ] {
        if let Some(delegate) = fields.get(key) {
            *slot = read(delegate, &fields.path(key), depth + 1)?;
        }
    }
    Ok(HeadSampler::ParentBased(Box::new(sampler)))
}

fn rate_limited(fields: &Fields<'_, '_>) -> Result<HeadSampler, Error> {
    fields.only(&["type", "per_second", "burst"])?;
    let found = fields.required("per_second")?;
    let expected = "0.000001 to 1000000 traces a second";
    let bad_rate = || unexpected(&fields.path("per_second"), found, expected);
    let per_second = number(found).ok_or_else(bad_rate)?;
    let burst = fields.read("burst", "a number of traces, at least 1", |value| {
        u32::try_from(value.as_i64()?).ok().filter(|burst| *burst > 0)
    })?;
    let burst = burst.unwrap_or(per_second.ceil().max(1.0) as u32);
    RateLimited::new(per_second, burst).map(HeadSampler::RateLimited).map_err(|_| bad_rate())
}

fn rules(fields: &Fields<'_, '_>, depth: usize) -> Result<HeadSampler, Error> {
    fields.only(&["type", "rules", "default", "every_span"])?;
    let at = fields.path("rules");
    let Value::Array(items) = fields.required("rules")? else {
        return Err(unexpected(&at, fields.required("rules")?, "a list of rules"));
    };
    let rules = items
        .iter()
        .enumerate()
        .map(|(place, item)| rule(&Fields::of(item, &format!("{at}[{place}]"))?, depth))
        .collect::<Result<Vec<_>, _>>()?;
    let default = read(fields.required("default")?, &fields.path("default"), depth + 1)?;
    let sampler = RuleSampler::new(rules, default);
    let every_span = fields.read("every_span", "true or false", truth)?.unwrap_or(false);
    Ok(HeadSampler::Rules(if every_span { sampler.for_every_span() } else { sampler }))
}

fn rule(fields: &Fields<'_, '_>, depth: usize) -> Result<Rule, Error> {
    fields.only(&["name", "span_type", "kind", "attributes", "request_context", "sampler"])?;
    let mut rule = Rule::new(read(fields.required("sampler")?, &fields.path("sampler"), depth + 1)?);
    if fields.get("name").is_some() {
        rule = rule.name(fields.text("name")?);
    }
    if fields.get("span_type").is_some() {
        let name = fields.text("span_type")?;
        let span_type = SpanType::from_name(name).ok_or_else(|| {
            Error::invalid_option(&fields.path("span_type"), name, "the name of a span type")
        })?;
        rule = rule.span_type(span_type);
    }
    if fields.get("kind").is_some() {
        let name = fields.text("kind")?;
        rule = rule.kind(kind(name).ok_or_else(|| {
            let expected = "internal, server, client, producer or consumer";
            Error::invalid_option(&fields.path("kind"), name, expected)
        })?);
    }
    for (key, wanted, at) in fields.entries("attributes")? {
        rule = rule.attribute(key, value_match(wanted, &at)?);
    }
    for (path, wanted, at) in fields.entries("request_context")? {
        rule = rule.request_context(ContextPath::dotted(path), value_match(wanted, &at)?);
    }
    Ok(rule)
}

fn kind(name: &str) -> Option<SpanKind> {
    [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer]
        .into_iter()
        .find(|kind| kind.as_str() == name)
}

fn value_match(value: &Value<'_>, at: &str) -> Result<ValueMatch, Error> {
    let expected = "a value, {exists: true}, {equals: value} or {prefix: \"text\"}";
    match value {
        Value::Map(entries) => match entries.as_slice() {
            [(key, Value::Bool(true))] if key == "exists" => Ok(ValueMatch::Exists),
            [(key, wanted)] if key == "equals" => Ok(ValueMatch::Equals(wanted.clone().into_owned())),
            [(key, Value::Str(prefix))] if key == "prefix" => {
                Ok(ValueMatch::Prefix(prefix.clone().into_owned()))
            }
            _ => Err(unexpected(at, value, expected)),
        },
        Value::Null => Err(unexpected(at, value, expected)),
        plain => Ok(ValueMatch::Equals(plain.clone().into_owned())),
    }
}
