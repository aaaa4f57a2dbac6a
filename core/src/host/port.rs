//! Where the host pulls its jobs.
//!
//! Each exporter or tap has one job there at a time, so that the queue is as short as their number, and a
//! host that hangs in one job holds up no other: when jobs wait and every worker is busy, the port calls the
//! host once more, which may send another worker. A worker that is one too many is told to leave. Jobs for the same
//! objects of the host are worked on one after the other, so that one that hangs holds one worker and no more.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::job::Pending;
use super::{HostBatch, HostHandler, HostJob, HostTask};
use crate::lifecycle::{MAX_GENERATIONS, generation};

/// A call for a worker that nobody answered is repeated after this long.
const CALL_AGAIN: Duration = Duration::from_secs(1);

/// More workers than these are not called for.
const WORKERS: usize = 32;

/// A meeting place of the engine and a host's threads or tasks.
#[derive(Clone)]
pub struct HostPort(Arc<Inner>);

struct Inner {
    call: Call,
    /// One for each fork generation: a child has no threads of its parent, and must not touch its locks.
    states: [OnceLock<State>; MAX_GENERATIONS],
}

/// How the host learns of jobs.
enum Call {
    /// Its code is called, on a thread of its own.
    Thread(Arc<dyn Fn() + Send + Sync>),
    /// Its event loop is woken by something that neither waits nor runs code of the host.
    Loop(Box<dyn Fn() + Send + Sync>),
}

#[derive(Default)]
struct State {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<HostJob>,
    /// The objects of the host that are at work.
    busy: Vec<Arc<[usize]>>,
    /// Workers that pull here.
    workers: usize,
    /// Those among them that wait for a job.
    idle: usize,
    /// When a worker was last called for and none has come since.
    called: Option<Instant>,
    closed: bool,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The first job that a worker could take up.
    fn free(&self) -> Option<usize> {
        self.jobs.iter().position(|job| !self.busy.contains(job.handler().identity()))
    }
}

/// What [`HostWorker::next`] found.
#[derive(Debug)]
pub enum Next {
    /// A job, which is the caller's to answer.
    Job(HostJob),
    /// None came in time.
    Nothing,
    /// The worker is not needed any more: it is to do nothing else here.
    Leave,
}

impl HostPort {
    /// `call` is how the host learns that a job waits and nobody pulls. It is called on a thread of its
    /// own, at most once a second, and has a worker [enter](Self::enter) by and by: that thread, or another.
    pub fn new(call: impl Fn() + Send + Sync + 'static) -> Self {
        Self::of(Call::Thread(Arc::new(call)))
    }

    /// The same for a host with an event loop, which pulls without waiting ([`HostWorker::next`] with a zero timeout)
    /// until there is nothing more. `wake` is called for every job, on the export thread: it must do no more than say
    /// that there is something to look at.
    pub fn on_event_loop(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self::of(Call::Loop(Box::new(wake)))
    }

    fn of(call: Call) -> Self {
        let states = [const { OnceLock::new() }; MAX_GENERATIONS];
        Self(Arc::new(Inner { call, states }))
    }

    fn state(&self) -> Option<&State> {
        Some(self.0.states.get(generation())?.get_or_init(State::default))
    }

    /// Begins to pull jobs. `None` once the port is closed, or when there are idle workers enough.
    pub fn enter(&self) -> Option<HostWorker> {
        let state = self.state()?;
        let mut queue = state.lock();
        queue.called = None;
        if queue.closed || queue.idle > 0 {
            return None;
        }
        queue.workers += 1;
        Some(HostWorker { port: self.clone(), generation: generation() })
    }

    /// How many workers pull jobs in this process.
    pub fn workers(&self) -> usize {
        self.state().map_or(0, |state| state.lock().workers)
    }

    /// Tells every worker to leave, at the end of the process, and waits until they have or `timeout` is
    /// over. Jobs that still wait, and later ones, fail.
    pub fn close(&self, timeout: Duration) {
        let Some(state) = self.state() else { return };
        let mut queue = state.lock();
        queue.closed = true;
        let left = core::mem::take(&mut queue.jobs);
        state.changed.notify_all();
        let (queue, _) = state
            .changed
            .wait_timeout_while(queue, timeout, |queue| queue.workers > 0)
            .unwrap_or_else(PoisonError::into_inner);
        drop(queue);
        drop(left);
    }

    /// Leaves a job for the host; on the export thread, which `wake` wakes for the answer. One that cannot be
    /// done any more fails at once.
    pub(crate) fn offer(
        &self,
        task: HostTask,
        handler: &HostHandler,
        batch: Arc<HostBatch>,
        wake: Option<Arc<Notify>>,
    ) -> Pending {
        let (job, pending) = HostJob::new(task, handler, batch, wake);
        if let Some(state) = self.state() {
            let mut queue = state.lock();
            if !queue.closed {
                queue.jobs.push_back(job);
                if queue.workers == 0 || matches!(self.0.call, Call::Loop(_)) {
                    self.call(&mut queue);
                }
                state.changed.notify_one();
            }
        }
        pending
    }

    /// A job has waited for long: calls another worker unless one is idle.
    pub(crate) fn call_for_help(&self) {
        if let Some(state) = self.state() {
            let mut queue = state.lock();
            if !queue.closed && queue.idle == 0 && queue.workers < WORKERS && queue.free().is_some() {
                self.call(&mut queue);
            }
        }
    }

    /// The host is done with a job of these objects.
    pub(super) fn release(&self, objects: &Arc<[usize]>) {
        if let Some(state) = self.state() {
            let mut queue = state.lock();
            if let Some(at) = queue.busy.iter().position(|busy| busy == objects) {
                queue.busy.swap_remove(at);
            }
            if !queue.jobs.is_empty() {
                state.changed.notify_one();
            }
        }
    }

    /// Whether jobs for the same objects wait for each other. What runs on an event loop does so by itself.
    fn takes_turns(&self) -> bool {
        matches!(self.0.call, Call::Thread(_))
    }

    fn call(&self, queue: &mut Queue) {
        let call = match &self.0.call {
            Call::Loop(wake) => return wake(),
            Call::Thread(call) => Arc::clone(call),
        };
        if queue.called.is_some_and(|called| called.elapsed() < CALL_AGAIN) {
            return;
        }
        queue.called = Some(Instant::now());
        // Not on the export thread: it is the host's code. A panic there ends this thread and nothing else.
        let calling = std::thread::Builder::new().name("polyspan-call".to_owned()).spawn(move || call());
        if let Err(error) = calling {
            crate::log::warn_once("host call", &format!("the host stage could not be called: {error}"));
        }
    }
}

impl fmt::Debug for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostPort").field("workers", &self.workers()).finish_non_exhaustive()
    }
}

/// A thread or task of the host that pulls jobs, as long as it has this.
#[derive(Debug)]
pub struct HostWorker {
    port: HostPort,
    generation: usize,
}

impl HostWorker {
    /// The next job; waits for one up to `timeout`, or as long as it takes. A zero timeout never waits.
    pub fn next(&mut self, timeout: Option<Duration>) -> Next {
        let Some(state) = self.port.state().filter(|_| self.generation == generation()) else {
            return Next::Leave;
        };
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut queue = state.lock();
        loop {
            if queue.closed {
                return Next::Leave;
            }
            while let Some(mut job) = queue.free().and_then(|at| queue.jobs.remove(at)) {
                if job.take() {
                    if self.port.takes_turns() {
                        queue.busy.push(Arc::clone(job.handler().identity()));
                        job.release_later();
                    }
                    return Next::Job(job);
                }
            }
            // Another one waits already: this one was called in its stead while it was away.
            if queue.idle > 0 {
                return Next::Leave;
            }
            let left = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Next::Nothing,
                Some(left) => left,
                // Looked at now and then, whatever happens.
                None => Duration::from_secs(3600),
            };
            queue.idle += 1;
            queue = match state.changed.wait_timeout(queue, left) {
                Ok((queue, _)) => queue,
                Err(poisoned) => poisoned.into_inner().0,
            };
            queue.idle -= 1;
        }
    }
}

impl Drop for HostWorker {
    fn drop(&mut self) {
        if let Some(state) = self.port.state().filter(|_| self.generation == generation()) {
            let mut queue = state.lock();
            queue.workers -= 1;
            if queue.workers == 0 && !queue.closed && !queue.jobs.is_empty() {
                // Whoever left did not see them; the next offer or the next look calls somebody.
                queue.called = None;
            }
            state.changed.notify_all();
        }
    }
}
