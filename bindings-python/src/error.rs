//! The one exception type: raised by `init`, `flush`, `shutdown` and file operations, never while recording.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use polyspan::Error;

static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// `polyspan.PolyspanError`, made in Python, where an exception class with an attribute is three lines.
pub fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    CLASS.import(py, "polyspan._error", "PolyspanError")
}

/// The Python exception of an engine's error.
pub fn raised(py: Python<'_>, error: &Error) -> PyErr {
    match class(py).and_then(|class| class.call1((error.code().as_str(), error.message()))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(failure) => failure,
    }
}
