//! Forks and the end of a process: what the parent had queued is sent by the parent alone, a child sends what
//! it recorded, nobody waits for a thread that is not there, and nobody is held up at the end.
//!
//! Each test runs in a process of its own, which `process.rs` starts, against a receiver in this one.
#![cfg(all(unix, feature = "otlp-http"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
// fork and waitpid have no safe form.
#![allow(unsafe_code)]

mod exit;
mod forks;
mod process;
