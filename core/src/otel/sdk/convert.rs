//! Finished spans as `opentelemetry_sdk` has them. What it has no place for travels as attributes, under the
//! names OTLP gives them too.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanId, Status};
use opentelemetry::{Array, InstrumentationScope, KeyValue, Value as OtelValue};
use opentelemetry_sdk::trace::{SpanData as SdkSpanData, SpanEvents, SpanLinks};

use crate::frame::record::{EventData, LinkData, Resource, Scope, SpanData};
use crate::kinds::{SpanType, StatusCode};
use crate::otel::convert::{otel_kind, otel_span_context};
use crate::semantics::{INPUT, METADATA_PREFIX, OUTPUT, SPAN_TYPE, TAGS, json};
use crate::value::{OwnedValue, Value};

pub(super) fn resource(resource: &Resource) -> opentelemetry_sdk::Resource {
    let attributes = attributes(resource.attributes.iter().cloned());
    let builder = opentelemetry_sdk::Resource::builder_empty();
    match &resource.schema_url[..] {
        "" => builder.with_attributes(attributes).build(),
        url => builder.with_schema_url(attributes, url.to_owned()).build(),
    }
}

pub(super) fn spans(spans: Vec<SpanData>) -> Vec<SdkSpanData> {
    let mut scopes: Vec<(Arc<Scope>, InstrumentationScope)> = Vec::new();
    spans
        .into_iter()
        .map(|span| {
            let known = scopes.iter().find(|(known, _)| Arc::ptr_eq(known, &span.scope));
            let scope = match known {
                Some((_, scope)) => scope.clone(),
                None => {
                    let scope = scope_of(&span.scope);
                    scopes.push((Arc::clone(&span.scope), scope.clone()));
                    scope
                }
            };
            sdk_span(span, scope)
        })
        .collect()
}

fn sdk_span(mut span: SpanData, instrumentation_scope: InstrumentationScope) -> SdkSpanData {
    let mut attributes = attributes(span.attributes.drain(..));
    attributes.extend(beyond(&mut span));
    let mut events = SpanEvents::default();
    events.events = span.events.into_iter().map(event).collect();
    events.dropped_count = span.dropped_events;
    let mut links = SpanLinks::default();
    links.links = span.links.into_iter().map(link).collect();
    links.dropped_count = span.dropped_links;
    SdkSpanData {
        span_context: otel_span_context(&span.context),
        parent_span_id: SpanId::from_bytes(span.parent_span_id.to_bytes()),
        parent_span_is_remote: span.parent_remote,
        span_kind: otel_kind(span.kind),
        name: span.name.into(),
        start_time: time(span.start_unix_nanos),
        end_time: time(span.end_unix_nanos),
        attributes,
        dropped_attributes_count: span.dropped_attributes,
        events,
        links,
        status: match span.status {
            StatusCode::Unset => Status::Unset,
            StatusCode::Ok => Status::Ok,
            StatusCode::Error => Status::error(span.status_message),
        },
        instrumentation_scope,
    }
}

/// What OpenTelemetry's spans have no field for.
fn beyond(span: &mut SpanData) -> impl Iterator<Item = KeyValue> {
    let metadata = core::mem::take(&mut span.metadata);
    let span_type = (span.span_type != SpanType::Generic).then_some(span.span_type);
    let tags = core::mem::take(&mut span.tags);
    let tags = (!tags.is_empty()).then(|| Array::String(tags.into_iter().map(Into::into).collect()));
    let metadata = metadata.into_iter();
    let metadata =
        metadata.map(|(key, value)| KeyValue::new(format!("{METADATA_PREFIX}{key}"), plain(value)));
    metadata
        .chain(span_type.map(|span_type| KeyValue::new(SPAN_TYPE, span_type.as_str())))
        .chain(span.input.take().map(|value| KeyValue::new(INPUT, plain(value))))
        .chain(span.output.take().map(|value| KeyValue::new(OUTPUT, plain(value))))
        .chain(tags.map(|tags| KeyValue::new(TAGS, OtelValue::Array(tags))))
}

fn event(event: EventData) -> Event {
    Event::new(
        event.name,
        time(event.time_unix_nanos),
        attributes(event.attributes),
        event.dropped_attributes,
    )
}

fn link(link: LinkData) -> Link {
    Link::new(otel_span_context(&link.context), attributes(link.attributes), link.dropped_attributes)
}

fn scope_of(scope: &Scope) -> InstrumentationScope {
    let mut builder = InstrumentationScope::builder(scope.name.clone());
    if !scope.version.is_empty() {
        builder = builder.with_version(scope.version.clone());
    }
    if !scope.schema_url.is_empty() {
        builder = builder.with_schema_url(scope.schema_url.clone());
    }
    builder.with_attributes(attributes(scope.attributes.iter().cloned())).build()
}

fn attributes(attributes: impl IntoIterator<Item = (String, OwnedValue)>) -> Vec<KeyValue> {
    attributes.into_iter().map(|(key, value)| KeyValue::new(key, otel_value(value))).collect()
}

fn time(unix_nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(unix_nanos)
}

/// The values this crate of OpenTelemetry knows; the others as OpenTelemetry writes them for those that know
/// text only ("AnyValue", representation for non-OTLP protocols).
fn otel_value(value: OwnedValue) -> OtelValue {
    match value {
        Value::Null => "".into(),
        Value::Bool(value) => value.into(),
        Value::I64(value) => value.into(),
        Value::F64(value) => value.into(),
        Value::Str(text) => text.into_owned().into(),
        Value::Bytes(_) => json::to_json(&value).trim_matches('"').to_owned().into(),
        Value::Array(ref items) => match array(items) {
            Some(array) => OtelValue::Array(array),
            None => json::to_json(&value).into(),
        },
        Value::Map(_) => json::to_json(&value).into(),
    }
}

/// Structures as JSON text, as in OTLP.
fn plain(value: OwnedValue) -> OtelValue {
    match value {
        Value::Array(_) | Value::Map(_) => json::to_json(&value).into(),
        scalar => otel_value(scalar),
    }
}

/// An array of one kind of scalars; `None` for any other.
fn array(items: &[OwnedValue]) -> Option<Array> {
    fn each<T>(items: &[OwnedValue], one: impl Fn(&OwnedValue) -> Option<T>) -> Option<Vec<T>> {
        items.iter().map(one).collect()
    }
    match items.first() {
        None => Some(Array::String(Vec::new())),
        Some(Value::Str(_)) => {
            each(items, |item| item.as_str().map(|text| text.to_owned().into())).map(Array::String)
        }
        Some(Value::I64(_)) => each(items, Value::as_i64).map(Array::I64),
        Some(Value::Bool(_)) => each(items, |item| match item {
            Value::Bool(value) => Some(*value),
            _ => None,
        })
        .map(Array::Bool),
        Some(Value::F64(_)) => each(items, |item| match item {
            Value::F64(value) => Some(*value),
            _ => None,
        })
        .map(Array::F64),
        Some(_) => None,
    }
}
