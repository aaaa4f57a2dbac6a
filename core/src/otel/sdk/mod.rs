//! Exporters written for `opentelemetry_sdk` 0.33 (its trait `SpanExporter`), `opentelemetry-otlp` among them,
//! as exporters of the engine.
//!
//! ```no_run
//! use opentelemetry_otlp::SpanExporter;
//! use polyspan::{Options, otel::sdk};
//!
//! # fn main() -> Result<(), polyspan::Error> {
//! let otlp = sdk::exporter("otlp", || SpanExporter::builder().with_http().build());
//! let engine = polyspan::init(Options::new("checkout").exporter(otlp))?;
//! # Ok(())
//! # }
//! ```

mod convert;
mod helper;
mod sink;

use std::error::Error as StdError;
use std::sync::Arc;

use opentelemetry_sdk::trace::SpanExporter;

use self::sink::SdkSink;
use crate::config::{CustomExporter, ExporterOptions};
use crate::export::memory::DataEncoder;
use crate::semantics::Dialect;

/// An exporter of the engine that hands its batches to what `make` makes.
///
/// The exporter lives on a thread of its own, within a tokio runtime of its own, and `make` is called there:
/// once by `init`, which waits for it, and once in each forked child that records. Whatever the exporter
/// does, blocking included, delays no span and no other exporter. A call that takes longer than
/// [`export_timeout`](crate::Options::export_timeout), or than the time a shutdown leaves, is given up: its
/// future is dropped, and its spans count as [`Unknown`](crate::DropReason::Unknown). While a call that blocks
/// its thread does not return, the batches behind it are given up in the same time, as
/// [`RetryExhausted`](crate::DropReason::RetryExhausted).
///
/// The SDK's errors count as [`Rejected`](crate::DropReason::Rejected), but `Timeout` as
/// [`Unknown`](crate::DropReason::Unknown), and panics as [`Internal`](crate::DropReason::Internal). An exporter
/// cannot tell the engine of a partial success.
///
/// `name` is what the exporter is called in [`Stats`](crate::Stats). An error of `make` is an error of `init`.
pub fn exporter<E, F, R>(name: &str, make: F) -> ExporterOptions
where
    E: SpanExporter + 'static,
    F: Fn() -> Result<E, R> + Send + Sync + 'static,
    R: Into<Box<dyn StdError + Send + Sync>>,
{
    let make: helper::Make<E> = Arc::new(move || make().map_err(Into::into));
    let exporter_name = name.to_owned();
    ExporterOptions::Custom(CustomExporter::new(name, move |batching| {
        let sink = SdkSink::start(&exporter_name, Arc::clone(&make), batching.export_timeout)?;
        Ok((DataEncoder::speaking(Dialect::GenAi), sink))
    }))
}
