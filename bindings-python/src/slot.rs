//! The one slot that holds the current span: a `ContextVar`, read and written on every span.
//!
//! `PyContextVar_Get` and `PyContextVar_Set` are exported by every CPython since 3.7 but are not part of the
//! limited API, so they are looked up by name when the slot is made; where they are not found, the variable's
//! own methods do the same (`docs/decisions/python-context.md` has the figures).

use std::ptr;

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

type GetVar =
    unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut *mut ffi::PyObject) -> std::ffi::c_int;
type SetVar = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;

/// The variable and the fastest way to it that this interpreter offers.
struct Slot {
    var: Py<PyAny>,
    get: Py<PyAny>,
    set: Py<PyAny>,
    direct: Option<(GetVar, SetVar)>,
}

static SLOT: PyOnceLock<Slot> = PyOnceLock::new();

fn slot(py: Python<'_>) -> PyResult<&Slot> {
    SLOT.get_or_try_init(py, || {
        let var = py.import("contextvars")?.getattr("ContextVar")?.call1(("polyspan",))?;
        Ok(Slot {
            get: var.getattr("get")?.unbind(),
            set: var.getattr("set")?.unbind(),
            direct: direct_access(),
            var: var.unbind(),
        })
    })
}

/// The current value; `None` when nothing was set in this context.
#[inline]
pub fn get(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let slot = slot(py).ok()?;
    let value = match slot.direct {
        Some((get, _)) => direct_get(py, get, &slot.var),
        None => slot.get.bind(py).call1((py.None(),)).ok(),
    };
    value.filter(|value| !value.is_none())
}

/// Makes `value` the current one in this context.
#[inline]
pub fn set(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let slot = slot(py)?;
    match slot.direct {
        Some((_, set)) => direct_set(py, set, &slot.var, value),
        None => slot.set.bind(py).call1((value,)).map(drop),
    }
}

/// Makes the context empty or what it was: `None` stands for empty.
#[inline]
pub fn restore(py: Python<'_>, value: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    match value {
        Some(value) => set(py, value),
        None => set(py, py.None().bind(py)),
    }
}

#[allow(unsafe_code)]
#[inline]
fn direct_get<'py>(py: Python<'py>, get: GetVar, var: &Py<PyAny>) -> Option<Bound<'py, PyAny>> {
    let mut value = ptr::null_mut();
    // SAFETY: `get` is PyContextVar_Get, `var` a live ContextVar, and the interpreter is attached. It writes a
    // new reference or null.
    unsafe {
        if get(var.as_ptr(), ptr::null_mut(), &raw mut value) < 0 {
            ffi::PyErr_Clear();
            return None;
        }
        Bound::from_owned_ptr_or_opt(py, value)
    }
}

#[allow(unsafe_code)]
#[inline]
fn direct_set(py: Python<'_>, set: SetVar, var: &Py<PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: `set` is PyContextVar_Set, `var` a live ContextVar, and the interpreter is attached. It returns a
    // new reference to a token, which is dropped, or null with an exception set.
    unsafe {
        let token = set(var.as_ptr(), value.as_ptr());
        if token.is_null() {
            return Err(PyErr::take(py).unwrap_or_else(|| PyRuntimeError::new_err("PyContextVar_Set failed")));
        }
        ffi::Py_DECREF(token);
    }
    Ok(())
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn direct_access() -> Option<(GetVar, SetVar)> {
    // SAFETY: the names belong to functions of exactly these signatures in every CPython since 3.7 (the
    // pointer types lost a `PyContextVar` typedef in 3.7.1, which is the same ABI).
    unsafe {
        let get = libc::dlsym(libc::RTLD_DEFAULT, c"PyContextVar_Get".as_ptr());
        let set = libc::dlsym(libc::RTLD_DEFAULT, c"PyContextVar_Set".as_ptr());
        if get.is_null() || set.is_null() {
            return None;
        }
        Some((
            std::mem::transmute::<*mut libc::c_void, GetVar>(get),
            std::mem::transmute::<*mut libc::c_void, SetVar>(set),
        ))
    }
}

#[cfg(not(unix))]
fn direct_access() -> Option<(GetVar, SetVar)> {
    None
}
