//! One engine on the export thread: the way of its spans and log records from the hand-off through the stages of
//! the pipeline to the exporters.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, mpsc as std_mpsc};
use std::time::{Duration, Instant as StdInstant};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::engine::{Live, WorkerCounts};
use crate::export::lane::{ExportLane, Signal};
use crate::frame::batch::{Events, NO_STRINGS, RawEvent, StringTable};
use crate::frame::check::TextBudget;
use crate::frame::view::SpanView;
use crate::frame::write::Head;
use crate::frame::{EventKind, FrameError};
use crate::host::{HostEvent, Tap};
use crate::pipeline::calls::Calls;
use crate::pipeline::fields::FieldFilter;
use crate::pipeline::follow::Follow;
use crate::pipeline::host::{self, Mark};
use crate::pipeline::leave_out::{LeftOut, left_out};
use crate::pipeline::limits::Limiter;
#[cfg(feature = "metrics")]
use crate::pipeline::measure::Measure;
use crate::pipeline::redact::{Redact, hidden_in};
use crate::pipeline::rollup::RollUp;
use crate::stats::DropReason;
use crate::worker::following::context_in;

/// Sinks give up at the deadline of a shutdown by themselves and know best what became of their batch; one
/// that has not done so a little later is stopped.
const GRACE: Duration = Duration::from_millis(25);

/// An engine on the export thread.
pub(super) struct EngineWorker {
    pub(super) live: Arc<Live>,
    /// Those of spans.
    pub(super) lanes: Vec<Box<dyn ExportLane>>,
    log_lanes: Vec<Box<dyn ExportLane>>,
    metric_lanes: Vec<Box<dyn ExportLane>>,
    /// The first stage, where metrics are on.
    #[cfg(feature = "metrics")]
    measure: Option<Box<Measure>>,
    calls: Calls,
    pub(super) rollup: RollUp,
    pub(super) fields: FieldFilter,
    pub(super) redact: Redact,
    pub(super) limiter: Limiter,
    log_fields: FieldFilter,
    log_redact: Redact,
    log_limiter: Limiter,
    /// The host's processors and its span filter, away while they are read.
    pub(super) process: Option<Box<Tap<Mark>>>,
    pub(super) filter: Option<Box<Tap<Mark>>>,
    pub(super) follow: Follow,
    /// Spans that recording threads have lost, why, and whether their announcements were waited for.
    pub(super) lost: Vec<(Head, &'static str, bool)>,
    pub(super) counts: WorkerCounts,
    /// Spans of the event at hand of which it is not yet decided what becomes of them.
    pub(super) undecided: u64,
    /// The same of log records.
    pub(super) undecided_logs: u64,
    pub(super) closing: Option<Closing>,
}

/// An engine that is shut down and waits for what its host stage still has.
pub(super) struct Closing {
    pub(super) deadline: Instant,
    pub(super) reply: std_mpsc::SyncSender<()>,
    /// What has not come back by then is given up, so that the exporters have time for the rest.
    give_up: Instant,
    /// Everything has come back.
    pub(super) is_over: bool,
}

impl EngineWorker {
    /// `wake` wakes the export thread.
    pub(super) fn new(live: Arc<Live>, lanes: Vec<Box<dyn ExportLane>>, wake: &Arc<Notify>) -> Self {
        let config = &live.definition.settings.config;
        let (fields, log_fields) =
            (FieldFilter::new(&config.unrecorded), FieldFilter::of_logs(&config.unrecorded));
        let (limiter, log_limiter) = (Limiter::new(config), Limiter::of_logs(config));
        let redactor = &live.definition.settings.redactor;
        let (redact, log_redact) = (Redact::new(redactor, hidden_in(config)), Redact::of_logs(redactor));
        let [process, filter] = host::taps(config, wake);
        let (log_lanes, lanes): (_, Vec<_>) =
            lanes.into_iter().partition(|lane| lane.signal() == Signal::Logs);
        let (metric_lanes, lanes): (Vec<_>, _) =
            lanes.into_iter().partition(|lane| lane.signal() == Signal::Metrics);
        Self {
            #[cfg(feature = "metrics")]
            measure: if metric_lanes.is_empty() { None } else { Measure::new(&live) },
            live,
            lanes,
            log_lanes,
            metric_lanes,
            calls: Calls::default(),
            rollup: RollUp::default(),
            fields,
            redact,
            limiter,
            log_fields,
            log_redact,
            log_limiter,
            process,
            filter,
            follow: Follow::default(),
            lost: Vec::new(),
            counts: WorkerCounts::default(),
            undecided: 0,
            undecided_logs: 0,
            closing: None,
        }
    }

    /// The lanes of every signal.
    pub(super) fn all_lanes(&mut self) -> impl Iterator<Item = &mut Box<dyn ExportLane>> {
        self.lanes.iter_mut().chain(&mut self.log_lanes).chain(&mut self.metric_lanes)
    }

    fn decided(&mut self) {
        self.undecided = self.undecided.saturating_sub(1);
    }

    /// Takes one event of a segment: a span, or a frame of many events. What it leaves undecided was lost.
    #[inline]
    pub(super) fn take(&mut self, event: &RawEvent<'_>, now: Instant) -> Result<(), FrameError> {
        match event.kind {
            Some(EventKind::SpanEnded) => self.span_ended(&SpanView::new(event.body)?, false, now),
            Some(EventKind::Log) => self.log(&SpanView::new(event.body)?, now),
            Some(EventKind::Frame) => self.frame(event.body, now),
            Some(EventKind::SpanStarted) => {
                self.open_span(HostEvent::SpanStarted, &SpanView::new(event.body)?, false, now)
            }
            Some(EventKind::SpanUpdated) => {
                self.open_span(HostEvent::SpanUpdated, &SpanView::new(event.body)?, false, now)
            }
            Some(EventKind::Unsampled) => self.unsampled(event.body, &NO_STRINGS),
            // Later kinds are not ours to understand.
            _ => Ok(()),
        }
    }

    /// A frame as a host batched it. Strangers' bytes: checked before they are used.
    fn frame(&mut self, body: &[u8], now: Instant) -> Result<(), FrameError> {
        let body = body.get(4..).ok_or(FrameError::Truncated)?;
        let mut table = StringTable::new();
        let mut texts = TextBudget::of(body.len());
        let mut noticed = Vec::new();
        let mut events = Events::new(body);
        while let Ok(Some(event)) = events.next_event() {
            match event.kind {
                Some(EventKind::StringEntry) => {
                    let is_noticed = self.redact.notices(event.body);
                    if table.define_known(event.body, is_noticed).is_err() {
                        break;
                    }
                }
                Some(EventKind::SpanEnded) => {
                    if self.undecided == 0 {
                        // More than the host announced, and counted as ended.
                        self.live.shard(0).frames.fetch_add(1, Ordering::AcqRel);
                        self.undecided = 1;
                    }
                    let read = checked(event.body, &table, &mut texts, &mut noticed)
                        .and_then(|span| self.span_ended(&span, true, now));
                    if read.is_err() {
                        self.decided();
                        self.counts.drops.add(DropReason::BadFrame, 1);
                        self.lost_event(&event, DropReason::BadFrame);
                    }
                }
                Some(kind @ (EventKind::SpanStarted | EventKind::SpanUpdated)) => {
                    let said = match kind {
                        EventKind::SpanStarted => HostEvent::SpanStarted,
                        _ => HostEvent::SpanUpdated,
                    };
                    let read = checked(event.body, &table, &mut texts, &mut noticed)
                        .and_then(|span| self.open_span(said, &span, true, now));
                    self.counts.events_dropped += u64::from(read.is_err());
                }
                Some(EventKind::Log) => {
                    // Frames announce spans alone.
                    self.live.shard(0).logs.fetch_add(1, Ordering::AcqRel);
                    self.undecided_logs = 1;
                    let read = SpanView::in_frame(event.body, &table)
                        .and_then(|record| record.check_fields(&mut texts).map(|()| record))
                        .and_then(|record| self.log(&record, now));
                    if read.is_err() {
                        self.undecided_logs = 0;
                        self.counts.log_drops.add(DropReason::BadFrame, 1);
                    }
                }
                Some(EventKind::Unsampled) => {
                    // Frames announce recorded spans alone.
                    let shard = self.live.shard(0);
                    shard.not_recording.fetch_add(1, Ordering::Relaxed);
                    shard.unsampled.fetch_add(1, Ordering::AcqRel);
                    // What cannot be read is counted there.
                    let _ = self.unsampled(event.body, &table);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A span that was not sampled, for metrics alone.
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, clippy::unused_self))]
    fn unsampled(&mut self, body: &[u8], table: &StringTable<'_>) -> Result<(), FrameError> {
        #[cfg(feature = "metrics")]
        if let Some(measure) = &mut self.measure {
            return measure.unsampled(body, table);
        }
        Ok(())
    }

    /// Counts a span that ended. Whatever goes wrong here must not cost the span.
    #[cfg(feature = "metrics")]
    #[cold]
    #[inline(never)]
    fn measure(&mut self, span: &SpanView<'_>) {
        let Some(measure) = &mut self.measure else { return };
        if catch_unwind(AssertUnwindSafe(|| measure.span(span))).is_err() {
            self.counts.panics += 1;
        }
    }

    /// Collects metrics and gives them to their exporters.
    #[cfg(feature = "metrics")]
    pub(super) fn collect(&mut self, now: Instant) {
        if let Some(mut measure) = self.measure.take() {
            self.counts.measure = measure.counts.clone();
            self.publish();
            match catch_unwind(AssertUnwindSafe(|| measure.collect(&self.live, now))) {
                Ok(collected) => self.metric_lanes.iter_mut().for_each(|lane| lane.push_metrics(&collected)),
                Err(_) => self.counts.panics += 1,
            }
            self.counts.measure = measure.counts.clone();
            self.measure = Some(measure);
            // Before anyone hears that a flush is over.
            self.publish();
        }
    }

    /// Does so if it is time.
    #[cfg(feature = "metrics")]
    pub(super) fn collect_if_due(&mut self, now: Instant) {
        if let Some(measure) = &self.measure {
            if measure.due() <= now {
                self.collect(now);
            } else {
                self.counts.measure = measure.counts.clone();
            }
        }
    }

    /// The way of a log record: redacted and limited as a span is, then to every exporter that takes logs.
    fn log(&mut self, record: &SpanView<'_>, now: Instant) -> Result<(), FrameError> {
        let Self { live, log_lanes, log_fields, log_redact, log_limiter, counts, undecided_logs, .. } = self;
        let passed = log_fields.apply(record, |record| {
            log_redact.apply(record, |record| {
                log_limiter.apply(record, |record| {
                    *undecided_logs = 0;
                    counts.logs_accepted += 1;
                    let context = context_in(live, record.head().scope);
                    for lane in log_lanes {
                        lane.push(record, &context, now);
                    }
                })
            })
        });
        counts.redact.add(log_redact.take_counts());
        counts.limited += log_limiter.take_cuts();
        passed
    }

    /// The way of a finished span: the stages in their order, then every exporter.
    #[inline]
    fn span_ended(&mut self, span: &SpanView<'_>, from_host: bool, now: Instant) -> Result<(), FrameError> {
        #[cfg(feature = "metrics")]
        if self.measure.is_some() {
            self.measure(span);
        }
        if !span.head().trace_flags.is_sampled() {
            self.decided();
            self.counts.unsampled += 1;
            self.lost(span.head(), "unsampled");
            return Ok(());
        }
        let hiding = &self.live.definition.settings.config.trace.hiding;
        if let Some(why) = left_out(span.head(), hiding, from_host) {
            self.decided();
            self.live.hides.store(true, Ordering::Relaxed);
            self.rollup.note(span);
            match why {
                LeftOut::Internal => {
                    self.counts.internal += 1;
                    self.lost(span.head(), "internal");
                }
                LeftOut::Excluded => {
                    self.counts.excluded += 1;
                    self.lost(span.head(), "excluded");
                }
            }
            return Ok(());
        }
        let span = self.calls.mark(*span);
        if (self.live.hides.load(Ordering::Relaxed) || self.is_ahead(span.head())) && self.rollup.hold(&span)
        {
            // Still pending, but no longer part of the event at hand.
            self.decided();
            return Ok(());
        }
        self.forward(&span, now)
    }

    /// The stages behind those that leave spans out.
    #[inline]
    fn forward(&mut self, span: &SpanView<'_>, now: Instant) -> Result<(), FrameError> {
        if let Some(tap) = &mut self.process {
            let mut taken = false;
            let read = self.fields.apply(span, |span| {
                taken = tap.push(HostEvent::SpanEnded, span, &context_in(&self.live, span.head().scope));
                Ok(())
            });
            if read.is_ok() {
                self.decided();
                self.refused_by_host(span.head(), !taken);
            }
            return read;
        }
        self.processed(span, now)
    }

    /// Answers once everything that was given so far has settled, unless the deadline comes first.
    pub(super) fn flush(&mut self, deadline: StdInstant, reply: std_mpsc::SyncSender<()>) {
        self.mark(Mark::Flush { deadline, reply });
        self.poll_host(Instant::now());
    }

    /// Begins to shut down; [`EngineWorker::is_closed`] tells when the exporters may be closed.
    pub(super) fn begin_close(&mut self, deadline: StdInstant, reply: std_mpsc::SyncSender<()>) {
        let (now, deadline) = (Instant::now(), Instant::from(deadline));
        let give_up = now + deadline.saturating_duration_since(now) * 3 / 4;
        self.closing = Some(Closing { deadline, reply, give_up, is_over: false });
        self.mark(Mark::Shutdown);
        self.poll_host(now);
        let formats = self.lanes.iter().any(|lane| !lane.is_settled());
        if formats || self.process.is_some() || self.filter.is_some() {
            // What the exporters have by now need not wait for the host.
            for lane in self.all_lanes() {
                drop(lane.flush());
            }
        }
    }

    /// Whether all that the host had has come back, or has to be given up.
    pub(super) fn is_closed(&self, now: Instant) -> bool {
        let settled = self.lanes.iter().all(|lane| lane.is_settled());
        self.closing.as_ref().is_some_and(|closing| (closing.is_over && settled) || closing.give_up <= now)
    }

    /// Closes the exporters and answers the shutdown once they have settled.
    pub(super) fn finish(mut self) {
        let taps = self.process.iter_mut().chain(&mut self.filter);
        let lost = taps.map(|tap| tap.abandon()).sum();
        self.counts.drops.add(DropReason::Shutdown, lost);
        self.end_following();
        #[cfg(feature = "metrics")]
        self.collect(Instant::now());
        self.publish();
        let Self {
            mut lanes, log_lanes, metric_lanes, closing: Some(Closing { deadline, reply, .. }), ..
        } = self
        else {
            return;
        };
        lanes.extend(log_lanes);
        lanes.extend(metric_lanes);
        let settled = lanes.iter_mut().map(|lane| lane.close(deadline)).collect();
        tokio::spawn(async move {
            all(settled, deadline + GRACE).await;
            for lane in &mut lanes {
                lane.abandon();
            }
            let _ = reply.send(());
        });
    }

    /// Makes its counts visible to other threads.
    pub(super) fn publish(&self) {
        *self.live.worker_counts.lock().unwrap_or_else(PoisonError::into_inner) = self.counts.clone();
    }

    /// When something is to be looked at, if nothing wakes the export thread before.
    pub(super) fn due(&self) -> Option<Instant> {
        let lanes = self.lanes.iter().chain(&self.log_lanes).filter_map(|lane| lane.due());
        let taps = self.process.iter().chain(&self.filter).filter_map(|tap| tap.due());
        let due = lanes.chain(taps).chain(self.closing.as_ref().map(|closing| closing.give_up));
        #[cfg(feature = "metrics")]
        let due = due.chain(self.measure.as_ref().map(|measure| measure.due()));
        due.min()
    }

    /// Whether no exporter can be given much more.
    pub(super) fn is_pressed(&self) -> bool {
        self.process.iter().chain(&self.filter).any(|tap| tap.is_pressed())
            || self.lanes.iter().all(|lane| lane.is_pressed())
    }

    /// Forwards what has waited for token counts long enough, or everything that waits.
    pub(super) fn end_of_pass(&mut self, left_out: &[usize], everything: bool, now: Instant) {
        if !self.rollup.holds() {
            return;
        }
        let mut rollup = core::mem::take(&mut self.rollup);
        rollup.end_of_pass(left_out, everything, |span| {
            self.undecided = 1;
            let outcome = catch_unwind(AssertUnwindSafe(|| self.forward(span, now)));
            let reason = match outcome {
                Ok(_) => DropReason::BadFrame,
                Err(_) => {
                    self.counts.panics += 1;
                    DropReason::Internal
                }
            };
            let lost = core::mem::take(&mut self.undecided);
            self.counts.drops.add(reason, lost);
            if lost > 0 {
                self.lost(span.head(), reason.as_str());
            }
        });
        self.rollup = rollup;
    }
}

/// A span of a frame, once it has been looked through.
fn checked<'s>(
    body: &'s [u8],
    table: &'s StringTable<'s>,
    texts: &mut TextBudget,
    noticed: &'s mut Vec<usize>,
) -> Result<SpanView<'s>, FrameError> {
    noticed.clear();
    let span = SpanView::in_frame(body, table)?;
    span.check_noticing(texts, noticed)?;
    Ok(span.with_noticed(noticed))
}

/// Waits for all lanes; false at the deadline.
pub(super) async fn all(settled: Vec<oneshot::Receiver<()>>, deadline: Instant) -> bool {
    for lane in settled {
        if tokio::time::timeout_at(deadline, lane).await.is_err() {
            return false;
        }
    }
    true
}
