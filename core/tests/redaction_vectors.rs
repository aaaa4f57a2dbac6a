//! Replays `tests/vectors/redaction.json` on the redactor itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use polyspan::privacy::{Redaction, Redactor};
use polyspan::value::{OwnedValue, Value};
use serde_json::Value as Json;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/redaction.json");

fn cases(list: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    file[list].as_array().unwrap().clone()
}

fn value(json: &Json) -> OwnedValue {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number.as_i64().map_or(Value::F64(number.as_f64().unwrap()), Value::I64),
        Json::String(text) => Value::from(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone().into(), value(item))).collect())
        }
    }
}

/// What the redactor makes of a case, and what it was to make.
fn both(redactor: &Redactor, case: &Json) -> (OwnedValue, OwnedValue) {
    if let Some(text) = case["text"].as_str() {
        let expected = case.get("expected").unwrap_or(&case["text"]);
        return (Value::from(redactor.text(text).into_owned()), value(expected));
    }
    let given = value(&case["value"]);
    let expected = value(case.get("expected").unwrap_or(&case["value"]));
    (redactor.value(case["key"].as_str().unwrap(), &given).unwrap_or(given), expected)
}

fn replay(list: &str) {
    let redactor = Redactor::new(&Redaction::new()).unwrap();
    let mut wrong = Vec::new();
    for case in cases(list) {
        let (found, expected) = both(&redactor, &case);
        if found != expected {
            wrong.push(format!("{}\n  found    {found:?}\n  expected {expected:?}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn secrets_are_replaced() {
    replay("redacted");
}

#[test]
fn what_is_harmless_is_left() {
    replay("left");
}
