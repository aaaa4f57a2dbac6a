//! The engine's own few log lines, kept until JavaScript asks for them: they come from threads that may not run it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use napi_derive::napi;

/// Lines that wait at most; there is one per kind, so that more mean something is wrong.
const MAX_LINES: usize = 64;

static WAITING: AtomicBool = AtomicBool::new(false);
static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Has the engine leave its lines here.
pub fn listen() {
    polyspan::set_log(leave);
}

/// Takes a line from any thread.
pub fn leave(line: &str) {
    if let Ok(mut lines) = LINES.try_lock()
        && lines.len() < MAX_LINES
    {
        lines.push_back(line.to_owned());
        WAITING.store(true, Ordering::Release);
    }
}

/// Whether [`take_log`] has something.
pub fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed)
}

/// The lines that wait.
#[napi]
pub fn take_log() -> Vec<String> {
    WAITING.store(false, Ordering::Release);
    LINES.try_lock().map(|mut lines| lines.drain(..).collect()).unwrap_or_default()
}
