//! Encoding records into OTLP protobuf (opentelemetry-proto 1.x, `trace.proto`): one pass over the bytes of
//! the frame straight into the bytes of the request, no object in between.

mod logs;
mod metrics;
mod request;
mod typed;

pub use logs::LogsEncoder;
pub use metrics::MetricsEncoder;
use request::Request;

use super::OtlpBatch;
use super::buffer::{Buffer, PIECE, lay};
use super::proto::{
    BYTES, FIXED32, FIXED64, Message, VARINT, put_bytes, put_fixed64, put_tag, put_u32, put_varint,
    varint_len,
};
use crate::export::Encoder;
use crate::frame::record::RecordContext;
use crate::frame::view::{Attributes, Field, Packed, SpanView, ValueView, add_tag};
use crate::frame::write;
use crate::kinds::{SpanFlags, SpanKind, StatusCode};
use crate::semantics::{Dialect, INPUT, METADATA_PREFIX, OUTPUT, Room, TAGS, json, last_values};

/// `SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK`.
const HAS_IS_REMOTE: u32 = 0x100;
/// `SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`.
const IS_REMOTE: u32 = 0x200;

/// Collects spans into an [`OtlpBatch`].
#[derive(Debug, Default)]
pub struct OtlpEncoder {
    request: Request,
    scratch: Scratch,
    dialect: Dialect,
}

/// Memory that is kept from span to span.
#[derive(Debug, Default)]
struct Scratch {
    json: String,
    room: Room,
}

impl OtlpEncoder {
    /// An empty encoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty encoder that calls things by the names of a convention.
    pub fn speaking(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }
}

impl Encoder for OtlpEncoder {
    type Batch = OtlpBatch;

    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>) {
        let Self { request, scratch, dialect } = self;
        request.record(context, |out| {
            if dialect.changes(span) {
                typed::put_span(out, span, *dialect, scratch);
            } else {
                put_span(out, span, &mut scratch.json);
            }
        });
    }

    fn spans(&self) -> u32 {
        self.request.records()
    }

    fn bytes(&self) -> usize {
        self.request.bytes()
    }

    fn take(&mut self) -> OtlpBatch {
        self.request.take()
    }

    fn join(into: &mut OtlpBatch, more: OtlpBatch) -> Option<OtlpBatch> {
        request::join(into, more)
    }

    fn pack(batch: &mut OtlpBatch) -> Option<usize> {
        batch.pack()
    }

    fn unpack(batch: &mut OtlpBatch) -> bool {
        batch.unpack()
    }
}

/// One `ScopeSpans.spans` field of a span that is sent as it was recorded.
fn put_span(out: &mut Buffer, span: &SpanView<'_>, scratch: &mut String) {
    let head = span.head();
    let message = open_span(out, head, head.kind);
    let mut rest = Rest::default();
    for field in span.fields() {
        match field {
            Field::Attribute(name, value) => put_attribute(out, 9, name, value),
            Field::Event(event) => put_event(out, event),
            Field::Link(link) => put_link(out, link),
            other => rest.take(other),
        }
    }
    rest.put(out, head.status, scratch);
    close_span(out, head, message);
}

#[inline]
fn open_span(out: &mut Buffer, head: &write::Head, kind: SpanKind) -> Message {
    let message = Message::open(out, 2);
    out.put(fixed_fields(head, kind));
    if head.parent_span_id.is_valid() {
        let [a, b, c, d, e, f, g, h] = *head.parent_span_id.as_bytes();
        out.put([4 << 3 | BYTES, 8, a, b, c, d, e, f, g, h]);
    }
    message
}

#[inline]
fn close_span(out: &mut Buffer, head: &write::Head, message: Message) {
    let remote = if head.flags.contains(SpanFlags::PARENT_REMOTE) { IS_REMOTE } else { 0 };
    let flags = u32::from(head.trace_flags.bits()) | HAS_IS_REMOTE | remote;
    let [a, b, c, d] = flags.to_le_bytes();
    out.put([FIXED32 | 0x80, 16 >> 4, a, b, c, d]);
    message.close(out);
}

/// Ids, kind and times: always there and always as long, so written in one go.
#[inline]
fn fixed_fields(head: &write::Head, kind: SpanKind) -> [u8; 48] {
    let mut out = [0; 48];
    let mut rest = &mut out[..];
    let mut put = |bytes: &[u8]| {
        if let Some((slot, tail)) = core::mem::take(&mut rest).split_at_mut_checked(bytes.len()) {
            slot.copy_from_slice(bytes);
            rest = tail;
        }
    };
    put(&[1 << 3 | BYTES, 16]);
    put(head.trace_id.as_bytes());
    put(&[2 << 3 | BYTES, 8]);
    put(head.span_id.as_bytes());
    put(&[6 << 3 | VARINT, kind as u8]);
    put(&[7 << 3 | FIXED64]);
    put(&head.start_unix_nanos.to_le_bytes());
    put(&[8 << 3 | FIXED64]);
    put(&head.end_unix_nanos.to_le_bytes());
    out
}

/// The fields of which the last one counts, and those that add up.
#[derive(Default)]
struct Rest<'a> {
    name: &'a [u8],
    status_message: &'a [u8],
    trace_state: &'a [u8],
    input: Option<ValueView<'a>>,
    output: Option<ValueView<'a>>,
    metadata: Vec<(&'a [u8], ValueView<'a>)>,
    tags: Vec<&'a [u8]>,
    dropped: [u32; 3],
}

impl<'a> Rest<'a> {
    fn take(&mut self, field: Field<'a>) {
        match field {
            Field::Name(name) => self.name = name,
            Field::StatusMessage(message) => self.status_message = message,
            Field::TraceState(header) => self.trace_state = header,
            Field::Input(value) => self.input = Some(value),
            Field::Output(value) => self.output = Some(value),
            Field::Tag(tag) => add_tag(&mut self.tags, tag),
            Field::Metadata(name, value) => self.metadata.push((name, value)),
            Field::Dropped { attributes, events, links } => {
                for (sum, count) in self.dropped.iter_mut().zip([attributes, events, links]) {
                    *sum = sum.saturating_add(count);
                }
            }
            Field::Attribute(..) | Field::Event(_) | Field::Link(_) | Field::Skipped => {}
        }
    }

    fn put(mut self, out: &mut Buffer, status: StatusCode, scratch: &mut String) {
        last_values(&mut self.metadata);
        if !self.trace_state.is_empty() {
            put_bytes(out, 3, self.trace_state);
        }
        if !self.name.is_empty() {
            put_bytes(out, 5, self.name);
        }
        for (name, value) in &self.metadata {
            let mut key = METADATA_PREFIX.as_bytes().to_vec();
            key.extend_from_slice(name);
            put_plain(out, &key, *value, scratch);
        }
        if let Some(value) = self.input {
            put_plain(out, INPUT.as_bytes(), value, scratch);
        }
        if let Some(value) = self.output {
            put_plain(out, OUTPUT.as_bytes(), value, scratch);
        }
        if !self.tags.is_empty() {
            put_texts(out, TAGS.as_bytes(), self.tags.iter().copied());
        }
        self.put_end(out, status);
    }

    /// The status, and what was left out.
    fn put_end(&self, out: &mut Buffer, status: StatusCode) {
        let [attributes, events, links] = self.dropped;
        put_u32(out, 10, attributes);
        put_u32(out, 12, events);
        put_u32(out, 14, links);
        if status != StatusCode::Unset {
            let message = Message::open_short(out, 15);
            if !self.status_message.is_empty() {
                put_bytes(out, 2, self.status_message);
            }
            put_u32(out, 3, status as u32);
            message.close(out);
        }
    }
}

/// Scalars as they are, structures as JSON text.
fn put_plain(out: &mut Buffer, name: &[u8], value: ValueView<'_>, scratch: &mut String) {
    match value {
        ValueView::Array(_) | ValueView::Map(_) => {
            scratch.clear();
            json::write_json(scratch, value);
            put_attribute(out, 9, name, ValueView::Str(scratch.as_bytes()));
        }
        scalar => put_attribute(out, 9, name, scalar),
    }
}

/// An attribute that is a list of texts.
fn put_texts<'a>(out: &mut Buffer, name: &[u8], texts: impl Iterator<Item = &'a [u8]>) {
    let attribute = Message::open_short(out, 9);
    put_bytes(out, 1, name);
    let value = Message::open_short(out, 2);
    let array = Message::open_short(out, 5);
    for text in texts {
        let item = Message::open_short(out, 1);
        put_bytes(out, 1, text);
        item.close(out);
    }
    array.close(out);
    value.close(out);
    attribute.close(out);
}

fn put_event(out: &mut Buffer, event: Packed<'_>) {
    let Ok(event) = event.event() else { return };
    let message = Message::open_short(out, 11);
    put_fixed64(out, 1, event.time_unix_nanos);
    if !event.name.is_empty() {
        put_bytes(out, 2, event.name);
    }
    put_attributes(out, 3, event.attributes);
    put_u32(out, 4, event.dropped_attributes);
    message.close(out);
}

fn put_link(out: &mut Buffer, link: Packed<'_>) {
    let Ok(link) = link.link() else { return };
    let message = Message::open_short(out, 13);
    put_bytes(out, 1, link.trace_id.as_bytes());
    put_bytes(out, 2, link.span_id.as_bytes());
    if !link.trace_state.is_empty() {
        put_bytes(out, 3, link.trace_state);
    }
    put_attributes(out, 4, link.attributes);
    put_u32(out, 5, link.dropped_attributes);
    let remote = if link.remote { IS_REMOTE } else { 0 };
    put_tag(out, 6, FIXED32);
    out.put((u32::from(link.trace_flags.bits()) | HAS_IS_REMOTE | remote).to_le_bytes());
    message.close(out);
}

fn put_attributes(out: &mut Buffer, field: u8, attributes: Attributes<'_>) {
    attributes.each(|name, value| put_attribute_here(out, field, name, value));
}

/// A `KeyValue` field. Lengths are counted before they are written, so nothing is moved afterwards.
pub(super) fn put_attribute(out: &mut Buffer, field: u8, name: &[u8], value: ValueView<'_>) {
    put_attribute_here(out, field, name, value);
}

/// The same as part of a loop that reads attributes: what kind of value one has need not be asked twice.
#[inline(always)]
fn put_attribute_here(out: &mut Buffer, field: u8, name: &[u8], value: ValueView<'_>) {
    // Nearly all attributes: every length below 128, so each is one byte.
    if !name.is_empty()
        && name.len() < SHORT_NAME
        && field < 16
        && let Some(room) = out.room::<{ 8 + SHORT_NAME + PIECE }>()
        && let Some(value_len) = lay_value(room, 4 + name.len(), value)
    {
        let name_len = name.len() as u8;
        [room[0], room[1]] = [field << 3 | BYTES, 2 + name_len + value_len];
        [room[2], room[3]] = [1 << 3 | BYTES, name_len];
        lay(room, 4, name);
        return out.advance(4 + name.len() + usize::from(value_len));
    }
    put_long_attribute(out, field, name, value);
}

/// Names below this length, with the longest value of [`lay_value`], make a field of fewer than 128 bytes.
const SHORT_NAME: usize = 56;

/// Lays a short value's field of a `KeyValue` behind its name; how long it is.
#[inline(always)]
fn lay_value<const N: usize>(room: &mut [u8; N], at: usize, value: ValueView<'_>) -> Option<u8> {
    const VALUE: u8 = 2 << 3 | BYTES;
    let mut begin = |[length, kind, first]: [u8; 3]| {
        if let Some(slot) = room.get_mut(at..).and_then(|room| room.first_chunk_mut()) {
            *slot = [VALUE, length, kind, first];
        }
        2 + length
    };
    Some(match value {
        ValueView::Str(text) if text.len() < PIECE => {
            let length = text.len() as u8;
            let whole = begin([length + 2, 1 << 3 | BYTES, length]);
            lay(room, at + 4, text);
            whole
        }
        ValueView::Bool(truth) => begin([2, 2 << 3 | VARINT, u8::from(truth)]),
        ValueView::I64(small @ 0..128) => begin([2, 3 << 3 | VARINT, small as u8]),
        ValueView::F64(number) => {
            let whole = begin([9, 4 << 3 | FIXED64, 0]);
            lay(room, at + 3, &number.to_bits().to_le_bytes());
            whole
        }
        _ => return None,
    })
}

#[inline(never)]
fn put_long_attribute(out: &mut Buffer, field: u8, name: &[u8], value: ValueView<'_>) {
    let value_len = any_value_len(value);
    let name_len = if name.is_empty() { 0 } else { 1 + varint_len(name.len() as u64) + name.len() };
    put_tag(out, field, BYTES);
    put_varint(out, (name_len + 1 + varint_len(value_len as u64) + value_len) as u64);
    if !name.is_empty() {
        put_bytes(out, 1, name);
    }
    put_tag(out, 2, BYTES);
    put_varint(out, value_len as u64);
    put_any_value(out, value);
}

/// An `AnyValue` field.
fn any_value(out: &mut Buffer, field: u8, value: ValueView<'_>) {
    put_tag(out, field, BYTES);
    put_varint(out, any_value_len(value) as u64);
    put_any_value(out, value);
}

/// The bytes of an `AnyValue` message.
#[inline]
fn any_value_len(value: ValueView<'_>) -> usize {
    let sized = |length: usize| 1 + varint_len(length as u64) + length;
    match value {
        ValueView::Null => 0,
        ValueView::Bool(_) => 2,
        ValueView::I64(value) => 1 + varint_len(value as u64),
        ValueView::F64(_) => 9,
        ValueView::Str(bytes) | ValueView::Bytes(bytes) => sized(bytes.len()),
        ValueView::Array(_) | ValueView::Map(_) => sized(nested_len(value)),
    }
}

/// The bytes of an `ArrayValue` or `KeyValueList` message.
fn nested_len(value: ValueView<'_>) -> usize {
    let sized = |length: usize| 1 + varint_len(length as u64) + length;
    match value {
        ValueView::Array(items) => items.values().map(|item| sized(any_value_len(item))).sum(),
        ValueView::Map(items) => items
            .entries()
            .map(|(name, item)| {
                let name_len = if name.is_empty() { 0 } else { sized(name.len()) };
                sized(name_len + sized(any_value_len(item)))
            })
            .sum(),
        _ => 0,
    }
}

#[inline]
fn put_any_value(out: &mut Buffer, value: ValueView<'_>) {
    match value {
        ValueView::Null => {}
        ValueView::Str(bytes) => put_bytes(out, 1, bytes),
        ValueView::Bool(value) => out.put([2 << 3, u8::from(value)]),
        ValueView::I64(value) => {
            put_tag(out, 3, VARINT);
            put_varint(out, value as u64);
        }
        ValueView::F64(value) => put_fixed64(out, 4, value.to_bits()),
        ValueView::Bytes(bytes) => put_bytes(out, 7, bytes),
        ValueView::Array(items) => {
            put_tag(out, 5, BYTES);
            put_varint(out, nested_len(value) as u64);
            for item in items.values() {
                put_tag(out, 1, BYTES);
                put_varint(out, any_value_len(item) as u64);
                put_any_value(out, item);
            }
        }
        ValueView::Map(items) => {
            put_tag(out, 6, BYTES);
            put_varint(out, nested_len(value) as u64);
            for (name, item) in items.entries() {
                put_attribute(out, 1, name, item);
            }
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::sync::Arc;

    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    use super::*;

    fn batch(name: &str) -> OtlpBatch {
        let mut record = Vec::new();
        write::begin_span(&mut record);
        write::name(&mut record, name);
        let mut encoder = OtlpEncoder::new();
        let context = RecordContext { scope: &Arc::default(), scope_id: 0, resource: &Arc::default() };
        encoder.push(&SpanView::new(&record[crate::frame::EVENT_HEADER..]).unwrap(), &context);
        encoder.take()
    }

    #[test]
    fn joined_batches_are_one_request() {
        let mut joined = batch("first");
        assert_eq!(OtlpEncoder::join(&mut joined, batch("second")), None);
        assert_eq!(joined.spans, 2);
        let request = ExportTraceServiceRequest::decode(&joined.body[..]).unwrap();
        let names: Vec<_> = request
            .resource_spans
            .iter()
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans)
            .map(|span| span.name.as_str())
            .collect();
        assert_eq!(names, ["first", "second"]);
        let (first, second) = joined.split().unwrap();
        assert_eq!((first.spans, second.spans), (1, 1));
    }
}
