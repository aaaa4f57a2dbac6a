//! Events, links and errors of a span that the application's code sees.

use std::borrow::Cow;

use polyspan::frame::record::{EventData, LinkData};
use polyspan::value::{OwnedValue, Value};
use polyspan::{SpanContext, clock};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PyString};

use crate::convert;
use crate::face::Face;
use crate::span::{PySpanContext, moment};

/// A value as Python objects that may be changed in place: lists and dictionaries.
pub fn editable<'py>(py: Python<'py>, value: &Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
        Value::I64(number) => number.into_pyobject(py)?.into_any(),
        Value::F64(number) => PyFloat::new(py, *number).into_any(),
        Value::Str(text) => PyString::new(py, text).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(editable(py, item)?)?;
            }
            list.into_any()
        }
        Value::Map(entries) => {
            let dict = PyDict::new(py);
            for (key, item) in entries {
                dict.set_item(key.as_ref(), editable(py, item)?)?;
            }
            dict.into_any()
        }
    })
}

/// Pairs as a dictionary that may be changed.
pub fn dict_of<'py>(py: Python<'py>, pairs: &[(String, OwnedValue)]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in pairs {
        dict.set_item(key, editable(py, value)?)?;
    }
    Ok(dict)
}

/// The pairs of a dictionary. Values of any kind are taken as spans take them.
pub fn pairs_of(dict: &Bound<'_, PyDict>) -> Vec<(String, OwnedValue)> {
    let mut pairs = Vec::with_capacity(dict.len());
    convert::pairs(dict.as_any(), &mut |key, value| pairs.push((key.to_owned(), value.into_owned())));
    pairs
}

/// A dictionary of what was given: a mapping, pairs, or nothing.
pub fn dict_from<'py>(py: Python<'py>, given: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    if let Some(given) = given.filter(|given| !given.is_none()) {
        dict.call_method1("update", (given,))?;
    }
    Ok(dict)
}

/// Something that happened during a span.
#[pyclass(module = "polyspan", name = "SpanEvent")]
pub struct SpanEvent {
    /// Its name.
    #[pyo3(get, set)]
    name: String,
    /// When it happened, in nanoseconds since the Unix epoch.
    #[pyo3(get, set)]
    time: u64,
    attributes: Py<PyDict>,
    dropped: u32,
}

impl SpanEvent {
    pub fn of<'py>(py: Python<'py>, event: &EventData) -> PyResult<Bound<'py, Self>> {
        let attributes = dict_of(py, &event.attributes)?.unbind();
        let EventData { name, time_unix_nanos, dropped_attributes, .. } = event;
        Bound::new(
            py,
            Self { name: name.clone(), time: *time_unix_nanos, attributes, dropped: *dropped_attributes },
        )
    }

    pub fn data(event: &Bound<'_, PyAny>) -> PyResult<EventData> {
        let Ok(event) = event.cast::<Self>() else {
            return Err(PyTypeError::new_err("events of a span are SpanEvent objects"));
        };
        let event = event.try_borrow()?;
        Ok(EventData {
            name: event.name.clone(),
            time_unix_nanos: event.time,
            attributes: pairs_of(event.attributes.bind(event.py())),
            dropped_attributes: event.dropped,
        })
    }
}

#[pymethods]
impl SpanEvent {
    /// One that happens now, or at `time`.
    #[new]
    #[pyo3(signature = (name, /, attributes = None, *, time = None))]
    fn new(
        py: Python<'_>,
        name: String,
        attributes: Option<&Bound<'_, PyAny>>,
        time: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let time = moment(time).unwrap_or_else(clock::now_unix_nanos);
        Ok(Self { name, time, attributes: dict_from(py, attributes)?.unbind(), dropped: 0 })
    }

    /// Its attributes.
    #[getter]
    fn attributes(&self, py: Python<'_>) -> Py<PyDict> {
        self.attributes.clone_ref(py)
    }

    #[setter]
    fn set_attributes(&mut self, py: Python<'_>, attributes: &Bound<'_, PyAny>) -> PyResult<()> {
        self.attributes = dict_from(py, Some(attributes))?.unbind();
        Ok(())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("SpanEvent({:?}, {})", self.name, self.attributes.bind(py).repr()?))
    }
}

/// A link of a span to another one.
#[pyclass(module = "polyspan", name = "SpanLink")]
pub struct SpanLink {
    context: SpanContext,
    attributes: Py<PyDict>,
    dropped: u32,
}

impl SpanLink {
    pub fn of<'py>(py: Python<'py>, link: &LinkData) -> PyResult<Bound<'py, Self>> {
        let attributes = dict_of(py, &link.attributes)?.unbind();
        let LinkData { context, dropped_attributes, .. } = link;
        Bound::new(py, Self { context: context.clone(), attributes, dropped: *dropped_attributes })
    }

    pub fn data(link: &Bound<'_, PyAny>) -> PyResult<LinkData> {
        let Ok(link) = link.cast::<Self>() else {
            return Err(PyTypeError::new_err("links of a span are SpanLink objects"));
        };
        let link = link.try_borrow()?;
        Ok(LinkData {
            context: link.context.clone(),
            attributes: pairs_of(link.attributes.bind(link.py())),
            dropped_attributes: link.dropped,
        })
    }
}

#[pymethods]
impl SpanLink {
    /// A link to a span or span context of either API, or to what the text of a `traceparent` names.
    #[new]
    #[pyo3(signature = (target, /, attributes = None))]
    fn new(
        py: Python<'_>,
        target: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let Some(face) = Face::given(target) else {
            return Err(PyTypeError::new_err("target: a span, a span context or a traceparent is expected"));
        };
        let attributes = dict_from(py, attributes)?.unbind();
        Ok(Self { context: face.context().clone(), attributes, dropped: 0 })
    }

    /// The span linked to.
    #[getter]
    fn context(&self) -> PySpanContext {
        PySpanContext(self.context.clone())
    }

    /// Its attributes.
    #[getter]
    fn attributes(&self, py: Python<'_>) -> Py<PyDict> {
        self.attributes.clone_ref(py)
    }

    #[setter]
    fn set_attributes(&mut self, py: Python<'_>, attributes: &Bound<'_, PyAny>) -> PyResult<()> {
        self.attributes = dict_from(py, Some(attributes))?.unbind();
        Ok(())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let context = &self.context;
        let attributes = self.attributes.bind(py).repr()?;
        Ok(format!("SpanLink(trace_id={}, span_id={}, {attributes})", context.trace_id, context.span_id))
    }
}

/// Why a span failed.
#[pyclass(frozen, module = "polyspan", name = "SpanError")]
pub struct SpanError {
    /// What kind of error it was: `error.type`, or the class of the exception.
    #[pyo3(get)]
    pub r#type: String,
    /// Its message.
    #[pyo3(get)]
    pub message: String,
    /// The stack, empty where none was recorded.
    #[pyo3(get)]
    pub stack: String,
}

#[pymethods]
impl SpanError {
    fn __repr__(&self) -> String {
        format!("SpanError(type={:?}, message={:?})", self.r#type, self.message)
    }
}

/// The text of an attribute, if it is one.
pub fn text_of<'a>(pairs: &'a [(String, OwnedValue)], key: &str) -> Option<Cow<'a, str>> {
    pairs.iter().find(|(known, _)| known == key).and_then(|(_, value)| value.as_str()).map(Cow::Borrowed)
}
