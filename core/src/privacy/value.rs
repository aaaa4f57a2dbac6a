//! Redacting values as a record holds them: what stands under a sensitive name is replaced whole, whatever it
//! is; texts are looked through; structures are entered only where something was found in them.

use super::digits;
use super::label::Label;
use super::lex::is_name;
use super::names::{Doubt, Group, Verdict};
use super::pair::{is_code_number, is_plain};
use super::prose;
use super::redactor::Scratch;
use super::replace::Replacer;
use super::siblings::{is_name_key, is_schema_key, is_schema_type_name, is_value_key};
use super::triggers::{Hit, Rule};
use crate::frame::copy;
use crate::frame::view::{Items, ValueView, text};
use crate::frame::write::{self, Container};

/// One pass over the fields of an event.
#[derive(Debug)]
pub(crate) struct Rewriter<'a> {
    replacer: Replacer<'a, 'a>,
    /// The bytes that were looked through ...
    pub(super) bytes: &'a [u8],
    /// ... and what was found in them, in order. Where they refer to a text that stands elsewhere, and in which something
    /// was found, is one of these places.
    pub(super) hits: &'a [Hit],
    scratch: &'a mut Scratch,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(
        replacer: Replacer<'a, 'a>,
        bytes: &'a [u8],
        hits: &'a [Hit],
        scratch: &'a mut Scratch,
    ) -> Self {
        Self { replacer, bytes, hits, scratch }
    }

    /// Whether nothing can have to be replaced.
    pub(crate) fn is_clean(&self) -> bool {
        self.replacer.rules.is_off() || self.hits.is_empty() && !self.replacer.rules.always()
    }

    /// Whether a part of the event in which nothing was found stays as it is.
    pub(crate) fn hits_tell_all(&self) -> bool {
        !self.replacer.rules.always()
    }

    /// Whether nothing can have to be replaced in that part of the event.
    fn is_clean_in(&self, part: &[u8]) -> bool {
        self.hits_tell_all() && self.found_in(part).is_some_and(<[Hit]>::is_empty)
    }

    /// Values replaced so far.
    pub(crate) fn replaced(&self) -> u64 {
        self.replacer.count
    }

    fn hits_in(&self, at: usize, length: usize) -> &'a [Hit] {
        let from = self.hits.partition_point(|hit| hit.at < at);
        let rest = self.hits.get(from..).unwrap_or_default();
        let to = rest.partition_point(|hit| hit.at < at + length);
        rest.get(..to).unwrap_or_default()
    }

    /// What was found in a text, wherever it stands.
    pub(super) fn hits_of(&mut self, part: &[u8]) -> &[Hit] {
        match place_of(self.bytes, part) {
            Some(at) => self.hits_in(at, part.len()),
            None => {
                self.scratch.hits.clear();
                self.replacer.rules.find(part, &mut self.scratch.hits);
                &self.scratch.hits
            }
        }
    }

    /// Writes a text without its secrets; false, and nothing written, if it has none.
    pub(crate) fn text(&mut self, part: &[u8], out: &mut Vec<u8>) -> bool {
        let Self { replacer, hits, scratch, .. } = self;
        match (part.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize) {
            Some(at) if at + part.len() <= self.bytes.len() => {
                let from = hits.partition_point(|hit| hit.at < at);
                let rest = hits.get(from..).unwrap_or_default();
                let to = rest.partition_point(|hit| hit.at < at + part.len());
                let found = rest.get(..to).unwrap_or_default();
                (!found.is_empty() || replacer.rules.always()) && scratch.text(replacer, part, found, at, out)
            }
            _ => {
                let mut found = core::mem::take(&mut scratch.hits);
                found.clear();
                replacer.rules.find(part, &mut found);
                let changed = (!found.is_empty() || replacer.rules.always())
                    && scratch.text(replacer, part, &found, 0, out);
                scratch.hits = found;
                changed
            }
        }
    }

    /// Writes the value that stands under a name; false if it is unchanged.
    pub(crate) fn named(&mut self, name: &[u8], value: ValueView<'_>, out: &mut Vec<u8>) -> bool {
        let verdict = self.judge(name, Group::None);
        self.under(name, verdict, value, out)
    }

    /// Writes a value whose name has been judged, and may tell what its number is.
    fn under(&mut self, name: &[u8], verdict: Verdict, value: ValueView<'_>, out: &mut Vec<u8>) -> bool {
        if let (Verdict::Plain, ValueView::Str(part)) = (verdict, value)
            && self.holds_numbers_only(part)
            && digits::is_other_number(name)
        {
            copy::value(out, value);
            return false;
        }
        self.judged(verdict, value, out)
    }

    /// Whether numbers are all that was found in a text.
    fn holds_numbers_only(&self, part: &[u8]) -> bool {
        !self.replacer.rules.always()
            && place_of(self.bytes, part).is_some_and(|at| {
                let hits = self.hits_in(at, part.len());
                !hits.is_empty() && hits.iter().all(|hit| hit.rule == Rule::Digits)
            })
    }

    pub(super) fn judge(&mut self, name: &[u8], within: Group) -> Verdict {
        if within == Group::None && !self.replacer.rules.judges_all() && self.hits_of(name).is_empty() {
            return Verdict::Plain;
        }
        match within {
            Group::None => self.verdict(name),
            within => self.replacer.rules.judge(name, within),
        }
    }

    /// What a name says in which something was found.
    pub(super) fn verdict(&mut self, name: &[u8]) -> Verdict {
        self.scratch.judged.verdict(self.replacer.rules, name)
    }

    /// The same, and names in which nothing was found are none.
    pub(super) fn hits_tell_names(&self) -> bool {
        self.hits_tell_all() && !self.replacer.rules.judges_all()
    }

    /// What was found in a part of the event; `None` for what stands elsewhere.
    pub(super) fn found_in(&self, part: &[u8]) -> Option<&'a [Hit]> {
        place_of(self.bytes, part).map(|at| self.hits_in(at, part.len()))
    }

    /// Where something was found at that place of the event or behind it.
    pub(crate) fn next_hit(&self, from: usize) -> Option<usize> {
        self.hits.get(self.hits.partition_point(|hit| hit.at < from)).map(|hit| hit.at)
    }

    /// Writes a value whose name has been judged; false if it is unchanged.
    fn judged(&mut self, verdict: Verdict, value: ValueView<'_>, out: &mut Vec<u8>) -> bool {
        let fits = match (verdict, value) {
            (Verdict::Secret(label), _) => Some(label),
            (Verdict::Maybe(label, Doubt::Digits), ValueView::Str(text)) => {
                is_code_number(text).then_some(label)
            }
            (Verdict::Maybe(label, Doubt::Digits), ValueView::I64(number)) => {
                (1000..10_000_000_000).contains(&number).then_some(label)
            }
            (Verdict::Maybe(label, Doubt::Text), ValueView::Str(text)) => (!is_plain(text)).then_some(label),
            (Verdict::Maybe(label, Doubt::Text), ValueView::Array(items)) => {
                let texts = items.values().all(|item| matches!(item, ValueView::Str(_)));
                texts.then_some(label)
            }
            (Verdict::Group(Group::Card), ValueView::I64(number)) => {
                digits::is_card(number).then_some(Label::CARD_NUMBER)
            }
            _ => None,
        };
        match (fits, verdict, value) {
            (Some(label), ..) => self.hide(label, value, out),
            (None, Verdict::Allowed, _) => {
                copy::value(out, value);
                false
            }
            (None, Verdict::Maybe(_, Doubt::Text), ValueView::Map(items)) => {
                self.map(items, Group::Auth, out)
            }
            (None, Verdict::Group(group), ValueView::Map(items)) => self.map(items, group, out),
            _ => self.plain(value, out),
        }
    }

    /// Replaces a value, unless it is none.
    fn hide(&mut self, label: Label, value: ValueView<'_>, out: &mut Vec<u8>) -> bool {
        let mark = |out: &mut Vec<u8>, replacer: &mut Replacer<'_, '_>, value: &[u8]| {
            let mut text = Vec::with_capacity(16);
            replacer.put(&mut text, label, value);
            write::put_str(out, &String::from_utf8_lossy(&text));
            true
        };
        match value {
            ValueView::Str(text) if prose::is_nothing(text) || self.replacer.rules.allows(text) => {
                write::put_str(out, &String::from_utf8_lossy(text));
                false
            }
            ValueView::Str(text) => mark(out, &mut self.replacer, text),
            ValueView::Bytes(bytes) if !bytes.is_empty() => mark(out, &mut self.replacer, bytes),
            ValueView::Map(items) if is_schema(items) => self.plain(value, out),
            ValueView::Array(items) | ValueView::Map(items) if !items.is_empty() => {
                // What tells one structure from another, without first and last characters to show.
                let mut bytes = vec![0];
                copy::value(&mut bytes, value);
                mark(out, &mut self.replacer, &bytes)
            }
            ValueView::Bool(_) | ValueView::I64(_) | ValueView::F64(_) => {
                let mut bytes = vec![0];
                copy::value(&mut bytes, value);
                mark(out, &mut self.replacer, &bytes)
            }
            ValueView::Null | ValueView::Bytes(_) | ValueView::Array(_) | ValueView::Map(_) => {
                copy::value(out, value);
                false
            }
        }
    }

    /// A value whose name says nothing.
    fn plain(&mut self, value: ValueView<'_>, out: &mut Vec<u8>) -> bool {
        match value {
            ValueView::Str(part) => {
                let mut redacted = Vec::new();
                let changed = self.text(part, &mut redacted);
                write::put_str(out, &text(if changed { &redacted } else { part }));
                changed
            }
            ValueView::Bytes(part) => {
                let mut redacted = Vec::new();
                let changed = core::str::from_utf8(part).is_ok() && self.text(part, &mut redacted);
                write::put_bytes(out, if changed { &redacted } else { part });
                changed
            }
            ValueView::Array(items) => self.array(items, out),
            ValueView::Map(items) => self.map(items, Group::None, out),
            ValueView::Null | ValueView::Bool(_) | ValueView::I64(_) | ValueView::F64(_) => {
                copy::value(out, value);
                false
            }
        }
    }

    fn array(&mut self, items: Items<'_>, out: &mut Vec<u8>) -> bool {
        if self.is_clean_in(items.raw()) {
            copy::value(out, ValueView::Array(items));
            return false;
        }
        let count = items.len();
        let is_pair =
            |item: ValueView<'_>| matches!(item, ValueView::Array(pair) if name_of_pair(pair).is_some());
        let pairs = count > 0 && items.values().all(is_pair);
        let array = Container::array(out);
        let mut changed = false;
        let mut before: Option<&[u8]> = None;
        let mut written = 0;
        for (place, item) in items.values().enumerate() {
            written += 1;
            if let (true, ValueView::Array(pair)) = (pairs, item) {
                changed |= self.pair(pair, out);
                continue;
            }
            let verdict = before.map_or(Verdict::Plain, |name| self.follower(name, item, place, count));
            changed |= self.judged(verdict, item, out);
            before = match item {
                ValueView::Str(text) => Some(text),
                _ => None,
            };
        }
        array.close(out, written);
        changed
    }

    /// Two items, the first of which names the second.
    fn pair(&mut self, items: Items<'_>, out: &mut Vec<u8>) -> bool {
        let array = Container::array(out);
        let name = name_of_pair(items).unwrap_or_default();
        let mut changed = false;
        for (place, item) in items.values().enumerate() {
            let verdict = if place == 0 { Verdict::Plain } else { self.judge(name, Group::None) };
            changed |= self.judged(verdict, item, out);
        }
        array.close(out, items.len());
        changed
    }

    /// What the item before an item of a list says of it: in a list of arguments, `--password`; in a list of
    /// names and values in turn, a name.
    fn follower(&mut self, before: &[u8], item: ValueView<'_>, place: usize, count: u32) -> Verdict {
        let ValueView::Str(text) = item else { return Verdict::Plain };
        let is_option = before.starts_with(b"--") && !text.starts_with(b"-");
        let in_turn = place % 2 == 1 && count.is_multiple_of(2) && !is_plain(text);
        if before.len() > 64 || !(is_option || in_turn) || !before.iter().all(|byte| is_name(*byte)) {
            return Verdict::Plain;
        }
        match self.judge(before, Group::None) {
            verdict @ Verdict::Secret(_) => verdict,
            _ => Verdict::Plain,
        }
    }

    fn map(&mut self, items: Items<'_>, within: Group, out: &mut Vec<u8>) -> bool {
        if within == Group::None && self.is_clean_in(items.raw()) {
            copy::value(out, ValueView::Map(items));
            return false;
        }
        let named = self.named_by_sibling(items);
        let is_piece = items.entries().any(|(name, _)| name.starts_with(b"logprob"));
        let map = Container::map(out);
        let mut changed = false;
        let mut written = 0;
        for (name, value) in items.entries() {
            written += 1;
            changed |= self.key(name, out);
            let verdict = match (named, self.judge(name, within)) {
                (_, Verdict::Allowed) => Verdict::Allowed,
                (Some(label), _) if is_value_key(name) => Verdict::Secret(label),
                (_, Verdict::Secret(Label::TOKEN)) if is_piece && name == b"token" => Verdict::Plain,
                (_, verdict) => verdict,
            };
            changed |= self.under(name, verdict, value, out);
        }
        map.close(out, written);
        changed
    }

    /// The label that `name`, `key` and the like give to `value` and the like.
    fn named_by_sibling(&mut self, items: Items<'_>) -> Option<Label> {
        for (name, value) in items.entries() {
            let ValueView::Str(text) = value else { continue };
            let short = text.len() <= 64 && text.iter().filter(|byte| **byte == b' ').count() <= 2;
            if let (true, Verdict::Secret(label)) =
                (short && is_name_key(name), self.judge(text, Group::None))
            {
                return Some(label);
            }
        }
        None
    }

    /// Writes a key; a secret may stand there too, but not a name and its value.
    pub(crate) fn key(&mut self, name: &[u8], out: &mut Vec<u8>) -> bool {
        let found = self.hits_of(name).iter().any(|hit| hit.rule != Rule::Name);
        let mut redacted = Vec::new();
        let changed = found && self.text(name, &mut redacted);
        write::put_key(out, &text(if changed { &redacted } else { name }));
        changed
    }
}

/// Where a part of an event stands in it; `None` for what stands elsewhere.
#[inline]
pub(super) fn place_of(event: &[u8], part: &[u8]) -> Option<usize> {
    let at = (part.as_ptr() as usize).checked_sub(event.as_ptr() as usize)?;
    (at + part.len() <= event.len()).then_some(at)
}

/// The first of two items, if it is a text.
fn name_of_pair(items: Items<'_>) -> Option<&[u8]> {
    match items.values().next() {
        Some(ValueView::Str(name)) if items.len() == 2 && name.len() <= 128 => Some(name),
        _ => None,
    }
}

/// Whether a map describes a value, as a JSON Schema does.
fn is_schema(items: Items<'_>) -> bool {
    let typed = items.entries().any(|(name, value)| {
        name == b"type" && matches!(value, ValueView::Str(kind) if is_schema_type_name(kind))
    });
    typed && items.entries().all(|(name, _)| is_schema_key(name))
}
