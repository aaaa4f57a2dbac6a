//! What the OpenTelemetry API calls its things: the keys of its contexts and the classes we make objects of.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyType};

use crate::face::Face;

/// The key of baggage in a base that no OpenTelemetry API has seen.
const BAGGAGE_KEY: &str = "polyspan-baggage";

/// What `polyspan.opentelemetry` found in the API package.
pub struct Api {
    pub span_key: Py<PyString>,
    pub baggage_key: Py<PyString>,
    /// `opentelemetry.context.Context`.
    pub context: Py<PyAny>,
    /// The class of our spans, derived from [`super::OtelSpan`] and the API's (or SDK's) span.
    pub span: Py<PyType>,
    pub span_context: Py<PyAny>,
    pub trace_flags: Py<PyAny>,
    pub trace_state: Py<PyAny>,
    pub empty_trace_state: Py<PyAny>,
    /// The members of `SpanKind`, in the order of their values.
    pub kinds: Vec<Py<PyAny>>,
    /// The members of `StatusCode`, in the order of their values.
    pub statuses: Vec<Py<PyAny>>,
    /// `NonRecordingSpan`.
    pub non_recording: Py<PyAny>,
}

static API: PyOnceLock<Api> = PyOnceLock::new();

/// The API, if it is loaded with our provider.
#[inline]
pub fn api(py: Python<'_>) -> Option<&Api> {
    API.get(py)
}

/// Takes over the API's classes and keys; called once, when `polyspan.opentelemetry` is imported.
#[pyfunction]
#[pyo3(name = "_connect_otel")]
pub fn connect(py: Python<'_>, names: &Bound<'_, PyDict>) -> PyResult<()> {
    let taken = |name: &str| -> PyResult<Bound<'_, PyAny>> {
        names.get_item(name)?.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(name.to_owned()))
    };
    let listed = |name: &str| -> PyResult<Vec<Py<PyAny>>> {
        taken(name)?.try_iter()?.map(|member| Ok(member?.unbind())).collect()
    };
    let api = Api {
        span_key: taken("span_key")?.cast_into::<PyString>()?.unbind(),
        baggage_key: taken("baggage_key")?.cast_into::<PyString>()?.unbind(),
        context: taken("context")?.unbind(),
        span: taken("span")?.cast_into::<PyType>()?.unbind(),
        span_context: taken("span_context")?.unbind(),
        trace_flags: taken("trace_flags")?.unbind(),
        trace_state: taken("trace_state")?.unbind(),
        empty_trace_state: taken("empty_trace_state")?.unbind(),
        kinds: listed("kinds")?,
        statuses: listed("statuses")?,
        non_recording: taken("non_recording")?.unbind(),
    };
    // A second import of the package, after the first was taken out of sys.modules, keeps the first's classes.
    let _ = API.set(py, api);
    Ok(())
}

/// The span that a dictionary of context keys names.
pub fn span_in<'py>(base: &Bound<'py, PyDict>) -> Option<Face<'py>> {
    let api = api(base.py())?;
    Face::given(&base.get_item(api.span_key.bind(base.py())).ok()??)
}

/// The OpenTelemetry context of some keys and a span.
pub fn context_of<'py>(
    py: Python<'py>,
    base: Option<&Bound<'py, PyDict>>,
    face: Option<Face<'py>>,
) -> PyResult<Bound<'py, PyAny>> {
    let Some(api) = api(py) else { return Ok(PyDict::new(py).into_any()) };
    let context = match base {
        Some(base) => api.context.bind(py).call1((base,))?,
        None => api.context.bind(py).call0()?,
    };
    // The class refuses item assignment; this is the base class's.
    let dict = context.cast::<PyDict>()?;
    rename_baggage(dict, api)?;
    if let Some(face) = face {
        put(dict, api.span_key.bind(py), face.into_otel(py)?.as_any())?;
    }
    Ok(context)
}

/// A copy of some keys that may be changed until it is entered.
pub fn copied<'py>(py: Python<'py>, base: Option<&Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyDict>> {
    let Some(api) = api(py) else {
        return base.map_or_else(|| Ok(PyDict::new(py)), |base| base.copy());
    };
    let context = match base {
        Some(base) => api.context.bind(py).call1((base,))?,
        None => api.context.bind(py).call0()?,
    };
    let dict = context.cast_into::<PyDict>()?;
    rename_baggage(&dict, api)?;
    Ok(dict)
}

/// Baggage set before the OpenTelemetry API was loaded goes by another key.
fn rename_baggage(base: &Bound<'_, PyDict>, api: &Api) -> PyResult<()> {
    let py = base.py();
    if let Some(baggage) = base.get_item(intern!(py, BAGGAGE_KEY))? {
        if base.get_item(api.baggage_key.bind(py))?.is_none() {
            put(base, api.baggage_key.bind(py), &baggage)?;
        }
        take(base, intern!(py, BAGGAGE_KEY));
    }
    Ok(())
}

/// The baggage among some keys.
pub fn baggage_of<'py>(base: &Bound<'py, PyDict>) -> Option<Bound<'py, PyDict>> {
    let py = base.py();
    if let Some(api) = api(py)
        && let Ok(Some(baggage)) = base.get_item(api.baggage_key.bind(py))
    {
        return baggage.cast_into::<PyDict>().ok();
    }
    base.get_item(intern!(py, BAGGAGE_KEY)).ok()??.cast_into::<PyDict>().ok()
}

/// Sets the baggage among some keys.
pub fn put_baggage(base: &Bound<'_, PyDict>, baggage: &Bound<'_, PyDict>) -> PyResult<()> {
    let py = base.py();
    match api(py) {
        Some(api) => put(base, api.baggage_key.bind(py), baggage.as_any()),
        None => put(base, intern!(py, BAGGAGE_KEY), baggage.as_any()),
    }
}

/// `dict.__setitem__` whatever the subclass says of it.
#[allow(unsafe_code)]
pub fn put<'py>(
    base: &Bound<'py, PyDict>,
    key: &Bound<'py, PyString>,
    value: &Bound<'py, PyAny>,
) -> PyResult<()> {
    // SAFETY: `base` is a dict (or a subclass, which PyDict_SetItem accepts); key and value are live objects.
    let done = unsafe { pyo3::ffi::PyDict_SetItem(base.as_ptr(), key.as_ptr(), value.as_ptr()) };
    if done == 0 { Ok(()) } else { Err(PyErr::fetch(base.py())) }
}

/// `dict.__delitem__` likewise.
#[allow(unsafe_code)]
fn take(base: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) {
    // SAFETY: as in `put`; the key is there, and if it is not the error is dropped.
    unsafe {
        if pyo3::ffi::PyDict_DelItem(base.as_ptr(), key.as_ptr()) != 0 {
            pyo3::ffi::PyErr_Clear();
        }
    }
}
