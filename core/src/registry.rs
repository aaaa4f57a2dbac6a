//! The engines of the process by name, with a default and an optional selector.
//!
//! The only global state besides the shared runtime. Recording threads cache what they find here and look
//! again when the version has changed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::engine::{Engine, Waiting};
use crate::error::{Error, ErrorCode};
use crate::sampling::{Deciding, SamplingInput};

/// Chooses an engine, by its name, for a new root span; `None` means the default. It sees what a sampler
/// does, but for the trace id, which is drawn later.
pub type Selector = Arc<dyn Fn(&SamplingInput<'_>) -> Option<String> + Send + Sync>;

struct Registry {
    /// In the order they were registered; the first is the default unless another was chosen.
    engines: Vec<Engine>,
    default: Option<String>,
    selector: Option<Selector>,
}

static REGISTRY: RwLock<Registry> =
    RwLock::new(Registry { engines: Vec::new(), default: None, selector: None });
static VERSION: AtomicU64 = AtomicU64::new(0);
/// Beside the lock, because every root span asks.
static HAS_SELECTOR: AtomicBool = AtomicBool::new(false);

#[cfg(unix)]
thread_local! {
    /// The lock while this thread forks.
    static HELD: std::cell::Cell<Option<RwLockWriteGuard<'static, Registry>>> = const { std::cell::Cell::new(None) };
}

fn read() -> RwLockReadGuard<'static, Registry> {
    REGISTRY.read().unwrap_or_else(PoisonError::into_inner)
}

fn write() -> RwLockWriteGuard<'static, Registry> {
    REGISTRY.write().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the registry while the calling thread forks, so that it is whole and free in the child. Nothing
/// under this lock waits or runs code of the application, so the fork is not held up.
#[cfg(unix)]
pub(crate) fn hold() {
    // While the thread ends there is nowhere to keep the lock; then the fork goes on without it.
    let _ = HELD.try_with(|held| held.set(Some(write())));
}

/// Lets go of what [`hold`] holds.
#[cfg(unix)]
pub(crate) fn let_go() {
    let _ = HELD.try_with(std::cell::Cell::take);
}

impl Registry {
    fn default_engine(&self) -> Option<&Engine> {
        let named = self.default.as_deref().and_then(|name| self.get(name));
        named.or_else(|| self.engines.first())
    }

    fn get(&self, name: &str) -> Option<&Engine> {
        self.engines.iter().find(|engine| engine.name() == name)
    }
}

/// Changes whenever the registry does.
#[inline]
pub(crate) fn version() -> u64 {
    VERSION.load(Ordering::Acquire)
}

/// Adds an engine under its name, or puts it where the one of that name is which it replaces: it is the default
/// if that one was. Returns the one that lost its place, which is the caller's to shut down.
///
/// # Errors
/// [`ErrorCode::AlreadyInitialized`] when another one has the name.
pub(crate) fn register(engine: &Engine, replaced: Option<&Engine>) -> Result<Option<Engine>, Error> {
    let mut registry = write();
    let place = registry.engines.iter_mut().find(|known| known.name() == engine.name());
    let former = match place {
        Some(known) if replaced.is_some_and(|replaced| replaced.same(known)) => {
            Some(core::mem::replace(known, engine.clone()))
        }
        Some(_) => {
            let message =
                format!("an engine named {:?} is running; shut it down or ask to replace it", engine.name());
            return Err(Error::new(ErrorCode::AlreadyInitialized, message));
        }
        // One to be replaced may have been shut down meanwhile.
        None => {
            registry.engines.push(engine.clone());
            None
        }
    };
    VERSION.fetch_add(1, Ordering::Release);
    Ok(former)
}

/// Removes an engine; the next one registered becomes the default if this one was it. One that has lost its place
/// to another of its name takes nothing with it.
pub(crate) fn forget(engine: &Engine) {
    let mut registry = write();
    let before = registry.engines.len();
    registry.engines.retain(|known| !known.same(engine));
    if registry.engines.len() == before {
        return;
    }
    if registry.default.as_deref() == Some(engine.name()) {
        registry.default = None;
    }
    VERSION.fetch_add(1, Ordering::Release);
}

/// The engine of that name.
pub fn engine(name: &str) -> Option<Engine> {
    read().get(name).cloned()
}

/// The default engine: the one chosen with [`set_default`], else the first that was made.
pub fn default_engine() -> Option<Engine> {
    read().default_engine().cloned()
}

/// The name that [`set_default`] was given, while that engine runs.
pub fn chosen_default() -> Option<String> {
    read().default.clone()
}

/// Makes the engine of that name the default.
///
/// # Errors
/// [`ErrorCode::NotRunning`] when there is none.
pub fn set_default(name: &str) -> Result<(), Error> {
    let mut registry = write();
    if registry.get(name).is_none() {
        return Err(Error::new(ErrorCode::NotRunning, format!("there is no engine named {name:?}")));
    }
    registry.default = Some(name.to_owned());
    VERSION.fetch_add(1, Ordering::Release);
    Ok(())
}

/// Lets a function choose the engine of each root span that is not started with one; `None` removes it. What
/// it names and does not exist falls back to the default; so does everything when it panics.
pub fn set_selector(selector: Option<Selector>) {
    HAS_SELECTOR.store(selector.is_some(), Ordering::Release);
    // The old one is the application's code, and dropped after the lock.
    let _old = core::mem::replace(&mut write().selector, selector);
    VERSION.fetch_add(1, Ordering::Release);
}

/// Whether a selector is set.
pub(crate) fn has_selector() -> bool {
    HAS_SELECTOR.load(Ordering::Acquire)
}

/// The engine for a root span. One that the selector itself starts is of the default engine, where it does not
/// record.
pub(crate) fn select(root: &SamplingInput<'_>) -> Option<Engine> {
    // The selector runs outside the lock: it is the application's code.
    let selector = read().selector.clone();
    let chosen = selector.and_then(|choose| {
        let _deciding = Deciding::begin()?;
        let chosen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| choose(root)));
        if chosen.is_err() {
            crate::log::warn_once("selector", "the engine selector panicked; the default engine is used");
        }
        chosen.ok().flatten()
    });
    let registry = read();
    chosen.as_deref().and_then(|name| registry.get(name)).or_else(|| registry.default_engine()).cloned()
}

/// All engines, in the order they were registered.
pub fn engines() -> Vec<Engine> {
    read().engines.clone()
}

/// Shuts every engine down within its exit bound, all at the same time: one that cannot deliver takes no
/// time from the others.
pub fn flush_at_exit() {
    // Another thread may hold the lock and never run again; exiting must not wait for it.
    let Ok(registry) = REGISTRY.try_read() else { return };
    let engines = registry.engines.clone();
    drop(registry);
    let begun: Vec<_> = engines.iter().map(|engine| engine.begin_exit(engine.exit_timeout())).collect();
    for ended in begun.into_iter().map(|begun| begun.and_then(Waiting::end)) {
        if let Err(error) = ended {
            crate::log::warn_once("exit", error.message());
        }
    }
}
