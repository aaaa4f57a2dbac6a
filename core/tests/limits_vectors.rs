//! Replays `tests/vectors/limits.json`: what is recorded under some options, and what of it reaches an exporter.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code, reason = "other tests use the rest")]
mod vector_values;

use std::borrow::Cow;
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::frame::{SPAN_HEAD, copy};
use polyspan::{Options, OwnedValue, StatusCode, Value};
use serde_json::Value as Json;
use vector_values::{attributes, list, number, our_value, text};

/// Options as plain JSON, which a host would pass.
fn data(json: &Json) -> OwnedValue {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::F64(number.as_f64().unwrap()), Value::I64)
        }
        Json::String(text) => Value::from(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(data).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (Cow::Owned(key.clone()), data(item))).collect())
        }
    }
}

fn borrowed(pairs: &[(String, OwnedValue)]) -> Vec<(Cow<'_, str>, Value<'_>)> {
    pairs.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), value.clone())).collect()
}

/// The span as an exporter gets it, and what the engine counted as limited.
fn recorded(case: &Json) -> (SpanData, u64) {
    let store = MemoryStore::new();
    let options = Options::new("vectors")
        .name(text(&case["name"]))
        .exporter(ExporterOptions::Memory(store.clone()))
        .apply(&data(&case["options"]))
        .unwrap();
    let engine = polyspan::init(options).unwrap();
    let given = &case["span"];
    let mut span = engine.span("limited").start();
    for (key, value) in attributes(&given["attributes"]) {
        span.set(&key, value);
    }
    for (key, value) in attributes(&given["metadata"]) {
        span.metadata(&key, value);
    }
    for event in list(&given["events"]) {
        span.event_with(text(&event["name"]), None, &borrowed(&attributes(&event["attributes"])));
    }
    if let Some(input) = given.get("input") {
        span.input(our_value(input));
    }
    if let Some(output) = given.get("output") {
        span.output(our_value(output));
    }
    if let Some(message) = given.get("status_message") {
        span.status(StatusCode::Error, our_value(message).as_str().unwrap());
    }
    span.end();
    engine.flush(Duration::from_secs(20)).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up());
    assert_eq!(stats.panics, 0);
    let _ = engine.shutdown(Duration::from_secs(20));
    (store.take().pop().unwrap(), stats.limited)
}

fn same(found: &SpanData, expected: &Json, name: &str) {
    let wanted = |key: &str| expected.get(key).map(our_value);
    assert_eq!(found.attributes, attributes(&expected["attributes"]), "{name}");
    assert_eq!(found.metadata, attributes(&expected["metadata"]), "{name}");
    assert_eq!(found.input, wanted("input"), "{name}");
    assert_eq!(found.output, wanted("output"), "{name}");
    assert_eq!(found.status_message, text(&expected["status_message"]), "{name}");
    assert_eq!(u64::from(found.dropped_attributes), number(&expected["dropped_attributes"]), "{name}");
    assert_eq!(u64::from(found.dropped_events), number(&expected["dropped_events"]), "{name}");
    let events = list(&expected["events"]);
    assert_eq!(found.events.len(), events.len(), "{name}");
    for (event, wanted) in found.events.iter().zip(events) {
        assert_eq!(event.name, text(&wanted["name"]), "{name}");
        assert_eq!(event.attributes, attributes(&wanted["attributes"]), "{name}");
        assert_eq!(u64::from(event.dropped_attributes), number(&wanted["dropped_attributes"]), "{name}");
    }
}

#[test]
fn every_case() {
    let vectors: Json = serde_json::from_str(include_str!("../../tests/vectors/limits.json")).unwrap();
    assert!(list(&vectors["cases"]).len() >= 35);
    for case in list(&vectors["cases"]) {
        let name = text(&case["name"]);
        let (found, limited) = recorded(case);
        match case.get("limited") {
            Some(count) => assert_eq!(limited, number(count), "{name}"),
            None => assert!(limited > 0, "{name}"),
        }
        if let Some(kept) = case.get("kept") {
            same(&found, kept, name);
            continue;
        }
        let mut body = Vec::new();
        copy::fields(&mut body, &found);
        assert!(SPAN_HEAD + body.len() <= number(&case["bytes"]) as usize, "{name}: {}", body.len());
        let stays = &case["stays"];
        assert!(
            attributes(&stays["attributes"]).iter().all(|pair| found.attributes.contains(pair)),
            "{name}"
        );
        if let Some(input) = stays.get("input") {
            assert_eq!(found.input, Some(our_value(input)), "{name}");
        }
        if let Some(first) = case.get("first_item") {
            let Some(Value::Array(items)) = &found.input else { panic!("{name}") };
            assert_eq!(items.first(), Some(&our_value(first)), "{name}");
            assert!(items.last().unwrap().as_str().unwrap().ends_with(" more items]"), "{name}");
        }
    }
}

#[test]
fn every_error() {
    let vectors: Json = serde_json::from_str(include_str!("../../tests/vectors/limits.json")).unwrap();
    for case in list(&vectors["errors"]) {
        let name = text(&case["name"]);
        let options = Options::new("vectors").apply(&data(&case["options"]));
        let error = options.and_then(|options| options.resolve(&Default::default())).unwrap_err();
        assert_eq!(error.message().split(": ").next(), Some(text(&case["option"])), "{name}: {error}");
        assert!(error.message().contains("expected"), "{name}: {error}");
    }
}
