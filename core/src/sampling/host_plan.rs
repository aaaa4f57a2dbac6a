//! What a host may decide without crossing into the core.
//!
//! A binding reads the plan when the engine starts and again when its generation changes (fork, another
//! sampler, a restored snapshot); what was drawn under an older generation is void.

use super::{Decision, HeadSampler};
use crate::context::TraceState;
use crate::id::{IdGenerator, TraceId};

/// How a host decides about roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootRule {
    /// Takes the next of a block drawn with [`HeadSampler::draw_roots`].
    Block,
    /// Asks the engine for each.
    AskEach,
}

/// How a host decides about a span with a parent.
///
/// Every rule but `Inherit` for a local parent holds for a parent without tracestate; for any other the
/// host asks, since thresholds may have to be checked or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParentRule {
    /// The parent's sampled flag and tracestate; for a local parent whatever its tracestate holds.
    Inherit,
    /// Sampled, without tracestate.
    Sample,
    /// Dropped, without tracestate.
    Drop,
    /// Sampled with `ot=th:…` of this 56-bit threshold if the low 56 bits of the trace id reach it, else
    /// dropped without tracestate. Holds too for a parent whose tracestate is exactly that text.
    Threshold(u64),
    /// Asks the engine for each.
    AskEach,
}

/// How a page without an engine decides about roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageRule {
    /// Samples all.
    All,
    /// Samples none.
    None,
    /// Samples those whose trace id's low 56 bits reach the threshold, and says so in their tracestate.
    Threshold(u64),
}

/// The part of the sampler's work that a host may do by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPlan {
    /// For spans without a parent.
    pub root: RootRule,
    /// For spans with a parent in another process.
    pub remote_parent: ParentRule,
    /// For spans with a parent in this process.
    pub local_parent: ParentRule,
    /// The tracestate that [`ParentRule::Threshold`] gives a sampled span; otherwise empty.
    pub threshold_state: TraceState,
    /// Under which the plan and the blocks hold.
    pub generation: u64,
}

/// A root decided ahead.
#[derive(Debug, Clone, PartialEq)]
pub struct RootDraw {
    /// The trace id, with the random flag's promise.
    pub trace_id: TraceId,
    /// What happens to the root.
    pub decision: Decision,
    /// The root's tracestate.
    pub state: TraceState,
}

impl HeadSampler {
    /// What a host may decide by itself, valid while the engine is in `generation`.
    pub fn host_plan(&self, generation: u64) -> HostPlan {
        let (remote_parent, local_parent) = match self {
            Self::ParentBased(sampler) => (
                if sampler.inherits_remote() { ParentRule::Inherit } else { ParentRule::AskEach },
                if sampler.inherits_local() { ParentRule::Inherit } else { ParentRule::AskEach },
            ),
            other if other.inherits() => (ParentRule::Inherit, ParentRule::Inherit),
            other => (other.rule_for_any_parent(), other.rule_for_any_parent()),
        };
        let threshold_state = match self {
            Self::Ratio(sampler) => sampler.kept_state().clone(),
            _ => TraceState::EMPTY,
        };
        HostPlan { root: self.root_rule(), remote_parent, local_parent, threshold_state, generation }
    }

    /// Draws `n` roots into `out`, each with a fresh trace id; draws none and returns `false` if the
    /// sampler has to be asked for each root (rate limits, rules, callbacks).
    pub fn draw_roots(&self, n: usize, ids: &mut IdGenerator, out: &mut Vec<RootDraw>) -> bool {
        if self.root_rule() == RootRule::AskEach {
            return false;
        }
        out.extend((0..n).map(|_| {
            let trace_id = ids.trace_id();
            let (decision, state) = self.decide_root(trace_id);
            RootDraw { trace_id, decision, state }
        }));
        true
    }

    /// How pages without an engine decide about roots.
    pub fn page_rule(&self) -> PageRule {
        match self {
            Self::AlwaysOff => PageRule::None,
            Self::Ratio(sampler) => sampler.threshold().map_or(PageRule::None, PageRule::Threshold),
            Self::ParentBased(sampler) => sampler.root.page_rule(),
            // What has to be asked for each root cannot be asked from there.
            Self::AlwaysOn | Self::RateLimited(_) | Self::Rules(_) | Self::Custom(_) => PageRule::All,
        }
    }

    fn root_rule(&self) -> RootRule {
        match self {
            Self::AlwaysOn | Self::AlwaysOff | Self::Ratio(_) => RootRule::Block,
            Self::ParentBased(sampler) => sampler.root.root_rule(),
            Self::RateLimited(_) | Self::Rules(_) | Self::Custom(_) => RootRule::AskEach,
        }
    }

    fn decide_root(&self, trace_id: TraceId) -> (Decision, TraceState) {
        // Samplers that may be drawn ahead read nothing but the trace id.
        let result = self.sample(&super::SamplingInput::root(trace_id, ""));
        (result.decision, result.state)
    }

    fn rule_for_any_parent(&self) -> ParentRule {
        match self {
            Self::AlwaysOn => ParentRule::Sample,
            Self::AlwaysOff => ParentRule::Drop,
            Self::Ratio(sampler) => sampler.threshold().map_or(ParentRule::Drop, ParentRule::Threshold),
            _ => ParentRule::AskEach,
        }
    }
}
