//! An OTLP request under construction: records grouped by scope, with the resource around them.
//!
//! Requests of spans, log records and metrics differ in the records alone: the numbers of the fields around them are
//! the same (`trace_service.proto`, `logs_service.proto`, `metrics_service.proto`).

use std::sync::Arc;

use super::super::OtlpBatch;
use super::super::buffer::Buffer;
use super::super::proto::{BYTES, Message, put_bytes, put_tag};
use super::put_attribute;
use crate::frame::record::{RecordContext, Resource, Scope};
use crate::frame::view::{Field, SpanView};
use crate::frame::write;
use crate::value::OwnedValue;

/// Collects encoded records into an [`OtlpBatch`].
///
/// The first scope's group is written straight behind its wrappers, whose lengths get a fixed room and are
/// filled in at the end, so that the usual batch (one scope) is never copied.
#[derive(Debug, Default)]
pub(super) struct Request {
    resource: Option<(Arc<Resource>, Vec<u8>)>,
    groups: Vec<ScopeGroup>,
    records: u32,
    bytes: usize,
    last_group: usize,
    /// The size of the last batch: batches of one program resemble each other, so it saves growing.
    expected: usize,
}

#[derive(Debug)]
struct ScopeGroup {
    scope_id: u32,
    /// The wrappers (of the first group also the resource's), then the records.
    bytes: Buffer,
    /// Where the length of the scope's message stands.
    length_at: usize,
    schema_url: Vec<u8>,
}

impl Request {
    /// Adds the record that `put` writes: one field numbered 2.
    #[inline]
    pub(super) fn record(&mut self, context: &RecordContext<'_>, put: impl FnOnce(&mut Buffer)) {
        self.records_of(context, 1, put);
    }

    /// The same for a field that holds several records, as a metric does of data points.
    #[inline]
    pub(super) fn records_of(
        &mut self,
        context: &RecordContext<'_>,
        records: u32,
        put: impl FnOnce(&mut Buffer),
    ) {
        let at = self.group(context);
        let Some(group) = self.groups.get_mut(at) else { return };
        let before = group.bytes.len();
        put(&mut group.bytes);
        self.bytes += group.bytes.len() - before;
        self.records += records;
    }

    pub(super) const fn records(&self) -> u32 {
        self.records
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Hands over the request and begins the next.
    pub(super) fn take(&mut self) -> OtlpBatch {
        let mut body = Vec::new();
        for mut group in self.groups.drain(..) {
            group.bytes.extend_from_slice(&group.schema_url);
            put_wide_length(group.bytes.written(), group.length_at);
            let mut bytes = group.bytes.into_vec();
            if body.is_empty() {
                body = bytes;
            } else {
                body.append(&mut bytes);
            }
        }
        put_wide_length(&mut body, 1);
        self.expected = body.len() + body.len() / 16;
        self.bytes = 0;
        OtlpBatch::new(body, core::mem::take(&mut self.records))
    }

    fn group(&mut self, context: &RecordContext<'_>) -> usize {
        let known = |group: &ScopeGroup| group.scope_id == context.scope_id;
        if self.groups.get(self.last_group).is_some_and(known) {
            return self.last_group;
        }
        self.last_group = self.groups.iter().position(known).unwrap_or_else(|| {
            let group = self.open_group(context);
            self.groups.push(group);
            self.groups.len() - 1
        });
        self.last_group
    }

    fn open_group(&mut self, context: &RecordContext<'_>) -> ScopeGroup {
        let mut bytes = Buffer::with_capacity(if self.groups.is_empty() { self.expected } else { 0 });
        if self.groups.is_empty() {
            if !self.resource.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, context.resource)) {
                self.resource = Some((Arc::clone(context.resource), resource_fields(context.resource)));
            }
            put_tag(&mut bytes, 1, BYTES);
            bytes.put([0; WIDE]);
            bytes.extend_from_slice(self.resource.as_ref().map_or(&[][..], |(_, fields)| fields));
        }
        put_tag(&mut bytes, 2, BYTES);
        let length_at = bytes.len();
        bytes.put([0; WIDE]);
        bytes.extend_from_slice(&scope_field(context.scope));
        ScopeGroup {
            scope_id: context.scope_id,
            bytes,
            length_at,
            schema_url: text_field(3, &context.scope.schema_url),
        }
    }
}

/// Protobuf messages joined end to end are one message with the repeated fields of both. The order is kept: what is
/// not packed does not follow what is.
pub(super) fn join(into: &mut OtlpBatch, mut more: OtlpBatch) -> Option<OtlpBatch> {
    if !into.packed.is_empty() && !more.body.is_empty() {
        return Some(more);
    }
    into.body.extend_from_slice(&more.body);
    into.packed.append(&mut more.packed);
    into.spans += more.spans;
    None
}

/// The room of a length that is filled in later: a varint of four bytes, padded, for up to 256 MiB.
const WIDE: usize = 4;

/// Fills in the length of everything behind `at + WIDE`.
fn put_wide_length(bytes: &mut [u8], at: usize) {
    let mut length = bytes.len().saturating_sub(at + WIDE);
    let Some(room) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<WIDE>()) else { return };
    for byte in room.iter_mut() {
        *byte = (length & 0x7f) as u8 | 0x80;
        length >>= 7;
    }
    if let Some(last) = room.last_mut() {
        *last &= 0x7f;
    }
}

/// A text field, left out when empty as proto3 does.
pub(super) fn text_field(field: u8, text: &str) -> Vec<u8> {
    let mut out = Buffer::default();
    if !text.is_empty() {
        put_bytes(&mut out, field, text.as_bytes());
    }
    out.into_vec()
}

/// The fields of the resource's message around its scopes.
fn resource_fields(resource: &Resource) -> Vec<u8> {
    let mut out = Buffer::default();
    let message = Message::open(&mut out, 1);
    put_owned_attributes(&mut out, 1, &resource.attributes);
    message.close(&mut out);
    out.extend_from_slice(&text_field(3, &resource.schema_url));
    out.into_vec()
}

/// The field of the scope itself.
fn scope_field(scope: &Scope) -> Vec<u8> {
    let mut out = Buffer::default();
    let message = Message::open(&mut out, 1);
    out.extend_from_slice(&text_field(1, &scope.name));
    out.extend_from_slice(&text_field(2, &scope.version));
    put_owned_attributes(&mut out, 3, &scope.attributes);
    message.close(&mut out);
    out.into_vec()
}

pub(super) fn put_owned_attributes(out: &mut Buffer, field: u8, attributes: &[(String, OwnedValue)]) {
    let mut record = Vec::new();
    write::begin_span(&mut record);
    for (name, value) in attributes {
        write::attribute(&mut record, name, value);
    }
    let body = record.get(crate::frame::EVENT_HEADER..).unwrap_or(&[]);
    let Ok(view) = SpanView::new(body) else { return };
    for entry in view.fields() {
        if let Field::Attribute(name, value) = entry {
            put_attribute(out, field, name, value);
        }
    }
}
