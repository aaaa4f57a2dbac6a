//! What Polyspan's own fields are called on the wire.

pub mod json;

/// The span type, unless generic.
pub const SPAN_TYPE: &str = "polyspan.span.type";
/// The input of the operation.
pub const INPUT: &str = "polyspan.input";
/// The output of the operation.
pub const OUTPUT: &str = "polyspan.output";
/// Precedes the key of each piece of metadata.
pub const METADATA_PREFIX: &str = "polyspan.metadata.";
/// The tags of the trace, an array of strings on its root.
pub const TAGS: &str = "polyspan.tags";
