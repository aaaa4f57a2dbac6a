//! What the engine counts about itself, so that nothing is ever lost silently.
//!
//! Two equations hold at every moment. Engine: `ended = pending + left out + dropped + accepted`. Each
//! exporter: `accepted = pending + exported + on disk + dropped`.

use core::fmt;
use std::collections::BTreeMap;

use crate::frame::sift::RelayRefusal;

/// Why a span that had ended was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum DropReason {
    /// The hand-off to the export thread was full.
    BufferFull,
    /// The record could not be read.
    BadFrame,
    /// The engine had been shut down when the span ended.
    AlreadyShutdown,
    /// The span was started before a fork and ended in the child.
    ForkedChild,
    /// The engine failed inside.
    Internal,
    /// The exporter's queue was full.
    QueueFull,
    /// The destination refused the span for good.
    Rejected,
    /// The destination could not be reached within the time given to retries.
    RetryExhausted,
    /// The span alone is larger than the destination takes.
    TooLarge,
    /// The request may have arrived, but no answer ever said so.
    Unknown,
    /// The engine was shut down before the span could be delivered.
    Shutdown,
    /// A file or stream could not be written.
    Io,
    /// Code of the application in the host stage failed or gave the span up.
    HostFailed,
    /// Too many spans waited for code of the application in the host stage.
    HostFull,
}

impl DropReason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::BufferFull,
        Self::BadFrame,
        Self::AlreadyShutdown,
        Self::ForkedChild,
        Self::Internal,
        Self::QueueFull,
        Self::Rejected,
        Self::RetryExhausted,
        Self::TooLarge,
        Self::Unknown,
        Self::Shutdown,
        Self::Io,
        Self::HostFailed,
        Self::HostFull,
    ];

    /// The name in snake case; `queue_full` and `already_shutdown` are OpenTelemetry's `error.type` values
    /// for its SDK metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BufferFull => "buffer_full",
            Self::BadFrame => "bad_frame",
            Self::AlreadyShutdown => "already_shutdown",
            Self::ForkedChild => "forked_child",
            Self::Internal => "internal",
            Self::QueueFull => "queue_full",
            Self::Rejected => "rejected",
            Self::RetryExhausted => "retry_exhausted",
            Self::TooLarge => "too_large",
            Self::Unknown => "unknown",
            Self::Shutdown => "shutdown",
            Self::Io => "io",
            Self::HostFailed => "host_failed",
            Self::HostFull => "host_full",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counts per [`DropReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drops([u64; DropReason::ALL.len()]);

impl Drops {
    /// Adds to one reason.
    pub fn add(&mut self, reason: DropReason, count: u64) {
        if let Some(slot) = self.0.get_mut(reason as usize) {
            *slot += count;
        }
    }

    /// All reasons together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds another set of counts to this one.
    pub fn merge(&mut self, other: &Self) {
        for (slot, count) in self.0.iter_mut().zip(other.0) {
            *slot += count;
        }
    }

    /// The reasons that occurred.
    pub fn by_reason(&self) -> BTreeMap<DropReason, u64> {
        DropReason::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0).collect()
    }
}

/// The counts of one exporter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExporterStats {
    /// Its name, such as `otlp_http`.
    pub name: String,
    /// Spans it was given.
    pub accepted: u64,
    /// Spans it holds or is sending.
    pub pending: u64,
    /// Spans it delivered.
    pub exported: u64,
    /// Spans that wait in its spool on disk.
    pub on_disk: u64,
    /// Spans it could not deliver.
    pub dropped: BTreeMap<DropReason, u64>,
}

impl ExporterStats {
    /// Whether its equation holds: `accepted = pending + exported + on disk + dropped`.
    pub fn adds_up(&self) -> bool {
        let dropped: u64 = self.dropped.values().sum();
        self.accepted == self.pending + self.exported + self.on_disk + dropped
    }
}

/// What an engine counts of log records, each of which is kept by its level.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogStats {
    /// Records that were recorded.
    pub emitted: u64,
    /// Records that no exporter has been given yet.
    pub pending: u64,
    /// Records handed to the exporters.
    pub accepted: u64,
    /// Records lost before an exporter was given them.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Each exporter's counts, of records.
    pub exporters: Vec<ExporterStats>,
}

impl LogStats {
    /// Records delivered by every exporter.
    pub fn exported(&self) -> u64 {
        self.exporters.iter().map(|exporter| exporter.exported).min().unwrap_or(0)
    }

    /// Drops of the engine and of every exporter together, by reason.
    pub fn all_dropped(&self) -> BTreeMap<DropReason, u64> {
        all_dropped(&self.dropped, &self.exporters)
    }

    /// Whether both equations hold: `emitted = pending + dropped + accepted`, and that of each exporter.
    pub fn adds_up(&self) -> bool {
        self.emitted == self.pending + self.dropped.values().sum::<u64>() + self.accepted
            && self.exporters.iter().all(ExporterStats::adds_up)
    }
}

/// What an engine counts of the metrics that it makes out of spans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricStats {
    /// Spans that metrics count, those that were not sampled among them.
    pub spans: u64,
    /// Those among [`MetricStats::spans`] that went into the series for all that is too many.
    pub overflowed: u64,
    /// Spans that were not sampled and that metrics miss, by reason.
    pub missed: BTreeMap<DropReason, u64>,
    /// Data points collected so far; each exporter is given all of them.
    pub collected: u64,
    /// Each exporter's counts, of data points.
    pub exporters: Vec<ExporterStats>,
}

impl MetricStats {
    /// Data points delivered by every exporter.
    pub fn exported(&self) -> u64 {
        self.exporters.iter().map(|exporter| exporter.exported).min().unwrap_or(0)
    }

    /// Data points that exporters could not deliver, by reason.
    pub fn all_dropped(&self) -> BTreeMap<DropReason, u64> {
        all_dropped(&BTreeMap::new(), &self.exporters)
    }
}

/// What an engine counts of the frames that strangers post to it ([`Engine::relay`](crate::Engine::relay)). Spans that
/// are refused were never this engine's: they are in none of its equations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RelayStats {
    /// Frames that were read.
    pub frames: u64,
    /// Spans that were taken in.
    pub spans: u64,
    /// Requests, events and spans that were not, by reason.
    pub refused: BTreeMap<RelayRefusal, u64>,
}

fn all_dropped(own: &BTreeMap<DropReason, u64>, exporters: &[ExporterStats]) -> BTreeMap<DropReason, u64> {
    let mut all = own.clone();
    for (reason, count) in exporters.iter().flat_map(|exporter| &exporter.dropped) {
        *all.entry(*reason).or_default() += count;
    }
    all
}

/// A snapshot of everything an engine counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Spans that were started, recording or not.
    pub started: u64,
    /// Those among [`Stats::started`] that do not record.
    pub not_recording: u64,
    /// Spans that record and have not ended.
    pub live: u64,
    /// Spans whose `end` was called, recording or not.
    pub ended: u64,
    /// Spans that have ended and that no exporter has been given yet.
    pub pending: u64,
    /// Spans left out because they were not sampled.
    pub unsampled: u64,
    /// Spans left out because they are internal to a framework.
    pub internal: u64,
    /// Spans left out because their type is excluded.
    pub excluded: u64,
    /// Those among [`Stats::unsampled`] whose root was left unsampled under memory pressure.
    pub shed: u64,
    /// Those among [`Stats::unsampled`] that did not record because too many spans were open.
    pub open_limit: u64,
    /// Spans that processors or the span filter of the application left out.
    pub filtered: u64,
    /// Spans handed to the exporters.
    pub accepted: u64,
    /// Spans lost before an exporter was given them.
    pub dropped: BTreeMap<DropReason, u64>,
    /// Second and later calls of `end`, which do nothing.
    pub ended_twice: u64,
    /// Attributes, names and the like that could not be recorded as given (wrong types, cut values).
    pub altered: u64,
    /// Cuts that the limits on content made: texts, arrays, maps, values of a span that was too large.
    pub limited: u64,
    /// Values that redaction replaced.
    pub redacted: u64,
    /// Values left out because their redaction failed.
    pub redaction_failures: u64,
    /// Panics caught at the borders of the engine.
    pub panics: u64,
    /// Calls of the application's processors, filters and formatters that failed; their spans went on.
    pub host_errors: u64,
    /// Starts and changes of open spans that an exporter which follows them was not told of, for want of room.
    pub events_dropped: u64,
    /// Each exporter's counts.
    pub exporters: Vec<ExporterStats>,
    /// The same for log records.
    pub logs: LogStats,
    /// What is counted of metrics.
    pub metrics: MetricStats,
    /// What is counted of strangers' frames.
    pub relay: RelayStats,
}

impl Stats {
    /// Spans delivered: the sum over exporters divided among them is what each delivered; this is the
    /// smallest, so that it equals `ended` only when every exporter has everything.
    pub fn exported(&self) -> u64 {
        self.exporters.iter().map(|exporter| exporter.exported).min().unwrap_or(0)
    }

    /// Spans that wait on disk, over all exporters.
    pub fn on_disk(&self) -> u64 {
        self.exporters.iter().map(|exporter| exporter.on_disk).sum()
    }

    /// Drops of the engine and of every exporter together, by reason.
    pub fn all_dropped(&self) -> BTreeMap<DropReason, u64> {
        all_dropped(&self.dropped, &self.exporters)
    }

    /// The exporters of every signal.
    #[cfg(feature = "engine")]
    pub(crate) fn all_exporters(&self) -> impl Iterator<Item = &ExporterStats> {
        self.exporters.iter().chain(&self.logs.exporters).chain(&self.metrics.exporters)
    }

    /// Drops of the engine and of every exporter together, whatever the signal, for some reasons.
    #[cfg(feature = "engine")]
    pub(crate) fn dropped_for(&self, reasons: &[DropReason]) -> u64 {
        let exporters = self.all_exporters();
        let exporters = exporters.flat_map(|exporter| &exporter.dropped);
        let dropped = self.dropped.iter().chain(exporters);
        dropped.filter(|(reason, _)| reasons.contains(reason)).map(|(_, count)| count).sum()
    }

    /// Spans, log records and data points that are neither delivered nor lost, in the engine and its exporters.
    #[cfg(feature = "engine")]
    pub(crate) fn unsettled(&self) -> u64 {
        let exporters = self.all_exporters().map(|exporter| exporter.pending);
        self.pending + self.logs.pending + exporters.sum::<u64>()
    }

    /// Spans that were deliberately not handed to the exporters.
    pub const fn left_out(&self) -> u64 {
        self.unsampled + self.internal + self.excluded + self.filtered
    }

    /// Whether both equations hold, for spans and for log records, and the second for data points of metrics.
    pub fn adds_up(&self) -> bool {
        let dropped: u64 = self.dropped.values().sum();
        self.ended == self.pending + self.left_out() + dropped + self.accepted
            && self.exporters.iter().all(ExporterStats::adds_up)
            && self.logs.adds_up()
            && self.metrics.exporters.iter().all(ExporterStats::adds_up)
    }
}
