//! `submitted`: any bytes, handed to a running engine as a frame, are exported or counted, and no text that leaves it
//! holds what the redaction finds.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::privacy::{Redaction, Redactor};
use polyspan::value::OwnedValue;
use polyspan::{Engine, Options, Value};

struct Running {
    engine: Engine,
    store: MemoryStore,
}

/// One that hides internal spans, which writes whatever comes after the first of them with its texts in place, and one
/// that passes on what comes as it is.
static RUNNING: LazyLock<[Running; 2]> = LazyLock::new(|| {
    ["hides", "passes"].map(|name| {
        let store = MemoryStore::new();
        let options = Options::new("fuzz").name(name).include_internal_spans(name == "passes");
        let engine = polyspan::init(options.exporter(ExporterOptions::Memory(store.clone())));
        Running { engine: engine.expect("options that hold"), store }
    })
});

static REDACTOR: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::new(&Redaction::new()).expect("the defaults"));

fn assert_clean_text(text: &str) {
    assert_eq!(REDACTOR.text(text), text, "left the engine");
}

/// A name and its value may stand in a key (`token=`), a secret that shows by its form may not.
fn assert_clean_key(key: &str) {
    let map = Value::Map(vec![(key.to_owned().into(), Value::Null)]);
    assert_eq!(REDACTOR.value("", &map), None, "left the engine");
}

fn assert_clean(value: &OwnedValue) {
    match value {
        Value::Str(text) => assert_clean_text(text),
        Value::Array(items) => items.iter().for_each(assert_clean),
        Value::Map(items) => items.iter().for_each(|(key, item)| {
            assert_clean_key(key);
            assert_clean(item);
        }),
        _ => {}
    }
}

fn assert_clean_span(span: &SpanData) {
    [&span.name, &span.status_message].into_iter().chain(&span.tags).for_each(|text| assert_clean_text(text));
    let events = span.events.iter().flat_map(|event| &event.attributes);
    let links = span.links.iter().flat_map(|link| &link.attributes);
    for (key, value) in span.attributes.iter().chain(&span.metadata).chain(events).chain(links) {
        assert_clean_key(key);
        assert_clean(value);
    }
    span.events.iter().for_each(|event| assert_clean_text(&event.name));
    span.input.iter().chain(&span.output).for_each(assert_clean);
}

fuzz_target!(|frame: &[u8]| {
    for Running { engine, store } in &*RUNNING {
        engine.submit(frame, 1);
        engine.flush(Duration::from_secs(10)).expect("the exporter is memory");
        for span in store.take() {
            assert_clean_span(&span);
        }
        let stats = engine.stats();
        assert!(stats.adds_up(), "{stats:?}");
        assert_eq!(stats.pending, 0);
    }
});
