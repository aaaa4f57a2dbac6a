//! Follows the parent's decision; each of the five situations has a sampler of its own.
//!
//! OpenTelemetry trace SDK, "ParentBased", with the rules for thresholds of "TraceState: Probability
//! Sampling", section "Parent-based threshold".

use super::{Decision, HeadSampler, SamplingInput, SamplingResult, threshold};
use crate::context::SpanContext;

/// Chooses a sampler by whether there is a parent, where it lives, and whether it was sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct ParentBased {
    /// For spans without a parent.
    pub root: HeadSampler,
    /// For a sampled parent in another process; default `AlwaysOn`.
    pub remote_sampled: HeadSampler,
    /// For a parent in another process that was not sampled; default `AlwaysOff`.
    pub remote_not_sampled: HeadSampler,
    /// For a sampled parent in this process; default `AlwaysOn`.
    pub local_sampled: HeadSampler,
    /// For a parent in this process that was not sampled; default `AlwaysOff`.
    pub local_not_sampled: HeadSampler,
}

impl ParentBased {
    /// Asks `root` for roots and follows the parent otherwise.
    pub fn new(root: HeadSampler) -> Self {
        Self {
            root,
            remote_sampled: HeadSampler::AlwaysOn,
            remote_not_sampled: HeadSampler::AlwaysOff,
            local_sampled: HeadSampler::AlwaysOn,
            local_not_sampled: HeadSampler::AlwaysOff,
        }
    }

    #[inline]
    pub(super) fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        let Some(parent) = input.valid_parent() else { return self.root.decide(input) };
        let delegate = match (parent.remote, parent.is_sampled()) {
            (true, true) => &self.remote_sampled,
            (true, false) => &self.remote_not_sampled,
            (false, true) => &self.local_sampled,
            (false, false) => &self.local_not_sampled,
        };
        match delegate {
            // A constant that agrees with the parent passes on the parent's decision, threshold and all.
            HeadSampler::AlwaysOn if parent.is_sampled() => inherit(parent),
            HeadSampler::AlwaysOff if !parent.is_sampled() => inherit(parent),
            other => other.decide(input),
        }
    }

    /// All five.
    pub(super) fn delegates(&self) -> [&HeadSampler; 5] {
        [
            &self.root,
            &self.remote_sampled,
            &self.remote_not_sampled,
            &self.local_sampled,
            &self.local_not_sampled,
        ]
    }

    /// Whether children in this process take the parent's decision and tracestate as they are.
    pub(super) fn inherits_local(&self) -> bool {
        matches!(self.local_sampled, HeadSampler::AlwaysOn)
            && matches!(self.local_not_sampled, HeadSampler::AlwaysOff)
    }

    /// Whether children of another process take the parent's decision.
    pub(super) fn inherits_remote(&self) -> bool {
        matches!(self.remote_sampled, HeadSampler::AlwaysOn)
            && matches!(self.remote_not_sampled, HeadSampler::AlwaysOff)
    }

    pub(super) fn description(&self) -> String {
        format!(
            "ParentBased{{root={},remote_sampled={},remote_not_sampled={},local_sampled={},\
             local_not_sampled={}}}",
            self.root.description(),
            self.remote_sampled.description(),
            self.remote_not_sampled.description(),
            self.local_sampled.description(),
            self.local_not_sampled.description(),
        )
    }
}

/// The parent's decision for its child.
///
/// A threshold from another process is kept only where it agrees with the sampled flag beside it; a local
/// parent's was written or checked here when its own trace arrived.
#[inline]
pub(crate) fn inherit(parent: &SpanContext) -> SamplingResult {
    let state = parent.state.clone();
    let state = if parent.remote && !state.is_empty() {
        threshold::check(state, parent.trace_id, parent.is_sampled())
    } else {
        state
    };
    let decision = if parent.is_sampled() { Decision::RecordAndSample } else { Decision::Drop };
    SamplingResult::new(decision, state)
}
