//! A program instrumented with `tracing` exports through the engine: `tracing-opentelemetry` and a provider
//! of ours. A binary of its own, because the subscriber and the global provider are the process's.
#![cfg(feature = "opentelemetry")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, global};
use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::otel::TracerProvider;
use polyspan::{Options, SpanKind, StatusCode, Value};
use tracing::{Instrument, field, info, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

async fn load(id: i64) -> Result<(), std::fmt::Error> {
    let span = info_span!("load", id, otel.kind = "client", rows = field::Empty);
    async {
        tokio::task::yield_now().await;
        drop(polyspan::span("ours").start());
        tracing::Span::current().record("rows", 3);
        info!(cache = "miss", "looked up");
        tracing::error!("it broke");
        Err(std::fmt::Error)
    }
    .instrument(span)
    .await
}

#[test]
fn tracing_spans_arrive_and_ours_nest_in_them() {
    let store = MemoryStore::new();
    let options = Options::new("service").exporter(ExporterOptions::Memory(store.clone()));
    let provider = TracerProvider::init(options).unwrap();
    global::set_tracer_provider(provider.clone());
    let layer = tracing_opentelemetry::layer().with_tracer(global::tracer("app"));
    let subscriber = tracing_subscriber::registry().with(layer);

    let remote = SpanContext::new(
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
        SpanId::from_hex("b7ad6b7169203331").unwrap(),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    tracing::subscriber::with_default(subscriber, || {
        let request = info_span!("request", otel.kind = "server", http.route = "/users");
        request.set_parent(Context::new().with_remote_span_context(remote.clone())).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let result = runtime.block_on(load(42).instrument(request.clone()));
        assert!(result.is_err());
        let other = info_span!("other");
        other.follows_from(&request);
        assert_eq!(request.context().span().span_context().trace_id(), remote.trace_id());
    });
    provider.force_flush().unwrap();

    let spans = store.take();
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let attribute = |span: &str, key: &str| {
        find(span).attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
    };
    assert_eq!(spans.len(), 4, "{spans:?}");
    let (request, load, ours, other) = (find("request"), find("load"), find("ours"), find("other"));
    assert_eq!(request.parent_span_id.to_hex(), remote.span_id().to_string());
    assert!(request.parent_remote);
    assert_eq!(load.parent_span_id, request.context.span_id);
    assert_eq!(ours.parent_span_id, load.context.span_id);
    assert!(!other.parent_span_id.is_valid());
    assert_eq!(other.links[0].context.span_id, request.context.span_id);
    assert_eq!((request.kind, load.kind), (SpanKind::Server, SpanKind::Client));
    assert_eq!(attribute("load", "id"), Some(Value::I64(42)));
    assert_eq!(attribute("load", "rows"), Some(Value::I64(3)));
    assert_eq!(attribute("request", "http.route"), Some("/users".into()));
    assert_eq!((load.status, request.status), (StatusCode::Error, StatusCode::Unset));
    let events: Vec<_> = load.events.iter().map(|event| &event.name[..]).collect();
    assert_eq!(events, ["looked up", "it broke"]);
    assert!(load.events[0].attributes.contains(&("cache".to_owned(), "miss".into())));
    assert_eq!(load.scope.name, "app");
    assert!(request.start_unix_nanos <= load.start_unix_nanos);
    assert!(load.end_unix_nanos <= request.end_unix_nanos);
    assert!(provider.engine().stats().adds_up());
}
