//! Whether the thread is asking the application's code about a span: a sampler or a selector of engines.
//!
//! Such code may start spans itself, as an instrumented HTTP client does by which it asks a service. If it were asked
//! about those as well, it would call itself until the stack ends. [`CustomSampler`](super::CustomSampler) and the
//! registry begin a decision; starting a span asks whether one is under way.

use std::cell::Cell;

thread_local! {
    static UNDER_WAY: Cell<bool> = const { Cell::new(false) };
}

/// A decision of the application's code on this thread, over when dropped.
pub(crate) struct Deciding(());

impl Deciding {
    /// `None` from within another decision, or while the thread ends: then nobody is to be asked.
    pub(crate) fn begin() -> Option<Self> {
        let was_under_way = UNDER_WAY.try_with(|under_way| under_way.replace(true)).ok()?;
        // Not `then_some`: a decision that is not begun must not be dropped.
        (!was_under_way).then(|| Self(()))
    }

    /// Whether the calling code is, or was called by, what decides about a span.
    #[inline]
    #[cfg(feature = "engine")]
    pub(crate) fn is_under_way() -> bool {
        UNDER_WAY.try_with(Cell::get).unwrap_or(false)
    }
}

impl Drop for Deciding {
    fn drop(&mut self) {
        let _ = UNDER_WAY.try_with(|under_way| under_way.set(false));
    }
}
