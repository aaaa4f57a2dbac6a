//! Engines: starting one with `init`, finding it again, flushing and stopping it.

use std::borrow::Cow;
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::value::{OwnedValue, Value};
use polyspan::{Error, ErrorCode, FlushReport, Options, Waiting, registry};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::error::raised;
use crate::exporters::MemoryExporter;
use crate::stats::Stats;
use crate::{convert, exit, host, invalid, logs, propagate, sampler};

/// How long `flush` and `shutdown` wait unless told otherwise, in seconds.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long they wait between two looks at what signals the process got.
const SLICE: Duration = Duration::from_millis(50);

/// A running engine: one configured instance with its sampler, limits and exporters.
#[pyclass(frozen, module = "polyspan")]
pub struct Engine(pub polyspan::Engine);

/// Starts an engine. What is not given comes from the `OTEL_*` variables, then from the defaults; every option is
/// described in `docs/configuration.md`. With `logs` the records of `logging` go to it too. `exporter` and `exporters` take a `MemoryExporter` and exporters of your own too, `sampler` a function
/// that is asked for root spans or a sampler of the OpenTelemetry SDK, and times a `timedelta`. With `metrics`, true or
/// a mapping of options, metrics are made of all spans. `metadata` (a mapping) and `tags` (a list of texts), each of at
/// most 64 KiB, are carried by all traces: spans have this metadata unless they inherit or are given another value of the
/// key. A SIGTERM that the
/// application does not handle flushes before the process ends, unless `handle_sigterm` is false.
///
/// Raises `PolyspanError`: `invalid_option` naming the option, or `already_initialized` where an engine of that
/// name runs with other options and `replace` is not true.
#[pyfunction]
#[pyo3(
    signature = (service = None, /, **options),
    text_signature = "(service=None, **options)"
)]
pub fn init(
    py: Python<'_>,
    service: Option<Bound<'_, PyAny>>,
    options: Option<Bound<'_, PyDict>>,
) -> PyResult<Engine> {
    let given = options.unwrap_or_else(|| PyDict::new(py));
    if let Some(service) = service {
        given.set_item("service", service)?;
    }
    let engine = launch(py, &given, false)?;
    // The first one that `init` started is the default, also where an OpenTelemetry provider was there before.
    if registry::chosen_default().is_none_or(|chosen| chosen == engine.0.name()) {
        registry::set_default(engine.0.name()).map_err(|error| raised(py, &error))?;
        propagate::use_engine(&engine.0);
    }
    Ok(engine)
}

/// Starts an engine as an OpenTelemetry provider does: to `localhost:4318` rather than the console.
#[pyfunction]
#[pyo3(name = "_init_provider")]
pub fn init_provider(py: Python<'_>, options: &Bound<'_, PyDict>) -> PyResult<Engine> {
    launch(py, options, true)
}

fn launch(py: Python<'_>, given: &Bound<'_, PyDict>, provider: bool) -> PyResult<Engine> {
    let handle_sigterm = match given.get_item("handle_sigterm")? {
        Some(wanted) => wanted.extract::<bool>().map_err(|_| {
            let found = convert::text(&wanted).into_owned();
            raised(py, &Error::invalid_option("handle_sigterm", &found, "True or False"))
        })?,
        None => true,
    };
    let handle_logs = match given.get_item("logs")? {
        Some(wanted) if !wanted.is_none() => wanted.extract::<bool>().map_err(|_| {
            let found = convert::text(&wanted).into_owned();
            raised(py, &Error::invalid_option("logs", &found, "True or False"))
        })?,
        _ => false,
    };
    let options = read_options(given)?.provider(provider);
    // The export thread must not run Python code: its lines wait for a thread that does.
    polyspan::set_log(invalid::leave);
    let engine = py.detach(|| polyspan::init(options)).map_err(|error| raised(py, &error))?;
    sampler::take_note(engine.sampler());
    exit::arm(py, handle_sigterm);
    exit::start_host_later();
    if handle_logs {
        py.import(intern!(py, "polyspan._logging"))?.call_method0(intern!(py, "install"))?;
    }
    invalid::log_waiting(py);
    Ok(Engine(engine))
}

/// Objects are taken as they are; everything else is data, which the engine reads and checks itself.
fn read_options(given: &Bound<'_, PyDict>) -> PyResult<Options> {
    let py = given.py();
    let mut options = Options::default().language("python");
    let mut data = Vec::new();
    for (option, value) in given.iter() {
        let option = option.extract::<String>()?;
        match option.as_str() {
            "exporter" => match exporter_object(&value)? {
                Some(exporter) => options = options.exporter(exporter),
                None => data.push((option.into(), plain(&value))),
            },
            "exporters" if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() => {
                let mut described = Vec::new();
                for exporter in value.try_iter()? {
                    let exporter = exporter?;
                    match exporter_object(&exporter)? {
                        Some(exporter) => options = options.exporter(exporter),
                        None => described.push(convert::value(&exporter).into_owned()),
                    }
                }
                data.push((option.into(), Value::Array(described)));
            }
            "processors" if !value.is_none() => {
                options = options.processors(host::options::processors(&value)?)
            }
            "span_filter" if !value.is_none() => {
                options = options.span_filter(host::options::filter(&value)?)
            }
            // Not the engine's business, but the interpreter's.
            "handle_sigterm" | "logs" => {}
            "log_level" | "logger" => {
                let level = logs::level_name(&value).unwrap_or_else(|| plain(&value));
                data.push((option.into(), level));
            }
            "metrics_exporter" => match memory_object(&value) {
                Some(exporter) => options = options.metrics_exporter(exporter),
                None => data.push((option.into(), plain(&value))),
            },
            "metrics" if value.is_instance_of::<PyDict>() => data.push((option.into(), timed(&value)?)),
            "logs_exporter" => match logs::exporter_object(&value)? {
                Some(exporter) => options = options.logs_exporter(exporter),
                None => data.push((option.into(), plain(&value))),
            },
            "sampler" if sampler::is_object(&value) => options = options.sampler(sampler::read(&value)?),
            _ => data.push((option.into(), plain(&value))),
        }
    }
    options.apply(&Value::Map(data)).map_err(|error| raised(py, &error))
}

/// A memory exporter; `None` for anything else.
fn memory_object(exporter: &Bound<'_, PyAny>) -> Option<ExporterOptions> {
    let memory = exporter.cast::<MemoryExporter>().ok()?;
    Some(ExporterOptions::Memory(memory.get().0.clone()))
}

/// A mapping of options, of which some are times.
fn timed(options: &Bound<'_, PyAny>) -> PyResult<OwnedValue> {
    let mut read = Vec::new();
    for (option, value) in options.cast::<PyDict>()?.iter() {
        read.push((convert::text(&option).into_owned().into(), plain(&value)));
    }
    Ok(Value::Map(read))
}

/// An exporter that is an object; `None` for a description.
fn exporter_object(exporter: &Bound<'_, PyAny>) -> PyResult<Option<ExporterOptions>> {
    if let Ok(memory) = exporter.cast::<MemoryExporter>() {
        return Ok(Some(ExporterOptions::Memory(memory.get().0.clone())));
    }
    if let Ok(described) = exporter.cast::<PyDict>() {
        return host::options::formatted(described, "exporter");
    }
    if exporter.is_none() || exporter.is_instance_of::<PyString>() {
        return Ok(None);
    }
    host::options::exporter(exporter)
}

/// A `timedelta` as its seconds, anything else as it looks in a span.
fn plain(value: &Bound<'_, PyAny>) -> OwnedValue {
    match value.call_method0(intern!(value.py(), "total_seconds")) {
        Ok(seconds) => convert::value(&seconds).into_owned(),
        Err(_) => convert::value(value).into_owned(),
    }
}

/// A time limit in seconds, or a `timedelta`; 30 seconds if none is given.
fn timeout_of(timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Duration> {
    let Some(timeout) = timeout.filter(|timeout| !timeout.is_none()) else { return Ok(TIMEOUT) };
    let seconds = match plain(timeout) {
        Value::I64(seconds) => Some(seconds as f64),
        Value::F64(seconds) => Some(seconds),
        _ => None,
    };
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| {
        let found = match timeout.extract::<f64>() {
            // As short as it was written, where it is large.
            Ok(seconds) => Cow::Owned(format!("{seconds:?}")),
            Err(_) => convert::text(timeout),
        };
        raised(timeout.py(), &Error::invalid_option("timeout", &found, "a number of seconds, 0 or more"))
    })
}

/// Waits for a flush or shutdown that was begun. A signal's handler runs meanwhile: what it raises, as Ctrl-C does,
/// ends the waiting and not what was begun.
fn wait(py: Python<'_>, begun: Result<Waiting, Error>) -> PyResult<Result<FlushReport, Error>> {
    let mut waiting = match begun {
        Ok(waiting) => waiting,
        Err(error) => return Ok(Err(error)),
    };
    while !py.detach(|| waiting.wait(SLICE)) {
        py.check_signals()?;
    }
    Ok(py.detach(|| waiting.end()))
}

/// Waits for several that go on at the same time; of what fails, the first is raised.
fn wait_for_all(py: Python<'_>, begun: Vec<Result<Waiting, Error>>) -> PyResult<()> {
    let mut failure = None;
    for begun in begun {
        if let Err(error) = wait(py, begun)? {
            failure.get_or_insert(error);
        }
    }
    invalid::log_waiting(py);
    failure.map_or(Ok(()), |error| Err(raised(py, &error)))
}

fn not_running(py: Python<'_>, what: &str) -> PyErr {
    raised(py, &Error::new(ErrorCode::NotRunning, format!("{what}: no engine runs; call init first")))
}

fn default_engine(py: Python<'_>, what: &str) -> PyResult<Engine> {
    registry::default_engine().map(Engine).ok_or_else(|| not_running(py, what))
}

/// The engine of that name, or the default one.
///
/// Raises `PolyspanError` (`not_running`) where there is none.
#[pyfunction]
#[pyo3(signature = (name = None))]
pub fn engine(py: Python<'_>, name: Option<&Bound<'_, PyAny>>) -> PyResult<Engine> {
    match name {
        Some(name) if !name.is_none() => {
            let name = convert::text(name);
            registry::engine(&name).map(Engine).ok_or_else(|| not_running(py, &format!("engine {name:?}")))
        }
        _ => default_engine(py, "engine"),
    }
}

/// All running engines, in the order they were started.
#[pyfunction]
pub fn engines() -> Vec<Engine> {
    registry::engines().into_iter().map(Engine).collect()
}

/// Makes the engine of that name the one for spans that name none. The first that `init` started is it otherwise.
///
/// Raises `PolyspanError` (`not_running`) where there is none.
#[pyfunction]
pub fn set_default(py: Python<'_>, name: &Bound<'_, PyAny>) -> PyResult<()> {
    let engine = engine(py, Some(name))?;
    registry::set_default(engine.0.name()).map_err(|error| raised(py, &error))?;
    propagate::use_engine(&engine.0);
    Ok(())
}

/// Lets a function choose the engine of each trace that starts: it is given what a sampler function is (`name`,
/// `type`, `kind`, `attributes`, `metadata`, `request_context`, `parent`) and returns the name of an engine, or `None`
/// for the default one. `None` instead of a function ends that. Spans inside a trace go where their own engine's root went; a name
/// that no engine has, and a function that raises, mean the default engine.
#[pyfunction]
#[pyo3(signature = (selector, /))]
pub fn set_selector(py: Python<'_>, selector: Option<Bound<'_, PyAny>>) -> PyResult<()> {
    if let Some(given) = &selector
        && !given.is_callable()
    {
        let found = convert::text(given);
        return Err(raised(py, &Error::invalid_option("selector", &found, "a function, or None")));
    }
    let selector = selector.map(|selector| sampler::selector(selector.unbind()));
    py.detach(|| registry::set_selector(selector));
    Ok(())
}

/// Waits until every span that has ended is delivered or given up; see `Engine.flush`. All engines are flushed.
#[pyfunction]
#[pyo3(signature = (timeout = None))]
pub fn flush(py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let timeout = timeout_of(timeout)?;
    let engines = registry::engines();
    wait_for_all(py, py.detach(|| engines.iter().map(|engine| engine.begin_flush(timeout)).collect()))
}

/// Flushes and stops every engine; see `Engine.shutdown`.
#[pyfunction]
#[pyo3(signature = (timeout = None))]
pub fn shutdown(py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let timeout = timeout_of(timeout)?;
    let engines = registry::engines();
    wait_for_all(py, py.detach(|| engines.iter().map(|engine| engine.begin_shutdown(timeout)).collect()))
}

/// What the default engine has counted so far; all zeros where none runs.
#[pyfunction]
pub fn stats() -> Stats {
    Stats(registry::default_engine().map(|engine| engine.stats()).unwrap_or_default())
}

#[pymethods]
impl Engine {
    /// The name under which it runs.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The attributes that every span says of its process.
    #[getter]
    fn resource<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (key, value) in &self.0.resource().attributes {
            dict.set_item(key, convert::to_python(py, value)?)?;
        }
        Ok(dict)
    }

    /// Waits until every span that had ended is delivered or given up, at most `timeout` seconds (30 by default),
    /// whatever the network does. Raises `PolyspanError` (`deadline_exceeded`) saying what was left.
    #[pyo3(signature = (timeout = None))]
    fn flush(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let timeout = timeout_of(timeout)?;
        wait_for_all(py, vec![py.detach(|| self.0.begin_flush(timeout))])
    }

    /// The same while a function runs, which is called once it has begun; what that raises is passed on.
    fn _flush_beside(
        &self,
        py: Python<'_>,
        timeout: &Bound<'_, PyAny>,
        beside: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let timeout = timeout_of(Some(timeout))?;
        let begun = py.detach(|| self.0.begin_flush(timeout));
        beside.call0()?;
        wait_for_all(py, vec![begun])
    }

    /// Flushes and stops the engine within `timeout` seconds (30 by default); what could not be delivered by then
    /// is counted, and `PolyspanError` (`deadline_exceeded`) raised. A second call does nothing.
    #[pyo3(signature = (timeout = None))]
    fn shutdown(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let timeout = timeout_of(timeout)?;
        wait_for_all(py, vec![py.detach(|| self.0.begin_shutdown(timeout))])
    }

    /// Changes from which level on log records are kept; see `polyspan.set_log_level`.
    fn set_log_level(&self, py: Python<'_>, level: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.set_log_level(logs::read_level(py, level)?);
        Ok(())
    }

    /// What it has counted so far in this process.
    fn stats(&self) -> Stats {
        Stats(self.0.stats())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0.same(&self.0))
    }

    fn __hash__(&self) -> isize {
        let mut hash: isize = 0;
        for byte in self.0.name().bytes() {
            hash = hash.wrapping_mul(31).wrapping_add(isize::from(byte));
        }
        hash
    }

    fn __repr__(&self) -> String {
        format!("<Engine {:?}>", self.0.name())
    }
}
