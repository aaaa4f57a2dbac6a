//! Records as Python reads them: what the memory exporter hands out, and what an open span holds so far.

use polyspan::frame::record::{RecordContext, Resource, Scope, SpanData};
use polyspan::frame::view::SpanView;
use polyspan::value::OwnedValue;
use polyspan::{SpanFlags, StatusCode};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use std::sync::Arc;

use crate::convert::to_python;
use crate::open::Open;
use crate::span::PySpanContext;

/// A span as it was recorded, read only.
#[pyclass(frozen, module = "polyspan")]
pub struct SpanRecord(pub SpanData);

impl SpanRecord {
    /// The record so far of an open span.
    pub fn of_open(open: &Open) -> Option<Self> {
        Self::of_body(&open.record()?)
    }

    /// The same, redacted and limited as the engine exports it.
    pub fn shown(open: &Open, engine: &polyspan::Engine) -> Option<Self> {
        Self::of_body(&engine.shown(&open.record()?)?)
    }

    fn of_body(body: &[u8]) -> Option<Self> {
        let view = SpanView::new(body).ok()?;
        let context = RecordContext {
            scope: &Arc::new(Scope::default()),
            scope_id: 0,
            resource: &Arc::new(Resource::default()),
        };
        Some(Self(SpanData::from_view(&view, &context)))
    }

    /// What remains readable of a span that has been handed to the engine.
    pub fn empty(open: &Open) -> Self {
        Self(SpanData { context: open.context().clone(), kind: open.kind(), ..SpanData::default() })
    }
}

fn dict_of<'py>(py: Python<'py>, pairs: &[(String, OwnedValue)]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in pairs {
        dict.set_item(key, to_python(py, value)?)?;
    }
    Ok(dict)
}

#[pymethods]
impl SpanRecord {
    /// Its identity.
    #[getter]
    fn context(&self) -> PySpanContext {
        PySpanContext(self.0.context.clone())
    }

    /// The trace id as 32 lower-case hex digits.
    #[getter]
    fn trace_id(&self) -> String {
        self.0.context.trace_id.to_hex()
    }

    /// The span id as 16 lower-case hex digits.
    #[getter]
    fn span_id(&self) -> String {
        self.0.context.span_id.to_hex()
    }

    /// The parent's span id; `None` for a root.
    #[getter]
    fn parent_span_id(&self) -> Option<String> {
        self.0.parent_span_id.is_valid().then(|| self.0.parent_span_id.to_hex())
    }

    /// Whether the parent lives in another process.
    #[getter]
    fn parent_is_remote(&self) -> bool {
        self.0.parent_remote
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The span kind, such as `"client"`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.as_str()
    }

    /// The span type, such as `"tool"`.
    #[getter]
    fn r#type(&self) -> &'static str {
        self.0.span_type.as_str()
    }

    /// Start in nanoseconds since the Unix epoch.
    #[getter]
    fn start_time(&self) -> u64 {
        self.0.start_unix_nanos
    }

    /// End in nanoseconds since the Unix epoch; 0 while the span is open.
    #[getter]
    fn end_time(&self) -> u64 {
        self.0.end_unix_nanos
    }

    /// `"unset"`, `"ok"` or `"error"`.
    #[getter]
    fn status(&self) -> &'static str {
        match self.0.status {
            StatusCode::Unset => "unset",
            StatusCode::Ok => "ok",
            StatusCode::Error => "error",
        }
    }

    #[getter]
    fn status_message(&self) -> &str {
        &self.0.status_message
    }

    #[getter]
    fn attributes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, &self.0.attributes)
    }

    /// Events as (name, time, attributes, dropped attributes).
    #[getter]
    fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for event in &self.0.events {
            let attributes = dict_of(py, &event.attributes)?;
            list.append((event.name.as_str(), event.time_unix_nanos, attributes, event.dropped_attributes))?;
        }
        Ok(list)
    }

    /// Links as (span context, attributes, dropped attributes).
    #[getter]
    fn links<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for link in &self.0.links {
            let attributes = dict_of(py, &link.attributes)?;
            list.append((PySpanContext(link.context.clone()), attributes, link.dropped_attributes))?;
        }
        Ok(list)
    }

    #[getter]
    fn dropped_attributes(&self) -> u32 {
        self.0.dropped_attributes
    }

    #[getter]
    fn dropped_events(&self) -> u32 {
        self.0.dropped_events
    }

    #[getter]
    fn dropped_links(&self) -> u32 {
        self.0.dropped_links
    }

    /// What went into the operation; `None` when nothing was recorded.
    #[getter]
    fn input<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.input.as_ref().map(|value| to_python(py, value)).transpose()
    }

    /// What came out of the operation; `None` when nothing was recorded.
    #[getter]
    fn output<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.output.as_ref().map(|value| to_python(py, value)).transpose()
    }

    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, &self.0.metadata)
    }

    #[getter]
    fn tags<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.tags)
    }

    /// The attributes of the process that recorded it.
    #[getter]
    fn resource<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, &self.0.resource.attributes)
    }

    /// The instrumentation scope as (name, version).
    #[getter]
    fn scope(&self) -> (&str, &str) {
        (&self.0.scope.name, &self.0.scope.version)
    }

    /// Whether the span stands for an instant.
    #[getter]
    fn is_event(&self) -> bool {
        self.0.flags.contains(SpanFlags::EVENT)
    }

    fn __repr__(&self) -> String {
        format!(
            "<SpanRecord {:?} type={} trace_id={} span_id={}>",
            self.0.name, self.0.span_type, self.0.context.trace_id, self.0.context.span_id
        )
    }
}
