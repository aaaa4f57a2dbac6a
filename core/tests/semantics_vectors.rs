//! Replays `tests/vectors/semantics.json`: what spans of every type are called on the wire, in both dialects,
//! and that the table of types in the file is the one in the code.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use polyspan::frame::view::{SpanView, ValueView};
use polyspan::frame::write::{self, Head};
use polyspan::frame::{EVENT_HEADER, EventKind};
use polyspan::kinds::ALIASES;
use polyspan::semantics::types::{self, TypeInfo};
use polyspan::semantics::{Dialect, WireValue, map};
use polyspan::{SpanFlags, SpanId, SpanKind, SpanType, StatusCode, TraceId, Value};
use serde_json::{Map, Value as Json, json};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/semantics.json");
/// Every case's span starts here.
const START: u64 = 1_767_225_600_000_000_000;

fn vectors() -> Json {
    serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap()
}

fn value(json: &Json) -> Value<'_> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::F64(number.as_f64().unwrap()), Value::I64)
        }
        Json::String(text) => Value::from(text),
        Json::Array(items) => Value::Array(items.iter().map(value).collect()),
        Json::Object(entries) => entries.iter().map(|(key, item)| (key.as_str(), value(item))).collect(),
    }
}

fn plain(value: ValueView<'_>) -> Json {
    match value {
        ValueView::Null => Json::Null,
        ValueView::Bool(truth) => json!(truth),
        ValueView::I64(number) => json!(number),
        ValueView::F64(number) => json!(number),
        ValueView::Str(bytes) => json!(std::str::from_utf8(bytes).unwrap()),
        ValueView::Array(items) => items.values().map(plain).collect(),
        ValueView::Bytes(_) | ValueView::Map(_) => panic!("not used in these vectors"),
    }
}

fn entries(json: &Json) -> impl Iterator<Item = (&String, &Json)> {
    json.as_object().into_iter().flatten()
}

/// The record of a case.
fn record(case: &Json) -> Vec<u8> {
    let kind = case.get("kind").map(|name| {
        (1..=5).map(SpanKind::from_wire).find(|kind| kind.as_str() == name.as_str().unwrap()).unwrap()
    });
    let mut flags = SpanFlags::empty();
    if kind.is_some() {
        flags = flags.with(SpanFlags::KIND_GIVEN);
    }
    if case["stepped"] == true {
        flags = flags.with(SpanFlags::STEPPED);
    }
    let head = Head {
        trace_id: TraceId::from_bytes([1; 16]),
        span_id: SpanId::from_bytes([2; 8]),
        start_unix_nanos: START,
        end_unix_nanos: START + 1_000_000_000,
        kind: kind.unwrap_or_default(),
        span_type: SpanType::from_name(case["type"].as_str().unwrap_or("generic")).unwrap(),
        status: if case["status"] == "error" { StatusCode::Error } else { StatusCode::Unset },
        flags,
        ..Head::default()
    };
    let mut buf = Vec::new();
    write::begin_span(&mut buf);
    write::name(&mut buf, case["name"].as_str().unwrap());
    for (key, item) in entries(&case["attributes"]) {
        write::attribute(&mut buf, key, &value(item));
    }
    if let Some(input) = case.get("input") {
        write::input_tag(&mut buf);
        write::put_value(&mut buf, &value(input));
    }
    if let Some(output) = case.get("output") {
        write::output_tag(&mut buf);
        write::put_value(&mut buf, &value(output));
    }
    for (key, item) in entries(&case["metadata"]) {
        write::metadata(&mut buf, key, &value(item));
    }
    for tag in case["tags"].as_array().into_iter().flatten() {
        write::trace_tag(&mut buf, tag.as_str().unwrap());
    }
    write::finish_span(&mut buf, EventKind::SpanEnded, 0, &head);
    buf
}

/// What a dialect makes of a case, as the file has it.
fn mapped(case: &Json, dialect: Dialect) -> Json {
    let record = record(case);
    let view = SpanView::new(&record[EVENT_HEADER..]).unwrap();
    view.check().unwrap();
    let dialect = match dialect {
        Dialect::GenAi if case["everywhere"] == true => Dialect::GenAiEverywhere,
        other => other,
    };
    let typed = view.head().span_type != SpanType::Generic;
    let changes = typed || dialect == Dialect::OpenInference || case["everywhere"] == true;
    assert_eq!(dialect.changes(&view), changes, "{}", case["case"]);
    let wire = map(&view, dialect);
    let mut attributes = Map::new();
    for (key, value) in &wire.attributes {
        let value = match value {
            WireValue::Texts(texts) => texts.iter().map(|text| plain(*text)).collect(),
            other => plain(other.view(&mut String::new()).unwrap()),
        };
        let before = attributes.insert(String::from_utf8(key.to_vec()).unwrap(), value);
        assert_eq!(before, None, "{} stands there twice", String::from_utf8_lossy(key));
    }
    json!({"name": String::from_utf8(wire.name.to_vec()).unwrap(), "kind": wire.kind.as_str(), "attributes": attributes})
}

const DIALECTS: [(&str, Dialect); 2] = [("genai", Dialect::GenAi), ("openinference", Dialect::OpenInference)];

#[test]
fn every_case_in_both_dialects() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        for (name, dialect) in DIALECTS {
            assert_eq!(mapped(case, dialect), case[name], "{}: {name}", case["case"]);
        }
    }
    for span_type in SpanType::ALL {
        assert!(cases.iter().any(|case| case["type"] == span_type.as_str()), "no case of {span_type}");
    }
}

#[test]
fn every_attribute_of_every_type_is_in_a_case() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    for info in types::all() {
        for attribute in info.all_attributes() {
            let used = cases.iter().any(|case| {
                case["type"] == info.span_type.as_str() && case["attributes"].get(attribute.name).is_some()
            });
            assert!(used, "{}: {}", info.span_type, attribute.name);
        }
    }
}

/// The table of types as the file has it.
fn table() -> Json {
    let aliases = |span_type: SpanType| -> Vec<&str> {
        ALIASES.iter().filter(|(_, of)| *of == span_type).map(|(alias, _)| *alias).collect()
    };
    let of = |info: &TypeInfo| {
        let attributes = info.all_attributes().map(|known| {
            let key = known
                .key
                .map_or_else(|| format!("polyspan.{}.{}", info.span_type, known.name), str::to_owned);
            json!({"name": known.name, "key": key, "form": format!("{:?}", known.form), "about": known.about})
        });
        json!({
            "type": info.span_type.as_str(),
            "number": info.span_type as u16,
            "aliases": aliases(info.span_type),
            "about": info.about,
            "operation": info.operation,
            "kind": info.kind.as_str(),
            "name_is": info.name_is,
            "openinference": info.openinference,
            "attributes": attributes.collect::<Vec<_>>(),
        })
    };
    types::all().map(of).collect()
}

#[test]
fn the_table_of_the_file_is_the_one_of_the_code() {
    assert_eq!(vectors()["types"], table());
}

/// After a change of the table or of what it means: `cargo test -p polyspan --test semantics_vectors --
/// --ignored`. The diff is what counts: every line of it is a name that users see.
#[test]
#[ignore = "writes tests/vectors/semantics.json anew"]
fn write_the_names_into_the_file() {
    let mut file = vectors();
    file["types"] = table();
    for case in file["cases"].as_array_mut().unwrap() {
        for (name, dialect) in DIALECTS {
            let made = mapped(case, dialect);
            case[name] = made;
        }
    }
    let mut out = String::from("{\n");
    out += &format!("  \"description\": {},\n", file["description"]);
    for part in ["types", "cases"] {
        let items: Vec<_> = file[part].as_array().unwrap().iter().map(|item| format!("    {item}")).collect();
        out += &format!(
            "  \"{part}\": [\n{}\n  ]{}\n",
            items.join(",\n"),
            if part == "types" { "," } else { "" }
        );
    }
    std::fs::write(FILE, out + "}\n").unwrap();
}
