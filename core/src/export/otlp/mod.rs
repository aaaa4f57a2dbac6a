//! OTLP (OpenTelemetry protocol): batches of encoded spans and the ways they travel.

mod batch;
pub mod encode;
mod proto;
mod wire;

pub use batch::OtlpBatch;
