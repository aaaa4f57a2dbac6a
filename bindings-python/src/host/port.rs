//! The two places where Python pulls jobs, one for functions and one for coroutines, and the threads that do so.
//!
//! Each is served by one thread, started with the first span that may come there. While the application's code
//! hangs, another thread takes the place of the one it holds.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use polyspan::host::HostPort;
use pyo3::intern;
use pyo3::prelude::*;

use crate::exit;

/// How the code that a job calls is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Called and done.
    Plain,
    /// Awaited, on the event loop of its thread.
    Async,
}

struct Place {
    port: OnceLock<HostPort>,
    used: AtomicBool,
}

static PLAIN: Place = Place { port: OnceLock::new(), used: AtomicBool::new(false) };
static ASYNC: Place = Place { port: OnceLock::new(), used: AtomicBool::new(false) };

/// How long leaving the process waits for threads that have nothing more to do.
const FAREWELL: Duration = Duration::from_millis(100);

thread_local! {
    static ON_HOST_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread runs the application's code for the host stage: what it records would be exported
/// by what it records.
#[inline]
pub fn is_host_thread() -> bool {
    ON_HOST_THREAD.with(Cell::get)
}

pub fn set_host_thread(is_one: bool) {
    ON_HOST_THREAD.with(|flag| flag.set(is_one));
}

impl Way {
    fn place(self) -> &'static Place {
        match self {
            Self::Plain => &PLAIN,
            Self::Async => &ASYNC,
        }
    }

    /// Where jobs of this kind are pulled.
    pub fn port(self) -> &'static HostPort {
        self.place().used.store(true, Ordering::Relaxed);
        self.place().port.get_or_init(|| HostPort::new(move || called(self)))
    }
}

/// Whether any engine of the process has code of the application to run.
pub fn is_used() -> bool {
    [&PLAIN, &ASYNC].iter().any(|place| place.used.load(Ordering::Relaxed))
}

/// Starts the threads that are needed and do not run.
#[cold]
pub fn start(py: Python<'_>) {
    for way in [Way::Plain, Way::Async] {
        if way.place().used.load(Ordering::Relaxed)
            && way.port().workers() == 0
            && let Err(error) = start_thread(py, way)
        {
            crate::convert::hold(py, &error);
            crate::invalid::leave(&format!("the thread of the host stage could not be started: {error}"));
        }
    }
}

fn start_thread(py: Python<'_>, way: Way) -> PyResult<()> {
    let module = py.import(intern!(py, "polyspan._host"))?;
    module.call_method1(intern!(py, "start"), (way == Way::Async,)).map(drop)
}

/// Jobs wait and nobody pulls; on a thread of the engine's own.
fn called(way: Way) {
    // What is bound to an event loop cannot move to another thread.
    if way == Way::Async && way.port().workers() > 0 {
        return;
    }
    let started = exit::in_python(|| Python::attach(|py| start_thread(py, way).is_ok()));
    if started == Some(true) {
        return;
    }
    // An interpreter that is about to leave starts no threads. This one is told to leave in time.
    Python::attach(|py| {
        let served = py
            .import(intern!(py, "polyspan._host"))
            .and_then(|module| module.call_method1(intern!(py, "serve"), (way == Way::Async,)));
        if let Err(error) = served {
            crate::convert::hold(py, &error);
        }
    });
}

/// Has the threads leave, when everything is delivered or given up and the interpreter is about to go.
pub fn leave() {
    for place in [&PLAIN, &ASYNC] {
        if let Some(port) = place.port.get() {
            port.close(FAREWELL);
        }
    }
}
