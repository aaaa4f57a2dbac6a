//! Why a span was dropped, the vocabulary of every counter.
//!
//! Pipeline, exporters and the engine count with it; bindings expose [`DropReason::as_str`] as the key.

use core::fmt;

/// Why a span that had ended did not reach an exporter's receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DropReason {
    /// The hand-off pool was full.
    QueueFull,
    /// The exporter's own buffer was full.
    BufferFull,
    /// Too many spans were open.
    OpenLimit,
    /// The receiver refused the span for good: a permanent status, or its share of a partial success.
    Rejected,
    /// The request may have arrived, but no answer ever said so.
    Unknown,
    /// Every attempt failed before the retry bound, and none can have been accepted.
    RetryExhausted,
    /// The span alone is larger than the receiver or the protocol takes.
    TooLarge,
    /// The engine was shut down before the span could be delivered.
    Shutdown,
    /// The exporter could not write it (file or console).
    Io,
    /// A defect of the engine itself.
    Internal,
    /// The bytes of the span could not be read.
    BadFrame,
    /// The span was started before a fork and ended in the child.
    ForkedChild,
}

impl DropReason {
    /// The reason in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::BufferFull => "buffer_full",
            Self::OpenLimit => "open_limit",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::RetryExhausted => "retry_exhausted",
            Self::TooLarge => "too_large",
            Self::Shutdown => "shutdown",
            Self::Io => "io",
            Self::Internal => "internal",
            Self::BadFrame => "bad_frame",
            Self::ForkedChild => "forked_child",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
