//! Writes that may block, for the console and file exporters: done on the runtime's pool of helper
//! threads, so that a slow disk or a full pipe never stops the export thread.

use super::{Outcome, SendContext};
use crate::stats::DropReason;

/// Runs `write`, which writes `spans` spans, and turns its result into an outcome. At the deadline of
/// `context` the write is left to itself and its outcome is unknown.
pub(super) async fn write(
    spans: u32,
    context: &SendContext,
    write: impl FnOnce() -> Outcome + Send + 'static,
) -> Outcome {
    if context.is_expired() {
        return Outcome::dropped(DropReason::Shutdown, spans, "the deadline passed before it was written");
    }
    let writing = tokio::task::spawn_blocking(write);
    let mut outcome = Outcome::default();
    tokio::select! {
        written = writing => match written {
            Ok(written) => return written,
            Err(error) => outcome.lose(DropReason::Internal, spans, error.to_string()),
        },
        () = context.expired() => {
            outcome.lose(DropReason::Unknown, spans, "a write did not end before the deadline".to_owned());
        }
    }
    outcome
}
