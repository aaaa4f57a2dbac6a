//! A span as the application's code in the host stage sees it: typed, and mutable.
//!
//! It is made from the record in one go. Its dictionaries and lists are made when they are first asked for, and
//! read again at the end: only a span that was changed is written anew.

use polyspan::frame::record::SpanData;
use polyspan::frame::view::SpanView;
use polyspan::frame::write::{self, Head};
use polyspan::frame::{EVENT_HEADER, EventKind, copy};
use polyspan::host::HostRecord;
use polyspan::value::{OwnedValue, Value};
use polyspan::{SpanFlags, SpanType, StatusCode};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::parts::{SpanError, SpanEvent, SpanLink, dict_from, dict_of, editable, pairs_of, text_of};
use crate::convert;
use crate::span::PySpanContext;
use crate::start::read_kind;

/// A span on its way out. Processors and formatters may change everything but its ids; exporters and filters have a
/// copy of their own, so that what they change changes nothing.
#[pyclass(module = "polyspan")]
pub struct FinishedSpan {
    head: Head,
    data: SpanData,
    /// Something was set.
    changed: bool,
    attributes: Option<Py<PyDict>>,
    metadata: Option<Py<PyDict>>,
    tags: Option<Py<PyList>>,
    events: Option<Py<PyList>>,
    links: Option<Py<PyList>>,
    input: Option<Py<PyAny>>,
    output: Option<Py<PyAny>>,
}

impl FinishedSpan {
    /// `None` for bytes that are no record.
    pub fn of(record: &HostRecord<'_>) -> Option<Self> {
        let head = *SpanView::new(record.body).ok()?.head();
        Some(Self {
            head,
            data: record.to_data()?,
            changed: false,
            attributes: None,
            metadata: None,
            tags: None,
            events: None,
            links: None,
            input: None,
            output: None,
        })
    }

    /// The body of its record as it is now; `None` if nothing was changed.
    pub fn written(&mut self, py: Python<'_>) -> PyResult<Option<Vec<u8>>> {
        if !self.read_back(py)? {
            return Ok(None);
        }
        let mut event = Vec::new();
        write::begin_span(&mut event);
        copy::fields(&mut event, &self.data);
        write::finish_span(&mut event, EventKind::SpanEnded, 0, &self.head);
        Ok(Some(event.split_off(EVENT_HEADER)))
    }

    /// Reads what may have been changed in place. True if anything was changed at all.
    fn read_back(&mut self, py: Python<'_>) -> PyResult<bool> {
        if let Some(dict) = &self.attributes {
            replace(&mut self.data.attributes, pairs_of(dict.bind(py)), &mut self.changed);
        }
        if let Some(dict) = &self.metadata {
            replace(&mut self.data.metadata, pairs_of(dict.bind(py)), &mut self.changed);
        }
        if let Some(list) = &self.tags {
            let tags = list.bind(py).iter().map(|tag| convert::text(&tag).into_owned()).collect();
            replace(&mut self.data.tags, tags, &mut self.changed);
        }
        if let Some(list) = &self.events {
            let events =
                list.bind(py).iter().map(|event| SpanEvent::data(&event)).collect::<PyResult<_>>()?;
            replace(&mut self.data.events, events, &mut self.changed);
        }
        if let Some(list) = &self.links {
            let links = list.bind(py).iter().map(|link| SpanLink::data(&link)).collect::<PyResult<_>>()?;
            replace(&mut self.data.links, links, &mut self.changed);
        }
        for (seen, kept) in [(&self.input, &mut self.data.input), (&self.output, &mut self.data.output)] {
            if let Some(seen) = seen {
                let seen = seen.bind(py);
                let now = if seen.is_none() && !matches!(kept, Some(Value::Null)) {
                    None
                } else {
                    Some(convert::value(seen).into_owned())
                };
                replace(kept, now, &mut self.changed);
            }
        }
        Ok(self.changed)
    }
}

fn replace<T: PartialEq>(kept: &mut T, now: T, changed: &mut bool) {
    if *kept != now {
        *kept = now;
        *changed = true;
    }
}

/// What was made of a part before, or what is made of it now.
fn kept<'py, T>(
    slot: &mut Option<Py<T>>,
    py: Python<'py>,
    make: impl FnOnce() -> PyResult<Bound<'py, T>>,
) -> PyResult<Bound<'py, T>> {
    if let Some(made) = slot {
        return Ok(made.bind(py).clone());
    }
    let made = make()?;
    *slot = Some(made.clone().unbind());
    Ok(made)
}

fn listed<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(given.py());
    for item in given.try_iter()? {
        list.append(item?)?;
    }
    Ok(list)
}

#[pymethods]
impl FinishedSpan {
    /// The span id as 16 lower-case hex digits.
    #[getter]
    fn id(&self) -> String {
        self.head.span_id.to_hex()
    }

    /// The trace id as 32 lower-case hex digits.
    #[getter]
    fn trace_id(&self) -> String {
        self.head.trace_id.to_hex()
    }

    /// The parent's span id; `None` for a root.
    #[getter]
    fn parent_id(&self) -> Option<String> {
        self.head.parent_span_id.is_valid().then(|| self.head.parent_span_id.to_hex())
    }

    /// Its identity.
    #[getter]
    fn context(&self) -> PySpanContext {
        PySpanContext(self.data.context.clone())
    }

    #[getter]
    fn name(&self) -> &str {
        &self.data.name
    }

    #[setter]
    fn set_name(&mut self, name: &Bound<'_, PyAny>) {
        replace(&mut self.data.name, convert::text(name).into_owned(), &mut self.changed);
    }

    /// The span type, such as `"tool"`.
    #[getter]
    fn r#type(&self) -> &'static str {
        self.head.span_type.as_str()
    }

    #[setter]
    fn set_type(&mut self, name: &str) -> PyResult<()> {
        let known = SpanType::from_name(name);
        let known = known.ok_or_else(|| PyValueError::new_err(format!("type: {name:?} is no span type")))?;
        replace(&mut self.head.span_type, known, &mut self.changed);
        Ok(())
    }

    /// The span kind, such as `"client"`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.head.kind.as_str()
    }

    #[setter]
    fn set_kind(&mut self, kind: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut refused = 0;
        let known = read_kind(kind, &mut refused);
        if refused > 0 {
            return Err(PyValueError::new_err(format!("kind: {} is no span kind", kind.repr()?)));
        }
        replace(&mut self.head.kind, known, &mut self.changed);
        Ok(())
    }

    /// Start in nanoseconds since the Unix epoch.
    #[getter]
    fn start_time(&self) -> u64 {
        self.head.start_unix_nanos
    }

    #[setter]
    fn set_start_time(&mut self, nanos: u64) {
        replace(&mut self.head.start_unix_nanos, nanos, &mut self.changed);
    }

    /// End in nanoseconds since the Unix epoch; `None` while the span is open.
    #[getter]
    fn end_time(&self) -> Option<u64> {
        Some(self.head.end_unix_nanos).filter(|nanos| *nanos > 0)
    }

    #[setter]
    fn set_end_time(&mut self, nanos: u64) {
        replace(&mut self.head.end_unix_nanos, nanos, &mut self.changed);
    }

    /// Nanoseconds from start to end; `None` while the span is open.
    #[getter]
    fn duration(&self) -> Option<u64> {
        self.end_time().map(|end| end.saturating_sub(self.head.start_unix_nanos))
    }

    /// `"unset"`, `"ok"` or `"error"`.
    #[getter]
    fn status(&self) -> &'static str {
        match self.head.status {
            StatusCode::Unset => "unset",
            StatusCode::Ok => "ok",
            StatusCode::Error => "error",
        }
    }

    #[setter]
    fn set_status(&mut self, status: &str) -> PyResult<()> {
        let code = match status {
            "unset" => StatusCode::Unset,
            "ok" => StatusCode::Ok,
            "error" => StatusCode::Error,
            other => {
                return Err(PyValueError::new_err(format!("status: {other:?} is none of unset, ok, error")));
            }
        };
        replace(&mut self.head.status, code, &mut self.changed);
        Ok(())
    }

    /// The description of an error status.
    #[getter]
    fn status_message(&self) -> &str {
        &self.data.status_message
    }

    #[setter]
    fn set_status_message(&mut self, message: &Bound<'_, PyAny>) {
        replace(&mut self.data.status_message, convert::text(message).into_owned(), &mut self.changed);
    }

    /// Why it failed; `None` unless the status is an error. Read from status, `error.type` and the last exception.
    #[getter]
    fn error(&self) -> Option<SpanError> {
        if self.head.status != StatusCode::Error {
            return None;
        }
        let exception = self.data.events.iter().rev().find(|event| event.name == "exception");
        let of_exception = |key: &str| text_of(exception.map_or(&[], |event| &event.attributes), key);
        let kind = text_of(&self.data.attributes, "error.type").or_else(|| of_exception("exception.type"));
        let message = Some(self.data.status_message.as_str()).filter(|message| !message.is_empty());
        let message = message.map(Into::into).or_else(|| of_exception("exception.message"));
        Some(SpanError {
            r#type: kind.unwrap_or_default().into_owned(),
            message: message.unwrap_or_default().into_owned(),
            stack: of_exception("exception.stacktrace").unwrap_or_default().into_owned(),
        })
    }

    #[getter]
    fn attributes<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        kept(&mut self.attributes, py, || dict_of(py, &self.data.attributes))
    }

    #[setter]
    fn set_attributes(&mut self, py: Python<'_>, attributes: &Bound<'_, PyAny>) -> PyResult<()> {
        self.attributes = Some(dict_from(py, Some(attributes))?.unbind());
        Ok(())
    }

    #[getter]
    fn metadata<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        kept(&mut self.metadata, py, || dict_of(py, &self.data.metadata))
    }

    #[setter]
    fn set_metadata(&mut self, py: Python<'_>, metadata: &Bound<'_, PyAny>) -> PyResult<()> {
        self.metadata = Some(dict_from(py, Some(metadata))?.unbind());
        Ok(())
    }

    /// Tags of the trace, on its root.
    #[getter]
    fn tags<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        kept(&mut self.tags, py, || PyList::new(py, &self.data.tags))
    }

    #[setter]
    fn set_tags(&mut self, tags: &Bound<'_, PyAny>) -> PyResult<()> {
        self.tags = Some(listed(tags)?.unbind());
        Ok(())
    }

    /// What happened during it: `SpanEvent` objects.
    #[getter]
    fn events<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        kept(&mut self.events, py, || {
            let list = PyList::empty(py);
            self.data.events.iter().try_for_each(|event| list.append(SpanEvent::of(py, event)?))?;
            Ok(list)
        })
    }

    #[setter]
    fn set_events(&mut self, events: &Bound<'_, PyAny>) -> PyResult<()> {
        self.events = Some(listed(events)?.unbind());
        Ok(())
    }

    /// What it links to: `SpanLink` objects.
    #[getter]
    fn links<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        kept(&mut self.links, py, || {
            let list = PyList::empty(py);
            self.data.links.iter().try_for_each(|link| list.append(SpanLink::of(py, link)?))?;
            Ok(list)
        })
    }

    #[setter]
    fn set_links(&mut self, links: &Bound<'_, PyAny>) -> PyResult<()> {
        self.links = Some(listed(links)?.unbind());
        Ok(())
    }

    /// What went into the operation; `None` when nothing was recorded.
    #[getter]
    fn input<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        kept(&mut self.input, py, || slot(py, self.data.input.as_ref()))
    }

    #[setter]
    fn set_input(&mut self, input: Py<PyAny>) {
        self.input = Some(input);
    }

    /// What came out of the operation; `None` when nothing was recorded.
    #[getter]
    fn output<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        kept(&mut self.output, py, || slot(py, self.data.output.as_ref()))
    }

    #[setter]
    fn set_output(&mut self, output: Py<PyAny>) {
        self.output = Some(output);
    }

    /// The attributes of the process that recorded it; a copy.
    #[getter]
    fn resource<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, &self.data.resource.attributes)
    }

    /// The instrumentation scope as (name, version).
    #[getter]
    fn scope(&self) -> (&str, &str) {
        (&self.data.scope.name, &self.data.scope.version)
    }

    /// Whether it has no parent at all.
    #[getter]
    fn is_root(&self) -> bool {
        self.head.flags.contains(SpanFlags::ROOT)
    }

    /// Whether it has no parent in this process.
    #[getter]
    fn is_local_root(&self) -> bool {
        self.head.flags.contains(SpanFlags::LOCAL_ROOT)
    }

    /// Whether it stands for an instant.
    #[getter]
    fn is_event(&self) -> bool {
        self.head.flags.contains(SpanFlags::EVENT)
    }

    /// Whether it is internal to a framework.
    #[getter]
    fn is_internal(&self) -> bool {
        self.head.flags.contains(SpanFlags::INTERNAL)
    }

    /// What was left out, as (attributes, events, links).
    #[getter]
    fn dropped<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let SpanData { dropped_attributes, dropped_events, dropped_links, .. } = self.data;
        PyTuple::new(py, [dropped_attributes, dropped_events, dropped_links])
    }

    /// Everything it holds as plain data, for JSON and the like; a copy.
    #[expect(clippy::wrong_self_convention, reason = "it reads back what was changed in place")]
    fn to_dict<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.read_back(py)?;
        let dict = PyDict::new(py);
        dict.set_item("trace_id", self.trace_id())?;
        dict.set_item("id", self.id())?;
        dict.set_item("parent_id", self.parent_id())?;
        dict.set_item("name", self.name())?;
        dict.set_item("type", self.r#type())?;
        dict.set_item("kind", self.kind())?;
        dict.set_item("start_time", self.start_time())?;
        dict.set_item("end_time", self.end_time())?;
        dict.set_item("status", self.status())?;
        dict.set_item("status_message", self.status_message())?;
        dict.set_item("attributes", dict_of(py, &self.data.attributes)?)?;
        dict.set_item("metadata", dict_of(py, &self.data.metadata)?)?;
        dict.set_item("tags", PyList::new(py, &self.data.tags)?)?;
        dict.set_item("input", slot(py, self.data.input.as_ref())?)?;
        dict.set_item("output", slot(py, self.data.output.as_ref())?)?;
        let events = PyList::empty(py);
        for event in &self.data.events {
            let entry = PyDict::new(py);
            entry.set_item("name", &event.name)?;
            entry.set_item("time", event.time_unix_nanos)?;
            entry.set_item("attributes", dict_of(py, &event.attributes)?)?;
            events.append(entry)?;
        }
        dict.set_item("events", events)?;
        let links = PyList::empty(py);
        for link in &self.data.links {
            let entry = PyDict::new(py);
            entry.set_item("trace_id", link.context.trace_id.to_hex())?;
            entry.set_item("span_id", link.context.span_id.to_hex())?;
            entry.set_item("attributes", dict_of(py, &link.attributes)?)?;
            links.append(entry)?;
        }
        dict.set_item("links", links)?;
        dict.set_item("resource", self.resource(py)?)?;
        dict.set_item("scope", self.data.scope.name.as_str())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!(
            "<FinishedSpan {:?} type={} trace_id={} id={}>",
            self.data.name, self.head.span_type, self.head.trace_id, self.head.span_id
        )
    }
}

fn slot<'py>(py: Python<'py>, value: Option<&OwnedValue>) -> PyResult<Bound<'py, PyAny>> {
    value.map_or_else(|| Ok(py.None().into_bound(py)), |value| editable(py, value))
}
