//! Exceptions as text: their class, message and stack, never raising while doing so.

use pyo3::exceptions::{PyBaseException, PyGeneratorExit, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PySlice, PyString, PyTuple, PyType};

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
        let light = lighter(error);
        let error = light.as_ref().unwrap_or(error);
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
    let light = lighter(error);
    let error = light.as_ref().unwrap_or(error);
    let (class, message) = named(error);
    let stack = exit::in_python(|| stack(error)).unwrap_or(Ok(String::new())).unwrap_or_else(|failure| {
        hold(error.py(), &failure);
        String::new()
    });
    Parts { class, message, stack }
}

/// What is formatted in place of an exception whose only argument is a text or bytes beyond what is kept: one of the
/// same class and causes with the beginning of it. The interpreter formats the whole of an argument, once for the
/// message and once for the stack.
fn lighter<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = error.py();
    let argument = exit::in_python(|| only_argument(error).map_err(|failure| hold(py, &failure)))?.ok()??;
    let built_in = argument.is_exact_instance_of::<PyString>() || argument.is_exact_instance_of::<PyBytes>();
    if !built_in || argument.len().is_ok_and(|length| length <= VALUE_BYTES) {
        return None;
    }
    let light = exit::in_python(|| {
        let beginning = argument.get_item(PySlice::new(py, 0, VALUE_BYTES as isize + 1, 1))?;
        let light = py
            .get_type::<PyBaseException>()
            .call_method1(intern!(py, "__new__"), (error.get_type(), beginning))?;
        // The last one is set by the first as well.
        for name in ["__cause__", "__context__", "__traceback__", "__notes__", "__suppress_context__"] {
            if let Some(value) = error.getattr_opt(name)? {
                light.setattr(name, value)?;
            }
        }
        Ok(light)
    })?;
    light.map_err(|failure: PyErr| hold(py, &failure)).ok()
}

/// The argument of an exception that says it and nothing else.
fn only_argument<'py>(error: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = error.py();
    let text = intern!(py, "__str__");
    let class = error.get_type();
    if !error.is_instance_of::<PyBaseException>()
        || !class.getattr(text)?.is(&py.get_type::<PyBaseException>().getattr(text)?)
    {
        return Ok(None);
    }
    let arguments = error.getattr(intern!(py, "args"))?;
    match arguments.cast::<PyTuple>() {
        Ok(arguments) if arguments.len() == 1 => arguments.get_item(0).map(Some),
        _ => Ok(None),
    }
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
