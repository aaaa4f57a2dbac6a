//! Polyspan: a tracing engine for AI agents.
//!
//! The crate is layered. Pure data (`id`, `value`, `context`, `kinds`, `frame`) knows nothing of threads
//! or sockets and builds for `wasm32-unknown-unknown`; sampling and propagation stand on it; the engine
//! (feature `engine`) adds the lock-free hand-off and the export thread.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod context;
pub mod error;
pub mod export;
pub mod frame;
pub mod id;
pub mod kinds;
pub mod propagation;
pub mod sampling;
#[cfg(feature = "engine")]
#[allow(dead_code)]
mod ring;
pub mod semantics;
pub mod stats;
pub mod value;

pub use context::{SpanContext, TraceFlags, TraceState};
pub use error::{Error, ErrorCode};
pub use id::{IdError, IdGenerator, SpanId, TraceId};
pub use kinds::{SpanFlags, SpanKind, SpanType, StatusCode};
pub use stats::DropReason;
pub use value::{OwnedValue, Value};
