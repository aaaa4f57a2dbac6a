//! OTLP (OpenTelemetry protocol): batches of encoded spans and the ways they travel.

mod batch;
mod buffer;
#[cfg(feature = "otlp-http")]
mod connect;
pub mod encode;
#[cfg(feature = "otlp-http")]
mod exchange;
#[cfg(feature = "otlp-http")]
mod gzip;
#[cfg(feature = "otlp-http")]
mod http;
pub mod json;
#[cfg(feature = "otlp-http")]
mod options;
mod packed;
mod proto;
pub mod response;
#[cfg(feature = "otlp-http")]
mod retry;
#[cfg(feature = "otlp-http")]
mod tls;
mod wire;

pub use batch::OtlpBatch;
#[cfg(feature = "otlp-http")]
pub use http::OtlpHttpSink;
#[cfg(feature = "otlp-http")]
pub use options::{Compression, OtlpHttpOptions};
#[cfg(feature = "otlp-http")]
pub use retry::RetryOptions;
