//! Starting spans of Polyspan's own API.

use std::sync::Arc;

use polyspan::{SpanContext, SpanKind, SpanType, Surroundings};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::context::{self, Ambient};
use crate::convert;
use crate::current::{self, Place};
use crate::exit;
use crate::face::{Face, Owner, Parent};
use crate::host;
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
    /// It stands for an instant.
    pub instant: bool,
}

/// Starts a span; it is a child of the current one unless a parent is given or `root` is true.
///
/// A root may be given the trace id it is to have, as 1 to 32 hex digits; a bad one is replaced by a random one.
/// It is not the current span before it is entered: `with polyspan.span("name") as span: ...`.
#[pyfunction]
#[pyo3(signature = (
    name, *, r#type = None, kind = None, attributes = None, input = None, metadata = None, tags = None,
    parent = None, links = None, start_time = None, root = false,
    trace_id = None
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
        instant: false,
    };
    start(py, None, &given)
}

/// Records a span that stands for an instant: it starts and ends now, or at `time`, with all that is given here.
#[pyfunction]
#[pyo3(signature = (
    name, *, r#type = None, kind = None, attributes = None, input = None, output = None, metadata = None,
    parent = None, time = None
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
    let ambient = context::ambient_of(base.as_ref());
    let (inside, ambient) = match given.metadata {
        // What children inherit goes along with the keys inside.
        Some(metadata) if !metadata.is_none() => {
            let ambient = Ambient {
                surroundings: with_metadata(metadata, ambient.as_ref(), &mut refused),
                request: ambient.as_ref().and_then(|ambient| ambient.get().request.clone()),
            };
            let base = crate::otel::copied(py, base.as_ref())?;
            let ambient = Bound::new(py, ambient)?;
            crate::otel::put(&base, intern!(py, context::AMBIENT_KEY), ambient.as_any())?;
            (Some(base), Some(ambient))
        }
        _ => (base, ambient),
    };
    let name = convert::text(given.name);
    let kind = given.kind.map_or(SpanKind::Internal, |kind| read_kind(kind, &mut refused));
    let mut builder = match engine {
        Some(engine) => engine.span(&name),
        None => polyspan::span(&name),
    };
    builder = builder.kind(kind).surroundings(ambient.as_ref().map(|ambient| &ambient.get().surroundings));
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
        builder = sampler::with_attributes(builder, given.attributes, &mut refused);
        if let Some(request) = ambient.as_ref().and_then(|ambient| ambient.get().request.as_deref()) {
            builder = builder.request_context(request);
        }
    }
    let core = builder.start();
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
    } else if refused > 0 {
        invalid::say(py, "span");
    }
    let mut place = Place::default();
    place.base = inside.map(Bound::unbind);
    place.explicit = by_hand || given.metadata.is_some();
    Bound::new(py, Span::new(Owner::Here(open), place))
}

/// What stands for a child of a current span that is not sampled; nothing that was given is looked at.
#[inline]
fn unsampled_child<'py>(
    py: Python<'py>,
    engine: Option<&polyspan::Engine>,
    given: &Given<'_, 'py>,
) -> Option<PyResult<Bound<'py, Span>>> {
    if given.root || given.parent.is_some() || given.metadata.is_some() {
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

fn with_metadata(
    metadata: &Bound<'_, PyAny>,
    outer: Option<&Bound<'_, Ambient>>,
    refused: &mut u32,
) -> Arc<Surroundings> {
    let mut inner = Surroundings::inside(outer.map(|outer| &outer.get().surroundings));
    *refused += convert::pairs(metadata, &mut |key, value| {
        inner = std::mem::take(&mut inner).metadata(key, value);
    });
    Arc::new(inner)
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
