//! Starting spans of Polyspan's own API.

use std::sync::Arc;

use polyspan::{SpanContext, SpanKind, SpanType, Surroundings};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::context::{self, Ambient};
use crate::convert;
use crate::current::{self, Place};
use crate::exit;
use crate::face::{Face, Owner, Parent};
use crate::host;
use crate::inherited::{Further, Inherited};
use crate::invalid;
use crate::open::Open;
use crate::sampler;
use crate::slot;
use crate::span::{Span, moment};

/// What `span(...)` was given.
pub struct Given<'a, 'py> {
    pub name: &'a Bound<'py, PyAny>,
    pub span_type: Option<&'a Bound<'py, PyAny>>,
    pub kind: Option<&'a Bound<'py, PyAny>>,
    pub attributes: Option<&'a Bound<'py, PyAny>>,
    pub input: Option<&'a Bound<'py, PyAny>>,
    pub metadata: Option<&'a Bound<'py, PyAny>>,
    pub tags: Option<&'a Bound<'py, PyAny>>,
    pub parent: Option<&'a Bound<'py, PyAny>>,
    pub links: Option<&'a Bound<'py, PyAny>>,
    pub start_time: Option<&'a Bound<'py, PyAny>>,
    pub root: bool,
    pub trace_id: Option<&'a Bound<'py, PyAny>>,
    /// What everything inside inherits, besides metadata.
    pub further: Further<'a, 'py>,
    /// It stands for an instant.
    pub instant: bool,
}

/// Starts a span; it is a child of the current one unless a parent is given or `root` is true.
///
/// A root may be given the trace id it is to have, as 1 to 32 hex digits; a bad one is replaced by a random one.
/// It is not the current span before it is entered: `with polyspan.span("name") as span: ...`.
/// The ids, `hide_input`, `hide_output`, `request_context`, `request_context_keys` and `internal_spans` of `context`
/// hold for the span and everything inside; `internal` marks the span alone as internal to a framework.
#[pyfunction]
#[pyo3(signature = (
    name, *, r#type = None, kind = None, attributes = None, input = None, metadata = None, tags = None,
    parent = None, links = None, start_time = None, root = false,
    trace_id = None, session_id = None, user_id = None, organization_id = None, thread_id = None, run_id = None,
    request_id = None, resource_id = None, environment = None, entity_type = None, entity_id = None,
    entity_name = None, hide_input = None, hide_output = None, internal_spans = None, request_context = None,
    request_context_keys = None, internal = None
))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the Python function")]
pub fn span<'py>(
    py: Python<'py>,
    name: &Bound<'py, PyAny>,
    r#type: Option<&Bound<'py, PyAny>>,
    kind: Option<&Bound<'py, PyAny>>,
    attributes: Option<&Bound<'py, PyAny>>,
    input: Option<&Bound<'py, PyAny>>,
    metadata: Option<&Bound<'py, PyAny>>,
    tags: Option<&Bound<'py, PyAny>>,
    parent: Option<&Bound<'py, PyAny>>,
    links: Option<&Bound<'py, PyAny>>,
    start_time: Option<&Bound<'py, PyAny>>,
    root: bool,
    trace_id: Option<&Bound<'py, PyAny>>,
    session_id: Option<&Bound<'py, PyAny>>,
    user_id: Option<&Bound<'py, PyAny>>,
    organization_id: Option<&Bound<'py, PyAny>>,
    thread_id: Option<&Bound<'py, PyAny>>,
    run_id: Option<&Bound<'py, PyAny>>,
    request_id: Option<&Bound<'py, PyAny>>,
    resource_id: Option<&Bound<'py, PyAny>>,
    environment: Option<&Bound<'py, PyAny>>,
    entity_type: Option<&Bound<'py, PyAny>>,
    entity_id: Option<&Bound<'py, PyAny>>,
    entity_name: Option<&Bound<'py, PyAny>>,
    hide_input: Option<&Bound<'py, PyAny>>,
    hide_output: Option<&Bound<'py, PyAny>>,
    internal_spans: Option<&Bound<'py, PyAny>>,
    request_context: Option<&Bound<'py, PyAny>>,
    request_context_keys: Option<&Bound<'py, PyAny>>,
    internal: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, Span>> {
    let given = Given {
        name,
        span_type: r#type,
        kind,
        attributes,
        input,
        metadata,
        tags,
        parent,
        links,
        start_time,
        root,
        trace_id,
        further: Further::Named(
            [
                session_id,
                user_id,
                organization_id,
                thread_id,
                run_id,
                request_id,
                resource_id,
                environment,
                entity_type,
                entity_id,
                entity_name,
            ],
            [hide_input, hide_output, internal_spans, request_context, request_context_keys, internal],
        ),
        instant: false,
    };
    start(py, None, &given)
}

/// Records a span that stands for an instant: it starts and ends now, or at `time`, with all that is given here.
#[pyfunction]
#[pyo3(signature = (
    name, *, r#type = None, kind = None, attributes = None, input = None, output = None, metadata = None,
    parent = None, time = None, **more
))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the Python function")]
pub fn event(
    py: Python<'_>,
    name: &Bound<'_, PyAny>,
    r#type: Option<&Bound<'_, PyAny>>,
    kind: Option<&Bound<'_, PyAny>>,
    attributes: Option<&Bound<'_, PyAny>>,
    input: Option<&Bound<'_, PyAny>>,
    output: Option<&Bound<'_, PyAny>>,
    metadata: Option<&Bound<'_, PyAny>>,
    parent: Option<&Bound<'_, PyAny>>,
    time: Option<&Bound<'_, PyAny>>,
    more: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    let given = Given {
        name,
        span_type: r#type,
        kind,
        attributes,
        input,
        metadata,
        tags: None,
        parent,
        links: None,
        start_time: time,
        root: false,
        trace_id: None,
        further: Further::Keywords(more),
        instant: true,
    };
    let span = start(py, None, &given)?;
    let open = span.get().open();
    if let Some(output) = output
        && !output.is_none()
    {
        open.set_output(output);
    }
    open.end(open.started());
    Ok(())
}

/// Starts a span of that engine, or of the default one.
#[inline]
pub fn start<'py>(
    py: Python<'py>,
    engine: Option<&polyspan::Engine>,
    given: &Given<'_, 'py>,
) -> PyResult<Bound<'py, Span>> {
    invalid::log_waiting(py);
    if let Some(span) = unsampled_child(py, engine, given) {
        return span;
    }
    exit::arm_if_due(py);
    let mut refused = 0;
    let (parent, base, by_hand) = surrounding(py, given, &mut refused);
    if host::is_host_thread() {
        return Span::remote(py, parent.map(|parent| parent.context().clone()).unwrap_or_default());
    }
    let more = match given.further.is_empty() {
        true => Inherited::default(),
        false => Inherited::read("span", given.further, &mut refused)?,
    };
    let ambient = context::ambient_of(base.as_ref());
    let mut around = ambient.as_ref().map(|ambient| Arc::clone(&ambient.get().surroundings));
    if more.changes() {
        around = Some(Arc::new(more.apply(Surroundings::inside(around.as_ref()))));
    }
    let name = convert::text(given.name);
    let mut builder = match engine {
        Some(engine) => engine.span(&name),
        None => polyspan::span(&name),
    };
    builder = builder.surroundings(around.as_ref());
    let mut kind = SpanKind::Internal;
    if let Some(given) = given.kind.filter(|kind| !kind.is_none()) {
        kind = read_kind(given, &mut refused);
        builder = builder.kind(kind);
    }
    if more.internal {
        builder = builder.internal();
    }
    if let Some(request) = &more.request {
        builder = builder.request_context(request);
    }
    // The sampler sees it, and what is inside inherits it.
    if let Some(metadata) = given.metadata.filter(|metadata| !metadata.is_none()) {
        let mut pairs = Vec::new();
        refused += convert::pairs_within(metadata, &|| convert::bounds_of(engine), &mut |key, value| {
            pairs.push((key.to_owned(), value.into_owned()));
        });
        for (key, value) in pairs {
            builder = builder.metadata(key, value);
        }
    }
    builder = match parent.as_ref() {
        Some(parent) => builder.parent(parent.context()).home(parent.open().home()),
        None => builder.root(),
    };
    if let Some(span_type) = given.span_type {
        builder = builder.kind_of(read_type(span_type, &mut refused));
    }
    if let Some(time) = moment(given.start_time) {
        builder = builder.start_time(time);
    }
    if given.instant {
        builder = builder.as_event();
    }
    let trace_id = given.trace_id.filter(|id| !id.is_none()).map(|id| convert::text(id));
    if let Some(trace_id) = &trace_id {
        builder = builder.trace_id(trace_id);
    }
    // Samplers that look at attributes and links get them unencoded; for others they are written directly.
    let sampled_by_content = sampler::reads_content();
    if sampled_by_content {
        builder = sampler::with_attributes(builder, engine, given.attributes, &mut refused);
    }
    let core = builder.announce_later().start();
    let inside = inside(py, core.surroundings(), ambient.as_ref(), base.as_ref())?;
    let open = Open::new(core, parent, kind);
    if open.is_recording() {
        if let Some(attributes) = given.attributes
            && !sampled_by_content
        {
            open.set_all(attributes);
        }
        if let Some(links) = given.links {
            add_links(py, &open, links);
        }
        if let Some(input) = given.input
            && !input.is_none()
        {
            open.set_input(input);
        }
        if let Some(tags) = given.tags {
            open.set_tags(tags);
        }
        open.refuse(py, "span", refused);
        open.announce();
    } else if refused > 0 {
        invalid::say(py, "span");
    }
    let mut place = Place::default();
    place.explicit = by_hand || inside.is_some();
    place.base = inside.or(base).map(Bound::unbind);
    Bound::new(py, Span::new(Owner::Here(open), place))
}

/// The keys inside a span that inherits something else than what surrounds it.
#[inline]
fn inside<'py>(
    py: Python<'py>,
    inherited: Option<&Arc<Surroundings>>,
    ambient: Option<&Bound<'py, Ambient>>,
    base: Option<&Bound<'py, PyDict>>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let before = ambient.map(|ambient| Arc::as_ptr(&ambient.get().surroundings));
    match inherited {
        Some(inherited) if before != Some(Arc::as_ptr(inherited)) => {
            Ambient::put(Arc::clone(inherited), base, py).map(Some)
        }
        _ => Ok(None),
    }
}

/// What stands for a child of a current span that is not sampled; nothing that was given is looked at.
#[inline]
fn unsampled_child<'py>(
    py: Python<'py>,
    engine: Option<&polyspan::Engine>,
    given: &Given<'_, 'py>,
) -> Option<PyResult<Bound<'py, Span>>> {
    if given.root || given.parent.is_some() || given.metadata.is_some() || !given.further.is_empty() {
        return None;
    }
    let now = slot::get(py)?;
    let parent = now.cast_exact::<Span>().ok()?;
    let open = parent.get().open();
    polyspan::skip_unsampled_child(engine, open.context(), open.home()).then(|| Span::followed(parent))
}

/// The parent, the keys around the span, and whether they were given by hand.
#[inline]
fn surrounding<'py>(
    py: Python<'py>,
    given: &Given<'_, 'py>,
    refused: &mut u32,
) -> (Option<Face<'py>>, Option<Bound<'py, PyDict>>, bool) {
    if let Some(parent) = given.parent
        && !parent.is_none()
    {
        match Parent::given(parent) {
            Some(Parent { face, base: Some(base) }) => return (Some(face), Some(base), true),
            Some(Parent { face, base: None }) => {
                let base = slot::get(py).as_ref().and_then(current::base_of);
                return (Some(face), base, false);
            }
            None => *refused += 1,
        }
    }
    match slot::get(py).as_ref() {
        Some(now) if given.root => (None, current::base_of(now), false),
        Some(now) => (current::face_of(now), current::base_of(now), false),
        None => (None, None, false),
    }
}

/// Links given at start: spans or span contexts, or pairs of one and its attributes.
fn add_links(py: Python<'_>, open: &Open, links: &Bound<'_, PyAny>) {
    if links.is_none() {
        return;
    }
    let Ok(items) = links.try_iter() else { return open.refuse(py, "links", 1) };
    for item in items.take(1000) {
        let Ok(item) = item else { return open.refuse(py, "links", 1) };
        if let Some(face) = Face::given(&item) {
            open.add_link(py, face.context(), None);
        } else if let Ok((target, attributes)) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()
            && let Some(face) = Face::given(&target)
        {
            open.add_link(py, face.context(), Some(&attributes));
        } else {
            open.refuse(py, "links", 1);
        }
    }
}

fn read_type(given: &Bound<'_, PyAny>, refused: &mut u32) -> SpanType {
    if given.is_none() {
        return SpanType::Generic;
    }
    let known = given.cast::<PyString>().ok().and_then(|name| SpanType::from_name(name.to_str().ok()?));
    known.unwrap_or_else(|| {
        *refused += 1;
        SpanType::Generic
    })
}

/// A kind by its name in any case, or a member of the OpenTelemetry API's `SpanKind`.
pub fn read_kind(given: &Bound<'_, PyAny>, refused: &mut u32) -> SpanKind {
    if given.is_none() {
        return SpanKind::Internal;
    }
    if let Some(kind) = crate::otel::kind_of(given) {
        return kind;
    }
    match convert::text(given).to_ascii_lowercase().as_str() {
        "internal" => SpanKind::Internal,
        "server" => SpanKind::Server,
        "client" => SpanKind::Client,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => {
            *refused += 1;
            SpanKind::Internal
        }
    }
}

/// The current span, whichever API it is of; one that does not record where there is none.
#[pyfunction]
pub fn current_span(py: Python<'_>) -> PyResult<Bound<'_, Span>> {
    match slot::get(py).as_ref().and_then(current::face_of) {
        Some(face) => face.into_own(),
        None => Span::remote(py, SpanContext::default()),
    }
}

/// The id of the current trace as 32 lower-case hex digits; `None` where no span is current or the trace is not
/// sampled, since nobody will find it then.
#[pyfunction]
pub fn current_trace_id(py: Python<'_>) -> Option<String> {
    let now = slot::get(py)?;
    let face = current::face_of(&now)?;
    let context = face.context();
    (context.is_sampled() && context.trace_id.is_valid()).then(|| context.trace_id.to_hex())
}
