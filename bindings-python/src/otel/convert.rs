//! Ids, flags, kinds and span contexts between the OpenTelemetry API's objects and ours.

use polyspan::{SpanContext, SpanId, SpanKind, StatusCode, TraceFlags, TraceId, TraceState};
use pyo3::intern;
use pyo3::prelude::*;

use super::api::{Api, api};
use super::span::OtelSpan;
use crate::convert::hold;
use crate::face::Owner;
use crate::span::{PySpanContext, Span};

/// The OpenTelemetry `SpanContext` of one of ours.
pub fn to_otel<'py>(py: Python<'py>, api: &Api, context: &SpanContext) -> PyResult<Bound<'py, PyAny>> {
    let trace_id = u128::from_be_bytes(context.trace_id.to_bytes());
    let span_id = u64::from_be_bytes(context.span_id.to_bytes());
    let flags = api.trace_flags.bind(py).call1((context.flags.bits(),))?;
    let state = if context.state.is_empty() {
        api.empty_trace_state.bind(py).clone()
    } else {
        let pairs: Vec<(&str, &str)> = context.state.iter().collect();
        api.trace_state.bind(py).call1((pairs,))?
    };
    api.span_context.bind(py).call1((trace_id, span_id, context.remote, flags, state))
}

/// The same for Python code.
#[pyfunction]
#[pyo3(name = "_otel_span_context")]
pub fn otel_span_context<'py>(
    py: Python<'py>,
    context: &Bound<'py, PySpanContext>,
) -> PyResult<Bound<'py, PyAny>> {
    match api(py) {
        Some(api) => to_otel(py, api, &context.get().0),
        None => Ok(context.clone().into_any()),
    }
}

/// Our span context of an OpenTelemetry span or `SpanContext`, whoever made it; `None` for anything else.
pub fn span_context_of(object: &Bound<'_, PyAny>) -> Option<SpanContext> {
    read_span_context(object).map_err(|error| hold(object.py(), &error)).ok()
}

fn read_span_context(object: &Bound<'_, PyAny>) -> PyResult<SpanContext> {
    let py = object.py();
    let context = match object.getattr(intern!(py, "get_span_context")) {
        Ok(get) => get.call0()?,
        Err(_) => object.clone(),
    };
    let trace_id: u128 = context.getattr(intern!(py, "trace_id"))?.extract()?;
    let span_id: u64 = context.getattr(intern!(py, "span_id"))?.extract()?;
    let flags: u8 = context.getattr(intern!(py, "trace_flags"))?.extract()?;
    Ok(SpanContext {
        trace_id: TraceId::from_bytes(trace_id.to_be_bytes()),
        span_id: SpanId::from_bytes(span_id.to_be_bytes()),
        flags: TraceFlags::from_bits(flags),
        state: read_trace_state(&context.getattr(intern!(py, "trace_state"))?)?,
        remote: context.getattr(intern!(py, "is_remote"))?.is_truthy()?,
    })
}

/// An OpenTelemetry `TraceState`; `None` and what is malformed are empty.
pub fn read_trace_state(state: &Bound<'_, PyAny>) -> PyResult<TraceState> {
    if state.is_none() || !state.is_truthy()? {
        return Ok(TraceState::EMPTY);
    }
    let header: String = state.call_method0(intern!(state.py(), "to_header"))?.extract()?;
    Ok(TraceState::from_header(header.as_bytes()).unwrap_or_default())
}

/// A member of `SpanKind`; `None` for anything else.
#[inline]
pub fn kind_of(object: &Bound<'_, PyAny>) -> Option<SpanKind> {
    let api = api(object.py())?;
    let place = api.kinds.iter().position(|kind| kind.is(object))?;
    [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer]
        .get(place)
        .copied()
}

/// The member of `SpanKind`, to be handed to code of the application.
pub fn kind_object<'py>(py: Python<'py>, api: &Api, kind: SpanKind) -> Bound<'py, PyAny> {
    api.kinds.get(kind as usize - 1).map_or_else(|| py.None().into_bound(py), |kind| kind.bind(py).clone())
}

/// A member of `StatusCode`; `None` for anything else.
pub fn status_of(object: &Bound<'_, PyAny>) -> Option<StatusCode> {
    let api = api(object.py())?;
    let place = api.statuses.iter().position(|status| status.is(object))?;
    [StatusCode::Unset, StatusCode::Ok, StatusCode::Error].get(place).copied()
}

/// The OpenTelemetry span that stands for an open span of our own API: one of ours if an engine started it, the
/// API's `NonRecordingSpan` if it only stands for a context.
pub fn face_of<'py>(py: Python<'py>, span: Bound<'py, Span>) -> PyResult<Bound<'py, PyAny>> {
    let Some(api) = api(py) else { return Ok(py.None().into_bound(py)) };
    let open = span.get().open();
    if open.is_recording() {
        return OtelSpan::face(py, api, Owner::Own(span.unbind()), None, true, true).map(Bound::into_any);
    }
    api.non_recording.bind(py).call1((to_otel(py, api, open.context())?,))
}
