//! The atomics of the hand-off: the standard library's, or those of a model checker.

// The engine around the hand-off holds it in a plain `Arc`, under loom too.
#[cfg(loom)]
pub(super) use std::sync::Arc;

#[cfg(loom)]
pub(super) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering, fence},
};
#[cfg(shuttle)]
pub(super) use shuttle::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering, fence},
};
#[cfg(not(any(loom, shuttle)))]
pub(super) use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, Ordering, fence},
};
