//! What the crate can do without threads, clock, sockets or entropy of its own. `cargo xtask test wasm`
//! runs this in WebAssembly without default features, `cargo test` on the machine itself: one result.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use polyspan::export::Encoder;
use polyspan::export::otlp::encode::OtlpEncoder;
use polyspan::frame::batch::Events;
use polyspan::frame::record::{RecordContext, Resource, Scope, SpanData};
use polyspan::frame::view::SpanView;
use polyspan::frame::write::{self, AttributeList, Head};
use polyspan::frame::{EventKind, FrameError};
use polyspan::privacy::{Personal, Redaction, RedactionStyle, Redactor};
use polyspan::propagation::{Baggage, Propagators};
use polyspan::sampling::HeadSampler;
use polyspan::{
    IdGenerator, OwnedValue, SpanContext, SpanId, SpanKind, StatusCode, TraceFlags, TraceId, Value,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SEED: [u8; 32] = *b"a seed of exactly 32 bytes here.";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn a_seed_gives_the_same_ids_everywhere() {
    let mut ids = IdGenerator::from_seed(SEED);
    assert_eq!(ids.trace_id().to_hex(), "4805dea834476a38d258420e39377ee8");
    assert_eq!(ids.span_id().to_hex(), "9718809365c439d7");
    assert_eq!(TraceId::from_hex("4805dea834476a38d258420e39377ee8").unwrap().randomness(), 0x58420e39377ee8);
}

#[test]
fn roots_are_sampled_the_same_everywhere() {
    let sampler = HeadSampler::from_value(&Value::F64(0.5)).unwrap();
    let mut drawn = Vec::new();
    assert!(sampler.draw_roots(16, &mut IdGenerator::from_seed(SEED), &mut drawn));
    let kept: String = drawn.iter().map(|draw| if draw.decision.is_sampled() { '1' } else { '0' }).collect();
    assert_eq!(kept, "0111111101001100");
    for draw in drawn {
        assert_eq!(draw.state.header(), if draw.decision.is_sampled() { "ot=th:8" } else { "" });
    }
}

#[test]
fn a_context_survives_a_carrier() {
    let mut ids = IdGenerator::from_seed(SEED);
    let span = SpanContext {
        trace_id: ids.trace_id(),
        span_id: ids.span_id(),
        flags: TraceFlags::from_bits(3),
        ..SpanContext::default()
    };
    let mut baggage = Baggage::default();
    baggage.insert("user", "Ünï code");
    let (propagators, unused) = Propagators::from_names(["tracecontext", "baggage"]);
    assert!(unused.is_empty());

    let mut carrier: HashMap<String, String> = HashMap::new();
    propagators.inject(&span, &baggage, &mut carrier);
    let extracted = propagators.extract(&carrier);
    assert_eq!(extracted.span, Some(SpanContext { remote: true, ..span }));
    assert_eq!(extracted.baggage.get("user"), Some("Ünï code"));
}

fn head() -> Head {
    let mut ids = IdGenerator::from_seed(SEED);
    Head {
        trace_id: ids.trace_id(),
        span_id: ids.span_id(),
        parent_span_id: SpanId::from_bytes(*b"a parent"),
        start_unix_nanos: 1_700_000_000_000_000_001,
        end_unix_nanos: 1_700_000_000_000_000_009,
        trace_flags: TraceFlags::from_bits(3),
        kind: SpanKind::Client,
        status: StatusCode::Error,
        ..Head::default()
    }
}

/// A frame event of one span with a value of every kind.
fn event() -> Vec<u8> {
    let mut buf = Vec::new();
    write::begin_span(&mut buf);
    write::name(&mut buf, "search");
    write::status_message(&mut buf, "no index");
    for (key, value) in values() {
        write::attribute(&mut buf, key, &value);
    }
    let mut chunk = AttributeList::event(&mut buf, "chunk", 1_700_000_000_000_000_005, 2);
    chunk.attribute(&mut buf, "n", &Value::I64(1));
    chunk.close(&mut buf);
    write::finish_span(&mut buf, EventKind::SpanEnded, 7, &head());
    buf
}

fn values() -> Vec<(&'static str, OwnedValue)> {
    vec![
        ("null", Value::Null),
        ("bool", Value::Bool(true)),
        ("int", Value::I64(i64::MIN)),
        ("double", Value::F64(f64::NEG_INFINITY)),
        ("text", Value::Str("ünï\u{2028}code".into())),
        ("bytes", Value::Bytes(vec![0, 255].into())),
        ("array", Value::Array(vec![Value::I64(1), Value::Str("two".into()), Value::Null])),
        ("map", Value::Map(vec![("inner".into(), Value::Map(vec![("deep".into(), Value::Bool(false))]))])),
    ]
}

fn surroundings() -> (Arc<Scope>, Arc<Resource>) {
    let scope = Scope { name: "agent".to_owned(), version: "1".to_owned(), ..Scope::default() };
    let service = ("service.name".to_owned(), Value::Str("support".into()));
    (Arc::new(scope), Arc::new(Resource { attributes: vec![service], ..Resource::default() }))
}

#[test]
fn a_frame_gives_back_what_was_written() {
    let bytes = event();
    let mut events = Events::new(&bytes);
    let raw = events.next_event().unwrap().unwrap();
    assert_eq!((raw.kind, raw.engine, raw.whole.len()), (Some(EventKind::SpanEnded), 7, bytes.len()));
    assert!(events.next_event().unwrap().is_none());

    let view = SpanView::new(raw.body).unwrap();
    view.check().unwrap();
    assert_eq!(*view.head(), head());
    let (scope, resource) = surroundings();
    let span = SpanData::from_view(&view, &RecordContext { scope: &scope, scope_id: 0, resource: &resource });
    assert_eq!((span.name.as_str(), span.status_message.as_str()), ("search", "no index"));
    let expected: Vec<_> = values().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    assert_eq!(span.attributes, expected);
    assert_eq!((span.events[0].name.as_str(), span.events[0].dropped_attributes), ("chunk", 2));
}

#[test]
fn a_cut_frame_is_an_error() {
    let bytes = event();
    for length in 1..bytes.len() {
        assert_eq!(
            Events::new(&bytes[..length]).next_event().unwrap_err(),
            FrameError::Truncated,
            "{length}"
        );
    }
}

/// Read with another protobuf implementation when it was written down.
const OTLP: &str = "\
    0ac88280000a1b0a190a0c736572766963652e6e616d6512090a07737570706f727412a68280000a0a0a056167656e74\
    1201311297020a104805dea834476a38d258420e39377ee812089718809365c439d730033901002a36fe9c9717410900\
    2a36fe9c971722086120706172656e744a080a046e756c6c12004a0a0a04626f6f6c120210014a120a03696e74120b18\
    808080808080808080014a130a06646f75626c65120921000000000000f0ff4a160a0474657874120e0a0cc3bc6ec3af\
    e280a8636f64654a0d0a05627974657312043a0200ff4a180a056172726179120f2a0d0a0218010a050a0374776f0a00\
    4a220a036d6170121b32190a170a05696e6e6572120e320c0a0a0a0464656570120210005a1b0905002a36fe9c971712\
    056368756e6b1a070a016e1202180120022a067365617263687a0c12086e6f20696e6465781802850103010000";

#[test]
fn otlp_has_the_same_bytes_everywhere() {
    let bytes = event();
    let raw = Events::new(&bytes).next_event().unwrap().unwrap();
    let (scope, resource) = surroundings();
    let mut encoder = OtlpEncoder::new();
    encoder.push(
        &SpanView::new(raw.body).unwrap(),
        &RecordContext { scope: &scope, scope_id: 0, resource: &resource },
    );
    let batch = encoder.take();
    assert_eq!(batch.spans, 1);
    assert_eq!(hex(&batch.body), OTLP);
}

#[test]
fn secrets_are_found_the_same_everywhere() {
    let redaction =
        Redaction::new().style(RedactionStyle::Partial).key("employee_id").personal(Personal::Email);
    let redactor = Redactor::new(&redaction).unwrap();
    let text = "employeeId=ab1234567890yz, bob@example.com, postgres://bob:hunter2@db/shop, tokens_used=5";
    assert_eq!(
        redactor.text(text),
        "employeeId=ab1…0yz, bob…com, postgres://bob:[REDACTED]@db/shop, tokens_used=5"
    );
    let nested =
        Value::from_iter([("accessToken", Value::from("a1b2c3d4e5f6g7")), ("tokens_used", Value::I64(5))]);
    let expected =
        Value::from_iter([("accessToken", Value::from("a1b…6g7")), ("tokens_used", Value::I64(5))]);
    assert_eq!(redactor.value("", &nested), Some(expected));
    assert_eq!(redactor.value("password", &Value::I64(7)), Some("[REDACTED]".into()));
    assert_eq!(redactor.value("note", &"nothing to hide".into()), None);
    assert!(redactor.is_sensitive("x-api-key") && !redactor.is_sensitive("author"));
    let mut baggage = Baggage::new();
    baggage.insert("session.id", "s-42");
    baggage.insert("note", "Bearer a1b2c3d4e5f6g7h8i9");
    assert_eq!(redactor.baggage(&baggage).get("session.id"), Some("s-42"));
    assert!(!redactor.baggage(&baggage).get("note").unwrap().contains("d4e5"));
    let refused = Redactor::new(&Redaction::new().pattern("broken", "(")).unwrap_err();
    assert!(refused.message().contains("redaction.patterns.broken"));
}
