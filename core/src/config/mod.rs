//! Options of an engine: what code sets, what the environment sets, and what comes of both.
//!
//! Bindings and applications fill [`Options`]; `init` resolves them with the [`EnvSettings`] read by
//! [`mod@env`], the only reader of the environment, into a [`ResolvedConfig`] that the machine starts from.
//! Code goes before the environment, the environment before the defaults. Every option and variable is
//! listed in `docs/configuration.md`.

pub mod env;

mod content;
#[cfg(feature = "engine")]
mod custom;
mod described;
mod exporters;
#[cfg(feature = "engine")]
mod host;
mod limits;
mod logs;
mod metrics;
mod options;
#[cfg(feature = "otlp-http")]
mod otlp;
mod pairs;
#[cfg(feature = "otlp-http")]
mod presets;
mod privacy;
mod resolve;
mod resource;
mod trace;

pub use content::{ContentLimits, Unrecorded};
#[cfg(feature = "engine")]
pub use custom::CustomExporter;
pub use env::{EnvSettings, Warning};
pub use exporters::{Colour, ConsoleOptions, ExporterOptions, ResolvedExporter};
#[cfg(feature = "engine")]
pub use host::{HostExporter, HostTaps};
pub use limits::{Batching, CaptureLimits, DiagnosticLevel, MemoryLimits, SpanLimits};
pub use metrics::{MetricNames, MetricsOptions, MetricsSettings, TemporalityPreference};
pub use options::Options;
#[cfg(feature = "otlp-http")]
pub use otlp::OtlpOptions;
#[cfg(feature = "otlp-http")]
pub use presets::preset_names;
pub use resolve::ResolvedConfig;
pub use trace::{Hiding, TraceSettings};
