//! The threads that record. Each keeps finished spans in a buffer of its own for a moment; who flushes asks the others
//! to hand in theirs first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use napi::Status;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;

use crate::entry::{always, throwing};
use crate::sampler::home;

/// Runs in the thread's own time, and keeps no thread from ending.
type Submit = ThreadsafeFunction<(), (), (), Status, false, true>;

struct Thread {
    home: u64,
    submit: Arc<Submit>,
}

/// Those that have ended leave with the next that comes, or that asks.
static THREADS: Mutex<Vec<Thread>> = Mutex::new(Vec::new());

/// How often a thread that has not answered is looked at: one that ends does not say so.
const LOOK: Duration = Duration::from_millis(10);

/// Has this thread asked, by `submit`, whenever another one flushes.
#[napi]
pub fn on_asked(submit: Function<'_, (), ()>) -> napi::Result<()> {
    throwing(None, || {
        let Some(home) = home() else { return Ok(()) };
        let submit = submit
            .build_threadsafe_function()
            .callee_handled::<false>()
            .weak::<true>()
            .build_callback(|_| Ok(()))?;
        let mut threads = threads();
        threads.retain(|thread| thread.home != home && !thread.submit.aborted());
        threads.push(Thread { home, submit: Arc::new(submit) });
        Ok(())
    })
}

/// How many threads would be asked, with this one.
#[napi]
pub fn recording_threads() -> u32 {
    always(None, Default::default, || {
        let mut threads = threads();
        threads.retain(|thread| !thread.submit.aborted());
        u32::try_from(threads.len()).unwrap_or(u32::MAX)
    })
}

fn threads() -> std::sync::MutexGuard<'static, Vec<Thread>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the threads that were asked have answered.
#[derive(Default)]
struct Answers {
    given: Mutex<()>,
    came: Condvar,
}

/// Has every thread but `own` hand in what it holds, and waits for them at most so long: one that computes without end
/// does not answer.
pub fn ask_others(own: Option<u64>, bound: Duration) {
    let asked: Vec<Arc<Submit>> = {
        let mut threads = threads();
        threads.retain(|thread| !thread.submit.aborted());
        threads
            .iter()
            .filter(|thread| Some(thread.home) != own)
            .map(|thread| Arc::clone(&thread.submit))
            .collect()
    };
    let answers = Arc::new(Answers::default());
    let mut waited_for = Vec::new();
    for submit in asked {
        let (answered, told) = (Arc::new(AtomicBool::new(false)), Arc::clone(&answers));
        let done = Arc::clone(&answered);
        let status =
            submit.call_with_return_value((), ThreadsafeFunctionCallMode::NonBlocking, move |_, _| {
                done.store(true, Ordering::Release);
                // Taken, so that it cannot come between a look and the wait that follows it.
                drop(told.given.lock());
                told.came.notify_all();
                Ok(())
            });
        if status == Status::Ok {
            waited_for.push((submit, answered));
        }
    }
    let start = Instant::now();
    let mut given = answers.given.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        waited_for.retain(|(submit, answered)| !answered.load(Ordering::Acquire) && !submit.aborted());
        let left = bound.saturating_sub(start.elapsed());
        if waited_for.is_empty() || left.is_zero() {
            return;
        }
        (given, _) = answers.came.wait_timeout(given, left.min(LOOK)).unwrap_or_else(PoisonError::into_inner);
    }
}
