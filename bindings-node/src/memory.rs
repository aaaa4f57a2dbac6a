//! The memory exporter, for tests: what arrived, as values that TypeScript decodes.

use std::borrow::Cow;

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use polyspan::StatusCode;
use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::logs::LogData;
use polyspan::metrics::data::{MetricData, MetricPoint, MetricShape, PointValue};
use polyspan::value::Value;

use crate::wire;

/// Keeps finished spans in memory.
#[napi]
pub struct NativeMemory(MemoryStore);

#[napi]
impl NativeMemory {
    /// One for at most so many spans.
    #[napi(constructor)]
    pub fn new(capacity: u32) -> Self {
        Self(MemoryStore::with_capacity(capacity as usize))
    }

    /// The spans so far, in the order they ended, as a list of maps; with `take` they are removed.
    #[napi]
    pub fn spans(&self, take: bool) -> Buffer {
        let spans = if take { self.0.take() } else { self.0.spans() };
        wire::bytes(&Value::Array(spans.iter().map(told).collect())).into()
    }

    /// The log records so far, in the order they were recorded; with `take` they are removed.
    #[napi]
    pub fn logs(&self, take: bool) -> Buffer {
        let logs = if take { self.0.take_logs() } else { self.0.logs() };
        wire::bytes(&Value::Array(logs.iter().map(told_log).collect())).into()
    }

    /// The data points of metrics so far, in the order they were collected; with `take` they are removed.
    #[napi]
    pub fn metrics(&self, take: bool) -> Buffer {
        let collected = if take { self.0.take_metrics() } else { self.0.metrics() };
        let points = collected.iter().flat_map(|collected| {
            collected
                .metrics
                .iter()
                .flat_map(|metric| metric.points.iter().map(|point| told_point(metric, point)))
        });
        wire::bytes(&Value::Array(points.collect())).into()
    }
}

impl NativeMemory {
    pub(crate) fn options(&self) -> ExporterOptions {
        ExporterOptions::Memory(self.0.clone())
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

/// A log record as TypeScript has it.
pub fn told_log(log: &LogData) -> Value<'_> {
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
fn told_point<'a>(metric: &'a MetricData, point: &'a MetricPoint) -> Value<'a> {
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

/// A span as TypeScript has it.
pub fn told(span: &SpanData) -> Value<'_> {
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

fn event(event: &polyspan::frame::record::EventData) -> Value<'_> {
    map([
        ("name", event.name.as_str().into()),
        ("time", number(event.time_unix_nanos)),
        ("attributes", pairs(&event.attributes)),
        ("droppedAttributes", number(event.dropped_attributes.into())),
    ])
}

fn link(link: &polyspan::frame::record::LinkData) -> Value<'_> {
    map([
        ("traceId", link.context.trace_id.to_hex().into()),
        ("spanId", link.context.span_id.to_hex().into()),
        ("traceFlags", number(link.context.flags.bits().into())),
        ("traceState", link.context.state.header().into()),
        ("isRemote", link.context.remote.into()),
        ("attributes", pairs(&link.attributes)),
    ])
}
