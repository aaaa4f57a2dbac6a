//! Replays `tests/vectors/{ids,traceparent,tracestate,baggage,carriers}.json`, which every binding replays too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, HashMap};

use polyspan::propagation::carrier::variable_name;
use polyspan::propagation::{
    Baggage, EnvironmentGetter, EnvironmentSetter, Extracted, Getter, GetterFn, OtTraceState, Propagators,
    Setter, SetterFn, TraceContext,
};
use polyspan::{IdError, SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use serde_json::Value;

type Pairs = Vec<(String, Vec<u8>)>;

fn load(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn cases(file: &Value, list: &str) -> Vec<Value> {
    file[list].as_array().unwrap().clone()
}

/// A text of the vectors: itself, bytes in hex, or pieces repeated.
fn bytes(value: &Value) -> Vec<u8> {
    if let Some(text) = value.as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(digits) = value["hex"].as_str() {
        let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        return pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    }
    let pieces = value["repeat"].as_array().unwrap().iter();
    pieces.flat_map(|piece| bytes(&piece[0]).repeat(piece[1].as_u64().unwrap() as usize)).collect()
}

fn text(value: &Value) -> String {
    String::from_utf8(bytes(value)).unwrap()
}

fn optional(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| text(value))
}

fn pairs(value: &Value) -> Pairs {
    value.as_array().unwrap().iter().map(|pair| (text(&pair[0]), bytes(&pair[1]))).collect()
}

fn texts(value: &Value) -> Vec<Vec<String>> {
    value.as_array().unwrap().iter().map(|row| row.as_array().unwrap().iter().map(text).collect()).collect()
}

fn span(value: &Value) -> Option<SpanContext> {
    Some(SpanContext {
        trace_id: TraceId::from_hex(value["trace_id"].as_str()?).unwrap(),
        span_id: SpanId::from_hex(value["span_id"].as_str()?).unwrap(),
        flags: TraceFlags::from_bits(value["flags"].as_u64().unwrap() as u8),
        state: value["tracestate"].as_str().unwrap_or("").parse().unwrap(),
        remote: true,
    })
}

fn injected(span: &SpanContext, baggage: &Baggage) -> BTreeMap<String, String> {
    let mut carrier = BTreeMap::new();
    Propagators::default().inject(span, baggage, &mut carrier);
    carrier
}

#[test]
fn ids() {
    let file = load(include_str!("../../tests/vectors/ids.json"));
    for case in cases(&file, "cases") {
        let given = text(&case["text"]);
        let found = match case["kind"].as_str().unwrap() {
            "trace" => TraceId::from_hex(&given).map(|id| id.to_string()),
            "span" => SpanId::from_hex(&given).map(|id| id.to_string()),
            other => panic!("unknown kind {other}"),
        };
        let expected = match case["error"].as_str() {
            None => Ok(text(&case["id"])),
            Some("length") => Err(IdError::Length),
            Some("digit") => Err(IdError::Digit),
            Some("zero") => Err(IdError::Zero),
            Some(other) => panic!("unknown error {other}"),
        };
        assert_eq!(found, expected, "{}", case["name"]);
    }
    for case in cases(&file, "randomness") {
        let id = TraceId::from_hex(case["trace_id"].as_str().unwrap()).unwrap();
        assert_eq!(format!("{:014x}", id.randomness()), case["randomness"], "{}", case["name"]);
    }
}

#[test]
fn traceparent() {
    for case in cases(&load(include_str!("../../tests/vectors/traceparent.json")), "cases") {
        let name = &case["name"];
        let found = Propagators::default().extract(&pairs(&case["headers"]));
        assert_eq!(found.span, span(&case["span"]), "{name}");
        assert_eq!(u64::from(found.refused.traceparent), case["refused"], "{name}");
        let written = injected(&found.span.unwrap_or_default(), &found.baggage);
        assert_eq!(written.get("traceparent").cloned(), optional(&case["written"]), "{name}");
    }
}

#[test]
fn tracestate() {
    for case in cases(&load(include_str!("../../tests/vectors/tracestate.json")), "cases") {
        let name = &case["name"];
        let found = Propagators::default().extract(&pairs(&case["headers"]));
        assert_eq!(u64::from(found.refused.tracestate), case["refused"], "{name}");
        assert_eq!(found.span.is_some(), case["found"], "{name}");
        let mut span = found.span.unwrap_or_default();
        for step in case["steps"].as_array().unwrap_or(&Vec::new()) {
            if let Some(key) = step["delete"].as_str() {
                span.state = span.state.delete(key);
                continue;
            }
            let result = span.state.insert(&text(&step["insert"][0]), &text(&step["insert"][1]));
            assert_eq!(result.is_ok(), step["ok"], "{name}: {step}");
            span.state = result.unwrap_or(span.state);
        }
        let members: Vec<Vec<String>> =
            span.state.iter().map(|(key, value)| vec![key.to_owned(), value.to_owned()]).collect();
        assert_eq!(members, texts(&case["members"]), "{name}");
        for member in &members {
            assert_eq!(span.state.get(&member[0]), Some(member[1].as_str()), "{name}");
        }
        let written = injected(&span, &found.baggage);
        assert_eq!(written.get("tracestate").cloned(), optional(&case["written"]), "{name}");
    }
}

#[test]
fn tracestate_ot_member() {
    let hex = |value: Option<u64>| value.map(|value| format!("{value:014x}"));
    let number = |value: &Value| value.as_str().map(|digits| u64::from_str_radix(digits, 16).unwrap());
    for case in cases(&load(include_str!("../../tests/vectors/tracestate.json")), "ot") {
        let name = &case["name"];
        let value = text(&case["value"]);
        let found = OtTraceState::parse(&value);
        assert_eq!(found.is_some(), case["valid"], "{name}");
        let Some(mut ot) = found else { continue };
        assert_eq!(hex(ot.threshold()), optional(&case["threshold"]), "{name}");
        assert_eq!(hex(ot.randomness()), optional(&case["randomness"]), "{name}");
        if let Some(threshold) = case.get("set_threshold") {
            ot = ot.with_threshold(number(threshold));
        }
        if let Some(randomness) = case.get("set_randomness") {
            ot = ot.with_randomness(number(randomness).unwrap());
        }
        let state = ot.insert_into(&TraceState::EMPTY).unwrap();
        assert_eq!(state.get("ot").unwrap_or(""), text(&case["written"]), "{name}");
    }
}

fn entries(baggage: &Baggage) -> Vec<Vec<String>> {
    baggage.iter().map(|entry| vec![entry.key.clone(), entry.value.clone(), entry.metadata.clone()]).collect()
}

#[test]
fn baggage() {
    let file = load(include_str!("../../tests/vectors/baggage.json"));
    for case in cases(&file, "extract") {
        let name = &case["name"];
        let found = Propagators::default().extract(&pairs(&case["headers"]));
        assert_eq!(entries(&found.baggage), texts(&case["entries"]), "{name}");
        assert_eq!(u64::from(found.refused.baggage), case["refused"], "{name}");
        let written = injected(&SpanContext::default(), &found.baggage);
        assert_eq!(written.get("baggage").cloned(), optional(&case["written"]), "{name}");
    }
    for case in cases(&file, "inject") {
        let name = &case["name"];
        let mut baggage = Baggage::new();
        for entry in texts(&case["entries"]) {
            baggage.insert_with_metadata(&*entry[0], &*entry[1], &*entry[2]);
        }
        let mut carrier: HashMap<String, String> = HashMap::new();
        let refused = Propagators::default().inject(&SpanContext::default(), &baggage, &mut carrier);
        assert_eq!(carrier.remove("baggage"), optional(&case["written"]), "{name}");
        assert_eq!(u64::from(refused.baggage), case["refused"], "{name}");
    }
}

fn several(value: &Value) -> Vec<(String, Vec<Vec<u8>>)> {
    let row = |row: &Value| (text(&row[0]), row[1].as_array().unwrap().iter().map(bytes).collect());
    value.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn carriers_are_read() {
    for case in cases(&load(include_str!("../../tests/vectors/carriers.json")), "extract") {
        let name = &case["name"];
        let given = &case["entries"];
        let read = |carrier: &dyn Getter| Propagators::default().extract(carrier);
        let found: Vec<Extracted> = match case["kind"].as_str().unwrap() {
            "map" => vec![
                read(&pairs(given).into_iter().collect::<HashMap<_, _>>()),
                read(&pairs(given).into_iter().collect::<BTreeMap<_, _>>()),
            ],
            "multi_map" => vec![
                read(&several(given).into_iter().collect::<HashMap<_, _>>()),
                read(&several(given).into_iter().collect::<BTreeMap<_, _>>()),
            ],
            "pairs" => vec![read(&pairs(given))],
            "environment" => {
                let variables: HashMap<_, _> = pairs(given).into_iter().collect();
                vec![read(&EnvironmentGetter::new(|name| variables.get(name)))]
            }
            "functions" => {
                let headers = pairs(given);
                vec![read(&GetterFn::new(|key, each| {
                    headers.iter().filter(|(name, _)| name == key).for_each(|(_, value)| each(value));
                }))]
            }
            other => panic!("unknown kind {other}"),
        };
        for found in found {
            assert_eq!(found.span, span(&case["span"]), "{name}");
            let baggage: Vec<_> =
                found.baggage.iter().map(|e| vec![e.key.clone(), e.value.clone()]).collect();
            assert_eq!(baggage, texts(&case["baggage"]), "{name}");
        }
    }
}

#[test]
fn carriers_are_written() {
    for case in cases(&load(include_str!("../../tests/vectors/carriers.json")), "inject") {
        let name = &case["name"];
        let (before, after) = (&case["before"], &case["after"]);
        let span = span(&case["span"]).unwrap_or_default();
        let mut baggage = Baggage::new();
        for entry in texts(&case["baggage"]) {
            baggage.insert(&*entry[0], &*entry[1]);
        }
        let write = |carrier: &mut dyn Setter| Propagators::default().inject(&span, &baggage, carrier);
        match case["kind"].as_str().unwrap() {
            "map" => {
                let mut carrier: HashMap<_, _> = pairs(before).into_iter().collect();
                write(&mut carrier);
                assert_eq!(carrier, pairs(after).into_iter().collect(), "{name}");
                let mut carrier: BTreeMap<_, _> = pairs(before).into_iter().collect();
                write(&mut carrier);
                assert_eq!(carrier, pairs(after).into_iter().collect(), "{name}");
            }
            "multi_map" => {
                let mut carrier: HashMap<_, _> = several(before).into_iter().collect();
                write(&mut carrier);
                assert_eq!(carrier, several(after).into_iter().collect(), "{name}");
            }
            "pairs" => {
                let mut carrier = pairs(before);
                write(&mut carrier);
                assert_eq!(carrier, pairs(after), "{name}");
            }
            "environment" => {
                let mut carrier: HashMap<_, _> = pairs(before).into_iter().collect();
                write(&mut EnvironmentSetter::new(|name, value| {
                    carrier.insert(name.to_owned(), value.as_bytes().to_vec());
                }));
                assert_eq!(carrier, pairs(after).into_iter().collect(), "{name}");
            }
            "functions" => {
                let mut carrier = pairs(before);
                write(&mut SetterFn::new(|key, value| {
                    carrier.push((key.to_owned(), value.as_bytes().to_vec()))
                }));
                assert_eq!(carrier, pairs(after), "{name}");
            }
            other => panic!("unknown kind {other}"),
        }
    }
}

#[test]
fn fields_become_variables() {
    for case in cases(&load(include_str!("../../tests/vectors/carriers.json")), "variables") {
        assert_eq!(variable_name(case["field"].as_str().unwrap()), case["variable"]);
    }
}

#[test]
fn a_format_alone_reads_only_its_own_fields() {
    let carrier = pairs(&serde_json::json!([
        ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
        ["baggage", "k=v"]
    ]));
    let found = Propagators::none().with(Box::new(TraceContext)).extract(&carrier);
    assert!(found.span.is_some() && found.baggage.is_empty());
    assert_eq!(Propagators::none().extract(&carrier), Extracted::default());
}
