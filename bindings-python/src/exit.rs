//! Exit and fork as Python sees them: `polyspan._exit` does the work, this says when.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use polyspan::registry;
use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use crate::{convert, invalid};

/// The next span has to see to it that this process flushes when it ends.
static DUE: AtomicBool = AtomicBool::new(false);

/// Called in a forked child before anything else, and where a child starts over.
#[pyfunction]
#[pyo3(name = "_forked")]
pub fn forked() {
    DUE.store(true, Ordering::Relaxed);
}

/// Sets up what the process needs to flush at its end, if that is still to be done.
#[inline]
pub fn arm_if_due(py: Python<'_>) {
    if DUE.load(Ordering::Relaxed) {
        arm(py);
    }
}

/// Sets it up now.
#[cold]
pub fn arm(py: Python<'_>) {
    DUE.store(false, Ordering::Relaxed);
    let armed =
        py.import(intern!(py, "polyspan._exit")).and_then(|module| module.call_method0(intern!(py, "arm")));
    if let Err(error) = armed {
        convert::hold(py, &error);
        invalid::leave(&format!("spans may be lost when this process ends: {error}"));
    }
}

/// Delivers what is left, within the exit bound of each engine. Nothing is recorded afterwards.
#[pyfunction]
#[pyo3(name = "_exit_flush")]
pub fn flush(py: Python<'_>) {
    py.detach(registry::flush_at_exit);
    invalid::log_waiting(py);
}

/// Refuses a second interpreter of the process: classes and the context variable belong to the first.
#[allow(unsafe_code)]
pub fn only_one_interpreter(_py: Python<'_>) -> PyResult<()> {
    static FIRST: AtomicI64 = AtomicI64::new(-1);
    // SAFETY: the interpreter is attached.
    let this = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    match FIRST.compare_exchange(-1, this, Ordering::Relaxed, Ordering::Relaxed) {
        Err(first) if first != this => {
            Err(PyImportError::new_err("polyspan can be used in one interpreter of a process only"))
        }
        _ => Ok(()),
    }
}
