//! The engine's own few log lines: at most one per kind, to the host's logger or standard error.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::config::DiagnosticLevel;
use crate::privacy::{Redaction, Redactor};

/// Receives the engine's log lines.
type Sink = Box<dyn Fn(&str) + Send + Sync>;

static SINK: OnceLock<Sink> = OnceLock::new();
/// The level of the engine that was started last.
static LEVEL: AtomicU8 = AtomicU8::new(DiagnosticLevel::Info as u8);
static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Sends the engine's log lines somewhere else than standard error. The first call wins; false for later
/// ones. The function is called from any thread and must not record spans.
pub fn set_log(sink: impl Fn(&str) + Send + Sync + 'static) -> bool {
    SINK.set(Box::new(sink)).is_ok()
}

/// From now on says only what that level has.
pub(crate) fn set_level(level: DiagnosticLevel) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Says what was lost, ignored or failed, once in the life of the process and without the secrets in it; `kind`
/// tells what is the same.
pub(crate) fn warn_once(kind: &str, message: &str) {
    say_once(DiagnosticLevel::Warn, kind, message);
}

/// Says what the user may want to know, in the same way.
pub(crate) fn info_once(kind: &str, message: &str) {
    say_once(DiagnosticLevel::Info, kind, message);
}

fn say_once(level: DiagnosticLevel, kind: &str, message: &str) {
    if level as u8 > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    {
        // A fork may have left the lock held by a thread that is gone; then this line is not worth a hang.
        let mut said = match SAID.try_lock() {
            Ok(said) => said,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(std::sync::TryLockError::WouldBlock) => return,
        };
        if !said.get_or_insert_default().insert(kind.to_owned()) {
            return;
        }
    }
    let message = &*redacted(message);
    match SINK.get() {
        Some(sink) => sink(message),
        None => eprintln!("polyspan: {message}"),
    }
}

/// By the built-in rules, whatever the engines are told: no engine need run. Made anew for each of these few
/// lines, so that a fork finds nothing half made.
fn redacted(message: &str) -> Cow<'_, str> {
    let redacted = std::panic::catch_unwind(|| Some(Redactor::new(&Redaction::new()).ok()?.text(message)));
    redacted.ok().flatten().unwrap_or(Cow::Borrowed("something that could not be redacted is not said"))
}
