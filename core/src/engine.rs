//! The engine: one configured instance with its sampler, limits and exporters.
//!
//! [`Engine`] is the handle that applications hold; [`Live`] is its state in this process, made anew after
//! a fork. Recording threads reach it through [`crate::recorder`], the export thread through
//! [`crate::worker`].

mod announced;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crate::config::{ResolvedConfig, ResolvedExporter};
use crate::current::DefaultIds;
use crate::error::{Error, ErrorCode};
use crate::export::lane::{ExportLane, LaneCounts, Signal};
use crate::frame::record::{Resource, Scope};
use crate::frame::write::Head;
use crate::lifecycle::{self, MAX_GENERATIONS};
use crate::logs::{self, LogBuilder, LogLevel, Severity};
use crate::pipeline::redact::RedactCounts;
use crate::pipeline::shown::Shown;
use crate::privacy::Redactor;
use crate::propagation::Propagators;
use crate::runtime::{self, Runtime};
use crate::sampling::HeadSampler;
use crate::span::{CaptureBounds, SpanBuilder};
use crate::stats::{DropReason, Drops, LogStats, MetricStats, Stats};
use crate::value::Value;
use crate::worker::Control;
pub(crate) use announced::Following;

/// Scopes an engine can tell apart; later ones are recorded as the engine's own.
const MAX_SCOPES: usize = 1024;

/// Counters are spread over this many cache lines, so that threads do not fight for one.
const SHARDS: usize = 16;

/// Builds an exporter's lane, at the start and again in a forked child.
pub(crate) type LaneBuilder = Box<dyn Fn() -> Result<Box<dyn ExportLane>, Error> + Send + Sync>;

/// What an engine is made of, fixed at its start.
pub(crate) struct Settings {
    pub(crate) config: ResolvedConfig,
    pub(crate) resource: Arc<Resource>,
    pub(crate) scope: Arc<Scope>,
    /// The one in force: the configured one unless the engine is disabled.
    pub(crate) sampler: HeadSampler,
    /// Whether children of this process's spans take their parent's decision without the sampler, and need not be
    /// told apart where it is not to sample.
    pub(crate) children_follow: bool,
    /// Whether metrics count spans that are not sampled.
    pub(crate) counts_unsampled: bool,
    /// Whether the sampler looks at more than names and ids.
    pub(crate) sampler_reads_content: bool,
    /// What spans carry that do not inherit it.
    pub(crate) default_ids: DefaultIds,
    pub(crate) propagators: Propagators,
    /// Changes nothing if redaction is off.
    pub(crate) redactor: Arc<Redactor>,
    /// Those of spans, then those of log records, then those of metrics.
    pub(crate) lanes: Vec<LaneBuilder>,
    /// Whether log records have anywhere to go.
    pub(crate) exports_logs: bool,
    pub(crate) following: Following,
}

/// What an engine is in every process: its settings, and the scopes it has met.
pub(crate) struct Definition {
    pub(crate) settings: Settings,
    scopes: Vec<OnceLock<Arc<Scope>>>,
    scope_count: AtomicUsize,
    /// The least severity of log records that are kept.
    log_threshold: AtomicU8,
}

struct Inner {
    definition: Arc<Definition>,
    live: [OnceLock<Option<Arc<Live>>>; MAX_GENERATIONS],
    stopped: AtomicBool,
}

/// A running engine. Clones are handles of the same one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

/// The state of an engine in one process.
pub(crate) struct Live {
    /// Its number in event headers.
    pub(crate) slot: u16,
    pub(crate) runtime: &'static Runtime,
    pub(crate) definition: Arc<Definition>,
    pub(crate) stopped: AtomicBool,
    /// Shut down before the export thread ever ran: nothing is to be set up for it any more.
    pub(crate) void: AtomicBool,
    shards: [Shard; SHARDS],
    pub(crate) worker_counts: Mutex<WorkerCounts>,
    exporters: Vec<Arc<dyn LaneCounts>>,
    log_exporters: Vec<Arc<dyn LaneCounts>>,
    metric_exporters: Vec<Arc<dyn LaneCounts>>,
    pub(crate) open_over: AtomicBool,
    /// The stages for spans that are shown before they are exported, made when first needed.
    shown: Mutex<Option<Box<Shown>>>,
    /// Failures of the host's exporters before this process, which the child of a fork is not to count.
    host_errors_before: u64,
    /// The queue of each of its exporters is above three quarters: new roots are left unsampled.
    pub(crate) exporters_full: AtomicBool,
    /// A span that is not exported was started, so that usage may have to be rolled up.
    pub(crate) hides: AtomicBool,
    /// Spans whose start was announced and of which it is not decided yet what becomes of them.
    pub(crate) announced: AtomicUsize,
    /// Those among them that recording threads have lost since the export thread last looked, and why.
    pub(crate) lost: Mutex<Vec<(Head, &'static str)>>,
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

/// What a flush or shutdown left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlushReport {
    /// Spans that had ended and were not settled when the deadline came.
    pub pending: u64,
}

impl Engine {
    /// Makes an engine: builds its exporters, so that what is wrong with them is said here, and registers
    /// it with this process's export thread, which starts with the first recorded span.
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        lifecycle::install();
        let lanes = build_lanes(&settings)?;
        let scopes: Vec<OnceLock<Arc<Scope>>> = (0..MAX_SCOPES).map(|_| OnceLock::new()).collect();
        if let Some(own) = scopes.first() {
            let _ = own.set(Arc::clone(&settings.scope));
        }
        let log_level = if settings.exports_logs { settings.config.log_level } else { LogLevel::None };
        let definition = Arc::new(Definition {
            log_threshold: AtomicU8::new(log_level.threshold()),
            settings,
            scopes,
            scope_count: AtomicUsize::new(1),
        });
        let engine = Self(Arc::new(Inner {
            definition,
            live: [const { OnceLock::new() }; MAX_GENERATIONS],
            stopped: AtomicBool::new(false),
        }));
        let live = engine.bring_to_life(lanes);
        let slot = engine.0.live.get(lifecycle::generation()).filter(|_| live.is_some());
        let _ = slot.ok_or_else(Self::refused)?.set(live);
        Ok(engine)
    }

    /// Why a process may have no engine, or no further one.
    pub(crate) fn refused() -> Error {
        let message = "forks nest too deeply in this process (64), or it runs too many engines (65,536)";
        Error::new(ErrorCode::Resource, message)
    }

    fn bring_to_life(&self, mut lanes: Vec<Box<dyn ExportLane>>) -> Option<Arc<Live>> {
        let runtime = runtime::current()?;
        let counts = |signal: Signal| -> Vec<_> {
            lanes.iter().filter(|lane| lane.signal() == signal).map(|lane| lane.counts()).collect()
        };
        let live = Arc::new(Live {
            slot: runtime.next_slot()?,
            runtime,
            definition: Arc::clone(&self.0.definition),
            stopped: AtomicBool::new(self.0.stopped.load(Ordering::Acquire)),
            void: AtomicBool::new(false),
            shards: Default::default(),
            worker_counts: Mutex::default(),
            exporters: counts(Signal::Spans),
            log_exporters: counts(Signal::Logs),
            metric_exporters: counts(Signal::Metrics),
            open_over: AtomicBool::new(false),
            shown: Mutex::default(),
            host_errors_before: export_failures(&self.settings().config),
            exporters_full: AtomicBool::new(false),
            hides: AtomicBool::new(false),
            announced: AtomicUsize::new(0),
            lost: Mutex::default(),
        });
        runtime.adopt(&live);
        runtime.send(Control::Register { live: Arc::clone(&live), lanes: core::mem::take(&mut lanes) });
        Some(live)
    }

    /// The state in this process; `None` where the process is forked too deeply.
    #[inline]
    pub(crate) fn live(&self) -> Option<&Arc<Live>> {
        self.0.live.get(lifecycle::generation())?.get_or_init(|| self.revive()).as_ref()
    }

    /// The first use in a forked child.
    #[cold]
    fn revive(&self) -> Option<Arc<Live>> {
        if self.is_shut_down() {
            return self.bring_to_life(Vec::new());
        }
        let lanes = build_lanes(self.settings()).unwrap_or_else(|error| {
            crate::log::warn_once(
                "revive",
                &format!("exporters could not be made anew after a fork: {error}"),
            );
            Vec::new()
        });
        self.bring_to_life(lanes)
    }

    /// The name under which the registry keeps it.
    pub fn name(&self) -> &str {
        &self.settings().config.name
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.definition.settings
    }

    /// The resource that its spans are exported with.
    pub fn resource(&self) -> &Arc<Resource> {
        &self.settings().resource
    }

    /// The head sampler, for hosts that decide themselves.
    pub fn sampler(&self) -> &HeadSampler {
        &self.settings().sampler
    }

    /// The formats in which context travels to other processes.
    pub fn propagators(&self) -> &Propagators {
        &self.settings().propagators
    }

    /// The rules by which it redacts; they change nothing if redaction is off.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.settings().redactor
    }

    /// How much of a value is captured, for hosts that write values themselves.
    pub fn capture_bounds(&self) -> CaptureBounds {
        CaptureBounds::of(&self.settings().config)
    }

    /// How long the end of the process may be held up.
    pub fn exit_timeout(&self) -> Duration {
        self.settings().config.exit_timeout
    }

    /// A number for an instrumentation scope, for [`SpanBuilder::scope`]. Beyond 1,023 scopes spans are
    /// recorded in the engine's own scope.
    pub fn scope(&self, mut scope: Scope) -> u32 {
        self.settings().redactor.attributes(&mut scope.attributes);
        let Definition { scopes, scope_count, .. } = &*self.0.definition;
        let known = scopes.iter().position(|slot| slot.get().is_some_and(|known| **known == scope));
        if let Some(known) = known {
            return known as u32;
        }
        let next = scope_count.fetch_add(1, Ordering::Relaxed);
        match scopes.get(next) {
            Some(slot) => {
                let _ = slot.set(Arc::new(scope));
                next as u32
            }
            None => {
                scope_count.store(MAX_SCOPES, Ordering::Relaxed);
                crate::log::warn_once(
                    "scopes",
                    "more than 1,023 instrumentation scopes; later ones are merged",
                );
                0
            }
        }
    }

    /// Begins a span of this engine.
    pub fn span<'a>(&'a self, name: &'a str) -> SpanBuilder<'a> {
        SpanBuilder::new(Some(self), name)
    }

    /// Begins a log record of this engine; [`LogBuilder::emit`] records it.
    pub fn log<'a>(&'a self, severity: Severity, body: impl Into<Value<'a>>) -> LogBuilder<'a> {
        LogBuilder::new(Some(self), severity, body.into())
    }

    /// Whether a log record of that severity would be kept.
    #[inline]
    pub fn is_log_enabled(&self, severity: Severity) -> bool {
        logs::keeps(self.0.definition.log_threshold.load(Ordering::Relaxed), severity)
    }

    /// From which severity on log records are kept; [`LogLevel::None`] where they have nowhere to go.
    pub fn log_level(&self) -> LogLevel {
        LogLevel::from_threshold(self.0.definition.log_threshold.load(Ordering::Relaxed))
    }

    /// Changes from which severity on log records are kept, from now on. Nothing changes where they have nowhere
    /// to go.
    pub fn set_log_level(&self, level: LogLevel) {
        if self.settings().exports_logs {
            self.0.definition.log_threshold.store(level.threshold(), Ordering::Relaxed);
        }
    }

    /// Takes in a frame of events that a host encoded itself (`docs/frame.md`). Returns false when the
    /// hand-off is full; the events are then counted as dropped.
    pub fn submit(&self, frame: &[u8], spans: u64) -> bool {
        self.live().is_some_and(|live| crate::recorder::submit(live, frame, spans))
    }

    /// The body of a span's event ([`Span::record_so_far`](crate::Span::record_so_far)) as it may be shown to
    /// code of the application before it is exported: redacted and limited. `None` when that fails: then nothing
    /// of it may be shown.
    pub fn shown(&self, body: &[u8]) -> Option<Vec<u8>> {
        let settings = self.settings();
        let mut stages = self.live()?.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let stages = stages.get_or_insert_with(|| Box::new(Shown::new(&settings.config, &settings.redactor)));
        stages.apply(body).ok()
    }

    /// Waits until every span that had ended when this was called is delivered or given up, at most for
    /// `timeout`, which holds whatever the network does.
    ///
    /// # Errors
    /// [`ErrorCode::DeadlineExceeded`], with what was left in the message.
    pub fn flush(&self, timeout: Duration) -> Result<FlushReport, Error> {
        let Some(live) = self.live() else { return Ok(FlushReport::default()) };
        if !live.runtime.is_running() {
            return live.never_ran();
        }
        let flush = |deadline, reply| Control::Flush { slot: live.slot, deadline, reply };
        live.ask("flush", timeout, &[DropReason::Shutdown], flush).end()
    }

    /// Flushes and stops the engine within `timeout`; what could not be delivered by then is counted as
    /// lost to the shutdown. Spans that end later are counted as `already_shutdown`. A second call does
    /// nothing.
    ///
    /// # Errors
    /// [`ErrorCode::DeadlineExceeded`], with what was left in the message.
    pub fn shutdown(&self, timeout: Duration) -> Result<FlushReport, Error> {
        crate::registry::forget(self);
        self.begin_shutdown(timeout)?.end()
    }

    /// Asks for the shutdown, to be waited for with [`Waiting::end`]. Leaves the registry alone.
    pub(crate) fn begin_shutdown(&self, timeout: Duration) -> Result<Waiting, Error> {
        self.0.stopped.store(true, Ordering::Release);
        // A forked child that never used the engine has nothing to stop.
        let known = self.0.live.get(lifecycle::generation()).and_then(OnceLock::get);
        let Some(live) = known.and_then(Option::as_ref) else { return Ok(Waiting(None)) };
        if live.stopped.swap(true, Ordering::AcqRel) {
            return Ok(Waiting(None));
        }
        if !live.runtime.is_running() {
            live.void.store(true, Ordering::Release);
            return live.never_ran().map(|_| Waiting(None));
        }
        let shutdown = |deadline, reply| Control::Shutdown { slot: live.slot, deadline, reply };
        let reasons = &[DropReason::Shutdown, DropReason::Unknown];
        Ok(live.ask("shutdown", timeout, reasons, shutdown))
    }

    /// Whether it has been shut down.
    pub fn is_shut_down(&self) -> bool {
        self.0.stopped.load(Ordering::Acquire)
    }

    /// What it has counted so far in this process.
    pub fn stats(&self) -> Stats {
        self.live().map_or_else(Stats::default, |live| live.stats())
    }

    /// Whether both are handles of the same engine.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A flush or shutdown that was asked for; none where there was nothing to ask.
pub(crate) struct Waiting(Option<Asked>);

struct Asked {
    live: Arc<Live>,
    what: &'static str,
    timeout: Duration,
    deadline: Instant,
    answer: mpsc::Receiver<()>,
    /// Drops for these reasons mean that it did not succeed; so many there were before.
    reasons: &'static [DropReason],
    before: u64,
}

impl Waiting {
    /// Waits for the answer, at most until the deadline.
    pub(crate) fn end(self) -> Result<FlushReport, Error> {
        let Some(Asked { live, what, timeout, deadline, answer, reasons, before }) = self.0 else {
            return Ok(FlushReport::default());
        };
        // The export thread answers at the deadline; a little more lets its last counts arrive.
        let left = deadline.saturating_duration_since(Instant::now()) + Duration::from_millis(50);
        let answered = answer.recv_timeout(left).is_ok();
        let stats = live.stats();
        let pending = stats.unsettled();
        let lost = stats.dropped_for(reasons).saturating_sub(before);
        if lost == 0 && (answered || pending == 0) {
            return Ok(FlushReport { pending });
        }
        let left = pending + lost;
        let message = format!(
            "{what} within {timeout:?} leaves {left} spans, log records or data points that are not known to be \
             delivered"
        );
        Err(Error::new(ErrorCode::DeadlineExceeded, message))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Definition {
    pub(crate) fn scope_of(&self, id: u32) -> &Arc<Scope> {
        self.scopes.get(id as usize).and_then(OnceLock::get).unwrap_or(&self.settings.scope)
    }
}

/// Calls of the host's exporters that failed while their spans went on.
fn export_failures(config: &ResolvedConfig) -> u64 {
    let failures = |exporter: &ResolvedExporter| match exporter {
        ResolvedExporter::Host(exporter) => exporter.handler.failures(),
        ResolvedExporter::Formatted(formatters, _) => formatters.failures(),
        _ => 0,
    };
    config.exporters.iter().map(failures).sum()
}

fn build_lanes(settings: &Settings) -> Result<Vec<Box<dyn ExportLane>>, Error> {
    settings.lanes.iter().map(|build| build()).collect()
}

impl Live {
    /// Sends the export thread a request with its deadline.
    fn ask(
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
        Waiting(Some(Asked { live: Arc::clone(self), what, timeout, deadline, answer, reasons, before }))
    }

    /// The answer to a flush where the export thread does not run: nothing was recorded, unless the
    /// operating system refused the thread.
    fn never_ran(&self) -> Result<FlushReport, Error> {
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

    fn sum(&self, counter: impl Fn(&Shard) -> &AtomicU64) -> u64 {
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
        }
    }
}
