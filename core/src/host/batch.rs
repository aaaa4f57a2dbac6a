//! Records on their way to the host: copied out of the hand-off, so that they may be kept as long as the
//! host takes.

use std::sync::Arc;

use crate::frame::record::{RecordContext, Resource, Scope, SpanData};
use crate::frame::view::SpanView;
use crate::frame::{SPAN_HEAD, copy};
use crate::logs::LogData;

/// What a record tells the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum HostEvent {
    /// A span ended; its whole record.
    SpanEnded = 0,
    /// A span was started; its record so far.
    SpanStarted = 1,
    /// An open span changed; its record so far.
    SpanUpdated = 2,
    /// A span that was followed will never be told to have ended: its head, and why as the description of its
    /// status ([`DropReason::as_str`](crate::DropReason::as_str), or `filtered` and the like).
    SpanDropped = 3,
    /// The first span of a trace is about to be told to have started; its record so far.
    TraceStarted = 4,
    /// The local root of a trace has ended and none of its spans is open: that root's head and name, with the
    /// attributes [`TRACE_SPANS`] and [`TRACE_DROPPED`].
    TraceEnded = 5,
    /// A log record.
    Log = 6,
}

impl HostEvent {
    /// The event of that name, as in the names of methods: `on_span_started`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "span_started" => Self::SpanStarted,
            "span_updated" => Self::SpanUpdated,
            "span_ended" => Self::SpanEnded,
            "span_dropped" => Self::SpanDropped,
            "trace_started" => Self::TraceStarted,
            "trace_ended" => Self::TraceEnded,
            "log" => Self::Log,
            _ => return None,
        })
    }
}

/// How many spans of a trace ended while it was followed, in a record of [`HostEvent::TraceEnded`].
pub const TRACE_SPANS: &str = "spans";
/// How many of those that were told to have started were dropped.
pub const TRACE_DROPPED: &str = "dropped";

/// Which events an exporter wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostEvents(u8);

impl HostEvents {
    /// None.
    pub const NONE: Self = Self(0);

    /// With one more.
    #[must_use]
    pub const fn with(self, event: HostEvent) -> Self {
        Self(self.0 | 1 << event as u8)
    }

    /// Whether that one is among them.
    pub const fn contains(self, event: HostEvent) -> bool {
        self.0 & 1 << event as u8 != 0
    }

    /// Whether any is about a span that is still open.
    pub const fn follows(self) -> bool {
        self.0 & !(1 << HostEvent::SpanEnded as u8 | 1 << HostEvent::Log as u8) != 0
    }

    /// Those of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<HostEvent> for HostEvents {
    fn from_iter<I: IntoIterator<Item = HostEvent>>(events: I) -> Self {
        events.into_iter().fold(Self::NONE, Self::with)
    }
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    event: HostEvent,
    start: usize,
    end: usize,
    scope: usize,
}

/// Records in the order they came, as one run of bytes.
#[derive(Debug, Clone, Default)]
pub struct HostBatch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    scopes: Vec<(u32, Arc<Scope>)>,
    resource: Arc<Resource>,
    spans: u32,
}

/// One record of a batch.
#[derive(Debug, Clone, Copy)]
pub struct HostRecord<'a> {
    /// What it tells.
    pub event: HostEvent,
    /// The body of its span event, which stands alone.
    pub body: &'a [u8],
    /// What recorded the span.
    pub scope: &'a Arc<Scope>,
    /// The engine's number of that scope.
    pub scope_id: u32,
    /// What produced it.
    pub resource: &'a Arc<Resource>,
}

impl HostRecord<'_> {
    /// A log record as an object of its own. `None` for bytes that are no record, which the engine never makes.
    pub fn to_log(&self) -> Option<LogData> {
        let Self { scope, scope_id, resource, .. } = *self;
        let context = RecordContext { scope, scope_id, resource };
        Some(LogData::from_view(&SpanView::new(self.body).ok()?, &context))
    }

    /// The record as an object of its own. `None` for bytes that are no record, which the engine never makes.
    pub fn to_data(&self) -> Option<SpanData> {
        let Self { scope, scope_id, resource, .. } = *self;
        let context = RecordContext { scope, scope_id, resource };
        Some(SpanData::from_view(&SpanView::new(self.body).ok()?, &context))
    }
}

impl HostBatch {
    /// Appends a copy of a record.
    pub(crate) fn push(&mut self, event: HostEvent, span: &SpanView<'_>, context: &RecordContext<'_>) {
        let start = self.bytes.len();
        copy::span(&mut self.bytes, span);
        if self.entries.is_empty() {
            self.resource = Arc::clone(context.resource);
        }
        let known = self.scopes.iter().position(|(id, _)| *id == context.scope_id);
        let scope = known.unwrap_or_else(|| {
            self.scopes.push((context.scope_id, Arc::clone(context.scope)));
            self.scopes.len() - 1
        });
        self.entries.push(Entry { event, start, end: self.bytes.len(), scope });
        self.spans += u32::from(matches!(event, HostEvent::SpanEnded | HostEvent::Log));
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many of them are finished spans or log records: what the outcome of an export is about.
    pub fn spans(&self) -> u32 {
        self.spans
    }

    /// Memory that a batch of these records takes.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    /// Memory that a record takes, more or less, before it is copied.
    pub(crate) fn cost(span: &SpanView<'_>) -> usize {
        span.fields_len() + SPAN_HEAD + size_of::<Entry>()
    }

    /// The records in their order.
    pub fn records(&self) -> impl Iterator<Item = HostRecord<'_>> {
        self.entries.iter().filter_map(|entry| {
            let (scope_id, scope) = self.scopes.get(entry.scope)?;
            Some(HostRecord {
                event: entry.event,
                body: self.bytes.get(entry.start..entry.end)?,
                scope,
                scope_id: *scope_id,
                resource: &self.resource,
            })
        })
    }
}
