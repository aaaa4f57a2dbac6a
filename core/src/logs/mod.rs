//! Log records: what an application says at a moment, beside the spans and correlated with them.
//!
//! [`Severity`] and [`LogLevel`] are pure data; [`LogData`] is a record as an object. [`LogBuilder`] records one:
//! an event of the frame (kind 4, `docs/frame.md`) that takes the same hand-off as a finished span.

#[cfg(feature = "engine")]
mod builder;
mod data;
mod severity;

#[cfg(feature = "engine")]
pub use builder::LogBuilder;
pub use data::LogData;
#[cfg(feature = "engine")]
pub(crate) use severity::keeps;
pub use severity::{LogLevel, Severity};
