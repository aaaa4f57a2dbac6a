//! What every entry from JavaScript goes through: a panic ends here and is counted, and after three of them nothing is
//! recorded any more in this process. Behind a function of `#[napi]` there is nothing that would stop one: it would end
//! the application.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use polyspan::{Engine, registry};

/// Panics after which the engine is turned off rather than the host.
const MAX_PANICS: u32 = 3;

static PANICS: AtomicU32 = AtomicU32::new(0);

/// Runs what records, or what it needs; where it panics, or after too many panics, there is `otherwise`.
pub fn guarded<R>(engine: Option<&Engine>, otherwise: impl FnOnce() -> R, run: impl FnOnce() -> R) -> R {
    if PANICS.load(Ordering::Relaxed) >= MAX_PANICS {
        return otherwise();
    }
    caught(engine, run).unwrap_or_else(|| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        otherwise()
    })
}

/// Runs what goes on after too many panics and adds none to them: counts, the ways to an end, and what strangers sent,
/// who are not to turn the engine off.
pub fn always<R>(engine: Option<&Engine>, otherwise: impl FnOnce() -> R, run: impl FnOnce() -> R) -> R {
    caught(engine, run).unwrap_or_else(otherwise)
}

/// The same for what may throw: a panic is thrown as an error.
pub fn throwing<R>(engine: Option<&Engine>, run: impl FnOnce() -> napi::Result<R>) -> napi::Result<R> {
    let failed = || Err(napi::Error::from_reason("internal: polyspan failed; please report it"));
    always(engine, failed, run)
}

/// None where it panicked, which is counted where the host sees it: at the engine it concerns, or the default one.
fn caught<R>(engine: Option<&Engine>, run: impl FnOnce() -> R) -> Option<R> {
    let run = || {
        #[cfg(debug_assertions)]
        provoked::come();
        run()
    };
    let result = catch_unwind(AssertUnwindSafe(run)).ok();
    if result.is_none()
        && let Some(engine) = engine.cloned().or_else(registry::default_engine)
    {
        engine.count_panic();
    }
    result
}

/// Panics on demand, for the test of the above; builds for users have none of it.
#[cfg(debug_assertions)]
mod provoked {
    use std::cell::Cell;
    use std::sync::atomic::Ordering;

    use napi_derive::napi;

    thread_local! {
        static LEFT: Cell<u32> = const { Cell::new(0) };
    }

    /// Has so many of the next entries of this thread panic, as if there had been no panic before.
    #[napi]
    pub fn provoke_panics(entries: u32) {
        super::PANICS.store(0, Ordering::Relaxed);
        LEFT.set(entries);
    }

    #[allow(clippy::panic)]
    pub(super) fn come() {
        if let Some(left) = LEFT.get().checked_sub(1) {
            LEFT.set(left);
            panic!("provoked");
        }
    }
}
