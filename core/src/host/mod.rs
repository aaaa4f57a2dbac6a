//! The host stage: work on spans that is done in the application's own language.
//!
//! The export thread calls no host code, ever. It leaves batches of records as jobs at a [`HostPort`]; the
//! host pulls them on a thread or task of its own ([`HostWorker::next`]), works on them, and answers each
//! once. Bindings use this module; applications in Rust write an exporter with the traits of
//! [`crate::export`] instead. A host that is slow, hangs or is gone keeps back only what waits for it.

mod batch;
mod job;
mod port;
mod tap;

pub use batch::{HostBatch, HostEvent, HostEvents, HostRecord, TRACE_DROPPED, TRACE_SPANS};
pub(crate) use job::{Answer, Reply};
pub use job::{HostJob, HostTask};
pub use port::{HostPort, HostWorker, Next};
pub use tap::Verdict;
pub(crate) use tap::{Passed, Tap, TapBounds};

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::lifecycle::{MAX_GENERATIONS, generation};

/// A job that nobody took for so long calls for another worker: longer than an ordinary call takes, and short beside
/// the time that a flush is given.
pub(crate) const PATIENCE: Duration = Duration::from_millis(50);

/// Something of the host that jobs are for: a chain of processors, a filter, an exporter.
///
/// The engine knows nothing of it but where its jobs are pulled; the token tells the host.
#[derive(Clone)]
pub struct HostHandler {
    port: HostPort,
    identity: Arc<[usize]>,
    token: Arc<dyn Any + Send + Sync>,
    /// Calls of the application's code that failed during exports.
    failures: Arc<AtomicU64>,
    /// Sinks that still have jobs for it, in each process of a chain of forks.
    sinks: Arc<[AtomicUsize; MAX_GENERATIONS]>,
}

impl HostHandler {
    /// `identity` names the host's objects: handlers with the same identity are the same option, so that a
    /// second `init` with the same objects finds the running engine. `token` is for the host itself.
    pub fn new(port: &HostPort, identity: &[usize], token: impl Any + Send + Sync) -> Self {
        let (identity, token) = (Arc::from(identity), Arc::new(token));
        let sinks = Arc::new([const { AtomicUsize::new(0) }; MAX_GENERATIONS]);
        Self { port: port.clone(), identity, token, failures: Arc::default(), sinks }
    }

    /// What the host gave to recognise its handler.
    pub fn token(&self) -> &(dyn Any + Send + Sync) {
        &*self.token
    }

    /// The host's objects in it.
    pub(crate) fn identity(&self) -> &Arc<[usize]> {
        &self.identity
    }

    /// One more sink has jobs for it.
    pub(crate) fn add_sink(&self) {
        if let Some(sinks) = self.sinks.get(generation()) {
            sinks.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// One has no more; true if it was the last.
    pub(crate) fn remove_sink(&self) -> bool {
        self.sinks.get(generation()).is_none_or(|sinks| sinks.fetch_sub(1, Ordering::AcqRel) <= 1)
    }

    pub(crate) fn count_failures(&self, calls: u64) {
        self.failures.fetch_add(calls, Ordering::Relaxed);
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Where its jobs are pulled.
    pub fn port(&self) -> &HostPort {
        &self.port
    }
}

impl PartialEq for HostHandler {
    fn eq(&self, other: &Self) -> bool {
        self.identity == other.identity
    }
}

impl fmt::Debug for HostHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostHandler").field(&self.identity).finish()
    }
}

/// Says something on behalf of the host once in the life of the process, where the engine's own lines go;
/// `kind` tells what is the same.
pub fn warn_once(kind: &str, message: &str) {
    crate::log::warn_once(&format!("host {kind}"), message);
}
