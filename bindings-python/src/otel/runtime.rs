//! The OpenTelemetry runtime context over the one slot: `get_current`, `attach`, `detach`.
//!
//! `polyspan.opentelemetry` puts an instance (of a class derived from this one) in the place of the API's own.

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::api;
use crate::context::Context;
use crate::current;
use crate::guarded::Guarded;
use crate::slot;

/// Base class of the runtime context.
#[pyclass(frozen, subclass, module = "polyspan._polyspan", name = "_RuntimeContext")]
pub struct RuntimeContext {}

/// What `attach` returns: enough to put back what was there, by value.
#[pyclass(frozen, module = "polyspan._polyspan", name = "_Token")]
pub struct Token {
    attached: Guarded<Option<Py<Context>>>,
}

#[pymethods]
impl Token {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.attached.try_lock().map_or(Ok(()), |attached| visit.call(&*attached))
    }

    fn __clear__(&self) {
        if let Some(mut attached) = self.attached.try_lock() {
            *attached = None;
        }
    }
}

#[pymethods]
impl RuntimeContext {
    #[new]
    fn new() -> Self {
        Self {}
    }

    /// The current context: the one that was attached, or one that shows the current span.
    fn get_current<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match slot::get(py) {
            Some(now) => current::shown(&now),
            None => api::context_of(py, None, None),
        }
    }

    /// Makes a context current.
    fn attach<'py>(&self, py: Python<'py>, context: &Bound<'py, PyAny>) -> PyResult<Token> {
        let keys = context.cast::<PyDict>()?;
        let span = api::span_in(keys).map(|face| face.into_any().unbind());
        let entry = Bound::new(py, Context::new(span, Some(keys.clone().unbind())))?;
        entry.get().place.lock().shown = Some(context.clone().unbind());
        current::enter(entry.as_any(), &entry.get().place)?;
        Ok(Token { attached: Guarded::new(Some(entry.unbind())) })
    }

    /// Makes current again what was current before the token's `attach`, unless that is over anyway.
    fn detach(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(token) = token.cast::<Token>() else {
            // A token of the API's own runtime context, from before ours took its place.
            if let Ok(var) = token.getattr("var") {
                return var.call_method1("reset", (token,)).map(drop);
            }
            return Err(PyTypeError::new_err("detach takes what attach returned"));
        };
        let attached = token.get().attached.lock().take();
        match attached {
            Some(context) => {
                let context = context.bind(py);
                current::leave(context.as_any(), &context.get().place)
            }
            None => Err(PyRuntimeError::new_err("the token has been used already")),
        }
    }
}
