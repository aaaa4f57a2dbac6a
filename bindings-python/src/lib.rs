//! The Python binding of Polyspan: module `polyspan._polyspan`.
//!
//! Declarations only. Spans of both APIs share [`open`]; [`convert`] is the one place that turns Python objects
//! into values, [`current`] the one that knows what is current. No rule of the engine lives here.

mod arguments;
mod capture;
mod carrier;
mod context;
mod convert;
mod current;
mod engine;
mod entry;
mod error;
mod exception;
mod exit;
mod exporters;
mod face;
mod guarded;
mod host;
mod inherited;
mod invalid;
mod keys;
mod logs;
mod metrics;
mod open;
mod otel;
mod propagate;
mod record;
mod sampler;
mod shape;
mod slot;
mod span;
mod start;
mod stats;
mod tree;

use pyo3::prelude::*;

/// Spans, context and engines in native code. Use the package `polyspan`, which gives its names.
#[pymodule(gil_used = false)]
mod _polyspan {
    use super::*;

    #[pymodule_export]
    use super::{
        context::{Ambient, Context, ContextScope, context},
        current::{activate, swap},
        engine::{
            Engine, engine, engines, flush, init, init_provider, set_default, set_selector, shutdown, stats,
        },
        exit::{flush as exit_flush, forked},
        exporters::MemoryExporter,
        host::{DroppedSpan, FinishedSpan, Job, SpanError, SpanEvent, SpanLink, TraceInfo, Worker, warn},
        logs::{LogRecord, emit as emit_log, is_enabled as log_enabled, log, set_log_level},
        metrics::MetricPoint,
        otel::{OtelSpan, OtelTracer, RuntimeContext, SpanScope, Token, connect, otel_span_context},
        propagate::{baggage, extract, inject},
        record::SpanRecord,
        span::{PySpanContext, Span},
        start::{current_span, current_trace_id},
        stats::Stats,
    };

    #[pymodule_init]
    fn init_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
        exit::only_one_interpreter(module.py())?;
        entry::install(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("PolyspanError", error::class(module.py())?)?;
        // The package says what is public.
        module.delattr("__all__")
    }
}
