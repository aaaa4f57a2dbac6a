//! What travels between spans and processes: trace flags, tracestate and the span context.
//!
//! Samplers read it, propagators write and parse it ([`crate::propagation`]), spans carry it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::id::{SpanId, TraceId};

/// The flag byte of W3C Trace Context level 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// The trace is recorded by the caller.
    pub const SAMPLED: Self = Self(1);
    /// The low 56 bits of the trace id are random.
    pub const RANDOM: Self = Self(2);

    /// Neither flag.
    pub const fn empty() -> Self {
        Self(0)
    }

    /// The ids are those of the nearest ancestor that is exported, because the span itself is not. Never
    /// sent, and never read from another process.
    const STANDS_IN: u8 = 1 << 7;

    /// Keeps the two bits that level 2 defines; W3C asks that others are sent as zero.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & 3)
    }

    /// The flag byte.
    pub const fn bits(self) -> u8 {
        self.0 & 3
    }

    /// Every bit, for another slot of this process, or a host, that keeps them.
    #[cfg(feature = "engine")]
    pub(crate) const fn raw(self) -> u8 {
        self.0
    }

    /// What [`TraceFlags::raw`] gave.
    #[cfg(feature = "engine")]
    pub(crate) const fn from_raw(bits: u8) -> Self {
        Self(bits & (3 | Self::STANDS_IN))
    }

    /// Whether the ids are those of another span that stands in for one that is not exported.
    #[inline]
    pub(crate) const fn stands_in(self) -> bool {
        self.0 & Self::STANDS_IN != 0
    }

    /// The same flags, of a span that is exported or of one that stands in.
    #[inline]
    pub(crate) const fn with_stand_in(self, stands_in: bool) -> Self {
        Self(self.0 & !Self::STANDS_IN | (stands_in as u8) << 7)
    }

    /// Whether the sampled bit is set.
    pub const fn is_sampled(self) -> bool {
        self.0 & 1 != 0
    }

    /// Whether the random bit is set.
    pub const fn is_random(self) -> bool {
        self.0 & 2 != 0
    }

    /// The same flags with the sampled bit as given.
    #[must_use]
    pub const fn with_sampled(self, sampled: bool) -> Self {
        Self(self.0 & !1 | sampled as u8)
    }

    /// The same flags with the random bit as given.
    #[must_use]
    pub const fn with_random(self, random: bool) -> Self {
        Self(self.0 & !2 | (random as u8) << 1)
    }
}

/// The vendor list of W3C Trace Context, as its validated header text.
///
/// Empty costs nothing; a list is shared, not copied, by all spans of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TraceState(Option<Arc<str>>);

impl TraceState {
    /// No members.
    pub const EMPTY: Self = Self(None);

    /// Wraps header text that is known to be valid; [`crate::propagation::tracestate`] parses.
    pub(crate) fn from_valid(header: &str) -> Self {
        if header.is_empty() { Self(None) } else { Self(Some(Arc::from(header))) }
    }

    /// The header text; empty when there are no members.
    pub fn header(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// The identity of a span as others refer to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct SpanContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// Sampled and random flags.
    pub flags: TraceFlags,
    /// The vendor list.
    pub state: TraceState,
    /// Whether the span lives in another process.
    pub remote: bool,
}

impl SpanContext {
    /// Whether both ids are valid.
    pub fn is_valid(&self) -> bool {
        self.trace_id.is_valid() && self.span_id.is_valid()
    }

    /// Whether the sampled flag is set.
    pub fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    /// Whether spans can be children of it: it is valid, or stands for a span of this process that is not
    /// exported and has no exported ancestor; its children are then at the top of its trace.
    #[inline]
    pub fn is_parent(&self) -> bool {
        self.trace_id.is_valid() && (self.span_id.is_valid() || self.flags.stands_in())
    }

    /// What other processes are told: where no exported span stands in, an id that only this trace has, so
    /// that they stay in the trace.
    pub(crate) fn sent(&self) -> Cow<'_, Self> {
        if self.span_id.is_valid() || !self.is_parent() {
            return Cow::Borrowed(self);
        }
        let span_id = self.trace_id.to_bytes().last_chunk::<8>().map_or(SpanId::INVALID, |low| {
            // All zeros would be no id.
            SpanId::from_bytes(if *low == [0; 8] { [1; 8] } else { *low })
        });
        Cow::Owned(Self { span_id, ..self.clone() })
    }

    /// Whether it names a span of this process that is not sampled.
    #[inline]
    pub(crate) fn is_unsampled_here(&self) -> bool {
        !self.remote && !self.is_sampled() && self.is_valid()
    }
}
