//! The Node.js binding of Polyspan: the addon behind the npm package `polyspan`.
//!
//! Declarations only. Open spans are TypeScript's; what crosses is bytes: frames of finished spans, values and
//! contexts as [`polyspan::hosted`] has them. No rule of the engine lives here.

mod around;
mod carrier;
mod engine;
mod entry;
mod host;
mod logs;
mod memory;
mod options;
mod relay;
mod sampler;
mod span;
mod threads;
mod wire;
