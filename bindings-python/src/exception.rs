//! Exceptions as text: their class, message and stack, never raising while doing so.

use pyo3::exceptions::{PyBaseException, PyGeneratorExit, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyType};

use crate::convert::{self, VALUE_BYTES, class_name, described, hold};
use crate::exit;

/// What an `exception` event holds (OpenTelemetry semantic conventions, "Exceptions on spans").
pub struct Parts {
    pub class: String,
    pub message: String,
    pub stack: String,
}

/// Class and message of an exception, or of whatever was given instead of one.
pub fn named(error: &Bound<'_, PyAny>) -> (String, String) {
    if error.is_instance_of::<PyBaseException>() {
        return (class_name(&error.get_type()), described(error, VALUE_BYTES));
    }
    match error.cast::<PyType>() {
        // A class that was raised without making an instance.
        Ok(class) => (class_name(class), String::new()),
        Err(_) => ("error".to_owned(), convert::text(error).into_owned()),
    }
}

/// Everything worth recording of an exception.
pub fn parts(error: &Bound<'_, PyAny>) -> Parts {
    let (class, message) = named(error);
    let stack = exit::in_python(|| stack(error)).unwrap_or(Ok(String::new())).unwrap_or_else(|failure| {
        hold(error.py(), &failure);
        String::new()
    });
    Parts { class, message, stack }
}

/// The stack as the interpreter would print it, causes and groups included.
fn stack(error: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = error.py();
    if !error.is_instance_of::<PyBaseException>() {
        return Ok(String::new());
    }
    let lines = py.import(intern!(py, "traceback"))?.getattr(intern!(py, "format_exception"))?.call1((
        error.get_type(),
        error,
        error.getattr(intern!(py, "__traceback__"))?,
    ))?;
    let text = PyString::new(py, "").call_method1(intern!(py, "join"), (lines.cast::<PyList>()?,))?;
    Ok(convert::string_text(text.cast::<PyString>()?, VALUE_BYTES).into_owned())
}

/// Whether an exception that leaves a block is a failure: closing a generator and a clean exit are not.
pub fn is_failure(error: &Bound<'_, PyAny>) -> bool {
    if error.is_instance_of::<PyGeneratorExit>() {
        return false;
    }
    if error.is_instance_of::<PySystemExit>() {
        let code = error.getattr(intern!(error.py(), "code"));
        return code.is_ok_and(|code| code.is_truthy().unwrap_or(true));
    }
    true
}
