//! The places where Python pulls jobs, one for functions and others for coroutines, and the threads that do so.
//!
//! Each is served by one thread, started with the first span that may come there. While a function hangs, another
//! thread takes the place of the one it holds. What is bound to an event loop cannot move to another thread; so each
//! asynchronous exporter, filter or chain has a place and a loop of its own, that one which blocks holds up itself alone.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use polyspan::host::HostPort;
use pyo3::intern;
use pyo3::prelude::*;

use crate::exit;

/// How the code that a job calls is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Called and done.
    Plain,
    /// Awaited, on the event loop of that number.
    Async(usize),
}

struct Place {
    port: OnceLock<HostPort>,
    used: AtomicBool,
    /// How many handlers have their jobs here, and the object of the application that the first of them runs.
    users: AtomicUsize,
    owner: AtomicUsize,
}

impl Place {
    const fn new() -> Self {
        Self {
            port: OnceLock::new(),
            used: AtomicBool::new(false),
            users: AtomicUsize::new(0),
            owner: AtomicUsize::new(0),
        }
    }
}

/// Event loops at most; what comes when each is taken shares one.
const MOST_LOOPS: usize = 16;

static PLAIN: Place = Place::new();
static LOOPS: [Place; MOST_LOOPS] = [const { Place::new() }; MOST_LOOPS];

/// A loop that a handler has, as long as this lives.
pub struct Seat(usize);

impl Seat {
    /// The loop that handlers of the object have already, as where it takes spans and log records, or a free one, or
    /// the one with the fewest.
    pub fn take(object: usize) -> Self {
        let users = |place: &Place| place.users.load(Ordering::Acquire);
        let own = |place: &Place| users(place) > 0 && place.owner.load(Ordering::Acquire) == object;
        if let Some((at, place)) = LOOPS.iter().enumerate().find(|(_, place)| own(place)) {
            place.users.fetch_add(1, Ordering::AcqRel);
            return Self(at);
        }
        let claimed =
            |place: &Place| place.users.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if let Some((at, place)) = LOOPS.iter().enumerate().find(|(_, place)| claimed(place)) {
            place.owner.store(object, Ordering::Release);
            return Self(at);
        }
        let fewest = LOOPS.iter().enumerate().min_by_key(|(_, place)| users(place));
        if let Some((_, place)) = fewest {
            place.users.fetch_add(1, Ordering::AcqRel);
        }
        Self(fewest.map_or(0, |(at, _)| at))
    }

    pub fn way(&self) -> Way {
        Way::Async(self.0)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(place) = LOOPS.get(self.0) {
            place.users.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// All places there are, with what runs there.
fn places() -> impl Iterator<Item = (Way, &'static Place)> {
    let loops = LOOPS.iter().enumerate().map(|(at, place)| (Way::Async(at), place));
    std::iter::once((Way::Plain, &PLAIN)).chain(loops)
}

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
            Self::Async(at) => LOOPS.get(at).unwrap_or(&PLAIN),
            Self::Plain => &PLAIN,
        }
    }

    /// The number of its loop, as `polyspan._host` has it; none for functions.
    fn event_loop(self) -> Option<usize> {
        match self {
            Self::Plain => None,
            Self::Async(at) => Some(at),
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
    places().any(|(_, place)| place.used.load(Ordering::Relaxed))
}

/// Starts the threads that are needed and do not run.
#[cold]
pub fn start(py: Python<'_>) {
    for (way, place) in places() {
        if place.used.load(Ordering::Relaxed)
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
    module.call_method1(intern!(py, "start"), (way.event_loop(),)).map(drop)
}

/// Jobs wait and nobody pulls; on a thread of the engine's own.
fn called(way: Way) {
    // What is bound to an event loop cannot move to another thread.
    if way != Way::Plain && way.port().workers() > 0 {
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
            .and_then(|module| module.call_method1(intern!(py, "serve"), (way.event_loop(),)));
        if let Err(error) = served {
            crate::convert::hold(py, &error);
        }
    });
}

/// Has the threads leave, when everything is delivered or given up and the interpreter is about to go.
pub fn leave() {
    let deadline = Instant::now() + FAREWELL;
    for port in places().filter_map(|(_, place)| place.port.get()) {
        port.close(deadline.saturating_duration_since(Instant::now()));
    }
}
