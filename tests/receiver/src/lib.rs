//! A scripted OTLP/HTTP receiver for tests: real sockets, decoded requests, faults on demand.
//!
//! Rust tests call [`Receiver::start`] with a [`Script`]; tests of other languages run the binary of the
//! same name with the script as JSON. Every request is logged with the spans it held, so that a test can
//! say exactly how often each span arrived.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod log;
mod script;
mod server;
mod tls;

pub use log::{Log, Received};
pub use script::{Reply, RetryAfter, Script, Step, TlsMode};
pub use server::Receiver;
pub use tls::Certificates;
