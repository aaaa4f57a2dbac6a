//! Encoding log records into OTLP protobuf (opentelemetry-proto 1.x, `logs.proto`).

use super::super::OtlpBatch;
use super::super::buffer::Buffer;
use super::super::proto::{FIXED32, Message, put_bytes, put_fixed64, put_tag, put_u32};
use super::request::{self, Request};
use super::{any_value, put_attribute};
use crate::export::Encoder;
use crate::frame::record::RecordContext;
use crate::frame::view::{Field, SpanView};
use crate::semantics::{METADATA_PREFIX, last_values};

/// Collects log records into an [`OtlpBatch`] (`ExportLogsServiceRequest`).
#[derive(Debug, Default)]
pub struct LogsEncoder(Request);

impl LogsEncoder {
    /// An empty encoder.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Encoder for LogsEncoder {
    type Batch = OtlpBatch;

    fn push(&mut self, record: &SpanView<'_>, context: &RecordContext<'_>) {
        self.0.record(context, |out| put_record(out, record));
    }

    fn spans(&self) -> u32 {
        self.0.records()
    }

    fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn take(&mut self) -> OtlpBatch {
        self.0.take()
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

/// One `ScopeLogs.log_records` field. The record is laid out as a span: `docs/frame.md` says what its fields mean.
fn put_record(out: &mut Buffer, record: &SpanView<'_>) {
    let head = record.head();
    let message = Message::open(out, 2);
    if head.start_unix_nanos != 0 {
        put_fixed64(out, 1, head.start_unix_nanos);
    }
    put_u32(out, 2, u32::from(head.severity));
    let (mut severity_text, mut event_name, mut body) = (&b""[..], &b""[..], None);
    let (mut attributes, mut metadata, mut dropped) = (Vec::new(), Vec::new(), 0u32);
    for field in record.fields() {
        match field {
            Field::StatusMessage(text) => severity_text = text,
            Field::Name(name) => event_name = name,
            Field::Input(value) => body = Some(value),
            Field::Attribute(name, value) => attributes.push((name, value)),
            Field::Metadata(name, value) => metadata.push((name, value)),
            Field::Dropped { attributes, .. } => dropped = dropped.saturating_add(attributes),
            _ => {}
        }
    }
    if !severity_text.is_empty() {
        put_bytes(out, 3, severity_text);
    }
    if let Some(value) = body {
        any_value(out, 5, value);
    }
    last_values(&mut attributes);
    for (name, value) in attributes {
        put_attribute(out, 6, name, value);
    }
    last_values(&mut metadata);
    for (name, value) in metadata {
        put_attribute(out, 6, &[METADATA_PREFIX.as_bytes(), name].concat(), value);
    }
    put_u32(out, 7, dropped);
    if head.trace_id.is_valid() {
        put_tag(out, 8, FIXED32);
        out.put(u32::from(head.trace_flags.bits()).to_le_bytes());
        put_bytes(out, 9, head.trace_id.as_bytes());
    }
    if head.span_id.is_valid() {
        put_bytes(out, 10, head.span_id.as_bytes());
    }
    if head.end_unix_nanos != 0 {
        put_fixed64(out, 11, head.end_unix_nanos);
    }
    if !event_name.is_empty() {
        put_bytes(out, 12, event_name);
    }
    message.close(out);
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::sync::Arc;

    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use opentelemetry_proto::tonic::logs::v1::LogRecord;
    use prost::Message as _;

    use super::*;
    use crate::frame::write::{self, Head};
    use crate::frame::{EVENT_HEADER, EventKind};
    use crate::id::{SpanId, TraceId};
    use crate::value::Value;

    fn encoded(head: &Head, fields: impl FnOnce(&mut Vec<u8>)) -> OtlpBatch {
        let mut record = Vec::new();
        write::begin_span(&mut record);
        fields(&mut record);
        write::finish_span(&mut record, EventKind::Log, 0, head);
        let mut encoder = LogsEncoder::new();
        let context = RecordContext { scope: &Arc::default(), scope_id: 0, resource: &Arc::default() };
        encoder.push(&SpanView::new(&record[EVENT_HEADER..]).unwrap(), &context);
        encoder.take()
    }

    fn records(batch: &OtlpBatch) -> Vec<LogRecord> {
        let request = ExportLogsServiceRequest::decode(&batch.body[..]).unwrap();
        let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        scopes.flat_map(|scope| scope.log_records).collect()
    }

    #[test]
    fn every_field_of_a_record_has_its_place() {
        let head = Head {
            trace_id: TraceId::from_bytes([1; 16]),
            span_id: SpanId::from_bytes([2; 8]),
            start_unix_nanos: 5,
            end_unix_nanos: 6,
            severity: 13,
            ..Head::default()
        };
        let batch = encoded(&head, |buf| {
            write::attribute(buf, "k", &1.into());
            write::attribute(buf, "k", &2.into());
            write::metadata(buf, "tier", &"gold".into());
            write::status_message(buf, "WARNING");
            write::name(buf, "disk.full");
            write::input_tag(buf);
            write::put_value(buf, &Value::from_iter([("free", 0)]));
            write::dropped(buf, 3, 0, 0);
        });
        let record = records(&batch).remove(0);
        assert_eq!((record.time_unix_nano, record.observed_time_unix_nano), (5, 6));
        assert_eq!((record.severity_number, record.severity_text.as_str()), (13, "WARNING"));
        assert_eq!((record.trace_id, record.span_id), (vec![1; 16], vec![2; 8]));
        assert_eq!((record.event_name.as_str(), record.dropped_attributes_count), ("disk.full", 3));
        let Some(Any::KvlistValue(body)) = record.body.and_then(|body| body.value) else { panic!("no map") };
        assert_eq!(body.values[0].key, "free");
        let keys: Vec<_> = record.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(keys, ["k", "polyspan.metadata.tier"]);
        assert_eq!(record.attributes[0].value.as_ref().unwrap().value, Some(Any::IntValue(2)));
    }

    #[test]
    fn batches_of_records_are_joined_and_split_like_those_of_spans() {
        let one = |text: &str| {
            encoded(&Head::default(), |buf| {
                write::input_tag(buf);
                write::put_str(buf, text);
            })
        };
        let mut joined = one("first");
        assert_eq!(LogsEncoder::join(&mut joined, one("second")), None);
        assert_eq!(records(&joined).len(), 2);
        let (first, second) = joined.split().unwrap();
        assert_eq!((records(&first).len(), records(&second).len()), (1, 1));
        let Some(Any::StringValue(body)) = records(&second).remove(0).body.unwrap().value else { panic!() };
        assert_eq!(body, "second");
    }
}
