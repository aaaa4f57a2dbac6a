//! Forks and process exit: the two moments at which the operating system takes the engine's threads away.
//!
//! A fork bumps a generation in the child and does nothing else; whoever uses the engine next in the child
//! finds everything of an older generation void and starts anew ([`crate::runtime`]). What the parent had
//! is leaked there: no destructor runs, no inherited socket or file is written to. Exit flushes within the
//! bounds of the engines.

#![allow(unsafe_code)]

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How deep forks may nest (a child of a child of ...); deeper processes do not record.
pub(crate) const MAX_GENERATIONS: usize = 64;

static GENERATION: AtomicUsize = AtomicUsize::new(0);
static INSTALLED: Once = Once::new();

/// How many forks lie between the process that first used the engine and this one.
#[inline]
pub(crate) fn generation() -> usize {
    GENERATION.load(Ordering::Relaxed)
}

#[cfg(unix)]
extern "C" fn after_fork_in_child() {
    // Only this: a child of a process with threads may call nothing that takes a lock or allocates.
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

#[cfg(unix)]
extern "C" fn at_exit() {
    let _ = std::panic::catch_unwind(crate::registry::flush_at_exit);
}

/// Installs the handlers, once in a process's life, when the first engine is made.
pub(crate) fn install() {
    INSTALLED.call_once(|| {
        #[cfg(unix)]
        {
            // SAFETY: both functions have C linkage, take nothing, never unwind (one adds to an atomic, the
            // other catches panics) and live as long as the process: the engine's library is not unloaded.
            unsafe {
                libc::pthread_atfork(None, None, Some(after_fork_in_child));
                libc::atexit(at_exit);
            }
        }
    });
}
