//! Log records: what `polyspan.log` and `polyspan.LogHandler` hand in, the level, and records as the memory exporter shows them.

use std::borrow::Cow;

use polyspan::config::ExporterOptions;
use polyspan::frame::record::Scope;
use polyspan::logs::LogData;
use polyspan::value::OwnedValue;
use polyspan::{Error, LogLevel, Severity, Value, registry};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::convert::{self, to_python};
use crate::error::raised;
use crate::face::Face;
use crate::span::moment;
use crate::{context, current, exception, exit, host, invalid, slot};

/// Whether a record of that level of `logging` would be kept now.
#[pyfunction]
#[pyo3(name = "_log_enabled")]
pub fn is_enabled(level: i64) -> bool {
    let severity = Severity::from_python_level(level);
    !host::is_host_thread()
        && registry::default_engine().is_some_and(|engine| engine.is_log_enabled(severity))
}

/// Records what a record of `logging` says, in the default engine; false where it is not kept.
#[pyfunction]
#[pyo3(name = "_emit_log")]
#[expect(clippy::too_many_arguments, reason = "the parts of a record")]
pub fn emit(
    py: Python<'_>,
    logger: &str,
    level: i64,
    level_name: &str,
    body: &Bound<'_, PyAny>,
    time: Option<u64>,
    attributes: &Bound<'_, PyAny>,
    error: Option<&Bound<'_, PyAny>>,
) -> bool {
    let severity = (Severity::from_python_level(level), level_name);
    let given = Given { logger, severity, event_name: "", body, time, attributes: Some(attributes), error };
    given.emit(py, None)
}

/// Records something in the log, as part of the current span and with what that inherits. False where it is not
/// kept: below the level, without an exporter of log records, or before `init`.
///
/// `level` is a name (`"trace"`, `"debug"`, `"info"`, `"warn"`, `"error"`, `"fatal"`) or a level of `logging`; `body`
/// is text or anything that a span takes. `error` adds an exception with its type, message and stack; `logger` is
/// the instrumentation scope; `event_name` makes it an event of that class; `span` is what it belongs to instead of
/// the current span. It never raises: what cannot be recorded is left out and counted.
#[pyfunction]
#[pyo3(signature = (
    level, body, /, *, attributes = None, error = None, logger = None, event_name = None, time = None, span = None
))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the Python function")]
pub fn log(
    py: Python<'_>,
    level: &Bound<'_, PyAny>,
    body: &Bound<'_, PyAny>,
    attributes: Option<&Bound<'_, PyAny>>,
    error: Option<&Bound<'_, PyAny>>,
    logger: Option<&Bound<'_, PyAny>>,
    event_name: Option<&Bound<'_, PyAny>>,
    time: Option<&Bound<'_, PyAny>>,
    span: Option<&Bound<'_, PyAny>>,
) -> bool {
    let severity = match level.extract::<i64>() {
        Ok(number) => Some(Severity::from_python_level(number)),
        Err(_) => Severity::from_name(&convert::text(level)),
    };
    let severity = severity.unwrap_or_else(|| {
        invalid::say(py, "log level");
        Severity::INFO
    });
    let (logger, event_name) = (given_text(logger), given_text(event_name));
    let belongs_to = span.filter(|span| !span.is_none());
    let face = belongs_to.and_then(Face::given);
    if belongs_to.is_some() && face.is_none() {
        invalid::say(py, "span of a log record");
    }
    let severity = (severity, "");
    let time = moment(time);
    let given = Given { logger: &logger, severity, event_name: &event_name, body, time, attributes, error };
    given.emit(py, face)
}

fn given_text<'a>(given: Option<&'a Bound<'_, PyAny>>) -> Cow<'a, str> {
    given.filter(|given| !given.is_none()).map(|given| convert::text(given)).unwrap_or_default()
}

/// What a log record says.
struct Given<'a, 'py> {
    logger: &'a str,
    severity: (Severity, &'a str),
    event_name: &'a str,
    body: &'a Bound<'py, PyAny>,
    time: Option<u64>,
    attributes: Option<&'a Bound<'py, PyAny>>,
    error: Option<&'a Bound<'py, PyAny>>,
}

impl Given<'_, '_> {
    /// Records it in the default engine, as part of that span or the current one.
    fn emit(&self, py: Python<'_>, belongs_to: Option<Face<'_>>) -> bool {
        // What an exporter of the application's says while it works would be its own next work.
        if host::is_host_thread() {
            return false;
        }
        let Some(engine) = registry::default_engine() else { return false };
        let (severity, severity_text) = self.severity;
        if !engine.is_log_enabled(severity) {
            return false;
        }
        exit::arm_if_due(py);
        let now = slot::get(py);
        let span = belongs_to.or_else(|| now.as_ref().and_then(current::face_of));
        let ambient = context::ambient_of(now.as_ref().and_then(current::base_of).as_ref());
        let bounds = || engine.capture_bounds();
        let mut builder = engine
            .log(severity, convert::bounded(self.body, &bounds))
            .severity_text(severity_text)
            .event_name(self.event_name)
            .span(span.as_ref().map(|span| span.context()))
            .surroundings(ambient.as_ref().map(|ambient| &ambient.get().surroundings));
        if !self.logger.is_empty() {
            builder = builder.scope(engine.scope(Scope { name: self.logger.to_owned(), ..Scope::default() }));
        }
        if let Some(time) = self.time {
            builder = builder.time(time);
        }
        let mut given: Vec<(String, OwnedValue)> = Vec::new();
        let refused = self.attributes.map_or(0, |attributes| {
            convert::pairs_within(attributes, &bounds, &mut |key, value| {
                given.push((key.to_owned(), value.into_owned()));
            })
        });
        for (key, value) in given {
            builder = builder.attribute(key, value);
        }
        if let Some(error) = self.error.filter(|error| !error.is_none()) {
            let parts = exception::parts(error);
            for (key, text) in [
                ("exception.type", parts.class),
                ("exception.message", parts.message),
                ("exception.stacktrace", parts.stack),
            ] {
                if !text.is_empty() {
                    builder = builder.attribute(key, text);
                }
            }
        }
        if refused > 0 {
            invalid::say(py, "log record");
        }
        builder.emit()
    }
}

/// Changes from which level on log records are kept, in every engine and from now on: a name (`"debug"`, `"info"`,
/// `"warn"`, `"error"`, `"fatal"`, `"none"`) or a level of `logging`.
///
/// Raises `PolyspanError` (`invalid_option`) for anything else.
#[pyfunction]
pub fn set_log_level(py: Python<'_>, level: &Bound<'_, PyAny>) -> PyResult<()> {
    let level = read_level(py, level)?;
    for engine in registry::engines() {
        engine.set_log_level(level);
    }
    Ok(())
}

/// A level by its name or as a number of `logging`.
pub fn read_level(py: Python<'_>, level: &Bound<'_, PyAny>) -> PyResult<LogLevel> {
    let found = match level_name(level) {
        Some(Value::Str(name)) => LogLevel::from_name(&name),
        _ => None,
    };
    found.ok_or_else(|| {
        let expected = "trace, debug, info, warn, error, fatal, none, or a level of logging";
        raised(py, &Error::invalid_option("log_level", &convert::text(level), expected))
    })
}

/// The name of a level: of a number of `logging`, or of a logger, as the option `logger` of old holds one. Anything
/// else is left to whoever reads the option.
pub fn level_name(given: &Bound<'_, PyAny>) -> Option<OwnedValue> {
    if given.is_instance_of::<PyString>() || given.is_instance_of::<PyDict>() {
        return Some(convert::value(given).into_owned());
    }
    if given.is_exact_instance_of::<PyInt>() || given.is_exact_instance_of::<PyFloat>() {
        let number = given.extract::<f64>().ok()?;
        let level = LogLevel::from_python_level(number as i64);
        return Some(Value::from(level.as_str()));
    }
    let effective = exit::in_python(|| given.call_method0("getEffectiveLevel").ok())??;
    level_name(&effective)
}

/// A log record as it was recorded, read only.
#[pyclass(frozen, module = "polyspan")]
pub struct LogRecord(pub LogData);

fn dict_of<'py>(py: Python<'py>, pairs: &[(String, OwnedValue)]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in pairs {
        dict.set_item(key, to_python(py, value)?)?;
    }
    Ok(dict)
}

#[pymethods]
impl LogRecord {
    /// What it says; `None` if nothing.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.body.as_ref().map(|value| to_python(py, value)).transpose()
    }

    /// How serious it is, as OpenTelemetry numbers it: 9 for info, 13 for warn, 17 for error; 0 for unknown.
    #[getter]
    fn severity(&self) -> u8 {
        self.0.severity.number()
    }

    /// What its source calls that, such as `"WARNING"`.
    #[getter]
    fn severity_text(&self) -> &str {
        &self.0.severity_text
    }

    /// When it happened, in nanoseconds since the Unix epoch.
    #[getter]
    fn time(&self) -> u64 {
        self.0.time_unix_nanos
    }

    /// The trace it belongs to as 32 hex digits; `None` for none.
    #[getter]
    fn trace_id(&self) -> Option<String> {
        self.0.trace_id.is_valid().then(|| self.0.trace_id.to_hex())
    }

    /// The span it belongs to as 16 hex digits; `None` for none.
    #[getter]
    fn span_id(&self) -> Option<String> {
        self.0.span_id.is_valid().then(|| self.0.span_id.to_hex())
    }

    /// The class of the event that it stands for; empty for none.
    #[getter]
    fn event_name(&self) -> &str {
        &self.0.event_name
    }

    #[getter]
    fn attributes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, &self.0.attributes)
    }

    /// The metadata it inherited.
    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, &self.0.metadata)
    }

    /// The name of the logger.
    #[getter]
    fn logger(&self) -> &str {
        &self.0.scope.name
    }

    /// The attributes of the process that recorded it.
    #[getter]
    fn resource<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, &self.0.resource.attributes)
    }

    fn __repr__(&self) -> String {
        let body = self.0.body.as_ref().and_then(Value::as_str).unwrap_or_default();
        format!("<LogRecord {} {body:?}>", self.0.severity_text)
    }
}

/// An exporter of log records that is an object; `None` for a description.
pub fn exporter_object(exporter: &Bound<'_, PyAny>) -> PyResult<Option<ExporterOptions>> {
    if let Ok(memory) = exporter.cast::<crate::exporters::MemoryExporter>() {
        return Ok(Some(ExporterOptions::Memory(memory.get().0.clone())));
    }
    let is_described = exporter.is_none()
        || exporter.is_instance_of::<PyString>()
        || exporter.is_instance_of::<PyDict>()
        || exporter.is_instance_of::<PyList>()
        || exporter.is_instance_of::<PyTuple>();
    if is_described { Ok(None) } else { host::options::exporter(exporter) }
}
