//! Consistent probability sampling: a share of all traces, the same ones wherever the ratio is the same.
//!
//! OpenTelemetry, "ProbabilitySampler" and "TraceState: Probability Sampling": the trace is kept if its 56
//! bits of randomness reach the rejection threshold, and a kept span says so as `ot=th:…`.

use super::{Decision, SamplingInput, SamplingResult, threshold};
use crate::context::TraceState;
use crate::error::Error;

/// Keeps a share of all traces, whatever the parent decided.
#[derive(Debug, Clone, PartialEq)]
pub struct RatioSampler {
    ratio: f64,
    /// `None` rejects everything, which no 56-bit threshold can say.
    threshold: Option<u64>,
    /// The tracestate of a kept root, made once and shared.
    kept: TraceState,
}

impl RatioSampler {
    /// A sampler that keeps `ratio` of all traces: 2⁻⁵⁶ to 1, or 0 for none.
    ///
    /// The ratio is rounded to four significant hexadecimal digits of its threshold, as the specification
    /// recommends: the relative error is below 0.01 %.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`](crate::ErrorCode) for any other number.
    pub fn new(ratio: f64) -> Result<Self, Error> {
        if ratio == 0.0 {
            return Ok(Self { ratio: 0.0, threshold: None, kept: TraceState::EMPTY });
        }
        let threshold = threshold::from_ratio(ratio).ok_or_else(|| {
            Error::invalid_option("sampling ratio", &ratio.to_string(), "a number from 2^-56 to 1, or 0")
        })?;
        Ok(Self { ratio, threshold: Some(threshold), kept: threshold::set(TraceState::EMPTY, threshold) })
    }

    /// The ratio as it was given.
    pub const fn ratio(&self) -> f64 {
        self.ratio
    }

    /// The 56-bit rejection threshold; `None` if nothing is kept.
    pub const fn threshold(&self) -> Option<u64> {
        self.threshold
    }

    /// The tracestate of a kept root.
    pub(super) const fn kept_state(&self) -> &TraceState {
        &self.kept
    }

    #[inline]
    pub(super) fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        let state = input.parent_state();
        let randomness = threshold::randomness(&state, input.trace_id);
        match self.threshold {
            Some(limit) if randomness >= limit => {
                let state = if state.is_empty() || state == self.kept {
                    self.kept.clone()
                } else {
                    threshold::set(state, limit)
                };
                SamplingResult::new(Decision::RecordAndSample, state)
            }
            _ => SamplingResult::new(Decision::Drop, threshold::erase(state)),
        }
    }

    pub(super) fn description(&self) -> String {
        format!("ProbabilitySampler{{{}}}", self.ratio)
    }
}
