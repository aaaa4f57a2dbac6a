//! What a span is called on the wire: OpenTelemetry's GenAI conventions, OpenInference, and names of our
//! own where neither has any.
//!
//! Exporters that send names map each span whose type says something ([`map`]); everything else reads
//! records as they are. Pure functions over a record, on the export thread.

mod check;
pub(crate) mod content;
mod genai;
pub mod json;
mod messages;
mod openinference;
#[cfg(feature = "metrics")]
pub(crate) mod operation;
pub(crate) mod renames;
mod time;
pub mod types;
pub mod usage;
mod wire;

use crate::frame::view::{Field, SpanView};
use crate::frame::write::Head;
use crate::kinds::{SpanKind, SpanType};

pub(crate) use messages::put_text_message;
pub(crate) use wire::{Room, last_values};
pub use wire::{Wire, WireValue};

/// The span type, unless generic.
pub const SPAN_TYPE: &str = "polyspan.span.type";
/// What the application called the span, where its name on the wire is another.
pub const SPAN_NAME: &str = "polyspan.span.name";
/// The input of the operation.
pub const INPUT: &str = "polyspan.input";
/// The output of the operation.
pub const OUTPUT: &str = "polyspan.output";
/// Precedes the key of each piece of metadata.
pub const METADATA_PREFIX: &str = "polyspan.metadata.";
/// The tags of the trace, an array of strings on its root.
pub const TAGS: &str = "polyspan.tags";

/// Whose names an exporter uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dialect {
    /// OpenTelemetry's GenAI semantic conventions, the newest version; the default.
    #[default]
    GenAi,
    /// The same, and spans of other instrumentations are brought to the newest version too
    /// (`OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental`).
    GenAiEverywhere,
    /// OpenInference, as Arize Phoenix has it.
    OpenInference,
}

impl Dialect {
    /// Finds a dialect by the name users write.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "genai" | "gen_ai" => Some(Self::GenAi),
            "openinference" => Some(Self::OpenInference),
            _ => None,
        }
    }

    /// The name users write.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GenAi | Self::GenAiEverywhere => "genai",
            Self::OpenInference => "openinference",
        }
    }

    /// Whether a span is sent otherwise than it was recorded. False for nearly every span that is not of an
    /// AI type, which the caller then writes as it is.
    #[inline]
    pub fn changes(self, span: &SpanView<'_>) -> bool {
        span.head().span_type != SpanType::Generic
            || match self {
                Self::GenAi => false,
                Self::GenAiEverywhere => has_old_names(span),
                Self::OpenInference => true,
            }
    }
}

/// The span as it is sent.
pub fn map<'a>(span: &SpanView<'a>, dialect: Dialect) -> Wire<'a> {
    map_but(span, dialect, &mut Room::default(), |_| false)
}

/// The span as it is sent, without the fields that `pass` takes, which are sent as they were recorded: it is asked
/// of fields that have no other name. What it makes is made in `room`.
#[inline]
pub(crate) fn map_but<'a>(
    span: &SpanView<'a>,
    dialect: Dialect,
    room: &mut Room,
    pass: impl FnMut(Field<'a>) -> bool,
) -> Wire<'a> {
    match dialect {
        Dialect::GenAi | Dialect::GenAiEverywhere => genai::wire(span, room, pass),
        Dialect::OpenInference => openinference::wire(span),
    }
}

/// The kind that a span has on the wire.
pub(crate) fn kind(head: &Head) -> SpanKind {
    genai::kind(head)
}

#[cold]
fn has_old_names(span: &SpanView<'_>) -> bool {
    span.fields().any(|field| matches!(field, Field::Attribute(name, _) if renames::renamed(name).is_some()))
}
