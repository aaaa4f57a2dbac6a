//! The stages between the hand-off and the exporters, in their order. Each reads a record in place and
//! passes it on, or a changed copy.

pub(crate) mod calls;
mod content;
pub mod fields;
pub(crate) mod follow;
pub mod host;
pub(crate) mod leave_out;
pub mod limits;
#[cfg(feature = "metrics")]
pub(crate) mod measure;
pub(crate) mod redact;
pub(crate) mod rollup;
pub(crate) mod shown;
mod shrink;
