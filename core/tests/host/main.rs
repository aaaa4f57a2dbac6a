//! The host stage: jobs pulled on threads of the host, under faults, with exact counts.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod export;
mod following;
mod harness;
mod pipeline_vectors;
mod taps;
