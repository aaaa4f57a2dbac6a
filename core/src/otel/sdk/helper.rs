//! The thread of one `opentelemetry_sdk` exporter, where it may block and spawn as it likes.
//!
//! One call at a time, handed over through a slot: what has not begun can be taken back, what does not
//! return is left alone. The thread goes when the [`Helper`] is dropped and the last call has returned.

use std::error::Error as StdError;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};

use opentelemetry::Context;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::error::{Error, ErrorCode};
use crate::lifecycle::without_signals;

type Job<E> = Box<dyn FnOnce(&mut E) + Send>;

/// How an exporter is made.
pub(super) type Make<E> = Arc<dyn Fn() -> Result<E, Box<dyn StdError + Send + Sync>> + Send + Sync>;

struct Slot<E> {
    job: Option<Job<E>>,
    closed: bool,
}

struct Shared<E> {
    slot: Mutex<Slot<E>>,
    filled: Condvar,
}

/// Resolves when nobody waits for the call any more.
pub(super) type Stopped = oneshot::Receiver<()>;

/// What became of a call.
#[derive(Debug)]
pub(super) enum Called<R> {
    Returned(R),
    Panicked,
    /// It had begun when the time was over, and may go on.
    Begun,
    /// It had not begun, and never will.
    Withdrawn,
}

/// A handle of the thread.
pub(super) struct Helper<E> {
    shared: Arc<Shared<E>>,
}

impl<E: 'static> Helper<E> {
    /// Starts the thread and makes the exporter there.
    pub(super) fn start(name: &str, make: Make<E>) -> Result<Self, Error> {
        let refused = |error: std::io::Error| {
            Error::new(ErrorCode::Resource, format!("exporter {name:?} gets no thread: {error}"))
        };
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder
            .worker_threads(1)
            .max_blocking_threads(4)
            .thread_name("polyspan-exporter")
            .on_thread_start(suppress_telemetry)
            .enable_all();
        let runtime = without_signals(|| builder.build()).map_err(refused)?;
        let shared =
            Arc::new(Shared { slot: Mutex::new(Slot { job: None, closed: false }), filled: Condvar::new() });
        let inside = Arc::clone(&shared);
        let (made, is_made) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("polyspan-exporter".to_owned());
        without_signals(|| thread.spawn(move || serve(&inside, runtime, &make, &made))).map_err(refused)?;
        match is_made.recv() {
            Ok(Ok(())) => Ok(Self { shared }),
            Ok(Err(reason)) => Err(Error::new(
                ErrorCode::InvalidOption,
                format!("exporter {name:?} cannot be made: {reason}"),
            )),
            Err(_) => {
                Err(Error::new(ErrorCode::InvalidOption, format!("exporter {name:?} panics when it is made")))
            }
        }
    }

    /// Runs `work` with the exporter on its thread; gives up when `limit` completes.
    pub(super) async fn call<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut E, Stopped) -> R + Send + 'static,
        limit: impl Future<Output = ()>,
    ) -> Called<R> {
        let (reply, answer) = oneshot::channel();
        // Held until here is nobody to wait for the answer.
        let (_waiting, stopped) = oneshot::channel();
        let job: Job<E> = Box::new(move |exporter| {
            let _ = reply.send(work(exporter, stopped));
        });
        lock(&self.shared).job = Some(job);
        self.shared.filled.notify_one();
        tokio::select! {
            biased;
            answer = answer => answer.map_or(Called::Panicked, Called::Returned),
            () = limit => match lock(&self.shared).job.take() {
                Some(_) => Called::Withdrawn,
                None => Called::Begun,
            },
        }
    }
}

impl<E> Drop for Helper<E> {
    fn drop(&mut self) {
        let mut slot = lock(&self.shared);
        slot.closed = true;
        slot.job = None;
        self.shared.filled.notify_one();
    }
}

fn lock<E>(shared: &Shared<E>) -> MutexGuard<'_, Slot<E>> {
    shared.slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an exporter records about its own work would be exported in turn, without end.
fn suppress_telemetry() {
    mem::forget(Context::enter_telemetry_suppressed_scope());
}

/// The body of the thread. The runtime is entered and not blocked on: what blocks may do so here.
fn serve<E>(
    shared: &Shared<E>,
    runtime: Runtime,
    make: &Make<E>,
    made: &mpsc::SyncSender<Result<(), Box<dyn StdError + Send + Sync>>>,
) {
    suppress_telemetry();
    let within = runtime.enter();
    // Whoever waits hears of a panic by the loss of the channel.
    let Ok(exporter) = catch_unwind(AssertUnwindSafe(|| make())) else { return };
    let mut exporter = match exporter {
        Ok(exporter) => exporter,
        Err(error) => return drop(made.send(Err(error))),
    };
    let _ = made.send(Ok(()));
    while let Some(job) = next_job(shared) {
        // The caller sees a panic as a reply that never comes.
        let _ = catch_unwind(AssertUnwindSafe(|| job(&mut exporter)));
    }
    drop(exporter);
    drop(within);
    runtime.shutdown_background();
}

fn next_job<E>(shared: &Shared<E>) -> Option<Job<E>> {
    let mut slot = lock(shared);
    loop {
        if slot.closed {
            return None;
        }
        if let Some(job) = slot.job.take() {
            return Some(job);
        }
        slot = shared.filled.wait(slot).unwrap_or_else(PoisonError::into_inner);
    }
}
