//! The engine's own few log lines: at most one per kind, to the host's logger or standard error.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::privacy::{Redaction, Redactor};

/// Receives the engine's log lines.
type Sink = Box<dyn Fn(&str) + Send + Sync>;

static SINK: OnceLock<Sink> = OnceLock::new();
static SAID: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Sends the engine's log lines somewhere else than standard error. The first call wins; false for later
/// ones. The function is called from any thread and must not record spans.
pub fn set_log(sink: impl Fn(&str) + Send + Sync + 'static) -> bool {
    SINK.set(Box::new(sink)).is_ok()
}

/// Says something once in the life of the process, without the secrets in it; `kind` tells what is the same.
pub(crate) fn warn_once(kind: &str, message: &str) {
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
