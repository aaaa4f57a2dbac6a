//! How the files of `tests/vectors` write down values, ids and spans (README there), read into the engine's types.

use polyspan::{OwnedValue, SpanContext, SpanId, SpanKind, StatusCode, TraceFlags, TraceId, Value};
use serde_json::Value as Json;

pub fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub fn text(value: &Json) -> &str {
    value.as_str().unwrap_or("")
}

pub fn number(value: &Json) -> u64 {
    value.as_u64().unwrap_or(0)
}

pub fn nanos(value: &Json) -> u64 {
    text(value).parse().unwrap()
}

pub fn unhex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn double(value: &Json) -> f64 {
    value.as_f64().unwrap_or_else(|| text(value).parse().unwrap())
}

pub fn long_text(pieces: &Json) -> String {
    list(pieces).iter().map(|piece| text(&piece[0]).repeat(number(&piece[1]) as usize)).collect()
}

/// The single member of an object that stands for a value.
pub fn tagged(value: &Json) -> (&str, &Json) {
    let members = value.as_object().unwrap();
    assert_eq!(members.len(), 1, "{value}");
    members.iter().map(|(tag, value)| (tag.as_str(), value)).next().unwrap()
}

/// A value as spans take it.
pub fn our_value(value: &Json) -> OwnedValue {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::String(text) => Value::from(text.clone()),
        many if many.get("array_of").is_some() => {
            let of = &many["array_of"];
            let mut items = vec![our_value(&of[0]); number(&of[1]) as usize];
            items.extend(many.get("then").map(our_value));
            Value::Array(items)
        }
        many if many.get("map_of").is_some() => {
            let of = &many["map_of"];
            let keys = (0..number(&of[1])).map(|place| format!("k{place}"));
            let then =
                many.get("then").map(|entry| (text(&entry[0]).to_owned().into(), our_value(&entry[1])));
            Value::Map(keys.map(|key| (key.into(), our_value(&of[0]))).chain(then).collect())
        }
        tagged_value => match tagged(tagged_value) {
            ("int", digits) => Value::I64(text(digits).parse().unwrap()),
            ("double", number) => Value::F64(double(number)),
            ("bytes", digits) => Value::Bytes(unhex(text(digits)).into()),
            ("repeat", pieces) => Value::from(long_text(pieces)),
            ("array", items) => Value::Array(list(items).iter().map(our_value).collect()),
            ("map", entries) => Value::Map(
                list(entries)
                    .iter()
                    .map(|entry| (text(&entry[0]).to_owned().into(), our_value(&entry[1])))
                    .collect(),
            ),
            (tag, _) => panic!("{tag} is no tag of a value"),
        },
    }
}

pub fn attributes(entries: &Json) -> Vec<(String, OwnedValue)> {
    list(entries).iter().map(|entry| (text(&entry[0]).to_owned(), our_value(&entry[1]))).collect()
}

pub fn context(of: &Json) -> SpanContext {
    SpanContext {
        trace_id: TraceId::from_hex(text(&of["trace_id"])).unwrap(),
        span_id: SpanId::from_hex(text(&of["span_id"])).unwrap(),
        flags: TraceFlags::from_bits(number(&of["flags"]) as u8),
        state: text(&of["tracestate"]).parse().unwrap(),
        remote: of["remote"].as_bool().unwrap_or(false),
    }
}

pub fn kind(span: &Json) -> SpanKind {
    let kinds =
        [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    match span["kind"].as_str() {
        Some(name) => kinds.into_iter().find(|kind| kind.as_str() == name).unwrap(),
        None => SpanKind::Internal,
    }
}

pub fn status(span: &Json) -> StatusCode {
    match text(&span["status"]) {
        "" => StatusCode::Unset,
        "ok" => StatusCode::Ok,
        "error" => StatusCode::Error,
        other => panic!("{other} is no status"),
    }
}
