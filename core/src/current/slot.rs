//! The slot of what is current where the OpenTelemetry API is not built in: a value per thread.
//!
//! With the feature `opentelemetry` the slot is that API's `Context` instead (`otel/slot.rs`): there is
//! always one.

use std::cell::RefCell;

use super::Current;

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current { span: None, surroundings: None, home: None }) };
}

/// A copy of what is in it; nothing while the thread ends.
#[inline]
pub(crate) fn get() -> Current {
    CURRENT.try_with(|cell| cell.try_borrow().map(|now| now.clone()).unwrap_or_default()).unwrap_or_default()
}

/// Looks at what is in it without a copy. Nothing may be entered meanwhile.
#[inline]
pub(crate) fn with<R>(look: impl Fn(&Current) -> R) -> R {
    let seen = CURRENT.try_with(|cell| cell.try_borrow().ok().map(|now| look(&now)));
    seen.ok().flatten().unwrap_or_else(|| look(&Current::default()))
}

#[inline]
fn swap(next: Current) -> Current {
    let mut next = Some(next);
    let previous = CURRENT.try_with(|cell| {
        let mut now = cell.try_borrow_mut().ok()?;
        Some(core::mem::replace(&mut *now, next.take()?))
    });
    previous.ok().flatten().unwrap_or_default()
}

/// Puts back by value what was in the slot, so that guards dropped out of order leave something sensible.
#[derive(Debug)]
pub(crate) struct Restore {
    previous: Current,
}

/// Fills the slot until the guard is dropped.
#[inline]
pub(crate) fn put(next: Current) -> Restore {
    Restore { previous: swap(next) }
}

impl Drop for Restore {
    #[inline]
    fn drop(&mut self) {
        swap(core::mem::take(&mut self.previous));
    }
}
