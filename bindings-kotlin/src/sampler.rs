//! Samplers and selectors of the application: called back on the thread that starts a span.

use std::fmt;
use std::sync::Arc;

use polyspan::hosted::{about, answered, write_value};
use polyspan::registry::Selector;
use polyspan::sampling::{CustomSampler, HeadSampler, Sampler, SamplingInput, SamplingResult};

/// Code of the application failed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Error)]
pub enum HostFailure {
    /// It says how.
    Failed { text: String },
}

impl fmt::Display for HostFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Failed { text } = self;
        f.write_str(text)
    }
}

impl std::error::Error for HostFailure {}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostFailure {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { text: error.reason }
    }
}

/// Decides about the roots of traces.
#[uniffi::export(with_foreign)]
pub trait RootSampler: Send + Sync {
    /// `about` is a map of what is known of the span: `name`, `type`, `kind`, `traceId`, `attributes`, `metadata`,
    /// `requestContext`, `parent`. 0 drops it, 1 records it, 2 samples it.
    ///
    /// # Errors
    /// Where the application's code fails; the span is then sampled.
    fn decide(&self, about: Vec<u8>) -> Result<i32, HostFailure>;
}

/// Names the engine of roots that name none.
#[uniffi::export(with_foreign)]
pub trait RootSelector: Send + Sync {
    /// `about` is what a [`RootSampler`] gets. Empty for the default engine.
    ///
    /// # Errors
    /// Where the application's code fails; the default engine is taken.
    fn choose(&self, about: Vec<u8>) -> Result<String, HostFailure>;
}

struct Callback(Arc<dyn RootSampler>);

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

impl Sampler for Callback {
    fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        let answer = self.0.decide(write_value(&about(input)));
        answered(input, answer.ok().and_then(|answer| u32::try_from(answer).ok()))
    }

    fn description(&self) -> String {
        "Callback".to_owned()
    }
}

/// A sampler of the engine that asks the application.
pub fn of_roots(sampler: Arc<dyn RootSampler>) -> HeadSampler {
    HeadSampler::Custom(CustomSampler::for_roots(Arc::new(Callback(sampler))))
}

/// A selector of the registry that asks the application.
pub fn selector(select: Arc<dyn RootSelector>) -> Selector {
    Arc::new(move |root: &SamplingInput<'_>| {
        let name = select.choose(write_value(&about(root))).ok()?;
        (!name.is_empty()).then_some(name)
    })
}
