//! Forks and process exit: the two moments at which the operating system takes the engine's threads away.
//!
//! A fork bumps a generation in the child; whoever uses the engine next in the child finds everything of an
//! older generation void and starts anew ([`crate::runtime`]). What the parent had is leaked there: no
//! destructor runs, no inherited socket or file is written to. The registry alone lives on: it is held while
//! the process forks, so that no thread which the child lacks can hold it; and a fork waits for an export thread
//! that is just starting. Exit flushes within the bounds of
//! the engines. And signals, which the engine's threads leave to those of the application.

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::{registry, runtime};

/// How deep forks may nest (a child of a child of ...); deeper processes do not record.
pub(crate) const MAX_GENERATIONS: usize = 64;

static GENERATION: AtomicUsize = AtomicUsize::new(0);
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// How many forks lie between the process that first used the engine and this one.
#[inline]
pub(crate) fn generation() -> usize {
    GENERATION.load(Ordering::Relaxed)
}

#[cfg(unix)]
extern "C" fn before_fork() {
    registry::hold();
    runtime::hold();
}

#[cfg(unix)]
extern "C" fn after_fork_in_parent() {
    runtime::let_go();
    registry::let_go();
}

#[cfg(unix)]
extern "C" fn after_fork_in_child() {
    // Only this: a child of a process with threads may call nothing that waits for a lock or allocates.
    GENERATION.fetch_add(1, Ordering::Relaxed);
    runtime::forget_starting();
    runtime::let_go();
    registry::let_go();
}

#[cfg(unix)]
extern "C" fn at_exit() {
    let _ = std::panic::catch_unwind(registry::flush_at_exit);
}

/// Installs the handlers, once in a process's life, when the first engine is made; the caller sees to it
/// that no two threads do so at once.
pub(crate) fn install() {
    // Not a `Once`: forked in the middle of one, the child would wait for ever.
    if INSTALLED.load(Ordering::Acquire) {
        return;
    }
    #[cfg(unix)]
    {
        // SAFETY: the functions have C linkage, take nothing, do not unwind (they add to an atomic, take and
        // release a lock whose poisoning is ignored, or catch panics) and live as long as the process: the
        // engine's library is not unloaded.
        unsafe {
            libc::pthread_atfork(Some(before_fork), Some(after_fork_in_parent), Some(after_fork_in_child));
            libc::atexit(at_exit);
        }
    }
    INSTALLED.store(true, Ordering::Release);
}

/// Signals that a thread causes itself, and the one of profilers, which ask each thread what it is at.
#[cfg(unix)]
const OWN_SIGNALS: [libc::c_int; 8] = [
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGPROF,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGTRAP,
];

/// Runs `start`, which starts threads of the engine, so that they never get a signal meant for the process.
///
/// The system may give it to any thread, and one that takes it does not wake the application's: a program that
/// waits for a signal, or an interpreter that handles signals on its main thread, would go on waiting.
pub(crate) fn without_signals<T>(start: impl FnOnce() -> T) -> T {
    #[cfg(unix)]
    {
        let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: both sets live on this stack, the first is filled before anything is taken out of it, and the
        // second is only read back once the system has written it.
        let blocked = unsafe {
            let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigfillset(all.as_mut_ptr());
            for signal in OWN_SIGNALS {
                libc::sigdelset(all.as_mut_ptr(), signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) == 0
        };
        let started = start();
        if blocked {
            // SAFETY: the call above has written the set.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
        }
        started
    }
    #[cfg(not(unix))]
    start()
}
