//! The border of Polyspan to Kotlin and Swift: the library behind both packages.
//!
//! Declarations only. Open spans are the host's; what crosses is bytes: frames of finished spans, values and contexts
//! as [`polyspan::hosted`] has them, always borrowed. UniFFI carries everything; on the JVM, where such a call costs
//! 18 microseconds and the first one 180 milliseconds, [`jvm`] carries what the first span and every batch need.
//! No rule of the engine lives here.

// What UniFFI generates for a library: extern functions, undocumented.
#![allow(unsafe_code, missing_docs)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod around;
mod carrier;
mod engine;
mod entry;
mod failure;
mod host;
#[cfg(feature = "jvm")]
mod jvm;
mod logs;
mod memory;
mod options;
mod sampler;
mod span;
mod table;

pub use around::{Ambient, Surrounded, ambient_of_handle, surround};
pub use carrier::{Brought, Written, carrier_fields, extract, inject};
pub use engine::{
    Inherited, NativeEngine, engine_names, engine_of_handle, exit_engines, find_engine, init_engine,
    set_default_engine, set_selector, version,
};
pub use failure::PolyspanError;
pub use host::{
    GivenExporter, HostCaller, NativeHandler, NativeJob, NativeWorker, host_enter, host_exit, host_forgotten,
    host_number, host_open,
};
pub use logs::{log_enabled, record_log, set_log_level, severity, take_log};
pub use memory::NativeMemory;
pub use options::NativeOptions;
pub use sampler::{HostFailure, RootSampler, RootSelector};
pub use span::{StartedSpan, seed, span_type, start_span};

uniffi::setup_scaffolding!();
