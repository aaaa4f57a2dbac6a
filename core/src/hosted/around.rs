//! What spans inside a context inherit: a host says what is added, the engine what follows from it.

use std::sync::Arc;

use super::wire::read_value;
use crate::carried::CarriedId;
use crate::current::{MAX_INHERITED, Surroundings};
use crate::kinds::TypeSet;
use crate::propagation::Baggage;
use crate::value::Value;

/// What is inherited inside `outer` once a context or span adds what `added` holds, and how much of it cannot be used.
/// Bytes that are no map add nothing, and count as one thing that cannot be used.
///
/// `added` is the bytes of a map: ids by the names that applications use, `hide_input`, `hide_output`, `internal_spans`,
/// `request_context`, `request_context_keys`, `attributes`, `metadata`, `tags`, and `baggage` as a list of keys, values
/// and properties (pairs have these in the value), which goes before what was there, or instead of it with
/// `replace_baggage`.
pub fn surround(outer: Option<&Arc<Surroundings>>, added: &[u8]) -> (Surroundings, u32) {
    let mut around = Surroundings::inside(outer);
    let Some(Value::Map(entries)) = read_value(added) else { return (around, 1) };
    let mut refused = 0;
    let replaces = entries.iter().any(|(name, _)| name == "replace_baggage");
    for (name, value) in &entries {
        around = match name.as_ref() {
            "baggage" => with_baggage(around, value, replaces),
            name => apply(around, name, value, &mut refused),
        };
    }
    (around, refused)
}

/// Baggage, flat: key, value, properties, and so on.
pub fn flat_baggage(baggage: &Baggage) -> Vec<String> {
    baggage
        .iter()
        .flat_map(|entry| [entry.key.clone(), entry.value.clone(), entry.metadata.clone()])
        .collect()
}

fn apply(around: Surroundings, name: &str, value: &Value<'static>, refused: &mut u32) -> Surroundings {
    if let Some(id) = CarriedId::from_name(name) {
        return match value.as_str() {
            Some(text) => around.id(id, text),
            None => around,
        };
    }
    match (name, value) {
        ("hide_input", Value::Bool(true)) => around.hide_input(),
        ("hide_output", Value::Bool(true)) => around.hide_output(),
        ("internal_spans", value) => texts(value).fold(around, |around, family| {
            match TypeSet::of_family(&family.to_ascii_lowercase()) {
                Some(types) => around.internal(types),
                None => {
                    *refused += 1;
                    around
                }
            }
        }),
        ("request_context", value) => around.request_context(value.clone()),
        ("request_context_keys", value) => around.request_context_keys(texts(value)),
        ("attributes", Value::Map(entries)) => {
            first(entries, refused).fold(around, |around, (key, value)| around.attribute(key, value.clone()))
        }
        ("metadata", Value::Map(entries)) => {
            first(entries, refused).fold(around, |around, (key, value)| around.metadata(key, value.clone()))
        }
        ("tags", value) => texts(value).take(MAX_INHERITED).fold(around, Surroundings::tag),
        _ => around,
    }
}

/// As many as spans may inherit; what is left out is refused.
fn first<'a, T>(entries: &'a [T], refused: &mut u32) -> impl Iterator<Item = &'a T> {
    let more = entries.len().saturating_sub(MAX_INHERITED);
    *refused = refused.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
    entries.iter().take(MAX_INHERITED)
}

fn texts<'a>(value: &'a Value<'static>) -> impl Iterator<Item = &'a str> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    items.iter().filter_map(Value::as_str)
}

fn with_baggage(around: Surroundings, entries: &Value<'_>, replaces: bool) -> Surroundings {
    let mut baggage = if replaces { Baggage::new() } else { around.baggage().clone() };
    if let Value::Array(entries) = entries {
        for entry in entries {
            let Value::Array(parts) = entry else { continue };
            let mut parts = parts.iter().filter_map(Value::as_str);
            match (parts.next(), parts.next(), parts.next()) {
                (Some(key), Some(value), Some(properties)) => {
                    baggage.insert_with_metadata(key, value, properties);
                }
                (Some(key), Some(value), None) => put_joined(&mut baggage, key, value),
                _ => {}
            }
        }
    }
    around.with_baggage(baggage)
}

/// The properties of an entry may stand behind its value; a semicolon that begins none belongs to the value.
fn put_joined(baggage: &mut Baggage, key: &str, value: &str) {
    if let Some((front, properties)) = value.split_once(';') {
        let mut alone = Baggage::new();
        alone.insert_with_metadata(key, front, properties);
        if alone.to_header().1 == 0 {
            baggage.insert_with_metadata(key, front, properties);
            return;
        }
    }
    baggage.insert(key, value);
}
