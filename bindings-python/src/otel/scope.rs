//! What `start_as_current_span` returns: a context manager that starts a span when it is entered, and a decorator.

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;

use super::span::OtelSpan;
use super::tracer::{Given, OtelTracer};
use crate::current;
use crate::guarded::Guarded;

/// A span about to be started and made current.
#[pyclass(frozen, module = "polyspan._polyspan", name = "_SpanScope")]
pub struct SpanScope {
    tracer: Py<OtelTracer>,
    given: Given,
    end_on_exit: bool,
    span: Guarded<Option<Py<OtelSpan>>>,
}

impl SpanScope {
    pub fn new(tracer: Py<OtelTracer>, given: Given, end_on_exit: bool) -> Self {
        Self { tracer, given, end_on_exit, span: Guarded::new(None) }
    }
}

#[pymethods]
impl SpanScope {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, OtelSpan>> {
        let span = OtelTracer::start(self.tracer.bind(py), &self.given)?;
        {
            let mut entered = self.span.lock();
            if entered.is_some() {
                return Err(PyRuntimeError::new_err("the context manager has been entered already"));
            }
            *entered = Some(span.clone().unbind());
        }
        current::enter(span.as_any(), &span.get().place)?;
        Ok(span)
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _class: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let Some(span) = self.span.lock().take() else { return Ok(false) };
        let span = span.into_bound(py);
        current::leave(span.as_any(), &span.get().place)?;
        if !error.is_none() {
            OtelSpan::failed(&span, error, self.given.record_exception, self.given.set_status_on_exception)?;
        }
        if self.end_on_exit {
            OtelSpan::finish(&span, None)?;
        }
        Ok(false)
    }

    /// Decorates a function: every call runs in a span of its own.
    fn __call__<'py>(slf: &Bound<'py, Self>, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        py.import(intern!(py, "polyspan.opentelemetry._decorator"))?
            .call_method1(intern!(py, "decorate"), (slf, function))
    }

    /// The same once more, not yet entered.
    fn _again(&self, py: Python<'_>) -> Self {
        Self::new(self.tracer.clone_ref(py), self.given.clone_ref(py), self.end_on_exit)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.tracer)?;
        self.given.traverse(&visit)?;
        self.span.try_lock().map_or(Ok(()), |span| visit.call(&*span))
    }

    fn __clear__(&self) {
        if let Some(mut span) = self.span.try_lock() {
            *span = None;
        }
    }
}
