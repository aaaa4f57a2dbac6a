//! The host stage in Python: what the application wrote (processors, a span filter, exporters), driven by jobs that one thread pulls.
//!
//! `polyspan._host` has the thread and calls the application; this module gives it jobs and spans. The loop is
//! Python code, and so is everything on the stack while the application's code runs: an interpreter that is being
//! finalized ends such a thread wherever it is, which native code on its stack would not survive.

mod finished;
mod followed;
mod job;
pub mod options;
mod parts;
mod port;

pub use finished::FinishedSpan;
pub use followed::{DroppedSpan, TraceInfo};
pub use job::{Job, Worker, warn};
pub use parts::{SpanError, SpanEvent, SpanLink};
pub use port::{is_host_thread, is_used, leave, start};
