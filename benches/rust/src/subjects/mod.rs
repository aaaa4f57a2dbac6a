//! The programs under measurement: one file per tracing library, each recording the same trace as its own
//! documentation recommends.

use std::error::Error;

use crate::workload::Turn;

#[cfg(feature = "peers")]
pub mod fastrace;
#[cfg(feature = "peers")]
pub mod opentelemetry;
#[cfg(feature = "ours")]
pub mod plain;
#[cfg(feature = "ours")]
pub mod polyspan;

/// Where a subject sends its spans.
#[derive(Debug, Clone)]
pub enum Target {
    /// Nowhere: the export thread takes the spans and lets them go.
    Null,
    /// OTLP over HTTP/protobuf to this address, gzip if asked.
    Otlp { endpoint: String, gzip: bool },
}

/// How a subject is set up; everything else is the library's default.
#[derive(Debug, Clone)]
pub struct Setup {
    pub target: Target,
    /// Every trace is sampled, or none.
    pub sampled: bool,
    /// A peer may leave its defaults where that makes it cheaper; the flat-out and rate rows measure defaults.
    #[cfg_attr(not(feature = "peers"), expect(dead_code, reason = "only peers are tuned"))]
    pub tuned: bool,
}

/// What a subject itself can say of its spans, warm-up included.
#[derive(Debug, Clone, Copy, Default)]
pub struct Account {
    pub ended: Option<u64>,
    pub exported: Option<u64>,
    /// Unsampled, under pressure among others.
    pub left_out: Option<u64>,
    pub dropped: Option<u64>,
}

/// One library recording the workload.
pub trait Subject: Sync + Sized {
    /// Sets the library up.
    fn start(setup: &Setup) -> Result<Self, Box<dyn Error>>;

    /// Records one trace of eight spans on the calling thread.
    fn trace(&self, turn: &Turn);

    /// Waits until what was recorded is exported.
    fn flush(&self);

    /// Stops the library and asks for the count.
    fn stop(self) -> Account;
}
