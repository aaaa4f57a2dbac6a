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

use crate::frame::view::{Field, SpanView, ValueView};
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

/// What sends a span, one field after the other.
pub(crate) trait Sender<'a> {
    /// An attribute that has no other name.
    fn attribute(&mut self, name: &'a [u8], value: ValueView<'a>);

    /// A field that is no attribute, and has no other name.
    fn field(&mut self, field: Field<'a>);

    /// The name of the span, in two parts with a blank between them; the second may be empty.
    fn name(&mut self, front: &'a [u8], subject: &'a [u8]);

    /// An attribute that follows from what the span is.
    fn add(&mut self, name: &'static str, value: WireValue<'a>);
}

/// The span as it is sent.
pub fn map<'a>(span: &SpanView<'a>, dialect: Dialect) -> Wire<'a> {
    match dialect {
        Dialect::GenAi | Dialect::GenAiEverywhere => genai::wire(span),
        Dialect::OpenInference => openinference::wire(span),
    }
}

/// Sends what of a span is sent as it was recorded, and the whole of it where little is to be added. Else comes back
/// what is still to be sent, which is made in `room`.
#[inline]
pub(crate) fn send<'a>(
    span: &SpanView<'a>,
    dialect: Dialect,
    room: &mut Room,
    to: &mut impl Sender<'a>,
) -> Option<Wire<'a>> {
    match dialect {
        Dialect::GenAi | Dialect::GenAiEverywhere => genai::send(span, room, to),
        Dialect::OpenInference => Some(openinference::wire(span)),
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
