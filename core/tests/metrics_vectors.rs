//! Replays `tests/vectors/metrics.json`: spans in, data points out, through a whole engine.

#![cfg(all(feature = "metrics", feature = "otlp-http"))]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use polyspan::config::{ExporterOptions, env};
use polyspan::export::memory::MemoryStore;
use polyspan::metrics::data::{MetricData, MetricPoint, PointValue};
use polyspan::{Engine, Options, Span, SpanKind, SpanType, StatusCode, Value};
use serde_json::{Map, Value as Json, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/metrics.json");
const SOON: Duration = Duration::from_secs(30);

fn value(json: &Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::F64(number.as_f64().unwrap()), Value::I64)
        }
        Json::String(text) => Value::from(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone().into(), value(item))).collect())
        }
    }
}

fn entries(json: &Json) -> impl Iterator<Item = (&String, &Json)> {
    json.as_object().into_iter().flatten()
}

/// Starts the span of that place, and before it the one above it.
fn start(engine: &Engine, spans: &[Json], open: &mut [Option<Span>], place: usize, at: u64) {
    if open[place].is_some() {
        return;
    }
    let span = &spans[place];
    let parent = span["parent"].as_u64().map(|parent| parent as usize);
    if let Some(parent) = parent {
        start(engine, spans, open, parent, at);
    }
    let name = span["name"].as_str().unwrap();
    let mut builder = engine.span(name).start_time(at);
    builder = match parent {
        Some(parent) => builder.child_of(open[parent].as_ref().unwrap()),
        None => builder.root(),
    };
    if let Some(span_type) = span["type"].as_str() {
        builder = builder.kind_of(SpanType::from_name(span_type).unwrap());
    }
    if let Some(name) = span["kind"].as_str() {
        let kinds = (1..=5).map(SpanKind::from_wire);
        builder = builder.kind(kinds.into_iter().find(|kind| kind.as_str() == name).unwrap());
    }
    if span["internal"] == true {
        builder = builder.internal();
    }
    open[place] = Some(builder.start());
}

/// Records the spans of a case in an engine of its own.
fn record(engine: &Engine, case: &Json, at: u64) {
    let spans = case["spans"].as_array().unwrap();
    let mut open: Vec<Option<Span>> = spans.iter().map(|_| None).collect();
    for place in 0..spans.len() {
        start(engine, spans, &mut open, place, at);
        // Whoever is below it has to see it, so that it stays until all have ended.
        let span = open[place].as_mut().unwrap();
        let given = &spans[place];
        for (key, item) in entries(&given["attributes"]) {
            span.set(key, value(item));
        }
        for (key, item) in entries(&given["metadata"]) {
            span.metadata(key, value(item));
        }
        match given["status"].as_str() {
            Some("error") => span.status(StatusCode::Error, "failed"),
            Some("ok") => span.status(StatusCode::Ok, ""),
            _ => span,
        };
        if let Some(name) = given["renamed"].as_str() {
            span.rename(name);
        }
        let nanos = (given["seconds"].as_f64().unwrap() * 1e9).round() as u64;
        span.end_at(Some(at + nanos));
    }
}

fn labels(point: &MetricPoint) -> Json {
    let label = |value: &Value<'static>| match value {
        Value::Bool(truth) => json!(truth),
        Value::I64(number) => json!(number),
        Value::F64(number) => json!(number),
        Value::Str(text) => json!(text),
        other => panic!("{other:?}"),
    };
    Json::Object(point.attributes.iter().map(|(key, value)| (key.clone(), label(value))).collect())
}

/// A data point as the file has it, with as much of a histogram as is expected.
fn shown(metric: &MetricData, point: &MetricPoint, expected: &[&Json]) -> Json {
    let labels = labels(point);
    let close = |number: f64| (number * 1e9).round() / 1e9;
    let mut shown = json!({"metric": metric.name, "labels": labels});
    match &point.value {
        PointValue::Integer(number) => shown["value"] = json!(number),
        PointValue::Number(number) => shown["value"] = json!(close(*number)),
        PointValue::Histogram(histogram) => {
            shown["count"] = json!(histogram.count);
            shown["sum"] = json!(close(histogram.sum));
            if expected.iter().any(|point| point["labels"] == labels && point.get("buckets").is_some()) {
                shown["buckets"] = json!(histogram.buckets);
                shown["bounds"] = json!(histogram.bounds);
            }
        }
    }
    shown
}

/// Numbers alike whether they are whole or not, in an order of their own.
fn sorted(points: impl IntoIterator<Item = Json>) -> Vec<String> {
    fn plain(json: Json) -> Json {
        match json {
            Json::Number(number) => json!(number.as_f64().unwrap()),
            Json::Array(items) => items.into_iter().map(plain).collect(),
            Json::Object(entries) => {
                Json::Object(entries.into_iter().map(|(key, item)| (key, plain(item))).collect::<Map<_, _>>())
            }
            other => other,
        }
    }
    let mut texts: Vec<_> = points.into_iter().map(|point| plain(point).to_string()).collect();
    texts.sort();
    texts
}

fn check(case: &Json, at: u64) {
    let name = case["name"].as_str().unwrap();
    let store = MemoryStore::new();
    let mut given = case.get("options").cloned().unwrap_or_else(|| json!({}));
    given["name"] = json!(name);
    if given.get("metrics").is_none() {
        given["metrics"] = json!(true);
    }
    let options = Options::new("vectors").exporter(ExporterOptions::Memory(store.clone()));
    let options = options.apply(&value(&given)).unwrap();
    let engine = polyspan::init_with(options, &env::EnvSettings::default()).unwrap();
    record(&engine, case, at);
    engine.shutdown(SOON).unwrap();
    let collected = store.take_metrics();
    let [data] = &collected[..] else { panic!("{name}: {} collections", collected.len()) };
    let expected = case["points"].as_array().unwrap();
    for metric in expected.iter().map(|point| &point["metric"]) {
        let wanted: Vec<_> = expected.iter().filter(|point| point["metric"] == *metric).collect();
        let found = data.metrics.iter().find(|found| *metric == found.name);
        let found = found.unwrap_or_else(|| panic!("{name}: no {metric}"));
        let points = found.points.iter().map(|point| shown(found, point, &wanted));
        assert_eq!(sorted(points), sorted(wanted.iter().copied().cloned()), "{name}: {metric}");
    }
    for (metric, unit) in entries(&case["unit"]) {
        let found = data.metrics.iter().find(|found| found.name == *metric).unwrap();
        assert_eq!(unit, &found.unit, "{name}: {metric}");
        assert!(!found.description.is_empty(), "{name}: {metric}");
    }
    for metric in case["absent"].as_array().into_iter().flatten() {
        assert!(data.metrics.iter().all(|found| *metric != found.name), "{name}: {metric}");
    }
    let spans = case["spans"].as_array().unwrap().len() as u64;
    let stats = engine.stats();
    assert!(stats.adds_up(), "{name}: {stats:?}");
    assert_eq!(stats.metrics.spans, spans, "{name}");
    assert_eq!(stats.metrics.overflowed, case["overflowed"].as_u64().unwrap_or(0), "{name}");
    assert!(stats.metrics.missed.is_empty() && stats.panics == 0, "{name}: {stats:?}");
    assert_eq!(store.spans().len() as u64, case["exported"].as_u64().unwrap_or(spans), "{name}");
}

#[test]
fn every_case() {
    let vectors: Json = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let at = vectors["start"].as_str().unwrap().parse().unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        check(case, at);
    }
}
