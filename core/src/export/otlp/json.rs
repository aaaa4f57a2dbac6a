//! OTLP JSON: an encoded request written anew in protobuf's JSON mapping as OTLP bends it.
//!
//! The file exporter writes it. It is transcoded from the protobuf, field by field from a table, so that
//! there is one place only that says how a span looks in OTLP (`encode.rs`). The rules are those of
//! OTLP 1.x, "JSON Protobuf Encoding": ids in hex, 64-bit integers as strings, enums as numbers, keys in
//! lowerCamelCase, other bytes in base64.

use core::fmt::Write as _;

use super::wire::{Fields, Payload};
use crate::semantics::json::{write_base64, write_string};

/// Deeper values than the engine ever lets through end the transcoding.
const MAX_DEPTH: u32 = 200;

/// Appends an encoded `ExportTraceServiceRequest` as one line of JSON, without the line's end; `None`,
/// and `out` as it was, when the bytes are not a well-formed request.
pub fn write_request_json(out: &mut String, request: &[u8]) -> Option<()> {
    write_json(out, request, REQUEST)
}

/// The same for an encoded `ExportLogsServiceRequest`.
pub fn write_logs_json(out: &mut String, request: &[u8]) -> Option<()> {
    write_json(out, request, LOGS_REQUEST)
}

/// The same for an encoded `ExportMetricsServiceRequest`.
pub fn write_metrics_json(out: &mut String, request: &[u8]) -> Option<()> {
    write_json(out, request, METRICS_REQUEST)
}

fn write_json(out: &mut String, request: &[u8], table: Table) -> Option<()> {
    let start = out.len();
    let written = write_message(out, request, table, MAX_DEPTH);
    if written.is_none() {
        out.truncate(start);
    }
    written
}

struct Entry {
    number: u32,
    name: &'static str,
    repeated: bool,
    kind: Kind,
}

enum Kind {
    Text,
    Hex,
    Base64,
    Bool,
    /// An enum or a 32-bit integer.
    Number,
    /// A signed 64-bit integer.
    Int64,
    /// An unsigned 64-bit integer.
    Time,
    Double,
    /// Unsigned 64-bit integers, packed.
    Times,
    /// Doubles, packed.
    Doubles,
    Message(&'static Table),
}

/// The fields of a message that are written, in this order.
type Table = &'static [Entry];

const fn one(number: u32, name: &'static str, kind: Kind) -> Entry {
    Entry { number, name, repeated: false, kind }
}

const fn many(number: u32, name: &'static str, kind: Kind) -> Entry {
    Entry { number, name, repeated: true, kind }
}

// opentelemetry-proto 1.x: trace_service.proto, trace.proto, resource.proto, common.proto.
static REQUEST: Table = &[many(1, "resourceSpans", Kind::Message(&RESOURCE_SPANS))];
static RESOURCE_SPANS: Table = &[
    one(1, "resource", Kind::Message(&RESOURCE)),
    many(2, "scopeSpans", Kind::Message(&SCOPE_SPANS)),
    one(3, "schemaUrl", Kind::Text),
];
static RESOURCE: Table =
    &[many(1, "attributes", Kind::Message(&KEY_VALUE)), one(2, "droppedAttributesCount", Kind::Number)];
static SCOPE_SPANS: Table = &[
    one(1, "scope", Kind::Message(&SCOPE)),
    many(2, "spans", Kind::Message(&SPAN)),
    one(3, "schemaUrl", Kind::Text),
];
static SCOPE: Table = &[
    one(1, "name", Kind::Text),
    one(2, "version", Kind::Text),
    many(3, "attributes", Kind::Message(&KEY_VALUE)),
    one(4, "droppedAttributesCount", Kind::Number),
];
static SPAN: Table = &[
    one(1, "traceId", Kind::Hex),
    one(2, "spanId", Kind::Hex),
    one(3, "traceState", Kind::Text),
    one(4, "parentSpanId", Kind::Hex),
    one(16, "flags", Kind::Number),
    one(5, "name", Kind::Text),
    one(6, "kind", Kind::Number),
    one(7, "startTimeUnixNano", Kind::Time),
    one(8, "endTimeUnixNano", Kind::Time),
    many(9, "attributes", Kind::Message(&KEY_VALUE)),
    one(10, "droppedAttributesCount", Kind::Number),
    many(11, "events", Kind::Message(&EVENT)),
    one(12, "droppedEventsCount", Kind::Number),
    many(13, "links", Kind::Message(&LINK)),
    one(14, "droppedLinksCount", Kind::Number),
    one(15, "status", Kind::Message(&STATUS)),
];
// logs_service.proto, logs.proto.
static LOGS_REQUEST: Table = &[many(1, "resourceLogs", Kind::Message(&RESOURCE_LOGS))];
static RESOURCE_LOGS: Table = &[
    one(1, "resource", Kind::Message(&RESOURCE)),
    many(2, "scopeLogs", Kind::Message(&SCOPE_LOGS)),
    one(3, "schemaUrl", Kind::Text),
];
static SCOPE_LOGS: Table = &[
    one(1, "scope", Kind::Message(&SCOPE)),
    many(2, "logRecords", Kind::Message(&LOG_RECORD)),
    one(3, "schemaUrl", Kind::Text),
];
static LOG_RECORD: Table = &[
    one(1, "timeUnixNano", Kind::Time),
    one(11, "observedTimeUnixNano", Kind::Time),
    one(2, "severityNumber", Kind::Number),
    one(3, "severityText", Kind::Text),
    one(12, "eventName", Kind::Text),
    one(5, "body", Kind::Message(&ANY_VALUE)),
    many(6, "attributes", Kind::Message(&KEY_VALUE)),
    one(7, "droppedAttributesCount", Kind::Number),
    one(8, "flags", Kind::Number),
    one(9, "traceId", Kind::Hex),
    one(10, "spanId", Kind::Hex),
];
// metrics_service.proto, metrics.proto; what the encoder makes of it.
static METRICS_REQUEST: Table = &[many(1, "resourceMetrics", Kind::Message(&RESOURCE_METRICS))];
static RESOURCE_METRICS: Table = &[
    one(1, "resource", Kind::Message(&RESOURCE)),
    many(2, "scopeMetrics", Kind::Message(&SCOPE_METRICS)),
    one(3, "schemaUrl", Kind::Text),
];
static SCOPE_METRICS: Table = &[
    one(1, "scope", Kind::Message(&SCOPE)),
    many(2, "metrics", Kind::Message(&METRIC)),
    one(3, "schemaUrl", Kind::Text),
];
static METRIC: Table = &[
    one(1, "name", Kind::Text),
    one(2, "description", Kind::Text),
    one(3, "unit", Kind::Text),
    one(7, "sum", Kind::Message(&SUM)),
    one(9, "histogram", Kind::Message(&HISTOGRAM)),
];
static SUM: Table = &[
    many(1, "dataPoints", Kind::Message(&NUMBER_POINT)),
    one(2, "aggregationTemporality", Kind::Number),
    one(3, "isMonotonic", Kind::Bool),
];
static HISTOGRAM: Table =
    &[many(1, "dataPoints", Kind::Message(&HISTOGRAM_POINT)), one(2, "aggregationTemporality", Kind::Number)];
static NUMBER_POINT: Table = &[
    many(7, "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", Kind::Time),
    one(3, "timeUnixNano", Kind::Time),
    one(4, "asDouble", Kind::Double),
    one(6, "asInt", Kind::Int64),
];
static HISTOGRAM_POINT: Table = &[
    many(9, "attributes", Kind::Message(&KEY_VALUE)),
    one(2, "startTimeUnixNano", Kind::Time),
    one(3, "timeUnixNano", Kind::Time),
    one(4, "count", Kind::Time),
    one(5, "sum", Kind::Double),
    one(6, "bucketCounts", Kind::Times),
    one(7, "explicitBounds", Kind::Doubles),
    one(11, "min", Kind::Double),
    one(12, "max", Kind::Double),
];
static EVENT: Table = &[
    one(1, "timeUnixNano", Kind::Time),
    one(2, "name", Kind::Text),
    many(3, "attributes", Kind::Message(&KEY_VALUE)),
    one(4, "droppedAttributesCount", Kind::Number),
];
static LINK: Table = &[
    one(1, "traceId", Kind::Hex),
    one(2, "spanId", Kind::Hex),
    one(3, "traceState", Kind::Text),
    many(4, "attributes", Kind::Message(&KEY_VALUE)),
    one(5, "droppedAttributesCount", Kind::Number),
    one(6, "flags", Kind::Number),
];
static STATUS: Table = &[one(2, "message", Kind::Text), one(3, "code", Kind::Number)];
static KEY_VALUE: Table = &[one(1, "key", Kind::Text), one(2, "value", Kind::Message(&ANY_VALUE))];
static ANY_VALUE: Table = &[
    one(1, "stringValue", Kind::Text),
    one(2, "boolValue", Kind::Bool),
    one(3, "intValue", Kind::Int64),
    one(4, "doubleValue", Kind::Double),
    one(5, "arrayValue", Kind::Message(&ARRAY)),
    one(6, "kvlistValue", Kind::Message(&KEY_VALUE_LIST)),
    one(7, "bytesValue", Kind::Base64),
];
static ARRAY: Table = &[many(1, "values", Kind::Message(&ANY_VALUE))];
static KEY_VALUE_LIST: Table = &[many(1, "values", Kind::Message(&KEY_VALUE))];

/// Writes the fields that the table knows, in the table's order: on the wire those of a repeated field
/// need not stand together.
fn write_message(out: &mut String, message: &[u8], table: Table, depth: u32) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    if Fields(message).any(|field| field.is_none()) {
        return None;
    }
    out.push('{');
    let mut separate = "";
    for entry in table {
        let mut values = Fields(message).flatten().filter(|field| field.number == entry.number);
        let Some(first) = values.next() else { continue };
        out.push_str(separate);
        separate = ",";
        write_string(out, entry.name);
        out.push(':');
        if entry.repeated {
            out.push('[');
            write_value(out, first.payload, &entry.kind, depth)?;
            for field in values {
                out.push(',');
                write_value(out, field.payload, &entry.kind, depth)?;
            }
            out.push(']');
        } else {
            // Of a field that stands more than once the last one counts.
            write_value(out, values.last().unwrap_or(first).payload, &entry.kind, depth)?;
        }
    }
    out.push('}');
    Some(())
}

fn write_value(out: &mut String, payload: Payload<'_>, kind: &Kind, depth: u32) -> Option<()> {
    match (kind, payload) {
        (Kind::Text, Payload::Bytes(text)) => write_string(out, &String::from_utf8_lossy(text)),
        (Kind::Hex, Payload::Bytes(bytes)) => {
            out.push('"');
            bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}")).ok()?;
            out.push('"');
        }
        (Kind::Base64, Payload::Bytes(bytes)) => write_base64(out, bytes),
        (Kind::Bool, Payload::Varint(value)) => out.push_str(if value == 0 { "false" } else { "true" }),
        (Kind::Number, Payload::Varint(value)) => write!(out, "{value}").ok()?,
        (Kind::Number, Payload::Fixed32(value)) => write!(out, "{value}").ok()?,
        (Kind::Int64, Payload::Varint(value)) => write!(out, "\"{}\"", value as i64).ok()?,
        (Kind::Time, Payload::Fixed64(value)) => write!(out, "\"{value}\"").ok()?,
        (Kind::Double, Payload::Fixed64(bits)) => write_double(out, f64::from_bits(bits))?,
        (Kind::Int64, Payload::Fixed64(value)) => write!(out, "\"{}\"", value as i64).ok()?,
        (Kind::Times, Payload::Bytes(packed)) => {
            write_packed(out, packed, |out, value| write!(out, "\"{value}\"").ok())?
        }
        (Kind::Doubles, Payload::Bytes(packed)) => {
            write_packed(out, packed, |out, bits| write_double(out, f64::from_bits(bits)))?
        }
        (Kind::Message(table), Payload::Bytes(message)) => write_message(out, message, table, depth)?,
        _ => return None,
    }
    Some(())
}

/// 64-bit values that stand in one field.
fn write_packed(
    out: &mut String,
    packed: &[u8],
    mut each: impl FnMut(&mut String, u64) -> Option<()>,
) -> Option<()> {
    let (values, rest) = packed.as_chunks::<8>();
    out.push('[');
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        each(out, u64::from_le_bytes(*value))?;
    }
    out.push(']');
    rest.is_empty().then_some(())
}

fn write_double(out: &mut String, value: f64) -> Option<()> {
    match value {
        value if value.is_finite() => write!(out, "{value:?}").ok()?,
        value if value.is_nan() => out.push_str("\"NaN\""),
        value if value > 0.0 => out.push_str("\"Infinity\""),
        _ => out.push_str("\"-Infinity\""),
    }
    Some(())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::common::v1::{
        AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
    };
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
    use prost::Message;

    use super::*;

    fn json(request: &ExportTraceServiceRequest) -> String {
        let mut out = String::new();
        write_request_json(&mut out, &request.encode_to_vec()).unwrap();
        out
    }

    fn attribute(key: &str, value: Value) -> KeyValue {
        KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
    }

    fn request(span: Span) -> ExportTraceServiceRequest {
        let scope =
            InstrumentationScope { name: "lib".to_owned(), version: "1".to_owned(), ..Default::default() };
        let attributes = vec![attribute("service.name", Value::StringValue("shop".to_owned()))];
        let resource = Some(Resource { attributes, ..Resource::default() });
        let scope_spans =
            vec![ScopeSpans { scope: Some(scope), spans: vec![span], schema_url: "https://s".to_owned() }];
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }],
        }
    }

    fn full_span() -> Span {
        let nested = Value::KvlistValue(KeyValueList {
            values: vec![attribute(
                "list",
                Value::ArrayValue(ArrayValue {
                    values: vec![
                        AnyValue { value: Some(Value::BoolValue(false)) },
                        AnyValue { value: Some(Value::DoubleValue(0.1)) },
                    ],
                }),
            )],
        });
        Span {
            trace_id: (0..16).collect(),
            span_id: (16..24).collect(),
            parent_span_id: (24..32).collect(),
            trace_state: "a=1".to_owned(),
            flags: 0x301,
            name: "quote\" and\nline \u{1f600}".to_owned(),
            kind: 3,
            start_time_unix_nano: u64::MAX,
            end_time_unix_nano: 1_700_000_000_123_456_789,
            attributes: vec![
                attribute("int", Value::IntValue(i64::MIN)),
                attribute("empty", Value::StringValue(String::new())),
                attribute("bytes", Value::BytesValue(vec![0, 255, 7])),
                attribute("map", nested),
            ],
            dropped_attributes_count: 1,
            events: vec![Event {
                time_unix_nano: 5,
                name: "exception".to_owned(),
                attributes: vec![attribute("exception.type", Value::StringValue("Oops".to_owned()))],
                dropped_attributes_count: 2,
            }],
            dropped_events_count: 3,
            links: vec![Link {
                trace_id: vec![1; 16],
                span_id: vec![2; 8],
                trace_state: "b=2".to_owned(),
                attributes: vec![attribute("ok", Value::BoolValue(true))],
                dropped_attributes_count: 4,
                flags: 0x101,
            }],
            dropped_links_count: 5,
            status: Some(Status { message: "no".to_owned(), code: 2 }),
        }
    }

    #[test]
    fn every_field_comes_back_through_the_generated_types() {
        let request = request(full_span());
        let back: ExportTraceServiceRequest = serde_json::from_str(&json(&request)).unwrap();
        assert_eq!(back, request);
    }

    #[test]
    fn the_text_is_that_of_the_specification() {
        let span = Span {
            trace_id: vec![0xab; 16],
            span_id: vec![0xcd; 8],
            name: "n".to_owned(),
            kind: 1,
            start_time_unix_nano: 1,
            end_time_unix_nano: 2,
            attributes: vec![attribute("n", Value::IntValue(-7)), attribute("d", Value::DoubleValue(2.0))],
            ..Span::default()
        };
        let expected = concat!(
            r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"#,
            r#""scopeSpans":[{"scope":{"name":"lib","version":"1"},"spans":[{"traceId":"abababababababababababababababab","#,
            r#""spanId":"cdcdcdcdcdcdcdcd","name":"n","kind":1,"startTimeUnixNano":"1","endTimeUnixNano":"2","#,
            r#""attributes":[{"key":"n","value":{"intValue":"-7"}},{"key":"d","value":{"doubleValue":2.0}}]}],"#,
            r#""schemaUrl":"https://s"}]}]}"#,
        );
        assert_eq!(json(&request(span)), expected);
    }

    #[test]
    fn numbers_json_lacks_become_strings() {
        let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0];
        let attributes = values.map(|value| attribute("d", Value::DoubleValue(value))).to_vec();
        let text = json(&request(Span { attributes, ..full_span() }));
        for expected in [r#""NaN""#, r#""Infinity""#, r#""-Infinity""#, "-0.0"] {
            assert!(text.contains(&format!(r#"{{"doubleValue":{expected}}}"#)), "{expected}");
        }
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }

    #[test]
    fn what_cannot_be_read_leaves_nothing_behind() {
        let mut body = request(full_span()).encode_to_vec();
        body.pop();
        let mut out = "before".to_owned();
        assert_eq!(write_request_json(&mut out, &body), None);
        assert_eq!(out, "before");
        let mut value = Value::BoolValue(true);
        for _ in 0..MAX_DEPTH {
            value = Value::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(value) }] });
        }
        let deep = request(Span { attributes: vec![attribute("deep", value)], ..Span::default() });
        assert_eq!(write_request_json(&mut out, &deep.encode_to_vec()), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_json_or_nothing(body: Vec<u8>, text: String) {
            let mut out = String::new();
            if write_request_json(&mut out, &body).is_some() {
                serde_json::from_str::<serde_json::Value>(&out).unwrap();
            }
            let span = Span { name: text.clone(), ..full_span() };
            let back: ExportTraceServiceRequest = serde_json::from_str(&json(&request(span))).unwrap();
            proptest::prop_assert_eq!(&back.resource_spans[0].scope_spans[0].spans[0].name, &text);
        }
    }
}
