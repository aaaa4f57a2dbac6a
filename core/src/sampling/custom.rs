//! A sampler of the application's own, kept from hurting the application.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{Deciding, Decision, Sampler, SamplingInput, SamplingResult, threshold};

/// Asks a [`Sampler`] for roots, or for every span.
///
/// If it panics the span is sampled and the result says so, so that the engine can count it.
#[derive(Debug, Clone)]
pub struct CustomSampler {
    sampler: Arc<dyn Sampler>,
    every_span: bool,
}

/// The same sampler object, asked for the same spans.
impl PartialEq for CustomSampler {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.sampler, &other.sampler) && self.every_span == other.every_span
    }
}

impl CustomSampler {
    /// Asks for spans without a parent; others follow their parent.
    pub fn for_roots(sampler: Arc<dyn Sampler>) -> Self {
        Self { sampler, every_span: false }
    }

    /// Asks for every span, as the OpenTelemetry specification has it for samplers given to its SDK.
    pub fn for_every_span(sampler: Arc<dyn Sampler>) -> Self {
        Self { sampler, every_span: true }
    }

    /// Whether spans with a parent are asked for too.
    pub const fn asks_every_span(&self) -> bool {
        self.every_span
    }

    pub(super) fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        let Some(_deciding) = Deciding::begin() else {
            return SamplingResult::new(Decision::Drop, threshold::erase(input.parent_state()));
        };
        // The sampler is shared and only read; what it may have left half-done is its own state.
        catch_unwind(AssertUnwindSafe(|| self.sampler.sample(input))).unwrap_or_else(|_| SamplingResult {
            callback_failed: true,
            ..SamplingResult::new(Decision::RecordAndSample, threshold::erase(input.parent_state()))
        })
    }

    pub(super) fn description(&self) -> String {
        catch_unwind(AssertUnwindSafe(|| self.sampler.description()))
            .unwrap_or_else(|_| "CustomSampler".to_owned())
    }
}
