//! The one slot that holds the current span: a `ContextVar`, read and written on every span.
//!
//! `PyContextVar_Get` and `PyContextVar_Set` are exported by every CPython since 3.7 but are not part of the
//! limited API, so they are looked up by name when the slot is made; where they are not found, the variable's
//! own methods do the same (`docs/decisions/python-context.md` has the figures).

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

type GetVar =
    unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject, *mut *mut ffi::PyObject) -> std::ffi::c_int;
type SetVar = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> *mut ffi::PyObject;
type ResetVar = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> std::ffi::c_int;

/// The functions of the interpreter that the limited API leaves out.
#[derive(Clone, Copy)]
struct Direct {
    get: GetVar,
    set: SetVar,
    reset: ResetVar,
}

/// The variable and the fastest way to it that this interpreter offers.
struct Slot {
    var: Py<PyAny>,
    get: Py<PyAny>,
    set: Py<PyAny>,
    direct: Option<Direct>,
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
        Some(direct) => direct_get(py, direct.get, &slot.var),
        None => slot.get.bind(py).call1((py.None(),)).ok(),
    };
    value.filter(|value| !value.is_none())
}

/// Makes `value` the current one in this context; returns a token to [`restore`] with.
#[inline]
pub fn set<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let slot = slot(value.py())?;
    match slot.direct {
        Some(direct) => direct_set(direct.set, &slot.var, value),
        None => slot.set.bind(value.py()).call1((value,)).map(|_| None),
    }
}

/// Makes what was current before current again: by the token, if it is of this context, or else by value.
#[inline]
pub fn restore<'py>(
    py: Python<'py>,
    value: Option<&Bound<'py, PyAny>>,
    token: Option<Bound<'py, PyAny>>,
) -> PyResult<()> {
    if let Some(token) = token
        && let Some(slot) = SLOT.get(py)
        && let Some(direct) = slot.direct
        && direct_reset(direct.reset, &slot.var, &token)
    {
        return Ok(());
    }
    match value {
        Some(value) => set(value).map(drop),
        None => set(py.None().bind(py)).map(drop),
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
fn direct_set<'py>(
    set: SetVar,
    var: &Py<PyAny>,
    value: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = value.py();
    // SAFETY: `set` is PyContextVar_Set, `var` a live ContextVar, and the interpreter is attached. It returns a
    // new reference to a token, or null with an exception set.
    let token = unsafe { Bound::from_owned_ptr_or_err(py, set(var.as_ptr(), value.as_ptr())) };
    token.map(Some)
}

/// False when the token is of another context or was used already.
#[allow(unsafe_code)]
#[inline]
fn direct_reset(reset: ResetVar, var: &Py<PyAny>, token: &Bound<'_, PyAny>) -> bool {
    // SAFETY: `reset` is PyContextVar_Reset, `var` a live ContextVar, `token` one of its tokens, and the
    // interpreter is attached. It returns -1 with an exception set when the token does not fit.
    unsafe {
        let done = reset(var.as_ptr(), token.as_ptr()) == 0;
        if !done {
            ffi::PyErr_Clear();
        }
        done
    }
}

#[cfg(unix)]
#[allow(unsafe_code)]
fn direct_access() -> Option<Direct> {
    // SAFETY: the names belong to functions of exactly these signatures in every CPython since 3.7 (the
    // pointer types lost a `PyContextVar` typedef in 3.7.1, which is the same ABI).
    unsafe {
        let get = libc::dlsym(libc::RTLD_DEFAULT, c"PyContextVar_Get".as_ptr());
        let set = libc::dlsym(libc::RTLD_DEFAULT, c"PyContextVar_Set".as_ptr());
        let reset = libc::dlsym(libc::RTLD_DEFAULT, c"PyContextVar_Reset".as_ptr());
        if get.is_null() || set.is_null() || reset.is_null() {
            return None;
        }
        Some(Direct {
            get: std::mem::transmute::<*mut libc::c_void, GetVar>(get),
            set: std::mem::transmute::<*mut libc::c_void, SetVar>(set),
            reset: std::mem::transmute::<*mut libc::c_void, ResetVar>(reset),
        })
    }
}

#[cfg(not(unix))]
fn direct_access() -> Option<Direct> {
    None
}
