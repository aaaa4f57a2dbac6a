//! The host stage in Kotlin and Swift: what the application wrote (processors, a span filter, exporters), driven by
//! jobs that a thread of the binding pulls. The engine calls for that thread when there are jobs and nobody pulls.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use polyspan::host::{HostHandler, HostJob, HostPort, HostWorker, Next};
use polyspan::{Error, hosted, registry};

use crate::engine::time;
use crate::failure::not_running;

/// The one meeting place of this process.
static PORT: OnceLock<HostPort> = OnceLock::new();
/// Handlers that no engine needs any more, by their numbers.
static FORGOTTEN: Mutex<Vec<i32>> = Mutex::new(Vec::new());
static NUMBERS: AtomicI32 = AtomicI32::new(1);

/// How the binding learns that jobs wait.
#[uniffi::export(with_foreign)]
pub trait HostCaller: Send + Sync {
    /// Has a thread enter ([`host_enter`]) and pull. Called on a thread of the engine's, at most once a second, and not
    /// on the one that exports.
    fn call(&self);
}

/// An object that runs jobs.
#[derive(Debug, Clone, uniffi::Record)]
pub struct NativeHandler {
    /// The number under which the host knows it.
    pub target: i32,
    /// The application's objects in it, by numbers: the same objects are the same option.
    pub identity: Vec<i32>,
}

/// An exporter of the application.
#[derive(Debug, Clone, uniffi::Record)]
pub struct GivenExporter {
    /// Who runs its jobs.
    pub handler: NativeHandler,
    /// What it is called in counts and messages.
    pub name: String,
    /// Whether it gets spans as they end, and not in batches.
    pub at_once: bool,
    /// The events that it is told of, by their names.
    pub events: Vec<String>,
}

/// The token of a handler's jobs.
struct Target(i32);

impl Drop for Target {
    fn drop(&mut self) {
        FORGOTTEN.lock().unwrap_or_else(PoisonError::into_inner).push(self.0);
    }
}

/// The handler that the engine knows.
///
/// # Errors
/// `not_running` before [`host_open`].
pub fn handler(given: NativeHandler) -> Result<HostHandler, Error> {
    let port = PORT.get().ok_or_else(|| not_running("host stage"))?;
    let identity: Vec<usize> = given.identity.iter().map(|number| *number as usize).collect();
    Ok(HostHandler::new(port, &identity, Target(given.target)))
}

/// A number that nothing else in this process has: for handlers, and for the application's objects in them.
#[uniffi::export]
pub fn host_number() -> i32 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// Opens the host stage; once in the life of the process, later calls do nothing.
#[uniffi::export]
pub fn host_open(caller: Arc<dyn HostCaller>) {
    PORT.get_or_init(|| HostPort::new(move || caller.call()));
}

/// Begins to pull jobs on this thread. None where nobody is needed.
#[uniffi::export]
pub fn host_enter() -> Option<Arc<NativeWorker>> {
    let worker = PORT.get()?.enter()?;
    Some(Arc::new(NativeWorker(Mutex::new(Some(worker)))))
}

/// Handlers that no engine needs any more.
#[uniffi::export]
pub fn host_forgotten() -> Vec<i32> {
    std::mem::take(&mut *FORGOTTEN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// When the process ends: shuts every engine down within its exit bound, while the workers go on, then has them leave
/// and waits for that at most so many seconds.
#[uniffi::export]
pub fn host_exit(seconds: f64) {
    registry::flush_at_exit();
    if let Some(port) = PORT.get() {
        port.close(time(seconds));
    }
}

/// A thread that pulls jobs.
#[derive(uniffi::Object)]
pub struct NativeWorker(Mutex<Option<HostWorker>>);

#[uniffi::export]
impl NativeWorker {
    /// The next job; waits for one at most so many seconds.
    pub fn next(&self, seconds: f64) -> Option<Arc<NativeJob>> {
        let mut worker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match worker.as_mut()?.next(Some(time(seconds))) {
            Next::Job(job) => Some(Arc::new(NativeJob::new(job))),
            Next::Nothing => None,
            Next::Leave => {
                *worker = None;
                None
            }
        }
    }

    /// Whether it is needed no more: the thread is to end.
    pub fn has_left(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Leaves.
    pub fn leave(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A job in the hands of the host; answered once. One that is dropped unanswered counts as failed.
#[derive(uniffi::Object)]
pub struct NativeJob(Mutex<Option<HostJob>>);

impl NativeJob {
    fn new(job: HostJob) -> Self {
        Self(Mutex::new(Some(job)))
    }

    fn see<R: Default>(&self, look: impl FnOnce(&HostJob) -> R) -> R {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(look).unwrap_or_default()
    }

    fn take(&self) -> Option<HostJob> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[uniffi::export]
impl NativeJob {
    /// What is to be done: `process`, `filter`, `format`, `export`, `flush`, `shutdown`; empty once it is answered.
    pub fn task(&self) -> String {
        self.see(|job| hosted::task_name(job.task()).to_owned())
    }

    /// The number of the handler that does it; 0 once it is answered.
    pub fn target(&self) -> i32 {
        self.see(|job| job.handler().token().downcast_ref::<Target>().map_or(0, |target| target.0))
    }

    /// The records it is about: for each a byte that tells what it is, the length (u32, little-endian) of what follows,
    /// and a map.
    pub fn records(&self) -> Vec<u8> {
        self.see(hosted::records_of)
    }

    /// How many finished spans or log records it holds.
    pub fn spans(&self) -> i32 {
        self.see(|job| i32::try_from(job.batch().spans()).unwrap_or(i32::MAX))
    }

    /// It is done.
    pub fn done(&self) {
        if let Some(job) = self.take() {
            job.done();
        }
    }

    /// What becomes of each record: 0 it is left out, 1 it goes on, 2 it goes on with the next of `changes`, each a u32
    /// length and so much of a map of the fields that were set. So many calls failed. Says what cannot be recorded as
    /// it was changed; such a record goes on as it was.
    pub fn judge(&self, verdicts: &[u8], changes: &[u8], failures: i32) -> Option<String> {
        hosted::judge(self.take()?, verdicts, &parted(changes), count(failures))
    }

    /// An export has ended: so many spans were refused, of so many the application's code failed, and of so many it is
    /// not known; all others are delivered. So many formatters failed.
    pub fn delivered(&self, rejected: i32, failed: i32, unknown: i32, failures: i32) {
        if let Some(job) = self.take() {
            hosted::delivered(job, count(rejected), count(failed), count(unknown), count(failures));
        }
    }
}

fn count(given: i32) -> u32 {
    u32::try_from(given).unwrap_or(0)
}

/// Parts with their lengths before them; one that is torn ends them.
fn parted(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((part, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        parts.push(part);
        bytes = rest;
    }
    parts
}
