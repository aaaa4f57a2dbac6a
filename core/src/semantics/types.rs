//! The one table: every span type with what the conventions call it and its attributes.
//!
//! Mapping to names on the wire (`genai`, `openinference`), the typed helpers of the
//! bindings and the tables of `docs/ai-spans.md` all read it.

mod agents;
mod evaluation;
mod memory;
mod models;
mod retrieval;
mod tools;
mod workflows;

use crate::kinds::{SpanKind, SpanType};

/// What a span type is on the wire.
#[derive(Debug, Clone, Copy)]
pub struct TypeInfo {
    /// The type.
    pub span_type: SpanType,
    /// What such a span stands for, in one sentence without a full stop.
    pub about: &'static str,
    /// `gen_ai.operation.name`, unless an attribute of the span says otherwise.
    pub operation: Option<&'static str>,
    /// The span kind where the application gives none.
    pub kind: SpanKind,
    /// Attributes, by their names on the wire, of which the first one that is there follows the operation
    /// in the span's name.
    pub subject: &'static [&'static str],
    /// The attribute that the name given by the application stands for, where it is not set itself.
    pub name_is: Option<&'static str>,
    /// `openinference.span.kind`.
    pub openinference: &'static str,
    /// What becomes of the input.
    pub input: Content,
    /// What becomes of the output.
    pub output: Content,
    /// Its attributes, in groups that types share.
    pub attributes: &'static [&'static [AttributeInfo]],
}

/// Where input or output go on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `polyspan.input` or `polyspan.output`.
    Own,
    /// Chat messages where the value has a form that is known; text is a message too.
    Messages,
    /// Chat messages where the value has a form that is known and is not mere text.
    Chat,
    /// This attribute, whatever the value.
    Key(&'static str),
    /// This attribute if the value is text.
    Text(&'static str),
    /// This attribute if the value is a list.
    List(&'static str),
}

/// An attribute as applications give it.
#[derive(Debug, Clone, Copy)]
pub struct AttributeInfo {
    /// Its name in the application; other spellings (`maxTokens`) are the same name.
    pub name: &'static str,
    /// Its name on the wire; `polyspan.<type>.<name>` where no convention has one.
    pub key: Option<&'static str>,
    /// What its value is.
    pub form: Form,
    /// What it says, in a few words.
    pub about: &'static str,
}

/// What the value of an attribute is, and what becomes of it on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Truth,
    /// A list of texts; one text is a list of one.
    Texts,
    /// A point in time: text, or nanoseconds since the Unix epoch.
    Time,
    /// Anything; structures become JSON.
    Any,
    /// The name of a provider, brought to the one that the conventions list.
    Provider,
    /// Token counts by name; each becomes an attribute `gen_ai.usage.*`.
    Usage,
    /// Token counts that spans below report too; each becomes `polyspan.<type>.usage.*`.
    UsageBelow,
    /// Request parameters by name; each is taken as if it had been given by itself.
    Parameters,
    /// Definitions of tools, or their names.
    Tools,
    /// Instructions to the model: text or parts of a message.
    Instructions,
    /// When the first output came; becomes the seconds since the start of the span.
    FirstOutput,
}

impl TypeInfo {
    /// The attribute of that name, in whatever spelling.
    pub fn attribute(&self, name: &[u8]) -> Option<&'static AttributeInfo> {
        let all = || self.attributes.iter().copied().flatten();
        all()
            .find(|known| known.name.as_bytes() == name)
            .or_else(|| all().find(|known| is_spelling_of(name, known.name.as_bytes())))
    }

    /// Every attribute of the type.
    pub fn all_attributes(&self) -> impl Iterator<Item = &'static AttributeInfo> {
        self.attributes.iter().copied().flatten()
    }
}

/// Whether a name is another spelling of a key in snake case: `maxTokens`, `max-tokens`.
pub(crate) fn is_spelling_of(name: &[u8], key: &[u8]) -> bool {
    fn letters(text: &[u8]) -> impl Iterator<Item = u8> {
        text.iter().filter(|byte| !matches!(byte, b'_' | b'-')).map(u8::to_ascii_lowercase)
    }
    letters(name).eq(letters(key))
}

/// The entry of a span type; none for [`SpanType::Generic`].
pub fn info(span_type: SpanType) -> Option<&'static TypeInfo> {
    BY_NUMBER.get(span_type as usize).copied().flatten()
}

/// The request parameter of that name, in whatever spelling.
pub(crate) fn request_parameter(name: &[u8]) -> Option<&'static AttributeInfo> {
    models::PARAMETERS.iter().find(|known| is_spelling_of(name, known.name.as_bytes()))
}

/// Every entry, in the order of the types.
pub fn all() -> impl Iterator<Item = &'static TypeInfo> {
    SpanType::ALL.iter().filter_map(|span_type| info(*span_type))
}

const TABLE: &[&[TypeInfo]] = &[
    models::TYPES,
    tools::TYPES,
    agents::TYPES,
    workflows::TYPES,
    memory::TYPES,
    retrieval::TYPES,
    evaluation::TYPES,
];

/// The entries by the numbers of their types.
const BY_NUMBER: [Option<&TypeInfo>; 64] = by_number();

// The compiler does this, and refuses a number that is not below 64.
#[allow(clippy::indexing_slicing)]
const fn by_number() -> [Option<&'static TypeInfo>; 64] {
    let mut entries = [None; 64];
    let mut families = TABLE;
    while let [family, others @ ..] = families {
        let mut types = *family;
        while let [info, more @ ..] = types {
            entries[info.span_type as usize] = Some(info);
            types = more;
        }
        families = others;
    }
    entries
}

/// What is the same for most types: no operation, internal, input and output under our own names.
const PLAIN: TypeInfo = TypeInfo {
    span_type: SpanType::Generic,
    about: "",
    operation: None,
    kind: SpanKind::Internal,
    subject: &[],
    name_is: None,
    openinference: "CHAIN",
    input: Content::Own,
    output: Content::Own,
    attributes: &[],
};

/// An attribute that a convention names.
const fn known(name: &'static str, key: &'static str, form: Form, about: &'static str) -> AttributeInfo {
    AttributeInfo { name, key: Some(key), form, about }
}

/// An attribute of ours.
const fn own(name: &'static str, form: Form, about: &'static str) -> AttributeInfo {
    AttributeInfo { name, key: None, form, about }
}

/// The address of a server.
const SERVER: &[AttributeInfo] = &[
    known("server_address", "server.address", Form::Text, "host name or address of the server"),
    known("server_port", "server.port", Form::Integer, "port of the server"),
];

/// Which processor ran, and when.
const PROCESSING: &[AttributeInfo] = &[
    own("processor_executor", Form::Text, "`workflow` or `legacy`"),
    own("processor_index", Form::Integer, "place of the processor in its chain"),
    own("processor_phase", Form::Text, "which hook ran, such as `input` or `outputStream`"),
    own("hook_duration_ms", Form::Number, "time in the hook, in milliseconds"),
    own("message_list_mutations", Form::Any, "what was added to or removed from the messages"),
    own("tripwire_abort", Form::Any, "why processing was stopped: reason, retry, metadata"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_one_entry_and_every_attribute_one_name() {
        assert!(info(SpanType::Generic).is_none());
        for span_type in SpanType::ALL.iter().filter(|known| **known != SpanType::Generic) {
            let entries = TABLE.iter().copied().flatten().filter(|info| info.span_type == *span_type);
            assert_eq!(entries.count(), 1, "{span_type}");
            let names: Vec<_> = info(*span_type).unwrap().all_attributes().map(|known| known.name).collect();
            for (at, name) in names.iter().enumerate() {
                assert!(!names[..at].contains(name), "{span_type} has {name} twice");
                assert!(!name.contains('.'), "{name} would pass for a name on the wire");
            }
        }
    }

    #[test]
    fn other_spellings_are_the_same_name() {
        let info = info(SpanType::ModelGeneration).unwrap();
        for name in ["max_tokens", "maxTokens", "max-tokens"] {
            assert_eq!(info.attribute(name.as_bytes()).unwrap().name, "max_tokens");
        }
        assert!(info.attribute(b"tokens_max").is_none());
        assert!(info.attribute(b"").is_none());
    }
}
