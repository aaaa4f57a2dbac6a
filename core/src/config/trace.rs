//! What every trace of an engine carries, what of it travels, and which spans are left out.

use super::options::Options;
use crate::carried::{CarriedId, CarriedSet};
use crate::kinds::{SpanType, TypeSet};

/// What traces carry besides what is set on their spans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceSettings {
    /// Ids of every span that does not inherit others.
    pub ids: Vec<(CarriedId, String)>,
    /// Names of values of the request context, or dotted paths to them, that roots take as metadata.
    pub request_context_keys: Vec<String>,
    /// The ids that `inject` writes and `extract` reads.
    pub propagate: CarriedSet,
    /// Which spans are left out.
    pub hiding: Hiding,
}

/// Which spans are left out. Their children go to the nearest ancestor that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hiding {
    /// Types whose spans are internal to a framework.
    pub internal: TypeSet,
    /// Internal spans are exported all the same.
    pub include_internal: bool,
    /// Types that are never exported.
    pub excluded: TypeSet,
}

impl Options {
    /// Where it runs, as `deployment.environment.name` of the resource. Default: that attribute of
    /// `OTEL_RESOURCE_ATTRIBUTES`, else the variable that the language uses (`PYTHON_ENV`, `NODE_ENV`), else
    /// `APP_ENV`, else `ENVIRONMENT`, else not set.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// An id of every span that does not inherit another one. Default: none.
    #[must_use]
    pub fn default_id(mut self, id: CarriedId, value: impl Into<String>) -> Self {
        self.trace.ids.retain(|(known, _)| *known != id);
        self.trace.ids.push((id, value.into()));
        self
    }

    /// Names of values of the request context, or dotted paths to them, that the root of a trace takes as
    /// metadata, which everything below inherits. Default: none.
    #[must_use]
    pub fn request_context_keys<S: Into<String>>(mut self, keys: impl IntoIterator<Item = S>) -> Self {
        self.trace.request_context_keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// The ids that follow a trace to other processes: `inject` writes them as baggage, the session also as
    /// the header `x-polyspan-session-id`, and `extract` takes them from there. Default: none; a session
    /// header is read all the same.
    #[must_use]
    pub fn propagate_context(mut self, ids: CarriedSet) -> Self {
        self.trace.propagate = ids;
        self
    }

    /// Types whose spans are internal to a framework and not exported; see [`TypeSet::of_family`].
    /// Default: none.
    #[must_use]
    pub fn internal_spans(mut self, types: TypeSet) -> Self {
        self.trace.hiding.internal = self.trace.hiding.internal.union(types);
        self
    }

    /// Exports internal spans too. Default: false.
    #[must_use]
    pub fn include_internal_spans(mut self, include: bool) -> Self {
        self.trace.hiding.include_internal = include;
        self
    }

    /// Types that are not exported. Default: none.
    #[must_use]
    pub fn exclude_span_types(mut self, types: impl IntoIterator<Item = SpanType>) -> Self {
        self.trace.hiding.excluded = self.trace.hiding.excluded.union(types.into_iter().collect());
        self
    }
}
