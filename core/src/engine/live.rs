//! The state of an engine in one process: its counters, and the snapshot made of them. Recording threads and the
//! export thread count here; [`Engine`](super::Engine) makes one, and another in a forked child.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::{Asked, Definition, FlushReport, Waiting};
use crate::config::{ResolvedConfig, ResolvedExporter};
use crate::error::{Error, ErrorCode};
use crate::export::lane::LaneCounts;
use crate::frame::write::Head;
use crate::pipeline::redact::RedactCounts;
use crate::pipeline::shown::Shown;
use crate::runtime::Runtime;
use crate::stats::{DropReason, Drops, LogStats, MetricStats, RelayStats, Stats};
use crate::worker::Control;

/// Counters are spread over this many cache lines, so that threads do not fight for one.
const SHARDS: usize = 16;

/// The state of an engine in one process.
pub(crate) struct Live {
    /// Its number in event headers.
    pub(crate) slot: u16,
    pub(crate) runtime: &'static Runtime,
    pub(crate) definition: Arc<Definition>,
    pub(crate) stopped: AtomicBool,
    /// Shut down before the export thread ever ran: nothing is to be set up for it any more.
    pub(crate) void: AtomicBool,
    pub(super) shards: [Shard; SHARDS],
    pub(crate) worker_counts: Mutex<WorkerCounts>,
    pub(super) exporters: Vec<Arc<dyn LaneCounts>>,
    pub(super) log_exporters: Vec<Arc<dyn LaneCounts>>,
    pub(super) metric_exporters: Vec<Arc<dyn LaneCounts>>,
    pub(crate) open_over: AtomicBool,
    /// The stages for spans that are shown before they are exported, made when first needed.
    pub(super) shown: Mutex<Option<Box<Shown>>>,
    /// Failures of the host's exporters before this process, which the child of a fork is not to count.
    pub(super) host_errors_before: u64,
    /// The queue of each of its exporters is above three quarters: new roots are left unsampled.
    pub(crate) exporters_full: AtomicBool,
    /// A span that is not exported was started, so that usage may have to be rolled up.
    pub(crate) hides: AtomicBool,
    /// Spans whose start was announced and of which it is not decided yet what becomes of them.
    pub(crate) announced: AtomicUsize,
    /// Those among them that recording threads have lost since the export thread last looked, and why.
    pub(crate) lost: Mutex<Vec<(Head, &'static str)>>,
    /// What came of strangers' frames.
    pub(crate) relay: Mutex<RelayStats>,
}

/// Counters of some recording threads, on a cache line pair of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Shard {
    /// Spans started that record.
    pub(crate) recording: AtomicU64,
    /// Spans started that do not.
    pub(crate) not_recording: AtomicU64,
    /// Recording spans that ended.
    pub(crate) ended: AtomicU64,
    /// Spans that ended without having recorded.
    pub(crate) unsampled: AtomicU64,
    /// Spans that ended in hosts which encode frames themselves.
    pub(crate) frames: AtomicU64,
    /// Recording spans that were thrown away.
    pub(crate) discarded: AtomicU64,
    pub(crate) open_bytes: AtomicU64,
    pub(crate) shed: AtomicU64,
    pub(crate) open_limit: AtomicU64,
    pub(crate) buffer_full: AtomicU64,
    pub(crate) already_shutdown: AtomicU64,
    /// Spans of the parent process that ended here.
    pub(crate) forked: AtomicU64,
    pub(crate) ended_twice: AtomicU64,
    pub(crate) altered: AtomicU64,
    pub(crate) limited: AtomicU64,
    pub(crate) panics: AtomicU64,
    /// Log records that were recorded.
    pub(crate) logs: AtomicU64,
    pub(crate) logs_buffer_full: AtomicU64,
    pub(crate) logs_already_shutdown: AtomicU64,
    /// Starts and changes of spans that nobody was told of.
    pub(crate) events_dropped: AtomicU64,
    /// Unsampled spans that metrics miss: the hand-off was full, or the engine shut down.
    pub(crate) counted_full: AtomicU64,
    pub(crate) counted_late: AtomicU64,
}

/// What the export thread counted, published once per pass.
#[derive(Debug, Default, Clone)]
pub(crate) struct WorkerCounts {
    pub(crate) accepted: u64,
    pub(crate) unsampled: u64,
    pub(crate) filtered: u64,
    pub(crate) internal: u64,
    pub(crate) excluded: u64,
    pub(crate) drops: Drops,
    pub(crate) limited: u64,
    pub(crate) panics: u64,
    pub(crate) logs_accepted: u64,
    pub(crate) log_drops: Drops,
    pub(crate) host_errors: u64,
    pub(crate) events_dropped: u64,
    pub(crate) redact: RedactCounts,
    pub(crate) measure: MeasureCounts,
}

/// What metrics counted.
#[derive(Debug, Default, Clone)]
pub(crate) struct MeasureCounts {
    pub(crate) spans: u64,
    pub(crate) overflowed: u64,
    pub(crate) collected: u64,
    pub(crate) missed: Drops,
}

impl Live {
    /// Has the lanes of every signal keep what they are given, or lets it go again.
    pub(super) fn hold(&self, held: bool) {
        let lanes = self.exporters.iter().chain(&self.log_exporters).chain(&self.metric_exporters);
        lanes.for_each(|lane| lane.hold(held));
    }

    /// Sends the export thread a request with its deadline.
    pub(super) fn ask(
        self: &Arc<Self>,
        what: &'static str,
        timeout: Duration,
        reasons: &'static [DropReason],
        message: impl FnOnce(Instant, mpsc::SyncSender<()>) -> Control,
    ) -> Waiting {
        // A timeout beyond what the clock can hold means: as long as it takes.
        let timeout = timeout.min(Duration::from_secs(86_400 * 365));
        let deadline = Instant::now() + timeout;
        let before = self.stats().dropped_for(reasons);
        let (reply, answer) = mpsc::sync_channel(1);
        self.runtime.send(message(deadline, reply));
        let live = Arc::clone(self);
        Waiting(Some(Asked { live, what, timeout, deadline, answer, answered: false, reasons, before }))
    }

    /// The answer to a flush where the export thread does not run: nothing was recorded, unless the
    /// operating system refused the thread.
    pub(super) fn never_ran(&self) -> Result<FlushReport, Error> {
        let stats = self.stats();
        match stats.pending + stats.logs.pending {
            0 => Ok(FlushReport::default()),
            left => {
                let message = format!(
                    "the export thread could not be started; {left} spans or log records wait for it"
                );
                Err(Error::new(ErrorCode::Resource, message))
            }
        }
    }

    /// The counters of a recording thread.
    #[inline]
    pub(crate) fn shard(&self, thread: usize) -> &Shard {
        match self.shards.get(thread % SHARDS) {
            Some(shard) => shard,
            // Unreachable by arithmetic; the first shard keeps this free of panics.
            None => {
                let [first, ..] = &self.shards;
                first
            }
        }
    }

    pub(super) fn sum(&self, counter: impl Fn(&Shard) -> &AtomicU64) -> u64 {
        self.shards.iter().map(|shard| counter(shard).load(Ordering::Acquire)).fold(0, u64::wrapping_add)
    }

    /// Whether new roots should be left unsampled for want of memory: in the hand-off, which all engines share,
    /// or in this engine's exporters.
    #[inline]
    pub(crate) fn under_pressure(&self) -> bool {
        self.runtime.handoff.under_pressure() || self.exporters_full.load(Ordering::Relaxed)
    }

    /// Spans that record and have not ended.
    pub(crate) fn open_spans(&self) -> u64 {
        let closed = self.sum(|shard| &shard.ended) + self.sum(|shard| &shard.discarded);
        self.sum(|shard| &shard.recording).saturating_sub(closed)
    }

    /// Looks whether too many spans, or too many bytes of them, are open.
    pub(crate) fn check_open(&self) -> bool {
        let bounds = &self.definition.settings.config.memory;
        let over = self.open_spans() >= bounds.open_spans as u64
            || self.sum(|shard| &shard.open_bytes) as i64 >= bounds.open_span_bytes as i64;
        self.open_over.store(over, Ordering::Relaxed);
        over
    }

    /// A snapshot. What happens to a span is read before `ended`, so that no count runs ahead of it.
    pub(crate) fn stats(&self) -> Stats {
        let exporters = self.exporters.iter().map(|exporter| exporter.snapshot()).collect();
        let log_exporters = self.log_exporters.iter().map(|exporter| exporter.snapshot()).collect();
        let metric_exporters = self.metric_exporters.iter().map(|exporter| exporter.snapshot()).collect();
        let worker = self.worker_counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut drops = worker.drops;
        drops.add(DropReason::BufferFull, self.sum(|shard| &shard.buffer_full));
        drops.add(DropReason::AlreadyShutdown, self.sum(|shard| &shard.already_shutdown));
        let forked = self.sum(|shard| &shard.forked);
        drops.add(DropReason::ForkedChild, forked);
        let quiet = self.sum(|shard| &shard.unsampled);
        let unsampled = worker.unsampled + quiet;
        let frames = self.sum(|shard| &shard.frames);
        let ended = self.sum(|shard| &shard.ended) + quiet + frames + forked;
        let not_recording = self.sum(|shard| &shard.not_recording);
        let mut log_drops = worker.log_drops;
        log_drops.add(DropReason::BufferFull, self.sum(|shard| &shard.logs_buffer_full));
        log_drops.add(DropReason::AlreadyShutdown, self.sum(|shard| &shard.logs_already_shutdown));
        let emitted = self.sum(|shard| &shard.logs);
        let mut missed = worker.measure.missed;
        missed.add(DropReason::BufferFull, self.sum(|shard| &shard.counted_full));
        missed.add(DropReason::AlreadyShutdown, self.sum(|shard| &shard.counted_late));
        Stats {
            started: self.sum(|shard| &shard.recording) + not_recording + frames,
            not_recording,
            live: self.open_spans(),
            ended,
            pending: ended.saturating_sub(
                unsampled
                    + worker.internal
                    + worker.excluded
                    + worker.filtered
                    + drops.total()
                    + worker.accepted,
            ),
            unsampled,
            internal: worker.internal,
            excluded: worker.excluded,
            shed: self.sum(|shard| &shard.shed),
            open_limit: self.sum(|shard| &shard.open_limit),
            filtered: worker.filtered,
            accepted: worker.accepted,
            dropped: drops.by_reason(),
            ended_twice: self.sum(|shard| &shard.ended_twice),
            altered: self.sum(|shard| &shard.altered),
            limited: worker.limited + self.sum(|shard| &shard.limited),
            redacted: worker.redact.redacted,
            redaction_failures: worker.redact.failed,
            panics: worker.panics + self.sum(|shard| &shard.panics),
            host_errors: worker.host_errors
                + export_failures(&self.definition.settings.config).saturating_sub(self.host_errors_before),
            events_dropped: worker.events_dropped + self.sum(|shard| &shard.events_dropped),
            exporters,
            logs: LogStats {
                emitted,
                pending: emitted.saturating_sub(log_drops.total() + worker.logs_accepted),
                accepted: worker.logs_accepted,
                dropped: log_drops.by_reason(),
                exporters: log_exporters,
            },
            metrics: MetricStats {
                spans: worker.measure.spans,
                overflowed: worker.measure.overflowed,
                missed: missed.by_reason(),
                collected: worker.measure.collected,
                exporters: metric_exporters,
            },
            relay: self.relay.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// Calls of the host's exporters that failed while their spans went on.
pub(super) fn export_failures(config: &ResolvedConfig) -> u64 {
    let failures = |exporter: &ResolvedExporter| match exporter {
        ResolvedExporter::Host(exporter) => exporter.handler.failures(),
        ResolvedExporter::Formatted(formatters, _) => formatters.failures(),
        _ => 0,
    };
    config.exporters.iter().map(failures).sum()
}
