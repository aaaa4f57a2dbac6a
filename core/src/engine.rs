//! The engine: one configured instance with its sampler, limits and exporters.
//!
//! [`Engine`] is the handle that applications hold; [`Live`] is its state in this process, made anew after
//! a fork. Recording threads reach it through [`crate::recorder`], the export thread through
//! [`crate::worker`].

mod announced;
mod live;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

use crate::config::ResolvedConfig;
use crate::current::Defaults;
use crate::error::{Error, ErrorCode};
use crate::export::lane::{ExportLane, Signal};
use crate::frame::record::{Resource, Scope};
use crate::lifecycle::{self, MAX_GENERATIONS};
use crate::logs::{self, LogBuilder, LogLevel, Severity};
use crate::pipeline::shown::Shown;
use crate::privacy::Redactor;
use crate::propagation::Propagators;
use crate::runtime;
use crate::sampling::HeadSampler;
use crate::span::{CaptureBounds, SpanBuilder};
use crate::stats::{DropReason, Stats};
use crate::value::Value;
use crate::worker::Control;
pub(crate) use announced::Following;
#[cfg(feature = "metrics")]
pub(crate) use live::MeasureCounts;
use live::export_failures;
pub(crate) use live::{Live, Shard, WorkerCounts};

/// Scopes an engine can tell apart; later ones are recorded as the engine's own.
const MAX_SCOPES: usize = 1024;

/// Builds an exporter's lane, at the start and again in a forked child.
pub(crate) type LaneBuilder = Box<dyn Fn() -> Result<Box<dyn ExportLane>, Error> + Send + Sync>;

/// What an engine is made of, fixed at its start.
pub(crate) struct Settings {
    pub(crate) config: ResolvedConfig,
    pub(crate) resource: Arc<Resource>,
    pub(crate) scope: Arc<Scope>,
    /// The one in force: the configured one unless the engine is disabled.
    pub(crate) sampler: HeadSampler,
    /// Whether children of this process's spans take their parent's decision without the sampler.
    pub(crate) sampler_inherits: bool,
    /// Whether they also need not be told apart where the decision is not to sample.
    pub(crate) children_follow: bool,
    /// Whether metrics count spans that are not sampled.
    pub(crate) counts_unsampled: bool,
    /// Whether the sampler looks at more than names and ids.
    pub(crate) sampler_reads_content: bool,
    /// What spans carry that are given nothing else.
    pub(crate) defaults: Defaults,
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
    /// Exporters keep what they are given ([`Engine::hold`]).
    held: AtomicBool,
}

struct Inner {
    definition: Arc<Definition>,
    live: [OnceLock<Option<Arc<Live>>>; MAX_GENERATIONS],
    stopped: AtomicBool,
}

/// A running engine. Clones are handles of the same one.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

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
            held: AtomicBool::new(false),
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
            relay: Mutex::default(),
        });
        if self.0.definition.held.load(Ordering::Acquire) {
            live.hold(true);
        }
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

    /// What a number of [`Engine::scope`] stands for.
    pub(crate) fn scope_of(&self, id: u32) -> &Arc<Scope> {
        self.0.definition.scope_of(id)
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

    /// Has the exporters keep what they are given from now on, while a network is not to be used, or lets it go
    /// again. What waits is bounded as ever: what does not fit into a queue is dropped and counted. A flush and the
    /// shutdown send what there is all the same; what comes after a flush waits again.
    pub fn hold(&self, held: bool) {
        self.0.definition.held.store(held, Ordering::Release);
        if let Some(live) = self.live() {
            live.hold(held);
        }
    }

    /// Waits until every span that had ended when this was called is delivered or given up, at most for
    /// `timeout`, which holds whatever the network does.
    ///
    /// # Errors
    /// [`ErrorCode::DeadlineExceeded`], with what was left in the message.
    pub fn flush(&self, timeout: Duration) -> Result<FlushReport, Error> {
        self.begin_flush(timeout)?.end()
    }

    /// Asks for a [`Engine::flush`] without waiting: for hosts that have something else to do meanwhile.
    ///
    /// # Errors
    /// [`ErrorCode::Resource`] where the operating system refused the export thread.
    pub fn begin_flush(&self, timeout: Duration) -> Result<Waiting, Error> {
        let Some(live) = self.live() else { return Ok(Waiting(None)) };
        if !live.runtime.is_running() {
            return live.never_ran().map(|_| Waiting(None));
        }
        let flush = |deadline, reply| Control::Flush { slot: live.slot, deadline, reply };
        Ok(live.ask("flush", timeout, &[DropReason::Shutdown], flush))
    }

    /// Flushes and stops the engine within `timeout`; what could not be delivered by then is counted as
    /// lost to the shutdown. Spans that end later are counted as `already_shutdown`. A second call does
    /// nothing.
    ///
    /// # Errors
    /// [`ErrorCode::DeadlineExceeded`], with what was left in the message.
    pub fn shutdown(&self, timeout: Duration) -> Result<FlushReport, Error> {
        self.begin_shutdown(timeout)?.end()
    }

    /// Asks for a [`Engine::shutdown`] without waiting. The engine stops by its deadline, whether it is waited for
    /// or not.
    ///
    /// # Errors
    /// [`ErrorCode::Resource`] where the operating system refused the export thread.
    pub fn begin_shutdown(&self, timeout: Duration) -> Result<Waiting, Error> {
        crate::registry::forget(self);
        self.begin_exit(timeout)
    }

    /// The same, leaving the registry alone.
    pub(crate) fn begin_exit(&self, timeout: Duration) -> Result<Waiting, Error> {
        self.0.stopped.store(true, Ordering::Release);
        // A forked child that never used the engine has nothing to stop.
        let known = self.0.live.get(lifecycle::generation()).and_then(OnceLock::get);
        let Some(live) = known.and_then(Option::as_ref) else { return Ok(Waiting(None)) };
        if live.stopped.swap(true, Ordering::AcqRel) {
            return Ok(Waiting(None));
        }
        if !live.runtime.is_running() {
            live.void.store(true, Ordering::Release);
            live.runtime.let_go_of_stopped();
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

/// A flush or shutdown that was asked for and is under way.
#[must_use = "nobody waits for it until `end` is called"]
pub struct Waiting(
    /// None where there was nothing to ask.
    Option<Asked>,
);

struct Asked {
    live: Arc<Live>,
    what: &'static str,
    timeout: Duration,
    deadline: Instant,
    answer: mpsc::Receiver<()>,
    /// Whether the answer has come.
    answered: bool,
    /// Drops for these reasons mean that it did not succeed; so many there were before.
    reasons: &'static [DropReason],
    before: u64,
}

impl Waiting {
    /// Waits for the answer for `slice`, at most until the deadline. True once there is nothing more to wait for.
    pub fn wait(&mut self, slice: Duration) -> bool {
        let Some(asked) = self.0.as_mut().filter(|asked| !asked.answered) else { return true };
        // The export thread answers at the deadline; a little more lets its last counts arrive.
        let left = (asked.deadline + Duration::from_millis(50)).saturating_duration_since(Instant::now());
        match asked.answer.recv_timeout(slice.min(left)) {
            Ok(()) => asked.answered = true,
            Err(mpsc::RecvTimeoutError::Timeout) => return left <= slice,
            Err(mpsc::RecvTimeoutError::Disconnected) => {}
        }
        true
    }

    /// Waits for the answer, at most until the deadline.
    ///
    /// # Errors
    /// [`ErrorCode::DeadlineExceeded`], with what was left in the message.
    pub fn end(mut self) -> Result<FlushReport, Error> {
        self.wait(Duration::MAX);
        let Some(Asked { live, what, timeout, answered, reasons, before, .. }) = self.0 else {
            return Ok(FlushReport::default());
        };
        let stats = live.stats();
        let pending = stats.unsettled();
        let lost = stats.dropped_for(reasons).saturating_sub(before);
        if lost == 0 && (answered || pending == 0) {
            return Ok(FlushReport { pending });
        }
        let left = pending + lost;
        let timeout = seconds(timeout);
        // What several exporters have not delivered is left several times.
        let over = match stats.all_exporters().filter(|exporter| exporter.accepted > 0).count() {
            0 | 1 => String::new(),
            exporters => format!(" (over {exporters} exporters)"),
        };
        let message = format!(
            "{what} within {timeout} s leaves {left} spans, log records or data points{over} that are not known to \
             be delivered"
        );
        Err(Error::new(ErrorCode::DeadlineExceeded, message))
    }
}

/// Seconds with at most three digits behind the point.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("for", &self.0.as_ref().map(|asked| asked.what))
            .finish_non_exhaustive()
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

fn build_lanes(settings: &Settings) -> Result<Vec<Box<dyn ExportLane>>, Error> {
    settings.lanes.iter().map(|build| build()).collect()
}
