//! Jobs as `ts/host` handles them.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use polyspan::DropReason;
use polyspan::export::Outcome;
use polyspan::host::{HostJob, HostTask, Verdict};

use super::changed;
use super::place::Target;
use super::told;

/// What [`NativeJob::judge`] is told of each record.
mod verdict {
    pub const DROP: u8 = 0;
    pub const CHANGE: u8 = 2;
}

/// A job in the hands of JavaScript; answered once. One that is collected unanswered counts as failed.
#[napi]
pub struct NativeJob(Option<HostJob>);

impl NativeJob {
    pub(super) fn new(job: HostJob) -> Self {
        Self(Some(job))
    }

    fn settle(&mut self, verdicts: Vec<Verdict>, failures: u32) {
        if let Some(mut job) = self.0.take() {
            job.count_failures(failures.into());
            job.judged(verdicts);
        }
    }
}

#[napi]
impl NativeJob {
    /// What is to be done.
    #[napi(getter)]
    pub fn task(&self) -> &'static str {
        match self.0.as_ref().map(HostJob::task) {
            Some(HostTask::Process) => "process",
            Some(HostTask::Filter) => "filter",
            Some(HostTask::Format) => "format",
            Some(HostTask::Export) => "export",
            Some(HostTask::Flush) => "flush",
            Some(HostTask::Shutdown) => "shutdown",
            _ => "",
        }
    }

    /// The number of the handler that does it.
    #[napi(getter)]
    pub fn target(&self) -> u32 {
        let target = self.0.as_ref().and_then(|job| job.handler().token().downcast_ref::<Target>());
        target.map_or(u32::MAX, |target| target.number)
    }

    /// The records it is about: for each what it tells, the length of what follows, and a map.
    #[napi]
    pub fn records(&self) -> Buffer {
        let records = self.0.iter().flat_map(|job| job.batch().records());
        told::records(records).into()
    }

    /// It is done.
    #[napi]
    pub fn done(&mut self) {
        if let Some(job) = self.0.take() {
            job.done();
        }
    }

    /// What becomes of each record: 0 it is left out, 1 it goes on, 2 it goes on with the next of `changes`, each a
    /// map of the fields that were read or set. So many calls failed. Says what cannot be recorded as it was changed;
    /// such a record goes on as it was.
    #[napi]
    pub fn judge(&mut self, verdicts: &[u8], changes: Vec<Buffer>, failures: u32) -> Option<String> {
        let job = self.0.as_ref()?;
        let mut changes = changes.iter();
        let mut refused = None;
        let mut failed = 0;
        let records = job.batch().records().zip(verdicts);
        let judged = records.map(|(record, verdict)| match *verdict {
            verdict::DROP => Verdict::Drop,
            verdict::CHANGE => {
                let changed = changes.next().map_or(Ok(None), |change| changed::body(&record, change));
                match changed {
                    Ok(Some(body)) => Verdict::Replace(body),
                    Ok(None) => Verdict::Keep,
                    Err(what) => {
                        failed += 1;
                        refused.get_or_insert(what);
                        Verdict::Keep
                    }
                }
            }
            _ => Verdict::Keep,
        });
        let judged = judged.collect();
        self.settle(judged, failures + failed);
        refused
    }

    /// An export has ended: so many spans were refused, of so many the application's code failed, and of so many it
    /// is not known; all others are delivered. So many formatters failed.
    #[napi]
    pub fn delivered(&mut self, rejected: u32, failed: u32, unknown: u32, failures: u32) {
        if let Some(mut job) = self.0.take() {
            job.count_failures(failures.into());
            let spans = job.batch().spans();
            let lost = rejected.saturating_add(failed).saturating_add(unknown);
            let mut outcome = Outcome::exported(spans.saturating_sub(lost));
            outcome.rejected = rejected.min(spans);
            outcome.unknown = unknown.min(spans);
            if failed > 0 {
                outcome.drop_spans(DropReason::HostFailed, failed);
            }
            job.delivered(outcome);
        }
    }

    /// How many finished spans or log records it holds.
    #[napi(getter)]
    pub fn spans(&self) -> u32 {
        self.0.as_ref().map_or(0, |job| job.batch().spans())
    }
}
