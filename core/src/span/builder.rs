//! Starting a span: identity from the parent, the sampler's decision, then a buffer to write into.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::capture::CaptureBounds;
use super::{Counted, Home, Open, Span, State};
use crate::carried::CarriedSet;
use crate::clock;
use crate::context::{SpanContext, TraceFlags, TraceState};
use crate::current::{self, Surroundings};
use crate::engine::{Engine, Live};
use crate::frame::write::{self, Head};
use crate::id::{SpanId, TraceId};
use crate::kinds::{SpanFlags, SpanKind, SpanType};
use crate::lifecycle::generation;
use crate::recorder::{self, Recorder};
use crate::registry;
use crate::sampling::{Decision, SamplingInput, SamplingResult, inherit};
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

    /// Starts the span.
    #[inline]
    pub fn start(self) -> Span {
        match self.unsampled_child() {
            Some(span) => span,
            None => self.start_asked(),
        }
    }

    /// The span, where its parent in this process is not sampled and children follow: there is nobody to
    /// ask, and nothing of what was given is looked at.
    #[inline]
    fn unsampled_child(&self) -> Option<Span> {
        let child =
            |parent: Option<&SpanContext>, home: Option<Home>, surroundings: Option<&Arc<Surroundings>>| {
                let parent = parent.filter(|parent| parent.is_unsampled_here())?;
                let follow =
                    |recorder: &mut Recorder, live: &Live| self.follow(recorder, live, parent, surroundings);
                recorder::with_engine(self.engine, home, follow).flatten()
            };
        match (&self.parent, self.surroundings) {
            (Parent::None, _) => None,
            (Parent::Given(parent), Some(surroundings)) => child(Some(parent), self.home, surroundings),
            (Parent::Given(parent), None) if parent.is_sampled() => None,
            (Parent::Given(parent), None) => {
                current::with(|now| child(Some(parent), self.home, now.surroundings.as_ref()))
            }
            (Parent::Current, given) => current::with(|now| {
                child(now.span.as_ref(), now.home, given.unwrap_or(now.surroundings.as_ref()))
            }),
        }
    }

    #[inline]
    fn follow(
        &self,
        recorder: &mut Recorder,
        live: &Live,
        parent: &SpanContext,
        surroundings: Option<&Arc<Surroundings>>,
    ) -> Option<Span> {
        if !live.definition.settings.children_follow {
            return None;
        }
        live.shard(recorder.thread).not_recording.fetch_add(1, Ordering::Relaxed);
        let span_id = self.span_id.unwrap_or_else(|| recorder.ids.span_id());
        Some(Span {
            context: SpanContext { span_id, ..parent.clone() },
            surroundings: surroundings.cloned(),
            generation: generation() as u32,
            slot: live.slot,
            state: State::Unsampled,
        })
    }

    fn start_asked(self) -> Span {
        let around = match (&self.parent, &self.surroundings) {
            (Parent::Given(_) | Parent::None, Some(_)) => current::Current::default(),
            _ => current::current(),
        };
        let (parent, home) = match self.parent {
            Parent::Current => (around.span.as_ref().filter(|span| span.is_parent()), around.home),
            Parent::Given(parent) => (Some(parent), self.home),
            Parent::None => (None, None),
        };
        let surroundings = match self.surroundings {
            Some(given) => given.cloned(),
            None => around.surroundings.clone(),
        };
        // What begins the part of a trace that this process has.
        let begins = home.is_none() && parent.is_none_or(|parent| parent.remote);
        let selected = if begins && self.engine.is_none() && registry::has_selector() {
            let mut input = self.sampling_input(TraceId::INVALID, parent);
            input.request_context = input.request_context.or_else(|| surroundings.as_ref()?.request());
            recorder::selected(&input)
        } else {
            None
        };
        let engine = self.engine.or(selected.as_ref());
        let started = recorder::with_engine(engine, home, |recorder, live| {
            self.start_in(recorder, live, parent, &surroundings)
        });
        started.unwrap_or_else(|| Span::inert(parent, surroundings))
    }

    #[inline]
    fn start_in(
        &self,
        recorder: &mut Recorder,
        live: &Live,
        parent: Option<&SpanContext>,
        surroundings: &Option<Arc<Surroundings>>,
    ) -> Span {
        let trace_id = match parent {
            Some(parent) => parent.trace_id,
            None => self.trace_id.unwrap_or_else(|| recorder.ids.trace_id()),
        };
        let span_id = self.span_id.unwrap_or_else(|| recorder.ids.span_id());
        let shard = live.shard(recorder.thread);
        let mut result = self.sample(live, trace_id, parent, surroundings.as_deref());
        if parent.is_none() && result.decision != Decision::Drop && live.under_pressure() {
            shard.shed.fetch_add(1, Ordering::Relaxed);
            result.decision = Decision::Drop;
        }
        if result.decision != Decision::Drop && recorder.is_open_limit_reached(live) {
            shard.open_limit.fetch_add(1, Ordering::Relaxed);
            result.decision = Decision::Drop;
        }
        let flags = match parent {
            Some(parent) => parent.flags.with_stand_in(false),
            // The ids given by a caller may not be random; ours are.
            None => TraceFlags::empty().with_random(self.trace_id.is_none()),
        };
        let flags = flags.with_sampled(result.decision.is_sampled());
        let started = |context, surroundings: &Option<Arc<Surroundings>>, state| Span {
            context,
            surroundings: surroundings.clone(),
            generation: generation() as u32,
            slot: live.slot,
            state,
        };
        if result.decision == Decision::Drop {
            shard.not_recording.fetch_add(1, Ordering::Relaxed);
            let context = SpanContext { trace_id, span_id, flags, state: result.state, remote: false };
            let counts = live.definition.settings.counts_unsampled;
            let state = if counts { self.counted() } else { State::Unsampled };
            return started(context, surroundings, state);
        }
        shard.recording.fetch_add(1, Ordering::Relaxed);
        let inner = self.inner(live, parent, surroundings);
        let surroundings = inner.as_ref().unwrap_or(surroundings);
        let (head, hidden) = self.head(live, trace_id, span_id, parent, flags, surroundings.as_deref());
        let mut open = recorder.open();
        self.open(&mut open, live, head, &result, surroundings.as_deref());
        if self.announces {
            recorder.announce(live, &mut open);
        }
        let context = if hidden {
            live.hides.store(true, Ordering::Relaxed);
            standing_in(parent, trace_id, flags, result.state)
        } else {
            SpanContext { trace_id, span_id, flags, state: result.state, remote: false }
        };
        started(context, surroundings, State::Recording(open))
    }

    /// Of a span that is not sampled, what metrics count.
    #[cold]
    fn counted(&self) -> State {
        let start = self.start_unix_nanos.unwrap_or_else(clock::now_unix_nanos);
        State::Counted(Box::new(Counted::new(self.name, start, self.span_type, self.kind, self.flags)))
    }

    /// What the span and everything inside inherit, where that is not just what surrounds it: metadata that
    /// was given, or that is taken out of the request context. A root does the latter by itself, a child if
    /// it was given a request context.
    #[inline]
    fn inner(
        &self,
        live: &Live,
        parent: Option<&SpanContext>,
        surroundings: &Option<Arc<Surroundings>>,
    ) -> Option<Option<Arc<Surroundings>>> {
        let is_local_root = parent.is_none_or(|parent| parent.remote);
        let metadata = self.given.as_deref().map_or(&[][..], |given| &given.metadata);
        let takes = self.request_context.is_some()
            || is_local_root && surroundings.as_ref().is_some_and(|around| around.request().is_some());
        let changed = || self.changed(live, metadata, takes.then_some(is_local_root), surroundings);
        (takes || !metadata.is_empty()).then(changed)
    }

    #[cold]
    fn changed(
        &self,
        live: &Live,
        metadata: &[(Cow<'_, str>, Value<'_>)],
        takes_as_root: Option<bool>,
        surroundings: &Option<Arc<Surroundings>>,
    ) -> Option<Arc<Surroundings>> {
        let mut inner = takes_as_root.and_then(|is_local_root| {
            let keys = &live.definition.settings.config.trace.request_context_keys;
            // What surrounds a root was said for the whole trace; a child only inherits it.
            Surroundings::with_extracted(surroundings.as_ref(), self.request_context, keys, !is_local_root)
        });
        for (key, value) in metadata {
            let around = inner.unwrap_or_else(|| Surroundings::inside(surroundings.as_ref()));
            inner = Some(around.metadata(key, value.clone()));
        }
        inner.map(Arc::new).or_else(|| surroundings.clone())
    }

    #[inline]
    fn sample(
        &self,
        live: &Live,
        trace_id: TraceId,
        parent: Option<&SpanContext>,
        surroundings: Option<&Surroundings>,
    ) -> SamplingResult {
        let settings = &live.definition.settings;
        if let Some(parent) = parent.filter(|parent| {
            settings.sampler_inherits && !parent.remote && parent.is_valid() && !parent.flags.stands_in()
        }) {
            // There is nobody to ask.
            return inherit(parent);
        }
        let local;
        let parent = match parent {
            // What stands in is of this process, whose decision it carries, wherever its ids come from.
            Some(parent) if parent.flags.stands_in() => {
                local = SpanContext { remote: false, ..parent.sent().into_owned() };
                Some(&local)
            }
            other => other,
        };
        let mut input = self.sampling_input(trace_id, parent);
        let (attributes, metadata);
        if let Some(around) = surroundings.filter(|_| settings.sampler_reads_content) {
            attributes = joined(around.attributes(), input.attributes);
            metadata = joined(around.all_metadata(), input.metadata);
            input = SamplingInput { attributes: &attributes, metadata: &metadata, ..input };
        }
        input.request_context = input.request_context.or_else(|| surroundings?.request());
        let result = settings.sampler.sample(&input);
        if result.callback_failed {
            live.shard(0).panics.fetch_add(1, Ordering::Relaxed);
            crate::log::warn_once("sampler", "the sampler panicked; the span is sampled");
        }
        result
    }

    #[inline]
    fn sampling_input<'s>(&'s self, trace_id: TraceId, parent: Option<&'s SpanContext>) -> SamplingInput<'s> {
        let given = self.given.as_deref();
        SamplingInput {
            parent,
            trace_id,
            name: self.name,
            kind: self.kind,
            span_type: self.span_type,
            attributes: given.map_or(&[], |given| &given.attributes),
            links: given.map_or(&[], |given| &given.links),
            metadata: given.map_or(&[], |given| &given.metadata),
            request_context: self.request_context,
            // Only rate limits read the time, and they are asked for roots alone.
            now_nanos: if parent.is_none() { clock::monotonic_nanos() } else { 0 },
        }
    }

    /// The head of its record, and whether it is left out of what is exported.
    #[inline]
    fn head(
        &self,
        live: &Live,
        trace_id: TraceId,
        span_id: SpanId,
        parent: Option<&SpanContext>,
        flags: TraceFlags,
        surroundings: Option<&Surroundings>,
    ) -> (Head, bool) {
        let mut own = self.flags.with(match parent {
            None => SpanFlags::ROOT.with(SpanFlags::LOCAL_ROOT),
            Some(parent) if parent.remote => SpanFlags::LOCAL_ROOT.with(SpanFlags::PARENT_REMOTE),
            // Below a root that is not exported.
            Some(parent) if !parent.span_id.is_valid() => SpanFlags::ROOT.with(SpanFlags::LOCAL_ROOT),
            Some(_) => SpanFlags::empty(),
        });
        let hiding = &live.definition.settings.config.trace.hiding;
        let mut internal = hiding.internal;
        if let Some(surroundings) = surroundings {
            own = own.with(surroundings.flags());
            internal = internal.union(surroundings.internal_types());
        }
        if internal.contains(self.span_type) {
            own = own.with(SpanFlags::INTERNAL);
        }
        if hiding.excluded.contains(self.span_type) {
            own = own.with(SpanFlags::EXCLUDED);
        }
        let hidden = own.contains(SpanFlags::EXCLUDED)
            || own.contains(SpanFlags::INTERNAL) && !hiding.include_internal;
        let head = Head {
            trace_id,
            span_id,
            parent_span_id: parent.map_or(SpanId::INVALID, |parent| parent.span_id),
            start_unix_nanos: self.start_unix_nanos.unwrap_or_else(clock::now_unix_nanos),
            end_unix_nanos: 0,
            trace_flags: flags,
            kind: self.kind,
            status: crate::kinds::StatusCode::Unset,
            severity: 0,
            span_type: self.span_type,
            flags: own,
            scope: self.scope,
        };
        (head, hidden)
    }

    #[inline]
    fn open(
        &self,
        open: &mut Open,
        live: &Live,
        head: Head,
        result: &SamplingResult,
        surroundings: Option<&Surroundings>,
    ) {
        open.begin(live.slot, head, CaptureBounds::of(&live.definition.settings.config));
        open.rename(self.name);
        if !result.state.is_empty() {
            write::trace_state(&mut open.buf, result.state.header());
        }
        let inherited = surroundings.map_or(CarriedSet::EMPTY, Surroundings::id_set);
        live.definition.settings.default_ids.put(&mut open.buf, inherited);
        if let Some(surroundings) = surroundings {
            surroundings.put(&mut open.buf, head.flags.contains(SpanFlags::LOCAL_ROOT));
        }
        for (key, value) in self.given.iter().flat_map(|given| &given.attributes) {
            open.attribute(key, |buf, capture| super::put_captured(buf, value, capture));
        }
        for (key, value) in &result.attributes {
            open.attribute(key, |buf, capture| super::put_captured(buf, value, capture));
        }
        if let Some(given) = &self.given {
            for (to, attributes) in given.links.iter().zip(&given.link_attributes) {
                open.link(to, |buf, list, capture| super::put_list(buf, list, attributes, capture));
            }
        }
    }
}

/// The context of a span that is not exported: its nearest ancestor's that is, in this process's decision.
#[cold]
fn standing_in(
    parent: Option<&SpanContext>,
    trace_id: TraceId,
    flags: TraceFlags,
    state: TraceState,
) -> SpanContext {
    let flags = flags.with_stand_in(true);
    match parent {
        Some(parent) => SpanContext { flags, state, ..parent.clone() },
        None => SpanContext { trace_id, span_id: SpanId::INVALID, flags, state, remote: false },
    }
}

/// What is inherited and what was given, for a sampler; the last of a key counts.
fn joined<'a>(
    inherited: &'a [(Cow<'static, str>, Value<'static>)],
    given: &'a [(Cow<'a, str>, Value<'a>)],
) -> Cow<'a, [(Cow<'a, str>, Value<'a>)]> {
    match (inherited, given) {
        ([], given) => Cow::Borrowed(given),
        (inherited, []) => Cow::Borrowed(inherited),
        (inherited, given) => Cow::Owned([inherited, given].concat()),
    }
}

/// Counts a child of `parent` as started and ended if it is certain not to be sampled, for hosts that have
/// one object stand for all such children. False where a span must be started to know. `home` is the
/// parent's.
#[inline]
pub fn skip_unsampled_child(engine: Option<&Engine>, parent: &SpanContext, home: Option<Home>) -> bool {
    let skipped = |recorder: &mut Recorder, live: &Live| {
        let follows = live.definition.settings.children_follow;
        if follows {
            let shard = live.shard(recorder.thread);
            shard.not_recording.fetch_add(1, Ordering::Relaxed);
            shard.unsampled.fetch_add(1, Ordering::AcqRel);
        }
        follows
    };
    parent.is_unsampled_here() && recorder::with_engine(engine, home, skipped).unwrap_or(false)
}
