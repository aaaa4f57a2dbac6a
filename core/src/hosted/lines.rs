//! The engine's own few log lines, kept until a host asks for them: they come from threads that may not run its code.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// Lines that wait at most; there is one per kind, so that more mean something is wrong.
const MAX_LINES: usize = 64;

static WAITING: AtomicBool = AtomicBool::new(false);
static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Has the engine leave its lines here.
pub fn listen() {
    crate::set_log(leave);
}

/// Takes a line from any thread.
fn leave(line: &str) {
    if let Ok(mut lines) = LINES.try_lock()
        && lines.len() < MAX_LINES
    {
        lines.push_back(line.to_owned());
        WAITING.store(true, Ordering::Release);
    }
}

/// Whether [`take`] has something.
pub fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed)
}

/// The lines that wait.
pub fn take() -> Vec<String> {
    WAITING.store(false, Ordering::Release);
    LINES.try_lock().map(|mut lines| lines.drain(..).collect()).unwrap_or_default()
}
