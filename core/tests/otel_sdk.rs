//! Exporters written for `opentelemetry_sdk`, plugged into the engine: good ones, ones that block, need a
//! reactor, fail, panic or never return.
#![cfg(feature = "opentelemetry-sdk")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Array, Context, Key, KeyValue, Value as OtelValue};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::otel::{TracerProvider, sdk};
use polyspan::{DropReason, Engine, ErrorCode, Options, SpanContext, SpanType, StatusCode, Value};
use polyspan_test_receiver::{Receiver, Script};
use tokio::io::AsyncWriteExt;

const SOON: Duration = Duration::from_secs(20);

fn options() -> Options {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    Options::new("service").name(format!("sdk test {}", NAMES.fetch_add(1, Ordering::Relaxed)))
}

/// An engine with one such exporter.
fn started<E: SpanExporter + 'static>(
    make: impl Fn() -> E + Send + Sync + 'static,
    change: impl FnOnce(Options) -> Options,
) -> Engine {
    let exporter = sdk::exporter("plugged", move || Ok::<_, Infallible>(make()));
    polyspan::init(change(options().exporter(exporter))).unwrap()
}

fn exported(engine: &Engine) -> u64 {
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.exporters[0].name, "plugged");
    stats.exporters[0].exported
}

fn dropped(engine: &Engine, reason: DropReason) -> u64 {
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    stats.exporters[0].dropped.get(&reason).copied().unwrap_or(0)
}

/// Says once whether something has happened.
#[derive(Debug, Clone, Default)]
struct Signal(Arc<(Mutex<bool>, Condvar)>);

impl Signal {
    fn set(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let set = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(set, |set| !*set).unwrap());
    }
}

#[derive(Debug, Default)]
struct Seen {
    resource: Option<Resource>,
    spans: Vec<SpanData>,
    calls: Vec<&'static str>,
}

/// Keeps what it is given.
#[derive(Debug, Clone, Default)]
struct Keeper(Arc<Mutex<Seen>>);

impl SpanExporter for Keeper {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().spans.extend(batch);
        Ok(())
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.0.lock().unwrap().calls.push("shutdown");
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.lock().unwrap().calls.push("force_flush");
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.lock().unwrap().resource = Some(resource.clone());
    }
}

#[test]
fn an_exporter_gets_the_whole_span_and_the_resource() {
    let keeper = Keeper::default();
    let seen = Arc::clone(&keeper.0);
    let engine = started(
        move || keeper.clone(),
        |options| {
            options.resource_attribute("pets", vec!["cat"]).resource_schema_url("https://schema.example")
        },
    );
    let far = SpanContext {
        trace_id: polyspan::TraceId::from_hex("abc").unwrap(),
        span_id: polyspan::SpanId::from_hex("def").unwrap(),
        flags: polyspan::TraceFlags::SAMPLED,
        state: "a=1".parse().unwrap(),
        remote: true,
    };
    let nested = Value::from_iter([("a", Value::from(vec![1, 2])), ("b", Value::Null)]);
    let mut span = engine.span("work").parent(&far).kind(polyspan::SpanKind::Server).start();
    span.kind_of(SpanType::Tool).input(nested.clone()).output("answer").metadata("tier", 7).tag("beta");
    span.set("text", "t").set("int", 1).set("float", 0.5).set("flag", true).set("none", Value::Null);
    span.set("bytes", &b"any carnal pleas"[..]).set("map", nested);
    span.set("ints", vec![1, 2]).set("mixed", Value::Array(vec![1.into(), "a".into()]));
    span.set("empty", Value::Array(vec![]));
    span.event_with("event", Some(5), &[("k".into(), 1.into())]);
    span.link(&far, &[("why".into(), "cause".into())]);
    span.status(StatusCode::Error, "broke");
    span.end();
    engine.flush(SOON).unwrap();
    assert_eq!(exported(&engine), 1);
    engine.shutdown(SOON).unwrap();

    let seen = seen.lock().unwrap();
    assert_eq!(seen.calls, ["force_flush", "force_flush", "shutdown"]);
    let resource = seen.resource.as_ref().unwrap();
    assert_eq!(resource.get(&Key::new("service.name")), Some("service".into()));
    let pets = OtelValue::Array(Array::String(vec!["cat".into()]));
    assert_eq!(resource.get(&Key::new("pets")), Some(pets));
    assert_eq!(resource.schema_url(), Some("https://schema.example"));

    let [span] = &seen.spans[..] else { panic!("{seen:?}") };
    assert_eq!((&span.name[..], &span.span_kind), ("execute_tool work", &SpanKind::Server));
    assert_eq!(span.span_context.trace_id().to_string(), far.trace_id.to_hex());
    assert_eq!(span.parent_span_id.to_string(), far.span_id.to_hex());
    assert!(span.parent_span_is_remote && span.span_context.is_sampled());
    assert_eq!(span.span_context.trace_state().header(), "a=1");
    assert_eq!(span.status, Status::error("broke"));
    assert!(span.end_time >= span.start_time);
    let json = r#"{"a":[1,2],"b":null}"#;
    let expected = [
        KeyValue::new("text", "t"),
        KeyValue::new("int", 1),
        KeyValue::new("float", 0.5),
        KeyValue::new("flag", true),
        KeyValue::new("none", ""),
        KeyValue::new("bytes", "YW55IGNhcm5hbCBwbGVhcw=="),
        KeyValue::new("map", json),
        KeyValue::new("ints", OtelValue::Array(Array::I64(vec![1, 2]))),
        KeyValue::new("mixed", r#"[1,"a"]"#),
        KeyValue::new("empty", OtelValue::Array(Array::String(vec![]))),
        KeyValue::new("gen_ai.operation.name", "execute_tool"),
        KeyValue::new("gen_ai.tool.name", "work"),
        KeyValue::new("error.type", "_OTHER"),
        KeyValue::new("gen_ai.tool.call.arguments", json),
        KeyValue::new("gen_ai.tool.call.result", "answer"),
        KeyValue::new("polyspan.span.type", "tool"),
        KeyValue::new("polyspan.metadata.tier", 7),
        KeyValue::new("polyspan.tags", OtelValue::Array(Array::String(vec!["beta".into()]))),
    ];
    assert_eq!(span.attributes, expected);
    assert_eq!((&span.events[0].name[..], span.events[0].attributes.len()), ("event", 1));
    assert_eq!(span.links[0].span_context.span_id().to_string(), far.span_id.to_hex());
    assert!(span.links[0].span_context.is_remote());
    assert_eq!(span.links[0].attributes, [KeyValue::new("why", "cause")]);
    assert_eq!(span.instrumentation_scope.name(), "polyspan");
}

#[test]
fn the_stock_otlp_exporter_delivers_every_span() {
    let receiver = Receiver::start(Script::default());
    let endpoint = receiver.endpoint();
    // It blocks its thread for each request.
    let otlp = sdk::exporter("plugged", move || {
        opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.clone())
            .build()
    });
    let engine = polyspan::init(options().exporter(otlp).max_batch_spans(100)).unwrap();
    let provider = TracerProvider::new(engine.clone());
    for number in 0..1_000 {
        let mut span = provider.tracer("test").start(format!("span {number}"));
        span.set_attribute(KeyValue::new("number", number));
    }
    engine.flush(SOON).unwrap();
    assert_eq!(exported(&engine), 1_000);
    let arrivals = receiver.log().arrivals();
    assert!(arrivals.len() == 1_000 && arrivals.values().all(|times| *times == 1));
    assert_eq!(receiver.log().violations(), Vec::<String>::new());
}

/// Needs a reactor: writes the batch's size to a socket from a task of its own, after a pause.
#[derive(Debug)]
struct Async {
    to: std::net::SocketAddr,
}

impl SpanExporter for Async {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        assert!(Context::is_current_telemetry_suppressed());
        tokio::time::sleep(Duration::from_millis(1)).await;
        let to = self.to;
        let sent = tokio::spawn(async move {
            assert!(Context::is_current_telemetry_suppressed());
            let mut stream = tokio::net::TcpStream::connect(to).await?;
            stream.write_all(&[batch.len() as u8]).await
        });
        sent.await.unwrap().map_err(|error| OTelSdkError::InternalFailure(error.to_string()))
    }
}

#[test]
fn an_exporter_finds_a_reactor_and_records_nothing_of_its_own() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap();
    let engine = started(
        move || {
            // Built where a reactor is, as gRPC clients want it.
            tokio::runtime::Handle::current();
            Async { to }
        },
        |options| options,
    );
    drop(engine.span("one").start());
    drop(engine.span("two").start());
    engine.flush(SOON).unwrap();
    assert_eq!(exported(&engine), 2);
    let mut size = [0];
    std::io::Read::read_exact(&mut listener.accept().unwrap().0, &mut size).unwrap();
    assert_eq!(size, [2]);
}

/// Does what the name of the batch's first span says.
#[derive(Debug, Clone)]
struct Moody {
    release: Signal,
}

impl SpanExporter for Moody {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        match &batch[0].name[..] {
            "blocks" => self.release.wait(),
            "pends" => std::future::pending().await,
            "panics" => panic!("as the test wants it"),
            "fails" => return Err(OTelSdkError::InternalFailure("status 400".to_owned())),
            "times out" => return Err(OTelSdkError::Timeout(Duration::from_secs(1))),
            "is shut down" => return Err(OTelSdkError::AlreadyShutdown),
            _ => {}
        }
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("nothing to flush".to_owned()))
    }
}

/// Records a span alone in its batch and settles it.
fn export(engine: &Engine, name: &str) {
    drop(engine.span(name).start());
    engine.flush(SOON).unwrap();
}

#[test]
fn what_goes_wrong_is_counted_by_reason_and_the_next_batch_goes_out() {
    let moody = Moody { release: Signal::default() };
    let engine = started(move || moody.clone(), |options| options.export_timeout(Duration::from_millis(500)));
    let mut lost = 0;
    for (name, reason) in [
        ("fails", DropReason::Rejected),
        ("times out", DropReason::Unknown),
        ("panics", DropReason::Internal),
        ("is shut down", DropReason::Rejected),
    ] {
        let before = dropped(&engine, reason);
        export(&engine, name);
        assert_eq!(dropped(&engine, reason), before + 1, "{name}");
        lost += 1;
        export(&engine, "works");
        assert_eq!(exported(&engine), lost);
    }
}

#[test]
fn a_future_that_never_ends_is_dropped_in_time() {
    let moody = Moody { release: Signal::default() };
    let engine = started(move || moody.clone(), |options| options.export_timeout(Duration::from_millis(500)));
    export(&engine, "pends");
    assert_eq!(dropped(&engine, DropReason::Unknown), 1);
    export(&engine, "works");
    assert_eq!(exported(&engine), 1);
}

#[test]
fn an_exporter_that_blocks_holds_up_itself_alone() {
    let release = Signal::default();
    let moody = Moody { release: release.clone() };
    let store = MemoryStore::new();
    let engine = started(
        move || moody.clone(),
        |options| {
            let other = ExporterOptions::Memory(store.clone());
            options.exporter(other).export_timeout(Duration::from_millis(500))
        },
    );
    export(&engine, "blocks");
    assert_eq!(dropped(&engine, DropReason::Unknown), 1);
    export(&engine, "behind");
    assert_eq!(dropped(&engine, DropReason::RetryExhausted), 1);
    assert_eq!(store.spans().len(), 2);
    release.set();
    // It works again, and what was counted as lost does not turn up after all.
    export(&engine, "works");
    assert_eq!(exported(&engine), 1);
}

#[test]
fn a_shutdown_keeps_its_deadline_while_an_exporter_blocks() {
    let release = Signal::default();
    let moody = Moody { release: release.clone() };
    let engine = started(move || moody.clone(), |options| options);
    drop(engine.span("blocks").start());
    let flushed = engine.flush(Duration::from_millis(50)).unwrap_err();
    assert_eq!(flushed.code(), ErrorCode::DeadlineExceeded);
    drop(engine.span("behind").start());
    let stopped = engine.shutdown(Duration::from_millis(50)).unwrap_err();
    assert_eq!(stopped.code(), ErrorCode::DeadlineExceeded);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.exporters[0].pending, stats.exporters[0].exported), (0, 0));
    assert_eq!(stats.exporters[0].dropped.values().sum::<u64>(), 2);
    release.set();
}

#[test]
fn an_exporter_that_cannot_be_made_is_an_error_of_init() {
    let broken = sdk::exporter("broken", || Err::<Keeper, _>("no such host"));
    let error = polyspan::init(options().exporter(broken)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidOption);
    assert!(error.message().contains("\"broken\"") && error.message().contains("no such host"), "{error}");
    let broken = sdk::exporter("worse", || -> Result<Keeper, Infallible> { panic!("as the test wants it") });
    let error = polyspan::init(options().exporter(broken)).unwrap_err();
    assert!(error.message().contains("\"worse\""), "{error}");
}

#[test]
fn a_clone_of_the_options_is_the_same_engine() {
    let options = options().exporter(sdk::exporter("plugged", || Ok::<_, Infallible>(Keeper::default())));
    let engine = polyspan::init(options.clone()).unwrap();
    assert!(engine.same(&polyspan::init(options).unwrap()));
}
