//! Telling, without writing anything, that something stays as it is. Much of what is found in a span is a word of
//! a name that turns out to be harmless (`first_token`, `tokens`, `author`), and then nothing need be copied.
//!
//! Yes is certain, and no means only that the [`Rewriter`] has to look.

use super::lex;
use super::names::{Group, Verdict};
use super::triggers::{Hit, Rule};
use super::value::{Rewriter, place_of};
use crate::frame::view::{Attributes, ValueView};

impl<'a> Rewriter<'a> {
    /// Whether a text stays: nothing was found in it, or it is nothing but a name.
    pub(crate) fn keeps_text(&mut self, part: &[u8]) -> bool {
        self.hits_tell_names() && {
            let hits = self.hits_of(part);
            hits.is_empty() || is_lone_name(part, hits)
        }
    }

    /// Whether an attribute or a piece of metadata stays, or, without a name, an input.
    pub(crate) fn keeps_named(&mut self, name: &[u8], value: ValueView<'_>) -> bool {
        let value = match value {
            // Beside no other member it can name nothing.
            ValueView::Str(part) if self.keeps_text(part) => ValueView::Null,
            value => value,
        };
        self.hits_tell_names() && {
            let mut found = self.found_from(name, value);
            self.keeps_member(&mut found, name, value)
        }
    }

    /// Whether all attributes of an event or link stay.
    pub(crate) fn keeps_all(&mut self, attributes: Attributes<'_>) -> bool {
        let tells_all = self.hits_tell_names();
        if tells_all && self.found_in(attributes.raw()).is_some_and(<[Hit]>::is_empty) {
            return true;
        }
        attributes
            .iter()
            .all(|(name, value)| tells_all && self.is_untouched(name, value) || self.keeps_named(name, value))
    }

    /// Whether nothing was found in a name and a value beside it that is no structure.
    fn is_untouched(&self, name: &[u8], value: ValueView<'_>) -> bool {
        let nothing_in = |part: &[u8]| self.found_in(part).is_some_and(<[Hit]>::is_empty);
        nothing_in(name)
            && match value {
                ValueView::Null | ValueView::Bool(_) | ValueView::I64(_) | ValueView::F64(_) => true,
                ValueView::Str(part) | ValueView::Bytes(part) => nothing_in(part),
                ValueView::Array(_) | ValueView::Map(_) => false,
            }
    }

    /// Whether a member of a map stays, with its name.
    fn keeps_member(&mut self, found: &mut Found<'_>, name: &[u8], value: ValueView<'_>) -> bool {
        let verdict = match found.within(name) {
            Some([]) => Verdict::Plain,
            Some(hits) if hits.iter().any(|hit| hit.rule != Rule::Name) => return false,
            Some(_) => self.verdict(name),
            // One of the format's own, or of the table of a frame.
            None if self.hits_of(name).iter().any(|hit| hit.rule != Rule::Name) => return false,
            None => self.judge(name, Group::None),
        };
        let says_nothing = match verdict {
            Verdict::Plain => true,
            Verdict::Group(Group::Card) => matches!(value, ValueView::Null | ValueView::Str(_)),
            Verdict::Group(_) => !matches!(value, ValueView::Array(_) | ValueView::Map(_)),
            _ => false,
        };
        says_nothing && self.keeps_value(found, value)
    }

    /// Whether a value stays of which its name says nothing: all that was found in it are harmless names.
    fn keeps_value(&mut self, found: &mut Found<'_>, value: ValueView<'_>) -> bool {
        match value {
            ValueView::Null | ValueView::Bool(_) | ValueView::I64(_) | ValueView::F64(_) => true,
            ValueView::Str(part) | ValueView::Bytes(part) => found.nothing_in(part),
            ValueView::Array(items) | ValueView::Map(items) if found.nothing_in(items.raw()) => true,
            ValueView::Array(items) => items.values().all(|item| self.keeps_value(found, item)),
            ValueView::Map(items) => {
                items.entries().all(|(name, value)| self.keeps_member(found, name, value))
            }
        }
    }

    /// What was found in the event from a name or its value on, for a walk over parts of it in their order.
    fn found_from(&self, name: &[u8], value: ValueView<'_>) -> Found<'a> {
        let value = match value {
            ValueView::Str(part) | ValueView::Bytes(part) => part,
            ValueView::Array(items) | ValueView::Map(items) => items.raw(),
            _ => &[],
        };
        let at = place_of(self.bytes, name).or_else(|| place_of(self.bytes, value)).unwrap_or(0);
        let from = self.hits.partition_point(|hit| hit.at < at);
        Found { event: self.bytes, rest: self.hits.get(from..).unwrap_or_default() }
    }
}

/// What was found in the event, from the part on that was asked for last.
struct Found<'a> {
    event: &'a [u8],
    rest: &'a [Hit],
}

impl<'a> Found<'a> {
    /// What was found in a part; `None` for what stands elsewhere.
    fn within(&mut self, part: &[u8]) -> Option<&'a [Hit]> {
        let at = place_of(self.event, part)?;
        let first = |hits: &[Hit], at| hits.iter().position(|hit| hit.at >= at).unwrap_or(hits.len());
        self.rest = self.rest.get(first(self.rest, at)..)?;
        self.rest.get(..first(self.rest, at + part.len()))
    }

    /// Whether a part stands in the event, and nothing was found in it.
    fn nothing_in(&mut self, part: &[u8]) -> bool {
        let Some(at) = place_of(self.event, part) else { return false };
        let first = self.rest.iter().position(|hit| hit.at >= at).unwrap_or(self.rest.len());
        self.rest = self.rest.get(first..).unwrap_or_default();
        self.rest.first().is_none_or(|hit| hit.at >= at + part.len())
    }
}

/// Whether a text is one name, short enough that the rules see the whole of it: no value stands behind it.
fn is_lone_name(part: &[u8], hits: &[Hit]) -> bool {
    part.len() <= 64
        && hits.iter().all(|hit| hit.rule == Rule::Name)
        && part.iter().all(|byte| byte.is_ascii() && lex::is_name(*byte))
}
