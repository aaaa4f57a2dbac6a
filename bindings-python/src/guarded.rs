//! A lock for what spans and contexts change while the thread is attached to the interpreter, and never across
//! Python code.
//!
//! Under a global interpreter lock that is exclusion enough: the wheel for all versions needs no atomic instruction
//! for it, which a span would otherwise pay for some twenty times. Free-threaded builds use a mutex.

#[cfg(feature = "abi3")]
pub use attached::{Guard, Guarded};
#[cfg(not(feature = "abi3"))]
pub use shared::{Guard, Guarded};

/// A flag instead of a mutex. The stable ABI exists only with a global interpreter lock, and `exit.rs` refuses a
/// second interpreter with one of its own.
#[cfg(feature = "abi3")]
#[allow(unsafe_code)]
mod attached {
    use std::cell::{Cell, UnsafeCell};
    use std::ops::{Deref, DerefMut};

    use pyo3::prelude::*;

    #[derive(Default)]
    pub struct Guarded<T> {
        taken: Cell<bool>,
        value: UnsafeCell<T>,
    }

    // SAFETY: whoever calls `lock` or `try_lock` is attached to the interpreter: methods of Python classes, their
    // destructors, the garbage collector. The global interpreter lock lets one thread at a time do that, and orders
    // what they do; the flag keeps a second one out where the first lets go of the interpreter meanwhile.
    unsafe impl<T: Send> Sync for Guarded<T> {}

    /// Access to what is guarded, until it is dropped.
    pub struct Guard<'a, T>(&'a Guarded<T>);

    impl<T> Guarded<T> {
        pub const fn new(value: T) -> Self {
            Self { taken: Cell::new(false), value: UnsafeCell::new(value) }
        }

        /// Access to it. The thread must be attached.
        #[inline]
        pub fn lock(&self) -> Guard<'_, T> {
            if self.taken.replace(true) {
                self.wait();
            }
            Guard(self)
        }

        /// Access to it unless somebody has it. The thread must be attached.
        #[inline]
        pub fn try_lock(&self) -> Option<Guard<'_, T>> {
            (!self.taken.replace(true)).then(|| Guard(self))
        }

        /// What nobody else can reach.
        pub fn get_mut(&mut self) -> &mut T {
            self.value.get_mut()
        }

        /// Lets the thread run on that has it and has let go of the interpreter.
        #[cold]
        fn wait(&self) {
            loop {
                Python::attach(|py| py.detach(std::thread::yield_now));
                if !self.taken.replace(true) {
                    return;
                }
            }
        }
    }

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        #[inline]
        fn deref(&self) -> &T {
            // SAFETY: the flag is ours until the guard is dropped.
            unsafe { &*self.0.value.get() }
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        #[inline]
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: the flag is ours until the guard is dropped, and the guard is borrowed mutably.
            unsafe { &mut *self.0.value.get() }
        }
    }

    impl<T> Drop for Guard<'_, T> {
        #[inline]
        fn drop(&mut self) {
            self.0.taken.set(false);
        }
    }
}

/// A mutex.
#[cfg(not(feature = "abi3"))]
mod shared {
    use std::sync::{Mutex, PoisonError};

    /// Access to what is guarded, until it is dropped.
    pub use std::sync::MutexGuard as Guard;

    #[derive(Default)]
    pub struct Guarded<T>(Mutex<T>);

    impl<T> Guarded<T> {
        pub const fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }

        /// Access to it.
        #[inline]
        pub fn lock(&self) -> Guard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Access to it unless somebody has it.
        #[inline]
        pub fn try_lock(&self) -> Option<Guard<'_, T>> {
            self.0.try_lock().ok()
        }

        /// What nobody else can reach.
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
