//! One piece of work for the host, and how it is answered.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::{Notify, oneshot};

use super::{HostBatch, HostHandler, Verdict};
use crate::export::Outcome;
use crate::lifecycle::generation;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HostTask {
    /// Change records or leave them out, before redaction; answered with [`HostJob::judged`].
    Process,
    /// Keep records or leave them out, after limits; answered with [`HostJob::judged`].
    Filter,
    /// Change records for one exporter, none left out; answered with [`HostJob::judged`].
    Format,
    /// Deliver the records; answered with [`HostJob::delivered`].
    Export,
    /// Deliver what is still held back; answered with [`HostJob::done`].
    Flush,
    /// Nothing comes any more; answered with [`HostJob::done`].
    Shutdown,
}

/// What the host says of a job.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It did as it was told.
    Done,
    /// What became of the spans of an export.
    Outcome(Outcome),
    /// What becomes of each record.
    Verdicts(Vec<Verdict>),
}

/// An answer, and how many calls of the application's code failed on the way to it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) failures: u64,
}

/// Nobody has it.
const WAITING: u8 = 0;
/// The host has it.
const TAKEN: u8 = 1;
/// It was withdrawn before the host took it.
const WITHDRAWN: u8 = 2;

/// A job in the hands of the host. One that is dropped without an answer counts as failed.
pub struct HostJob {
    task: HostTask,
    handler: HostHandler,
    batch: Arc<HostBatch>,
    generation: usize,
    state: Arc<AtomicU8>,
    reply: Option<oneshot::Sender<Reply>>,
    failures: u64,
    /// Further jobs for the same objects wait for the end of this one.
    releases: bool,
    /// Wakes who looks for the answer.
    wake: Option<Arc<Notify>>,
}

/// The engine's end of a job.
pub(crate) struct Pending {
    state: Arc<AtomicU8>,
    /// Fails when the host drops the job.
    pub(crate) reply: oneshot::Receiver<Reply>,
}

impl HostJob {
    pub(super) fn new(
        task: HostTask,
        handler: &HostHandler,
        batch: Arc<HostBatch>,
        wake: Option<Arc<Notify>>,
    ) -> (Self, Pending) {
        let (send, reply) = oneshot::channel();
        let state = Arc::new(AtomicU8::new(WAITING));
        let job = Self {
            task,
            handler: handler.clone(),
            batch,
            generation: generation(),
            state: Arc::clone(&state),
            reply: Some(send),
            failures: 0,
            releases: false,
            wake,
        };
        (job, Pending { state, reply })
    }

    /// Whether it is the caller's now, and not withdrawn meanwhile.
    pub(super) fn take(&self) -> bool {
        self.state.compare_exchange(WAITING, TAKEN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Has the port know when the host is done with it.
    pub(super) fn release_later(&mut self) {
        self.releases = true;
    }

    /// What is to be done.
    pub fn task(&self) -> HostTask {
        self.task
    }

    /// Who is to do it.
    pub fn handler(&self) -> &HostHandler {
        &self.handler
    }

    /// The records it is about; none for [`HostTask::Flush`] and [`HostTask::Shutdown`].
    pub fn batch(&self) -> &HostBatch {
        &self.batch
    }

    /// Counts calls of the application's code that failed, while their spans go on
    /// ([`Stats::host_errors`](crate::Stats::host_errors)).
    pub fn count_failures(&mut self, calls: u64) {
        self.failures += calls;
    }

    /// It is done.
    pub fn done(self) {
        self.answer(Answer::Done);
    }

    /// Says what became of the spans; spans that it leaves out are counted as lost to a fault.
    pub fn delivered(self, outcome: Outcome) {
        self.answer(Answer::Outcome(outcome));
    }

    /// Says what becomes of each record, in their order; records it says nothing of are lost and counted.
    pub fn judged(self, verdicts: Vec<Verdict>) {
        self.answer(Answer::Verdicts(verdicts));
    }

    fn answer(mut self, answer: Answer) {
        if self.task == HostTask::Export {
            // The lane of an exporter looks at what became of its spans alone.
            self.handler.count_failures(self.failures);
        }
        if self.generation == generation()
            && let Some(reply) = self.reply.take()
        {
            // Whoever waited may have given up.
            let _ = reply.send(Reply { answer, failures: self.failures });
        }
    }
}

impl Drop for HostJob {
    fn drop(&mut self) {
        let (reply, wake) = (self.reply.take(), self.wake.take());
        if self.generation != generation() {
            // The child of a fork has jobs of its parent's, whose channels must not be touched.
            std::mem::forget((reply, wake));
            return;
        }
        if self.releases {
            self.handler.port().release(self.handler.identity());
        }
        drop(reply);
        if let Some(wake) = wake {
            wake.notify_one();
        }
    }
}

impl fmt::Debug for HostJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostJob")
            .field("task", &self.task)
            .field("handler", &self.handler)
            .field("records", &self.batch.len())
            .finish_non_exhaustive()
    }
}

impl Pending {
    /// Whether the host has it.
    pub(crate) fn is_taken(&self) -> bool {
        self.state.load(Ordering::Acquire) == TAKEN
    }

    /// Takes it back; false when the host has it already.
    pub(crate) fn withdraw(&self) -> bool {
        self.state.compare_exchange(WAITING, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}
