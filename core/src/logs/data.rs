//! The owned form of a log record, for who needs an object: the memory and console exporters, and tests.

use std::sync::Arc;

use super::Severity;
use crate::context::TraceFlags;
use crate::frame::record::{RecordContext, Resource, Scope, SpanData};
use crate::frame::view::SpanView;
use crate::id::{SpanId, TraceId};
use crate::value::OwnedValue;

/// A log record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogData {
    /// When it happened, in nanoseconds since the Unix epoch; 0 where that is not known.
    pub time_unix_nanos: u64,
    /// When it was recorded.
    pub observed_unix_nanos: u64,
    /// How serious it is.
    pub severity: Severity,
    /// What its source calls that.
    pub severity_text: String,
    /// The class of the event, for records that are events; otherwise empty.
    pub event_name: String,
    /// What it says.
    pub body: Option<OwnedValue>,
    /// The trace it belongs to; invalid for none.
    pub trace_id: TraceId,
    /// The span it belongs to; invalid for none.
    pub span_id: SpanId,
    /// That span's trace flags.
    pub trace_flags: TraceFlags,
    /// Attributes, each key once.
    pub attributes: Vec<(String, OwnedValue)>,
    /// Metadata it inherited, each key once.
    pub metadata: Vec<(String, OwnedValue)>,
    /// Attributes that were left out.
    pub dropped_attributes: u32,
    /// What recorded it.
    pub scope: Arc<Scope>,
    /// What produced it.
    pub resource: Arc<Resource>,
}

impl LogData {
    /// Copies a record out of the bytes, which are laid out as a span's.
    pub fn from_view(record: &SpanView<'_>, context: &RecordContext<'_>) -> Self {
        let data = SpanData::from_view(record, context);
        Self {
            time_unix_nanos: data.start_unix_nanos,
            observed_unix_nanos: data.end_unix_nanos,
            severity: Severity::from_number(record.head().severity),
            severity_text: data.status_message,
            event_name: data.name,
            body: data.input,
            trace_id: data.context.trace_id,
            span_id: data.context.span_id,
            trace_flags: data.context.flags,
            attributes: data.attributes,
            metadata: data.metadata,
            dropped_attributes: data.dropped_attributes,
            scope: data.scope,
            resource: data.resource,
        }
    }
}
