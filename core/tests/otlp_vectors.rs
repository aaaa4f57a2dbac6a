//! Replays `tests/vectors/otlp.json`: each span is written as a frame and encoded; the request's bytes must be
//! those of the file, and must mean what the case says to `opentelemetry-proto`'s generated types.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod vector_values;

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyKind;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use polyspan::export::Encoder;
use polyspan::export::otlp::encode::OtlpEncoder;
use polyspan::frame::record::{RecordContext, Resource, Scope};
use polyspan::frame::view::SpanView;
use polyspan::frame::write::{self, AttributeList, Head};
use polyspan::frame::{EVENT_HEADER, EventKind};
use polyspan::{SpanFlags, SpanId, SpanType, StatusCode};
use prost::Message;
use serde_json::Value as Json;
use vector_values::{
    attributes, context, double, hex, kind, list, long_text, nanos, number, our_value, status, tagged, text,
    unhex,
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/otlp.json");

fn cases() -> Vec<Json> {
    let file: Json = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// The same value as OTLP has it, made without any code under test.
fn any_value(value: &Json) -> AnyValue {
    let kind = match value {
        Json::Null => None,
        Json::Bool(value) => Some(AnyKind::BoolValue(*value)),
        Json::String(text) => Some(AnyKind::StringValue(text.clone())),
        tagged_value => Some(match tagged(tagged_value) {
            ("int", digits) => AnyKind::IntValue(text(digits).parse().unwrap()),
            ("double", number) => AnyKind::DoubleValue(double(number)),
            ("bytes", digits) => AnyKind::BytesValue(unhex(text(digits))),
            ("repeat", pieces) => AnyKind::StringValue(long_text(pieces)),
            ("array", items) => {
                AnyKind::ArrayValue(ArrayValue { values: list(items).iter().map(any_value).collect() })
            }
            ("map", entries) => AnyKind::KvlistValue(KeyValueList { values: key_values(entries) }),
            (tag, _) => panic!("{tag} is no tag of a value"),
        }),
    };
    AnyValue { value: kind }
}

fn key_value(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

fn key_values(entries: &Json) -> Vec<KeyValue> {
    list(entries).iter().map(|entry| key_value(text(&entry[0]), any_value(&entry[1]))).collect()
}

/// The event of a span, as the thread that ends it writes it.
fn frame(span: &Json) -> Vec<u8> {
    let own = context(span);
    let parent = span["parent_span_id"].as_str().map(|id| SpanId::from_hex(id).unwrap());
    let remote = span["parent_remote"].as_bool().unwrap_or(false);
    let head = Head {
        trace_id: own.trace_id,
        span_id: own.span_id,
        parent_span_id: parent.unwrap_or(SpanId::INVALID),
        start_unix_nanos: nanos(&span["start"]),
        end_unix_nanos: nanos(&span["end"]),
        trace_flags: own.flags,
        kind: kind(span),
        status: status(span),
        severity: 0,
        span_type: span["type"].as_str().map_or(SpanType::Generic, |name| SpanType::from_name(name).unwrap()),
        flags: if remote { SpanFlags::PARENT_REMOTE } else { SpanFlags::empty() },
        scope: number(&span["scope"]) as u32,
    };
    let mut buf = Vec::new();
    write::begin_span(&mut buf);
    write::name(&mut buf, text(&span["name"]));
    if !own.state.is_empty() {
        write::trace_state(&mut buf, own.state.header());
    }
    for (key, value) in attributes(&span["attributes"]) {
        write::attribute(&mut buf, &key, &value);
    }
    for (key, value) in attributes(&span["metadata"]) {
        write::metadata(&mut buf, &key, &value);
    }
    if let Some(input) = span.get("input") {
        write::input_tag(&mut buf);
        write::put_value(&mut buf, &our_value(input));
    }
    if let Some(output) = span.get("output") {
        write::output_tag(&mut buf);
        write::put_value(&mut buf, &our_value(output));
    }
    for tag in list(&span["tags"]) {
        write::trace_tag(&mut buf, text(tag));
    }
    for event in list(&span["events"]) {
        let dropped = number(&event["dropped_attributes"]) as u32;
        let mut fields = AttributeList::event(&mut buf, text(&event["name"]), nanos(&event["time"]), dropped);
        for (key, value) in attributes(&event["attributes"]) {
            fields.attribute(&mut buf, &key, &value);
        }
        fields.close(&mut buf);
    }
    for link in list(&span["links"]) {
        let dropped = number(&link["dropped_attributes"]) as u32;
        let mut fields = AttributeList::link(&mut buf, &context(link), dropped);
        for (key, value) in attributes(&link["attributes"]) {
            fields.attribute(&mut buf, &key, &value);
        }
        fields.close(&mut buf);
    }
    let message = text(&span["status_message"]);
    if !message.is_empty() {
        write::status_message(&mut buf, message);
    }
    let [attributes, events, links] = dropped(span);
    if [attributes, events, links] != [0; 3] {
        write::dropped(&mut buf, attributes, events, links);
    }
    write::finish_span(&mut buf, EventKind::SpanEnded, 0, &head);
    buf
}

fn dropped(span: &Json) -> [u32; 3] {
    ["dropped_attributes", "dropped_events", "dropped_links"].map(|name| number(&span[name]) as u32)
}

/// The request that the encoder makes of a case.
fn encoded(case: &Json) -> Vec<u8> {
    let resource = Arc::new(Resource {
        attributes: attributes(&case["resource"]["attributes"]),
        schema_url: text(&case["resource"]["schema_url"]).to_owned(),
    });
    let scope = |scope: &Json| Scope {
        name: text(&scope["name"]).to_owned(),
        version: text(&scope["version"]).to_owned(),
        schema_url: text(&scope["schema_url"]).to_owned(),
        attributes: attributes(&scope["attributes"]),
    };
    let scopes: Vec<_> = list(&case["scopes"]).iter().map(|json| Arc::new(scope(json))).collect();
    let mut encoder = OtlpEncoder::new();
    for span in list(&case["spans"]) {
        let frame = frame(span);
        let view = SpanView::new(&frame[EVENT_HEADER..]).unwrap();
        view.check().unwrap();
        let scope_id = view.head().scope;
        let scope = &scopes[scope_id as usize];
        encoder.push(&view, &RecordContext { scope, scope_id, resource: &resource });
    }
    encoder.take().body
}

/// What the case says, in OTLP's words.
fn expected(case: &Json) -> ExportTraceServiceRequest {
    // Scopes stand in the order in which their first span comes.
    let mut used: Vec<u64> = Vec::new();
    for span in list(&case["spans"]) {
        let scope = number(&span["scope"]);
        if !used.contains(&scope) {
            used.push(scope);
        }
    }
    let scope_spans = used.into_iter().map(|number_of_scope| {
        let scope = &case["scopes"][number_of_scope as usize];
        let inside = list(&case["spans"]).iter().filter(|span| number(&span["scope"]) == number_of_scope);
        ScopeSpans {
            scope: Some(InstrumentationScope {
                name: text(&scope["name"]).to_owned(),
                version: text(&scope["version"]).to_owned(),
                attributes: key_values(&scope["attributes"]),
                dropped_attributes_count: 0,
            }),
            spans: inside.map(expected_span).collect(),
            schema_url: text(&scope["schema_url"]).to_owned(),
        }
    });
    let resource =
        ProtoResource { attributes: key_values(&case["resource"]["attributes"]), ..ProtoResource::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: scope_spans.collect(),
            schema_url: text(&case["resource"]["schema_url"]).to_owned(),
        }],
    }
}

/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK` is always set, `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK` where it holds.
fn flags(trace_flags: &Json, remote: &Json) -> u32 {
    number(trace_flags) as u32 | 0x100 | if remote == true { 0x200 } else { 0 }
}

fn expected_span(span: &Json) -> Span {
    let [dropped_attributes_count, dropped_events_count, dropped_links_count] = dropped(span);
    let mut attributes = key_values(&span["attributes"]);
    attributes.extend(beyond(span));
    let events = list(&span["events"]).iter().map(|event| span::Event {
        time_unix_nano: nanos(&event["time"]),
        name: text(&event["name"]).to_owned(),
        attributes: key_values(&event["attributes"]),
        dropped_attributes_count: number(&event["dropped_attributes"]) as u32,
    });
    let links = list(&span["links"]).iter().map(|link| span::Link {
        trace_id: unhex(text(&link["trace_id"])),
        span_id: unhex(text(&link["span_id"])),
        trace_state: text(&link["tracestate"]).to_owned(),
        attributes: key_values(&link["attributes"]),
        dropped_attributes_count: number(&link["dropped_attributes"]) as u32,
        flags: flags(&link["flags"], &link["remote"]),
    });
    let message = text(&span["status_message"]).to_owned();
    Span {
        trace_id: unhex(text(&span["trace_id"])),
        span_id: unhex(text(&span["span_id"])),
        trace_state: text(&span["tracestate"]).to_owned(),
        parent_span_id: unhex(text(&span["parent_span_id"])),
        flags: flags(&span["flags"], &span["parent_remote"]),
        name: text(&span["name"]).to_owned(),
        kind: kind(span) as i32,
        start_time_unix_nano: nanos(&span["start"]),
        end_time_unix_nano: nanos(&span["end"]),
        attributes,
        dropped_attributes_count,
        events: events.collect(),
        dropped_events_count,
        links: links.collect(),
        dropped_links_count,
        // An unset status is not sent.
        status: (status(span) != StatusCode::Unset).then(|| Status { message, code: status(span) as i32 }),
    }
}

/// The attributes of what OpenTelemetry has no field for.
fn beyond(span: &Json) -> Vec<KeyValue> {
    let metadata = list(&span["metadata"]).iter();
    let mut attributes: Vec<_> = metadata
        .map(|entry| key_value(&format!("polyspan.metadata.{}", text(&entry[0])), plain(&entry[1])))
        .collect();
    if let Some(name) = span["type"].as_str().filter(|name| *name != "generic") {
        attributes.push(key_value("polyspan.span.type", any_value(&name.into())));
    }
    for (member, key) in [("input", "polyspan.input"), ("output", "polyspan.output")] {
        attributes.extend(span.get(member).map(|value| key_value(key, plain(value))));
    }
    if !list(&span["tags"]).is_empty() {
        let tags = serde_json::json!({"array": span["tags"]});
        attributes.push(key_value("polyspan.tags", any_value(&tags)));
    }
    attributes
}

/// Structures as JSON text.
fn plain(value: &Json) -> AnyValue {
    match value
        .as_object()
        .and_then(|_| Some(tagged(value)).filter(|(tag, _)| ["array", "map"].contains(tag)))
    {
        Some(_) => any_value(&json_text(value).into()),
        None => any_value(value),
    }
}

fn json_text(value: &Json) -> String {
    match value {
        Json::Object(_) => match tagged(value) {
            ("int", digits) => text(digits).to_owned(),
            ("double", number) => number.to_string(),
            // Base64 of the one bytes value there is in a structure.
            ("bytes", digits) => {
                assert_eq!(text(digits), "00ff10");
                "\"AP8Q\"".to_owned()
            }
            ("array", items) => {
                format!("[{}]", list(items).iter().map(json_text).collect::<Vec<_>>().join(","))
            }
            ("map", entries) => {
                let entry = |entry: &Json| format!("{}:{}", entry[0], json_text(&entry[1]));
                format!("{{{}}}", list(entries).iter().map(entry).collect::<Vec<_>>().join(","))
            }
            (tag, _) => panic!("{tag} is not expected in a structure"),
        },
        scalar => scalar.to_string(),
    }
}

#[test]
fn the_encoder_writes_the_bytes_of_the_vectors() {
    for case in cases() {
        assert_eq!(hex(&encoded(&case)), text(&case["hex"]), "{}", case["name"]);
    }
}

#[test]
fn the_bytes_of_the_vectors_mean_what_the_cases_say() {
    for case in cases() {
        let decoded = ExportTraceServiceRequest::decode(&unhex(text(&case["hex"]))[..]).unwrap();
        // As text, because NaN is not equal to itself and the zeros of both signs are.
        assert_eq!(format!("{decoded:#?}"), format!("{:#?}", expected(&case)), "{}", case["name"]);
    }
}

/// After a change of the encoder or of a case: `cargo test -p polyspan --test otlp_vectors -- --ignored`. What the
/// other two tests say of the result counts, and the diff.
#[test]
#[ignore = "writes tests/vectors/otlp.json anew"]
fn write_the_bytes_into_the_file() {
    const MARK: &str = "\"hex\": \"";
    let file = std::fs::read_to_string(FILE).unwrap();
    let mut pieces = file.split(MARK);
    let mut written = pieces.next().unwrap().to_owned();
    for (piece, case) in pieces.zip(cases()) {
        let (_, rest) = piece.split_once('"').unwrap();
        written += &format!("{MARK}{}\"{rest}", hex(&encoded(&case)));
    }
    std::fs::write(FILE, written).unwrap();
}
