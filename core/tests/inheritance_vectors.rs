//! Replays `tests/vectors/inheritance.json`: what spans inherit, which are left out, who their children's
//! parents are then, and what travels to other processes.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::{
    CarriedId, Current, Engine, Options, OwnedValue, SpanFlags, SpanType, Surroundings, TypeSet, Value,
};
use serde_json::{Map, Value as Json, json};

const SOON: Duration = Duration::from_secs(30);

fn value(json: &Json) -> OwnedValue {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::F64(number.as_f64().unwrap()), Value::I64)
        }
        Json::String(text) => Value::from(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(entries) => entries.iter().map(|(key, item)| (key.clone(), value(item))).collect(),
    }
}

fn plain(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => json!(truth),
        Value::I64(number) => json!(number),
        Value::F64(number) => json!(number),
        Value::Str(text) => json!(text),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => entries.iter().map(|(key, item)| (key.to_string(), plain(item))).collect(),
        Value::Bytes(_) => panic!("not used in these vectors"),
    }
}

fn entries(json: &Json) -> impl Iterator<Item = (&String, &Json)> {
    json.as_object().into_iter().flatten()
}

fn texts(json: &Json) -> impl Iterator<Item = &str> {
    json.as_array().into_iter().flatten().map(|text| text.as_str().unwrap())
}

/// What a context or span is given that everything inside inherits.
fn changed(mut around: Surroundings, given: &Json) -> Surroundings {
    for (key, item) in entries(&given["metadata"]) {
        around = around.metadata(key, value(item));
    }
    for id in CarriedId::all() {
        if let Some(text) = given[id.name()].as_str() {
            around = around.id(id, text);
        }
    }
    if given["hide_input"] == true {
        around = around.hide_input();
    }
    if given["hide_output"] == true {
        around = around.hide_output();
    }
    if let Some(context) = given.get("request_context") {
        around = around.request_context(value(context));
    }
    around = around.request_context_keys(texts(&given["request_context_keys"]));
    texts(&given["internal_spans"])
        .fold(around, |around, family| around.internal(TypeSet::of_family(family).unwrap()))
}

fn run(engine: &Engine, nodes: &Json) {
    for node in nodes.as_array().unwrap() {
        if let Some(given) = node.get("context") {
            polyspan::surrounded(
                |around| texts(&given["tags"]).fold(changed(around, given), |around, tag| around.tag(tag)),
                || run(engine, &node["inside"]),
            );
        } else if let Some(headers) = node.get("extract") {
            let carrier: HashMap<&str, &str> =
                entries(headers).map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
            let _entered = engine.extract(&carrier).enter();
            run(engine, &node["inside"]);
        } else if let Some(expected) = node.get("inject") {
            let mut carrier: BTreeMap<String, String> = BTreeMap::new();
            engine.inject(&mut carrier);
            let traceparent = carrier.remove("traceparent");
            assert_eq!(traceparent.is_some(), node["traceparent"] == true, "{node}");
            assert_eq!(&json!(carrier), expected, "{node}");
        } else {
            run_span(engine, node);
        }
    }
}

fn run_span(engine: &Engine, node: &Json) {
    let given = &node["with"];
    let now = polyspan::current();
    let mut inherited = given.clone();
    // These two are the builder's: a request context of its own is taken apart though it is no root.
    let metadata: Vec<_> =
        entries(&given["metadata"]).map(|(key, item)| (key.clone(), value(item))).collect();
    let request = given.get("request_context").map(value);
    if let Some(members) = inherited.as_object_mut() {
        members.remove("metadata");
        members.remove("request_context");
    }
    let around = Arc::new(changed(Surroundings::inside(now.surroundings.as_ref()), &inherited));
    let name = node["span"].as_str().unwrap();
    let mut builder = engine.span(name).surroundings(Some(&around));
    builder = match &now.span {
        Some(parent) if given["root"] != true => builder.parent(parent),
        _ => builder.root(),
    };
    if let Some(span_type) = given["type"].as_str() {
        builder = builder.kind_of(SpanType::from_name(span_type).unwrap());
    }
    if given["internal"] == true {
        builder = builder.internal();
    }
    if let Some(request) = &request {
        builder = builder.request_context(request);
    }
    for (key, item) in metadata {
        builder = builder.metadata(key, item);
    }
    let mut span = builder.start();
    for tag in texts(&given["tags"]) {
        span.tag(tag);
    }
    for (key, item) in entries(&given["attributes"]) {
        span.set(key, value(item));
    }
    if let Some(inside) = node.get("inside") {
        let current: Current = span.as_current();
        let _entered = current.enter();
        run(engine, inside);
    }
    span.end();
}

/// What the vectors tell of an exported span.
fn told(span: &SpanData, names: &HashMap<String, &str>) -> Json {
    let mut ids = Map::new();
    let mut attributes = Map::new();
    for (key, item) in &span.attributes {
        match CarriedId::from_key(key) {
            Some(id) => ids.insert(id.name().to_owned(), plain(item)),
            None => attributes.insert(key.clone(), plain(item)),
        };
    }
    let parent = span.parent_span_id.is_valid().then(|| span.parent_span_id.to_hex());
    let parent = parent.map(|id| names.get(&id).map_or(id.clone(), |name| (*name).to_owned()));
    let metadata: Map<_, _> = span.metadata.iter().map(|(key, item)| (key.clone(), plain(item))).collect();
    let hidden = [(SpanFlags::HIDE_INPUT, "input"), (SpanFlags::HIDE_OUTPUT, "output")];
    let hides: Vec<_> =
        hidden.iter().filter(|(flag, _)| span.flags.contains(*flag)).map(|(_, name)| name).collect();
    json!({
        "parent": parent, "ids": ids, "attributes": attributes, "metadata": metadata, "tags": span.tags,
        "hides": hides,
    })
}

fn replay(case: &Json) {
    let name = case["name"].as_str().unwrap();
    let store = MemoryStore::new();
    let options = Options::default()
        .apply(&value(&case["options"]))
        .unwrap()
        .name(name)
        .exporter(ExporterOptions::Memory(store.clone()));
    let engine = polyspan::init(options).unwrap();
    run(&engine, &case["steps"]);
    engine.flush(SOON).unwrap();
    let stats = engine.stats();
    engine.shutdown(SOON).unwrap();
    assert!(stats.adds_up(), "{name}: {stats:?}");
    let left_out = json!({"internal": stats.internal, "excluded": stats.excluded});
    assert_eq!(
        left_out,
        case.get("left_out").cloned().unwrap_or(json!({"internal": 0, "excluded": 0})),
        "{name}"
    );
    let spans = store.spans();
    let names: HashMap<String, &str> =
        spans.iter().map(|span| (span.context.span_id.to_hex(), span.name.as_str())).collect();
    let traces: std::collections::HashSet<_> = spans.iter().map(|span| span.context.trace_id).collect();
    assert_eq!(traces.len() as u64, case["traces"].as_u64().unwrap_or(1), "{name}");
    assert_eq!(spans.len(), case["spans"].as_object().unwrap().len(), "{name}");
    for span in &spans {
        let told = told(span, &names);
        let expected = &case["spans"][&span.name];
        for (key, item) in told.as_object().unwrap() {
            let nothing = match key.as_str() {
                "parent" => Json::Null,
                "tags" | "hides" => json!([]),
                _ => json!({}),
            };
            assert_eq!(item, expected.get(key).unwrap_or(&nothing), "{name}: {}: {key}", span.name);
        }
        let is_root = span.flags.contains(SpanFlags::ROOT);
        assert_eq!(is_root, !span.parent_span_id.is_valid(), "{name}: {}", span.name);
    }
}

#[test]
fn every_case() {
    let vectors: Json = serde_json::from_str(include_str!("../../tests/vectors/inheritance.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 20);
    cases.iter().for_each(replay);
}
