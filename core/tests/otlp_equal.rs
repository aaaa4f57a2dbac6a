//! The same spans, recorded through the OpenTelemetry API, leave three ways and arrive equal: from the engine
//! by its own OTLP exporter, from the engine by `opentelemetry-otlp` plugged in, and from `opentelemetry_sdk`
//! by `opentelemetry-otlp`. Decoded with `opentelemetry-proto` and compared field by field.
//!
//! Where the engine says more than `opentelemetry_sdk`, or says it differently, [`normalised`] has it.
#![cfg(all(feature = "opentelemetry-sdk", feature = "otlp-http"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId,
    Tracer, TracerProvider,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, Value};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status as ProtoStatus};
use opentelemetry_sdk::trace::SdkTracerProvider;
use polyspan::config::{ExporterOptions, OtlpOptions};
use polyspan::otel::sdk;
use polyspan::{Engine, Options};
use polyspan_test_receiver::{Receiver, Script};

const SOON: Duration = Duration::from_secs(20);
/// More attributes, events and links than the default limits of both sides let through.
const TOO_MANY: i64 = 130;

fn at(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_000 + nanos)
}

fn remote(flags: u8, state: &str) -> SpanContext {
    SpanContext::new(
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
        SpanId::from_hex("b7ad6b7169203331").unwrap(),
        TraceFlags::new(flags),
        true,
        state.parse().unwrap(),
    )
}

fn numbered(count: i64) -> Vec<KeyValue> {
    (0..count).map(|number| KeyValue::new(format!("key {number}"), number)).collect()
}

fn every_kind_of_value() -> Vec<KeyValue> {
    let arrays = [
        ("texts", Array::String(vec!["a".into(), "".into(), "東京".into()])),
        ("ints", Array::I64(vec![0, -1, i64::MAX])),
        ("doubles", Array::F64(vec![0.5, f64::NAN, -0.0])),
        ("flags", Array::Bool(vec![true, false])),
        ("no texts", Array::String(vec![])),
        ("no ints", Array::I64(vec![])),
    ];
    let scalars = [
        KeyValue::new("text", "zürich"),
        KeyValue::new("empty", ""),
        KeyValue::new("long", "x".repeat(20_000)),
        KeyValue::new("lines", "a\nb\t\"c\"\0d"),
        KeyValue::new("min", i64::MIN),
        KeyValue::new("zero", 0),
        KeyValue::new("infinity", f64::INFINITY),
        KeyValue::new("nan", f64::NAN),
        KeyValue::new("negative zero", -0.0),
        KeyValue::new("tiny", f64::MIN_POSITIVE),
        KeyValue::new("true", true),
        KeyValue::new("false", false),
    ];
    let arrays = arrays.map(|(key, array)| KeyValue::new(key, Value::Array(array)));
    scalars.into_iter().chain(arrays).collect()
}

/// Records the catalogue. Every span has a name of its own.
fn record(provider: &impl TracerProvider<Tracer: Tracer<Span: Send + Sync + 'static>>) {
    let scope = |name: &'static str| InstrumentationScope::builder(name);
    let plain = provider.tracer("plain");
    let unnamed = provider.tracer("");
    let full = provider.tracer_with_scope(
        scope("full")
            .with_version("1.2.0")
            .with_schema_url("https://opentelemetry.io/schemas/1.30.0")
            .with_attributes([KeyValue::new("part", "client"), KeyValue::new("level", 2)])
            .build(),
    );

    let nowhere = Context::new();
    let mut root = plain.span_builder("root").with_start_time(at(0)).start_with_context(&plain, &nowhere);
    root.set_attributes(every_kind_of_value());
    let context = nowhere.with_span(root);
    for (name, kind) in [
        ("client", SpanKind::Client),
        ("server", SpanKind::Server),
        ("producer", SpanKind::Producer),
        ("consumer", SpanKind::Consumer),
        ("internal", SpanKind::Internal),
    ] {
        let builder = full.span_builder(name).with_kind(kind).with_start_time(at(1));
        let mut span = builder.start_with_context(&full, &context);
        span.end_with_timestamp(at(2));
    }
    for (name, status) in [
        ("unset", Status::Unset),
        ("ok", Status::Ok),
        ("error", Status::error("broke: ü")),
        ("error without words", Status::error("")),
    ] {
        let mut span =
            unnamed.span_builder(name).with_start_time(at(3)).start_with_context(&unnamed, &context);
        span.set_status(status);
        span.end_with_timestamp(at(3));
    }
    events_and_links(&plain, &context);
    context.span().end_with_timestamp(at(1_000_000_001));

    for (name, parent) in [
        ("of another process", remote(1, "ot=th:4,vendor=a b")),
        ("of another process, random", remote(3, "")),
        ("unsampled", remote(0, "")),
    ] {
        let parent = nowhere.with_remote_span_context(parent);
        let mut span = full.span_builder(name).with_start_time(at(5)).start_with_context(&full, &parent);
        span.end_with_timestamp(at(6));
    }
}

fn events_and_links<T: Tracer>(tracer: &T, parent: &Context) {
    let link = Link::new(remote(3, "a=1,b=2"), every_kind_of_value(), 0);
    let early = Event::new("early", at(1), every_kind_of_value(), 0);
    let builder = tracer
        .span_builder("draft")
        .with_start_time(at(0))
        .with_attributes([KeyValue::new("given", "at start")])
        .with_events(vec![early, Event::new("", UNIX_EPOCH, vec![], 0)])
        .with_links(vec![link]);
    let mut span = builder.start_with_context(tracer, parent);
    span.add_event_with_timestamp("late", at(5), vec![KeyValue::new("k", "v")]);
    span.add_link(parent.span().span_context().clone(), vec![]);
    span.update_name("events and links");
    span.end_with_timestamp(at(9));

    let builder = tracer
        .span_builder("too many")
        .with_start_time(at(0))
        .with_attributes(numbered(TOO_MANY))
        .with_links((0..TOO_MANY).map(|_| Link::with_context(remote(1, ""))).collect());
    let mut span = builder.start_with_context(tracer, parent);
    span.set_attribute(KeyValue::new("one more", true));
    for number in 0..TOO_MANY {
        span.add_event_with_timestamp(format!("event {number}"), at(number as u64), vec![]);
    }
    span.end_with_timestamp(at(9));

    let builder = tracer.span_builder("too many of theirs").with_start_time(at(0));
    let mut span = builder.start_with_context(tracer, parent);
    span.add_event_with_timestamp("event", at(1), numbered(TOO_MANY));
    span.add_link(remote(1, ""), numbered(TOO_MANY));
    span.end_with_timestamp(at(9));
}

/// What the receiver got as one `ResourceSpans`, in an order of its own, and with what both sides choose
/// freely, or what one side is richer in, taken out.
fn normalised(receiver: &Receiver) -> ResourceSpans {
    assert_eq!(receiver.log().violations(), Vec::<String>::new());
    let requests = receiver.log().requests();
    let mut all = requests.into_iter().flat_map(|received| received.request.unwrap().resource_spans);
    let mut whole = all.next().unwrap();
    for more in all {
        assert_eq!((&more.resource, &more.schema_url), (&whole.resource, &whole.schema_url));
        whole.scope_spans.extend(more.scope_spans);
    }
    // A resource of `opentelemetry_sdk` has no order.
    let resource = whole.resource.as_mut().unwrap();
    resource.attributes.sort_by(|one, other| one.key.cmp(&other.key));

    let mut scopes: BTreeMap<String, ScopeSpans> = BTreeMap::new();
    for scope in whole.scope_spans.drain(..) {
        match scopes.get_mut(&scope.scope.as_ref().unwrap().name) {
            Some(known) => known.spans.extend(scope.spans),
            None => {
                scopes.insert(scope.scope.as_ref().unwrap().name.clone(), scope);
            }
        }
    }
    whole.scope_spans = scopes.into_values().collect();

    let names = names_of_ids(&whole);
    for span in whole.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans) {
        normalise(span, &names);
    }
    whole
}

/// Ids are drawn: each stands for the span it names, or for itself if it was given.
fn names_of_ids(whole: &ResourceSpans) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let given = remote(0, "").trace_id().to_bytes();
    let mut names = BTreeMap::new();
    for span in whole.scope_spans.iter().flat_map(|scope| &scope.spans) {
        names.insert(span.span_id.clone(), span.name.clone().into_bytes());
        if span.parent_span_id.is_empty() && span.trace_id != given {
            names.insert(span.trace_id.clone(), format!("trace of {}", span.name).into_bytes());
        }
    }
    names
}

fn normalise(span: &mut Span, names: &BTreeMap<Vec<u8>, Vec<u8>>) {
    let named = |id: &mut Vec<u8>| {
        if let Some(name) = names.get(id) {
            id.clone_from(name);
        }
    };
    // The engine draws random trace ids and says so by W3C's random flag (Trace Context level 2), which
    // `opentelemetry_sdk` does not know. Given by a parent it is kept by both.
    let drawn = names.contains_key(&span.trace_id);
    named(&mut span.trace_id);
    named(&mut span.span_id);
    named(&mut span.parent_span_id);
    if drawn {
        span.flags &= !0x2;
    }
    for link in &mut span.links {
        if names.contains_key(&link.trace_id) {
            link.flags &= !0x2;
        }
        named(&mut link.trace_id);
        named(&mut link.span_id);
    }
    // `opentelemetry_sdk` sends a status that is unset as an empty message, the engine as none: equal by
    // proto3's rules.
    if span.status == Some(ProtoStatus::default()) {
        span.status = None;
    }
}

fn engine(exporter: ExporterOptions, name: &str) -> Engine {
    let options = Options::new("shop")
        .name(name)
        .provider(true)
        .resource_attribute("service.instance.id", "i-1")
        .resource_attribute("replicas", 3)
        .resource_attribute("zones", vec!["a", "b"])
        .resource_schema_url("https://opentelemetry.io/schemas/1.37.0");
    polyspan::init(options.exporter(exporter)).unwrap()
}

/// Records the catalogue into an engine and waits until it has been delivered.
fn through_the_engine(exporter: ExporterOptions, name: &str) -> Engine {
    let engine = engine(exporter, name);
    record(&polyspan::otel::TracerProvider::new(engine.clone()));
    engine.flush(SOON).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up() && stats.exported() == stats.ended - 1 && stats.unsampled == 1, "{stats:?}");
    engine
}

fn stock_exporter(endpoint: String) -> SpanExporter {
    let builder = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
    builder.with_endpoint(endpoint).build().unwrap()
}

/// The engine's resource in the SDK's words.
fn same_resource(engine: &Engine) -> opentelemetry_sdk::Resource {
    let ours = engine.resource();
    let value = |value: &polyspan::Value<'_>| match value {
        polyspan::Value::I64(value) => Value::I64(*value),
        polyspan::Value::Array(items) => Value::Array(Array::String(
            items.iter().map(|item| item.as_str().unwrap().to_owned().into()).collect(),
        )),
        text => text.as_str().unwrap().to_owned().into(),
    };
    let attributes = ours.attributes.iter().map(|(key, found)| KeyValue::new(key.clone(), value(found)));
    let attributes: Vec<_> = attributes.collect();
    opentelemetry_sdk::Resource::builder_empty().with_schema_url(attributes, ours.schema_url.clone()).build()
}

#[test]
fn the_same_spans_arrive_whichever_way_they_take() {
    let [own, plugged, stock] = [(); 3].map(|()| Receiver::start(Script::default()));

    let otlp = ExporterOptions::OtlpHttp(OtlpOptions::new().traces_endpoint(own.endpoint()));
    let engine = through_the_engine(otlp, "own");
    let endpoint = plugged.endpoint();
    let exporter =
        sdk::exporter("stock", move || Ok::<_, std::convert::Infallible>(stock_exporter(endpoint.clone())));
    through_the_engine(exporter, "plugged");
    let provider = SdkTracerProvider::builder()
        .with_resource(same_resource(&engine))
        .with_batch_exporter(stock_exporter(stock.endpoint()))
        .build();
    record(&provider);
    provider.force_flush().unwrap();

    let expected = normalised(&stock);
    for (way, receiver) in [("own", &own), ("plugged", &plugged)] {
        let found = normalised(receiver);
        assert_eq!((&found.resource, &found.schema_url), (&expected.resource, &expected.schema_url), "{way}");
        assert_eq!(found.scope_spans.len(), expected.scope_spans.len());
        for (found, expected) in found.scope_spans.iter().zip(&expected.scope_spans) {
            assert_eq!((&found.scope, &found.schema_url), (&expected.scope, &expected.schema_url), "{way}");
            let names = |spans: &[Span]| spans.iter().map(|span| span.name.clone()).collect::<Vec<_>>();
            assert_eq!(names(&found.spans), names(&expected.spans), "{way}");
            for (found, expected) in found.spans.iter().zip(&expected.spans) {
                // As text, because NaN is not equal to itself and the zeros of both signs are.
                assert_eq!(format!("{found:#?}"), format!("{expected:#?}"), "{way}: {}", expected.name);
            }
        }
    }
    let spans = expected.scope_spans.iter().map(|scope| scope.spans.len()).sum::<usize>();
    assert_eq!(spans, 15);
}
