//! The keys of attributes that programs use again and again, by the objects that name them.
//!
//! A key in a program's code is one object for good. Found again, it is written without being asked for its text.

use polyspan::frame::KnownKey;
use pyo3::prelude::*;
use pyo3::types::PyString;
use pyo3::{Borrowed, ffi};

use crate::convert;
use crate::guarded::{Guard, Guarded};

/// Keys that are kept, each at the place that its address says.
const KEPT: usize = 256;

/// A key and the object that names it, which is held so that its address stays its own.
type Kept = Option<(Py<PyString>, KnownKey)>;

static KEYS: Guarded<[Kept; KEPT]> = Guarded::new([const { None }; KEPT]);

/// The keys that are known, for as long as no Python code runs.
pub struct Keys(Option<Guard<'static, [Kept; KEPT]>>);

impl Keys {
    /// None of them where another thread is at them.
    #[inline]
    pub fn here() -> Self {
        Self(KEYS.try_lock())
    }

    /// The key that an object names, if it is a short text that was met before.
    #[inline]
    pub fn get(&mut self, key: Borrowed<'_, '_, PyAny>) -> Option<&KnownKey> {
        let kept = self.0.as_deref_mut()?.get_mut((key.as_ptr().addr() >> 4) % KEPT)?;
        if kept.as_ref().is_none_or(|(object, _)| object.as_ptr() != key.as_ptr()) {
            meet(kept, key);
            return None;
        }
        kept.as_ref().map(|(_, known)| known)
    }
}

/// Keeps a key for the next time, unless it was put together for this once: then nothing but a dictionary holds it.
#[allow(unsafe_code)]
#[cold]
fn meet(kept: &mut Kept, key: Borrowed<'_, '_, PyAny>) {
    // SAFETY: the object is alive and the interpreter attached.
    if unsafe { ffi::Py_REFCNT(key.as_ptr()) } < 2 {
        return;
    }
    let Some(known) = convert::exact_text(key).and_then(KnownKey::new) else { return };
    let Ok(object) = key.cast::<PyString>() else { return };
    let before = kept.replace((object.to_owned().unbind(), known));
    drop(before.map(|(object, _)| object.into_bound(key.py())));
}
