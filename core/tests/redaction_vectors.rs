//! Replays `tests/vectors/redaction.json`: on the redactor itself, and on spans that go through an engine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::privacy::{Redaction, Redactor};
use polyspan::value::{OwnedValue, Value};
use polyspan::{ErrorCode, Options, StatusCode};
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
        Json::Number(number) => number.as_i64().map_or_else(|| number.as_f64().unwrap().into(), Value::I64),
        Json::String(text) => Value::from(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone().into(), value(item))).collect())
        }
    }
}

/// The name, the value under it, and what is to become of it. A text stands under a name that says nothing.
fn parts(case: &Json) -> (String, OwnedValue, OwnedValue) {
    let given = case.get("text").unwrap_or(&case["value"]);
    let expected = case.get("expected").unwrap_or(given);
    (case["key"].as_str().unwrap_or("note").to_owned(), value(given), value(expected))
}

struct Wrong(Vec<String>);

impl Wrong {
    fn expect(&mut self, case: &Json, place: &str, found: &OwnedValue, expected: &OwnedValue) {
        if found != expected {
            self.0.push(format!("{} ({place})\n  found    {found:?}\n  expected {expected:?}", case["name"]));
        }
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        if !self.0.is_empty() && !std::thread::panicking() {
            panic!("{} wrong:\n{}", self.0.len(), self.0.join("\n"));
        }
    }
}

fn replay(redactor: &Redactor, case: &Json, wrong: &mut Wrong) {
    let (key, given, expected) = parts(case);
    let found = redactor.value(&key, &given).unwrap_or_else(|| given.clone());
    wrong.expect(case, "value", &found, &expected);
    let again = redactor.value(&key, &found).unwrap_or(found);
    wrong.expect(case, "again", &again, &expected);
    if case.get("text").is_some() {
        let found = Value::from(redactor.text(given.as_str().unwrap()).into_owned());
        wrong.expect(case, "text", &found, &expected);
    }
}

#[test]
fn the_redactor_replaces_secrets_and_leaves_the_rest() {
    let redactor = Redactor::new(&Redaction::new()).unwrap();
    let mut wrong = Wrong(Vec::new());
    for case in cases("redacted").iter().chain(&cases("left")) {
        replay(&redactor, case, &mut wrong);
    }
}

fn engine(case: &Json, store: &MemoryStore) -> Result<polyspan::Engine, polyspan::Error> {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut options =
        Options::new("s").name(format!("redaction {count}")).exporter(ExporterOptions::Memory(store.clone()));
    if let Some(redaction) = case.get("redaction") {
        options = options.apply(&Value::Map(vec![("redaction".into(), value(redaction))]))?;
    }
    polyspan::init(options)
}

/// Writes the value wherever a span can hold one.
fn record(engine: &polyspan::Engine, key: &str, given: &OwnedValue) {
    let mut span = engine.span(given.as_str().unwrap_or("name")).start();
    span.set(key, given.clone()).metadata(key, given.clone());
    span.event_with(given.as_str().unwrap_or("event"), None, &[(key.to_owned().into(), given.clone())]);
    span.link(&span.context().clone(), &[(key.to_owned().into(), given.clone())]);
    let inside = Value::Map(vec![(key.to_owned().into(), given.clone())]);
    span.input(inside.clone()).output(Value::Array(vec![inside]));
    if let Some(text) = given.as_str() {
        span.tag(text).status(StatusCode::Error, text);
    }
    span.end();
}

fn compare(case: &Json, span: &SpanData, wrong: &mut Wrong) {
    let (key, given, expected) = parts(case);
    let inside = Value::Map(vec![(key.clone().into(), expected.clone())]);
    wrong.expect(case, "attribute", &span.attributes[0].1, &expected);
    wrong.expect(case, "metadata", &span.metadata[0].1, &expected);
    wrong.expect(case, "event", &span.events[0].attributes[0].1, &expected);
    wrong.expect(case, "link", &span.links[0].attributes[0].1, &expected);
    wrong.expect(case, "input", span.input.as_ref().unwrap(), &inside);
    wrong.expect(case, "output", span.output.as_ref().unwrap(), &Value::Array(vec![inside]));
    if case.get("text").is_some() && given.as_str().is_some() {
        for (place, text) in [
            ("name", &span.name),
            ("status", &span.status_message),
            ("tag", &span.tags[0]),
            ("event name", &span.events[0].name),
        ] {
            wrong.expect(case, place, &Value::from(text.clone()), &expected);
        }
    }
}

#[test]
fn no_secret_leaves_an_engine_and_nothing_else_is_lost() {
    let store = MemoryStore::new();
    let engine = engine(&Json::Null, &store).unwrap();
    let mut wrong = Wrong(Vec::new());
    for case in cases("redacted").iter().chain(&cases("left")) {
        let (key, given, _) = parts(case);
        record(&engine, &key, &given);
        engine.flush(Duration::from_secs(10)).unwrap();
        compare(case, &store.take()[0], &mut wrong);
    }
    let stats = engine.stats();
    assert!(stats.adds_up() && stats.redacted > 1000, "{stats:?}");
    assert_eq!((stats.redaction_failures, stats.panics), (0, 0));
}

#[test]
fn options_change_what_is_replaced_and_how() {
    let mut wrong = Wrong(Vec::new());
    for case in cases("configured") {
        let store = MemoryStore::new();
        let engine = engine(&case, &store).unwrap();
        let (key, given, _) = parts(&case);
        record(&engine, &key, &given);
        engine.shutdown(Duration::from_secs(10)).unwrap();
        compare(&case, &store.take()[0], &mut wrong);
    }
}

#[test]
fn options_that_cannot_be_used_are_named() {
    for case in cases("invalid") {
        let error = engine(&case, &MemoryStore::new()).expect_err(case["name"].as_str().unwrap());
        assert_eq!(error.code(), ErrorCode::InvalidOption);
        let named = format!("{}:", case["names"].as_str().unwrap());
        assert!(error.message().starts_with(&named), "{}: {}", case["name"], error.message());
    }
}
