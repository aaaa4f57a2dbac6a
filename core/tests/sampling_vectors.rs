//! Replays `tests/vectors/sampling.json`, which every language's binding replays too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::borrow::Cow;

use polyspan::sampling::{HeadSampler, SamplingInput};
use polyspan::{SpanContext, SpanId, SpanKind, SpanType, TraceFlags, TraceId, Value};
use serde_json::Value as Json;

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../tests/vectors/sampling.json")).unwrap()
}

fn value(json: &Json) -> Value<'_> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::F64(number.as_f64().unwrap()), Value::I64)
        }
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(entries) => Value::Map(pairs(entries)),
    }
}

fn pairs(entries: &serde_json::Map<String, Json>) -> Vec<(Cow<'_, str>, Value<'_>)> {
    entries.iter().map(|(key, json)| (Cow::from(key), value(json))).collect()
}

fn kind(name: &str) -> SpanKind {
    (1..=5).map(SpanKind::from_wire).find(|kind| kind.as_str() == name).unwrap()
}

/// Asks the sampler as the vector says and compares decision and tracestate.
fn check(name: &str, sampler: &HeadSampler, input: &Json, expected: &Json) {
    let trace_id = input["trace_id"].as_str().unwrap_or("0123456789abcdef0180000000000000");
    let trace_id = TraceId::from_hex(trace_id).unwrap();
    let parent = input.get("parent").map(|parent| SpanContext {
        trace_id,
        span_id: SpanId::from_hex(parent["span_id"].as_str().unwrap()).unwrap_or(SpanId::INVALID),
        flags: TraceFlags::RANDOM.with_sampled(parent["sampled"].as_bool().unwrap()),
        state: parent["tracestate"].as_str().unwrap().parse().unwrap(),
        remote: parent["remote"].as_bool().unwrap(),
    });
    let attributes = input.get("attributes").map_or_else(Vec::new, |map| pairs(map.as_object().unwrap()));
    let request_context = input.get("request_context").map(value);
    let result = sampler.sample(&SamplingInput {
        parent: parent.as_ref(),
        kind: input["kind"].as_str().map_or(SpanKind::Internal, kind),
        span_type: input["span_type"]
            .as_str()
            .map_or(SpanType::Generic, |name| SpanType::from_name(name).unwrap()),
        attributes: &attributes,
        request_context: request_context.as_ref(),
        now_nanos: input["now_nanos"].as_u64().unwrap_or(0),
        ..SamplingInput::root(trace_id, input["span_name"].as_str().unwrap_or("span"))
    });
    assert_eq!(
        (result.decision.as_str(), result.state.header()),
        (expected["decision"].as_str().unwrap(), expected["tracestate"].as_str().unwrap()),
        "{name}"
    );
}

#[test]
fn single_decisions() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 60);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let sampler = HeadSampler::from_value(&value(&case["sampler"]))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        check(name, &sampler, &case["input"], &case["expected"]);
        // Whoever relies on `inherits` must get what the sampler itself would say.
        if sampler.inherits()
            && let Some(parent) = case["input"].get("parent")
            && parent["remote"] == false
        {
            let decision = if parent["sampled"] == true { "record_and_sample" } else { "drop" };
            assert_eq!(case["expected"]["decision"], decision, "{name}");
            assert_eq!(case["expected"]["tracestate"], parent["tracestate"], "{name}");
        }
    }
}

#[test]
fn sequences_of_decisions() {
    for sequence in vectors()["sequences"].as_array().unwrap() {
        let name = sequence["name"].as_str().unwrap();
        let sampler = HeadSampler::from_value(&value(&sequence["sampler"])).unwrap();
        for (place, step) in sequence["steps"].as_array().unwrap().iter().enumerate() {
            check(&format!("{name}, step {place}"), &sampler, step, &step["expected"]);
        }
    }
}

#[test]
fn refused_descriptions() {
    for case in vectors()["invalid"].as_array().unwrap() {
        let error = HeadSampler::from_value(&value(&case["sampler"])).unwrap_err();
        let field = case["names"].as_str().unwrap();
        assert_eq!(error.message().split(": ").next(), Some(field), "{error}");
    }
}
