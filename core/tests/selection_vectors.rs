//! Replays `tests/vectors/selection.json`: which of several engines a trace goes to. Alone in its process, whose
//! registry it fills.

#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::registry::{self, Selector};
use polyspan::sampling::SamplingInput;
use polyspan::{Engine, Options, OwnedValue, SpanType, Value};
use serde_json::{Value as Json, json};

const SOON: Duration = Duration::from_secs(30);

type Asked = Arc<Mutex<Vec<String>>>;

fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

fn texts(json: &Json) -> Vec<&str> {
    list(json).map(|text| text.as_str().unwrap()).collect()
}

fn tenant(map: &Value<'_>) -> Option<String> {
    let Value::Map(entries) = map else { return None };
    let (_, value) = entries.iter().find(|(name, _)| name == "tenant")?;
    value.as_str().map(str::to_owned)
}

fn selector(given: Json, asked: Asked) -> Selector {
    Arc::new(move |root: &SamplingInput<'_>| {
        asked.lock().unwrap().push(root.name.to_owned());
        assert!(given["fails"] != true, "as the case asks for");
        match given["reads"].as_str() {
            None => given["answer"].as_str().map(str::to_owned),
            Some("request_context") => root.request_context.and_then(tenant),
            Some("type") => Some(root.span_type.to_string()),
            Some("name") => Some(root.name.to_owned()),
            Some("attributes") => {
                let (_, value) = root.attributes.iter().find(|(name, _)| name == "tenant")?;
                value.as_str().map(str::to_owned)
            }
            Some(other) => panic!("{other} is no part of a root"),
        }
    })
}

fn play(steps: &Json) {
    for step in list(steps) {
        let Some(name) = step["span"].as_str() else {
            let tenant: OwnedValue = Value::from(step["context"]["tenant"].as_str().unwrap().to_owned());
            let request: OwnedValue = [("tenant".to_owned(), tenant)].into_iter().collect();
            polyspan::surrounded(|around| around.request_context(request), || play(&step["inside"]));
            continue;
        };
        let engine: Option<Engine> = step["engine"].as_str().map(|name| registry::engine(name).unwrap());
        let mut builder = engine.as_ref().map_or_else(|| polyspan::span(name), |engine| engine.span(name));
        if step["root"] == true {
            builder = builder.root();
        }
        if let Some(span_type) = step["type"].as_str() {
            builder = builder.kind_of(SpanType::from_name(span_type).unwrap());
        }
        if let Some(tenant) = step["attributes"]["tenant"].as_str() {
            builder = builder.attribute("tenant", tenant);
        }
        let span = builder.start();
        let _entered = span.as_current().enter();
        play(&step["inside"]);
    }
}

fn replay(case: &Json) {
    let name = &case["name"];
    let started: Vec<(Engine, MemoryStore)> = texts(&case["engines"])
        .into_iter()
        .map(|name| {
            let store = MemoryStore::new();
            let options = Options::new(name).name(name).exporter(ExporterOptions::Memory(store.clone()));
            (polyspan::init(options).unwrap(), store)
        })
        .collect();
    if let Some(default) = case["default"].as_str() {
        registry::set_default(default).unwrap();
    }
    let asked = Asked::default();
    if let Some(given) = case.get("selector") {
        registry::set_selector(Some(selector(given.clone(), Arc::clone(&asked))));
    }
    for stopped in texts(&case["stopped"]) {
        registry::engine(stopped).unwrap().shutdown(SOON).unwrap();
    }
    play(&case["spans"]);
    registry::set_selector(None);

    let mut goes = BTreeMap::new();
    for (engine, store) in &started {
        engine.shutdown(SOON).unwrap();
        assert!(engine.stats().adds_up(), "{name}");
        let mut spans: Vec<_> = store.spans().into_iter().map(|span| span.name).collect();
        spans.sort_unstable();
        if !spans.is_empty() {
            goes.insert(engine.name().to_owned(), spans);
        }
    }
    let mut expected: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (engine, spans) in case["goes"].as_object().unwrap() {
        let mut spans = texts(spans);
        spans.sort_unstable();
        expected.insert(engine.clone(), spans);
    }
    assert_eq!(json!(goes), json!(expected), "{name}");
    if let Some(expected) = case.get("asked") {
        assert_eq!(&json!(*asked.lock().unwrap()), expected, "{name}");
    }
}

#[test]
fn every_case() {
    let vectors: Json = serde_json::from_str(include_str!("../../tests/vectors/selection.json")).unwrap();
    let cases: Vec<_> = list(&vectors["cases"]).collect();
    assert!(cases.len() >= 15);
    cases.into_iter().for_each(replay);
}
