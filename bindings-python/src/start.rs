//! Starting spans of Polyspan's own API.

use std::sync::Arc;

use polyspan::{SpanContext, SpanKind, SpanType, Surroundings};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::arguments::{self, Arguments, Call, Keyword};
use crate::context::{self, Ambient};
use crate::convert;
use crate::current::{self, Place};
use crate::exit;
use crate::face::{Face, Owner, Parent};
use crate::host;
use crate::inherited::Inherited;
use crate::invalid;
use crate::open::Open;
use crate::sampler;
use crate::slot;
use crate::span::{Span, moment};

/// `span(...)` of that engine, or of the default one.
#[inline]
pub fn span<'py>(engine: Option<&polyspan::Engine>, call: Call<'_, 'py>) -> PyResult<Bound<'py, Span>> {
    let py = call.py();
    let now = slot::get(py);
    if let Some(now) = &now
        && let Ok(parent) = now.cast_exact::<Span>()
        && !parent.get().open().context().is_sampled()
        && call.is_plain()
        && let Some(span) = follower(engine, parent)
    {
        invalid::log_waiting(py);
        return span;
    }
    start(py, engine, &Arguments::read(&arguments::SPAN, call)?, now, false)
}

/// `event(...)`: a span that stands for an instant.
pub fn event(call: Call<'_, '_>) -> PyResult<()> {
    let given = Arguments::read(&arguments::EVENT, call)?;
    let span = start(call.py(), None, &given, slot::get(call.py()), true)?;
    let open = span.get().open();
    if let Some(output) = given.get(Keyword::Output) {
        open.set_output(&output);
    }
    open.end(open.started());
    Ok(())
}

/// Starts a span of that engine, or of the default one, where `now` is current.
#[inline]
fn start<'py>(
    py: Python<'py>,
    engine: Option<&polyspan::Engine>,
    given: &Arguments<'_, 'py>,
    now: Option<Bound<'py, PyAny>>,
    instant: bool,
) -> PyResult<Bound<'py, Span>> {
    invalid::log_waiting(py);
    if let Some(span) = unsampled_child(engine, given, now.as_ref()) {
        return span;
    }
    exit::arm_if_due(py);
    let mut refused = 0;
    let (parent, base, by_hand) = surrounding(given, now.as_ref(), &mut refused);
    if host::is_host_thread() {
        return Span::remote(py, parent.map(|parent| parent.context().clone()).unwrap_or_default());
    }
    let more = match given.has_further() {
        true => Inherited::of(given, &mut refused),
        false => Inherited::default(),
    };
    let ambient = context::ambient_of(base.as_ref());
    let mut around = ambient.as_ref().map(|ambient| Arc::clone(&ambient.get().surroundings));
    if more.changes() {
        around = Some(Arc::new(more.apply(Surroundings::inside(around.as_ref()))));
    }
    let named = given.name();
    let name = named.as_deref().map(|name| convert::text(name)).unwrap_or_default();
    let mut builder = match engine {
        Some(engine) => engine.span(&name),
        None => polyspan::span(&name),
    };
    builder = builder.surroundings(around.as_ref());
    let mut kind = SpanKind::Internal;
    if let Some(given) = given.get(Keyword::Kind) {
        kind = read_kind(&given, &mut refused);
        builder = builder.kind(kind);
    }
    if more.internal {
        builder = builder.internal();
    }
    if let Some(request) = &more.request {
        builder = builder.request_context(request);
    }
    // The sampler sees it, and what is inside inherits it.
    if let Some(metadata) = given.get(Keyword::Metadata) {
        let mut pairs = Vec::new();
        refused += convert::pairs_within(&metadata, &|| convert::bounds_of(engine), &mut |key, value| {
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
    if let Some(span_type) = given.get(Keyword::Type) {
        builder = builder.kind_of(read_type(&span_type, &mut refused));
    }
    if let Some(time) = moment(given.get(if instant { Keyword::Time } else { Keyword::StartTime }).as_deref())
    {
        builder = builder.start_time(time);
    }
    if instant {
        builder = builder.as_event();
    }
    let trace_id = given.get(Keyword::TraceId);
    let trace_id = trace_id.as_deref().map(|id| convert::text(id));
    if let Some(trace_id) = &trace_id {
        builder = builder.trace_id(trace_id);
    }
    // Samplers that look at attributes and links get them unencoded; for others they are written directly.
    let sampled_by_content = sampler::reads_content();
    if sampled_by_content {
        builder = sampler::with_attributes(
            builder,
            engine,
            given.get(Keyword::Attributes).as_deref(),
            &mut refused,
        );
    }
    let core = builder.announce_later().start();
    let inside = inside(py, core.surroundings(), ambient.as_ref(), base.as_ref())?;
    let open = Open::new(core, parent, kind);
    if open.is_recording() {
        if let Some(attributes) = given.get(Keyword::Attributes)
            && !sampled_by_content
        {
            open.set_all(&attributes);
        }
        if let Some(links) = given.get(Keyword::Links) {
            add_links(py, &open, &links);
        }
        if let Some(input) = given.get(Keyword::Input) {
            open.set_input(&input);
        }
        if let Some(tags) = given.get(Keyword::Tags) {
            open.set_tags(&tags);
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
    engine: Option<&polyspan::Engine>,
    given: &Arguments<'_, 'py>,
    now: Option<&Bound<'py, PyAny>>,
) -> Option<PyResult<Bound<'py, Span>>> {
    if given.stands_out() {
        return None;
    }
    follower(engine, now?.cast_exact::<Span>().ok()?)
}

/// The same, where that span is the current one.
#[inline]
fn follower<'py>(
    engine: Option<&polyspan::Engine>,
    parent: &Bound<'py, Span>,
) -> Option<PyResult<Bound<'py, Span>>> {
    let open = parent.get().open();
    polyspan::skip_unsampled_child(engine, open.context(), open.home()).then(|| Span::followed(parent))
}

/// The parent, the keys around the span, and whether they were given by hand.
#[inline]
fn surrounding<'py>(
    given: &Arguments<'_, 'py>,
    now: Option<&Bound<'py, PyAny>>,
    refused: &mut u32,
) -> (Option<Face<'py>>, Option<Bound<'py, PyDict>>, bool) {
    if let Some(parent) = given.get(Keyword::Parent) {
        match Parent::given(&parent) {
            Some(Parent { face, base: Some(base) }) => return (Some(face), Some(base), true),
            Some(Parent { face, base: None }) => {
                let base = now.and_then(current::base_of);
                return (Some(face), base, false);
            }
            None => *refused += 1,
        }
    }
    match now {
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
