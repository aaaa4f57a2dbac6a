//! Exporters: an [`Encoder`] that turns records into batches and a [`Sink`] that delivers them.
//!
//! The export thread pushes every record into the encoder of each exporter; a lane per exporter keeps the
//! batches in a queue bounded by count and bytes and drives the sink in a task of its own, so that a dead
//! destination never delays another. The sink reports an [`Outcome`] whose counts add up to the spans of
//! the batch. A new exporter is one file with these two traits and one line where the engine lists them.

#[cfg(feature = "engine")]
pub mod console;
#[cfg(feature = "engine")]
pub mod file;
#[cfg(feature = "engine")]
pub(crate) mod formatted;
#[cfg(feature = "engine")]
pub(crate) mod host;
#[cfg(feature = "engine")]
pub(crate) mod lane;
#[cfg(feature = "engine")]
pub mod memory;
pub mod otlp;

#[cfg(feature = "engine")]
mod blocking;
#[cfg(feature = "engine")]
mod context;

#[cfg(feature = "engine")]
pub use context::{Pause, SendContext};

use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::metrics::data::MetricsData;
use crate::stats::DropReason;

/// Turns records into batches, on the export thread; it never blocks.
pub trait Encoder: Send + 'static {
    /// What the sink is given.
    type Batch: Send + 'static;

    /// Copies what it needs of a finished span.
    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>);

    /// Copies collected metrics; an encoder of another signal leaves them out, which is the default. Where it takes
    /// them, "spans" means data points.
    fn push_metrics(&mut self, _: &MetricsData) {}

    /// Spans held since the last [`Encoder::take`].
    fn spans(&self) -> u32;

    /// Bytes held since then.
    fn bytes(&self) -> usize;

    /// Hands over what is held and starts anew. Called only when [`Encoder::spans`] is not zero.
    fn take(&mut self) -> Self::Batch;

    /// Adds a later batch to one that waits, so that both are delivered at once; gives it back where batches
    /// cannot be joined, which is the default.
    fn join(_into: &mut Self::Batch, more: Self::Batch) -> Option<Self::Batch> {
        Some(more)
    }

    /// Makes a batch smaller that has to wait for long, and says how many bytes it takes then; `None` where it stays as
    /// it is, which is the default. Packed batches are joined as others are.
    fn pack(_batch: &mut Self::Batch) -> Option<usize> {
        None
    }

    /// Makes a batch again what it was before it was packed, just before the sink is given it. Called for every batch;
    /// false when that is not possible, and the batch is lost.
    fn unpack(_batch: &mut Self::Batch) -> bool {
        true
    }

    /// Hands over what need not wait any longer, when a bound or the schedule asks and not a flush. What
    /// it keeps stays in [`Encoder::spans`] and [`Encoder::bytes`]. By default that is nothing.
    fn take_ready(&mut self) -> Self::Batch {
        self.take()
    }
}

/// What became of a batch: `exported + rejected + unknown + every dropped` equals its spans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Spans the receiver accepted.
    pub exported: u32,
    /// Spans the receiver refused for good: a permanent status, or its share of a partial success.
    pub rejected: u32,
    /// Spans that may have arrived, though no answer said so before the sink gave up.
    pub unknown: u32,
    /// Spans that certainly did not arrive, by reason; each reason occurs at most once.
    pub dropped: Vec<(DropReason, u32)>,
    /// What the operator should be told: why spans were lost, or a warning of the receiver.
    pub message: Option<String>,
}

impl Outcome {
    /// Every span was accepted.
    pub fn exported(spans: u32) -> Self {
        Self { exported: spans, ..Self::default() }
    }

    /// Every span was dropped for one reason.
    pub fn dropped(reason: DropReason, spans: u32, message: impl Into<String>) -> Self {
        Self { dropped: vec![(reason, spans)], message: Some(message.into()), ..Self::default() }
    }

    /// Adds `spans` to those dropped for `reason`.
    pub fn drop_spans(&mut self, reason: DropReason, spans: u32) {
        match self.dropped.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count = count.saturating_add(spans),
            None => self.dropped.push((reason, spans)),
        }
    }

    /// Counts `spans` that were lost for `reason`, and keeps the first message.
    pub fn lose(&mut self, reason: DropReason, spans: u32, message: String) {
        match reason {
            DropReason::Rejected => self.rejected = self.rejected.saturating_add(spans),
            DropReason::Unknown => self.unknown = self.unknown.saturating_add(spans),
            _ => self.drop_spans(reason, spans),
        }
        self.message.get_or_insert(message);
    }

    /// All spans the outcome accounts for.
    pub fn spans(&self) -> u32 {
        let dropped = self.dropped.iter().fold(0u32, |sum, (_, count)| sum.saturating_add(*count));
        self.exported.saturating_add(self.rejected).saturating_add(self.unknown).saturating_add(dropped)
    }
}

/// The far end of a lane: takes one batch at a time and says what became of it.
///
/// A lane never calls `send` while an earlier call is running. A future that is dropped half-way leaves
/// the sink usable; the lane then counts the batch itself.
#[cfg(feature = "engine")]
pub trait Sink<B>: Send + 'static {
    /// Delivers the batch, or gives it up at the bounds of its own options and of `context`.
    fn send(&mut self, batch: B, context: &SendContext) -> impl Future<Output = Outcome> + Send;

    /// Makes durable what was sent so far; called at the end of a flush.
    fn flush(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Releases connections and files; nothing is sent afterwards.
    fn shutdown(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_adds_up() {
        let mut outcome = Outcome { exported: 3, rejected: 2, unknown: 1, ..Outcome::default() };
        outcome.drop_spans(DropReason::TooLarge, 4);
        outcome.drop_spans(DropReason::TooLarge, 1);
        outcome.drop_spans(DropReason::Shutdown, 7);
        assert_eq!(outcome.dropped, [(DropReason::TooLarge, 5), (DropReason::Shutdown, 7)]);
        assert_eq!(outcome.spans(), 18);
    }
}
