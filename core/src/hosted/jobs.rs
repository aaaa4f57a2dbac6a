//! Jobs of the host stage as hosts answer them: by bytes and numbers.

use super::changed;
use crate::export::Outcome;
use crate::host::{HostJob, HostTask, Verdict};
use crate::stats::DropReason;

/// What [`judge`] is told of each record.
mod verdict {
    pub const DROP: u8 = 0;
    pub const CHANGE: u8 = 2;
}

/// What is to be done, in a word.
pub fn task_name(task: HostTask) -> &'static str {
    match task {
        HostTask::Process => "process",
        HostTask::Filter => "filter",
        HostTask::Format => "format",
        HostTask::Export => "export",
        HostTask::Flush => "flush",
        HostTask::Shutdown => "shutdown",
    }
}

/// What becomes of each record: 0 it is left out, 1 it goes on, 2 it goes on with the next of `changes`, each a map of
/// the fields that were read or set. So many calls failed. Says what cannot be recorded as it was changed; such a
/// record goes on as it was.
pub fn judge(
    mut job: HostJob,
    verdicts: &[u8],
    changes: &[impl AsRef<[u8]>],
    failures: u32,
) -> Option<String> {
    let mut changes = changes.iter();
    let mut refused = None;
    let mut failed = 0;
    let records = job.batch().records().zip(verdicts);
    let judged = records.map(|(record, verdict)| match *verdict {
        verdict::DROP => Verdict::Drop,
        verdict::CHANGE => {
            let changed = changes.next().map_or(Ok(None), |change| changed::body(&record, change.as_ref()));
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
    job.count_failures(u64::from(failures) + failed);
    job.judged(judged);
    refused
}

/// An export has ended: so many spans were refused, of so many the application's code failed, and of so many it is not
/// known; all others are delivered. So many formatters failed.
pub fn delivered(mut job: HostJob, rejected: u32, failed: u32, unknown: u32, failures: u32) {
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
