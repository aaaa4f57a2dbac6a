//! What exporters are told besides spans: traces, spans that are dropped, log records.

use polyspan::StatusCode;
use polyspan::frame::record::SpanData;
use polyspan::host::{HostEvent, HostRecord, TRACE_DROPPED, TRACE_SPANS};
use pyo3::prelude::*;

use super::finished::FinishedSpan;
use crate::logs::LogRecord;

/// What this process has of a trace, as its exporters are told of its start and end.
#[pyclass(frozen, module = "polyspan", name = "TraceInfo")]
pub struct TraceInfo {
    data: SpanData,
    is_over: bool,
}

#[pymethods]
impl TraceInfo {
    /// The trace id as 32 lower-case hex digits.
    #[getter]
    fn id(&self) -> String {
        self.data.context.trace_id.to_hex()
    }

    /// The span id of its root in this process; at the start that of the first span there is.
    #[getter]
    fn root_id(&self) -> String {
        self.data.context.span_id.to_hex()
    }

    /// The name of that span.
    #[getter]
    fn name(&self) -> &str {
        &self.data.name
    }

    /// Its type, such as `"agent"`.
    #[getter]
    fn r#type(&self) -> &'static str {
        self.data.span_type.as_str()
    }

    /// When it started, in nanoseconds since the Unix epoch.
    #[getter]
    fn start_time(&self) -> u64 {
        self.data.start_unix_nanos
    }

    /// When it ended; `None` at the start of the trace.
    #[getter]
    fn end_time(&self) -> Option<u64> {
        Some(self.data.end_unix_nanos).filter(|nanos| *nanos > 0)
    }

    /// Its status: `"unset"`, `"ok"` or `"error"`.
    #[getter]
    fn status(&self) -> &'static str {
        match self.data.status {
            StatusCode::Unset => "unset",
            StatusCode::Ok => "ok",
            StatusCode::Error => "error",
        }
    }

    /// How many of its spans have ended, once it is over.
    #[getter]
    fn span_count(&self) -> i64 {
        self.count(TRACE_SPANS)
    }

    /// How many that were told to have started were dropped.
    #[getter]
    fn dropped_count(&self) -> i64 {
        self.count(TRACE_DROPPED)
    }

    fn __repr__(&self) -> String {
        let state = if self.is_over { "over" } else { "started" };
        format!("<TraceInfo {:?} id={} {state}>", self.data.name, self.data.context.trace_id)
    }
}

impl TraceInfo {
    fn count(&self, key: &str) -> i64 {
        let counts = self.data.attributes.iter().filter(|_| self.is_over);
        counts.filter(|(known, _)| known == key).find_map(|(_, count)| count.as_i64()).unwrap_or(0)
    }
}

/// A span that was told to have started and will never be told to have ended.
#[pyclass(frozen, module = "polyspan", name = "DroppedSpan")]
pub struct DroppedSpan(SpanData);

#[pymethods]
impl DroppedSpan {
    /// The span id as 16 lower-case hex digits.
    #[getter]
    fn id(&self) -> String {
        self.0.context.span_id.to_hex()
    }

    /// The trace id as 32 lower-case hex digits.
    #[getter]
    fn trace_id(&self) -> String {
        self.0.context.trace_id.to_hex()
    }

    /// The parent's span id; `None` for a root.
    #[getter]
    fn parent_id(&self) -> Option<String> {
        self.0.parent_span_id.is_valid().then(|| self.0.parent_span_id.to_hex())
    }

    /// The span type, such as `"tool"`.
    #[getter]
    fn r#type(&self) -> &'static str {
        self.0.span_type.as_str()
    }

    /// When it started, in nanoseconds since the Unix epoch.
    #[getter]
    fn start_time(&self) -> u64 {
        self.0.start_unix_nanos
    }

    /// Why: `"filtered"`, or a reason of `Stats.dropped` such as `"queue_full"` or `"shutdown"`.
    #[getter]
    fn reason(&self) -> &str {
        &self.0.status_message
    }

    fn __repr__(&self) -> String {
        let context = &self.0.context;
        format!(
            "<DroppedSpan reason={} trace_id={} id={}>",
            self.0.status_message, context.trace_id, context.span_id
        )
    }
}

/// What a record tells, and the object that says more. `None` for bytes that are no record.
pub fn told<'py>(
    py: Python<'py>,
    record: &HostRecord<'_>,
) -> PyResult<Option<(&'static str, Bound<'py, PyAny>)>> {
    let kind = match record.event {
        HostEvent::SpanStarted => "span_started",
        HostEvent::SpanUpdated => "span_updated",
        HostEvent::SpanDropped => "span_dropped",
        HostEvent::TraceStarted => "trace_started",
        HostEvent::TraceEnded => "trace_ended",
        HostEvent::Log => "log",
        _ => "span_ended",
    };
    let object = match record.event {
        HostEvent::SpanDropped => {
            record.to_data().map(|data| Bound::new(py, DroppedSpan(data)).map(Bound::into_any))
        }
        HostEvent::TraceStarted | HostEvent::TraceEnded => {
            let is_over = record.event == HostEvent::TraceEnded;
            record.to_data().map(|data| Bound::new(py, TraceInfo { data, is_over }).map(Bound::into_any))
        }
        HostEvent::Log => record.to_log().map(|log| Bound::new(py, LogRecord(log)).map(Bound::into_any)),
        _ => FinishedSpan::of(record).map(|span| Bound::new(py, span).map(Bound::into_any)),
    };
    object.map(|object| Ok((kind, object?))).transpose()
}
