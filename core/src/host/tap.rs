//! A tap: records leave the pipeline for the host and come back in their order, each with a verdict.
//!
//! On the export thread, which looks at it in every pass and is woken by the host's answer. One batch is out
//! at a time; what comes meanwhile waits, bounded by count and bytes. Marks keep their place among the
//! records, so that a flush is over when everything before it has come back.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::time::Instant;

use super::job::{Answer, Pending};
use super::{HostBatch, HostEvent, HostHandler, HostRecord, HostTask, PATIENCE};
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;

/// While a job waits for what hangs, it is looked at this often at least.
const LAST_LOOK: Duration = Duration::from_millis(250);

/// What the host says of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Verdict {
    /// It goes on as it is.
    #[default]
    Keep,
    /// It is left out.
    Drop,
    /// It goes on as these bytes, the body of a span's event, redacted and limited anew. Identity, trace flags and
    /// scope stay what they were.
    Replace(Vec<u8>),
}

/// The bounds of a tap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TapBounds {
    /// Records of a batch.
    pub(crate) batch_records: usize,
    /// Bytes of a batch.
    pub(crate) batch_bytes: usize,
    /// Records it holds at most.
    pub(crate) records: usize,
    /// Bytes it holds at most.
    pub(crate) bytes: usize,
}

enum Step<M> {
    Batch(HostBatch),
    Call(HostTask),
    Mark(M),
}

/// The batch that the host has.
struct Out {
    pending: Pending,
    batch: Arc<HostBatch>,
    since: Instant,
}

/// What comes out of a tap.
pub(crate) enum Passed<'a, M> {
    /// A record, with what the host says of it; nothing if it failed to answer.
    Record(HostRecord<'a>, Option<Verdict>),
    /// Everything before this has come out.
    Mark(M),
}

/// Records on their way through the host.
pub(crate) struct Tap<M> {
    task: HostTask,
    handler: HostHandler,
    bounds: TapBounds,
    wake: Arc<Notify>,
    open: HostBatch,
    queue: VecDeque<Step<M>>,
    out: Option<Out>,
    /// All that it holds, the batch that is out among it.
    records: usize,
    bytes: usize,
    spans: u64,
}

impl<M> Tap<M> {
    /// `wake` wakes the export thread.
    pub(crate) fn new(task: HostTask, handler: HostHandler, bounds: TapBounds, wake: Arc<Notify>) -> Self {
        let (open, queue) = Default::default();
        Self { task, handler, bounds, wake, open, queue, out: None, records: 0, bytes: 0, spans: 0 }
    }

    /// Takes a copy of a record; false when it is full.
    pub(crate) fn push(
        &mut self,
        event: HostEvent,
        span: &SpanView<'_>,
        context: &RecordContext<'_>,
    ) -> bool {
        if self.is_full(1, HostBatch::cost(span), 4) {
            return false;
        }
        let before = self.open.bytes();
        self.open.push(event, span, context);
        self.records += 1;
        self.bytes += self.open.bytes() - before;
        self.spans += u64::from(event == HostEvent::SpanEnded);
        if self.open.len() >= self.bounds.batch_records || self.open.bytes() >= self.bounds.batch_bytes {
            self.seal();
        }
        true
    }

    /// Has the host do something once all before it has come back.
    pub(crate) fn call(&mut self, task: HostTask) {
        self.seal();
        // Asked once is enough while nothing comes in between.
        if !matches!(self.queue.back(), Some(Step::Call(last)) if *last == task) {
            self.queue.push_back(Step::Call(task));
        }
    }

    /// Comes out once all before it has; marks right before it that are `stale` are forgotten.
    pub(crate) fn mark(&mut self, mark: M, stale: impl Fn(&M) -> bool) {
        self.seal();
        while matches!(self.queue.back(), Some(Step::Mark(last)) if stale(last)) {
            self.queue.pop_back();
        }
        self.queue.push_back(Step::Mark(mark));
    }

    fn seal(&mut self) {
        if !self.open.is_empty() {
            self.queue.push_back(Step::Batch(core::mem::take(&mut self.open)));
        }
    }

    /// Hands `each` what has come back, and gives the host what is next. Says how many calls of the
    /// application's code failed.
    pub(crate) fn poll(&mut self, mut each: impl FnMut(Passed<'_, M>)) -> u64 {
        let mut failed = 0;
        loop {
            if let Some(out) = &mut self.out {
                let reply = out.pending.reply.try_recv();
                failed += reply.as_ref().map_or(0, |reply| reply.failures);
                let verdicts = match reply.map(|reply| reply.answer) {
                    Ok(Answer::Verdicts(verdicts)) => verdicts.into_iter().map(Some).collect(),
                    Ok(_) => vec![Some(Verdict::Keep); out.batch.len()],
                    Err(TryRecvError::Closed) => Vec::new(),
                    Err(TryRecvError::Empty) => {
                        if !out.pending.is_taken() && out.since.elapsed() >= PATIENCE {
                            self.handler.port().call_for_help();
                        }
                        return failed;
                    }
                };
                let batch = Arc::clone(&out.batch);
                self.out = None;
                self.forget(&batch);
                let mut verdicts = verdicts.into_iter();
                for record in batch.records() {
                    each(Passed::Record(record, verdicts.next().flatten()));
                }
            }
            if self.queue.is_empty() {
                self.seal();
            }
            match self.queue.pop_front() {
                Some(Step::Batch(batch)) => self.offer(self.task, batch),
                Some(Step::Call(task)) => self.offer(task, HostBatch::default()),
                Some(Step::Mark(mark)) => each(Passed::Mark(mark)),
                None => return failed,
            }
        }
    }

    fn offer(&mut self, task: HostTask, batch: HostBatch) {
        let batch = Arc::new(batch);
        let wake = Some(Arc::clone(&self.wake));
        let pending = self.handler.port().offer(task, &self.handler, Arc::clone(&batch), wake);
        self.out = Some(Out { pending, batch, since: Instant::now() });
    }

    fn forget(&mut self, batch: &HostBatch) {
        self.records = self.records.saturating_sub(batch.len());
        self.bytes = self.bytes.saturating_sub(batch.bytes());
        self.spans = self.spans.saturating_sub(u64::from(batch.spans()));
    }

    /// When to look again, if nothing wakes the export thread before.
    pub(crate) fn due(&self) -> Option<Instant> {
        let out = self.out.as_ref().filter(|out| !out.pending.is_taken())?;
        // Once it is too late, look every now and then, and less often the longer it takes.
        let again = (out.since.elapsed() / 4).clamp(PATIENCE / 4, LAST_LOOK);
        Some((out.since + PATIENCE).max(Instant::now() + again))
    }

    /// Whether it holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.out.is_none() && self.queue.is_empty() && self.open.is_empty()
    }

    /// Whether it is above three quarters of a bound.
    pub(crate) fn is_pressed(&self) -> bool {
        self.is_full(0, 0, 3)
    }

    fn is_full(&self, records: usize, bytes: usize, share: usize) -> bool {
        self.records + records > self.bounds.records * share / 4
            || self.bytes + bytes > self.bounds.bytes / 4 * share
    }

    /// Gives up what it holds: how many finished spans that is.
    pub(crate) fn abandon(&mut self) -> u64 {
        self.open = HostBatch::default();
        self.queue.clear();
        if let Some(out) = self.out.take() {
            out.pending.withdraw();
        }
        (self.records, self.bytes) = (0, 0);
        core::mem::take(&mut self.spans)
    }
}
