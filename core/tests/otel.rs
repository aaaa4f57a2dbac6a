//! The OpenTelemetry API for Rust in front of the engine: what a program records through `opentelemetry`
//! arrives, and its spans and ours nest in each other.
#![cfg(feature = "opentelemetry")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    Event, FutureExt as _, Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt,
    TraceFlags, TraceId, TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, Value as OtelValue};
use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::otel::{Propagator, Span, Tracer, TracerProvider};
use polyspan::propagation::Baggage;
use polyspan::sampling::HeadSampler;
use polyspan::{FutureExt as _, Options, SpanType, StatusCode, Value};

const SOON: Duration = Duration::from_secs(10);

struct Traced {
    provider: TracerProvider,
    store: MemoryStore,
}

impl Traced {
    fn new() -> Self {
        Self::with(|options| options)
    }

    fn with(change: impl FnOnce(Options) -> Options) -> Self {
        static NAMES: AtomicUsize = AtomicUsize::new(0);
        let name = format!("otel test {}", NAMES.fetch_add(1, Ordering::Relaxed));
        let store = MemoryStore::new();
        let options = Options::new("service").name(name).exporter(ExporterOptions::Memory(store.clone()));
        Self { provider: TracerProvider::init(change(options)).unwrap(), store }
    }

    fn tracer(&self) -> Tracer {
        self.provider.tracer("test")
    }

    fn spans(&self) -> Vec<SpanData> {
        self.provider.force_flush().unwrap();
        let stats = self.provider.engine().stats();
        assert!(stats.adds_up() && stats.pending == 0, "{stats:?}");
        self.store.take()
    }

    fn only(&self) -> SpanData {
        let mut spans = self.spans();
        assert_eq!(spans.len(), 1, "{spans:?}");
        spans.remove(0)
    }
}

fn find<'s>(spans: &'s [SpanData], name: &str) -> &'s SpanData {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name} is not in {spans:?}"))
}

fn remote(state: &str) -> SpanContext {
    SpanContext::new(
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
        SpanId::from_hex("b7ad6b7169203331").unwrap(),
        TraceFlags::new(3),
        true,
        state.parse().unwrap(),
    )
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn everything_a_builder_holds_arrives() {
    let traced = Traced::new();
    let scope = InstrumentationScope::builder("http")
        .with_version("1.2")
        .with_schema_url("https://schema.example")
        .with_attributes([KeyValue::new("part", "client")])
        .build();
    let tracer = traced.provider.tracer_with_scope(scope);
    let link = |key: &'static str| Link::new(remote("a=1"), vec![KeyValue::new(key, 1)], 0);
    let span = tracer
        .span_builder("GET")
        .with_kind(SpanKind::Client)
        .with_start_time(at(1_000))
        .with_attributes([
            KeyValue::new("text", "zürich"),
            KeyValue::new("texts", OtelValue::Array(Array::String(vec!["a".into(), "".into()]))),
            KeyValue::new("floats", OtelValue::Array(Array::F64(vec![0.5]))),
        ])
        .with_events(vec![Event::new("first", at(1_001), vec![KeyValue::new("k", true)], 0)])
        .with_links(vec![link("one"), link("two")])
        .start(&tracer);
    let mut span = span;
    assert!(span.is_recording() && span.span_context().is_valid() && !span.span_context().is_remote());
    span.set_attribute(KeyValue::new("int", 7));
    span.set_attributes([KeyValue::new("flag", true), KeyValue::new("int", 8)]);
    span.add_event_with_timestamp("second", at(1_002), vec![]);
    span.record_error(&std::io::Error::other("broke"));
    span.add_link(remote(""), vec![]);
    span.update_name("GET /users");
    span.set_status(Status::error("teapot"));
    span.get_mut().unwrap().kind_of(SpanType::Tool).input("question");
    let id = span.span_context().span_id();
    span.end_with_timestamp(at(1_003));
    assert!(!span.is_recording());
    span.set_attribute(KeyValue::new("late", 1));
    drop(span);

    let span = traced.only();
    assert_eq!(span.context.span_id.to_bytes(), id.to_bytes());
    assert_eq!((&span.name[..], span.kind), ("GET /users", polyspan::SpanKind::Client));
    assert_eq!(span.start_unix_nanos, 1_000_000_000_000);
    assert_eq!(span.end_unix_nanos, 1_003_000_000_000);
    assert_eq!((span.status, &span.status_message[..]), (StatusCode::Error, "teapot"));
    let expected: Vec<(String, Value<'_>)> = vec![
        ("text".into(), "zürich".into()),
        ("texts".into(), vec!["a", ""].into()),
        ("floats".into(), vec![0.5].into()),
        ("int".into(), 8.into()),
        ("flag".into(), true.into()),
    ];
    assert_eq!(span.attributes, expected);
    let events: Vec<_> = span.events.iter().map(|event| (&event.name[..], event.time_unix_nanos)).collect();
    assert_eq!(events[..2], [("first", 1_001_000_000_000), ("second", 1_002_000_000_000)]);
    assert_eq!(span.events[0].attributes, [("k".to_owned(), Value::Bool(true))]);
    assert_eq!(span.events[2].name, "exception");
    assert_eq!(span.events[2].attributes, [("exception.message".to_owned(), "broke".into())]);
    let links: Vec<_> = span.links.iter().map(|link| link.attributes.len()).collect();
    assert_eq!(links, [1, 1, 0]);
    assert_eq!(span.links[1].attributes[0].0, "two");
    assert!(span.links[0].context.remote && span.links[0].context.is_sampled());
    assert_eq!(span.links[0].context.state.header(), "a=1");
    assert_eq!((&span.scope.name[..], &span.scope.version[..]), ("http", "1.2"));
    assert_eq!(span.scope.schema_url, "https://schema.example");
    assert_eq!(span.scope.attributes, [("part".to_owned(), "client".into())]);
    assert_eq!((span.span_type, span.input), (SpanType::Tool, Some("question".into())));
}

#[test]
fn the_parent_is_the_span_of_the_context_given() {
    let traced = Traced::new();
    let tracer = traced.tracer();
    let outside = remote("vendor=1");
    let far = Context::new().with_remote_span_context(outside.clone());
    let near = far.with_span(tracer.start_with_context("near", &far));
    let _active = near.clone().attach();
    drop(tracer.start("below"));
    drop(tracer.start_with_context("root", &Context::new()));
    drop(near);
    drop(_active);

    let spans = traced.spans();
    let near = find(&spans, "near");
    assert_eq!(near.context.trace_id.to_hex(), outside.trace_id().to_string());
    assert_eq!(near.parent_span_id.to_hex(), outside.span_id().to_string());
    assert!(near.parent_remote && near.context.is_sampled() && near.context.flags.is_random());
    assert_eq!(near.context.state.header(), "vendor=1");
    let below = find(&spans, "below");
    assert_eq!((below.parent_span_id, below.parent_remote), (near.context.span_id, false));
    assert_eq!(below.context.state.header(), "vendor=1");
    let root = find(&spans, "root");
    assert!(!root.parent_span_id.is_valid() && root.context.trace_id != near.context.trace_id);
}

#[test]
fn the_first_status_that_is_ok_stays() {
    let traced = Traced::new();
    let mut span = traced.tracer().start("work");
    span.set_status(Status::error("first"));
    span.set_status(Status::Unset);
    span.set_status(Status::error("second"));
    drop(span);
    let failed = traced.only();
    assert_eq!((failed.status, &failed.status_message[..]), (StatusCode::Error, "second"));

    let mut span = traced.tracer().start("work");
    span.set_status(Status::Ok);
    span.set_status(Status::error("late"));
    drop(span);
    let done = traced.only();
    assert_eq!((done.status, &done.status_message[..]), (StatusCode::Ok, ""));
}

#[test]
fn an_unsampled_span_has_an_identity_and_records_nothing() {
    let traced = Traced::with(|options| options.sampler(HeadSampler::AlwaysOff));
    let tracer = traced.tracer();
    tracer.in_span("off", |context| {
        let span = context.span();
        assert!(!span.is_recording() && span.span_context().is_valid());
        assert!(!span.span_context().is_sampled());
        assert_eq!(tracer.start("child").span_context().trace_id(), span.span_context().trace_id());
    });
    assert_eq!(traced.spans(), []);
    assert_eq!(traced.provider.engine().stats().unsampled, 2);
}

#[test]
fn no_span_starts_where_telemetry_is_suppressed() {
    let traced = Traced::new();
    let _quiet = Context::enter_telemetry_suppressed_scope();
    let mut span = traced.tracer().start("quiet");
    assert!(!span.is_recording() && !span.span_context().is_valid() && span.get_mut().is_none());
    span.set_attribute(KeyValue::new("k", 1));
    span.end();
    assert_eq!(traced.provider.engine().stats().started, 0);
}

#[test]
fn spans_of_both_apis_nest_in_either_direction() {
    let traced = Traced::new();
    let (tracer, engine) = (traced.tracer(), traced.provider.engine());
    polyspan::surrounded(
        |around| around.session_id("s-42"),
        || {
            let outer = engine.span("1 ours").start();
            let entered = outer.enter();
            tracer.in_span("2 theirs", |_| {
                engine.span("3 ours").start().in_scope(|| {
                    let guard = opentelemetry::trace::mark_span_as_active(tracer.start("4 theirs"));
                    drop(engine.span("5 ours").start());
                    drop(guard);
                    drop(engine.span("4 ours").start());
                });
                let elsewhere = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
                let _elsewhere = elsewhere.attach();
                drop(engine.span("below root").start());
            });
            drop(entered);
            assert!(polyspan::current().span.is_none());
            assert!(!Context::current().span().span_context().is_valid());
        },
    );
    let spans = traced.spans();
    let parent = |name: &str| {
        let parent = find(&spans, name).parent_span_id;
        spans.iter().find(|span| span.context.span_id == parent).map(|span| &span.name[..])
    };
    assert_eq!(parent("2 theirs"), Some("1 ours"));
    assert_eq!(parent("3 ours"), Some("2 theirs"));
    assert_eq!(parent("4 theirs"), Some("3 ours"));
    assert_eq!(parent("5 ours"), Some("4 theirs"));
    assert_eq!(parent("4 ours"), Some("3 ours"));
    assert_eq!(parent("below root"), Some("root"));
    assert_eq!(parent("1 ours"), None);
    for span in &spans {
        // What surrounds goes with the context; a context made from nothing has none.
        let session = span.attributes.iter().any(|(key, _)| key == "session.id");
        assert_eq!(session, !span.name.ends_with("root"), "{}", span.name);
    }
}

#[test]
fn the_current_span_is_restored_whatever_the_order_of_guards() {
    let traced = Traced::new();
    let engine = traced.provider.engine();
    let [first, second] = ["first", "second"].map(|name| engine.span(name).start());
    let current = || polyspan::current().span.map(|span| span.span_id);
    let outer = first.enter();
    let inner = second.enter();
    drop(outer);
    assert_eq!(current(), Some(second.context().span_id));
    drop(inner);
    assert_eq!(current(), None);
    let nothing = polyspan::Current::default();
    first.in_scope(|| {
        let _outside = nothing.enter();
        assert_eq!(current(), None);
        assert!(!traced.tracer().start("root").span_context().trace_id().to_bytes().starts_with(&[0; 8]));
    });
    drop((first, second));
    assert!(!find(&traced.spans(), "root").parent_span_id.is_valid());
}

#[test]
fn futures_of_both_apis_carry_their_span() {
    let traced = Traced::new();
    let (tracer, engine) = (traced.tracer(), traced.provider.engine());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let ours = async {
            tokio::task::yield_now().await;
            let theirs = Context::current_with_span(tracer.start("theirs"));
            async {
                tokio::task::yield_now().await;
                drop(engine.span("innermost").start());
            }
            .with_context(theirs)
            .await;
        };
        let other = async {
            tokio::task::yield_now().await;
            assert!(polyspan::current().span.is_none());
        };
        tokio::join!(ours.in_span(engine.span("ours").start()), other);
    });
    let spans = traced.spans();
    assert_eq!(find(&spans, "theirs").parent_span_id, find(&spans, "ours").context.span_id);
    assert_eq!(find(&spans, "innermost").parent_span_id, find(&spans, "theirs").context.span_id);
}

#[test]
fn a_span_of_ours_can_be_the_active_one_of_a_context() {
    let traced = Traced::new();
    let span = traced.provider.engine().span("shared").start();
    let context = Context::current_with_span(Span::from(span));
    let active = context.clone().attach();
    opentelemetry::trace::get_active_span(|span| span.set_attribute(KeyValue::new("from", "a library")));
    drop(active);
    context.span().end();
    assert_eq!(traced.only().attributes, [("from".to_owned(), "a library".into())]);
}

#[test]
fn tracestate_members_that_one_side_refuses_are_left_out() {
    let traced = Traced::new();
    // An empty value is valid to the API alone; a vendor of more than 13 characters to us alone.
    let parent = Context::new().with_remote_span_context(remote("empty=,kept=1"));
    drop(traced.tracer().start_with_context("in", &parent));
    assert_eq!(traced.only().context.state.header(), "kept=1");

    let state: polyspan::TraceState = "a@fourteen-chars=1,kept=1".parse().unwrap();
    let parent = polyspan::SpanContext {
        trace_id: polyspan::TraceId::from_hex("abc").unwrap(),
        span_id: polyspan::SpanId::from_hex("def").unwrap(),
        state,
        ..polyspan::SpanContext::default()
    };
    let engine = traced.provider.engine();
    let span = Span::from(engine.span("out").parent(&parent).start());
    assert_eq!(span.span_context().trace_state(), &TraceState::from_key_value([("kept", "1")]).unwrap());
}

#[test]
fn baggage_is_the_same_list_to_both_apis() {
    let traced = Traced::new();
    let engine = traced.provider.engine();
    let ours = |key: &str| {
        let surroundings = polyspan::current().surroundings;
        surroundings.and_then(|around| around.baggage().get(key).map(str::to_owned))
    };
    let theirs = |key: &str| Context::map_current(|cx| cx.baggage().get(key).map(ToString::to_string));

    let mut baggage = Baggage::new();
    baggage.insert_with_metadata("tenant", "acme & co", "ttl=5");
    polyspan::surrounded(
        |around| around.session_id("s-42").with_baggage(baggage),
        || {
            assert_eq!(theirs("tenant").as_deref(), Some("acme & co"));
            assert_eq!(Context::current().baggage().get_with_metadata("tenant").unwrap().1.as_str(), "ttl=5");
            let changed = Context::current_with_baggage(vec![KeyValue::new("tenant", "other")]).attach();
            assert_eq!(ours("tenant").as_deref(), Some("other"));
            // Through a span of either API, with what else surrounds it.
            engine.span("ours").start().in_scope(|| {
                assert_eq!((ours("tenant"), theirs("tenant")), (Some("other".into()), Some("other".into())));
                traced.tracer().in_span("theirs", |_| assert_eq!(ours("tenant").as_deref(), Some("other")));
            });
            drop(changed);
            assert_eq!(ours("tenant").as_deref(), Some("acme & co"));
            let outside = polyspan::Current::default().enter();
            assert_eq!((ours("tenant"), theirs("tenant")), (None, None));
            drop(outside);
            assert_eq!(theirs("tenant").as_deref(), Some("acme & co"));
        },
    );
    let spans = traced.spans();
    assert!(spans.iter().all(|span| span.attributes[0] == ("session.id".to_owned(), "s-42".into())));
}

#[test]
fn context_travels_by_the_engines_formats() {
    let traced = Traced::new();
    let propagator = Propagator::new(traced.provider.engine().clone());
    let fields: Vec<_> = propagator.fields().collect();
    assert_eq!(fields, ["traceparent", "tracestate", "baggage"]);
    let context = Context::new()
        .with_remote_span_context(remote("vendor=1"))
        .with_baggage(vec![KeyValue::new("b", "2"), KeyValue::new("a", "x y")]);
    let mut carrier = HashMap::new();
    propagator.inject_context(&context, &mut carrier);
    assert_eq!(carrier["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");
    assert_eq!((&carrier["tracestate"][..], &carrier["baggage"][..]), ("vendor=1", "a=x%20y,b=2"));

    let found = propagator.extract_with_context(&Context::new(), &carrier);
    assert_eq!(found.span().span_context(), &remote("vendor=1"));
    assert_eq!(found.baggage().get("a").unwrap().as_str(), "x y");
    drop(traced.tracer().start_with_context("work", &found));
    assert!(traced.only().parent_remote);
    // What a carrier lacks, or has malformed, leaves the context as it is.
    let nothing = HashMap::from([("traceparent".to_owned(), "00-bad".to_owned())]);
    let same = propagator.extract_with_context(&context, &nothing);
    assert_eq!(same.span().span_context(), context.span().span_context());
    assert_eq!(same.baggage().len(), 2);
    assert_eq!(traced.provider.engine().stats().altered, 1);
}

#[cfg(feature = "otlp-http")]
#[test]
fn without_any_exporter_spans_go_out_by_otlp() {
    let environment = polyspan::config::env::EnvSettings::default();
    let options = Options::new("service").name("no exporter").provider(true);
    let config = options.clone().resolve(&environment).unwrap();
    assert!(!config.console_fallback);
    // Nothing is recorded, so nothing is sent.
    let provider = TracerProvider::new(polyspan::init_with(options, &environment).unwrap());
    let exporters = provider.engine().stats().exporters;
    assert_eq!(exporters.iter().map(|exporter| &exporter.name[..]).collect::<Vec<_>>(), ["otlp_http"]);
}

/// Records a span when its thread has ended.
struct AtThreadEnd(Option<TracerProvider>);

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        let provider = self.0.take().unwrap();
        let span = provider.engine().span("last").start();
        let _entered = span.enter();
    }
}

thread_local! {
    static LAST: RefCell<AtThreadEnd> = const { RefCell::new(AtThreadEnd(None)) };
}

#[test]
fn spans_can_be_recorded_while_their_thread_ends() {
    let traced = Traced::new();
    let provider = traced.provider.clone();
    // The destructor runs after that of the API's own thread-local, which is used later.
    let thread = std::thread::spawn(move || {
        LAST.with(|last| last.borrow_mut().0 = Some(provider.clone()));
        drop(provider.engine().span("before").start());
    });
    thread.join().unwrap();
    let names: Vec<_> = traced.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["before", "last"]);
}

#[test]
fn a_provider_that_is_shut_down_counts_what_comes_late() {
    let traced = Traced::new();
    let span = traced.tracer().start("early");
    traced.provider.shutdown_with_timeout(SOON).unwrap();
    drop(span);
    let stats = traced.provider.engine().stats();
    assert!(stats.adds_up());
    assert_eq!(stats.dropped.get(&polyspan::DropReason::AlreadyShutdown), Some(&1));
}
