//! Spans, log records and metrics as the maps that hosts decode; times in nanoseconds since the Unix epoch.

use std::borrow::Cow;

use crate::engine::Engine;
use crate::export::memory::MemoryStore;
use crate::frame::record::{EventData, LinkData, RecordContext, SpanData};
use crate::frame::view::SpanView;
use crate::host::{HostEvent, HostJob};
use crate::kinds::StatusCode;
use crate::logs::LogData;
use crate::metrics::data::{MetricData, MetricPoint, MetricShape, PointValue};
use crate::semantics::{self, Dialect};
use crate::value::Value;

use super::wire::write_value;

/// What a memory exporter holds: the spans so far, in the order they ended, as a list; with `take` they are removed.
pub fn spans_in(store: &MemoryStore, take: bool) -> Vec<u8> {
    let spans = if take { store.take() } else { store.spans() };
    write_value(&Value::Array(spans.iter().map(span).collect()))
}

/// The log records so far, in the order they were recorded; with `take` they are removed.
pub fn logs_in(store: &MemoryStore, take: bool) -> Vec<u8> {
    let logs = if take { store.take_logs() } else { store.logs() };
    write_value(&Value::Array(logs.iter().map(log).collect()))
}

/// The data points of metrics so far, in the order they were collected; with `take` they are removed.
pub fn metrics_in(store: &MemoryStore, take: bool) -> Vec<u8> {
    let collected = if take { store.take_metrics() } else { store.metrics() };
    let metrics = collected.iter().flat_map(|collected| &collected.metrics);
    let points = metrics.flat_map(|metric| metric.points.iter().map(move |at| point(metric, at)));
    write_value(&Value::Array(points.collect()))
}

/// The records of a job: for each a byte that tells what it is ([`HostEvent`]), a u32 length, and so much of a map.
pub fn records_of(job: &HostJob) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in job.batch().records() {
        let told = match record.event {
            HostEvent::Log => record.to_log().map(|data| write_value(&log(&data))),
            _ => record.to_data().map(|data| write_value(&with_schema(&data))),
        };
        // The engine makes no record that cannot be read; the place of one is kept all the same.
        let told = told.unwrap_or_else(|| write_value(&Value::Map(Vec::new())));
        bytes.push(record.event as u8);
        bytes.extend_from_slice(&(told.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&told);
    }
    bytes
}

/// A span, with what processors of the OpenTelemetry SDK see of its scope besides the name and version.
fn with_schema(data: &SpanData) -> Value<'_> {
    let mut told = span(data);
    if let Value::Map(entries) = &mut told {
        entries.push(("scopeSchemaUrl".into(), data.scope.schema_url.as_str().into()));
    }
    told
}

impl Engine {
    /// What the body of a span's event says, as a map under the names of the wire, for code of the application that
    /// looks at it before it is exported: redacted and limited, unless it is to be `raw`. `None` where that fails:
    /// then nothing may be shown.
    pub fn told_record(&self, body: &[u8], raw: bool) -> Option<Vec<u8>> {
        let shown = if raw { Cow::Borrowed(body) } else { Cow::Owned(self.shown(body)?) };
        let view = SpanView::new(&shown).ok()?;
        let (scope_id, resource) = (view.head().scope, Default::default());
        let context = RecordContext { scope: self.scope_of(scope_id), scope_id, resource: &resource };
        let mut data = SpanData::from_view(&view, &context);
        if Dialect::GenAi.changes(&view) {
            semantics::map(&view, Dialect::GenAi).replace(&mut data);
        }
        Some(write_value(&with_schema(&data)))
    }
}

fn map<'a, const N: usize>(entries: [(&'static str, Value<'a>); N]) -> Value<'a> {
    Value::Map(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
}

fn pairs<'a>(pairs: &'a [(String, Value<'static>)]) -> Value<'a> {
    Value::Map(pairs.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), value.clone())).collect())
}

/// Times and counts fit into 63 bits.
fn number(value: u64) -> Value<'static> {
    Value::I64(i64::try_from(value).unwrap_or(i64::MAX))
}

fn status(code: StatusCode) -> &'static str {
    match code {
        StatusCode::Unset => "unset",
        StatusCode::Ok => "ok",
        StatusCode::Error => "error",
    }
}

/// A log record.
pub fn log(log: &LogData) -> Value<'_> {
    let trace_id = log.trace_id.is_valid().then(|| log.trace_id.to_hex());
    let span_id = log.span_id.is_valid().then(|| log.span_id.to_hex());
    map([
        ("body", log.body.clone().unwrap_or(Value::Null)),
        ("severity", number(log.severity.number().into())),
        ("severityText", log.severity_text.as_str().into()),
        ("time", number(log.time_unix_nanos)),
        ("traceId", trace_id.map_or(Value::Null, Value::from)),
        ("spanId", span_id.map_or(Value::Null, Value::from)),
        ("eventName", log.event_name.as_str().into()),
        ("attributes", pairs(&log.attributes)),
        ("metadata", pairs(&log.metadata)),
        ("logger", log.scope.name.as_str().into()),
        ("resource", pairs(&log.resource.attributes)),
    ])
}

/// A data point of a metric.
fn point<'a>(metric: &'a MetricData, point: &'a MetricPoint) -> Value<'a> {
    let kind = match metric.shape {
        MetricShape::Histogram => "histogram",
        MetricShape::Sum { monotonic: false } => "up_down_counter",
        MetricShape::Sum { .. } => "counter",
    };
    let (value, histogram) = match &point.value {
        PointValue::Integer(value) => (Value::I64(*value), None),
        PointValue::Number(value) => (Value::F64(*value), None),
        PointValue::Histogram(histogram) => (Value::F64(histogram.sum), Some(histogram)),
    };
    let optional = |value: Option<f64>| value.map_or(Value::Null, Value::F64);
    let bounds = histogram.iter().flat_map(|histogram| &histogram.bounds).map(|bound| Value::F64(*bound));
    let buckets = histogram.iter().flat_map(|histogram| &histogram.buckets).map(|count| number(*count));
    map([
        ("name", metric.name.as_str().into()),
        ("unit", metric.unit.as_str().into()),
        ("description", metric.description.as_str().into()),
        ("kind", kind.into()),
        ("temporality", metric.temporality.as_str().into()),
        ("attributes", pairs(&point.attributes)),
        ("value", value),
        ("count", histogram.map_or(Value::Null, |histogram| number(histogram.count))),
        ("min", optional(histogram.and_then(|histogram| histogram.min))),
        ("max", optional(histogram.and_then(|histogram| histogram.max))),
        ("bounds", Value::Array(bounds.collect())),
        ("buckets", Value::Array(buckets.collect())),
        ("startTime", number(point.start_unix_nanos)),
        ("time", number(point.time_unix_nanos)),
    ])
}

/// A span.
pub fn span(span: &SpanData) -> Value<'_> {
    let parent = span.parent_span_id.is_valid().then(|| span.parent_span_id.to_hex());
    map([
        ("traceId", span.context.trace_id.to_hex().into()),
        ("spanId", span.context.span_id.to_hex().into()),
        ("traceFlags", number(span.context.flags.bits().into())),
        ("traceState", span.context.state.header().into()),
        ("parentSpanId", parent.map_or(Value::Null, Value::from)),
        ("parentIsRemote", span.parent_remote.into()),
        ("name", span.name.as_str().into()),
        ("type", span.span_type.as_str().into()),
        ("kind", span.kind.as_str().into()),
        ("flags", number(span.flags.bits().into())),
        ("startTime", number(span.start_unix_nanos)),
        ("endTime", number(span.end_unix_nanos)),
        ("status", status(span.status).into()),
        ("statusMessage", span.status_message.as_str().into()),
        ("attributes", pairs(&span.attributes)),
        ("events", Value::Array(span.events.iter().map(event).collect())),
        ("links", Value::Array(span.links.iter().map(link).collect())),
        ("droppedAttributes", number(span.dropped_attributes.into())),
        ("droppedEvents", number(span.dropped_events.into())),
        ("droppedLinks", number(span.dropped_links.into())),
        ("input", span.input.clone().unwrap_or(Value::Null)),
        ("output", span.output.clone().unwrap_or(Value::Null)),
        ("hasInput", span.input.is_some().into()),
        ("hasOutput", span.output.is_some().into()),
        ("metadata", pairs(&span.metadata)),
        ("tags", Value::Array(span.tags.iter().map(|tag| tag.as_str().into()).collect())),
        ("scope", span.scope.name.as_str().into()),
        ("scopeVersion", span.scope.version.as_str().into()),
        ("resource", pairs(&span.resource.attributes)),
    ])
}

fn event(event: &EventData) -> Value<'_> {
    map([
        ("name", event.name.as_str().into()),
        ("time", number(event.time_unix_nanos)),
        ("attributes", pairs(&event.attributes)),
        ("droppedAttributes", number(event.dropped_attributes.into())),
    ])
}

fn link(link: &LinkData) -> Value<'_> {
    map([
        ("traceId", link.context.trace_id.to_hex().into()),
        ("spanId", link.context.span_id.to_hex().into()),
        ("traceFlags", number(link.context.flags.bits().into())),
        ("traceState", link.context.state.header().into()),
        ("isRemote", link.context.remote.into()),
        ("attributes", pairs(&link.attributes)),
    ])
}
