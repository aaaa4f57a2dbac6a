//! The OpenTelemetry API for Python over native spans: contexts, spans, tracers.
//!
//! The package's `polyspan.opentelemetry` derives the classes that applications see from those here, so that
//! `isinstance` holds, and hands over what it imported by [`connect`]. Nothing here imports OpenTelemetry.

mod api;
mod convert;
mod runtime;
mod scope;
mod span;
mod tracer;

pub use api::{api, baggage_of, connect, context_of, copied, put, put_baggage, span_in};
pub use convert::{face_of, kind_object, kind_of, otel_span_context, read_trace_state, span_context_of};
pub use runtime::{RuntimeContext, Token};
pub use scope::SpanScope;
pub use span::OtelSpan;
pub use tracer::{OtelTracer, with_start};
