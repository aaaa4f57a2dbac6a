//! What mapping a span to a convention gives: its name, kind and attributes as they are sent.

use std::borrow::Cow;
use std::collections::HashMap;

use super::json;
use super::messages::put_text_message;
use crate::frame::record::SpanData;
use crate::frame::view::{Field, ValueView, text};
use crate::kinds::{SpanKind, SpanType};
use crate::value::Value;

/// A value of an attribute, as it stands in the record or made anew.
#[derive(Debug, Clone)]
pub enum WireValue<'a> {
    /// As it stands in the record.
    View(ValueView<'a>),
    /// A structure of the record, as JSON text.
    Json(ValueView<'a>),
    /// Mere text, which is sent as a chat message of that role.
    Message {
        /// Who said it.
        role: &'static str,
        /// What was said.
        content: &'a [u8],
    },
    /// Text made anew.
    Text(String),
    /// A word of the convention.
    Static(&'static str),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A list of texts.
    Texts(Vec<ValueView<'a>>),
}

impl<'a> WireValue<'a> {
    /// The value as one of a record, with `scratch` for JSON; none for a list.
    pub fn view<'b>(&'b self, scratch: &'b mut String) -> Option<ValueView<'b>> {
        Some(match self {
            Self::View(value) => *value,
            Self::Json(value) => {
                scratch.clear();
                json::write_json(scratch, *value);
                ValueView::Str(scratch.as_bytes())
            }
            Self::Message { role, content } => {
                let mut bytes = core::mem::take(scratch).into_bytes();
                bytes.clear();
                put_text_message(&mut bytes, role, content);
                *scratch = String::from_utf8(bytes).unwrap_or_default();
                ValueView::Str(scratch.as_bytes())
            }
            Self::Text(text) => ValueView::Str(text.as_bytes()),
            Self::Static(text) => ValueView::Str(text.as_bytes()),
            Self::Integer(number) => ValueView::I64(*number),
            Self::Number(number) => ValueView::F64(*number),
            Self::Texts(_) => return None,
        })
    }
}

/// A span as it is sent, or what of it is not sent as it was recorded.
#[derive(Debug)]
pub struct Wire<'a> {
    /// The name.
    pub name: Cow<'a, [u8]>,
    /// The kind.
    pub kind: SpanKind,
    /// The attributes, each key once.
    pub attributes: Vec<(Cow<'a, [u8]>, WireValue<'a>)>,
    /// Events, links, status, tracestate and counts, which have no other names.
    pub others: Vec<Field<'a>>,
}

/// Memory for the name and the attributes of a span that is mapped, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Room {
    attributes: Vec<(Cow<'static, [u8]>, WireValue<'static>)>,
    name: Vec<u8>,
}

impl Room {
    /// What most spans have fits into it.
    const ATTRIBUTES: usize = 12;
    /// More than this is not kept.
    const MOST: usize = 256;

    /// An empty list.
    fn attributes<'a>(&mut self) -> Attributes<'a> {
        let mut list = emptied(core::mem::take(&mut self.attributes));
        if list.capacity() == 0 {
            list.reserve(Self::ATTRIBUTES);
        }
        Attributes { list }
    }

    /// An empty text.
    pub(super) fn name(&mut self) -> Vec<u8> {
        let mut name = core::mem::take(&mut self.name);
        name.clear();
        name
    }

    /// Takes the memory of a span that has been sent.
    pub(crate) fn take_back(&mut self, wire: Wire<'_>) {
        if wire.attributes.capacity() <= Self::MOST {
            self.attributes = emptied(wire.attributes);
        }
        if let Cow::Owned(name) = wire.name
            && name.capacity() <= Self::MOST
        {
            self.name = name;
        }
    }
}

/// The memory of a list, for attributes of another record: they are collected in the place of those before.
fn emptied<'b>(mut list: Vec<(Cow<'_, [u8]>, WireValue<'_>)>) -> Vec<(Cow<'b, [u8]>, WireValue<'b>)> {
    list.clear();
    list.into_iter().map_while(|_| None).collect()
}

/// Each key once with its last value, in the order the keys first came.
pub(crate) fn last_values<'a>(pairs: &mut Vec<(&'a [u8], ValueView<'a>)>) {
    // Short lists are the rule, and quicker without a map.
    if pairs.len() <= 16 {
        let mut at = 0;
        while let Some((name, _)) = pairs.get(at).copied() {
            let later = pairs.iter().rposition(|(known, _)| *known == name).filter(|later| *later > at);
            if let Some(value) = later.and_then(|later| pairs.get(later)).map(|(_, value)| *value) {
                if let Some(slot) = pairs.get_mut(at) {
                    slot.1 = value;
                }
                let mut place = 0;
                pairs.retain(|(known, _)| {
                    place += 1;
                    place <= at + 1 || *known != name
                });
            }
            at += 1;
        }
        return;
    }
    let mut kept: Vec<(&'a [u8], ValueView<'a>)> = Vec::with_capacity(pairs.len());
    let mut places = HashMap::with_capacity(pairs.len());
    for (name, value) in pairs.drain(..) {
        let place = *places.entry(name).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(slot) => slot.1 = value,
            None => kept.push((name, value)),
        }
    }
    *pairs = kept;
}

/// Attributes on their way to the wire, each key once.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    list: Vec<(Cow<'a, [u8]>, WireValue<'a>)>,
}

impl<'a> Attributes<'a> {
    /// Takes its memory before anything is set; until then it needs none.
    #[inline]
    pub(super) fn open(&mut self, room: &mut Room) {
        if self.list.capacity() == 0 {
            *self = room.attributes();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn place(&self, key: &[u8]) -> Option<usize> {
        self.list.iter().position(|(known, _)| **known == *key)
    }

    /// Sets an attribute; the last value of a key counts.
    pub(super) fn set(&mut self, key: &'a [u8], value: WireValue<'a>) {
        self.set_owned(Cow::Borrowed(key), value);
    }

    /// Sets an attribute whose key was made anew.
    pub(super) fn set_owned(&mut self, key: Cow<'a, [u8]>, value: WireValue<'a>) {
        match self.place(&key).and_then(|place| self.list.get_mut(place)) {
            Some(slot) => slot.1 = value,
            None => self.list.push((key, value)),
        }
    }

    /// Sets an attribute unless it is there.
    pub(super) fn set_new(&mut self, key: impl Into<Cow<'static, str>>, value: WireValue<'a>) {
        let key = match key.into() {
            Cow::Borrowed(key) => Cow::Borrowed(key.as_bytes()),
            Cow::Owned(key) => Cow::Owned(key.into_bytes()),
        };
        if self.place(&key).is_none() {
            self.list.push((key, value));
        }
    }

    /// Adds an attribute whose key is known not to be there.
    pub(super) fn push(&mut self, key: String, value: WireValue<'a>) {
        self.list.push((Cow::Owned(key.into_bytes()), value));
    }

    pub(super) fn get(&self, key: &str) -> Option<&WireValue<'a>> {
        self.list.get(self.place(key.as_bytes())?).map(|(_, value)| value)
    }

    /// The text of an attribute.
    pub(super) fn text(&self, key: &str) -> Option<Cow<'a, [u8]>> {
        match self.get(key)? {
            WireValue::View(ValueView::Str(bytes)) => Some(Cow::Borrowed(bytes)),
            WireValue::Text(made) => Some(Cow::Owned(made.clone().into_bytes())),
            WireValue::Static(word) => Some(Cow::Borrowed(word.as_bytes())),
            _ => None,
        }
    }

    /// Changes the beginning of every key that has it.
    pub(super) fn rename(&mut self, prefix: &str, other: &str) {
        for (key, _) in &mut self.list {
            if let Some(rest) = key.strip_prefix(prefix.as_bytes()) {
                *key = Cow::Owned([other.as_bytes(), rest].concat());
            }
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<WireValue<'a>> {
        self.place(key.as_bytes()).map(|place| self.list.remove(place).1)
    }

    pub(super) fn into_list(self) -> Vec<(Cow<'a, [u8]>, WireValue<'a>)> {
        self.list
    }
}

impl Wire<'_> {
    /// Gives an owned record its names on the wire: what has no field of its own in OpenTelemetry becomes
    /// attributes.
    pub fn replace(&self, data: &mut SpanData) {
        data.name = text(&self.name).into_owned();
        data.kind = self.kind;
        data.attributes = self
            .attributes
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    WireValue::Texts(texts) => {
                        Value::Array(texts.iter().map(|text| text.to_value()).collect())
                    }
                    other => other.view(&mut String::new()).map_or(Value::Null, ValueView::to_value),
                };
                (text(key).into_owned(), value)
            })
            .collect();
        (data.span_type, data.input, data.output) = (SpanType::Generic, None, None);
        data.metadata.clear();
        data.tags.clear();
    }

    /// The attribute's value as text, for tests and for who looks one up.
    pub fn text(&self, key: &str) -> Option<String> {
        let (_, value) = self.attributes.iter().find(|(known, _)| **known == *key.as_bytes())?;
        match value.view(&mut String::new())? {
            ValueView::Str(bytes) => Some(text(bytes).into_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_a_span_serves_the_next() {
        let mut room = Room::default();
        let mut wire_of = |name: &str| {
            let mut attributes = Attributes::default();
            attributes.open(&mut room);
            attributes.set_new("key", WireValue::Text(name.to_owned()));
            let mut text = room.name();
            text.extend_from_slice(name.as_bytes());
            let attributes = attributes.into_list();
            assert_eq!(attributes.len(), 1);
            let places = (attributes.as_ptr() as usize, text.as_ptr() as usize);
            let name = Cow::Owned(text);
            room.take_back(Wire { name, kind: SpanKind::Internal, attributes, others: Vec::new() });
            places
        };
        assert_eq!(wire_of("first"), wire_of("other"));
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        let int = |value| ValueView::I64(value);
        let values = |pairs: &[(&[u8], ValueView<'_>)]| -> Vec<(String, i64)> {
            let number = |value| if let ValueView::I64(number) = value { number } else { 0 };
            pairs.iter().map(|(name, value)| (text(name).into_owned(), number(*value))).collect()
        };
        let mut few: Vec<(&[u8], _)> = vec![(b"a", int(1)), (b"b", int(2)), (b"a", int(3)), (b"a", int(4))];
        last_values(&mut few);
        assert_eq!(values(&few), [("a".to_owned(), 4), ("b".to_owned(), 2)]);
        let names: Vec<String> = (0..40).map(|at| format!("k{}", at % 30)).collect();
        let mut many: Vec<_> = names.iter().zip(0..).map(|(name, at)| (name.as_bytes(), int(at))).collect();
        last_values(&mut many);
        assert_eq!(many.len(), 30);
        assert_eq!(values(&many)[3], ("k3".to_owned(), 33));
        assert_eq!(values(&many)[20], ("k20".to_owned(), 20));
    }
}
