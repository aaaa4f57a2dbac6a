//! Polyspan: a tracing engine for AI agents.
//!
//! The crate is layered. Pure data (`id`, `value`, `context`, `kinds`, `frame`) knows nothing of threads
//! or sockets and builds for `wasm32-unknown-unknown`; sampling and propagation stand on it; the engine
//! (feature `engine`) adds the lock-free hand-off and the export thread.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod carried;
#[cfg(feature = "engine")]
pub mod clock;
pub mod config;
pub mod context;
#[cfg(feature = "engine")]
mod current;
pub mod cut;
#[cfg(feature = "engine")]
mod engine;
#[cfg(feature = "engine")]
mod entropy;
pub mod error;
pub mod export;
pub mod frame;
#[cfg(feature = "engine")]
mod front;
#[cfg(feature = "engine")]
pub mod host;
#[cfg(feature = "engine")]
pub mod hosted;
pub mod id;
#[cfg(feature = "engine")]
mod init;
pub mod kinds;
#[cfg(feature = "engine")]
mod lifecycle;
#[cfg(feature = "engine")]
mod log;
pub mod logs;
pub mod metrics;
#[cfg(feature = "opentelemetry")]
pub mod otel;
#[cfg(feature = "engine")]
mod pipeline;
pub mod privacy;
pub mod propagation;
#[cfg(feature = "engine")]
mod recorder;
#[cfg(feature = "engine")]
pub mod registry;
#[cfg(feature = "engine")]
mod relay;
#[cfg(feature = "engine")]
mod request_context;
#[cfg(feature = "engine")]
mod ring;
#[cfg(feature = "engine")]
mod runtime;
pub mod sampling;
pub mod semantics;
#[cfg(feature = "engine")]
mod span;
pub mod spans;
pub mod stats;
pub mod value;
#[cfg(feature = "engine")]
mod worker;

pub use carried::{CarriedId, CarriedSet};
pub use config::Options;
pub use context::{SpanContext, TraceFlags, TraceState};
pub use error::{Error, ErrorCode};
pub use frame::sift::RelayRefusal;
pub use id::{IdError, IdGenerator, SpanId, TraceId};
pub use kinds::{SpanFlags, SpanKind, SpanType, StatusCode, TypeSet};
pub use logs::{LogLevel, Severity};
pub use stats::{DropReason, ExporterStats, LogStats, MetricStats, RelayStats, Stats};
pub use value::{OwnedValue, Value};

#[cfg(feature = "engine")]
pub use {
    current::{Current, Entered, FutureExt, InSpan, Surroundings, current, surrounded},
    engine::{Engine, FlushReport, Waiting},
    front::{extract, flush, inject, shutdown, stats},
    init::{init, init_with},
    log::set_log,
    relay::{PageTerms, RelayReport},
    span::{
        CaptureBounds, CaptureWriter, Captured, Cuts, Home, SharedSpan, Span, SpanBuilder,
        skip_unsampled_child,
    },
};

/// Begins a log record of the default engine; [`logs::LogBuilder::emit`] records it.
///
/// ```
/// # use polyspan::Severity;
/// polyspan::log(Severity::WARN, "the disk is filling").attribute("disk.free_bytes", 1024).emit();
/// ```
#[cfg(feature = "engine")]
pub fn log<'a>(severity: Severity, body: impl Into<Value<'a>>) -> logs::LogBuilder<'a> {
    logs::LogBuilder::new(None, severity, body.into())
}

/// Begins a span of the default engine, or of the one that the registry's selector names for a root.
#[cfg(feature = "engine")]
pub fn span(name: &str) -> SpanBuilder<'_> {
    SpanBuilder::new(None, name)
}
