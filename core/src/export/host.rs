//! The host exporter: batches of records that the host pulls, delivers in its own language, and answers.
//!
//! Its lane is that of any exporter, so that a host that is slow or hangs fills its own queue and no other.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use tokio::sync::{Notify, oneshot};

use super::lane::{ExportLane, Lane, LaneCounts, LaneLimits, Signal};
use super::{Encoder, Outcome, SendContext, Sink};
use crate::config::HostExporter;
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::host::{Answer, HostBatch, HostEvent, HostEvents, HostHandler, HostTask, PATIENCE, Reply};
use crate::stats::DropReason;

/// Whether a job was taken is looked at this soon, and less often the longer it takes.
const FIRST_LOOK: Duration = Duration::from_millis(25);
const LAST_LOOK: Duration = Duration::from_millis(250);

/// Copies records for the host.
#[derive(Debug)]
pub(crate) struct HostEncoder {
    batch: HostBatch,
    /// What it is given: spans that ended, or log records.
    event: HostEvent,
}

impl Encoder for HostEncoder {
    type Batch = HostBatch;

    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>) {
        self.batch.push(self.event, span, context);
    }

    fn spans(&self) -> u32 {
        self.batch.spans()
    }

    fn bytes(&self) -> usize {
        self.batch.bytes()
    }

    fn take(&mut self) -> HostBatch {
        core::mem::take(&mut self.batch)
    }
}

/// Gives batches to the host one by one and waits for what it says.
#[derive(Debug)]
pub(crate) struct HostSink {
    handler: HostHandler,
    /// Whether anything was sent since the last flush.
    has_sent: bool,
    /// For log records: an exporter that takes both is flushed for them only where there are any.
    of_logs: bool,
}

impl HostSink {
    fn new(handler: HostHandler, of_logs: bool) -> Self {
        handler.add_sink();
        Self { handler, has_sent: false, of_logs }
    }

    /// Has the host do something without records; however it ends.
    async fn ask(&self, task: HostTask) {
        let mut pending = self.handler.port().offer(task, &self.handler, Arc::default(), None);
        let mut waited = Duration::ZERO;
        loop {
            let look = next_look(waited);
            tokio::select! {
                _ = &mut pending.reply => return,
                () = tokio::time::sleep(look), if !pending.is_taken() => {
                    waited += look;
                    if waited >= PATIENCE {
                        self.handler.port().call_for_help();
                    }
                }
            }
        }
    }
}

/// How soon to look again.
fn next_look(waited: Duration) -> Duration {
    (waited / 4).clamp(FIRST_LOOK, LAST_LOOK)
}

/// Whether it is time to call for another worker: sooner when the end is near.
fn is_too_long(waited: Duration, context: &SendContext) -> bool {
    let left = context.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
    waited >= left.map_or(PATIENCE, |left| left.min(PATIENCE))
}

impl Sink<HostBatch> for HostSink {
    async fn send(&mut self, batch: HostBatch, context: &SendContext) -> Outcome {
        let spans = batch.spans();
        self.has_sent = true;
        let port = self.handler.port();
        let mut pending = port.offer(HostTask::Export, &self.handler, Arc::new(batch), None);
        let mut waited = Duration::ZERO;
        loop {
            let look = next_look(waited);
            tokio::select! {
                reply = &mut pending.reply => return match reply {
                    Ok(Reply { answer: Answer::Outcome(outcome), .. }) => outcome,
                    Ok(_) => Outcome::exported(spans),
                    Err(_) => Outcome::dropped(DropReason::HostFailed, spans, "the host gave a batch up"),
                },
                () = context.expired() => {
                    return if pending.withdraw() {
                        Outcome::dropped(DropReason::Shutdown, spans, "the host had no time for the last batch")
                    } else {
                        Outcome { unknown: spans, ..Outcome::default() }
                    };
                }
                () = tokio::time::sleep(look), if !pending.is_taken() => {
                    waited += look;
                    if is_too_long(waited, context) {
                        port.call_for_help();
                    }
                }
            }
        }
    }

    async fn flush(&mut self) {
        if core::mem::take(&mut self.has_sent) || !self.of_logs {
            self.ask(HostTask::Flush).await;
        }
    }

    async fn shutdown(&mut self) {
        // Where spans and log records go to the same exporter, whichever comes last tells it.
        if self.handler.remove_sink() {
            self.ask(HostTask::Shutdown).await;
        }
    }
}

/// The lane of a host exporter: that of any other, and told of open spans and traces besides.
pub(crate) struct HostLane {
    lane: Lane<HostEncoder, HostSink>,
    events: HostEvents,
}

impl HostLane {
    pub(crate) fn new(name: &str, exporter: HostExporter, limits: LaneLimits) -> Self {
        let HostExporter { handler, events, .. } = exporter;
        let encoder = HostEncoder { batch: HostBatch::default(), event: HostEvent::SpanEnded };
        Self { lane: Lane::new(name, encoder, HostSink::new(handler, false), limits), events }
    }

    /// The lane of its log records.
    pub(crate) fn of_logs(name: &str, exporter: HostExporter, limits: LaneLimits) -> Self {
        let handler = exporter.handler;
        let encoder = HostEncoder { batch: HostBatch::default(), event: HostEvent::Log };
        let lane = Lane::new(name, encoder, HostSink::new(handler, true), limits).of(Signal::Logs);
        Self { lane, events: HostEvents::NONE }
    }
}

impl ExportLane for HostLane {
    fn push(&mut self, span: &SpanView<'_>, context: &RecordContext<'_>, now: Instant) -> bool {
        self.lane.push(span, context, now)
    }

    fn tell(
        &mut self,
        event: HostEvent,
        record: &SpanView<'_>,
        context: &RecordContext<'_>,
        now: Instant,
    ) -> bool {
        if !self.events.contains(event) {
            // Nothing is said, and nothing is missing.
            return true;
        }
        let owed = matches!(event, HostEvent::SpanDropped | HostEvent::TraceEnded);
        self.lane.add_aside(HostBatch::cost(record), owed, now, |encoder| {
            encoder.batch.push(event, record, context);
        })
    }

    fn events(&self) -> HostEvents {
        self.events
    }

    fn end_of_pass(&mut self, now: Instant) {
        self.lane.end_of_pass(now);
    }

    fn due(&self) -> Option<Instant> {
        self.lane.due()
    }

    fn seal(&mut self) {
        self.lane.seal();
    }

    fn is_pressed(&self) -> bool {
        self.lane.is_pressed()
    }

    fn flush(&mut self) -> oneshot::Receiver<()> {
        self.lane.flush()
    }

    fn close(&mut self, deadline: Instant) -> oneshot::Receiver<()> {
        self.lane.close(deadline)
    }

    fn abandon(&mut self) {
        self.lane.abandon();
    }

    fn start(&mut self, settled: &Arc<Notify>) {
        self.lane.start(settled);
    }

    fn counts(&self) -> Arc<dyn LaneCounts> {
        self.lane.counts()
    }

    fn signal(&self) -> Signal {
        self.lane.signal()
    }
}
