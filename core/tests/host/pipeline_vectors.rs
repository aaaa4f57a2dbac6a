//! Replays `tests/vectors/pipeline.json`: the order of the stages between a span's end and the exporters.

use std::collections::HashMap;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::frame::view::SpanView;
use polyspan::frame::write::{self, Head};
use polyspan::frame::{EVENT_HEADER, EventKind, copy};
use polyspan::host::{HostJob, HostTask, Verdict};
use polyspan::{OwnedValue, Span, SpanType, Surroundings, Value};
use serde_json::Value as Json;

use crate::harness::{LONG, handler, options, port};

/// Options, attributes and values as plain JSON.
fn data(json: &Json) -> OwnedValue {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::I64(number.as_i64().unwrap()),
        Json::String(text) => Value::from(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(data).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone().into(), data(item))).collect())
        }
    }
}

fn pairs(json: &Json) -> Vec<(String, OwnedValue)> {
    let entries = json.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), data(value))).collect()
}

fn set(span: &mut SpanData, key: &str, value: impl Into<OwnedValue>) {
    span.attributes.retain(|(known, _)| known != key);
    span.attributes.push((key.to_owned(), value.into()));
}

fn length(value: Option<&OwnedValue>) -> i64 {
    value.and_then(Value::as_str).map_or(0, str::len) as i64
}

fn attribute<'a>(span: &'a SpanData, key: &str) -> Option<&'a OwnedValue> {
    span.attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value)
}

/// What became of a span at a processor.
enum Done {
    Kept,
    LeftOut,
    Failed,
}

fn process(name: &str, span: &mut SpanData, head: &mut Head) -> Done {
    match name {
        "fails" => {
            set(span, "half", true);
            return Done::Failed;
        }
        "becomes_tool" => head.span_type = SpanType::Tool,
        "first" | "second" => {
            let before = attribute(span, "order").and_then(Value::as_str).unwrap_or("").to_owned();
            set(span, "order", format!("{before} {name}").trim().to_owned());
        }
        "drops_health" if span.name == "GET /healthz" => return Done::LeftOut,
        "drops_health" => {}
        "copies_password" => {
            let length = length(attribute(span, "password"));
            set(span, "length", length);
        }
        "counts_input" => {
            let length = length(span.input.as_ref());
            set(span, "length", length);
        }
        "adds_password" => set(span, "password", "hunter2"),
        "adds_text" => span.output = Some("abcdefghijklmnopqrstuvwxyz".into()),
        other => panic!("{other} is no processor"),
    }
    Done::Kept
}

/// `None` if it fails.
fn keeps(name: &str, span: &SpanData) -> Option<bool> {
    Some(match name {
        "fails" => return None,
        "keeps_redacted" => attribute(span, "password").and_then(Value::as_str) == Some("[REDACTED]"),
        "keeps_short" => {
            span.output.as_ref().and_then(Value::as_str).is_some_and(|text| text.chars().count() < 20)
        }
        "no_noise" => span.name != "noise",
        other => panic!("{other} is no filter"),
    })
}

/// A host with those processors, as bindings have it.
fn processing(names: Vec<String>) -> impl Fn(HostJob) + Send + Sync {
    move |mut job| {
        if job.task() != HostTask::Process {
            return job.done();
        }
        let mut failures = 0;
        let mut judge = |body: &[u8], mut span: SpanData| {
            let mut head = *SpanView::new(body).unwrap().head();
            for name in &names {
                match process(name, &mut span, &mut head) {
                    Done::Kept => {}
                    Done::LeftOut => return Verdict::Drop,
                    Done::Failed => failures += 1,
                }
            }
            let mut event = Vec::new();
            write::begin_span(&mut event);
            copy::fields(&mut event, &span);
            write::finish_span(&mut event, EventKind::SpanEnded, 0, &head);
            Verdict::Replace(event.split_off(EVENT_HEADER))
        };
        let verdicts =
            job.batch().records().map(|record| judge(record.body, record.to_data().unwrap())).collect();
        job.count_failures(failures);
        job.judged(verdicts);
    }
}

fn filtering(name: String) -> impl Fn(HostJob) + Send + Sync {
    move |mut job| {
        if job.task() != HostTask::Filter {
            return job.done();
        }
        let kept: Vec<_> =
            job.batch().records().map(|record| keeps(&name, &record.to_data().unwrap())).collect();
        job.count_failures(kept.iter().filter(|kept| kept.is_none()).count() as u64);
        let verdict = |kept: Option<bool>| if kept == Some(false) { Verdict::Drop } else { Verdict::Keep };
        job.judged(kept.into_iter().map(verdict).collect());
    }
}

fn record(engine: &polyspan::Engine, spans: &Json) {
    let mut open: Vec<Span> = Vec::new();
    for given in spans.as_array().unwrap() {
        let name = given["name"].as_str().unwrap();
        let parent = given["parent"].as_u64().map(|at| &open[at as usize]);
        let mut around = Surroundings::inside(parent.and_then(Span::surroundings));
        if given["hide_input"] == true {
            around = around.hide_input();
        }
        if given["hide_output"] == true {
            around = around.hide_output();
        }
        let around = std::sync::Arc::new(around);
        let mut builder = engine.span(name);
        builder = match parent {
            Some(parent) => builder.child_of(parent),
            None => builder.root(),
        };
        builder = builder.surroundings(Some(&around));
        if let Some(name) = given["type"].as_str() {
            builder = builder.kind_of(SpanType::from_name(name).unwrap());
        }
        if given["internal"] == true {
            builder = builder.internal();
        }
        for (key, value) in pairs(&given["metadata"]) {
            builder = builder.metadata(key, value);
        }
        let mut span = builder.start();
        for (key, value) in pairs(&given["attributes"]) {
            span.set(&key, value);
        }
        if let Some(input) = given.get("input") {
            span.input(data(input));
        }
        if let Some(output) = given.get("output") {
            span.output(data(output));
        }
        open.push(span);
    }
    while let Some(mut span) = open.pop() {
        span.end();
    }
}

fn sorted(mut pairs: Vec<(String, OwnedValue)>) -> Vec<(String, OwnedValue)> {
    pairs.sort_by(|left, right| left.0.cmp(&right.0));
    pairs
}

/// How many spans metrics have counted, by name and type.
#[cfg(feature = "metrics")]
fn calls(store: &MemoryStore) -> std::collections::BTreeMap<String, i64> {
    use polyspan::metrics::data::PointValue;
    let collected = store.metrics().pop().unwrap();
    let calls = collected.metrics.iter().find(|metric| metric.name == "traces.span.metrics.calls").unwrap();
    let counts = calls.points.iter().map(|point| {
        let label =
            |key: &str| point.attributes.iter().find(|(known, _)| known == key).unwrap().1.as_str().unwrap();
        let PointValue::Integer(count) = point.value else { panic!("{point:?}") };
        (format!("{} {}", label("span.name"), label("polyspan.span.type")), count)
    });
    counts.collect()
}

#[test]
fn every_case() {
    let vectors: Json = serde_json::from_str(include_str!("../../../tests/vectors/pipeline.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 20);
    // Metrics are a feature.
    for case in cases.iter().filter(|case| cfg!(feature = "metrics") || case.get("calls").is_none()) {
        let name = case["name"].as_str().unwrap();
        let (port, _) = port();
        let store = MemoryStore::new();
        let mut options = options().exporter(ExporterOptions::Memory(store.clone()));
        if case.get("options").is_some() {
            options = options.apply(&data(&case["options"])).unwrap();
        }
        if let Some(names) = case["processors"].as_array() {
            let names = names.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
            options = options.processors(handler(&port, processing(names)));
        }
        if let Some(filter) = case["filter"].as_str() {
            options = options.span_filter(handler(&port, filtering(filter.to_owned())));
        }
        let engine = polyspan::init(options).unwrap();
        record(&engine, &case["spans"]);
        engine.flush(LONG).unwrap();
        let stats = engine.stats();
        engine.shutdown(LONG).unwrap();
        assert!(stats.adds_up(), "{name}: {stats:?}");

        #[cfg(feature = "metrics")]
        if let Some(wanted) = case["calls"].as_object() {
            let wanted = wanted.iter().map(|(name, count)| (name.clone(), count.as_i64().unwrap())).collect();
            assert_eq!(calls(&store), wanted, "{name}");
        }
        let mut spans = store.take();
        spans.sort_by(|left, right| left.name.cmp(&right.name));
        let names: HashMap<_, _> =
            spans.iter().map(|span| (span.context.span_id, span.name.clone())).collect();
        let exported = case["exported"].as_array().unwrap();
        assert_eq!(spans.len(), exported.len(), "{name}: {names:?}");
        for (span, wanted) in spans.iter().zip(exported) {
            let value = |key: &str| wanted.get(key).map(data);
            assert_eq!(wanted["name"], span.name, "{name}");
            assert_eq!(sorted(span.attributes.clone()), sorted(pairs(&wanted["attributes"])), "{name}");
            assert_eq!(sorted(span.metadata.clone()), sorted(pairs(&wanted["metadata"])), "{name}");
            assert_eq!((&span.input, &span.output), (&value("input"), &value("output")), "{name}");
            assert_eq!(
                names.get(&span.parent_span_id).map(String::as_str),
                wanted["parent"].as_str(),
                "{name}"
            );
            if let Some(span_type) = wanted["type"].as_str() {
                assert_eq!(span.span_type.as_str(), span_type, "{name}");
            }
        }
        let counts = [
            ("ended", stats.ended),
            ("internal", stats.internal),
            ("excluded", stats.excluded),
            ("filtered", stats.filtered),
            ("accepted", stats.accepted),
            ("redacted", stats.redacted),
            ("limited", stats.limited),
            ("host_errors", stats.host_errors),
        ];
        for (count, wanted) in case["counts"].as_object().into_iter().flatten() {
            let found = counts.iter().find(|(known, _)| known == count).unwrap().1;
            assert_eq!(wanted.as_u64(), Some(found), "{name}: {count}");
        }
    }
}
