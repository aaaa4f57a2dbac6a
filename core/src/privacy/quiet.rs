//! Telling, without writing anything, that something stays as it is. Much of what is found in a span is a word of
//! a name that turns out to be harmless (`first_token`, `tokens`, `author`), and then nothing need be copied.
//!
//! Yes is certain, and no means only that the [`Rewriter`] has to look.

use super::lex;
use super::names::{Group, Verdict};
use super::triggers::{Hit, Rule};
use super::value::Rewriter;
use crate::frame::view::{Attributes, ValueView};

impl Rewriter<'_> {
    /// Whether a text stays: nothing was found in it, or it is nothing but a name.
    pub(crate) fn keeps_text(&self, part: &[u8]) -> bool {
        self.hits_tell_names()
            && self.found_in(part).is_some_and(|hits| hits.is_empty() || is_lone_name(part, hits))
    }

    /// Whether an attribute or a piece of metadata stays, or, without a name, an input.
    pub(crate) fn keeps_named(&mut self, name: &[u8], value: ValueView<'_>) -> bool {
        let lone = |part| self.keeps_text(part);
        let value = match value {
            // Beside no other member it can name nothing.
            ValueView::Str(part) if lone(part) => ValueView::Null,
            value => value,
        };
        self.hits_tell_names() && self.keeps_member(name, value)
    }

    /// Whether all attributes of an event or link stay.
    pub(crate) fn keeps_all(&mut self, attributes: Attributes<'_>) -> bool {
        attributes.iter().all(|(name, value)| self.keeps_named(name, value))
    }

    /// Whether a member of a map stays, with its name.
    fn keeps_member(&mut self, name: &[u8], value: ValueView<'_>) -> bool {
        // A name that does not stand in the event is one of the format's own.
        let named = self.found_in(name).unwrap_or_default();
        let is_structure = matches!(value, ValueView::Array(_) | ValueView::Map(_));
        let says_nothing = named.iter().all(|hit| hit.rule == Rule::Name)
            && match self.judge(name, Group::None) {
                Verdict::Plain => true,
                Verdict::Group(Group::Card) => matches!(value, ValueView::Null | ValueView::Str(_)),
                Verdict::Group(_) => !is_structure,
                _ => false,
            };
        says_nothing && self.keeps_value(value)
    }

    /// Whether a value stays of which its name says nothing: all that was found in it are harmless names.
    fn keeps_value(&mut self, value: ValueView<'_>) -> bool {
        let nothing_in = |part: &[u8]| self.found_in(part).is_some_and(<[Hit]>::is_empty);
        match value {
            ValueView::Null | ValueView::Bool(_) | ValueView::I64(_) | ValueView::F64(_) => true,
            ValueView::Str(part) | ValueView::Bytes(part) => nothing_in(part),
            ValueView::Array(items) | ValueView::Map(items) if nothing_in(items.raw()) => true,
            ValueView::Array(items) => items.values().all(|item| self.keeps_value(item)),
            ValueView::Map(items) => items.entries().all(|(name, value)| self.keeps_member(name, value)),
        }
    }
}

/// Whether a text is one name, short enough that the rules see the whole of it: no value stands behind it.
fn is_lone_name(part: &[u8], hits: &[Hit]) -> bool {
    part.len() <= 64
        && hits.iter().all(|hit| hit.rule == Rule::Name)
        && part.iter().all(|byte| byte.is_ascii() && lex::is_name(*byte))
}
