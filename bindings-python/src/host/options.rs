//! Options of `init` that hold the application's code.

use polyspan::config::{ExporterOptions, HostExporter};
use polyspan::host::{HostEvent, HostHandler};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::port::{Seat, Way};
use crate::convert;
use crate::error::raised;

/// The object of `polyspan._host` that a job is for; the token of its handler.
pub struct Target {
    pub object: Py<PyAny>,
    /// The event loop of what is awaited.
    _seat: Option<Seat>,
}

/// What `polyspan._host` says of an object that runs jobs.
#[derive(FromPyObject)]
struct Plan<'py> {
    /// Whether they are to be awaited.
    awaits: bool,
    name: String,
    at_once: bool,
    /// The kinds of events that it is told of.
    events: Vec<String>,
    /// The application's objects in it.
    objects: Vec<Bound<'py, PyAny>>,
}

/// The handler of an object of `polyspan._host`.
fn handler(target: Bound<'_, PyAny>, plan: &Plan<'_>) -> HostHandler {
    let identity: Vec<usize> = plan.objects.iter().map(|object| object.as_ptr().addr()).collect();
    let seat = plan.awaits.then(|| Seat::take(identity.first().copied().unwrap_or_default()));
    let way = seat.as_ref().map_or(Way::Plain, Seat::way);
    HostHandler::new(way.port(), &identity, Target { object: target.unbind(), _seat: seat })
}

/// An exporter written in Python; `None` for anything else, which is then read as data.
pub fn exporter(exporter: &Bound<'_, PyAny>) -> PyResult<Option<ExporterOptions>> {
    let py = exporter.py();
    let module = py.import(intern!(py, "polyspan._host"))?;
    let target = module.call_method1(intern!(py, "plan_exporter"), (exporter,))?;
    if target.is_none() {
        return Ok(None);
    }
    let plan: Plan<'_> = target.extract()?;
    let exporter = HostExporter::new(&plan.name, handler(target, &plan))
        .at_once(plan.at_once)
        .events(plan.events.iter().filter_map(|name| HostEvent::from_name(name)).collect());
    Ok(Some(ExporterOptions::Host(exporter)))
}

/// A description of one of the engine's own exporters with `formatters`; `None` for one without.
pub fn formatted(exporter: &Bound<'_, PyDict>, at: &str) -> PyResult<Option<ExporterOptions>> {
    let py = exporter.py();
    let formatters = intern!(py, "formatters");
    let Some(given) = exporter.get_item(formatters)?.filter(|given| !given.is_none()) else {
        return Ok(None);
    };
    let handler = planned(&given, intern!(py, "plan_formatters"))?;
    let described = exporter.copy()?;
    described.del_item(formatters)?;
    let inner = ExporterOptions::from_value(&convert::value(described.as_any()), at)
        .map_err(|error| raised(py, &error))?;
    Ok(Some(ExporterOptions::Formatted(handler, Box::new(inner))))
}

/// A chain of processors.
pub fn processors(given: &Bound<'_, PyAny>) -> PyResult<HostHandler> {
    planned(given, intern!(given.py(), "plan_processors"))
}

/// A span filter.
pub fn filter(given: &Bound<'_, PyAny>) -> PyResult<HostHandler> {
    planned(given, intern!(given.py(), "plan_filter"))
}

fn planned(given: &Bound<'_, PyAny>, plan: &Bound<'_, PyString>) -> PyResult<HostHandler> {
    let py = given.py();
    let target = py.import(intern!(py, "polyspan._host"))?.call_method1(plan, (given,))?;
    let plan: Plan<'_> = target.extract()?;
    Ok(handler(target, &plan))
}
