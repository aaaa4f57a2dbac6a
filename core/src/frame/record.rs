//! The owned record of a finished span, for who needs an object: the memory, console and file exporters,
//! host stages, adapters of other SDKs' exporters, tests.

use std::collections::HashMap;
use std::sync::Arc;

use super::view::{Attributes, Field, SpanView, ValueView, add_tag, text};
use crate::context::{SpanContext, TraceFlags, TraceState};
use crate::id::SpanId;
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};
use crate::value::OwnedValue;

/// The entity that produces telemetry (OpenTelemetry, "Resource").
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    /// Its attributes, each key once.
    pub attributes: Vec<(String, OwnedValue)>,
    /// The schema of the attributes; empty for none.
    pub schema_url: String,
}

/// What recorded the span (OpenTelemetry, "Instrumentation Scope").
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// Its name, usually a package.
    pub name: String,
    /// Its version; empty for none.
    pub version: String,
    /// The schema of what it records; empty for none.
    pub schema_url: String,
    /// Its attributes.
    pub attributes: Vec<(String, OwnedValue)>,
}

/// What a record does not carry itself.
#[derive(Debug, Clone, Copy)]
pub struct RecordContext<'a> {
    /// The scope the span was recorded in.
    pub scope: &'a Arc<Scope>,
    /// The engine's number of that scope.
    pub scope_id: u32,
    /// The resource of the engine.
    pub resource: &'a Arc<Resource>,
}

/// An event of a finished span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventData {
    /// Its name.
    pub name: String,
    /// When it happened, in nanoseconds since the Unix epoch.
    pub time_unix_nanos: u64,
    /// Its attributes.
    pub attributes: Vec<(String, OwnedValue)>,
    /// Attributes that were left out.
    pub dropped_attributes: u32,
}

/// A link of a finished span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LinkData {
    /// The span linked to.
    pub context: SpanContext,
    /// Its attributes.
    pub attributes: Vec<(String, OwnedValue)>,
    /// Attributes that were left out.
    pub dropped_attributes: u32,
}

/// A finished span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpanData {
    /// Ids, flags and tracestate.
    pub context: SpanContext,
    /// The parent; [`SpanId::INVALID`] for a root.
    pub parent_span_id: SpanId,
    /// Whether the parent lives in another process.
    pub parent_remote: bool,
    /// The name.
    pub name: String,
    /// The span kind.
    pub kind: SpanKind,
    /// The span type.
    pub span_type: SpanType,
    /// Flag bits.
    pub flags: SpanFlags,
    /// Start in nanoseconds since the Unix epoch.
    pub start_unix_nanos: u64,
    /// End in nanoseconds since the Unix epoch.
    pub end_unix_nanos: u64,
    /// The status code.
    pub status: StatusCode,
    /// The description of an error status.
    pub status_message: String,
    /// Attributes, each key once.
    pub attributes: Vec<(String, OwnedValue)>,
    /// Events in the order they were added.
    pub events: Vec<EventData>,
    /// Links in the order they were added.
    pub links: Vec<LinkData>,
    /// Attributes that were left out.
    pub dropped_attributes: u32,
    /// Events that were left out.
    pub dropped_events: u32,
    /// Links that were left out.
    pub dropped_links: u32,
    /// What went into the operation.
    pub input: Option<OwnedValue>,
    /// What came out of it.
    pub output: Option<OwnedValue>,
    /// Metadata, each key once.
    pub metadata: Vec<(String, OwnedValue)>,
    /// Tags of the trace (on its root).
    pub tags: Vec<String>,
    /// What recorded the span.
    pub scope: Arc<Scope>,
    /// What produced it.
    pub resource: Arc<Resource>,
}

impl SpanData {
    /// Copies a record out of the bytes.
    pub fn from_view(span: &SpanView<'_>, context: &RecordContext<'_>) -> Self {
        let head = span.head();
        let mut data = Self {
            context: SpanContext {
                trace_id: head.trace_id,
                span_id: head.span_id,
                flags: head.trace_flags,
                state: TraceState::EMPTY,
                remote: false,
            },
            parent_span_id: head.parent_span_id,
            parent_remote: head.flags.contains(SpanFlags::PARENT_REMOTE),
            kind: head.kind,
            span_type: head.span_type,
            flags: head.flags,
            start_unix_nanos: head.start_unix_nanos,
            end_unix_nanos: head.end_unix_nanos,
            status: head.status,
            scope: Arc::clone(context.scope),
            resource: Arc::clone(context.resource),
            ..Self::default()
        };
        let (mut attributes, mut metadata) = (LastValues::default(), LastValues::default());
        for field in span.fields() {
            match field {
                Field::Attribute(name, value) => attributes.put(name, value),
                Field::Metadata(name, value) => metadata.put(name, value),
                other => data.take(other),
            }
        }
        data.attributes = attributes.list;
        data.metadata = metadata.list;
        data
    }

    fn take(&mut self, field: Field<'_>) {
        match field {
            Field::Name(name) => self.name = text(name).into_owned(),
            Field::StatusMessage(message) => self.status_message = text(message).into_owned(),
            Field::TraceState(header) => self.context.state = TraceState::from_valid(&text(header)),
            Field::Input(value) => self.input = Some(value.to_value()),
            Field::Output(value) => self.output = Some(value.to_value()),
            Field::Tag(tag) => add_tag(&mut self.tags, text(tag).into_owned()),
            Field::Event(event) => self.events.extend(event.event().ok().map(|event| EventData {
                name: text(event.name).into_owned(),
                time_unix_nanos: event.time_unix_nanos,
                attributes: owned(event.attributes),
                dropped_attributes: event.dropped_attributes,
            })),
            Field::Link(link) => self.links.extend(link.link().ok().map(|link| LinkData {
                context: SpanContext {
                    trace_id: link.trace_id,
                    span_id: link.span_id,
                    flags: TraceFlags::from_bits(link.trace_flags.bits()),
                    state: TraceState::from_valid(&text(link.trace_state)),
                    remote: link.remote,
                },
                attributes: owned(link.attributes),
                dropped_attributes: link.dropped_attributes,
            })),
            Field::Dropped { attributes, events, links } => {
                self.dropped_attributes = self.dropped_attributes.saturating_add(attributes);
                self.dropped_events = self.dropped_events.saturating_add(events);
                self.dropped_links = self.dropped_links.saturating_add(links);
            }
            Field::Attribute(..) | Field::Metadata(..) | Field::Skipped => {}
        }
    }
}

/// Each key once with its last value, in the order the keys first came.
#[derive(Default)]
struct LastValues<'a> {
    list: Vec<(String, OwnedValue)>,
    places: HashMap<&'a [u8], usize>,
}

impl<'a> LastValues<'a> {
    fn put(&mut self, name: &'a [u8], value: ValueView<'a>) {
        let place = *self.places.entry(name).or_insert(self.list.len());
        match self.list.get_mut(place) {
            Some((_, slot)) => *slot = value.to_value(),
            None => self.list.push((text(name).into_owned(), value.to_value())),
        }
    }
}

fn owned(attributes: Attributes<'_>) -> Vec<(String, OwnedValue)> {
    let mut last = LastValues::default();
    for (name, value) in attributes.iter() {
        last.put(name, value);
    }
    last.list
}
