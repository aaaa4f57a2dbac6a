//! Where the interpreter comes in for every span: `span`, `event`, `Engine.span`, and a span's own `event`, `update`,
//! `end`, `__enter__` and `__exit__`.
//!
//! They are functions of the interpreter's own calling convention, because what stands around a function otherwise
//! costs more than what these do. `lib.rs` puts them into the module and its classes when it is loaded. What they do
//! is in `start.rs` and `span.rs`; what those drop must be `Bound`, since nothing here tells PyO3 that the thread is
//! attached, and it would keep a `Py` for later.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::ffi::{self, PyMethodDefPointer, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyType};
use pyo3::{Borrowed, PyTypeInfo};

use crate::arguments::Call;
use crate::engine::Engine;
use crate::span::Span;
use crate::start;

/// The keywords that `span` and `event` share, with their defaults.
macro_rules! inherited {
    () => {
        "session_id=None, user_id=None, organization_id=None, thread_id=None, run_id=None, request_id=None, \
         resource_id=None, environment=None, entity_type=None, entity_id=None, entity_name=None, hide_input=None, \
         hide_output=None, internal_spans=None, request_context=None, request_context_keys=None, internal=None"
    };
}

macro_rules! started {
    () => {
        "type=None, kind=None, attributes=None, input=None, metadata=None, tags=None, parent=None, links=None, \
         start_time=None, root=False, trace_id=None, "
    };
}

const SPAN: &str = concat!(
    "span(name, *, ",
    started!(),
    inherited!(),
    ")\n--\n\n",
    "Starts a span; it is a child of the current one unless a parent is given or `root` is true.\n\n\
     A root may be given the trace id it is to have, as 1 to 32 hex digits; a bad one is replaced by a random one.\n\
     It is not the current span before it is entered: `with polyspan.span(\"name\") as span: ...`.\n\
     The ids, `hide_input`, `hide_output`, `request_context`, `request_context_keys` and `internal_spans` of\n\
     `context` hold for the span and everything inside; `internal` marks the span alone as internal to a framework.\0"
);
const ENGINE_SPAN: &str = concat!(
    "span($self, name, *, ",
    started!(),
    inherited!(),
    ")\n--\n\nStarts a span of this engine; see `polyspan.span`.\0"
);
const EVENT: &str = concat!(
    "event(name, *, type=None, kind=None, attributes=None, input=None, output=None, metadata=None, parent=None, \
     time=None, ",
    inherited!(),
    ")\n--\n\n",
    "Records a span that stands for an instant: it starts and ends now, or at `time`, with all that is given here.\0"
);
const UPDATE: &str = "update($self, *, name=..., input=..., output=..., metadata=..., attributes=..., tags=...)\n--\n\n\
    Sets any of `name`, `input`, `output`, `metadata`, `attributes`, `tags`: input, output and name are\n\
    replaced, the others merged. Exporters that follow open spans are shown the span as it is then.\0";
const SPAN_EVENT: &str = "event($self, name, /, attributes=None, *, time=None)\n--\n\n\
    Adds an event that happens now, or at `time` (nanoseconds since the Unix epoch, or a `datetime`).\0";
const END: &str = "end($self, time=None, *, name=..., input=..., output=..., metadata=..., attributes=..., tags=...)\n\
    --\n\n\
    Ends the span now, or at `time` (nanoseconds since the Unix epoch, or a `datetime`). The first end counts.\n\
    Further arguments are set before, as by `update`.\0";
const ENTER: &str = "__enter__($self, /)\n--\n\n\0";
const EXIT: &str = "__exit__($self, _class, error, _traceback, /)\n--\n\n\0";

/// Puts the functions into the module and the classes.
pub fn install(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let keywords = ffi::METH_FASTCALL | ffi::METH_KEYWORDS;
    let named = |function| PyMethodDefPointer { PyCFunctionFastWithKeywords: function };
    add_function(module, c"span", named(span), keywords, SPAN)?;
    add_function(module, c"event", named(event), keywords, EVENT)?;
    add_method(&Engine::type_object(py), c"span", named(engine_span), keywords, ENGINE_SPAN)?;
    let class = Span::type_object(py);
    add_method(&class, c"event", named(span_event), keywords, SPAN_EVENT)?;
    add_method(&class, c"update", named(update), keywords, UPDATE)?;
    add_method(&class, c"end", named(end), keywords, END)?;
    add_method(&class, c"__enter__", PyMethodDefPointer { PyCFunction: enter }, ffi::METH_NOARGS, ENTER)?;
    add_method(&class, c"__exit__", PyMethodDefPointer { PyCFunctionFast: exit }, ffi::METH_FASTCALL, EXIT)
}

/// A description that lives as long as the process, as the interpreter wants it.
fn described(
    name: &'static CStr,
    function: PyMethodDefPointer,
    flags: std::ffi::c_int,
    text: &'static str,
) -> PyResult<&'static mut ffi::PyMethodDef> {
    let text = CStr::from_bytes_with_nul(text.as_bytes())
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    Ok(Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: function,
        ml_flags: flags,
        ml_doc: text.as_ptr(),
    })))
}

fn add_function(
    module: &Bound<'_, PyModule>,
    name: &'static CStr,
    function: PyMethodDefPointer,
    flags: std::ffi::c_int,
    text: &'static str,
) -> PyResult<()> {
    let described = described(name, function, flags, text)?;
    let of = module.name()?;
    // SAFETY: the description is complete and never freed; the name of the module is a string.
    let function = unsafe {
        let function = ffi::PyCMethod_New(described, std::ptr::null_mut(), of.as_ptr(), std::ptr::null_mut());
        Bound::from_owned_ptr_or_err(module.py(), function)?
    };
    module.setattr(name, function)
}

fn add_method(
    class: &Bound<'_, PyType>,
    name: &'static CStr,
    function: PyMethodDefPointer,
    flags: std::ffi::c_int,
    text: &'static str,
) -> PyResult<()> {
    let described = described(name, function, flags, text)?;
    // SAFETY: the description is complete and never freed; the class is a type.
    let method = unsafe {
        let method = ffi::PyDescr_NewMethod(class.as_type_ptr(), described);
        Bound::from_owned_ptr_or_err(class.py(), method)?
    };
    class.setattr(name, method)
}

/// Runs a function for the interpreter: a reference it may keep, or null with an exception set.
#[inline]
fn answer<'py>(py: Python<'py>, run: impl FnOnce() -> PyResult<Bound<'py, PyAny>>) -> *mut PyObject {
    let failure = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(object)) => return object.into_ptr(),
        Ok(Err(error)) => error,
        Err(_) => PyRuntimeError::new_err("polyspan failed; please report it"),
    };
    failure.restore(py);
    std::ptr::null_mut()
}

/// The object whose method is called.
///
/// # Safety
///
/// The thread is attached, and `object` is a live instance of `T`, which lives as long as the call.
#[inline]
unsafe fn receiver<'a, 'py, T>(py: Python<'py>, object: *mut PyObject) -> Borrowed<'a, 'py, T> {
    // SAFETY: as above.
    unsafe { Borrowed::from_ptr(py, object).cast_unchecked() }
}

// For all below: the interpreter calls them with the thread attached and with arguments as the flags beside them in
// `install` say; methods of a class it calls with instances of that class alone.

unsafe extern "C" fn span(
    _module: *mut PyObject,
    values: *const *mut PyObject,
    count: ffi::Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: see above.
    let (py, call) = unsafe {
        let py = Python::assume_attached();
        (py, Call::new(py, values, count, names))
    };
    answer(py, || start::span(None, call).map(Bound::into_any))
}

unsafe extern "C" fn engine_span(
    engine: *mut PyObject,
    values: *const *mut PyObject,
    count: ffi::Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: see above.
    let (py, engine, call) = unsafe {
        let py = Python::assume_attached();
        (py, receiver::<Engine>(py, engine), Call::new(py, values, count, names))
    };
    answer(py, || start::span(Some(&engine.get().0), call).map(Bound::into_any))
}

unsafe extern "C" fn event(
    _module: *mut PyObject,
    values: *const *mut PyObject,
    count: ffi::Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: see above.
    let (py, call) = unsafe {
        let py = Python::assume_attached();
        (py, Call::new(py, values, count, names))
    };
    answer(py, || start::event(call).map(|()| none(py)))
}

unsafe extern "C" fn span_event(
    span: *mut PyObject,
    values: *const *mut PyObject,
    count: ffi::Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: see above.
    let (py, span, call) = unsafe {
        let py = Python::assume_attached();
        (py, receiver::<Span>(py, span), Call::new(py, values, count, names))
    };
    answer(py, || span.get().event(call).map(|()| none(py)))
}

unsafe extern "C" fn update(
    span: *mut PyObject,
    values: *const *mut PyObject,
    count: ffi::Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: see above.
    let (py, span, call) = unsafe {
        let py = Python::assume_attached();
        (py, receiver::<Span>(py, span), Call::new(py, values, count, names))
    };
    answer(py, || span.get().update(call).map(|()| none(py)))
}

unsafe extern "C" fn end(
    span: *mut PyObject,
    values: *const *mut PyObject,
    count: ffi::Py_ssize_t,
    names: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: see above.
    let (py, span, call) = unsafe {
        let py = Python::assume_attached();
        (py, receiver::<Span>(py, span), Call::new(py, values, count, names))
    };
    answer(py, || span.get().end(call).map(|()| none(py)))
}

unsafe extern "C" fn enter(span: *mut PyObject, _nothing: *mut PyObject) -> *mut PyObject {
    // SAFETY: see above.
    let (py, span) = unsafe {
        let py = Python::assume_attached();
        (py, receiver::<Span>(py, span))
    };
    answer(py, || Span::enter(&span).map(|()| span.to_owned().into_any()))
}

unsafe extern "C" fn exit(
    span: *mut PyObject,
    values: *mut *mut PyObject,
    count: ffi::Py_ssize_t,
) -> *mut PyObject {
    // SAFETY: see above.
    let (py, span, call) = unsafe {
        let py = Python::assume_attached();
        (py, receiver::<Span>(py, span), Call::new(py, values, count, std::ptr::null_mut()))
    };
    answer(py, || {
        let mut given = call.positional();
        let (3, Some(error)) = (given.len(), given.nth(1)) else {
            return Err(PyTypeError::new_err(format!("__exit__() takes 3 arguments but {count} were given")));
        };
        Span::leave(&span, Some(&*error).filter(|error| !error.is_none()))?;
        Ok(PyBool::new(py, false).to_owned().into_any())
    })
}

fn none(py: Python<'_>) -> Bound<'_, PyAny> {
    py.None().into_bound(py)
}
