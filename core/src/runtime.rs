//! What all engines of a process share: the hand-off and the export thread, one set per fork generation.
//!
//! Made when a recording thread first needs it; the thread is started by the first recorded span.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};

use crate::engine::Live;
use crate::lifecycle::{MAX_GENERATIONS, generation, without_signals};
use crate::ring::Handoff;
use crate::worker::{Control, RETIRED, run};

/// The byte budget of the process unless an engine sets another before the first span: 32 MiB.
pub(crate) const DEFAULT_BUDGET: usize = 32 * 1024 * 1024;

static BUDGET: AtomicUsize = AtomicUsize::new(DEFAULT_BUDGET);
static RUNTIMES: [OnceLock<Runtime>; MAX_GENERATIONS] = [const { OnceLock::new() }; MAX_GENERATIONS];

/// Held while an export thread is started, and while the process forks.
static STARTING: Mutex<()> = Mutex::new(());
/// Export threads started, and those of them that have come to run the engine's code.
static STARTED: AtomicUsize = AtomicUsize::new(0);
static UP: AtomicUsize = AtomicUsize::new(0);
/// A fork waits for a starting thread no longer than this.
const START_BOUND: Duration = Duration::from_secs(1);

#[cfg(unix)]
thread_local! {
    /// [`STARTING`] while this thread forks.
    static HELD: std::cell::Cell<Option<MutexGuard<'static, ()>>> = const { std::cell::Cell::new(None) };
}

/// Nothing was started yet.
const COLD: u8 = 0;
/// The export thread runs.
const RUNNING: u8 = 1;
/// The operating system refused the thread.
const REFUSED: u8 = 2;

/// What the export thread finds when it starts.
pub(crate) struct Inbox {
    /// Messages that were looked at before it started, in their order; older than those in `receiver`.
    pub(crate) first: Vec<Control>,
    pub(crate) receiver: mpsc::UnboundedReceiver<Control>,
}

/// The shared machine of one process.
pub(crate) struct Runtime {
    pub(crate) handoff: Arc<Handoff>,
    control: mpsc::UnboundedSender<Control>,
    inbox: Mutex<Option<Inbox>>,
    wake: Arc<Notify>,
    state: AtomicU8,
    next_slot: AtomicUsize,
    lives: Mutex<HashMap<u16, Weak<Live>>>,
}

/// Sets the byte budget for runtimes made from now on; the first engine of a process calls this.
pub(crate) fn set_budget(bytes: usize) {
    BUDGET.store(bytes, Ordering::Relaxed);
}

/// The byte budget of the process.
pub(crate) fn budget() -> usize {
    BUDGET.load(Ordering::Relaxed)
}

/// The runtime of this process; `None` when forks nest deeper than [`MAX_GENERATIONS`].
#[inline]
pub(crate) fn current() -> Option<&'static Runtime> {
    RUNTIMES.get(generation()).map(|slot| slot.get_or_init(Runtime::new))
}

fn starting() -> MutexGuard<'static, ()> {
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits, while the calling thread forks, until no export thread is being started. A thread takes a lock of
/// the standard library before its first line; a child forked at that moment would have it held for ever, and
/// every thread it starts would hang.
#[cfg(unix)]
pub(crate) fn hold() {
    let held = starting();
    let begun = Instant::now();
    while UP.load(Ordering::Acquire) < STARTED.load(Ordering::Relaxed) && begun.elapsed() < START_BOUND {
        std::thread::sleep(Duration::from_micros(20));
    }
    let _ = HELD.try_with(|place| place.set(Some(held)));
}

/// Forgets, in the child of a fork, the threads that were not up in time: they are not here.
#[cfg(unix)]
pub(crate) fn forget_starting() {
    UP.store(STARTED.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// Lets go of what [`hold`] holds.
#[cfg(unix)]
pub(crate) fn let_go() {
    let _ = HELD.try_with(std::cell::Cell::take);
}

impl Runtime {
    fn new() -> Self {
        let wake = Arc::new(Notify::new());
        let (control, receiver) = mpsc::unbounded_channel();
        let waker = Arc::clone(&wake);
        // A quarter of the budget; exporters get half, tail sampling and host stages the rest.
        let handoff = Handoff::new(budget() / 4, Box::new(move || waker.notify_one()));
        Self {
            handoff: Arc::new(handoff),
            control,
            inbox: Mutex::new(Some(Inbox { first: Vec::new(), receiver })),
            wake,
            state: AtomicU8::new(COLD),
            next_slot: AtomicUsize::new(0),
            lives: Mutex::default(),
        }
    }

    /// A number for an engine, in event headers: one that no other engine has. `None` when all 65,536 are
    /// taken.
    pub(crate) fn next_slot(&self) -> Option<u16> {
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        lives.retain(|_, known| known.strong_count() > 0);
        (0..=u16::MAX)
            .map(|_| self.next_slot.fetch_add(1, Ordering::Relaxed) as u16)
            .find(|slot| !lives.contains_key(slot))
    }

    /// Makes an engine known by its number.
    pub(crate) fn adopt(&self, live: &Arc<Live>) {
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        lives.insert(live.slot, Arc::downgrade(live));
    }

    /// The engine of that number, while anyone holds it.
    pub(crate) fn live(&self, slot: u16) -> Option<Arc<Live>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner).get(&slot)?.upgrade()
    }

    /// Sends the export thread a message; it is read even if the thread starts only later.
    pub(crate) fn send(&self, message: Control) {
        // Only fails when the export thread has died; whoever waits for a reply sees that.
        let _ = self.control.send(message);
        self.wake.notify_one();
    }

    /// Lets go of engines that were stopped before the export thread was ever started: nobody else would take them
    /// out of its inbox. The last ones stay, as with engines that it has known ([`RETIRED`]).
    pub(crate) fn let_go_of_stopped(&self) {
        let mut stopped = Vec::new();
        if let Some(inbox) = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            while let Ok(message) = inbox.receiver.try_recv() {
                inbox.first.push(message);
            }
            let mut excess =
                inbox.first.iter().filter(|message| message.is_void()).count().saturating_sub(RETIRED);
            // They are dropped after the lock: an engine's exporters and sampler may be the host's.
            stopped.extend(inbox.first.extract_if(.., |message| {
                let gone = excess > 0 && message.is_void();
                excess -= usize::from(gone);
                gone
            }));
        }
    }

    /// Has the export thread look again.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether the export thread has been started.
    pub(crate) fn is_running(&self) -> bool {
        self.state.load(Ordering::Acquire) == RUNNING
    }

    /// Starts the export thread unless it runs.
    #[inline]
    pub(crate) fn ensure_thread(&'static self) {
        if self.state.load(Ordering::Acquire) == COLD {
            self.start_thread();
        }
    }

    #[cold]
    fn start_thread(&'static self) {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(inbox) = inbox.take() else { return };
        let wake = Arc::clone(&self.wake);
        let _starting = starting();
        // The reactor's helpers are started by this thread, and inherit what it blocks.
        let spawned = without_signals(|| {
            let builder = std::thread::Builder::new().name("polyspan-export".to_owned());
            builder.spawn(move || {
                UP.fetch_add(1, Ordering::Release);
                run(self, wake, inbox);
            })
        });
        let state = match spawned {
            Ok(_) => {
                STARTED.fetch_add(1, Ordering::Relaxed);
                RUNNING
            }
            Err(error) => {
                crate::log::warn_once("thread", &format!("the export thread could not be started: {error}"));
                REFUSED
            }
        };
        self.state.store(state, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ExporterOptions, Options};

    #[test]
    fn a_number_that_an_engine_has_is_not_given_again() {
        let options = Options::new("service").name("numbered").exporter(ExporterOptions::None);
        let engine = crate::init(options).unwrap();
        let taken = engine.live().unwrap().slot;
        let runtime = current().unwrap();
        assert!((0..=u16::MAX).all(|_| runtime.next_slot() != Some(taken)));
        engine.shutdown(std::time::Duration::ZERO).unwrap();
    }
}
