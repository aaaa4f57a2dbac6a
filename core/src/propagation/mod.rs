//! Carrying a span context from process to process: one file per format.
//!
//! Bindings, the span API and samplers call it. Nothing here does I/O, keeps state or fails: what cannot be
//! read is as if it were not there.

pub mod ot;
pub mod tracestate;

pub use ot::OtTraceState;
pub use tracestate::TraceStateError;
