//! What is decided before a span starts: whether it is sampled, and what it and everything inside inherit.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::SpanBuilder;
use crate::clock;
use crate::context::{SpanContext, TraceState};
use crate::current::{MAX_INHERITED, Surroundings};
use crate::engine::Live;
use crate::id::TraceId;
use crate::sampling::{Deciding, Decision, SamplingInput, SamplingResult, inherit};
use crate::value::Value;

impl SpanBuilder<'_> {
    /// What the span and everything inside inherit, where that is not just what surrounds it: metadata that
    /// was given, or that is taken out of the request context. A root does the latter by itself, a child if
    /// it was given a request context.
    #[inline]
    pub(super) fn inner(
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
        for (key, value) in metadata.iter().take(MAX_INHERITED) {
            let around = inner.unwrap_or_else(|| Surroundings::inside(surroundings.as_ref()));
            inner = Some(around.metadata(key, value.clone()));
        }
        inner.map(Arc::new).or_else(|| surroundings.clone())
    }

    #[inline]
    pub(super) fn sample(
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
        if Deciding::is_under_way() {
            // Started by a sampler or a selector of the application's.
            let state = parent.map_or(TraceState::EMPTY, |parent| parent.state.clone());
            return SamplingResult::new(Decision::Drop, state);
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
        let (attributes, inherited, metadata);
        if settings.sampler_reads_content {
            attributes = joined(surroundings.map_or(&[], Surroundings::attributes), input.attributes);
            let defaults = &settings.config.trace.metadata;
            inherited = joined(defaults, surroundings.map_or(&[], Surroundings::all_metadata));
            metadata = joined(&inherited, input.metadata);
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
    pub(super) fn sampling_input<'s>(
        &'s self,
        trace_id: TraceId,
        parent: Option<&'s SpanContext>,
    ) -> SamplingInput<'s> {
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
}

/// What is inherited and what was given, for a sampler; the last of a key counts.
fn joined<'a>(
    inherited: &'a [(Cow<'a, str>, Value<'a>)],
    given: &'a [(Cow<'a, str>, Value<'a>)],
) -> Cow<'a, [(Cow<'a, str>, Value<'a>)]> {
    match (inherited, given) {
        ([], given) => Cow::Borrowed(given),
        (inherited, []) => Cow::Borrowed(inherited),
        (inherited, given) => Cow::Owned([inherited, given].concat()),
    }
}
