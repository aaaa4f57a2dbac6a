//! The export thread: drains the hand-off, runs the pipeline, feeds the exporters, answers flushes.
//!
//! One thread per process with its own reactor (a current-thread runtime); exporters' tasks share it. It
//! never waits for anything but its reactor, and calls no host code.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, mpsc as std_mpsc};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

use crate::clock;
use crate::engine::{Live, WorkerCounts};
use crate::export::lane::ExportLane;
use crate::frame::batch::{Events, RawEvent, StringTable};
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::frame::{EventKind, FrameError};
use crate::pipeline::limits::Limiter;
use crate::ring::Taken;
use crate::runtime::Runtime;
use crate::stats::DropReason;

/// How long finished spans may lie in the hand-off before they are looked at.
const DRAIN_INTERVAL: Duration = Duration::from_millis(25);
/// After so long without work the pooled memory is freed.
const IDLE_AFTER: Duration = Duration::from_secs(1);
/// The wall clock is compared this often while there is work.
const CLOCK_CHECK: Duration = Duration::from_secs(10);
/// Segments taken in one go before the exporters' tasks get their turn.
const SEGMENTS_PER_TURN: usize = 4;

/// Engines remembered after their shutdown.
const RETIRED: usize = 16;

/// What other threads tell the export thread.
pub(crate) enum Control {
    /// A new engine, or an engine's state in this forked child.
    Register { live: Arc<Live>, lanes: Vec<Box<dyn ExportLane>> },
    /// Settle everything that had ended, then answer.
    Flush { slot: u16, deadline: std::time::Instant, reply: std_mpsc::SyncSender<()> },
    /// Settle, stop, answer.
    Shutdown { slot: u16, deadline: std::time::Instant, reply: std_mpsc::SyncSender<()> },
}

/// An engine on the export thread.
struct EngineWorker {
    live: Arc<Live>,
    lanes: Vec<Box<dyn ExportLane>>,
    limiter: Limiter,
    counts: WorkerCounts,
}

struct Worker {
    runtime: &'static Runtime,
    engines: Vec<EngineWorker>,
    /// Engines that were shut down lately, to count what their threads still ended.
    retired: VecDeque<Arc<Live>>,
    /// Messages that came too late for this pass.
    later: Vec<Control>,
    taken: Vec<Taken>,
    clock_check: Instant,
}

/// The body of the thread.
pub(crate) fn run(runtime: &'static Runtime, wake: Arc<Notify>, inbox: mpsc::UnboundedReceiver<Control>) {
    let reactor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_name("polyspan-helper")
        .thread_keep_alive(IDLE_AFTER)
        .build();
    match reactor {
        Ok(reactor) => reactor.block_on(serve(runtime, wake, inbox)),
        Err(error) => crate::log::warn_once("reactor", &format!("the export thread cannot run: {error}")),
    }
}

async fn serve(runtime: &'static Runtime, wake: Arc<Notify>, mut inbox: mpsc::UnboundedReceiver<Control>) {
    let mut worker = Worker {
        runtime,
        engines: Vec::new(),
        retired: VecDeque::new(),
        later: Vec::new(),
        taken: Vec::new(),
        clock_check: Instant::now() + CLOCK_CHECK,
    };
    let mut idle_since = None;
    loop {
        let busy = worker.pass(&mut inbox).await;
        let now = Instant::now();
        if runtime.handoff.is_urgent() || !worker.later.is_empty() {
            tokio::task::yield_now().await;
            continue;
        }
        let mut due = worker.due();
        if busy {
            idle_since = None;
            due = Some(due.map_or(now + DRAIN_INTERVAL, |due| due.min(now + DRAIN_INTERVAL)));
        } else if !runtime.handoff.may_sleep() {
            due = Some(now + DRAIN_INTERVAL);
        } else if *idle_since.get_or_insert(now) + IDLE_AFTER <= now {
            runtime.handoff.trim();
        } else {
            due = Some(due.map_or(now + IDLE_AFTER, |due| due.min(now + IDLE_AFTER)));
        }
        match due {
            Some(due) => tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep_until(due) => {}
            },
            None => wake.notified().await,
        }
    }
}

impl Worker {
    /// One full pass over all producers. True when there was anything.
    async fn pass(&mut self, inbox: &mut mpsc::UnboundedReceiver<Control>) -> bool {
        // Segments first, messages second: an engine is registered before any span of it is written, so its
        // message is here by now; and a flush is answered after what had ended before it.
        let mut messages = core::mem::take(&mut self.later);
        while let Ok(message) = inbox.try_recv() {
            messages.push(message);
        }
        let mut taken = core::mem::take(&mut self.taken);
        self.runtime.handoff.drain(&mut taken);
        let mut requests = Vec::new();
        for message in messages {
            self.receive(message, &mut requests);
        }
        while let Ok(message) = inbox.try_recv() {
            // Came after the drain: an engine is welcome now, anything else waits for its own pass.
            match message {
                Control::Register { live, lanes } => self.register(live, lanes),
                other => self.later.push(other),
            }
        }
        let busy = !taken.is_empty();
        for (at, segment) in taken.drain(..).enumerate() {
            self.read_segment(&segment);
            self.runtime.handoff.recycle(segment);
            if at % SEGMENTS_PER_TURN == SEGMENTS_PER_TURN - 1 {
                self.publish();
                tokio::task::yield_now().await;
            }
        }
        self.taken = taken;
        self.end_of_pass();
        for request in requests {
            self.answer(request);
        }
        busy
    }

    fn receive(&mut self, message: Control, requests: &mut Vec<Control>) {
        match message {
            Control::Register { live, lanes } => self.register(live, lanes),
            request => requests.push(request),
        }
    }

    fn register(&mut self, live: Arc<Live>, mut lanes: Vec<Box<dyn ExportLane>>) {
        if live.void.load(Ordering::Acquire) {
            return;
        }
        for lane in &mut lanes {
            lane.start();
        }
        let limiter = Limiter::new(live.engine.settings().config.limits);
        self.engines.push(EngineWorker { live, lanes, limiter, counts: WorkerCounts::default() });
    }

    fn engine(&mut self, slot: u16) -> Option<&mut EngineWorker> {
        self.engines.iter_mut().find(|engine| engine.live.slot == slot)
    }

    /// Reads the events of a segment; each event that cannot be read is counted, and so is a panic.
    fn read_segment(&mut self, segment: &Taken) {
        let now = Instant::now();
        let mut events = Events::new(segment.events());
        while let Ok(Some(event)) = events.next_event() {
            let Some(engine) = self.engine(event.engine) else {
                self.too_late(&event);
                continue;
            };
            let before = engine.counts.accepted;
            let outcome = catch_unwind(AssertUnwindSafe(|| engine.take(&event, now)));
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(_)) => engine.counts.drops.add(DropReason::BadFrame, 1),
                Err(_) => {
                    engine.counts.panics += 1;
                    if engine.counts.accepted == before {
                        engine.counts.drops.add(DropReason::Internal, 1);
                    }
                }
            }
        }
    }

    /// A span that ended while its engine was being shut down.
    fn too_late(&self, event: &RawEvent<'_>) {
        let spans = match (event.kind, event.body.first_chunk::<4>()) {
            (Some(EventKind::SpanEnded), _) => 1,
            (Some(EventKind::Frame), Some(announced)) => u64::from(u32::from_le_bytes(*announced)),
            _ => 0,
        };
        if let Some(live) = self.retired.iter().find(|live| live.slot == event.engine) {
            let mut counts = live.worker_counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.drops.add(DropReason::AlreadyShutdown, spans);
        }
    }

    fn publish(&mut self) {
        for engine in &mut self.engines {
            *engine.live.worker_counts.lock().unwrap_or_else(PoisonError::into_inner) = engine.counts.clone();
        }
    }

    fn end_of_pass(&mut self) {
        let now = Instant::now();
        for engine in &mut self.engines {
            for lane in &mut engine.lanes {
                lane.end_of_pass(now);
            }
        }
        self.publish();
        let mut lanes = self.engines.iter().flat_map(|engine| &engine.lanes).peekable();
        let full = lanes.peek().is_some() && lanes.all(|lane| lane.is_pressed());
        self.runtime.exporters_full.store(full, Ordering::Relaxed);
        if now >= self.clock_check {
            self.clock_check = now + CLOCK_CHECK;
            clock::re_anchor();
        }
    }

    fn due(&self) -> Option<Instant> {
        self.engines.iter().flat_map(|engine| &engine.lanes).filter_map(|lane| lane.due()).min()
    }

    /// Answers a flush or shutdown once the lanes have settled, or at its deadline.
    fn answer(&mut self, request: Control) {
        match request {
            Control::Flush { slot, deadline, reply } => {
                let Some(engine) = self.engine(slot) else { return };
                let settled = engine.lanes.iter_mut().map(|lane| lane.flush()).collect();
                tokio::spawn(async move {
                    if all(settled, deadline.into()).await {
                        let _ = reply.send(());
                    }
                });
            }
            Control::Shutdown { slot, deadline, reply } => {
                let Some(at) = self.engines.iter().position(|engine| engine.live.slot == slot) else {
                    return;
                };
                let mut engine = self.engines.swap_remove(at);
                self.retired.push_back(Arc::clone(&engine.live));
                if self.retired.len() > RETIRED {
                    self.retired.pop_front();
                }
                let deadline = Instant::from(deadline);
                let settled = engine.lanes.iter_mut().map(|lane| lane.close(deadline)).collect();
                tokio::spawn(async move {
                    all(settled, deadline).await;
                    for lane in &mut engine.lanes {
                        lane.abandon();
                    }
                    let _ = reply.send(());
                });
            }
            Control::Register { live, lanes } => self.register(live, lanes),
        }
    }
}

/// Waits for all lanes; false at the deadline.
async fn all(settled: Vec<oneshot::Receiver<()>>, deadline: Instant) -> bool {
    for lane in settled {
        if tokio::time::timeout_at(deadline, lane).await.is_err() {
            return false;
        }
    }
    true
}

impl EngineWorker {
    /// Takes one event of a segment: a span, or a frame of many events.
    #[inline]
    fn take(&mut self, event: &RawEvent<'_>, now: Instant) -> Result<(), FrameError> {
        match event.kind {
            Some(EventKind::SpanEnded) => self.span_ended(&SpanView::new(event.body)?, now),
            Some(EventKind::Frame) => self.frame(event.body, now),
            // Realtime events have no reader yet, and later kinds are not ours to understand.
            _ => Ok(()),
        }
    }

    /// A frame as a host batched it. Strangers' bytes: checked before they are used.
    fn frame(&mut self, body: &[u8], now: Instant) -> Result<(), FrameError> {
        // The host counted the spans it handed over; what cannot be read of them is made up for at the end.
        let (announced, body) = body.split_first_chunk::<4>().ok_or(FrameError::Truncated)?;
        let announced = u64::from(u32::from_le_bytes(*announced));
        let mut seen = 0;
        let mut table = StringTable::new();
        let mut events = Events::new(body);
        while let Ok(Some(event)) = events.next_event() {
            match event.kind {
                Some(EventKind::StringEntry) if table.define(event.body).is_err() => break,
                Some(EventKind::SpanEnded) => {
                    seen += 1;
                    let read = SpanView::in_frame(event.body, &table)
                        .and_then(|span| span.check().map(|()| span))
                        .and_then(|span| self.span_ended(&span, now));
                    if read.is_err() {
                        self.counts.drops.add(DropReason::BadFrame, 1);
                    }
                }
                _ => {}
            }
        }
        self.counts.drops.add(DropReason::BadFrame, announced.saturating_sub(seen));
        Ok(())
    }

    #[inline]
    fn span_ended(&mut self, span: &SpanView<'_>, now: Instant) -> Result<(), FrameError> {
        let Self { live, lanes, limiter, counts } = self;
        if !span.head().trace_flags.is_sampled() {
            counts.unsampled += 1;
            return Ok(());
        }
        limiter.apply(span, |span| {
            counts.accepted += 1;
            let scope_id = span.head().scope;
            let context = RecordContext {
                scope: live.engine.scope_of(scope_id),
                scope_id,
                resource: live.engine.resource(),
            };
            for lane in lanes.iter_mut() {
                lane.push(span, &context, now);
            }
        })
    }
}
