//! The methods of an OpenTelemetry span (OpenTelemetry trace API, "Span"), natively.
//!
//! `polyspan.opentelemetry.Span` derives from this class and from the API's, or the SDK's, span.

use std::sync::OnceLock;

use polyspan::{SpanContext, StatusCode};
use pyo3::exceptions::PyException;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use super::api::{Api, api};
use super::convert::{span_context_of, status_of, to_otel};
use super::tracer::OtelTracer;
use crate::convert;
use crate::current::{self, Place};
use crate::exception;
use crate::exit;
use crate::face::{Face, Owner};
use crate::guarded::Guarded;
use crate::invalid;
use crate::open::Open;
use crate::record::SpanRecord;
use crate::span::moment;

/// Base class of the spans that tracers make.
#[pyclass(frozen, subclass, module = "polyspan._polyspan", name = "_OtelSpan")]
pub struct OtelSpan {
    /// Set right after the object is made; what makes one otherwise gets a span that does not record.
    inner: OnceLock<Inner>,
    pub place: Guarded<Place>,
    /// The API's `SpanContext`, made when first asked for.
    context: Guarded<Option<Py<PyAny>>>,
}

struct Inner {
    owner: Owner,
    tracer: Option<Py<OtelTracer>>,
    record_exception: bool,
    set_status_on_exception: bool,
}

impl OtelSpan {
    /// Makes the object of the class that `polyspan.opentelemetry` derived.
    pub fn face<'py>(
        py: Python<'py>,
        api: &Api,
        owner: Owner,
        tracer: Option<Py<OtelTracer>>,
        record_exception: bool,
        set_status_on_exception: bool,
    ) -> PyResult<Bound<'py, Self>> {
        let span = allocate(api.span.bind(py))?;
        let inner = Inner { owner, tracer, record_exception, set_status_on_exception };
        // It is new: nothing was set before.
        let _ = span.get().inner.set(inner);
        Ok(span)
    }

    #[inline]
    pub fn open(&self) -> &Open {
        static NONE: OnceLock<Open> = OnceLock::new();
        match self.inner.get() {
            Some(inner) => inner.owner.open(),
            None => NONE.get_or_init(|| Open::remote(SpanContext::default())),
        }
    }

    fn tracer(&self) -> Option<&Py<OtelTracer>> {
        self.inner.get()?.tracer.as_ref()
    }

    /// Records an exception that left a block, as the options at the start say.
    pub fn failed(
        slf: &Bound<'_, Self>,
        error: &Bound<'_, PyAny>,
        record_exception: bool,
        set_status: bool,
    ) -> PyResult<()> {
        // Only errors: closing a generator or leaving the program is none.
        if !error.is_instance_of::<PyException>() {
            return Ok(());
        }
        if !slf.get().open().is_recording() {
            // Metrics may count it nevertheless.
            if set_status {
                slf.get().open().status(StatusCode::Error, "");
            }
            return Ok(());
        }
        if record_exception {
            slf.get().open().add_exception(error, None, None, Some("False"));
        }
        if set_status {
            let name = error.get_type().name()?;
            let (_, message) = exception::named(error);
            slf.get().open().status(StatusCode::Error, &format!("{}: {message}", convert::text(&name)));
        }
        Ok(())
    }

    /// Ends it, with the span processors if there are any.
    pub fn finish(slf: &Bound<'_, Self>, time: Option<u64>) -> PyResult<()> {
        let span = slf.get();
        let open = span.open();
        if !open.is_recording() {
            // Counted as ended twice, or as an unsampled span's end.
            open.end(time);
            return Ok(());
        }
        match span.tracer().and_then(|tracer| tracer.get().processor(slf.py())) {
            None => open.end(time),
            Some(processor) => {
                let time = time.unwrap_or_else(polyspan::clock::now_unix_nanos);
                if exit::in_python(|| finish_with(slf, &processor, time)).is_none() {
                    open.end(Some(time));
                }
            }
        }
        let shown = span.place.lock().shown.take();
        drop(shown);
        Ok(())
    }
}

/// Tells the span processors, which may change the span until `_on_ending` returns.
fn finish_with(slf: &Bound<'_, OtelSpan>, processor: &Bound<'_, PyAny>, time: u64) {
    let py = slf.py();
    let told = processor.call_method1(intern!(py, "_on_ending"), (slf,)).map(drop);
    if let Err(error) = told {
        processor_failed(py, &error);
    }
    let readable = slf.call_method1(intern!(py, "_ended_span"), (time,));
    slf.get().open().end(Some(time));
    let told = readable.and_then(|span| processor.call_method1(intern!(py, "on_end"), (span,)).map(drop));
    if let Err(error) = told {
        processor_failed(py, &error);
    }
}

/// A span processor raised: said once, never passed on to the application.
pub fn processor_failed(py: Python<'_>, error: &PyErr) {
    convert::hold(py, error);
    let kind = convert::class_name(&error.get_type(py));
    invalid::leave(&format!("a span processor raised {kind}: {}", error.value(py)));
    invalid::log_waiting(py);
}

/// An object of a class that derives from [`OtelSpan`], without running any initializer.
#[allow(unsafe_code)]
fn allocate<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, OtelSpan>> {
    let py = class.py();
    let none = PyTuple::empty(py);
    // SAFETY: `class` is a heap type deriving from OtelSpan, so that its tp_new is OtelSpan's own, which takes the
    // class and no arguments, and returns a new reference or null with an exception set.
    let object = unsafe {
        let new = ffi::PyType_GetSlot(class.as_type_ptr(), ffi::Py_tp_new);
        let new: ffi::newfunc = std::mem::transmute(new);
        Bound::from_owned_ptr_or_err(py, new(class.as_type_ptr(), none.as_ptr(), std::ptr::null_mut()))?
    };
    Ok(object.cast_into::<OtelSpan>()?)
}

#[pymethods]
impl OtelSpan {
    #[new]
    #[pyo3(signature = (*_arguments, **_options))]
    fn new(_arguments: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, pyo3::types::PyDict>>) -> Self {
        Self { inner: OnceLock::new(), place: Guarded::default(), context: Guarded::default() }
    }

    fn get_span_context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(context) = self.context.lock().as_ref() {
            return Ok(context.bind(py).clone());
        }
        let Some(api) = api(py) else { return Ok(py.None().into_bound(py)) };
        let context = to_otel(py, api, self.open().context())?;
        *self.context.lock() = Some(context.clone().unbind());
        Ok(context)
    }

    fn is_recording(&self) -> bool {
        self.open().is_recording()
    }

    fn set_attribute(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) {
        self.open().set(key, value);
    }

    fn set_attributes(&self, attributes: &Bound<'_, PyAny>) {
        self.open().set_all(attributes);
    }

    #[pyo3(signature = (name, attributes = None, timestamp = None))]
    fn add_event(
        &self,
        name: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
    ) {
        self.open().add_event(name, attributes, moment(timestamp));
    }

    #[pyo3(signature = (context, attributes = None))]
    fn add_link(&self, context: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) {
        add_link(self.open(), context, attributes);
    }

    fn update_name(&self, name: &Bound<'_, PyAny>) {
        self.open().rename(name);
    }

    #[pyo3(signature = (status, description = None))]
    fn set_status(&self, status: &Bound<'_, PyAny>, description: Option<&Bound<'_, PyAny>>) {
        let py = status.py();
        if let Some(code) = status_of(status) {
            let description = description.filter(|text| !text.is_none()).map(|text| convert::text(text));
            return self.open().status(code, &description.unwrap_or_default());
        }
        // A `Status` brings its own description, and one given beside it is ignored.
        let code = status.getattr(intern!(py, "status_code")).ok().and_then(|code| status_of(&code));
        let Some(code) = code else { return self.open().refuse(py, "set_status", 1) };
        let description = status.getattr(intern!(py, "description")).ok().filter(|text| !text.is_none());
        let description = description.as_ref().map(|text| convert::text(text)).unwrap_or_default();
        self.open().status(code, &description);
    }

    #[pyo3(signature = (exception, attributes = None, timestamp = None, escaped = None))]
    fn record_exception(
        &self,
        exception: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
        timestamp: Option<&Bound<'_, PyAny>>,
        escaped: Option<&Bound<'_, PyAny>>,
    ) {
        // The SDK writes Python's text of the truth value.
        let escaped = escaped.is_some_and(|escaped| escaped.is_truthy().unwrap_or(false));
        let escaped = if escaped { "True" } else { "False" };
        self.open().add_exception(exception, attributes, moment(timestamp), Some(escaped));
    }

    #[pyo3(signature = (end_time = None))]
    fn end(slf: &Bound<'_, Self>, end_time: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        Self::finish(slf, moment(end_time))
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __exit__(
        slf: &Bound<'_, Self>,
        _class: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if let Some(inner) = slf.get().inner.get()
            && !error.is_none()
        {
            Self::failed(slf, error, inner.record_exception, inner.set_status_on_exception)?;
        }
        Self::finish(slf, None)
    }

    /// What has been recorded so far; a record that only has the ids once the span has ended.
    fn _read(&self) -> SpanRecord {
        SpanRecord::of_open(self.open()).unwrap_or_else(|| SpanRecord::empty(self.open()))
    }

    /// The same, redacted and limited as the engine exports it.
    fn _read_shown(&self) -> SpanRecord {
        let engine = self.tracer().map(|tracer| tracer.get().engine());
        let shown = engine.and_then(|engine| SpanRecord::shown(self.open(), engine));
        // What cannot be redacted is not shown.
        shown.unwrap_or_else(|| SpanRecord::empty(self.open()))
    }

    /// The name of the kind, such as `client`.
    fn _kind_name(&self) -> &'static str {
        self.open().kind().as_str()
    }

    /// The API's span context of the parent; `None` for a root.
    fn _parent_context<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match (self.open().parent().filter(|parent| parent.is_valid()), api(py)) {
            (Some(parent), Some(api)) => to_otel(py, api, parent).map(Some),
            _ => Ok(None),
        }
    }

    /// The tracer that started it.
    #[getter]
    fn _tracer(&self, py: Python<'_>) -> Option<Py<OtelTracer>> {
        self.tracer().map(|tracer| tracer.clone_ref(py))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        Face::of(other).is_some_and(|other| std::ptr::eq(other.open(), self.open()))
    }

    fn __hash__(&self) -> usize {
        std::ptr::from_ref(self.open()).addr()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Some(inner) = self.inner.get() {
            inner.owner.traverse(&visit)?;
            visit.call(&inner.tracer)?;
        }
        self.context.try_lock().map_or(Ok(()), |context| visit.call(&*context))?;
        self.place.try_lock().map_or(Ok(()), |place| place.traverse(&visit))
    }

    fn __clear__(&self) {
        current::clear(&self.place);
    }
}

/// Adds a link unless it says nothing: an invalid context without attributes and tracestate.
pub fn add_link(open: &Open, context: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) {
    let py = context.py();
    let Some(to) = span_context_of(context) else { return open.refuse(py, "add_link", 1) };
    let described = attributes.is_some_and(|attributes| attributes.is_truthy().unwrap_or(false));
    if to.is_valid() || described || !to.state.is_empty() {
        open.add_link(py, &to, attributes);
    }
}
