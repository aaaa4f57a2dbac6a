//! What was given and cannot be used: one log line per kind, and a count.
//!
//! Lines of the engine itself come here too. The export thread must not run Python code, so that it only leaves
//! its lines in a short queue, from which the next Python thread that passes hands them to `logging`.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pyo3::intern;
use pyo3::prelude::*;

use crate::exit;

/// Lines that wait to be logged at most; there is one per kind, so that more mean something is wrong.
const MAX_LINES: usize = 64;

static WAITING: AtomicBool = AtomicBool::new(false);
static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
static SAID: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Takes a line from any thread.
pub fn leave(line: &str) {
    // A fork may have left the lock held by a thread that is gone; then this line is not worth a hang.
    if let Ok(mut lines) = LINES.try_lock()
        && lines.len() < MAX_LINES
    {
        lines.push_back(line.to_owned());
        WAITING.store(true, Ordering::Release);
    }
}

/// Hands waiting lines to `logging`.
#[inline]
pub fn log_waiting(py: Python<'_>) {
    if WAITING.load(Ordering::Relaxed) {
        exit::in_python(|| hand_over(py));
    }
}

/// The same when the interpreter is about to leave, in the thread that sees to it.
pub fn log_now(py: Python<'_>) {
    hand_over(py);
}

#[cold]
fn hand_over(py: Python<'_>) {
    WAITING.store(false, Ordering::Release);
    let lines = LINES.try_lock().map(|mut lines| std::mem::take(&mut *lines)).unwrap_or_default();
    for line in lines {
        if let Err(error) = log(py, &line) {
            crate::convert::hold(py, &error);
        }
    }
}

fn log(py: Python<'_>, line: &str) -> PyResult<()> {
    let logging = py.import(intern!(py, "logging"))?;
    let logger = logging.call_method1(intern!(py, "getLogger"), (intern!(py, "polyspan"),))?;
    logger.call_method1(intern!(py, "warning"), (intern!(py, "%s"), line)).map(drop)
}

/// Says once that something given was not usable there.
#[cold]
pub fn say(py: Python<'_>, place: &'static str) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    {
        let Ok(mut said) = SAID.try_lock() else { return };
        if said.contains(&place) {
            return;
        }
        said.push(place);
    }
    leave(&format!(
        "{place}: something that cannot be recorded was left out or changed; it is counted and not said again"
    ));
    log_waiting(py);
}

/// How often something was left out or changed outside of any recording span.
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}
