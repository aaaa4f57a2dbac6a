//! Token counts: what libraries and providers call them, and what the conventions do.
//!
//! Read where attributes are mapped (`genai`), where the usage of hidden spans is added up, and
//! where span metrics count tokens.

use super::renames;
use super::types::{Form, info, is_spelling_of};
use crate::frame::view::{Field, Items, SpanView, ValueView};
use crate::kinds::SpanType;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Count {
    /// Tokens of the input, cached ones included.
    Input,
    /// Tokens of the output, reasoning included.
    Output,
    /// Input that was read from a cache.
    CacheRead,
    /// Input that was written to a cache.
    CacheWrite,
    /// Such that is kept for five minutes.
    CacheWrite5m,
    /// Such that is kept for an hour.
    CacheWrite1h,
    /// Output that the model thought with.
    Reasoning,
    /// Text among the input.
    InputText,
    /// Images among the input.
    InputImage,
    /// Audio among the input.
    InputAudio,
    /// Text among the output.
    OutputText,
    /// Images among the output.
    OutputImage,
    /// Audio among the output.
    OutputAudio,
}

/// Every count: its name on the wire behind `gen_ai.usage.` (the two that no convention knows stand behind
/// `polyspan.usage.`), and what else it is called.
const COUNTS: [(Count, &str, &[&str]); 13] = [
    (Count::Input, "input_tokens", &["prompt_tokens", "input"]),
    (Count::Output, "output_tokens", &["completion_tokens", "output"]),
    (
        Count::CacheRead,
        "cache_read.input_tokens",
        &[
            "cache_read_input_tokens",
            "cached_input_tokens",
            "cache_read_tokens",
            "cached_tokens",
            "prompt_cache_hit_tokens",
            "cache_read",
        ],
    ),
    (
        Count::CacheWrite,
        "cache_write.input_tokens",
        &[
            "cache_write_input_tokens",
            "cache_creation_input_tokens",
            "cache_creation.input_tokens",
            "cache_write_tokens",
            "cache_write",
        ],
    ),
    (Count::CacheWrite5m, "cache_write_5m.input_tokens", &["cache_write_5m", "ephemeral_5m_input_tokens"]),
    (Count::CacheWrite1h, "cache_write_1h.input_tokens", &["cache_write_1h", "ephemeral_1h_input_tokens"]),
    (
        Count::Reasoning,
        "reasoning.output_tokens",
        &["reasoning_tokens", "reasoning_output_tokens", "reasoning"],
    ),
    (Count::InputText, "text.input_tokens", &["text_input_tokens"]),
    (Count::InputImage, "image.input_tokens", &["image_input_tokens"]),
    (Count::InputAudio, "audio.input_tokens", &["audio_input_tokens"]),
    (Count::OutputText, "text.output_tokens", &["text_output_tokens"]),
    (Count::OutputImage, "image.output_tokens", &["image_output_tokens"]),
    (Count::OutputAudio, "audio.output_tokens", &["audio_output_tokens"]),
];

/// Names inside the details of the input.
const INPUT_DETAILS: &[(&str, Count)] = &[
    ("text", Count::InputText),
    ("text_tokens", Count::InputText),
    ("image", Count::InputImage),
    ("image_tokens", Count::InputImage),
    ("audio", Count::InputAudio),
    ("audio_tokens", Count::InputAudio),
];

/// Names inside the details of the output.
const OUTPUT_DETAILS: &[(&str, Count)] = &[
    ("text", Count::OutputText),
    ("text_tokens", Count::OutputText),
    ("image", Count::OutputImage),
    ("image_tokens", Count::OutputImage),
    ("audio", Count::OutputAudio),
    ("audio_tokens", Count::OutputAudio),
];

const INPUT_GROUPS: &[&str] = &[
    "input_details",
    "input_tokens_details",
    "input_token_details",
    "prompt_tokens_details",
    "cache_creation",
];
const OUTPUT_GROUPS: &[&str] =
    &["output_details", "output_tokens_details", "output_token_details", "completion_tokens_details"];

impl Count {
    /// Its attribute on the wire.
    pub fn key(self) -> String {
        let prefix = match self {
            Self::CacheWrite5m | Self::CacheWrite1h => "polyspan.usage.",
            _ => "gen_ai.usage.",
        };
        format!("{prefix}{}", self.tail())
    }

    /// The end of its name on the wire.
    pub fn tail(self) -> &'static str {
        COUNTS.get(self as usize).map_or("", |(_, tail, _)| tail)
    }

    fn of_name(name: &[u8]) -> Option<Self> {
        let known = |(_, tail, others): &&(Count, &str, &[&str])| {
            tail.as_bytes() == name || others.iter().any(|other| is_spelling_of(name, other.as_bytes()))
        };
        // `inputTokens` is the same as `input_tokens`, but `cache_read.input_tokens` has one spelling.
        let spelled = |(_, tail, _): &&(Count, &str, &[&str])| is_spelling_of(name, tail.as_bytes());
        COUNTS.iter().find(known).or_else(|| COUNTS.iter().find(spelled)).map(|(count, ..)| *count)
    }
}

/// Token counts of a call, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage([Option<u64>; COUNTS.len()]);

impl Usage {
    /// One count.
    pub fn get(&self, count: Count) -> Option<u64> {
        self.0.get(count as usize).copied().flatten()
    }

    /// Sets one count.
    pub fn set(&mut self, count: Count, tokens: u64) {
        if let Some(slot) = self.0.get_mut(count as usize) {
            *slot = Some(tokens);
        }
    }

    /// Adds the counts of another call.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// What was counted.
    pub fn counts(&self) -> impl Iterator<Item = (Count, u64)> {
        COUNTS.iter().zip(self.0).filter_map(|((count, ..), tokens)| Some((*count, tokens?)))
    }

    /// Reads a map of counts by their names in any spelling; `other` is told what it does not know.
    ///
    /// Anthropic's own counts leave cached tokens out of `input_tokens`, and are known by its own names for
    /// those: `anthropic` says whether the provider is Anthropic, for which they are added.
    pub fn read<'a>(
        items: Items<'a>,
        anthropic: bool,
        mut other: impl FnMut(&'a [u8], ValueView<'a>),
    ) -> Self {
        let mut usage = Self::default();
        let mut beside = 0;
        for (name, value) in items.entries() {
            match value {
                ValueView::Map(details) if is_one_of(name, INPUT_GROUPS) => {
                    usage.read_details(details, INPUT_DETAILS)
                }
                ValueView::Map(details) if is_one_of(name, OUTPUT_GROUPS) => {
                    usage.read_details(details, OUTPUT_DETAILS);
                }
                value => match (Count::of_name(name), tokens(value)) {
                    (Some(count), Some(tokens)) => {
                        if matches!(name, b"cache_read_input_tokens" | b"cache_creation_input_tokens") {
                            beside += tokens;
                        }
                        usage.set(count, tokens);
                    }
                    (_, None) if matches!(value, ValueView::Null) => {}
                    _ => other(name, value),
                },
            }
        }
        if anthropic && let Some(input) = usage.get(Count::Input) {
            usage.set(Count::Input, input.saturating_add(beside));
        }
        usage
    }

    fn read_details(&mut self, details: Items<'_>, names: &[(&str, Count)]) {
        for (name, value) in details.entries() {
            let plain = names.iter().find(|(known, _)| is_spelling_of(name, known.as_bytes()));
            let count = plain.map(|(_, count)| *count).or_else(|| Count::of_name(name));
            if let (Some(count), Some(tokens)) = (count, tokens(value)) {
                self.set(count, tokens);
            }
        }
    }

    /// The counts that a span reports, whichever names it uses.
    pub fn of_span(span: &SpanView<'_>) -> Self {
        let typed = info(span.head().span_type);
        let mut usage = Self::default();
        let mut map = None;
        let mut anthropic = false;
        for field in span.fields() {
            let Field::Attribute(name, value) = field else { continue };
            if let Some(tail) = name.strip_prefix(b"gen_ai.usage.") {
                if let (Some(count), Some(tokens)) = (Count::of_name(tail), tokens(value)) {
                    usage.set(count, tokens);
                }
            } else if let Some(known) = typed.and_then(|info| info.attribute(name)) {
                match (known.form, value) {
                    (Form::Usage | Form::UsageBelow, ValueView::Map(items)) => map = Some(items),
                    (Form::Provider, ValueView::Str(given)) => {
                        anthropic = renames::provider(&crate::frame::view::text(given)) == "anthropic";
                    }
                    (Form::Integer, value) if known.key.is_some() => {
                        let tail = known.key.and_then(|key| key.strip_prefix("gen_ai.usage."));
                        if let (Some(tail), Some(tokens)) = (tail, tokens(value))
                            && let Some(count) = Count::of_name(tail.as_bytes())
                        {
                            usage.set(count, tokens);
                        }
                    }
                    _ => {}
                }
            }
        }
        if let Some(items) = map {
            let mut given = Self::read(items, anthropic, |_, _| {});
            // What stands in an attribute of its own was said more exactly.
            for (count, tokens) in usage.counts() {
                given.set(count, tokens);
            }
            return given;
        }
        usage
    }
}

/// How close to the provider's own count a type's is: of several that report the same tokens, the one with
/// the lowest number counts. None for types that report no usage of their own.
pub fn level(span_type: SpanType) -> Option<usize> {
    match span_type {
        SpanType::ModelGeneration => Some(0),
        SpanType::ModelStep => Some(1),
        SpanType::ModelInference => Some(2),
        SpanType::RagEmbedding | SpanType::EmbeddingGeneration | SpanType::ClassifierEvaluation => Some(3),
        _ => None,
    }
}

fn is_one_of(name: &[u8], known: &[&str]) -> bool {
    known.iter().any(|known| is_spelling_of(name, known.as_bytes()))
}

/// A count: hosts without integers send doubles.
pub(crate) fn tokens(value: ValueView<'_>) -> Option<u64> {
    match value {
        ValueView::I64(tokens) => u64::try_from(tokens).ok(),
        ValueView::F64(tokens) if tokens >= 0.0 && tokens.fract() == 0.0 && tokens < 1e15 => {
            Some(tokens as u64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{EVENT_HEADER, write};
    use crate::value::Value;

    fn read(value: &Value<'_>, anthropic: bool) -> (Usage, Vec<Vec<u8>>) {
        let mut record = Vec::new();
        write::begin_span(&mut record);
        write::attribute(&mut record, "usage", value);
        let view = SpanView::new(&record[EVENT_HEADER..]).unwrap();
        let Some(Field::Attribute(_, ValueView::Map(items))) = view.fields().next() else { panic!() };
        let mut unknown = Vec::new();
        let usage = Usage::read(items, anthropic, |name, _| unknown.push(name.to_vec()));
        (usage, unknown)
    }

    #[test]
    fn each_count_is_where_its_number_says() {
        for (at, (count, tail, _)) in COUNTS.iter().enumerate() {
            assert_eq!(*count as usize, at);
            assert_eq!(Count::of_name(tail.as_bytes()), Some(*count));
        }
        assert_eq!(Count::of_name(b"total_tokens"), None);
    }

    #[test]
    fn every_librarys_names_are_read() {
        let openai = Value::from_iter([
            ("prompt_tokens", Value::from(10)),
            ("completion_tokens", 7.into()),
            ("total_tokens", 17.into()),
            ("prompt_tokens_details", Value::from_iter([("cached_tokens", 4), ("audio_tokens", 1)])),
            ("completion_tokens_details", Value::from_iter([("reasoning_tokens", 5)])),
        ]);
        let (usage, unknown) = read(&openai, false);
        let expected = [(Count::Input, 10), (Count::Output, 7), (Count::CacheRead, 4), (Count::Reasoning, 5)];
        for (count, tokens) in expected {
            assert_eq!(usage.get(count), Some(tokens), "{count:?}");
        }
        assert_eq!(usage.get(Count::InputAudio), Some(1));
        assert_eq!(unknown, [b"total_tokens"]);
        let other = Value::from_iter([
            ("inputTokens", Value::F64(3.0)),
            ("outputDetails", Value::from_iter([("reasoning", 2)])),
            ("inputDetails", Value::from_iter([("cacheRead", 1), ("cacheWrite5m", 6)])),
        ]);
        let usage = read(&other, false).0;
        assert_eq!(usage.get(Count::Input), Some(3));
        assert_eq!(usage.get(Count::Reasoning), Some(2));
        assert_eq!(usage.get(Count::CacheRead), Some(1));
        assert_eq!(usage.get(Count::CacheWrite5m), Some(6));
    }

    #[test]
    fn anthropics_input_leaves_cached_tokens_out() {
        let given = Value::from_iter([
            ("input_tokens", 10),
            ("cache_read_input_tokens", 100),
            ("cache_creation_input_tokens", 1000),
        ]);
        assert_eq!(read(&given, true).0.get(Count::Input), Some(1110));
        assert_eq!(read(&given, false).0.get(Count::Input), Some(10));
    }
}
