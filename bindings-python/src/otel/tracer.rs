//! The OpenTelemetry tracer: `start_span` and `start_as_current_span`, natively.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use polyspan::frame::record::Scope;
use polyspan::{SpanId, TraceId};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::api::{api, span_in};
use super::scope::SpanScope;
use super::span::{OtelSpan, add_link, processor_failed};
use crate::context;
use crate::convert;
use crate::current;
use crate::engine::Engine;
use crate::exit;
use crate::face::{Face, Owner};
use crate::host;
use crate::invalid;
use crate::open::Open;
use crate::sampler;
use crate::slot;
use crate::span::moment;
use crate::start::read_kind;

/// Base class of the tracers.
#[pyclass(frozen, subclass, module = "polyspan._polyspan", name = "_OtelTracer")]
pub struct OtelTracer {
    engine: polyspan::Engine,
    scope: u32,
    /// The tracer provider where the SDK is installed: it holds the span processors.
    provider: Option<Py<PyAny>>,
    /// An `IdGenerator` other than the SDK's own random one.
    ids: Option<Py<PyAny>>,
    enabled: AtomicBool,
}

/// What `start_span` was given.
pub struct Given {
    pub name: Py<PyAny>,
    pub context: Option<Py<PyAny>>,
    pub kind: Option<Py<PyAny>>,
    pub attributes: Option<Py<PyAny>>,
    pub links: Option<Py<PyAny>>,
    pub start_time: Option<Py<PyAny>>,
    pub record_exception: bool,
    pub set_status_on_exception: bool,
}

impl Given {
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        let again = |object: &Option<Py<PyAny>>| object.as_ref().map(|object| object.clone_ref(py));
        Self {
            name: self.name.clone_ref(py),
            context: again(&self.context),
            kind: again(&self.kind),
            attributes: again(&self.attributes),
            links: again(&self.links),
            start_time: again(&self.start_time),
            ..*self
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        [&self.context, &self.attributes, &self.links].into_iter().try_for_each(|object| visit.call(object))
    }
}

thread_local! {
    static STARTING: RefCell<Option<Given>> = const { RefCell::new(None) };
}

/// What the span that is being started in this thread was given, for a sampler that wants the very objects.
pub fn with_start<R>(look: impl FnOnce(Option<&Given>) -> R) -> R {
    STARTING.with(|starting| match starting.try_borrow() {
        Ok(starting) => look(starting.as_ref()),
        Err(_) => look(None),
    })
}

impl OtelTracer {
    /// The engine that records its spans.
    pub fn engine(&self) -> &polyspan::Engine {
        &self.engine
    }

    /// The span processors; `None` when there are none to tell.
    pub fn processor<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // Looked up for each span: vendors add processors late, and some to the list itself.
        let processor =
            self.provider.as_ref()?.bind(py).getattr(intern!(py, "_active_span_processor")).ok()?;
        match processor.getattr(intern!(py, "_span_processors")) {
            Ok(list) => list.len().is_ok_and(|count| count > 0).then_some(processor),
            Err(_) => Some(processor),
        }
    }

    /// Starts a span without making it the current one.
    pub fn start<'py>(slf: &Bound<'py, Self>, given: &Given) -> PyResult<Bound<'py, OtelSpan>> {
        let py = slf.py();
        let tracer = slf.get();
        let Some(api) = api(py) else {
            return Err(pyo3::exceptions::PyRuntimeError::new_err("polyspan.opentelemetry is not imported"));
        };
        invalid::log_waiting(py);
        exit::arm_if_due(py);
        let (parent, base) = match given.context.as_ref().map(|context| context.bind(py)) {
            Some(context) if !context.is_none() => match context.cast::<PyDict>() {
                Ok(keys) => (span_in(keys), Some(keys.clone())),
                Err(_) => (Face::given(context), None),
            },
            _ => match slot::get(py).as_ref() {
                Some(now) => (current::face_of(now), current::base_of(now)),
                None => (None, None),
            },
        };
        let parent = parent.filter(|parent| parent.context().is_parent());
        if !tracer.enabled.load(Ordering::Relaxed) || host::is_host_thread() {
            let context = parent.map(|parent| parent.context().clone()).unwrap_or_default();
            return OtelSpan::face(py, api, Owner::Here(Open::remote(context)), None, false, false);
        }
        let open = tracer.open(py, given, parent.as_ref(), base.as_ref())?;
        let recording = open.is_recording();
        let span = OtelSpan::face(
            py,
            api,
            Owner::Here(open),
            Some(slf.clone().unbind()),
            given.record_exception,
            given.set_status_on_exception,
        )?;
        if recording && let Some(processor) = tracer.processor(py) {
            let options = PyDict::new(py);
            options.set_item(intern!(py, "parent_context"), &given.context)?;
            let told =
                exit::in_python(|| processor.call_method(intern!(py, "on_start"), (&span,), Some(&options)));
            if let Some(Err(error)) = told {
                processor_failed(py, &error);
            }
        }
        Ok(span)
    }

    #[inline]
    fn open(
        &self,
        py: Python<'_>,
        given: &Given,
        parent: Option<&Face<'_>>,
        base: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Open> {
        let mut refused = 0;
        let name = convert::text(given.name.bind(py));
        let kind = given
            .kind
            .as_ref()
            .map_or(polyspan::SpanKind::Internal, |kind| read_kind(kind.bind(py), &mut refused));
        let ambient = context::ambient_of(base);
        let mut builder = self
            .engine
            .span(&name)
            .kind(kind)
            .scope(self.scope)
            .announce_later()
            .surroundings(ambient.as_ref().map(|ambient| &ambient.get().surroundings));
        builder = match parent {
            Some(parent) => builder.parent(parent.context()),
            None => builder.root(),
        };
        if let Some(time) = moment(given.start_time.as_ref().map(|time| time.bind(py))) {
            builder = builder.start_time(time);
        }
        if let Some(ids) = &self.ids {
            let (trace_id, span_id) = drawn(ids.bind(py), parent.is_none());
            builder = builder.ids(trace_id, span_id);
        }
        // A sampler of the OpenTelemetry API decides about the attributes too: what it returns is recorded.
        let asked = sampler::asks_otel(&self.engine);
        let core = if asked {
            let before = STARTING.with(|starting| starting.replace(Some(given.clone_ref(py))));
            let core = builder.start();
            STARTING.with(|starting| starting.replace(before));
            core
        } else {
            if sampler::reads_content() {
                let attributes = given.attributes.as_ref().map(|given| given.bind(py).clone());
                builder =
                    sampler::with_attributes(builder, Some(&self.engine), attributes.as_ref(), &mut refused);
            }
            builder.start()
        };
        let open = Open::new(core, parent.cloned(), kind);
        if open.is_recording() {
            if let Some(attributes) = &given.attributes
                && !asked
                && !sampler::reads_content()
            {
                open.set_all(attributes.bind(py));
            }
            if let Some(links) = &given.links {
                add_links(&open, links.bind(py));
            }
            open.refuse(py, "start_span", refused);
            open.announce();
        }
        Ok(open)
    }
}

fn add_links(open: &Open, links: &Bound<'_, PyAny>) {
    let py = links.py();
    if links.is_none() || links.len().is_ok_and(|count| count == 0) {
        return;
    }
    let Ok(items) = links.try_iter() else { return open.refuse(py, "links", 1) };
    for link in items {
        let parts = link.and_then(|link| {
            Ok((link.getattr(intern!(py, "context"))?, link.getattr(intern!(py, "attributes"))?))
        });
        match parts {
            Ok((context, attributes)) => {
                add_link(open, &context, Some(&attributes).filter(|attributes| !attributes.is_none()));
            }
            Err(error) => {
                convert::hold(py, &error);
                open.refuse(py, "links", 1);
            }
        }
    }
}

/// Ids of the application's generator; what it cannot give is drawn by the engine.
fn drawn(ids: &Bound<'_, PyAny>, root: bool) -> (Option<TraceId>, Option<SpanId>) {
    let py = ids.py();
    let read = |method| ids.call_method0(method).map_err(|error| convert::hold(py, &error)).ok();
    let trace_id = root
        .then(|| read(intern!(py, "generate_trace_id"))?.extract::<u128>().ok())
        .flatten()
        .map(|id| TraceId::from_bytes(id.to_be_bytes()));
    let span_id = read(intern!(py, "generate_span_id"))
        .and_then(|id| id.extract::<u64>().ok())
        .map(|id| SpanId::from_bytes(id.to_be_bytes()));
    (trace_id, span_id)
}

/// An argument that says yes or no, whatever it is.
fn read_truth(given: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(convert::truth(given))
}

#[pymethods]
impl OtelTracer {
    #[new]
    #[pyo3(signature = (engine, name, version, schema_url, attributes, provider = None, ids = None))]
    fn new(
        engine: &Bound<'_, Engine>,
        name: &str,
        version: &str,
        schema_url: &str,
        attributes: &Bound<'_, PyAny>,
        provider: Option<Py<PyAny>>,
        ids: Option<Py<PyAny>>,
    ) -> Self {
        let mut scope = Scope {
            name: name.to_owned(),
            version: version.to_owned(),
            schema_url: schema_url.to_owned(),
            attributes: Vec::new(),
        };
        convert::pairs(attributes, &mut |key, value| {
            scope.attributes.push((key.to_owned(), value.into_owned()))
        });
        let engine = engine.get().0.clone();
        let scope = engine.scope(scope);
        Self { engine, scope, provider, ids, enabled: AtomicBool::new(true) }
    }

    #[pyo3(signature = (
        name, context = None, kind = None, attributes = None, links = None, start_time = None,
        record_exception = true, set_status_on_exception = true
    ))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the OpenTelemetry API")]
    fn start_span<'py>(
        slf: &Bound<'py, Self>,
        name: Py<PyAny>,
        context: Option<Py<PyAny>>,
        kind: Option<Py<PyAny>>,
        attributes: Option<Py<PyAny>>,
        links: Option<Py<PyAny>>,
        start_time: Option<Py<PyAny>>,
        #[pyo3(from_py_with = read_truth)] record_exception: bool,
        #[pyo3(from_py_with = read_truth)] set_status_on_exception: bool,
    ) -> PyResult<Bound<'py, OtelSpan>> {
        let given = Given {
            name,
            context,
            kind,
            attributes,
            links,
            start_time,
            record_exception,
            set_status_on_exception,
        };
        Self::start(slf, &given)
    }

    #[pyo3(signature = (
        name, context = None, kind = None, attributes = None, links = None, start_time = None,
        record_exception = true, set_status_on_exception = true, end_on_exit = true
    ))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the OpenTelemetry API")]
    fn start_as_current_span(
        slf: &Bound<'_, Self>,
        name: Py<PyAny>,
        context: Option<Py<PyAny>>,
        kind: Option<Py<PyAny>>,
        attributes: Option<Py<PyAny>>,
        links: Option<Py<PyAny>>,
        start_time: Option<Py<PyAny>>,
        #[pyo3(from_py_with = read_truth)] record_exception: bool,
        #[pyo3(from_py_with = read_truth)] set_status_on_exception: bool,
        #[pyo3(from_py_with = read_truth)] end_on_exit: bool,
    ) -> SpanScope {
        let given = Given {
            name,
            context,
            kind,
            attributes,
            links,
            start_time,
            record_exception,
            set_status_on_exception,
        };
        SpanScope::new(slf.clone().unbind(), given, end_on_exit)
    }

    /// Whether spans of this tracer may record.
    fn _set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    fn _is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.provider)?;
        visit.call(&self.ids)
    }
}
