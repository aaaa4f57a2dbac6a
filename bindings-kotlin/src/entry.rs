//! What every entry on the way of a span goes through: a panic ends here, is counted, and after three of them the
//! engine does nothing more for this process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use polyspan::{Engine, registry};

/// Panics after which the engine is turned off rather than the host.
const MAX_PANICS: u32 = 3;

static PANICS: AtomicU32 = AtomicU32::new(0);

/// Runs `run`; where it panics, or after too many panics, there is `otherwise`.
pub fn guarded<R>(engine: Option<&Engine>, otherwise: R, run: impl FnOnce() -> R) -> R {
    if PANICS.load(Ordering::Relaxed) >= MAX_PANICS {
        return otherwise;
    }
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result,
        Err(_) => {
            count_panic(engine);
            otherwise
        }
    }
}

/// Counts a panic where the host sees it: at the engine it concerns, or the default one.
pub fn count_panic(engine: Option<&Engine>) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    if let Some(engine) = engine.cloned().or_else(registry::default_engine) {
        engine.count_panic();
    }
}
