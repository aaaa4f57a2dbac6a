//! Writing a span's event: appending fields to its buffer while it is open, and its head when it ends.
//!
//! Called by open spans on the recording thread, so every function is a bounds check and a few copies.

use super::{EVENT_HEADER, EventKind, FIELDS_AT, MAX_DEPTH, VERSION, key, kind, tag};
use crate::context::{SpanContext, TraceFlags};
use crate::id::{SpanId, TraceId};
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};
use crate::value::Value;

/// The fixed part of a span's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// The parent; [`SpanId::INVALID`] for a root.
    pub parent_span_id: SpanId,
    /// Start in nanoseconds since the Unix epoch.
    pub start_unix_nanos: u64,
    /// End in nanoseconds since the Unix epoch; 0 while the span is open.
    pub end_unix_nanos: u64,
    /// Sampled and random flags.
    pub trace_flags: TraceFlags,
    /// The span kind.
    pub kind: SpanKind,
    /// The status code.
    pub status: StatusCode,
    /// The severity of a log record as OTLP numbers it, 1 to 24; 0 where none is known, and for spans.
    pub severity: u8,
    /// The span type.
    pub span_type: SpanType,
    /// The flag bits of the record.
    pub flags: SpanFlags,
    /// The engine's number of the instrumentation scope; 0 is the engine's own.
    pub scope: u32,
}

/// Starts a buffer: room for header and head, filled by [`finish_span`].
#[inline]
pub fn begin_span(buf: &mut Vec<u8>) {
    buf.clear();
    buf.extend_from_slice(&[0; FIELDS_AT]);
}

/// Writes header and head into the room that [`begin_span`] left at the front of `buf`.
#[inline]
pub fn finish_span(buf: &mut [u8], event: EventKind, engine: u16, head: &Head) {
    let Some(front) = buf.first_chunk_mut::<FIELDS_AT>() else { return };
    *front = event_front(0, event, engine, head);
    let length = (buf.len() - EVENT_HEADER) as u32;
    if let Some(field) = buf.first_chunk_mut::<4>() {
        *field = length.to_le_bytes();
    }
}

/// Appends a head alone, for a record that is kept without an event's header.
pub fn head(buf: &mut Vec<u8>, head: &Head) {
    let front = event_front(0, EventKind::SpanEnded, 0, head);
    buf.extend_from_slice(front.get(EVENT_HEADER..).unwrap_or(&[]));
}

/// Header and head as bytes.
#[inline]
fn event_front(body_length: u32, event: EventKind, engine: u16, head: &Head) -> [u8; FIELDS_AT] {
    let mut front = [0u8; FIELDS_AT];
    let mut rest = &mut front[..];
    let mut put = |bytes: &[u8]| {
        if let Some((slot, tail)) = core::mem::take(&mut rest).split_at_mut_checked(bytes.len()) {
            slot.copy_from_slice(bytes);
            rest = tail;
        }
    };
    put(&body_length.to_le_bytes());
    put(&[event as u8, VERSION]);
    put(&engine.to_le_bytes());
    put(head.trace_id.as_bytes());
    put(head.span_id.as_bytes());
    put(head.parent_span_id.as_bytes());
    put(&head.start_unix_nanos.to_le_bytes());
    put(&head.end_unix_nanos.to_le_bytes());
    put(&[head.trace_flags.bits(), head.kind as u8, head.status as u8, head.severity]);
    put(&(head.span_type as u16).to_le_bytes());
    put(&head.flags.bits().to_le_bytes());
    put(&head.scope.to_le_bytes());
    front
}

/// A key or name, cut at 32,767 bytes (at a character's boundary).
#[inline]
pub fn put_key(buf: &mut Vec<u8>, text: &str) {
    let text = if text.len() > key::MAX_INLINE { cut(text, key::MAX_INLINE) } else { text };
    buf.extend_from_slice(&(text.len() as u16).to_le_bytes());
    buf.extend_from_slice(text.as_bytes());
}

/// The longest prefix of `text` of at most `limit` bytes that ends at a character's boundary.
pub fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or("")
}

#[inline]
fn put_sized(buf: &mut Vec<u8>, bytes: &[u8]) {
    buf.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    buf.extend_from_slice(bytes);
}

/// A value with its type byte. Nesting beyond [`MAX_DEPTH`] is written as null.
pub fn put_value(buf: &mut Vec<u8>, value: &Value<'_>) {
    put_nested(buf, value, 0);
}

/// A text value.
#[inline]
pub fn put_str(buf: &mut Vec<u8>, text: &str) {
    let [l0, l1, l2, l3] = (text.len() as u32).to_le_bytes();
    buf.extend_from_slice(&[kind::STR, l0, l1, l2, l3]);
    buf.extend_from_slice(text.as_bytes());
}

/// An integer value.
#[inline]
pub fn put_i64(buf: &mut Vec<u8>, value: i64) {
    put_word(buf, kind::I64, value.to_le_bytes());
}

/// A floating-point value.
#[inline]
pub fn put_f64(buf: &mut Vec<u8>, value: f64) {
    put_word(buf, kind::F64, value.to_le_bytes());
}

#[inline]
fn put_word(buf: &mut Vec<u8>, kind: u8, [b0, b1, b2, b3, b4, b5, b6, b7]: [u8; 8]) {
    buf.extend_from_slice(&[kind, b0, b1, b2, b3, b4, b5, b6, b7]);
}

/// A truth value.
#[inline]
pub fn put_bool(buf: &mut Vec<u8>, value: bool) {
    buf.push(if value { kind::TRUE } else { kind::FALSE });
}

/// An absent value.
#[inline]
pub fn put_null(buf: &mut Vec<u8>) {
    buf.push(kind::NULL);
}

/// A value of raw bytes.
#[inline]
pub fn put_bytes(buf: &mut Vec<u8>, bytes: &[u8]) {
    buf.push(kind::BYTES);
    put_sized(buf, bytes);
}

fn put_nested(buf: &mut Vec<u8>, value: &Value<'_>, depth: usize) {
    match value {
        Value::Null => put_null(buf),
        Value::Bool(value) => put_bool(buf, *value),
        Value::I64(value) => put_i64(buf, *value),
        Value::F64(value) => put_f64(buf, *value),
        Value::Str(text) => put_str(buf, text),
        Value::Bytes(bytes) => put_bytes(buf, bytes),
        Value::Array(_) | Value::Map(_) if depth >= MAX_DEPTH => put_null(buf),
        Value::Array(items) => {
            let container = Container::open(buf, kind::ARRAY);
            for item in items {
                put_nested(buf, item, depth + 1);
            }
            container.close(buf, items.len() as u32);
        }
        Value::Map(entries) => {
            let container = Container::open(buf, kind::MAP);
            for (name, item) in entries {
                put_key(buf, name);
                put_nested(buf, item, depth + 1);
            }
            container.close(buf, entries.len() as u32);
        }
    }
}

/// An array or map under construction, for hosts that walk their own objects.
///
/// The caller counts the items (a map's item is [`put_key`] and a value) and keeps to [`MAX_DEPTH`].
#[derive(Debug)]
#[must_use = "an open container leaves a broken length behind"]
pub struct Container {
    start: usize,
}

impl Container {
    /// Opens an array.
    pub fn array(buf: &mut Vec<u8>) -> Self {
        Self::open(buf, kind::ARRAY)
    }

    /// Opens a map.
    pub fn map(buf: &mut Vec<u8>) -> Self {
        Self::open(buf, kind::MAP)
    }

    fn open(buf: &mut Vec<u8>, kind: u8) -> Self {
        buf.push(kind);
        let start = buf.len();
        buf.extend_from_slice(&[0; 8]);
        Self { start }
    }

    /// Writes length and item count into the room left at the start.
    pub fn close(self, buf: &mut [u8], items: u32) {
        let length = buf.len().saturating_sub(self.start + 4) as u32;
        if let Some(slot) = buf.get_mut(self.start..).and_then(|rest| rest.first_chunk_mut::<8>()) {
            let [l0, l1, l2, l3] = length.to_le_bytes();
            let [c0, c1, c2, c3] = items.to_le_bytes();
            *slot = [l0, l1, l2, l3, c0, c1, c2, c3];
        }
    }
}

/// The span's name; a later one replaces it.
#[inline]
pub fn name(buf: &mut Vec<u8>, text: &str) {
    buf.push(tag::NAME);
    put_key(buf, text);
}

/// The description of the status; a later one replaces it.
pub fn status_message(buf: &mut Vec<u8>, text: &str) {
    buf.push(tag::STATUS_MESSAGE);
    put_sized(buf, text.as_bytes());
}

/// The tracestate header text.
pub fn trace_state(buf: &mut Vec<u8>, header: &str) {
    buf.push(tag::TRACE_STATE);
    put_sized(buf, header.as_bytes());
}

/// The tag and key of an attribute; the caller appends the value.
#[inline]
pub fn attribute_key(buf: &mut Vec<u8>, name: &str) {
    let name = if name.len() > key::MAX_INLINE { cut(name, key::MAX_INLINE) } else { name };
    let [l0, l1] = (name.len() as u16).to_le_bytes();
    buf.extend_from_slice(&[tag::ATTRIBUTE, l0, l1]);
    buf.extend_from_slice(name.as_bytes());
}

/// An attribute; a later one of the same key replaces it.
#[inline]
pub fn attribute(buf: &mut Vec<u8>, name: &str, value: &Value<'_>) {
    attribute_key(buf, name);
    put_value(buf, value);
}

/// The tag of an attribute; the caller appends key and value.
#[inline]
pub fn attribute_tag(buf: &mut Vec<u8>) {
    buf.push(tag::ATTRIBUTE);
}

/// The tag of a piece of metadata; the caller appends key and value.
#[inline]
pub fn metadata_tag(buf: &mut Vec<u8>) {
    buf.push(tag::METADATA);
}

/// The tag and key of a piece of metadata; the caller appends the value.
pub fn metadata_key(buf: &mut Vec<u8>, name: &str) {
    buf.push(tag::METADATA);
    put_key(buf, name);
}

/// A piece of metadata; a later one of the same key replaces it.
pub fn metadata(buf: &mut Vec<u8>, name: &str, value: &Value<'_>) {
    metadata_key(buf, name);
    put_value(buf, value);
}

/// The tag of the input; the caller appends the value.
#[inline]
pub fn input_tag(buf: &mut Vec<u8>) {
    buf.push(tag::INPUT);
}

/// The tag of the output; the caller appends the value.
#[inline]
pub fn output_tag(buf: &mut Vec<u8>) {
    buf.push(tag::OUTPUT);
}

/// A tag of the trace.
pub fn trace_tag(buf: &mut Vec<u8>, text: &str) {
    buf.push(tag::TAG);
    put_key(buf, text);
}

/// How many attributes, events and links the recording side left out.
pub fn dropped(buf: &mut Vec<u8>, attributes: u32, events: u32, links: u32) {
    buf.push(tag::DROPPED);
    for count in [attributes, events, links] {
        buf.extend_from_slice(&count.to_le_bytes());
    }
}

/// An event or link under construction: attributes are appended, then it is closed.
#[derive(Debug)]
#[must_use = "an open list leaves a broken length behind"]
pub struct AttributeList {
    start: usize,
    count_at: usize,
    count: u16,
}

impl AttributeList {
    /// Opens an event of the span.
    pub fn event(buf: &mut Vec<u8>, name: &str, time_unix_nanos: u64, dropped_attributes: u32) -> Self {
        buf.push(tag::EVENT);
        let start = buf.len();
        buf.extend_from_slice(&[0; 4]);
        buf.extend_from_slice(&time_unix_nanos.to_le_bytes());
        put_key(buf, name);
        Self::attributes(buf, start, dropped_attributes)
    }

    /// Opens a link to another span.
    pub fn link(buf: &mut Vec<u8>, to: &SpanContext, dropped_attributes: u32) -> Self {
        buf.push(tag::LINK);
        let start = buf.len();
        buf.extend_from_slice(&[0; 4]);
        buf.extend_from_slice(to.trace_id.as_bytes());
        buf.extend_from_slice(to.span_id.as_bytes());
        buf.push(to.flags.bits());
        buf.push(u8::from(to.remote));
        put_sized(buf, to.state.header().as_bytes());
        Self::attributes(buf, start, dropped_attributes)
    }

    fn attributes(buf: &mut Vec<u8>, start: usize, dropped_attributes: u32) -> Self {
        buf.extend_from_slice(&dropped_attributes.to_le_bytes());
        let count_at = buf.len();
        buf.extend_from_slice(&[0; 2]);
        Self { start, count_at, count: 0 }
    }

    /// Appends the key of the next attribute; the caller appends its value. False when the list is full
    /// (65,535), and nothing was written.
    pub fn key(&mut self, buf: &mut Vec<u8>, name: &str) -> bool {
        let counted = self.count_one();
        if counted {
            put_key(buf, name);
        }
        counted
    }

    /// Counts an attribute whose key and value the caller appends; false, and nothing may be appended, when
    /// the list is full.
    pub fn count_one(&mut self) -> bool {
        let next = self.count.checked_add(1);
        self.count = next.unwrap_or(self.count);
        next.is_some()
    }

    /// Appends an attribute.
    pub fn attribute(&mut self, buf: &mut Vec<u8>, name: &str, value: &Value<'_>) {
        if self.key(buf, name) {
            put_value(buf, value);
        }
    }

    /// Writes length and count into the room left for them.
    pub fn close(self, buf: &mut [u8]) {
        let length = buf.len().saturating_sub(self.start + 4) as u32;
        if let Some(slot) = buf.get_mut(self.start..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            *slot = length.to_le_bytes();
        }
        if let Some(slot) = buf.get_mut(self.count_at..).and_then(|rest| rest.first_chunk_mut::<2>()) {
            *slot = self.count.to_le_bytes();
        }
    }
}

/// Turns the field that occupies `start..end` of the buffer into filler, because a later one replaced it.
///
/// A field is never shorter than the five bytes filler needs, but for an empty name or tag; those are
/// left in place, and the later one wins when it is read.
pub fn blank(buf: &mut [u8], start: usize, end: usize) {
    let Some(field) = buf.get_mut(start..end) else { return };
    let Some(length) = field.len().checked_sub(5) else { return };
    field.fill(0);
    if let Some(slot) = field.get_mut(1..5) {
        slot.copy_from_slice(&(length as u32).to_le_bytes());
    }
}
