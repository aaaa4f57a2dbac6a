//! What is current: the values of the slot, and entering and leaving them.
//!
//! The slot holds a [`Span`], an [`OtelSpan`] or a [`Context`]; nothing set means empty. Whatever is left is
//! restored by value: a generator that was left half-way, or is finished in another context, finds a slot that
//! is no longer its own and leaves it alone.

use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::context::Context;
use crate::face::Face;
use crate::guarded::Guarded;
use crate::otel::{self, OtelSpan};
use crate::slot;
use crate::span::Span;

/// Nested entries beyond this forget what was below them, so that entering without leaving cannot grow forever.
const MAX_DEPTH: u32 = 10_000;

/// Where a span or context stands between being entered and being left.
///
/// Nothing it holds is dropped while it is locked: what goes with the last reference may run any code.
#[derive(Default)]
pub struct Place {
    entered: u32,
    depth: u32,
    previous: Option<Py<PyAny>>,
    /// What setting the slot returned, which resets it cheaper than setting it again.
    token: Option<Py<PyAny>>,
    /// The keys besides the span: a dictionary that is never changed (an OpenTelemetry `Context` where that API
    /// is loaded).
    pub base: Option<Py<PyDict>>,
    /// The keys were chosen when the span started; otherwise they are those around where it is entered.
    pub explicit: bool,
    /// The OpenTelemetry `Context` that shows this value, made when first asked for.
    pub shown: Option<Py<PyAny>>,
    /// What stands for its children while it is entered, if it is not sampled.
    pub follower: Option<Py<Span>>,
}

impl Place {
    /// One whose keys are chosen already.
    pub fn chosen(base: Option<Py<PyDict>>) -> Self {
        let mut place = Self::default();
        place.base = base;
        place.explicit = true;
        place
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.previous)?;
        visit.call(&self.token)?;
        visit.call(&self.base)?;
        visit.call(&self.follower)?;
        visit.call(&self.shown)
    }
}

/// Unlinks what was below one by one: a long chain that was never left must not be freed by recursion.
impl Drop for Place {
    fn drop(&mut self) {
        let Some(previous) = self.previous.take() else { return };
        // It holds the previous value too.
        drop(self.token.take());
        Python::attach(|py| {
            free_chain(previous.into_bound(py), |value| {
                let (below, token) = {
                    let mut place = place_of(value)?.lock();
                    (place.previous.take(), place.token.take())
                };
                drop(token);
                below.map(|below| below.into_bound(value.py()))
            });
        });
    }
}

/// Drops an object and, if nobody else holds it, what it holds, one after the other.
pub fn free_chain<'py>(
    first: Bound<'py, PyAny>,
    unlink: impl Fn(&Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>>,
) {
    let mut next = Some(first);
    while let Some(value) = next.take() {
        if is_last(&value) {
            next = unlink(&value);
        }
    }
}

/// Whether nobody else holds the object.
#[allow(unsafe_code)]
fn is_last(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the object is alive and the interpreter attached.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) == 1 }
}

/// Empties a place of what the garbage collector has to break up.
pub fn clear(place: &Guarded<Place>) {
    if let Some(mut place) = place.try_lock() {
        let left = std::mem::take(&mut *place);
        drop(place);
        drop(left);
    }
}

/// The place of a value of the slot.
#[inline]
fn place_of<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a Guarded<Place>> {
    if let Ok(span) = value.cast_exact::<Span>() {
        return Some(&span.get().place);
    }
    if let Ok(span) = value.cast::<OtelSpan>() {
        return Some(&span.get().place);
    }
    value.cast_exact::<Context>().ok().map(|context| &context.get().place)
}

/// The keys besides the span that a value of the slot holds.
#[inline]
pub fn base_of<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    place_of(value)?.lock().base.as_ref().map(|base| base.bind(value.py()).clone())
}

/// The span that a value of the slot holds, whoever's it is.
#[inline]
pub fn face_of<'py>(value: &Bound<'py, PyAny>) -> Option<Face<'py>> {
    match Face::of(value) {
        Some(face) => Some(face),
        None => value.cast_exact::<Context>().ok()?.get().face(value.py()),
    }
}

/// The OpenTelemetry context that shows a value of the slot, kept with it.
pub fn shown<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    let place = place_of(value);
    if let Some(shown) =
        place.and_then(|place| place.lock().shown.as_ref().map(|shown| shown.bind(py).clone()))
    {
        return Ok(shown);
    }
    let shown = otel::context_of(py, base_of(value).as_ref(), face_of(value))?;
    if let Some(place) = place {
        let before = place.lock().shown.replace(shown.clone().unbind());
        drop(before);
    }
    Ok(shown)
}

/// Makes `value`, whose place this is, the current one, with the keys that are current now unless it has chosen
/// its own.
#[inline]
pub fn enter(value: &Bound<'_, PyAny>, place: &Guarded<Place>) -> PyResult<()> {
    let py = value.py();
    let before = slot::get(py);
    let (around, depth) = match before.as_ref().and_then(place_of) {
        Some(around) => {
            let around = around.lock();
            (around.base.as_ref().map(|base| base.bind(py).clone()), around.depth + 1)
        }
        None => (None, 1),
    };
    let token = slot::set(value)?;
    let mut place = place.lock();
    place.entered += 1;
    if place.entered > 1 {
        return Ok(());
    }
    let deep = depth > MAX_DEPTH;
    place.depth = if deep { 0 } else { depth };
    place.previous = before.filter(|_| !deep).map(Bound::unbind);
    place.token = token.filter(|_| !deep).map(Bound::unbind);
    if place.explicit {
        return Ok(());
    }
    let around = around.map(Bound::unbind);
    let stale = (std::mem::replace(&mut place.base, around), place.shown.take());
    drop(place);
    drop_attached(py, stale);
    Ok(())
}

/// Drops objects at once, without asking whether the thread is attached: not all of the functions that the
/// interpreter calls tell PyO3 that it is, which would keep them for later.
#[inline]
fn drop_attached<A, B>(py: Python<'_>, (first, second): (Option<Py<A>>, Option<Py<B>>)) {
    drop((first.map(|first| first.into_bound(py)), second.map(|second| second.into_bound(py))));
}

/// Makes what was current before `value` was entered current again, if `value`, or something entered within it,
/// is current now.
#[inline]
pub fn leave(value: &Bound<'_, PyAny>, place: &Guarded<Place>) -> PyResult<()> {
    let py = value.py();
    let now = slot::get(py);
    let on_top = now.as_ref().is_some_and(|now| now.is(value));
    let own = on_top || now.is_some_and(|now| is_within(now, value));
    let mut place = place.lock();
    place.entered = place.entered.saturating_sub(1);
    if place.entered > 0 {
        return Ok(());
    }
    let previous = place.previous.take().map(|previous| previous.into_bound(py));
    let token = place.token.take().map(|token| token.into_bound(py));
    // They refer back to the value.
    let back = (place.shown.take(), place.follower.take());
    drop(place);
    drop_attached(py, back);
    if !own {
        return Ok(());
    }
    slot::restore(py, previous.as_ref(), token.filter(|_| on_top))
}

/// Whether `value` was entered while `other` was entered and not yet left.
fn is_within(value: Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> bool {
    let mut at = value;
    for _ in 0..=MAX_DEPTH {
        let below = place_of(&at)
            .and_then(|place| place.lock().previous.as_ref().map(|below| below.bind(other.py()).clone()));
        match below {
            None => return false,
            Some(below) if below.is(other) => return true,
            Some(below) => at = below,
        }
    }
    false
}

/// Makes a span current without remembering what was: for generators, which restore at every step themselves.
#[pyfunction]
#[pyo3(name = "_activate")]
pub fn activate<'py>(py: Python<'py>, span: &Bound<'py, Span>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let before = slot::get(py);
    let around = before.as_ref().and_then(base_of).map(Bound::unbind);
    {
        let mut place = span.get().place.lock();
        if !place.explicit {
            let stale = (std::mem::replace(&mut place.base, around), place.shown.take());
            drop(place);
            drop(stale);
        }
    }
    slot::set(span.as_any())?;
    Ok(before)
}

/// Sets the slot as it is, and returns what it held; for generators, which restore at every step.
#[pyfunction]
#[pyo3(name = "_swap")]
pub fn swap<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let before = slot::get(py);
    slot::set(value)?;
    Ok(before)
}
