//! Contexts: what spans inside inherit, what `extract` brings, and `with polyspan.context(...)`.

use std::sync::Arc;

use polyspan::Surroundings;
use polyspan::value::Value;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::current::{self, Place};
use crate::face::{Face, Parent};
use crate::guarded::Guarded;
use crate::inherited::Inherited;
use crate::otel;
use crate::span::PySpanContext;
use crate::{convert, invalid, slot};

/// The key of [`Ambient`] in a base.
pub const AMBIENT_KEY: &str = "polyspan-ambient";

/// What spans inside a context or span inherit, kept among its keys.
#[pyclass(frozen, module = "polyspan._polyspan", name = "_Ambient")]
pub struct Ambient {
    pub surroundings: Arc<Surroundings>,
}

impl Ambient {
    /// A copy of some keys, inside which this is inherited.
    pub fn put<'py>(
        surroundings: Arc<Surroundings>,
        base: Option<&Bound<'py, PyDict>>,
        py: Python<'py>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let base = otel::copied(py, base)?;
        let ambient = Bound::new(py, Self { surroundings })?;
        otel::put(&base, intern!(py, AMBIENT_KEY), ambient.as_any())?;
        Ok(base)
    }
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
    pub place: Guarded<Place>,
}

impl Context {
    pub fn new(span: Option<Py<PyAny>>, base: Option<Py<PyDict>>) -> Self {
        Self { span, place: Guarded::new(Place::chosen(base)) }
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
        let base = self.place.lock().base.as_ref().map(|base| base.bind(py).clone());
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
        current::clear(&self.place);
    }
}

/// `with polyspan.context(...)`: what it adds, and the contexts it has entered.
#[pyclass(frozen, module = "polyspan._polyspan", name = "_ContextScope")]
pub struct ContextScope {
    attributes: Vec<(String, Value<'static>)>,
    metadata: Vec<(String, Value<'static>)>,
    tags: Vec<String>,
    inherited: Inherited,
    baggage: Option<Py<PyDict>>,
    parent: Option<Py<PyAny>>,
    entered: Guarded<Vec<Py<Context>>>,
}

/// Adds ids, tags, metadata, attributes or baggage to everything inside the block.
///
/// The ids are `session_id`, `user_id`, `organization_id`, `thread_id`, `run_id`, `request_id`, `resource_id`,
/// `environment`, `entity_type`, `entity_id` and `entity_name`. `hide_input` and `hide_output` keep the inputs and
/// outputs of everything inside in the process. `request_context` is a mapping of what the application knows about the
/// request (tenant, headers): samplers see it, and roots inside take the values that `request_context_keys`, here or of
/// the engine, name as metadata. `internal_spans` names families of span types (`"workflow"`, `"agent"`, `"tool"`,
/// `"model"`) that are internal to a framework inside.
/// With `parent`, spans inside become children of it: a `Context` from `extract`, a span or a span context of
/// either API, or the text of a `traceparent` header.
#[pyfunction]
#[pyo3(
    signature = (
        *, tags = None, metadata = None, attributes = None, baggage = None, parent = None, **more
    ),
    text_signature = "(*, tags=None, metadata=None, attributes=None, baggage=None, parent=None, **more)"
)]
pub fn context(
    py: Python<'_>,
    tags: Option<&Bound<'_, PyAny>>,
    metadata: Option<&Bound<'_, PyAny>>,
    attributes: Option<&Bound<'_, PyAny>>,
    baggage: Option<&Bound<'_, PyAny>>,
    parent: Option<&Bound<'_, PyAny>>,
    more: Option<&Bound<'_, PyDict>>,
) -> PyResult<ContextScope> {
    let mut refused = 0;
    let mut scope = ContextScope {
        attributes: Vec::new(),
        metadata: Vec::new(),
        tags: Vec::new(),
        inherited: Inherited::read("context", more, &mut refused)?,
        baggage: None,
        parent: parent.filter(|parent| !parent.is_none()).map(|parent| parent.clone().unbind()),
        entered: Guarded::default(),
    };
    if let Some(given) = attributes {
        refused += convert::pairs_within(given, &|| convert::bounds_of(None), &mut |key, value| {
            scope.attributes.push((key.to_owned(), value.into_owned()));
        });
    }
    if let Some(given) = metadata {
        refused += convert::pairs_within(given, &|| convert::bounds_of(None), &mut |key, value| {
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
        let before = slot::get(py);
        let parent = self.parent.as_ref().and_then(|parent| Parent::given(parent.bind(py)));
        let (face, base) = match parent {
            Some(parent) => (Some(parent.face), parent.base),
            None => (before.as_ref().and_then(current::face_of), None),
        };
        let base = base.or_else(|| before.as_ref().and_then(current::base_of));
        let base = self.extended(py, base.as_ref())?;
        let face = face.map(|face| face.into_any().unbind());
        let context = Bound::new(py, Context::new(face, Some(base.unbind())))?;
        current::enter(context.as_any(), &context.get().place)?;
        self.entered.lock().push(context.clone().unbind());
        Ok(context)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) -> PyResult<bool> {
        let context = self.entered.lock().pop();
        if let Some(context) = context {
            let context = context.bind(py);
            current::leave(context.as_any(), &context.get().place)?;
        }
        Ok(false)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.baggage)?;
        visit.call(&self.parent)?;
        match self.entered.try_lock() {
            Some(entered) => entered.iter().try_for_each(|context| visit.call(context)),
            None => Ok(()),
        }
    }

    fn __clear__(&self) {
        if let Some(mut entered) = self.entered.try_lock() {
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
        let adds = !(self.attributes.is_empty() && self.metadata.is_empty() && self.tags.is_empty());
        if adds || self.inherited.changes() || self.inherited.request.is_some() {
            let outer = ambient_of(outer);
            let outer = outer.as_ref().map(|outer| &outer.get().surroundings);
            let mut inner = self.inherited.apply(Surroundings::inside(outer));
            for (key, value) in &self.attributes {
                inner = inner.attribute(key, value.clone());
            }
            for (key, value) in &self.metadata {
                inner = inner.metadata(key, value.clone());
            }
            for tag in &self.tags {
                inner = inner.tag(tag.clone());
            }
            if let Some(request) = &self.inherited.request {
                inner = inner.request_context(request.clone());
            }
            let ambient = Bound::new(py, Ambient { surroundings: Arc::new(inner) })?;
            otel::put(&base, intern!(py, AMBIENT_KEY), ambient.as_any())?;
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
