//! The span of Polyspan's own API: a native object that is its own context manager.

use std::sync::atomic::{AtomicBool, Ordering};

use polyspan::value::Value;
use polyspan::{SpanContext, SpanId, StatusCode, TraceFlags, TraceId, TraceState};
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arguments::{Call, Keyword};
use crate::convert;
use crate::current::{self, Place};
use crate::exception;
use crate::face::{Face, Owner};
use crate::guarded::Guarded;
use crate::invalid;
use crate::open::Open;
use crate::record::SpanRecord;
use crate::{slot, tree};

/// An operation being recorded.
///
/// It has started when it exists. `with span:` makes it the current span and ends it; without `with` it ends by
/// `end()`. Its methods never raise: what cannot be recorded is left out and counted.
#[pyclass(frozen, module = "polyspan")]
pub struct Span {
    owner: Owner,
    pub place: Guarded<Place>,
    /// Leaving the block does not end it: its result is still to run.
    kept_open: AtomicBool,
}

impl Span {
    pub fn new(owner: Owner, place: Place) -> Self {
        Self { owner, place: Guarded::new(place), kept_open: AtomicBool::new(false) }
    }

    /// A span that only stands for a context.
    pub fn remote(py: Python<'_>, context: SpanContext) -> PyResult<Bound<'_, Self>> {
        Bound::new(py, Self::new(Owner::Here(Open::remote(context)), Place::default()))
    }

    #[inline]
    pub fn open(&self) -> &Open {
        self.owner.open()
    }

    /// The object that stands for the children of a span that is not sampled: they share the ids of their parent,
    /// keep nothing, and entering them changes nothing while their parent is current. Made once per parent.
    #[inline]
    pub fn followed<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        if let Some(known) = &slf.get().place.lock().follower {
            return Ok(known.bind(py).clone());
        }
        let made = Bound::new(py, Self::new(Owner::Followed(slf.clone().unbind()), Place::default()))?;
        slf.get().place.lock().follower = Some(made.clone().unbind());
        Ok(made)
    }

    /// Whether it stands for children of the span that is current.
    #[inline]
    fn is_inside_followed(&self, py: Python<'_>) -> bool {
        matches!(&self.owner, Owner::Followed(parent) if slot::get(py).is_some_and(|now| now.is(parent)))
    }

    #[inline]
    fn end_at(&self, time: Option<u64>) {
        // A child that is not told apart was counted when it was asked for.
        if !matches!(self.owner, Owner::Followed(_)) {
            self.open().end(time);
        }
    }

    /// `update(...)`: sets what is given and shows it to exporters that follow open spans.
    pub fn update(&self, call: Call<'_, '_>) -> PyResult<()> {
        if call.positional().len() > 0 {
            return Err(PyTypeError::new_err("update() takes keyword arguments only"));
        }
        for (name, value) in call.named() {
            self.set_field(Keyword::of(&name), &value);
        }
        self.open().show();
        Ok(())
    }

    /// `end(...)`: sets what is given and ends the span.
    pub fn end(&self, call: Call<'_, '_>) -> PyResult<()> {
        let mut positional = call.positional();
        let mut time = positional.next();
        if positional.next().is_some() {
            return Err(PyTypeError::new_err("end() takes 1 positional argument besides keywords"));
        }
        for (name, value) in call.named() {
            match Keyword::of(&name) {
                Some(Keyword::Time) => time = Some(value),
                field => self.set_field(field, &value),
            }
        }
        self.end_at(moment(time.as_deref()));
        Ok(())
    }

    /// `event(...)`: adds an event.
    pub fn event(&self, call: Call<'_, '_>) -> PyResult<()> {
        let mut positional = call.positional();
        let (name, mut attributes, mut time) = (positional.next(), positional.next(), None);
        if positional.next().is_some() {
            return Err(PyTypeError::new_err("event() takes at most 2 positional arguments"));
        }
        for (keyword, value) in call.named() {
            match Keyword::of(&keyword) {
                Some(Keyword::Attributes) if attributes.is_none() => attributes = Some(value),
                Some(Keyword::Time) => time = Some(value),
                _ => {
                    let message = format!("event() got an unexpected keyword argument '{}'", *keyword);
                    return Err(PyTypeError::new_err(message));
                }
            }
        }
        let Some(name) = name else {
            return Err(PyTypeError::new_err("event() missing 1 required positional argument: 'name'"));
        };
        let open = self.open();
        if open.is_recording() {
            open.add_event(&name, attributes.as_deref(), moment(time.as_deref()));
            open.show();
        }
        Ok(())
    }

    fn set_field(&self, field: Option<Keyword>, value: &Bound<'_, PyAny>) {
        match field {
            Some(Keyword::Name) => self.open().rename(value),
            Some(Keyword::Input) => self.open().set_input(value),
            Some(Keyword::Output) => self.open().set_output(value),
            Some(Keyword::Metadata) => self.open().set_metadata(value),
            Some(Keyword::Attributes) => self.open().set_all(value),
            Some(Keyword::Tags) => self.open().set_tags(value),
            _ => self.open().refuse(value.py(), "update", 1),
        }
    }

    /// `__enter__`: makes it the current span.
    #[inline]
    pub fn enter(slf: &Bound<'_, Self>) -> PyResult<()> {
        match slf.get().is_inside_followed(slf.py()) {
            true => Ok(()),
            false => current::enter(slf.as_any(), &slf.get().place),
        }
    }

    /// `__exit__`: ends it, failed if an error goes through, and makes what was current before current again.
    #[inline]
    pub fn leave(slf: &Bound<'_, Self>, error: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let span = slf.get();
        if span.is_inside_followed(slf.py()) {
            return Ok(());
        }
        if let Some(error) = error.filter(|error| exception::is_failure(error)) {
            span.open().fail(error);
        }
        if error.is_none() && span.kept_open.load(Ordering::Relaxed) {
            span.kept_open.store(false, Ordering::Relaxed);
        } else {
            span.end_at(None);
        }
        current::leave(slf.as_any(), &span.place)
    }
}

// `event`, `update`, `end`, `__enter__` and `__exit__` are in `entry.rs`.
#[pymethods]
impl Span {
    /// The trace id as 32 lower-case hex digits; all zeros when no engine runs.
    #[getter]
    fn trace_id(&self) -> String {
        self.open().context().trace_id.to_hex()
    }

    /// The span id as 16 lower-case hex digits.
    #[getter]
    fn span_id(&self) -> String {
        self.open().context().span_id.to_hex()
    }

    /// Whether what is set on the span is kept: false when it is not sampled, has ended, or no engine runs.
    #[getter]
    fn is_recording(&self) -> bool {
        self.open().is_recording()
    }

    /// Its identity as others refer to it: a parent for other spans, a target for links.
    #[getter]
    fn context(&self) -> PySpanContext {
        PySpanContext(self.open().context().clone())
    }

    /// Sets an attribute, or all attributes of a mapping; the last value of a key counts.
    #[pyo3(signature = (key, value = None, /))]
    fn set(&self, key: &Bound<'_, PyAny>, value: Option<&Bound<'_, PyAny>>) {
        match value {
            Some(value) => self.open().set(key, value),
            None if key.is_instance_of::<PyDict>() => self.open().set_all(key),
            None => self.open().set(key, key.py().None().bind(key.py())),
        }
    }

    /// Links to another span: a span or span context of either API, or the text of a `traceparent`.
    #[pyo3(signature = (target, /, attributes = None))]
    fn link(&self, target: &Bound<'_, PyAny>, attributes: Option<&Bound<'_, PyAny>>) {
        match Face::given(target) {
            Some(face) => self.open().add_link(target.py(), face.context(), attributes),
            None => self.open().refuse(target.py(), "link", 1),
        }
    }

    /// Records that the operation failed: the exception with its type, message and stack, and the status.
    /// Ends the span unless told otherwise.
    ///
    /// `id` names the error where its class says too little, and becomes `error.type`; `domain` and `category` say
    /// what it belongs to; `details` is anything that helps, and `metadata` that of the span.
    #[pyo3(signature = (
        error, /, *, end = true, id = None, domain = None, category = None, details = None, metadata = None
    ))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the Python method")]
    fn error(
        &self,
        error: &Bound<'_, PyAny>,
        end: bool,
        id: Option<&Bound<'_, PyAny>>,
        domain: Option<&Bound<'_, PyAny>>,
        category: Option<&Bound<'_, PyAny>>,
        details: Option<&Bound<'_, PyAny>>,
        metadata: Option<&Bound<'_, PyAny>>,
    ) {
        let open = self.open();
        open.fail(error);
        let py = error.py();
        for (key, given) in [
            (intern!(py, "error.type"), id),
            (intern!(py, "polyspan.error.id"), id),
            (intern!(py, "polyspan.error.domain"), domain),
            (intern!(py, "polyspan.error.category"), category),
            (intern!(py, "polyspan.error.details"), details),
        ] {
            if let Some(given) = given {
                open.set(key, given);
            }
        }
        if let Some(metadata) = metadata {
            open.set_metadata(metadata);
        }
        if end {
            self.end_at(None);
        } else {
            open.show();
        }
    }

    /// Records an exception as an event and leaves the status alone.
    #[pyo3(signature = (error, /, attributes = None, *, escaped = false))]
    fn record_exception(
        &self,
        error: &Bound<'_, PyAny>,
        attributes: Option<&Bound<'_, PyAny>>,
        escaped: bool,
    ) {
        self.open().add_exception(error, attributes, None, escaped.then_some("true"));
    }

    /// Sets the status, `"ok"` or `"error"`, the latter with a message. `"ok"` is final.
    #[pyo3(signature = (code, /, message = None))]
    fn status(&self, code: &Bound<'_, PyAny>, message: Option<&Bound<'_, PyAny>>) {
        let message = message.map(|message| convert::text(message)).unwrap_or_default();
        match convert::text(code).to_ascii_lowercase().as_str() {
            "ok" => self.open().status(StatusCode::Ok, ""),
            "error" => self.open().status(StatusCode::Error, &message),
            "unset" => {}
            _ => self.open().refuse(code.py(), "status", 1),
        }
    }

    /// Replaces the name.
    #[pyo3(signature = (name, /))]
    fn rename(&self, name: &Bound<'_, PyAny>) {
        self.open().rename(name);
    }

    /// Ends every open span below this one, the deepest first, and then this one, all at the same moment.
    fn end_tree(slf: &Bound<'_, Self>) -> PyResult<()> {
        tree::end_tree(&Face::Own(slf.clone()))
    }

    /// The same as `update` for what is shown soon all the same.
    #[pyo3(signature = (**fields))]
    fn _set(&self, fields: Option<&Bound<'_, PyDict>>) {
        for (field, value) in fields.into_iter().flatten() {
            self.set_field(Keyword::of(&field), &value);
        }
    }

    /// Leaving the current block will not end the span.
    fn _keep_open(&self) {
        self.kept_open.store(true, Ordering::Relaxed);
    }

    /// What has been recorded so far; `None` when the span does not record.
    fn _read(&self) -> Option<SpanRecord> {
        SpanRecord::of_open(self.open())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        Face::of(other).is_some_and(|other| std::ptr::eq(other.open(), self.open()))
    }

    fn __hash__(&self) -> usize {
        std::ptr::from_ref(self.open()).addr()
    }

    fn __repr__(&self) -> String {
        let context = self.open().context();
        let recording = if self.open().is_recording() { "" } else { ", not recording" };
        format!("<Span trace_id={} span_id={}{recording}>", context.trace_id, context.span_id)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.owner.traverse(&visit)?;
        // Whoever holds the lock keeps what is inside alive.
        self.place.try_lock().map_or(Ok(()), |place| place.traverse(&visit))
    }

    fn __clear__(&self) {
        current::clear(&self.place);
    }
}

/// The identity of a span: what travels between processes.
#[pyclass(frozen, module = "polyspan", name = "SpanContext")]
pub struct PySpanContext(pub SpanContext);

#[pymethods]
impl PySpanContext {
    /// One of another process, from its ids as hex digits (up to 32 and 16). Ids that are none make it invalid, which
    /// is counted.
    #[new]
    #[pyo3(signature = (trace_id, span_id, *, trace_flags = 1, trace_state = "", is_remote = true))]
    fn new(
        py: Python<'_>,
        trace_id: &Bound<'_, PyAny>,
        span_id: &Bound<'_, PyAny>,
        trace_flags: u8,
        trace_state: &str,
        is_remote: bool,
    ) -> Self {
        let ids = TraceId::from_hex(&convert::text(trace_id)).and_then(|trace_id| {
            SpanId::from_hex(&convert::text(span_id)).map(|span_id| (trace_id, span_id))
        });
        let Ok((trace_id, span_id)) = ids else {
            invalid::say(py, "SpanContext");
            return Self(SpanContext::default());
        };
        let state = TraceState::from_header(trace_state.as_bytes()).unwrap_or_default();
        let flags = TraceFlags::from_bits(trace_flags);
        Self(SpanContext { trace_id, span_id, flags, state, remote: is_remote })
    }

    /// The trace id as 32 lower-case hex digits.
    #[getter]
    fn trace_id(&self) -> String {
        self.0.trace_id.to_hex()
    }

    /// The span id as 16 lower-case hex digits.
    #[getter]
    fn span_id(&self) -> String {
        self.0.span_id.to_hex()
    }

    /// The flag byte of W3C Trace Context: 1 is sampled, 2 is random.
    #[getter]
    fn trace_flags(&self) -> u8 {
        self.0.flags.bits()
    }

    /// The `tracestate` header; empty when there is none.
    #[getter]
    fn trace_state(&self) -> String {
        self.0.state.header().to_owned()
    }

    /// Whether the trace is recorded.
    #[getter]
    fn is_sampled(&self) -> bool {
        self.0.is_sampled()
    }

    /// Whether the span lives in another process.
    #[getter]
    fn is_remote(&self) -> bool {
        self.0.remote
    }

    /// Whether both ids are other than zero.
    #[getter]
    fn is_valid(&self) -> bool {
        self.0.is_valid()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self) -> u64 {
        u64::from_be_bytes(self.0.span_id.to_bytes())
    }

    pub fn __repr__(&self) -> String {
        format!(
            "SpanContext(trace_id={}, span_id={}, trace_flags={:02x}, is_remote={})",
            self.0.trace_id,
            self.0.span_id,
            self.0.flags.bits(),
            if self.0.remote { "True" } else { "False" },
        )
    }
}

/// A point in time as nanoseconds since the Unix epoch: an integer, or a `datetime`; anything else counts and is
/// as if it were not given.
pub fn moment(time: Option<&Bound<'_, PyAny>>) -> Option<u64> {
    let time = time.filter(|time| !time.is_none())?;
    let py = time.py();
    let nanos = match convert::scalar(time) {
        Some(Value::I64(nanos)) => u64::try_from(nanos).ok(),
        Some(_) => None,
        None => match time.call_method0(intern!(py, "timestamp")).and_then(|time| time.extract::<f64>()) {
            // Microseconds are what a datetime holds; the rest is rounding.
            Ok(seconds) if seconds >= 0.0 => Some((seconds * 1e6).round() as u64 * 1000),
            Ok(_) => None,
            Err(error) => {
                convert::hold(py, &error);
                None
            }
        },
    };
    if nanos.is_none() {
        invalid::say(py, "time");
    }
    nanos
}
