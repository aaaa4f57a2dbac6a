//! `inject` and `extract`: the current context to and from any carrier.

use std::sync::{Arc, RwLock};

use polyspan::propagation::{Baggage, Propagators};
use polyspan::{Engine, SpanContext, Surroundings, registry};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::carrier::{PyGetter, PySetter};
use crate::context::{Ambient, Context, ambient_of};
use crate::convert;
use crate::current;
use crate::face::Parent;
use crate::invalid;
use crate::otel;
use crate::slot;
use crate::span::Span;

/// The formats of the engine that `init` started last; those of the default engine, or W3C's, before.
static ENGINE: RwLock<Option<Engine>> = RwLock::new(None);

/// Uses the formats that an engine was configured with.
pub fn use_engine(engine: &Engine) {
    if let Ok(mut current) = ENGINE.write() {
        *current = Some(engine.clone());
    }
}

/// The engine whose formats are used, if there is one.
fn chosen() -> Option<Engine> {
    ENGINE.read().ok().and_then(|engine| engine.clone()).or_else(registry::default_engine)
}

/// Writes the current span and baggage to a carrier and returns it.
///
/// A carrier is a mapping, a multi-valued mapping, a list of pairs, a tuple of gRPC metadata (a new one is
/// returned), an object with item assignment or `set`, or `os.environ`; `setter(carrier, name, value)` writes to
/// anything else. With `context`, that span or context is written instead of the current one.
#[pyfunction]
#[pyo3(signature = (carrier, *, setter = None, context = None))]
pub fn inject<'py>(
    py: Python<'py>,
    carrier: Bound<'py, PyAny>,
    setter: Option<&Bound<'py, PyAny>>,
    context: Option<&Bound<'py, PyAny>>,
) -> Bound<'py, PyAny> {
    let now = slot::get(py);
    let (face, base) = match context.filter(|context| !context.is_none()) {
        Some(given) => match Parent::given(given) {
            Some(Parent { face, base }) => (Some(face), base),
            None => (None, None),
        },
        None => (now.as_ref().and_then(current::face_of), now.as_ref().and_then(current::base_of)),
    };
    let span = face.map_or_else(SpanContext::default, |face| face.context().clone());
    let baggage = base.as_ref().and_then(otel::baggage_of).map(|baggage| read_baggage(&baggage));
    let baggage = baggage.unwrap_or_default();
    let ambient = ambient_of(base.as_ref());
    let around = ambient.as_ref().map(|ambient| &*ambient.get().surroundings);
    let mut setter = PySetter::new(carrier, setter);
    let refused = match chosen() {
        Some(engine) => engine.inject_parts(&span, &baggage, around, &mut setter),
        None => Propagators::default().inject(&span, &baggage, &mut setter),
    };
    let (carrier, failed) = setter.finish();
    if failed {
        invalid::say(py, "inject: the carrier cannot be written");
    }
    if refused.baggage > 0 {
        invalid::say(py, "inject: baggage that the header cannot carry");
    }
    carrier
}

/// Reads the calling span and baggage from a carrier, to be used as a parent.
///
/// Names are compared without case and values may be text or bytes, one or several; `getter(carrier, name)` reads
/// from anything else. What is malformed or missing is as if it were not there.
#[pyfunction]
#[pyo3(signature = (carrier, *, getter = None))]
pub fn extract<'py>(
    py: Python<'py>,
    carrier: &Bound<'py, PyAny>,
    getter: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, Context>> {
    let getter = PyGetter { carrier, getter };
    let extracted = match chosen() {
        Some(engine) => engine.extract_parts(&getter),
        None => Propagators::default().extract(&getter),
    };
    for (count, place) in [
        (extracted.refused.traceparent, "extract: a malformed traceparent"),
        (extracted.refused.tracestate, "extract: a malformed tracestate"),
        (extracted.refused.baggage, "extract: malformed baggage"),
    ] {
        if count > 0 {
            invalid::say(py, place);
        }
    }
    let span = extracted.span.map(|context| Span::remote(py, context)).transpose()?;
    let base = if extracted.baggage.is_empty() && extracted.ids.is_empty() {
        None
    } else {
        // What surrounds the caller stays, its baggage and what came of ids are replaced.
        let outer = slot::get(py).as_ref().and_then(current::base_of);
        let base = if extracted.ids.is_empty() {
            otel::copied(py, outer.as_ref())?
        } else {
            let around = ambient_of(outer.as_ref());
            let around = Surroundings::inside(around.as_ref().map(|around| &around.get().surroundings));
            let inner = extracted.ids.iter().fold(around, |around, (id, value)| around.id(*id, value));
            Ambient::put(Arc::new(inner), outer.as_ref(), py)?
        };
        let baggage = PyDict::new(py);
        for entry in extracted.baggage.iter() {
            baggage.set_item(&entry.key, with_properties(&entry.value, &entry.metadata))?;
        }
        otel::put_baggage(&base, &baggage)?;
        Some(base.unbind())
    };
    Bound::new(py, Context::new(span.map(|span| span.into_any().unbind()), base))
}

/// The OpenTelemetry API keeps an entry's properties in its value.
fn with_properties(value: &str, properties: &str) -> String {
    if properties.is_empty() { value.to_owned() } else { format!("{value};{properties}") }
}

fn read_baggage(dict: &Bound<'_, PyDict>) -> Baggage {
    let mut baggage = Baggage::new();
    for (key, value) in convert::items(dict.as_any()) {
        let (key, value) = (convert::text(&key), convert::text(&value));
        if let Some((front, properties)) = value.split_once(';') {
            let mut alone = Baggage::new();
            alone.insert_with_metadata(&*key, front, properties);
            if alone.to_header().1 == 0 {
                baggage.insert_with_metadata(key, front, properties);
                continue;
            }
        }
        // No properties, or a semicolon that belongs to the value.
        baggage.insert(key, value);
    }
    baggage
}

/// The current baggage, as a new dictionary.
#[pyfunction]
pub fn baggage(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    match slot::get(py).as_ref().and_then(current::base_of).and_then(|base| otel::baggage_of(&base)) {
        Some(baggage) => baggage.copy(),
        None => Ok(PyDict::new(py)),
    }
}
