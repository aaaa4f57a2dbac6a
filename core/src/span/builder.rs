//! What can be said of a span before it starts. [`start`] starts it.

mod decide;
mod start;

use std::borrow::Cow;
use std::sync::Arc;

pub use start::skip_unsampled_child;

use super::{Home, Span};
use crate::context::SpanContext;
use crate::current::Surroundings;
use crate::engine::Engine;
use crate::id::{SpanId, TraceId};
use crate::kinds::{SpanFlags, SpanKind, SpanType};
use crate::value::Value;

/// Where the parent comes from.
#[derive(Debug)]
enum Parent<'a> {
    /// The current span of the thread.
    Current,
    /// This one.
    Given(&'a SpanContext),
    /// None: a new trace.
    None,
}

/// What is given at the start and the sampler sees too. Apart from the builder, because most spans have
/// nothing of it.
#[derive(Debug, Default)]
struct Given<'a> {
    attributes: Vec<(Cow<'a, str>, Value<'a>)>,
    metadata: Vec<(Cow<'a, str>, Value<'a>)>,
    links: Vec<SpanContext>,
    /// What each link carries.
    link_attributes: Vec<Vec<(Cow<'a, str>, Value<'a>)>>,
}

/// A span about to start.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct SpanBuilder<'a> {
    pub(super) engine: Option<&'a Engine>,
    name: &'a str,
    kind: SpanKind,
    span_type: SpanType,
    flags: SpanFlags,
    announces: bool,
    parent: Parent<'a>,
    home: Option<Home>,
    surroundings: Option<Option<&'a Arc<Surroundings>>>,
    start_unix_nanos: Option<u64>,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    scope: u32,
    given: Option<Box<Given<'a>>>,
    request_context: Option<&'a Value<'a>>,
}

impl<'a> SpanBuilder<'a> {
    #[inline]
    pub(crate) fn new(engine: Option<&'a Engine>, name: &'a str) -> Self {
        Self {
            engine,
            name,
            kind: SpanKind::Internal,
            span_type: SpanType::Generic,
            flags: SpanFlags::empty(),
            announces: true,
            parent: Parent::Current,
            home: None,
            surroundings: None,
            start_unix_nanos: None,
            trace_id: None,
            span_id: None,
            scope: 0,
            given: None,
            request_context: None,
        }
    }

    /// The role of the span in a request; by default what its type has, and internal for generic spans.
    #[inline]
    pub fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self.flags = self.flags.with(SpanFlags::KIND_GIVEN);
        self
    }

    /// What the span stands for; generic by default.
    #[inline]
    pub fn kind_of(mut self, span_type: SpanType) -> Self {
        self.span_type = span_type;
        self
    }

    /// Makes it a child of `parent`, which may live in another process, whatever is current. An invalid
    /// context makes it a root.
    #[inline]
    pub fn parent(mut self, parent: &'a SpanContext) -> Self {
        self.parent = if parent.is_parent() { Parent::Given(parent) } else { Parent::None };
        self
    }

    /// The engine that its parent belongs to, which a parent's context does not tell; it becomes the span's
    /// unless the span is started with an engine.
    #[inline]
    pub fn home(mut self, home: Option<Home>) -> Self {
        self.home = home;
        self
    }

    /// Makes it a child of an open span, with its surroundings and of its engine.
    #[inline]
    pub fn child_of(self, parent: &'a Span) -> Self {
        self.parent(parent.context()).surroundings(parent.surroundings()).home(parent.home())
    }

    /// Makes it the root of a new trace, whatever is current.
    #[inline]
    pub fn root(mut self) -> Self {
        self.parent = Parent::None;
        self
    }

    /// What it inherits, instead of what surrounds this point.
    #[inline]
    pub fn surroundings(mut self, surroundings: Option<&'a Arc<Surroundings>>) -> Self {
        self.surroundings = Some(surroundings);
        self
    }

    /// When it started, in nanoseconds since the Unix epoch, instead of now.
    #[inline]
    pub fn start_time(mut self, unix_nanos: u64) -> Self {
        self.start_unix_nanos = Some(unix_nanos);
        self
    }

    /// The trace id of a root, as 1 to 32 hex digits. A bad one is said once and replaced by a random one;
    /// a span with a parent keeps the parent's.
    pub fn trace_id(mut self, hex: &str) -> Self {
        match TraceId::from_hex(hex) {
            Ok(id) => self.trace_id = Some(id),
            Err(error) => {
                crate::log::warn_once("trace id", &format!("trace id {hex:?} is replaced: {error}"))
            }
        }
        self
    }

    /// The trace and span id drawn by another generator (the OpenTelemetry API's `IdGenerator`).
    #[inline]
    pub fn ids(mut self, trace_id: Option<TraceId>, span_id: Option<SpanId>) -> Self {
        self.trace_id = trace_id.filter(|id| id.is_valid());
        self.span_id = span_id.filter(|id| id.is_valid());
        self
    }

    /// The instrumentation scope, as numbered by [`Engine::scope`].
    #[inline]
    pub fn scope(mut self, scope: u32) -> Self {
        self.scope = scope;
        self
    }

    /// An attribute that the sampler sees too.
    #[inline]
    pub fn attribute(mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        self.given.get_or_insert_default().attributes.push((key.into(), value.into()));
        self
    }

    /// A piece of metadata that the sampler sees too and everything inside inherits.
    #[inline]
    pub fn metadata(mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        self.given.get_or_insert_default().metadata.push((key.into(), value.into()));
        self
    }

    /// A link that the sampler sees too.
    #[inline]
    pub fn link(self, to: SpanContext) -> Self {
        self.link_with(to, Vec::new())
    }

    /// A link with attributes; the sampler sees where it leads.
    pub fn link_with(mut self, to: SpanContext, attributes: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        let given = self.given.get_or_insert_default();
        given.links.push(to);
        given.link_attributes.push(attributes);
        self
    }

    /// What the application knows about the request, instead of what surrounds the span: the sampler sees
    /// it, and metadata is taken out of it by the keys that were asked for.
    #[inline]
    pub fn request_context(mut self, context: &'a Value<'a>) -> Self {
        self.request_context = Some(context);
        self
    }

    /// Marks the span as internal to a framework: it is not exported unless the engine is told to
    /// ([`Options::include_internal_spans`](crate::Options::include_internal_spans)), and its children go to
    /// the nearest ancestor that is.
    #[inline]
    pub fn internal(mut self) -> Self {
        self.flags = self.flags.with(SpanFlags::INTERNAL);
        self
    }

    /// Marks the span as one that stands for an instant.
    #[inline]
    pub fn as_event(mut self) -> Self {
        self.flags = self.flags.with(SpanFlags::EVENT);
        self
    }

    /// Leaves it to [`Span::announce`] to tell exporters that follow open spans of its start: for hosts that set
    /// what was given to them after the start.
    #[inline]
    pub fn announce_later(mut self) -> Self {
        self.announces = false;
        self
    }
}
