//! How much of the values of a span is exported, and which of its fields are never recorded.
//!
//! These limits are applied after redaction, by `pipeline/limits.rs`. They are given as one option, `limits`;
//! the names that the older `serialization_options` have count as well.

use core::ops::RangeInclusive;

use super::described::{COUNT, count};
use super::limits::LimitSettings;
use crate::error::Error;
use crate::frame;
use crate::sampling::fields::{Fields, unexpected};
use crate::value::Value;

const TEXT_LENGTH: RangeInclusive<usize> = 1..=1 << 30;
const DEPTH: RangeInclusive<usize> = 0..=frame::MAX_DEPTH - 1;
const ITEMS: RangeInclusive<usize> = 0..=1 << 30;
/// Below, the ids and names of a span would have no room.
const SPAN_BYTES: RangeInclusive<usize> = 1 << 10..=1 << 30;

/// What the option `limits` may hold; each may be absent.
const LIMITS: [&str; 15] = [
    "preset",
    "string_length",
    "depth",
    "array_items",
    "object_keys",
    "span_bytes",
    "attributes",
    "events",
    "links",
    "event_attributes",
    "link_attributes",
    "max_string_length",
    "max_depth",
    "max_array_length",
    "max_object_keys",
];
/// What the option `serialization_options` may hold.
const SERIALIZATION: [&str; 4] = ["max_string_length", "max_depth", "max_array_length", "max_object_keys"];

/// How much of each value of a span is exported. Each cut leaves a marker ([`crate::cut`]) and is counted as
/// [`Stats::limited`](crate::Stats::limited).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentLimits {
    /// Characters of a text; one that was cut ends with `…[truncated]` behind them. Bytes are limited by the same
    /// number and replaced as a whole. Default: 131,072. 1 to 1,073,741,824.
    pub string_length: usize,
    /// How deep arrays and maps may nest in the value itself, which is at depth 0; deeper ones become
    /// `[MaxDepth]`. Default: 8. 0 to 63.
    pub depth: usize,
    /// Items of an array. Default: 50. 0 to 1,073,741,824.
    pub array_items: usize,
    /// Keys of a map, and of the metadata. Default: 50. 0 to 1,073,741,824.
    pub object_keys: usize,
    /// Bytes of a span in the frame's format; the largest values are cut first. Default: 4 MiB. 1 KiB to 1 GiB.
    pub span_bytes: usize,
}

impl ContentLimits {
    /// The preset `compact`: 1,024 characters, depth 6, 50 items, 50 keys.
    pub const COMPACT: Self =
        Self { string_length: 1024, depth: 6, array_items: 50, object_keys: 50, span_bytes: 4 << 20 };
    /// The preset `default`.
    pub const DEFAULT: Self =
        Self { string_length: 131_072, depth: 8, array_items: 50, object_keys: 50, span_bytes: 4 << 20 };

    fn preset(name: &str) -> Option<Self> {
        match name {
            "compact" => Some(Self::COMPACT),
            "default" => Some(Self::DEFAULT),
            _ => None,
        }
    }

    /// What cannot be used, by the names that the option `limits` has for it.
    pub(super) fn check(&self) -> Result<(), Error> {
        for (key, found, range) in [
            ("string_length", self.string_length, TEXT_LENGTH),
            ("depth", self.depth, DEPTH),
            ("array_items", self.array_items, ITEMS),
            ("object_keys", self.object_keys, ITEMS),
            ("span_bytes", self.span_bytes, SPAN_BYTES),
        ] {
            in_range(&format!("limits.{key}"), found, &range)?;
        }
        Ok(())
    }
}

impl Default for ContentLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Reads `limits`, `serialization_options` and `max_data_size` over what was set before.
pub(super) fn read(
    options: &Fields<'_, '_>,
    content: &mut ContentLimits,
    counts: &mut LimitSettings,
) -> Result<(), Error> {
    if let Some(value) = options.get("serialization_options") {
        let fields = Fields::of(value, &options.path("serialization_options"))?;
        fields.only(&SERIALIZATION)?;
        read_values(&fields, content)?;
    }
    if let Some(bytes) = options.read("max_data_size", COUNT, count)? {
        in_range(&options.path("max_data_size"), bytes, &SPAN_BYTES)?;
        content.span_bytes = bytes;
    }
    let Some(value) = options.get("limits") else { return Ok(()) };
    let at = options.path("limits");
    // Presets say nothing about the bytes of a span.
    let preset = |name: &str, at: &str, span_bytes: usize| {
        ContentLimits::preset(name)
            .map(|preset| ContentLimits { span_bytes, ..preset })
            .ok_or_else(|| Error::invalid_option(at, name, "compact or default"))
    };
    match value {
        Value::Str(name) => {
            *content = preset(name, &at, content.span_bytes)?;
            Ok(())
        }
        Value::Map(_) => {
            let fields = Fields::of(value, &at)?;
            fields.only(&LIMITS)?;
            if fields.get("preset").is_some() {
                *content = preset(fields.text("preset")?, &fields.path("preset"), content.span_bytes)?;
            }
            read_values(&fields, content)?;
            for (key, slot) in [
                ("attributes", &mut counts.attributes),
                ("events", &mut counts.events),
                ("links", &mut counts.links),
                ("event_attributes", &mut counts.event_attributes),
                ("link_attributes", &mut counts.link_attributes),
            ] {
                *slot = fields.read(key, COUNT, count)?.or(*slot);
            }
            Ok(())
        }
        other => Err(unexpected(&at, other, "compact, default, or a map")),
    }
}

fn read_values(fields: &Fields<'_, '_>, content: &mut ContentLimits) -> Result<(), Error> {
    for (names, slot, range) in [
        (["string_length", "max_string_length"], &mut content.string_length, TEXT_LENGTH),
        (["depth", "max_depth"], &mut content.depth, DEPTH),
        (["array_items", "max_array_length"], &mut content.array_items, ITEMS),
        (["object_keys", "max_object_keys"], &mut content.object_keys, ITEMS),
        (["span_bytes", "span_bytes"], &mut content.span_bytes, SPAN_BYTES),
    ] {
        for name in names {
            if let Some(number) = fields.read(name, COUNT, count)? {
                in_range(&fields.path(name), number, &range)?;
                *slot = number;
            }
        }
    }
    Ok(())
}

fn in_range(option: &str, found: usize, range: &RangeInclusive<usize>) -> Result<(), Error> {
    if range.contains(&found) {
        return Ok(());
    }
    let expected = format!("{} to {}", range.start(), range.end());
    Err(Error::invalid_option(option, &found.to_string(), &expected))
}

/// What is never recorded of a span, whatever its limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unrecorded {
    /// Inputs and outputs.
    pub io: bool,
    /// Names of attributes and pieces of metadata, `input`, `output`, and dotted paths into their maps.
    pub fields: Vec<String>,
}

impl Unrecorded {
    pub(super) fn check(&self) -> Result<(), Error> {
        let bad = self.fields.iter().enumerate().find(|(_, path)| path.split('.').any(str::is_empty));
        match bad {
            None => Ok(()),
            Some((place, path)) => {
                let expected = "a name, or names joined by dots";
                Err(Error::invalid_option(&format!("exclude_fields[{place}]"), path, expected))
            }
        }
    }
}
