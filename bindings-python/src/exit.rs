//! Exit and fork as Python sees them: `polyspan._exit` does the work, this says when.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use polyspan::registry;
use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;

use crate::{convert, host, invalid};

/// What the next span has to see to; both bits below.
static DUE: AtomicU8 = AtomicU8::new(0);
/// That this process flushes when it ends.
const FLUSH: u8 = 1;
/// That the threads of the host stage run.
const HOST: u8 = 2;

/// Called in a forked child before anything else, and where a child starts over.
#[pyfunction]
#[pyo3(name = "_forked")]
pub fn forked() {
    DUE.store(if host::is_used() { FLUSH | HOST } else { FLUSH }, Ordering::Relaxed);
    // The threads that were inside are the parent's.
    INSIDE.store(0, Ordering::SeqCst);
}

/// Sets up what the process needs to flush at its end, if that is still to be done.
#[inline]
pub fn arm_if_due(py: Python<'_>) {
    if DUE.load(Ordering::Relaxed) != 0 {
        arm_now(py);
    }
}

#[cold]
fn arm_now(py: Python<'_>) {
    let due = DUE.swap(0, Ordering::Relaxed);
    if due & FLUSH != 0 {
        arm(py, false);
    }
    if due & HOST != 0 {
        in_python(|| host::start(py));
    }
}

/// Has the next span start the threads of the host stage, if there is anything for them to do.
pub fn start_host_later() {
    if host::is_used() {
        DUE.fetch_or(HOST, Ordering::Relaxed);
    }
}

/// Sets it up now; with `handle_sigterm` also for the signal, where the application does not handle it.
#[cold]
pub fn arm(py: Python<'_>, handle_sigterm: bool) {
    DUE.fetch_and(!FLUSH, Ordering::Relaxed);
    let armed = in_python(|| {
        py.import(intern!(py, "polyspan._exit"))?.call_method1(intern!(py, "arm"), (handle_sigterm,))
    });
    if let Some(Err(error)) = armed {
        convert::hold(py, &error);
        invalid::leave(&format!("spans may be lost when this process ends: {error}"));
    }
}

/// Delivers what is left, within the exit bound of each engine. Nothing is recorded afterwards.
#[pyfunction]
#[pyo3(name = "_exit_flush")]
pub fn flush(py: Python<'_>) {
    LEAVING.store(true, Ordering::SeqCst);
    py.detach(|| {
        let deadline = Instant::now() + LONGEST_STAY;
        while INSIDE.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        registry::flush_at_exit();
        host::leave();
    });
    invalid::log_now(py);
}

/// The process is about to leave: its interpreter will be finalized.
static LEAVING: AtomicBool = AtomicBool::new(false);
/// Threads that run Python code from within native code.
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// How long leaving waits for them.
const LONGEST_STAY: Duration = Duration::from_secs(1);

/// Runs something that may run Python code, unless the interpreter is about to be finalized; then `None`.
///
/// An interpreter that is being finalized unwinds daemon threads as they ask for it again, and the process is
/// aborted if there is native code of ours on their stack (before Python 3.14).
#[inline]
pub fn in_python<R>(run: impl FnOnce() -> R) -> Option<R> {
    let _inside = Inside::enter()?;
    Some(run())
}

struct Inside;

impl Inside {
    #[inline]
    fn enter() -> Option<Self> {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        let inside = Self;
        // The threads of the host stage work until everything is delivered.
        (!LEAVING.load(Ordering::SeqCst) || host::is_host_thread()).then_some(inside)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // A fork in between has started the count anew.
        let _ = INSIDE.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |inside| inside.checked_sub(1));
    }
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
