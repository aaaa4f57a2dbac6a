//! Metrics of a running engine: collected, delivered, counted, bounded.

#![cfg(all(feature = "metrics", feature = "otlp-http"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use polyspan::config::{ExporterOptions, MetricsOptions, OtlpOptions, TemporalityPreference};
use polyspan::export::file::FileOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::export::otlp::RetryOptions;
use polyspan::frame::unsampled::{self, Unsampled};
use polyspan::metrics::data::{MetricData, MetricsData, PointValue, Temporality};
use polyspan::sampling::HeadSampler;
use polyspan::{DropReason, Engine, Options, SpanType, StatusCode, Value};
use polyspan_test_receiver::{Receiver, Script, Step};
use serde_json::Value as Json;

const SOON: Duration = Duration::from_secs(30);
const CALLS: &str = "traces.span.metrics.calls";

fn options() -> Options {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("metrics test {}", NAMES.fetch_add(1, Ordering::Relaxed));
    Options::new("service").name(name).metrics(MetricsOptions::on())
}

fn started(change: impl FnOnce(Options) -> Options) -> (Engine, MemoryStore) {
    let store = MemoryStore::new();
    let engine = polyspan::init(change(options().exporter(ExporterOptions::Memory(store.clone())))).unwrap();
    (engine, store)
}

fn metric<'m>(data: &'m MetricsData, name: &str) -> Option<&'m MetricData> {
    data.metrics.iter().find(|metric| metric.name == name)
}

/// The sum over all series of a counter.
fn total(data: &MetricsData, name: &str) -> i64 {
    let values = metric(data, name).into_iter().flat_map(|metric| &metric.points).map(|point| &point.value);
    values
        .map(|value| if let PointValue::Integer(value) = value { *value } else { panic!("{value:?}") })
        .sum()
}

/// The value of the series with that label.
fn labelled(data: &MetricsData, name: &str, label: &str) -> Option<i64> {
    let points = &metric(data, name)?.points;
    let found = points.iter().find(|point| {
        point.attributes.iter().any(|(_, value)| value.as_str().is_some_and(|text| text == label))
    })?;
    if let PointValue::Integer(value) = found.value { Some(value) } else { None }
}

fn collected(engine: &Engine, store: &MemoryStore) -> MetricsData {
    engine.flush(SOON).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.panics, stats.pending), (0, 0));
    let mut collected = store.take_metrics();
    assert_eq!(collected.len(), 1, "one collection for a flush");
    collected.remove(0)
}

fn sending_to(receiver: &Receiver) -> Options {
    let retry = RetryOptions { initial: Duration::from_millis(5), ..RetryOptions::default() };
    let otlp = OtlpOptions::new().endpoint(receiver.base()).header("x-key", "k").retry(retry);
    options().exporter(ExporterOptions::OtlpHttp(otlp))
}

#[test]
fn without_the_option_nothing_is_collected() {
    let (engine, store) = started(|options| options.metrics(MetricsOptions::default()));
    engine.span("work").start().end();
    engine.flush(SOON).unwrap();
    assert!(store.take_metrics().is_empty());
    assert_eq!(engine.stats().metrics, polyspan::MetricStats::default());
    engine.shutdown(SOON).unwrap();
}

#[test]
fn cumulative_metrics_count_from_the_start() {
    let (engine, store) = started(|options| options);
    for expected in 1..=3 {
        engine.span("work").start().end();
        let data = collected(&engine, &store);
        assert_eq!(total(&data, CALLS), expected);
        let calls = metric(&data, CALLS).unwrap();
        assert_eq!(calls.temporality, Temporality::Cumulative);
        let point = &calls.points[0];
        assert!(0 < point.start_unix_nanos && point.start_unix_nanos < point.time_unix_nanos);
        assert_eq!(data.resource.attributes[0], ("service.name".to_owned(), "service".into()));
        assert_eq!(data.scope.name, "polyspan");
    }
    engine.shutdown(SOON).unwrap();
}

#[test]
fn delta_metrics_count_from_the_export_before() {
    let delta = MetricsOptions::on().temporality(TemporalityPreference::Delta);
    let (engine, store) = started(|options| options.metrics(delta));
    let mut before = 0;
    for spans in [2, 1, 0] {
        (0..spans).for_each(|_| engine.span("work").start().end());
        let data = collected(&engine, &store);
        assert_eq!(total(&data, CALLS), spans);
        match metric(&data, CALLS) {
            Some(calls) => {
                assert_eq!(calls.temporality, Temporality::Delta);
                assert!(calls.points[0].start_unix_nanos >= before);
                before = calls.points[0].time_unix_nanos;
            }
            None => assert_eq!(spans, 0, "a series without news has no point"),
        }
    }
    engine.shutdown(SOON).unwrap();
}

#[test]
fn low_memory_leaves_the_engines_own_counts_cumulative() {
    let low = MetricsOptions::on().temporality(TemporalityPreference::LowMemory);
    let (engine, store) = started(|options| options.metrics(low));
    engine.span("work").start().end();
    let data = collected(&engine, &store);
    let temporality = |name| metric(&data, name).unwrap().temporality;
    assert_eq!(temporality(CALLS), Temporality::Delta);
    assert_eq!(temporality("otel.sdk.span.started"), Temporality::Cumulative);
    engine.shutdown(SOON).unwrap();
}

#[test]
fn what_the_engine_counts_of_itself_goes_along() {
    let (engine, store) = started(|options| options);
    (0..3).for_each(|_| engine.span("work").start().end());
    let open = engine.span("open").start();
    let data = collected(&engine, &store);
    assert_eq!(labelled(&data, "otel.sdk.span.started", "RECORD_AND_SAMPLE"), Some(4));
    assert_eq!(labelled(&data, "otel.sdk.span.live", "RECORD_AND_SAMPLE"), Some(1));
    assert_eq!(labelled(&data, "otel.sdk.processor.span.processed", "batching_span_processor"), Some(3));
    assert_eq!(metric(&data, "otel.sdk.span.live").unwrap().unit, "{span}");
    drop(open);
    let data = collected(&engine, &store);
    assert_eq!(labelled(&data, "otel.sdk.span.live", "RECORD_AND_SAMPLE"), Some(0));
    assert_eq!(labelled(&data, "otel.sdk.exporter.span.exported", "memory_span_exporter"), Some(3));
    let points = "otel.sdk.exporter.metric_data_point.exported";
    let exported = labelled(&data, points, "memory_metric_exporter").unwrap();
    assert!(exported > 0 && exported < engine.stats().metrics.exported() as i64);
    engine.shutdown(SOON).unwrap();
}

#[test]
fn metrics_are_exported_at_their_interval_without_being_asked() {
    let receiver = Receiver::start(Script::default());
    let often = MetricsOptions::on().interval(Duration::from_millis(100));
    let engine = polyspan::init(sending_to(&receiver).metrics(often)).unwrap();
    engine.span("work").start().end();
    let metrics = |target: &str| target == "POST /v1/metrics";
    let twice = |requests: &[polyspan_test_receiver::Received]| {
        requests.iter().filter(|request| metrics(&request.target)).count() >= 2
    };
    assert!(receiver.log().wait_until(SOON, twice));
    assert!(receiver.log().violations().is_empty());
    engine.shutdown(SOON).unwrap();
}

#[test]
fn metrics_are_sent_to_their_own_path_until_they_arrive() {
    let receiver = Receiver::start(Script::default());
    let engine = polyspan::init(sending_to(&receiver)).unwrap();
    engine.span("work").start().end();
    engine.flush(SOON).unwrap();
    receiver.push_steps([Step::status(503), Step::status(503)]);
    (0..99).for_each(|_| engine.span("work").start().end());
    engine.shutdown(SOON).unwrap();
    let requests = receiver.log().requests();
    let sent: Vec<_> = requests.iter().filter(|request| request.target == "POST /v1/metrics").collect();
    assert!(sent.iter().all(|request| request.header("x-key") == Some("k")));
    let last = sent.iter().rfind(|request| request.accepted > 0 || !request.metrics().is_empty()).unwrap();
    let calls = last.metrics().into_iter().find(|metric| metric.name == CALLS).unwrap().clone();
    assert!(format!("{calls:?}").contains("AsInt(100)"), "{calls:?}");
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.metrics.exporters[0].name, "otlp_http");
    assert_eq!((stats.metrics.exported(), stats.exported()), (stats.metrics.collected, 100));
    assert!(stats.metrics.all_dropped().is_empty());
}

#[test]
fn what_a_receiver_of_metrics_refuses_is_counted_and_spans_are_not_held_up() {
    let partial = Step::Partial { rejected: 3, message: "quota".to_owned() };
    let receiver = Receiver::start(Script::steps([partial, Step::status(400)]));
    let otlp = OtlpOptions::new().metrics_endpoint(format!("{}/v1/metrics", receiver.base()));
    let (engine, store) = started(|options| options.metrics_exporter(ExporterOptions::OtlpHttp(otlp)));
    engine.span("a span").start().end();
    engine.flush(SOON).unwrap();
    let first = engine.stats().metrics;
    assert_eq!(first.all_dropped(), [(DropReason::Rejected, 3)].into());
    engine.span("a span").start().end();
    engine.flush(SOON).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    let second = stats.metrics.collected - first.collected;
    assert_eq!(stats.metrics.all_dropped(), [(DropReason::Rejected, 3 + second)].into());
    assert_eq!((store.spans().len(), store.metrics().len(), stats.exported()), (2, 0, 2));
    engine.shutdown(SOON).unwrap();
}

#[test]
fn a_dead_receiver_of_metrics_keeps_the_shutdown_to_its_deadline() {
    let receiver = Receiver::start(Script::always(Step::Hang));
    let otlp = OtlpOptions::new().metrics_endpoint(format!("{}/v1/metrics", receiver.base()));
    let (engine, store) = started(|options| options.metrics_exporter(ExporterOptions::OtlpHttp(otlp)));
    engine.span("a span").start().end();
    engine.flush(Duration::from_millis(500)).unwrap_err();
    let error = engine.shutdown(Duration::from_millis(500)).unwrap_err();
    assert!(error.message().contains("data points"), "{error}");
    // What was under way is counted right after the deadline.
    let settled = |engine: &Engine| {
        let stats = engine.stats();
        stats.pending == 0 && stats.metrics.collected > 0 && stats.metrics.exporters[0].pending == 0
    };
    let given_up = std::time::Instant::now() + SOON;
    while !settled(&engine) && std::time::Instant::now() < given_up {
        std::thread::yield_now();
    }
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    let dropped: u64 = stats.metrics.all_dropped().values().sum();
    assert!(dropped > 0 && dropped == stats.metrics.collected, "{stats:?}");
    assert_eq!((store.spans().len(), stats.exported()), (1, 1));
}

#[test]
fn a_request_that_is_too_large_is_split_between_metrics() {
    let receiver = Receiver::start(Script { max_body_bytes: Some(3000), ..Script::default() });
    let engine = polyspan::init(sending_to(&receiver)).unwrap();
    for name in ["a", "b", "c", "d"] {
        engine.span(name).start().end();
    }
    engine.shutdown(SOON).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.metrics.exported(), stats.metrics.collected, "{stats:?}");
    let requests = receiver.log().requests();
    let taken = requests.iter().filter(|request| request.metrics.is_some() && request.step.is_some());
    assert!(taken.count() > 1);
}

#[test]
fn a_file_holds_metrics_as_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("telemetry.jsonl");
    let engine = polyspan::init(options().exporter(ExporterOptions::File(FileOptions::new(&path)))).unwrap();
    engine.span("work").start().end();
    engine.shutdown(SOON).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let metrics = lines.iter().find_map(|line| line.pointer("/resourceMetrics/0/scopeMetrics/0/metrics"));
    let metrics = metrics.unwrap().as_array().unwrap();
    let calls = metrics.iter().find(|metric| metric["name"] == CALLS).unwrap();
    assert_eq!(calls["sum"]["dataPoints"][0]["asInt"], "1");
    assert!(lines.iter().any(|line| line.get("resourceSpans").is_some()));
}

#[test]
fn secrets_in_labels_stay_in_the_process() {
    let receiver = Receiver::start(Script::default());
    let further = MetricsOptions::on().attribute("api_key").attribute("note");
    let engine = polyspan::init(sending_to(&receiver).metrics(further)).unwrap();
    let secret = "s3cr3t-hunter2-0123456789";
    let mut span = engine.span(&format!("login password={secret}")).kind_of(SpanType::ModelInference).start();
    span.set("api_key", secret).set("note", format!("Authorization: Bearer {secret}"));
    span.set("model", format!("https://user:{secret}@host/?token={secret}")).set("provider", "openai");
    span.set("error.type", format!("password={secret}")).status(StatusCode::Error, secret);
    span.end();
    engine.shutdown(SOON).unwrap();
    let requests = receiver.log().requests();
    let sent: String = requests.iter().map(|request| format!("{:?}", request.metrics)).collect();
    assert!(sent.contains("gen_ai.client.inference.duration") && sent.contains("[REDACTED]"), "{sent}");
    assert!(!sent.contains(secret), "{sent}");
}

#[test]
fn every_unsampled_span_is_counted_from_every_thread() {
    let (engine, store) = started(|options| options.sampler(HeadSampler::AlwaysOff));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..2500 {
                    let mut span = engine.span("work").kind_of(SpanType::Tool).start();
                    assert!(span.is_counted() && !span.is_recording());
                    span.set("payload", "x".repeat(100));
                    if number % 10 == 0 {
                        span.error(&std::fmt::Error);
                    }
                    let child = engine.span("inside").child_of(&span).start();
                    assert!(child.is_counted());
                }
            });
        }
    });
    let data = collected(&engine, &store);
    assert_eq!(total(&data, CALLS), 20_000);
    assert_eq!(labelled(&data, CALLS, "STATUS_CODE_ERROR"), Some(1000));
    let stats = engine.stats();
    assert_eq!((stats.ended, stats.unsampled, stats.metrics.spans), (20_000, 20_000, 20_000));
    assert!(stats.metrics.missed.is_empty());
    engine.shutdown(SOON).unwrap();
}

#[test]
fn spans_that_are_not_counted_any_more_are_missed() {
    let (engine, _store) = started(|options| options.sampler(HeadSampler::AlwaysOff));
    let late = engine.span("late").start();
    engine.span("work").start().end();
    engine.shutdown(SOON).unwrap();
    drop(late);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.ended, stats.metrics.spans), (2, 1));
    assert_eq!(stats.metrics.missed, [(DropReason::AlreadyShutdown, 1)].into());
}

#[test]
fn a_host_may_hand_in_unsampled_spans_among_its_frames() {
    let (engine, store) = started(|options| options);
    let span = Unsampled {
        name: "from elsewhere".into(),
        nanos: 5_000_000,
        span_type: SpanType::Agent,
        status: StatusCode::Error,
        ..Unsampled::default()
    };
    let mut event = Vec::new();
    unsampled::write(&mut event, 0, &span);
    let mut torn = event.clone();
    torn[8 + 14] = 200;
    assert!(engine.submit(&[event, torn].concat(), 0));
    let data = collected(&engine, &store);
    assert_eq!(labelled(&data, CALLS, "from elsewhere"), Some(1));
    let stats = engine.stats();
    assert_eq!((stats.ended, stats.unsampled, stats.metrics.spans), (2, 2, 1));
    assert_eq!(stats.metrics.missed, [(DropReason::BadFrame, 1)].into());
    engine.shutdown(SOON).unwrap();
}

#[test]
fn names_and_series_stay_bounded_whatever_spans_are_called() {
    let few = MetricsOptions::on().max_names(50).max_series(80);
    let (engine, store) = started(|options| options.metrics(few));
    for number in 0..5000u32 {
        // No digits, so that nothing takes the number out.
        let name: String = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        let kind = if number % 3 == 0 { SpanType::Tool } else { SpanType::ModelInference };
        let mut span = engine.span(&name).kind_of(kind).start();
        span.set("model", format!("model-{name}"));
        span.end();
    }
    let data = collected(&engine, &store);
    assert_eq!(total(&data, CALLS), 5000);
    for metric in &data.metrics {
        // Tokens are told apart by what they stand for, too.
        assert!(metric.points.len() <= 81, "{} has {} series", metric.name, metric.points.len());
    }
    assert!(labelled(&data, CALLS, "other").is_some());
    let tools = metric(&data, "gen_ai.execute_tool.duration").unwrap();
    let overflow = ("otel.metric.overflow".to_owned(), Value::Bool(true));
    assert!(tools.points.iter().any(|point| point.attributes.contains(&overflow)));
    engine.shutdown(SOON).unwrap();
}

#[test]
fn a_collection_is_taken_whole_however_many_series_it_has() {
    let many = MetricsOptions::on().max_names(0).max_series(100_000).attribute("shard");
    let (engine, store) = started(|options| options.metrics(many));
    for shard in 0..35_000 {
        engine.span("work").start().set("shard", shard);
    }
    let data = collected(&engine, &store);
    assert_eq!(total(&data, CALLS), 35_000);
    assert!(data.points() > 70_000, "{}", data.points());
    assert!(engine.stats().metrics.all_dropped().is_empty());
    engine.shutdown(SOON).unwrap();
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(24))]

    /// Whatever spans say of themselves, each is counted once and nothing fails.
    #[test]
    fn every_span_is_counted_once_whatever_it_holds(
        spans in proptest::collection::vec((any_name(), 0..38u16, any_attributes(), 0..3u8), 1..40),
    ) {
        let few = MetricsOptions::on().max_names(10).max_series(20).attribute("usage").attribute("model");
        let (engine, store) = started(|options| options.metrics(few).memory_budget(8 << 20));
        for (name, span_type, attributes, status) in &spans {
            let mut span = engine.span(name).kind_of(SpanType::from_wire(*span_type)).root().start();
            for (key, value) in attributes {
                span.set(key, value.clone());
            }
            match status {
                1 => drop(span.status(StatusCode::Ok, "").is_recording()),
                2 => drop(span.status(StatusCode::Error, "failed").is_recording()),
                _ => {}
            }
        }
        let data = collected(&engine, &store);
        proptest::prop_assert_eq!(total(&data, CALLS), spans.len() as i64);
        proptest::prop_assert_eq!(engine.stats().metrics.spans, spans.len() as u64);
        for metric in data.metrics.iter().filter(|metric| metric.name.starts_with("gen_ai.client.operation")) {
            proptest::prop_assert!(metric.points.len() <= 21, "{}", metric.name);
        }
        engine.shutdown(SOON).unwrap();
    }
}

fn any_name() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    prop_oneof!["[a-z]{1,6}", "\\PC{0,40}", "[a-z]{1,4}/[0-9]{1,12}"]
}

/// Attributes that metrics read, with values of any kind.
fn any_attributes() -> impl proptest::strategy::Strategy<Value = Vec<(String, Value<'static>)>> {
    use proptest::prelude::*;
    const KEYS: [&str; 14] = [
        "model",
        "provider",
        "usage",
        "input_tokens",
        "gen_ai.operation.name",
        "gen_ai.usage.output_tokens",
        "gen_ai.system",
        "server.port",
        "server.address",
        "cost_context",
        "completion_start_time",
        "error.type",
        "time_to_first_chunk",
        "gen_ai.usage.cost",
    ];
    let scalar = prop_oneof![
        any::<i64>().prop_map(Value::I64),
        any::<f64>().prop_map(Value::F64),
        "\\PC{0,20}".prop_map(Value::from),
        Just(Value::Null),
    ];
    let map = proptest::collection::vec(("[a-z_]{1,12}", scalar.clone()), 0..4).prop_map(Value::from_iter);
    let attribute = (0..KEYS.len(), prop_oneof![scalar, map]);
    proptest::collection::vec(attribute.prop_map(|(key, value)| (KEYS[key].to_owned(), value)), 0..8)
}
