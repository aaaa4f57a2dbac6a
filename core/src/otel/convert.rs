//! Between the OpenTelemetry API's plain data and ours.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::baggage::Baggage as OtelBaggage;
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value as OtelValue, trace};

use crate::context::{SpanContext, TraceFlags, TraceState};
use crate::frame::record::Scope;
use crate::id::{SpanId, TraceId};
use crate::kinds::SpanKind;
use crate::propagation::Baggage;
use crate::value::Value;

/// Attributes as spans take them, borrowed.
pub(super) type Attributes<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

pub(super) fn span_context(context: &trace::SpanContext) -> SpanContext {
    SpanContext {
        trace_id: TraceId::from_bytes(context.trace_id().to_bytes()),
        span_id: SpanId::from_bytes(context.span_id().to_bytes()),
        flags: TraceFlags::from_raw(context.trace_flags().to_u8()),
        state: trace_state(context.trace_state()),
        remote: context.is_remote(),
    }
}

pub(super) fn otel_span_context(context: &SpanContext) -> trace::SpanContext {
    trace::SpanContext::new(
        trace::TraceId::from_bytes(context.trace_id.to_bytes()),
        trace::SpanId::from_bytes(context.span_id.to_bytes()),
        // With what only we read there; propagators of the API send no such bit.
        trace::TraceFlags::new(context.flags.raw()),
        context.remote,
        otel_trace_state(&context.state),
    )
}

/// The two sides differ in what they take for valid (empty values here, vendor keys there); a member that
/// the other side refuses is left out, and the others stay.
fn trace_state(state: &trace::TraceState) -> TraceState {
    if state.into_iter().len() == 0 {
        return TraceState::EMPTY;
    }
    TraceState::from_header(state.header().as_bytes()).unwrap_or_else(|_| {
        let members = state.into_iter().map(|(key, value)| format!("{key}={value}"));
        let valid: Vec<_> =
            members.filter(|member| TraceState::from_header(member.as_bytes()).is_ok()).collect();
        TraceState::from_header(valid.join(",").as_bytes()).unwrap_or_default()
    })
}

fn otel_trace_state(state: &TraceState) -> trace::TraceState {
    if state.is_empty() {
        return trace::TraceState::NONE;
    }
    trace::TraceState::from_key_value(state.iter()).unwrap_or_else(|_| {
        let valid = state.iter().filter(|member| trace::TraceState::from_key_value([*member]).is_ok());
        trace::TraceState::from_key_value(valid).unwrap_or_default()
    })
}

pub(super) const fn kind(kind: &trace::SpanKind) -> SpanKind {
    match kind {
        trace::SpanKind::Client => SpanKind::Client,
        trace::SpanKind::Server => SpanKind::Server,
        trace::SpanKind::Producer => SpanKind::Producer,
        trace::SpanKind::Consumer => SpanKind::Consumer,
        trace::SpanKind::Internal => SpanKind::Internal,
    }
}

#[cfg(feature = "opentelemetry-sdk")]
pub(super) const fn otel_kind(kind: SpanKind) -> trace::SpanKind {
    match kind {
        SpanKind::Client => trace::SpanKind::Client,
        SpanKind::Server => trace::SpanKind::Server,
        SpanKind::Producer => trace::SpanKind::Producer,
        SpanKind::Consumer => trace::SpanKind::Consumer,
        SpanKind::Internal => trace::SpanKind::Internal,
    }
}

/// Times before 1970 become 1970, as in OTLP.
pub(super) fn unix_nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn value(value: &OtelValue) -> Value<'_> {
    match value {
        OtelValue::Bool(value) => Value::Bool(*value),
        OtelValue::I64(value) => Value::I64(*value),
        OtelValue::F64(value) => Value::F64(*value),
        OtelValue::String(text) => Value::from(text.as_str()),
        OtelValue::Array(Array::Bool(items)) => array(items.iter().copied().map(Value::Bool)),
        OtelValue::Array(Array::I64(items)) => array(items.iter().copied().map(Value::I64)),
        OtelValue::Array(Array::F64(items)) => array(items.iter().copied().map(Value::F64)),
        OtelValue::Array(Array::String(items)) => array(items.iter().map(|item| Value::from(item.as_str()))),
        // A kind that the API has gained since.
        other => Value::from(other.to_string()),
    }
}

fn array<'a>(items: impl Iterator<Item = Value<'a>>) -> Value<'a> {
    Value::Array(items.collect())
}

pub(super) fn attributes(attributes: &[KeyValue]) -> Attributes<'_> {
    attributes.iter().map(|item| (Cow::Borrowed(item.key.as_str()), value(&item.value))).collect()
}

pub(super) fn scope(scope: &InstrumentationScope) -> Scope {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Scope {
        name: scope.name().to_owned(),
        version: text(scope.version()),
        schema_url: text(scope.schema_url()),
        attributes: scope
            .attributes()
            .map(|item| (item.key.as_str().to_owned(), value(&item.value).into_owned()))
            .collect(),
    }
}

/// In the order of their names, because the API keeps none.
pub(super) fn baggage(baggage: &OtelBaggage) -> Baggage {
    let mut entries: Vec<_> = baggage.iter().collect();
    entries.sort_unstable_by_key(|(key, _)| *key);
    let mut sorted = Baggage::new();
    for (key, (value, metadata)) in entries {
        sorted.insert_with_metadata(key.as_str(), value.as_str(), metadata.as_str());
    }
    sorted
}

/// What the API refuses (names that cannot travel, more than 64 entries or 8 KiB) is left out.
pub(super) fn otel_baggage(baggage: &Baggage) -> OtelBaggage {
    let mut converted = OtelBaggage::new();
    for entry in baggage.iter() {
        converted.insert_with_metadata(entry.key.clone(), entry.value.clone(), entry.metadata.as_str());
    }
    converted
}

/// Whether both hold the same.
pub(super) fn is_same_baggage(ours: &Baggage, theirs: &OtelBaggage) -> bool {
    ours.len() == theirs.len()
        && ours.iter().all(|entry| {
            theirs.get_with_metadata(&entry.key).is_some_and(|(value, metadata)| {
                entry.value == value.as_str() && entry.metadata == metadata.as_str()
            })
        })
}
