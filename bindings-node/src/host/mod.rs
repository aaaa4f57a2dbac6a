//! The host stage in JavaScript: what the application wrote (processors, a span filter, exporters), driven by jobs
//! that the event loop of the thread pulls which started the engine.
//!
//! `ts/host` has the loop's part and calls the application; this module wakes it, and gives it jobs and records as
//! bytes.

mod job;
mod place;

pub use place::{Handler, handler};
