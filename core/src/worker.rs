//! The export thread: drains the hand-off, runs the pipeline, feeds the exporters, answers flushes.
//!
//! One thread per process with its own reactor (a current-thread runtime); exporters' tasks share it. It
//! never waits for anything but its reactor, and calls no host code. What becomes of one engine's spans is
//! in [`engine`].

mod engine;
mod following;
mod taps;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, mpsc as std_mpsc};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::clock;
use crate::engine::Live;
use crate::export::lane::ExportLane;
use crate::frame::EventKind;
use crate::frame::batch::{Events, RawEvent};
use crate::ring::Taken;
use crate::runtime::{Inbox, Runtime};
use crate::stats::DropReason;
use engine::EngineWorker;

/// How long finished spans may lie in the hand-off before they are looked at.
const DRAIN_INTERVAL: Duration = Duration::from_millis(25);
/// After so long without work the pooled memory is freed.
const IDLE_AFTER: Duration = Duration::from_secs(1);
/// The wall clock is compared this often while there is work.
const CLOCK_CHECK: Duration = Duration::from_secs(10);
/// Segments taken in one go before the exporters' tasks get their turn.
const SEGMENTS_PER_TURN: usize = 4;

/// A request that waits for a recording thread to finish its write is looked at again this soon.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Threads at most for what may block. Each console or file exporter holds one while its pipe or disk does not take
/// what it writes, and the resolution of names must not wait for that. They are started when needed and leave soon.
const HELPERS: usize = 64;

/// Engines remembered after their shutdown.
pub(crate) const RETIRED: usize = 16;

/// What other threads tell the export thread.
pub(crate) enum Control {
    /// A new engine, or an engine's state in this forked child.
    Register { live: Arc<Live>, lanes: Vec<Box<dyn ExportLane>> },
    /// Settle everything that had ended, then answer.
    Flush { slot: u16, deadline: std::time::Instant, reply: std_mpsc::SyncSender<()> },
    /// Settle, stop, answer.
    Shutdown { slot: u16, deadline: std::time::Instant, reply: std_mpsc::SyncSender<()> },
}

/// A flush or shutdown whose pass left out some lanes of the hand-off.
struct Held {
    request: Control,
    /// The lanes not seen since.
    lanes: Vec<usize>,
    /// Spans of its engine that wait for a further pass go on with this number.
    rolled_up: u64,
}

struct Worker {
    runtime: &'static Runtime,
    wake: Arc<Notify>,
    engines: Vec<EngineWorker>,
    /// Engines that were shut down lately, to count what their threads still ended.
    retired: VecDeque<Arc<Live>>,
    /// Messages that came too late for this pass, or before the first.
    later: Vec<Control>,
    /// Requests that some span which had ended before them may still be missing for.
    held: Vec<Held>,
    taken: Vec<Taken>,
    /// The lanes that the last pass left out because their threads were writing.
    in_hand: Vec<usize>,
    clock_check: Instant,
}

/// The body of the thread.
pub(crate) fn run(runtime: &'static Runtime, wake: Arc<Notify>, inbox: Inbox) {
    let reactor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(HELPERS)
        .thread_name("polyspan-helper")
        .thread_keep_alive(IDLE_AFTER)
        .build();
    match reactor {
        Ok(reactor) => reactor.block_on(serve(runtime, wake, inbox)),
        Err(error) => crate::log::warn_once("reactor", &format!("the export thread cannot run: {error}")),
    }
}

async fn serve(runtime: &'static Runtime, wake: Arc<Notify>, inbox: Inbox) {
    let Inbox { first, receiver: mut inbox } = inbox;
    let mut worker = Worker {
        runtime,
        wake: Arc::clone(&wake),
        engines: Vec::new(),
        retired: VecDeque::new(),
        later: first,
        held: Vec::new(),
        taken: Vec::new(),
        in_hand: Vec::new(),
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
        if !worker.held.is_empty() {
            due = Some(due.map_or(now + LOOK_AGAIN, |due| due.min(now + LOOK_AGAIN)));
        }
        if busy || worker.engines.iter().any(|engine| engine.rollup.holds()) {
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
        self.engines.iter_mut().for_each(EngineWorker::take_lost);
        let mut taken = core::mem::take(&mut self.taken);
        self.in_hand.clear();
        self.runtime.handoff.drain(&mut taken, &mut self.in_hand);
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
        for request in self.whole(requests) {
            self.answer(request);
        }
        busy
    }

    /// The requests, new or held, for which every span is here that had ended before: since each came, every
    /// lane was seen. At their deadline the others are answered as well.
    fn whole(&mut self, requests: Vec<Control>) -> Vec<Control> {
        let mut held = core::mem::take(&mut self.held);
        for waiting in &mut held {
            waiting.lanes.retain(|lane| self.in_hand.contains(lane));
        }
        held.extend(requests.into_iter().map(|request| {
            let engine = self.engines.iter().find(|engine| Some(engine.live.slot) == request.slot());
            let rolled_up = engine.map_or(0, |engine| engine.rollup.latest());
            Held { request, lanes: self.in_hand.clone(), rolled_up }
        }));
        let now = std::time::Instant::now();
        let mut whole = Vec::new();
        for waiting in held {
            let engine =
                self.engines.iter_mut().find(|engine| Some(engine.live.slot) == waiting.request.slot());
            let is_late = waiting.request.deadline().is_some_and(|deadline| deadline <= now);
            if let Some(engine) = engine.filter(|_| is_late) {
                engine.end_of_pass(&[], true, Instant::now());
            }
            let engine = self.engines.iter().find(|engine| Some(engine.live.slot) == waiting.request.slot());
            let went_on = engine.is_none_or(|engine| engine.rollup.has_released(waiting.rolled_up));
            if is_late || waiting.lanes.is_empty() && went_on {
                whole.push(waiting.request);
            } else {
                self.held.push(waiting);
            }
        }
        whole
    }

    fn receive(&mut self, message: Control, requests: &mut Vec<Control>) {
        match message {
            Control::Register { live, lanes } => self.register(live, lanes),
            request => requests.push(request),
        }
    }

    fn register(&mut self, live: Arc<Live>, mut lanes: Vec<Box<dyn ExportLane>>) {
        if live.void.load(Ordering::Acquire) {
            self.retire(live);
            return;
        }
        for lane in &mut lanes {
            // Roots that were left out because the queue was full are taken again without delay.
            lane.start(&self.wake);
        }
        let mut engine = EngineWorker::new(live, lanes, &self.wake);
        engine.take_lost();
        self.engines.push(engine);
    }

    fn retire(&mut self, live: Arc<Live>) {
        self.retired.push_back(live);
        if self.retired.len() > RETIRED
            && let Some(gone) = self.retired.pop_front()
        {
            // With it may go the last hold on a sampler, whose end is the host's code.
            tokio::task::spawn_blocking(move || drop(gone));
        }
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
            engine.undecided = announced(&event);
            engine.undecided_logs = logs_in(&event);
            let outcome = catch_unwind(AssertUnwindSafe(|| engine.take(&event, now)));
            let reason = match outcome {
                Ok(_) => DropReason::BadFrame,
                Err(_) => {
                    engine.counts.panics += 1;
                    DropReason::Internal
                }
            };
            let lost = core::mem::take(&mut engine.undecided);
            engine.counts.drops.add(reason, lost);
            if lost > 0 {
                engine.lost_event(&event, reason);
            }
            engine.counts.log_drops.add(reason, core::mem::take(&mut engine.undecided_logs));
        }
    }

    /// A span or log record that came while its engine was being shut down.
    fn too_late(&self, event: &RawEvent<'_>) {
        if let Some(live) = self.retired.iter().find(|live| live.slot == event.engine) {
            let mut counts = live.worker_counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.drops.add(DropReason::AlreadyShutdown, announced(event));
            counts.log_drops.add(DropReason::AlreadyShutdown, logs_in(event));
        }
    }

    fn publish(&self) {
        self.engines.iter().for_each(EngineWorker::publish);
    }

    /// Parts with the engines that were shut down and have nothing to wait for any more.
    fn close_engines(&mut self) {
        let now = Instant::now();
        while let Some(at) = self.engines.iter().position(|engine| engine.is_closed(now)) {
            let engine = self.engines.swap_remove(at);
            self.retire(Arc::clone(&engine.live));
            engine.finish();
        }
    }

    fn end_of_pass(&mut self) {
        let now = Instant::now();
        for engine in &mut self.engines {
            engine.end_of_pass(&self.in_hand, false, now);
            engine.settle_lost(&self.in_hand);
            engine.poll_host(now);
            #[cfg(feature = "metrics")]
            engine.collect_if_due(now);
            for lane in engine.all_lanes() {
                lane.end_of_pass(now);
            }
            let full = !engine.lanes.is_empty() && engine.is_pressed();
            engine.live.exporters_full.store(full, Ordering::Relaxed);
        }
        self.publish();
        self.close_engines();
        if now >= self.clock_check {
            self.clock_check = now + CLOCK_CHECK;
            clock::re_anchor();
        }
    }

    fn due(&self) -> Option<Instant> {
        self.engines.iter().filter_map(EngineWorker::due).min()
    }

    /// Answers a flush or shutdown once the lanes have settled, or at its deadline.
    fn answer(&mut self, request: Control) {
        match request {
            Control::Flush { slot, deadline, reply } => {
                if let Some(engine) = self.engine(slot) {
                    engine.flush(deadline, reply);
                }
            }
            Control::Shutdown { slot, deadline, reply } => {
                if let Some(engine) = self.engine(slot) {
                    engine.begin_close(deadline, reply);
                }
                self.close_engines();
            }
            Control::Register { live, lanes } => self.register(live, lanes),
        }
    }
}

impl Control {
    /// The engine it is about.
    fn slot(&self) -> Option<u16> {
        match self {
            Self::Flush { slot, .. } | Self::Shutdown { slot, .. } => Some(*slot),
            Self::Register { .. } => None,
        }
    }

    /// An engine that was stopped before the export thread came to know it.
    pub(crate) fn is_void(&self) -> bool {
        matches!(self, Self::Register { live, .. } if live.void.load(Ordering::Acquire))
    }

    fn deadline(&self) -> Option<std::time::Instant> {
        match self {
            Self::Flush { deadline, .. } | Self::Shutdown { deadline, .. } => Some(*deadline),
            Self::Register { .. } => None,
        }
    }
}

/// How many ended spans an event stands for.
fn announced(event: &RawEvent<'_>) -> u64 {
    match (event.kind, event.body.first_chunk::<4>()) {
        (Some(EventKind::SpanEnded), _) => 1,
        (Some(EventKind::Frame), Some(spans)) => u64::from(u32::from_le_bytes(*spans)),
        _ => 0,
    }
}

/// How many log records an event stands for.
fn logs_in(event: &RawEvent<'_>) -> u64 {
    u64::from(event.kind == Some(EventKind::Log))
}
