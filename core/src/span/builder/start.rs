//! Starting a span: identity from the parent, the sampler's decision, then a buffer to write into.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::capture::CaptureBounds;
use super::super::{Counted, Home, Open, Span, State, put_captured, put_list};
use super::{Parent, SpanBuilder};
use crate::clock;
use crate::context::{SpanContext, TraceFlags, TraceState};
use crate::current::{self, Surroundings};
use crate::engine::{Engine, Live};
use crate::frame::write::{self, Head};
use crate::id::{SpanId, TraceId};
use crate::kinds::SpanFlags;
use crate::lifecycle::generation;
use crate::recorder::{self, Recorder};
use crate::registry;
use crate::sampling::{Decision, SamplingResult};

impl SpanBuilder<'_> {
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
        // What begins the part of a trace that this process has is left out as a whole; what stands in for a span of
        // this process is not remote, wherever its ids come from.
        let begins = parent.is_none_or(|parent| parent.remote && !parent.flags.stands_in());
        if begins && result.decision != Decision::Drop && live.under_pressure() {
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
        let inherits_at = open.buf.len();
        let defaults = &live.definition.settings.defaults;
        let local_root = head.flags.contains(SpanFlags::LOCAL_ROOT);
        defaults.put(&mut open.buf, surroundings);
        if local_root {
            open.buf.extend_from_slice(defaults.tag_fields());
        }
        if let Some(surroundings) = surroundings {
            surroundings.put(&mut open.buf, local_root);
        }
        open.inherited(inherits_at);
        for (key, value) in self.given.iter().flat_map(|given| &given.attributes) {
            open.attribute(&**key, |buf, capture| put_captured(buf, value, capture));
        }
        for (key, value) in &result.attributes {
            open.attribute(&**key, |buf, capture| put_captured(buf, value, capture));
        }
        if let Some(given) = &self.given {
            for (to, attributes) in given.links.iter().zip(&given.link_attributes) {
                open.link(to, |buf, list, capture| put_list(buf, list, attributes, capture));
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
