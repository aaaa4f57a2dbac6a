//! Jobs as `ts/host` handles them.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use polyspan::host::HostJob;
use polyspan::hosted;

use super::place::Target;
use crate::entry::always;

/// A job in the hands of JavaScript; answered once. One that is collected unanswered counts as failed.
#[napi]
pub struct NativeJob(Option<HostJob>);

impl NativeJob {
    pub(super) fn new(job: HostJob) -> Self {
        Self(Some(job))
    }
}

#[napi]
impl NativeJob {
    /// What is to be done.
    #[napi(getter)]
    pub fn task(&self) -> &'static str {
        always(None, || "", || self.0.as_ref().map_or("", |job| hosted::task_name(job.task())))
    }

    /// The number of the handler that does it.
    #[napi(getter)]
    pub fn target(&self) -> u32 {
        let number = || {
            let target = self.0.as_ref()?.handler().token().downcast_ref::<Target>()?;
            Some(target.number)
        };
        always(None, || None, number).unwrap_or(u32::MAX)
    }

    /// The records it is about: for each what it tells, the length of what follows, and a map.
    #[napi]
    pub fn records(&self) -> Buffer {
        always(None, Vec::new, || self.0.as_ref().map(hosted::records_of).unwrap_or_default()).into()
    }

    /// It is done.
    #[napi]
    pub fn done(&mut self) {
        always(None, Default::default, || {
            if let Some(job) = self.0.take() {
                job.done();
            }
        });
    }

    /// What becomes of each record: 0 it is left out, 1 it goes on, 2 it goes on with the next of `changes`, each a
    /// map of the fields that were read or set. So many calls failed. Says what cannot be recorded as it was changed;
    /// such a record goes on as it was.
    #[napi]
    pub fn judge(&mut self, verdicts: &[u8], changes: Vec<Buffer>, failures: u32) -> Option<String> {
        always(None, || None, || hosted::judge(self.0.take()?, verdicts, &changes, failures))
    }

    /// An export has ended: so many spans were refused, of so many the application's code failed, and of so many it
    /// is not known; all others are delivered. So many formatters failed.
    #[napi]
    pub fn delivered(&mut self, rejected: u32, failed: u32, unknown: u32, failures: u32) {
        always(None, Default::default, || {
            if let Some(job) = self.0.take() {
                hosted::delivered(job, rejected, failed, unknown, failures);
            }
        });
    }

    /// How many finished spans or log records it holds.
    #[napi(getter)]
    pub fn spans(&self) -> u32 {
        always(None, Default::default, || self.0.as_ref().map_or(0, |job| job.batch().spans()))
    }
}
