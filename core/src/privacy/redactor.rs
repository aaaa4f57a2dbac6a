//! The rules as a thing to hold: what redacts a text or a value for whoever has one.

use std::borrow::Cow;
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use super::book::Book;
use super::encoded;
use super::judged::Judged;
use super::names::{Group, Verdict};
use super::options::Redaction;
use super::replace::Replacer;
use super::rules::Rules;
use super::text::{Edit, Scanner};
use super::triggers::{Hit, Rule};
use super::value::Rewriter;
use crate::error::Error;
use crate::frame::view::read_alone;
use crate::frame::write;
use crate::id::TraceId;
use crate::propagation::Baggage;
use crate::value::{OwnedValue, Value};

/// Redacts texts and values by the rules of one engine.
///
/// It holds the rules and what they said of names before, and may be shared. Outside of a trace the indexed style is as the full one.
#[derive(Debug)]
pub struct Redactor {
    pub(super) rules: Rules,
    /// Names that were judged in texts before.
    judged: Mutex<Judged>,
}

impl Redactor {
    /// Makes the rules ready.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`](crate::ErrorCode) naming the option that cannot be used: a pattern that is no
    /// regular expression or too large a one, a name without letters, too many of either.
    pub fn new(redaction: &Redaction) -> Result<Self, Error> {
        Rules::new(redaction).map(|rules| Self { rules, judged: Mutex::default() })
    }

    /// The text without the secrets in it; nothing of it if a rule fails.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let redacted = catch_unwind(AssertUnwindSafe(|| self.text_by_rules(text)));
        redacted.unwrap_or(Cow::Borrowed(super::prose::MARK))
    }

    fn text_by_rules<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut hits = Vec::new();
        self.rules.find(text.as_bytes(), &mut hits);
        if hits.is_empty() && !self.rules.always() {
            return Cow::Borrowed(text);
        }
        // Taken out meanwhile: whoever comes at the same time, or after a rule failed, begins with none.
        let judged =
            self.judged.try_lock().map_or_else(|_| Judged::default(), |mut judged| take(&mut *judged));
        let mut scratch = Scratch { judged, ..Scratch::default() };
        let mut out = Vec::new();
        let mut replacer = Replacer { rules: &self.rules, book: None, count: 0 };
        let changed = scratch.text(&mut replacer, text.as_bytes(), &hits, 0, &mut out);
        if let Ok(mut judged) = self.judged.try_lock() {
            *judged = scratch.judged;
        }
        if changed {
            Cow::Owned(String::from_utf8(out).unwrap_or_else(|_| super::prose::MARK.to_owned()))
        } else {
            Cow::Borrowed(text)
        }
    }

    /// The value that stands under a name without the secrets in it; `None` if there are none. Without a name,
    /// as for an input, the name is empty. If a rule fails nothing of it is left.
    pub fn value(&self, name: &str, value: &Value<'_>) -> Option<OwnedValue> {
        let redacted = catch_unwind(AssertUnwindSafe(|| self.value_by_rules(name, value)));
        redacted.unwrap_or_else(|_| Some(Value::from(super::prose::MARK)))
    }

    fn value_by_rules(&self, name: &str, value: &Value<'_>) -> Option<OwnedValue> {
        let mut bytes = Vec::new();
        write::put_value(&mut bytes, value);
        let mut state = State::default();
        let mut out = Vec::new();
        let mut pass = state.begin(self, &bytes, &[], None);
        let changed = pass.named(name.as_bytes(), read_alone(&bytes)?, &mut out);
        changed.then(|| read_alone(&out).map_or(Value::from(super::prose::MARK), |value| value.to_value()))
    }

    /// Redacts the attributes of a resource or scope.
    pub fn attributes(&self, attributes: &mut [(String, OwnedValue)]) {
        for (name, value) in attributes {
            if let Some(redacted) = self.value(name, value) {
                *value = redacted;
            }
        }
    }

    /// The copy of an application's baggage that may leave the process.
    pub fn baggage<'b>(&self, baggage: &'b Baggage) -> Cow<'b, Baggage> {
        let mut copy = Cow::Borrowed(baggage);
        for entry in baggage.iter() {
            let value = self.value(&entry.key, &Value::from(entry.value.as_str()));
            let properties = self.text(&entry.metadata);
            if value.is_some() || matches!(properties, Cow::Owned(_)) {
                let value = value.as_ref().and_then(Value::as_str).unwrap_or(&entry.value);
                copy.to_mut().insert_with_metadata(entry.key.as_str(), value, properties);
            }
        }
        copy
    }

    /// Whether any value under that name is a secret.
    pub fn is_sensitive(&self, name: &str) -> bool {
        matches!(self.rules.judge(name.as_bytes(), Group::None), Verdict::Secret(_))
    }
}

/// What a redacting thread keeps from span to span.
#[derive(Debug, Default)]
pub(crate) struct State {
    hits: Vec<Hit>,
    scratch: Scratch,
    book: Book,
}

impl State {
    /// Looks through the bytes of an event, which a pass over its fields then redacts. `noticed` are the places, in
    /// order, where they refer to texts elsewhere in which something was found.
    pub(crate) fn begin<'a>(
        &'a mut self,
        redactor: &'a Redactor,
        bytes: &'a [u8],
        noticed: &[usize],
        trace: Option<TraceId>,
    ) -> Rewriter<'a> {
        let Self { hits, scratch, book } = self;
        let rules = &redactor.rules;
        hits.clear();
        rules.find(bytes, hits);
        if !noticed.is_empty() {
            // Most of what is elsewhere are names; what it is in truth is found where it is looked at.
            hits.extend(noticed.iter().map(|at| Hit { at: *at, rule: Rule::Name }));
            hits.sort_by_key(|hit| hit.at);
        }
        let replacer = Replacer { rules, book: trace.map(|trace| (book, trace)), count: 0 };
        Rewriter::new(replacer, bytes, hits, scratch)
    }

    /// Whether anything is found in a text that stands apart from the events that refer to it.
    pub(crate) fn notices(&mut self, redactor: &Redactor, text: &[u8]) -> bool {
        self.hits.clear();
        redactor.rules.find(text, &mut self.hits);
        !self.hits.is_empty()
    }
}

/// Buffers of a text's redaction.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) hits: Vec<Hit>,
    pub(super) judged: Judged,
    edits: Vec<Edit>,
}

impl Scratch {
    /// Redacts a text, whose hits are counted from `base`. True and the new text if there is anything to hide.
    pub(super) fn text(
        &mut self,
        replacer: &mut Replacer<'_, '_>,
        text: &[u8],
        hits: &[Hit],
        base: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        #[cfg(test)]
        super::failing::fail_at(text);
        let rules = replacer.rules;
        self.edits.clear();
        Scanner::run(rules, &mut self.judged, text, hits, base, &mut self.edits);
        if hits.iter().any(|hit| hit.rule == Rule::Encoded) {
            encoded::scan(rules, &mut self.judged, text, &mut self.edits);
        }
        if self.edits.is_empty() {
            return false;
        }
        replacer.edit(out, text, &self.edits);
        true
    }
}
