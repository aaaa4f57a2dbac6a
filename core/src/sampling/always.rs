//! The two constant samplers.
//!
//! Neither reads nor writes anything unless the parent's tracestate carries a threshold (`ot=th`): the
//! threshold of a span must say how that span was sampled, and here the parent's no longer does.

use super::{Decision, SamplingInput, SamplingResult, threshold};

/// Samples; an inherited threshold becomes 0, the threshold of "nothing rejected".
#[inline]
pub(super) fn on(input: &SamplingInput<'_>) -> SamplingResult {
    let state = input.parent_state();
    let state = if state.is_empty() { state } else { threshold::replace_existing(state, 0) };
    SamplingResult::new(Decision::RecordAndSample, state)
}

/// Drops; a span that is not sampled carries no threshold.
#[inline]
pub(super) fn off(input: &SamplingInput<'_>) -> SamplingResult {
    SamplingResult::new(Decision::Drop, threshold::erase(input.parent_state()))
}
