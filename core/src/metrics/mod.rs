//! Metrics: rates, errors and durations of spans, tokens, costs, and the engine's counts about itself.
//!
//! [`data`] is what exporters are given, `prices` what tokens cost, `names` how names become few, `own` what
//! the engine says of itself. What is counted of each span is decided on the export thread, in
//! `pipeline/measure.rs`, with the instruments of the OpenTelemetry SDK (`instruments`, `operated`).

#[cfg(feature = "metrics")]
mod collected;
pub mod data;
#[cfg(feature = "metrics")]
pub(crate) mod instruments;
#[cfg(feature = "metrics")]
mod names;
#[cfg(feature = "metrics")]
pub(crate) mod operated;
mod own;
mod prices;

#[cfg(feature = "metrics")]
pub(crate) use names::plain;
pub use own::{Metric, MetricKind};
pub use prices::{Price, Prices};
