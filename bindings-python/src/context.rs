//! What is current: the values of the slot, entering and leaving them, and what spans inherit from them.
//!
//! The slot holds a [`Span`], an [`OtelSpan`] or a [`Context`]; nothing set means empty. Whatever is left is
//! restored by value: a generator that was left half-way, or is finished in another context, finds a slot that
//! is no longer its own and leaves it alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polyspan::Surroundings;
use polyspan::value::Value;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::face::{Face, Parent};
use crate::otel::{self, OtelSpan};
use crate::span::{PySpanContext, Span};
use crate::{convert, invalid, slot};

/// The key of [`Ambient`] in a base.
pub const AMBIENT_KEY: &str = "polyspan-ambient";

/// Nested entries beyond this forget what was below them, so that entering without leaving cannot grow forever.
const MAX_DEPTH: u32 = 10_000;

/// What spans inside a context or span inherit, kept among its keys.
#[pyclass(frozen, module = "polyspan._polyspan", name = "_Ambient")]
pub struct Ambient(pub Arc<Surroundings>);

/// Where a span or context stands between being entered and being left.
#[derive(Default)]
pub struct Place {
    entered: u32,
    depth: u32,
    previous: Option<Py<PyAny>>,
    /// The keys besides the span: a dictionary that is never changed (an OpenTelemetry `Context` where that API
    /// is loaded).
    pub base: Option<Py<PyDict>>,
    /// The keys were chosen when the span started; otherwise they are those around where it is entered.
    pub explicit: bool,
    /// The OpenTelemetry `Context` that shows this value, made when first asked for.
    pub shown: Option<Py<PyAny>>,
}

impl Place {
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.previous)?;
        visit.call(&self.base)?;
        visit.call(&self.shown)
    }

    pub fn clear(&mut self) {
        drop(std::mem::take(self));
    }
}

/// Unlinks what was below one by one: a long chain that was never left must not be freed by recursion.
impl Drop for Place {
    fn drop(&mut self) {
        let Some(previous) = self.previous.take() else { return };
        Python::attach(|py| {
            let mut next = Some(previous.into_bound(py));
            while let Some(value) = next.take() {
                if is_last(&value) {
                    let below = Current::of(value.clone());
                    next = below
                        .and_then(|below| below.place().previous.take())
                        .map(|below| below.into_bound(py));
                }
            }
        });
    }
}

/// Whether nobody else holds the object.
#[allow(unsafe_code)]
fn is_last(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the object is alive and the interpreter attached.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) == 1 }
}

pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value of the slot.
#[derive(Clone)]
pub enum Current<'py> {
    Span(Bound<'py, Span>),
    Otel(Bound<'py, OtelSpan>),
    Context(Bound<'py, Context>),
}

impl<'py> Current<'py> {
    /// What is current now.
    #[inline]
    pub fn now(py: Python<'py>) -> Option<Self> {
        Self::of(slot::get(py)?)
    }

    /// The slot's value in its own type.
    #[inline]
    pub fn of(value: Bound<'py, PyAny>) -> Option<Self> {
        let value = match value.cast_into_exact::<Span>() {
            Ok(span) => return Some(Self::Span(span)),
            Err(error) => error.into_inner(),
        };
        let value = match value.cast_into::<OtelSpan>() {
            Ok(span) => return Some(Self::Otel(span)),
            Err(error) => error.into_inner(),
        };
        value.cast_into::<Context>().ok().map(Self::Context)
    }

    #[inline]
    fn place(&self) -> MutexGuard<'_, Place> {
        lock(match self {
            Self::Span(span) => &span.get().place,
            Self::Otel(span) => &span.get().place,
            Self::Context(context) => &context.get().place,
        })
    }

    pub fn as_any(&self) -> &Bound<'py, PyAny> {
        match self {
            Self::Span(span) => span.as_any(),
            Self::Otel(span) => span.as_any(),
            Self::Context(context) => context.as_any(),
        }
    }

    /// The keys besides the span.
    #[inline]
    pub fn base(&self, py: Python<'py>) -> Option<Bound<'py, PyDict>> {
        self.place().base.as_ref().map(|base| base.bind(py).clone())
    }

    /// The span, whoever's it is.
    #[inline]
    pub fn face(&self) -> Option<Face<'py>> {
        match self {
            Self::Span(span) => Some(Face::Own(span.clone())),
            Self::Otel(span) => Some(Face::Otel(span.clone())),
            Self::Context(context) => context.get().face(context.py()),
        }
    }

    /// The OpenTelemetry context that shows this value, kept with it.
    pub fn shown(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(shown) = self.place().shown.as_ref() {
            return Ok(shown.bind(py).clone());
        }
        let base = self.base(py);
        let shown = otel::context_of(py, base.as_ref(), self.face())?;
        self.place().shown = Some(shown.clone().unbind());
        Ok(shown)
    }

    /// Makes this the current value, with `base` or else the keys that are current now.
    #[inline]
    pub fn enter(&self, py: Python<'py>, base: Option<Bound<'py, PyDict>>) -> PyResult<()> {
        let before = Self::now(py);
        let inherited = base.or_else(|| before.as_ref().and_then(|before| before.base(py)));
        let depth = before.as_ref().map_or(0, |before| before.place().depth) + 1;
        {
            let mut place = self.place();
            place.entered += 1;
            if place.entered == 1 {
                let deep = depth > MAX_DEPTH;
                place.depth = if deep { 0 } else { depth };
                place.previous = before.filter(|_| !deep).map(|before| before.as_any().clone().unbind());
                if !place.explicit {
                    place.base = inherited.map(Bound::unbind);
                    place.shown = None;
                }
            }
        }
        slot::set(py, self.as_any())
    }

    /// Makes what was current before this one was entered current again, if this one, or something entered
    /// within it, is current now.
    #[inline]
    pub fn leave(&self, py: Python<'py>) -> PyResult<()> {
        let now = slot::get(py);
        let own = now.as_ref().is_some_and(|now| now.is(self.as_any()))
            || now.and_then(Self::of).is_some_and(|now| now.is_within(py, self.as_any()));
        let previous = {
            let mut place = self.place();
            place.entered = place.entered.saturating_sub(1);
            if place.entered > 0 {
                return Ok(());
            }
            place.shown = None;
            place.previous.take()
        };
        if own { slot::restore(py, previous.as_ref().map(|previous| previous.bind(py))) } else { Ok(()) }
    }

    /// Whether it was entered while `other` was entered and not yet left.
    fn is_within(&self, py: Python<'py>, other: &Bound<'py, PyAny>) -> bool {
        let mut at = self.clone();
        for _ in 0..=MAX_DEPTH {
            let Some(previous) = at.place().previous.as_ref().map(|value| value.bind(py).clone()) else {
                return false;
            };
            if previous.is(other) {
                return true;
            }
            let Some(previous) = Self::of(previous) else { return false };
            at = previous;
        }
        false
    }
}

/// Makes a span current without remembering what was: for generators, which restore at every step themselves.
#[pyfunction]
#[pyo3(name = "_activate")]
pub fn activate<'py>(py: Python<'py>, span: &Bound<'py, Span>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let before = slot::get(py);
    let base = before.clone().and_then(Current::of).and_then(|before| before.base(py));
    {
        let mut place = lock(&span.get().place);
        if !place.explicit {
            place.base = base.map(Bound::unbind);
            place.shown = None;
        }
    }
    slot::set(py, span.as_any())?;
    Ok(before)
}

/// The attributes, metadata and tags that a base holds for spans inside.
#[inline]
pub fn ambient_of<'py>(base: Option<&Bound<'py, PyDict>>) -> Option<Bound<'py, Ambient>> {
    let base = base?;
    base.get_item(intern!(base.py(), AMBIENT_KEY)).ok()??.cast_into::<Ambient>().ok()
}

/// An immutable context: a span (often one of another process), baggage, and what spans inside inherit.
///
/// `extract` returns one; it is a parent for `span(parent=...)` and `context(parent=...)`.
#[pyclass(frozen, module = "polyspan")]
pub struct Context {
    /// A `Span` or `OtelSpan`.
    span: Option<Py<PyAny>>,
    pub place: Mutex<Place>,
}

impl Context {
    pub fn new(span: Option<Py<PyAny>>, base: Option<Py<PyDict>>, shown: Option<Py<PyAny>>) -> Self {
        let mut place = Place::default();
        place.base = base;
        place.shown = shown;
        Self { span, place: Mutex::new(place) }
    }

    pub fn face<'py>(&self, py: Python<'py>) -> Option<Face<'py>> {
        Face::of(self.span.as_ref()?.bind(py))
    }
}

#[pymethods]
impl Context {
    /// The span context, `None` where there is no span.
    #[getter]
    fn span_context(&self, py: Python<'_>) -> Option<PySpanContext> {
        Some(PySpanContext(self.face(py)?.context().clone()))
    }

    /// The baggage as a new dictionary.
    #[getter]
    fn baggage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let base = lock(&self.place).base.as_ref().map(|base| base.bind(py).clone());
        match base.and_then(|base| otel::baggage_of(&base)) {
            Some(baggage) => baggage.copy(),
            None => Ok(PyDict::new(py)),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let span = match self.span_context(py) {
            Some(context) => context.__repr__(),
            None => "None".to_owned(),
        };
        Ok(format!("Context(span_context={span}, baggage={})", self.baggage(py)?.repr()?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.span)?;
        // Whoever holds the lock keeps what is inside alive.
        self.place.try_lock().map_or(Ok(()), |place| place.traverse(&visit))
    }

    fn __clear__(&self) {
        if let Ok(mut place) = self.place.try_lock() {
            place.clear();
        }
    }
}

/// `with polyspan.context(...)`: what it adds, and the contexts it has entered.
#[pyclass(frozen, module = "polyspan._polyspan", name = "_ContextScope")]
pub struct ContextScope {
    attributes: Vec<(String, Value<'static>)>,
    metadata: Vec<(String, Value<'static>)>,
    tags: Vec<String>,
    baggage: Option<Py<PyDict>>,
    parent: Option<Py<PyAny>>,
    entered: Mutex<Vec<Py<Context>>>,
}

/// Adds a session, a user, tags, metadata, attributes or baggage to everything inside the block.
///
/// With `parent`, spans inside become children of it: a `Context` from `extract`, a span or a span context of
/// either API, or the text of a `traceparent` header.
#[pyfunction]
#[pyo3(signature = (
    *, session_id = None, user_id = None, tags = None, metadata = None, attributes = None, baggage = None,
    parent = None
))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the Python function")]
pub fn context(
    py: Python<'_>,
    session_id: Option<&Bound<'_, PyAny>>,
    user_id: Option<&Bound<'_, PyAny>>,
    tags: Option<&Bound<'_, PyAny>>,
    metadata: Option<&Bound<'_, PyAny>>,
    attributes: Option<&Bound<'_, PyAny>>,
    baggage: Option<&Bound<'_, PyAny>>,
    parent: Option<&Bound<'_, PyAny>>,
) -> PyResult<ContextScope> {
    let mut scope = ContextScope {
        attributes: Vec::new(),
        metadata: Vec::new(),
        tags: Vec::new(),
        baggage: None,
        parent: parent.filter(|parent| !parent.is_none()).map(|parent| parent.clone().unbind()),
        entered: Mutex::default(),
    };
    let mut refused = 0;
    for (key, given) in [("session.id", session_id), ("user.id", user_id)] {
        if let Some(given) = given.filter(|given| !given.is_none()) {
            scope.attributes.push((key.to_owned(), Value::from(convert::text(given).into_owned())));
        }
    }
    if let Some(given) = attributes {
        refused += convert::pairs(given, &mut |key, value| {
            scope.attributes.push((key.to_owned(), value.into_owned()));
        });
    }
    if let Some(given) = metadata {
        refused += convert::pairs(given, &mut |key, value| {
            scope.metadata.push((key.to_owned(), value.into_owned()))
        });
    }
    if let Some(given) = tags {
        refused += convert::texts(given, &mut |tag| scope.tags.push(tag.to_owned()));
    }
    if let Some(given) = baggage.filter(|given| !given.is_none()) {
        let dict = PyDict::new(py);
        for (key, value) in convert::items(given) {
            // Baggage is text on the wire.
            dict.set_item(convert::text(&key), convert::text(&value))?;
        }
        scope.baggage = Some(dict.unbind());
    }
    if refused > 0 {
        invalid::say(py, "context");
    }
    Ok(scope)
}

#[pymethods]
impl ContextScope {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Context>> {
        let before = Current::now(py);
        let parent = self.parent.as_ref().and_then(|parent| Parent::given(parent.bind(py)));
        let (face, base) = match parent {
            Some(parent) => (Some(parent.face), parent.base),
            None => (before.as_ref().and_then(Current::face), None),
        };
        let base = base.or_else(|| before.as_ref().and_then(|before| before.base(py)));
        let base = self.extended(py, base.as_ref())?;
        let face = face.map(|face| face.into_any().unbind());
        let context = Bound::new(py, Context::new(face, Some(base.clone().unbind()), None))?;
        Current::Context(context.clone()).enter(py, Some(base))?;
        lock(&self.entered).push(context.clone().unbind());
        Ok(context)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) -> PyResult<bool> {
        let context = lock(&self.entered).pop();
        if let Some(context) = context {
            Current::Context(context.into_bound(py)).leave(py)?;
        }
        Ok(false)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.baggage)?;
        visit.call(&self.parent)?;
        match self.entered.try_lock() {
            Ok(entered) => entered.iter().try_for_each(|context| visit.call(context)),
            Err(_) => Ok(()),
        }
    }

    fn __clear__(&self) {
        if let Ok(mut entered) = self.entered.try_lock() {
            entered.clear();
        }
    }
}

impl ContextScope {
    /// The keys inside: those outside, with what is added.
    fn extended<'py>(
        &self,
        py: Python<'py>,
        outer: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let base = otel::copied(py, outer)?;
        if !(self.attributes.is_empty() && self.metadata.is_empty() && self.tags.is_empty()) {
            let outer = ambient_of(outer);
            let mut inner = Surroundings::inside(outer.as_ref().map(|outer| &outer.get().0));
            for (key, value) in &self.attributes {
                inner = inner.attribute(key, value.clone());
            }
            for (key, value) in &self.metadata {
                inner = inner.metadata(key, value.clone());
            }
            for tag in &self.tags {
                inner = inner.tag(tag.clone());
            }
            otel::put(&base, intern!(py, AMBIENT_KEY), Bound::new(py, Ambient(Arc::new(inner)))?.as_any())?;
        }
        if let Some(added) = &self.baggage {
            let baggage = match otel::baggage_of(&base) {
                Some(baggage) => baggage.copy()?,
                None => PyDict::new(py),
            };
            baggage.update(added.bind(py).as_mapping())?;
            otel::put_baggage(&base, &baggage)?;
        }
        Ok(base)
    }
}
