//! The engine behind the OpenTelemetry API for Rust (crate `opentelemetry` 0.33, trace API).
//!
//! A program that records with `opentelemetry`, or with `tracing` through `tracing-opentelemetry`, exports
//! through the engine when it gives the API this provider:
//!
//! ```no_run
//! # fn main() -> Result<(), polyspan::Error> {
//! let provider = polyspan::otel::TracerProvider::init(polyspan::Options::new("checkout"))?;
//! opentelemetry::global::set_tracer_provider(provider);
//! # Ok(())
//! # }
//! ```
//!
//! Spans of both APIs nest in each other: with this feature the slot of the current span is the API's
//! [`Context`](opentelemetry::Context), for [`crate::current()`] and [`Span::enter`](crate::Span::enter) too.
//! `docs/rust-opentelemetry.md` tells the whole story.

mod convert;
mod propagator;
mod provider;
#[cfg(feature = "opentelemetry-sdk")]
pub mod sdk;
pub(crate) mod slot;
mod span;

pub use propagator::Propagator;
pub use provider::{Tracer, TracerProvider};
pub use span::Span;
