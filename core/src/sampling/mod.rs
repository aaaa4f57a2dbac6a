//! Head sampling: whether a span is recorded and exported, decided when it starts.
//!
//! The engine asks [`HeadSampler`] for every span it starts; hosts that decide without crossing into the
//! core read a [`HostPlan`] and draw roots ahead with [`HeadSampler::draw_roots`]. One file per sampler;
//! a new one is a file here and a variant of [`HeadSampler`].

mod always;
mod custom;
mod deciding;
pub(crate) mod fields;
mod glob;
mod host_plan;
mod parent_based;
mod rate_limited;
mod ratio;
mod rules;
mod spec;
mod threshold;

use std::borrow::Cow;
use std::fmt;

use crate::context::{SpanContext, TraceState};
use crate::id::TraceId;
use crate::kinds::{SpanKind, SpanType};
use crate::value::{OwnedValue, Value};

pub use custom::CustomSampler;
pub(crate) use deciding::Deciding;
pub use glob::Glob;
pub use host_plan::{HostPlan, PageRule, ParentRule, RootDraw, RootRule};
pub use parent_based::ParentBased;
#[cfg(feature = "engine")]
pub(crate) use parent_based::inherit;
pub use rate_limited::RateLimited;
pub use ratio::RatioSampler;
pub use rules::{ContextPath, Rule, RuleSampler, ValueMatch};

/// What happens to a span that starts (OpenTelemetry trace SDK, "ShouldSample").
///
/// *Recording* and the sampled flag are two things: a record-only span is seen by span processors and
/// metrics, and never exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Decision {
    /// Not recorded, sampled flag off.
    Drop = 0,
    /// Recorded, sampled flag off.
    RecordOnly = 1,
    /// Recorded and exported, sampled flag on.
    RecordAndSample = 2,
}

impl Decision {
    /// Whether the span records what is set on it.
    pub const fn is_recording(self) -> bool {
        !matches!(self, Self::Drop)
    }

    /// Whether the sampled flag is set.
    pub const fn is_sampled(self) -> bool {
        matches!(self, Self::RecordAndSample)
    }

    /// The name in snake case, as vectors and hosts write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::RecordOnly => "record_only",
            Self::RecordAndSample => "record_and_sample",
        }
    }
}

/// A decision with what else the sampler said about the span.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplingResult {
    /// What happens to the span.
    pub decision: Decision,
    /// The tracestate of the new span.
    pub state: TraceState,
    /// Attributes added to the span, if it records.
    pub attributes: Vec<(Cow<'static, str>, OwnedValue)>,
    /// A custom sampler panicked and the span was sampled in its stead; the engine counts this and says
    /// it once.
    pub callback_failed: bool,
}

impl SamplingResult {
    /// A decision with its tracestate and nothing more.
    #[inline]
    pub const fn new(decision: Decision, state: TraceState) -> Self {
        Self { decision, state, attributes: Vec::new(), callback_failed: false }
    }
}

/// What a sampler sees of a span that is about to start; nothing is encoded yet.
#[derive(Debug, Clone, Copy)]
pub struct SamplingInput<'a> {
    /// The parent; `None` or an invalid context means that the span is a root.
    pub parent: Option<&'a SpanContext>,
    /// The trace id of the new span; the parent's where there is one.
    pub trace_id: TraceId,
    /// The span's name.
    pub name: &'a str,
    /// The span's kind.
    pub kind: SpanKind,
    /// The span's type.
    pub span_type: SpanType,
    /// The attributes given at start; of a repeated key the last one counts.
    pub attributes: &'a [(Cow<'a, str>, Value<'a>)],
    /// The links given at start.
    pub links: &'a [SpanContext],
    /// The metadata given at start.
    pub metadata: &'a [(Cow<'a, str>, Value<'a>)],
    /// What the application knows about the request (tenant, headers …), a map as a rule.
    pub request_context: Option<&'a Value<'a>>,
    /// Monotonic time in nanoseconds from any origin; rate limits read it.
    pub now_nanos: u64,
}

impl<'a> SamplingInput<'a> {
    /// A root span of which only trace id and name are known.
    pub const fn root(trace_id: TraceId, name: &'a str) -> Self {
        Self {
            parent: None,
            trace_id,
            name,
            kind: SpanKind::Internal,
            span_type: SpanType::Generic,
            attributes: &[],
            links: &[],
            metadata: &[],
            request_context: None,
            now_nanos: 0,
        }
    }

    /// The parent, unless it is invalid.
    #[inline]
    pub(crate) fn valid_parent(&self) -> Option<&'a SpanContext> {
        self.parent.filter(|parent| parent.is_valid())
    }

    /// The tracestate the new span starts from: its parent's.
    #[inline]
    pub(crate) fn parent_state(&self) -> TraceState {
        self.valid_parent().map_or(TraceState::EMPTY, |parent| parent.state.clone())
    }
}

/// A sampler of the application's own, or one given through the OpenTelemetry API.
pub trait Sampler: Send + Sync + fmt::Debug {
    /// Decides about one span. A panic is caught: the span is sampled, and the engine counts it.
    ///
    /// It is not asked about spans that it starts itself: they are not sampled, unless they follow a parent of this
    /// process.
    ///
    /// An empty `state` in the result clears the tracestate, so return the parent's unless it changes.
    fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult;

    /// Name and configuration, for people.
    fn description(&self) -> String;
}

/// The head samplers, dispatched without a virtual call where the application brings none of its own.
///
/// Clones share the state of a rate limit. The default is `ParentBased` over `AlwaysOn`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum HeadSampler {
    /// Samples every span, whatever its parent.
    AlwaysOn,
    /// Samples no span, whatever its parent.
    AlwaysOff,
    /// Samples a share of all traces, the same ones in every service.
    Ratio(RatioSampler),
    /// Follows the parent; asks another sampler for roots.
    ParentBased(Box<ParentBased>),
    /// Samples up to so many roots a second; children follow their parent.
    RateLimited(RateLimited),
    /// Asks the sampler of the first rule that matches.
    Rules(RuleSampler),
    /// Asks the application.
    Custom(CustomSampler),
}

impl Default for HeadSampler {
    fn default() -> Self {
        Self::parent_based(Self::AlwaysOn)
    }
}

impl HeadSampler {
    /// `ParentBased` with the delegates the specification sets by default.
    pub fn parent_based(root: HeadSampler) -> Self {
        Self::ParentBased(Box::new(ParentBased::new(root)))
    }

    /// Decides about a span.
    ///
    /// Samplers that work per root (rate limits, and rules and callbacks unless they ask for every span)
    /// let a span with a parent follow that parent.
    #[inline]
    pub fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        if self.per_root()
            && let Some(parent) = input.valid_parent()
        {
            return parent_based::inherit(parent);
        }
        self.decide(input)
    }

    /// Whether a span with a local parent takes its parent's sampled flag and tracestate as they are, so
    /// that nobody needs to ask.
    pub fn inherits(&self) -> bool {
        match self {
            Self::ParentBased(sampler) => sampler.inherits_local(),
            other => other.per_root(),
        }
    }

    /// Whether it may look at attributes, metadata, links or the request context, which must then be given
    /// to it unencoded.
    pub fn reads_content(&self) -> bool {
        match self {
            Self::Rules(_) | Self::Custom(_) => true,
            Self::ParentBased(sampler) => sampler.delegates().into_iter().any(Self::reads_content),
            Self::AlwaysOn | Self::AlwaysOff | Self::Ratio(_) | Self::RateLimited(_) => false,
        }
    }

    /// Name and configuration, for people.
    pub fn description(&self) -> String {
        match self {
            Self::AlwaysOn => "AlwaysOnSampler".to_owned(),
            Self::AlwaysOff => "AlwaysOffSampler".to_owned(),
            Self::Ratio(sampler) => sampler.description(),
            Self::ParentBased(sampler) => sampler.description(),
            Self::RateLimited(sampler) => sampler.description(),
            Self::Rules(sampler) => sampler.description(),
            Self::Custom(sampler) => sampler.description(),
        }
    }

    /// Decides about the very span it is asked for, as the delegate of another sampler.
    #[inline]
    fn decide(&self, input: &SamplingInput<'_>) -> SamplingResult {
        match self {
            Self::AlwaysOn => always::on(input),
            Self::AlwaysOff => always::off(input),
            Self::Ratio(sampler) => sampler.sample(input),
            Self::ParentBased(sampler) => sampler.sample(input),
            Self::RateLimited(sampler) => sampler.sample(input),
            Self::Rules(sampler) => sampler.sample(input),
            Self::Custom(sampler) => sampler.sample(input),
        }
    }

    /// Whether spans with a parent follow it without this sampler being asked.
    #[inline]
    fn per_root(&self) -> bool {
        match self {
            Self::AlwaysOn | Self::AlwaysOff | Self::Ratio(_) | Self::ParentBased(_) => false,
            Self::RateLimited(_) => true,
            Self::Rules(sampler) => !sampler.asks_every_span(),
            Self::Custom(sampler) => !sampler.asks_every_span(),
        }
    }
}
