//! The lane of one exporter: its encoder, its bounded queue, the task that drives its sink, its counts.
//!
//! The export thread owns the encoder half; the task owns the sink; between them stands a queue under a
//! mutex that is held for a few instructions only. One dead destination fills its own queue and no other.

mod queue;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use self::queue::{Bounds, Item, State, Waiting};
use super::{Encoder, Outcome, SendContext, Sink};
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::host::{HostEvent, HostEvents};
use crate::metrics::data::MetricsData;
use crate::stats::{DropReason, Drops, ExporterStats};

/// The bounds of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// A batch is closed at this many spans.
    pub batch_spans: u32,
    /// A batch is closed at this many bytes.
    pub batch_bytes: usize,
    /// A batch is closed this long after its first span.
    pub schedule_delay: Duration,
    /// Spans the lane holds at most, in its open batch and its queue.
    pub queue_spans: u64,
    /// Bytes the lane holds at most, the batch being sent among them.
    pub queue_bytes: usize,
    /// Batches that wait are joined up to this many bytes, so that a slow destination is asked less often; 0
    /// when each is to be sent as it was closed.
    pub joined_bytes: usize,
}

/// Up to this part of its bytes a queue that is stuck takes batches as they are.
const UNPACKED_SHARE: usize = 8;

/// A lane as the export thread sees it, whatever its encoder and sink.
pub(crate) trait ExportLane: Send {
    /// Takes a copy of a finished span, or counts it as dropped when the queue is full; false then.
    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>, now: Instant) -> bool;
    /// Takes a copy of what is said of an open span or a trace. False where it has no room or wants no such.
    fn tell(
        &mut self,
        _event: HostEvent,
        _record: &SpanView<'_>,
        _context: &RecordContext<'_>,
        _now: Instant,
    ) -> bool {
        false
    }
    /// The events that it wants.
    fn events(&self) -> HostEvents {
        HostEvents::NONE
    }
    /// Closes the batch if it is due and makes this pass's counts visible.
    fn end_of_pass(&mut self, now: Instant);
    /// When the open batch is due.
    fn due(&self) -> Option<Instant>;
    /// Closes the open batch whatever its size.
    fn seal(&mut self);
    /// Whether the queue is above three quarters of a bound.
    fn is_pressed(&self) -> bool;
    /// Seals; the receiver hears when everything given so far has been settled.
    fn flush(&mut self) -> oneshot::Receiver<()>;
    /// Seals and closes; the sink gets until the deadline. The receiver hears when the sink is shut down.
    fn close(&mut self, deadline: Instant) -> oneshot::Receiver<()>;
    /// Gives up what is still there, counts it and stops the task.
    fn abandon(&mut self);
    /// Starts the task; called once, on the export thread, which wants to be woken by `settled` whenever a
    /// batch is off the queue.
    fn start(&mut self, settled: &Arc<Notify>);
    /// Its counts, for other threads.
    fn counts(&self) -> Arc<dyn LaneCounts>;
    /// What it takes.
    fn signal(&self) -> Signal {
        Signal::Spans
    }
    /// Takes a copy of collected metrics and closes the batch, or counts their data points as dropped when the queue
    /// is full. Lanes of other signals leave them out.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code))]
    fn push_metrics(&mut self, _: &MetricsData) {}
    /// Whether nothing of it is with the host.
    fn is_settled(&self) -> bool {
        true
    }
}

/// What a lane is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Spans,
    Logs,
    /// Metrics, which are counted by their data points.
    Metrics,
}

/// A lane as other threads have it: its counts, and whether it waits.
pub(crate) trait LaneCounts: Send + Sync {
    /// A consistent snapshot.
    fn snapshot(&self) -> ExporterStats;
    /// From now on batches stay in the queue until a flush or the shutdown wants them, or go again.
    fn hold(&self, held: bool);
}

struct Shared<B> {
    name: String,
    state: Mutex<State<B>>,
    changed: Notify,
}

impl<B> Shared<B> {
    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Send> LaneCounts for Shared<B> {
    fn snapshot(&self) -> ExporterStats {
        let state = self.lock();
        ExporterStats {
            name: self.name.clone(),
            accepted: state.accepted,
            pending: state.open + state.queued + state.in_flight,
            exported: state.exported,
            on_disk: 0,
            dropped: state.drops.by_reason(),
        }
    }

    fn hold(&self, held: bool) {
        self.lock().held = held;
        self.changed.notify_one();
    }
}

/// An encoder with its queue and, until the task starts, its sink.
pub(crate) struct Lane<E: Encoder, S> {
    encoder: E,
    sink: Option<S>,
    limits: LaneLimits,
    signal: Signal,
    shared: Arc<Shared<E::Batch>>,
    opened: Option<Instant>,
    /// Spans pushed and refused since the counts were last made visible.
    unpublished: u64,
    refused: u64,
    /// Records of the open batch that are no finished spans.
    aside: u64,
    /// The queue's load when it was last looked at.
    queued: u64,
    queued_aside: u64,
    bytes: usize,
    /// Whether the destination let its queue wait then.
    is_stuck: bool,
    deadline: watch::Sender<Option<Instant>>,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl<E: Encoder, S: Sink<E::Batch>> Lane<E, S> {
    pub(crate) fn new(name: &str, encoder: E, sink: S, limits: LaneLimits) -> Self {
        Self {
            encoder,
            sink: Some(sink),
            limits,
            signal: Signal::Spans,
            shared: Arc::new(Shared {
                name: name.to_owned(),
                state: Mutex::new(State::new()),
                changed: Notify::new(),
            }),
            opened: None,
            unpublished: 0,
            refused: 0,
            aside: 0,
            queued: 0,
            queued_aside: 0,
            bytes: 0,
            is_stuck: false,
            deadline: watch::channel(None).0,
            task: None,
        }
    }

    /// Makes it one for another signal, which its encoder is then given in place of spans.
    pub(crate) fn of(mut self, signal: Signal) -> Self {
        self.signal = signal;
        self
    }

    fn is_full(&self, spans: u64, bytes: usize, share: usize) -> bool {
        self.queued + spans > self.limits.queue_spans * share as u64 / 4
            || self.bytes + bytes > self.limits.queue_bytes / 4 * share
    }

    /// Makes the counts of this pass visible and reads the queue's load.
    fn publish(&mut self, state: &mut State<E::Batch>) {
        state.accepted += core::mem::take(&mut self.unpublished);
        state.drops.add(DropReason::QueueFull, core::mem::take(&mut self.refused));
        state.open = u64::from(self.encoder.spans());
        self.queued = state.queued + state.in_flight;
        self.queued_aside = state.aside;
        self.bytes = state.bytes();
        self.is_stuck = state.is_stuck();
    }

    /// Adds a record that is no finished span: as many of them as spans, within the same bytes. What is `owed`
    /// to something said before is added whether there is room or not. False where there is none.
    pub(crate) fn add_aside(
        &mut self,
        bytes: usize,
        owed: bool,
        now: Instant,
        add: impl FnOnce(&mut E),
    ) -> bool {
        let full = self.queued_aside + self.aside >= self.limits.queue_spans
            || self.is_full(0, self.encoder.bytes() + bytes, 4);
        if full && !owed {
            return false;
        }
        add(&mut self.encoder);
        self.aside += 1;
        self.opened.get_or_insert(now);
        if self.aside >= u64::from(self.limits.batch_spans) || self.encoder.bytes() >= self.limits.batch_bytes
        {
            self.seal();
        }
        true
    }

    fn enqueue(&mut self, mark: Option<oneshot::Sender<()>>, closing: bool) {
        let (held, held_bytes) = (self.encoder.spans(), self.encoder.bytes());
        let batch = match mark.is_some() || closing {
            _ if held == 0 && self.aside == 0 => None,
            true => Some(self.encoder.take()),
            false => Some(self.encoder.take_ready()),
        };
        let aside = core::mem::take(&mut self.aside);
        let spans = u64::from(held - self.encoder.spans().min(held));
        let bytes = held_bytes.saturating_sub(self.encoder.bytes());
        let waiting = batch.filter(|_| spans + aside > 0).map(|mut batch| {
            let packs = self.is_stuck && !closing && self.bytes > self.limits.queue_bytes / UNPACKED_SHARE;
            let packed = if packs { E::pack(&mut batch) } else { None };
            Waiting { batch, spans, aside, bytes: packed.unwrap_or(bytes), unpacked: bytes }
        });
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        if let Some(waiting) = waiting {
            state.push(waiting);
        }
        if let Some(mark) = mark {
            state.push_mark(mark);
        }
        state.closing |= closing;
        self.publish(&mut state);
        drop(state);
        // What the encoder keeps back is looked at again when the next batch would be due.
        self.opened = (self.encoder.spans() > 0).then(Instant::now);
        shared.changed.notify_one();
    }
}

impl<E: Encoder, S: Sink<E::Batch>> ExportLane for Lane<E, S> {
    #[inline]
    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>, now: Instant) -> bool {
        self.unpublished += 1;
        if self.is_full(u64::from(self.encoder.spans()) + 1, self.encoder.bytes() + span.fields_len(), 4) {
            self.refused += 1;
            return false;
        }
        self.encoder.push(span, context);
        self.opened.get_or_insert(now);
        if self.encoder.spans() >= self.limits.batch_spans || self.encoder.bytes() >= self.limits.batch_bytes
        {
            self.seal();
        }
        true
    }

    fn end_of_pass(&mut self, now: Instant) {
        if self.due().is_some_and(|due| due <= now) {
            self.seal();
        } else {
            let shared = Arc::clone(&self.shared);
            self.publish(&mut shared.lock());
        }
    }

    fn due(&self) -> Option<Instant> {
        self.opened.map(|opened| opened + self.limits.schedule_delay)
    }

    fn seal(&mut self) {
        self.enqueue(None, false);
    }

    fn is_pressed(&self) -> bool {
        self.is_full(u64::from(self.encoder.spans()), self.encoder.bytes(), 3)
    }

    fn flush(&mut self) -> oneshot::Receiver<()> {
        let (settled, heard) = oneshot::channel();
        self.enqueue(Some(settled), false);
        heard
    }

    fn close(&mut self, deadline: Instant) -> oneshot::Receiver<()> {
        let (settled, heard) = oneshot::channel();
        self.deadline.send_replace(Some(deadline));
        self.enqueue(Some(settled), true);
        heard
    }

    fn abandon(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        self.publish(&mut state);
        let (unsent, in_flight) = state.clear();
        state.drops.add(DropReason::Shutdown, unsent);
        // The sink was interrupted half-way and will never say.
        state.drops.add(DropReason::Unknown, in_flight);
    }

    fn start(&mut self, settled: &Arc<Notify>) {
        let Some(sink) = self.sink.take() else { return };
        let context = SendContext::new(self.deadline.subscribe(), crate::entropy::seed_u64());
        let name = self.shared.name.clone();
        let context = context.on_retry(move |reason| {
            crate::log::warn_once(&format!("retry {name}"), &format!("{name}: {reason}; trying again"));
        });
        let bounds = Bounds { joined: self.limits.joined_bytes, queue: self.limits.queue_bytes };
        let kind = Kind { join: E::join, unpack: E::unpack };
        let task = drive(Arc::clone(&self.shared), sink, context, bounds, kind, Arc::clone(settled));
        self.task = Some(tokio::spawn(task));
    }

    fn counts(&self) -> Arc<dyn LaneCounts> {
        Arc::clone(&self.shared) as Arc<dyn LaneCounts>
    }

    fn signal(&self) -> Signal {
        self.signal
    }

    fn push_metrics(&mut self, data: &MetricsData) {
        let points = u64::from(data.points());
        if self.signal != Signal::Metrics || points == 0 {
            return;
        }
        self.unpublished += points;
        if self.is_full(points, 0, 4) {
            self.refused += points;
            return;
        }
        self.encoder.push_metrics(data);
        self.seal();
    }
}

/// What the task knows of an encoder. Without the encoder's type, since it would be there for each of them anew
/// (`docs/decisions/native-size.md`).
struct Kind<B> {
    join: fn(&mut B, B) -> Option<B>,
    unpack: fn(&mut B) -> bool,
}

/// Takes one item after the other to the sink, until the lane is closed and empty.
async fn drive<B: Send, S: Sink<B>>(
    shared: Arc<Shared<B>>,
    mut sink: S,
    context: SendContext,
    bounds: Bounds,
    kind: Kind<B>,
    settled_one: Arc<Notify>,
) {
    loop {
        let item = {
            let mut state = shared.lock();
            let item = state.next(bounds, kind.join);
            if item.is_none() && state.closing {
                return;
            }
            item
        };
        match item {
            Some(Item::Batch(Waiting { mut batch, spans, aside, .. })) => {
                let outcome = if (kind.unpack)(&mut batch) {
                    let outcome = caught(async { sink.send(batch, &context).await }).await;
                    outcome.unwrap_or_else(|| damaged(spans, "the exporter panicked"))
                } else {
                    damaged(spans, "a batch that waited cannot be unpacked")
                };
                settle(&shared, outcome, spans, aside);
                settled_one.notify_one();
            }
            Some(Item::Mark(settled)) => {
                caught(async { sink.flush().await }).await;
                let closing = {
                    let state = shared.lock();
                    state.closing && state.queue.is_empty()
                };
                if closing {
                    caught(async { sink.shutdown().await }).await;
                }
                // Whoever waited may have stopped waiting.
                let _ = settled.send(());
            }
            None => shared.changed.notified().await,
        }
    }
}

/// What a sink does, or `None` if it panics: that costs what it was given, and not the lane.
async fn caught<T>(doing: impl Future<Output = T>) -> Option<T> {
    let mut doing = pin!(doing);
    poll_fn(|task| match catch_unwind(AssertUnwindSafe(|| doing.as_mut().poll(task))) {
        Ok(polled) => polled.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// What became of spans that something of ours lost.
fn damaged(spans: u64, how: &str) -> Outcome {
    Outcome::dropped(DropReason::Internal, u32::try_from(spans).unwrap_or(u32::MAX), how)
}

/// Counts what became of a batch. A sink that loses count is corrected, so that the equation holds.
fn settle<B>(shared: &Shared<B>, outcome: Outcome, spans: u64, aside: u64) {
    let mut drops = Drops::default();
    drops.add(DropReason::Rejected, u64::from(outcome.rejected));
    drops.add(DropReason::Unknown, u64::from(outcome.unknown));
    for (reason, count) in &outcome.dropped {
        drops.add(*reason, u64::from(*count));
    }
    let exported = u64::from(outcome.exported).min(spans);
    let missing = spans.saturating_sub(exported + drops.total());
    drops.add(DropReason::Internal, missing);
    {
        let mut state = shared.lock();
        state.settle(spans, aside);
        state.exported += exported;
        state.drops.merge(&drops);
    }
    if let Some(message) = outcome.message {
        crate::log::warn_once(&format!("outcome {}", shared.name), &format!("{}: {message}", shared.name));
    }
}
