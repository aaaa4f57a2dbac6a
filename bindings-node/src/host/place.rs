//! Where a thread's event loop pulls its jobs, how it is woken, and how a process or worker ends that has such code.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi::{Env, Error};
use napi_derive::napi;
use polyspan::host::{HostHandler, HostPort, HostWorker, Next};
use polyspan::registry;

use super::job::NativeJob;
use crate::entry::{always, throwing};

/// What pulls jobs on this thread.
struct Place {
    port: HostPort,
    /// None once it was told to leave.
    worker: Option<HostWorker>,
    /// Handlers that no engine needs any more, by their numbers.
    forgotten: Arc<Mutex<Vec<u32>>>,
}

thread_local! {
    static PLACE: RefCell<Option<Place>> = const { RefCell::new(None) };
}

static NUMBERS: AtomicU32 = AtomicU32::new(0);

/// A number that nothing else in this process has: for handlers, and for the application's objects in them.
#[napi]
pub fn host_number() -> u32 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// The token of a handler's jobs.
pub struct Target {
    /// The number under which JavaScript knows it.
    pub number: u32,
    forgotten: Arc<Mutex<Vec<u32>>>,
}

impl Drop for Target {
    fn drop(&mut self) {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).push(self.number);
    }
}

/// What JavaScript says of an object that runs jobs.
#[napi(object)]
pub struct Handler {
    /// The number under which it is known there.
    pub target: u32,
    /// The application's objects in it, by numbers: the same objects are the same option.
    pub identity: Vec<u32>,
}

/// Has this thread pull the jobs of its handlers. `look` is called on its event loop when there may be some, and
/// keeps no loop alive that has nothing else to do.
#[napi]
pub fn host_open(env: Env, look: Function<'_, (), ()>) -> napi::Result<()> {
    throwing(None, || {
        let woken = look
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .max_queue_size::<1>()
            .build_callback(|_| Ok(()))?;
        // A call that finds another one waiting has nothing to add to it.
        let port = HostPort::on_event_loop(move || {
            woken.call((), ThreadsafeFunctionCallMode::NonBlocking);
        });
        let worker = port.enter();
        let closing = port.clone();
        PLACE.with_borrow_mut(|place| *place = Some(Place { port, worker, forgotten: Arc::default() }));
        // Jobs of an environment that is gone fail at once.
        env.add_env_cleanup_hook(closing, |port| {
            always(None, Default::default, || {
                PLACE.with_borrow_mut(Option::take);
                port.close(Duration::ZERO);
            });
        })?;
        Ok(())
    })
}

/// The handler that the engine knows.
pub fn handler(given: Handler) -> napi::Result<HostHandler> {
    let Handler { target, identity } = given;
    let identity: Vec<usize> = identity.into_iter().map(|number| number as usize).collect();
    PLACE.with_borrow(|place| match place {
        Some(place) => {
            let token = Target { number: target, forgotten: Arc::clone(&place.forgotten) };
            Ok(HostHandler::new(&place.port, &identity, token))
        }
        None => Err(Error::from_reason("internal: the host stage of this thread is not open")),
    })
}

/// The next job of this thread; none where none waits. With a time in seconds it blocks so long for one.
#[napi]
pub fn host_next(seconds: f64) -> Option<NativeJob> {
    always(
        None,
        || None,
        || {
            let timeout = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            PLACE.with_borrow_mut(|place| {
                let place = place.as_mut()?;
                match place.worker.as_mut()?.next(Some(timeout)) {
                    Next::Job(job) => Some(NativeJob::new(job)),
                    Next::Nothing => None,
                    Next::Leave => {
                        place.worker = None;
                        None
                    }
                }
            })
        },
    )
}

/// Whether no job will come any more.
#[napi]
pub fn host_has_left() -> bool {
    let left = || PLACE.with_borrow(|place| place.as_ref().is_none_or(|place| place.worker.is_none()));
    always(None, || true, left)
}

/// Handlers of this thread that no engine needs any more.
#[napi]
pub fn host_forgotten() -> Vec<u32> {
    always(None, Vec::new, || {
        PLACE.with_borrow(|place| match place {
            Some(place) => {
                std::mem::take(&mut *place.forgotten.lock().unwrap_or_else(PoisonError::into_inner))
            }
            None => Vec::new(),
        })
    })
}

/// Delivers what there is before this thread ends, on another one, while this one runs its jobs until
/// [`host_has_left`]: shuts the engines down with the process, else flushes them. Within the exit bound of each.
#[napi]
pub fn host_exit(whole: bool) {
    always(None, Default::default, || {
        let Some(port) = PLACE.with_borrow(|place| place.as_ref().map(|place| place.port.clone())) else {
            return;
        };
        let closing = port.clone();
        let leave = move || {
            // Whatever happens there, this thread is told that it may end.
            always(None, Default::default, || {
                if whole {
                    registry::flush_at_exit();
                    return;
                }
                for engine in registry::engines() {
                    // What could not be delivered in time is counted.
                    let _ = engine.flush(engine.exit_timeout());
                }
            });
            port.close(Duration::ZERO);
        };
        if std::thread::Builder::new().name("polyspan-exit".to_owned()).spawn(leave).is_err() {
            closing.close(Duration::ZERO);
        }
    });
}
