//! OTLP (OpenTelemetry protocol): batches of encoded spans and the ways they travel.

mod batch;
mod wire;

pub use batch::OtlpBatch;
