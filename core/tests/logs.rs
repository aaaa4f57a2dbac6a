//! Log records as an application makes them: kept by level, correlated, limited, delivered and counted.

#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use polyspan::config::{ExporterOptions, OtlpOptions};
use polyspan::export::file::FileOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::export::otlp::RetryOptions;
use polyspan::logs::LogData;
use polyspan::sampling::HeadSampler;
use polyspan::{CarriedId, DropReason, Engine, LogLevel, Options, Severity, SpanType, Value};
use polyspan_test_receiver::{Receiver, Script, Step};
use serde_json::Value as Json;

const SOON: Duration = Duration::from_secs(30);

fn options() -> Options {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    Options::new("service").name(format!("logs test {}", NAMES.fetch_add(1, Ordering::Relaxed)))
}

fn started(change: impl FnOnce(Options) -> Options) -> (Engine, MemoryStore) {
    let store = MemoryStore::new();
    let engine = polyspan::init(change(options().exporter(ExporterOptions::Memory(store.clone())))).unwrap();
    (engine, store)
}

fn flushed(engine: &Engine, store: &MemoryStore) -> Vec<LogData> {
    engine.flush(SOON).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.logs.pending, stats.panics), (0, 0));
    store.take_logs()
}

fn attribute<'l>(record: &'l LogData, key: &str) -> Option<&'l Value<'static>> {
    record.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

#[test]
fn a_record_arrives_as_it_was_made() {
    let (engine, store) = started(|options| options);
    let kept = engine
        .log(Severity::WARN, "the disk is filling")
        .severity_text("WARNING")
        .event_name("disk.filling")
        .time(5)
        .attribute("free", 7)
        .attribute("free", 8)
        .attribute("nested", Value::from_iter([("list", vec![1, 2])]))
        .emit();
    assert!(kept);
    assert!(engine.log(Severity::UNSPECIFIED, Value::from_iter([("k", 1)])).emit());
    let records = flushed(&engine, &store);
    let [first, second] = &records[..] else { panic!("{records:?}") };
    assert_eq!(first.body, Some("the disk is filling".into()));
    assert_eq!((first.severity, first.severity_text.as_str()), (Severity::WARN, "WARNING"));
    assert_eq!((first.event_name.as_str(), first.time_unix_nanos), ("disk.filling", 5));
    assert!(first.observed_unix_nanos > 1_700_000_000_000_000_000);
    assert_eq!(attribute(first, "free"), Some(&8.into()));
    assert_eq!(attribute(first, "nested"), Some(&Value::from_iter([("list", vec![1, 2])])));
    assert!(!first.trace_id.is_valid() && !first.span_id.is_valid());
    assert_eq!(first.resource.attributes[0], ("service.name".to_owned(), "service".into()));
    assert_eq!(second.body, Some(Value::from_iter([("k", 1)])));
    assert_eq!((second.severity_text.as_str(), second.time_unix_nanos), ("", second.observed_unix_nanos));
    let stats = engine.stats().logs;
    assert_eq!((stats.emitted, stats.accepted, stats.exported()), (2, 2, 2));
    assert_eq!(engine.stats().ended, 0, "log records are no spans");
    engine.shutdown(SOON).unwrap();
}

#[test]
fn a_record_belongs_to_the_current_span_and_inherits() {
    let (engine, store) = started(|options| {
        let options = options.default_id(CarriedId::Session, "everyone's").default_id(CarriedId::Run, "r-1");
        options.metadata("tier", "free").metadata("region", "eu").tags(["beta"])
    });
    let (mut trace_id, mut span_id) = Default::default();
    polyspan::surrounded(
        |around| around.session_id("s-42").user_id("u-7").metadata("tier", "gold"),
        || {
            let span = engine.span("work").start();
            (trace_id, span_id) = (span.context().trace_id, span.context().span_id);
            span.in_scope(|| engine.log(Severity::INFO, "inside").attribute("user.id", "u-8").emit());
        },
    );
    assert!(engine.log(Severity::INFO, "outside").emit());
    let records = flushed(&engine, &store);
    let [inside, outside] = &records[..] else { panic!("{records:?}") };
    assert_eq!((inside.trace_id, inside.span_id), (trace_id, span_id));
    assert!(inside.trace_flags.is_sampled());
    assert_eq!(attribute(inside, "session.id"), Some(&"s-42".into()));
    assert_eq!(attribute(inside, "user.id"), Some(&"u-8".into()), "what the record says itself goes first");
    assert_eq!(
        attribute(inside, "polyspan.run.id"),
        Some(&"r-1".into()),
        "what the engine is configured with"
    );
    let mut metadata = inside.metadata.clone();
    metadata.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(metadata, [("region".to_owned(), "eu".into()), ("tier".to_owned(), "gold".into())]);
    assert!(!outside.trace_id.is_valid());
    assert_eq!(attribute(outside, "session.id"), Some(&"everyone's".into()));
    assert_eq!((outside.attributes.len(), outside.metadata.len()), (2, 2));
    engine.shutdown(SOON).unwrap();
}

#[test]
fn a_record_of_an_unsampled_span_is_kept_and_says_so() {
    let (engine, store) = started(|options| options.sampler(HeadSampler::AlwaysOff));
    let span = engine.span("left out").start();
    span.in_scope(|| assert!(engine.log(Severity::ERROR, "failed").emit()));
    let records = flushed(&engine, &store);
    assert_eq!(records[0].trace_id, span.context().trace_id);
    assert!(!records[0].trace_flags.is_sampled());
    engine.shutdown(SOON).unwrap();
}

#[test]
fn a_record_of_a_span_that_is_not_exported_belongs_to_what_is() {
    let (engine, store) = started(|options| options.exclude_span_types([SpanType::Tool]));
    let agent = engine.span("agent").kind_of(SpanType::Agent).start();
    let tool = engine.span("tool").kind_of(SpanType::Tool).child_of(&agent).start();
    tool.in_scope(|| engine.log(Severity::INFO, "inside").emit());
    let top = engine.span("top").kind_of(SpanType::Tool).root().start();
    top.in_scope(|| engine.log(Severity::INFO, "at the top").emit());
    let records = flushed(&engine, &store);
    assert_eq!(
        (records[0].trace_id, records[0].span_id),
        (agent.context().trace_id, agent.context().span_id)
    );
    assert!(records[1].trace_id.is_valid() && !records[1].span_id.is_valid());
    engine.shutdown(SOON).unwrap();
}

#[test]
fn the_level_decides_and_changes_at_run_time() {
    let (engine, store) = started(|options| options.log_level(LogLevel::Warn));
    let emit = |severity, text: &str| engine.log(severity, text).emit();
    assert!(!emit(Severity::INFO, "1") && emit(Severity::WARN, "2"));
    engine.set_log_level(LogLevel::Debug);
    assert_eq!(engine.log_level(), LogLevel::Debug);
    assert!(!emit(Severity::TRACE, "3") && emit(Severity::DEBUG, "4"));
    engine.set_log_level(LogLevel::None);
    assert!(!emit(Severity::FATAL, "5") && !emit(Severity::UNSPECIFIED, "6"));
    assert!(!engine.is_log_enabled(Severity::FATAL));
    let records = flushed(&engine, &store);
    let bodies: Vec<_> = records.iter().filter_map(|record| record.body.as_ref()?.as_str()).collect();
    assert_eq!(bodies, ["2", "4"]);
    assert_eq!(engine.stats().logs.emitted, 2, "what the level leaves out is not counted");
    engine.shutdown(SOON).unwrap();
}

#[test]
fn without_an_exporter_nothing_is_recorded() {
    let (engine, store) = started(|options| options.logs_exporter(ExporterOptions::None));
    assert!(!engine.log(Severity::FATAL, "nowhere").emit());
    engine.set_log_level(LogLevel::Trace);
    assert_eq!(engine.log_level(), LogLevel::None);
    assert!(flushed(&engine, &store).is_empty());
    engine.shutdown(SOON).unwrap();
    let (disabled, _) = started(|options| options.disabled(true));
    assert!(!disabled.log(Severity::FATAL, "off").emit());
    disabled.shutdown(SOON).unwrap();
}

#[test]
fn records_keep_the_limits() {
    let (engine, store) = started(|options| {
        options
            .attribute_count_limit(2)
            .attribute_value_length_limit(Some(3))
            .capture_value_bytes(64)
            .capture_span_bytes(1024)
    });
    let mut builder = engine.log(Severity::INFO, "x".repeat(100));
    for key in ["a", "b", "c"] {
        builder = builder.attribute(key, "zürich");
    }
    assert!(builder.emit());
    let mut builder = engine.log(Severity::INFO, "many");
    for number in 0..100 {
        builder = builder.attribute(format!("key {number}"), "v".repeat(60));
    }
    assert!(builder.attribute("", 1).emit());
    let records = flushed(&engine, &store);
    assert_eq!(records[0].attributes, [("a".to_owned(), "zür".into()), ("b".to_owned(), "zür".into())]);
    assert_eq!(records[0].dropped_attributes, 1);
    assert!(records[0].body.as_ref().unwrap().as_str().unwrap().len() < 100);
    let [.., many] = &records[..] else { panic!() };
    assert_eq!((many.attributes.len(), many.dropped_attributes), (2, 99));
    assert!(engine.stats().altered > 80);
    engine.shutdown(SOON).unwrap();
}

#[test]
fn secrets_of_a_record_stay_in_the_process() {
    let receiver = Receiver::start(Script::default());
    let engine = polyspan::init(sending_to(&receiver)).unwrap();
    let secret = "s3cr3t-hunter2-0123456789";
    let body = format!("login with password={secret} and Authorization: Bearer {secret}");
    engine
        .log(Severity::ERROR, body)
        .event_name(format!("token={secret}"))
        .attribute("api_key", secret)
        .attribute("request", Value::from_iter([("headers", Value::from_iter([("x-api-key", secret)]))]))
        .attribute("exception.message", format!("https://user:{secret}@host/?token={secret}"))
        .attribute("attempt", 2)
        .emit();
    engine.flush(SOON).unwrap();
    let records = receiver.log().log_records();
    assert_eq!(records.len(), 1);
    let sent = format!("{records:?}");
    assert!(!sent.contains(secret), "{sent}");
    assert!(sent.contains("login with") && sent.contains("IntValue(2)"), "{sent}");
    engine.shutdown(SOON).unwrap();
}

#[test]
fn a_record_after_the_shutdown_is_counted() {
    let (engine, _store) = started(|options| options);
    engine.log(Severity::INFO, "before").emit();
    engine.shutdown(SOON).unwrap();
    assert!(!engine.log(Severity::INFO, "after").emit());
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.logs.exported(), 1);
    assert_eq!(stats.logs.dropped, [(DropReason::AlreadyShutdown, 1)].into());
}

fn sending_to(receiver: &Receiver) -> Options {
    let retry = RetryOptions { initial: Duration::from_millis(5), ..RetryOptions::default() };
    let otlp = OtlpOptions::new().endpoint(receiver.base()).header("x-key", "k").retry(retry);
    options().exporter(ExporterOptions::OtlpHttp(otlp))
}

#[test]
fn records_are_sent_to_their_own_path_until_they_arrive() {
    let receiver = Receiver::start(Script::steps([Step::status(503), Step::ResetMidway]));
    let engine = polyspan::init(sending_to(&receiver)).unwrap();
    let span = engine.span("work").start();
    for number in 0..100 {
        span.in_scope(|| engine.log(Severity::ERROR, "failed").attribute("number", number).emit());
    }
    engine.flush(SOON).unwrap();
    let records = receiver.log().log_records();
    assert_eq!(records.len(), 100);
    assert!(records.iter().all(|record| record.trace_id == span.context().trace_id.as_bytes()));
    let requests = receiver.log().requests();
    assert!(requests.iter().all(|request| request.target == "POST /v1/logs"), "{requests:?}");
    assert!(requests.iter().all(|request| request.header("x-key") == Some("k")));
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.logs.exported(), stats.logs.exporters[0].name.as_str()), (100, "otlp_http"));
    engine.shutdown(SOON).unwrap();
}

#[test]
fn what_a_receiver_of_logs_refuses_is_counted_and_spans_are_not_held_up() {
    let partial = Step::Partial { rejected: 3, message: "quota".to_owned() };
    let receiver = Receiver::start(Script::steps([partial, Step::status(400)]));
    let store = MemoryStore::new();
    let otlp = OtlpOptions::new().logs_endpoint(format!("{}/v1/logs", receiver.base()));
    let engine = polyspan::init(
        options()
            .exporter(ExporterOptions::Memory(store.clone()))
            .logs_exporter(ExporterOptions::OtlpHttp(otlp)),
    )
    .unwrap();
    for _ in 0..5 {
        engine.log(Severity::INFO, "partly").emit();
    }
    engine.flush(SOON).unwrap();
    engine.log(Severity::INFO, "refused").emit();
    engine.span("a span").start().end();
    engine.flush(SOON).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.logs.emitted, stats.logs.exported()), (6, 2));
    assert_eq!(stats.logs.all_dropped(), [(DropReason::Rejected, 4)].into());
    assert_eq!((store.spans().len(), store.logs().len(), stats.exported()), (1, 0, 1));
    engine.shutdown(SOON).unwrap();
}

#[test]
fn a_dead_receiver_of_logs_keeps_its_bound_and_the_shutdown_its_deadline() {
    let receiver = Receiver::start(Script::always(Step::Hang));
    let engine = polyspan::init(sending_to(&receiver).max_queue_spans(50).max_batch_spans(10)).unwrap();
    for number in 0..500 {
        engine.log(Severity::INFO, "lost").attribute("number", number).emit();
    }
    engine.shutdown(Duration::from_millis(100)).unwrap_err();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    let dropped = stats.logs.all_dropped();
    assert_eq!(dropped.values().sum::<u64>(), 500);
    assert!(dropped[&DropReason::QueueFull] >= 450, "{dropped:?}");
}

#[test]
fn a_file_holds_spans_and_records_as_lines() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("telemetry.jsonl");
    let engine = polyspan::init(options().exporter(ExporterOptions::File(FileOptions::new(&path)))).unwrap();
    let span = engine.span("work").start();
    span.in_scope(|| engine.log(Severity::INFO, "a line").attribute("n", 1).emit());
    let trace_id = span.context().trace_id.to_string();
    drop(span);
    engine.shutdown(SOON).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let record =
        lines.iter().find_map(|line| line.pointer("/resourceLogs/0/scopeLogs/0/logRecords/0")).unwrap();
    assert_eq!(record["body"]["stringValue"], "a line");
    assert_eq!((&record["severityNumber"], &record["severityText"]), (&9.into(), &"INFO".into()));
    assert_eq!(record["traceId"], trace_id.as_str());
    assert_eq!(record["attributes"][0]["value"]["intValue"], "1");
    assert!(lines.iter().any(|line| line.get("resourceSpans").is_some()));
}

#[test]
fn a_host_may_hand_in_records_among_its_spans() {
    let (engine, store) = started(|options| options);
    let slot = [0, 0];
    let head = polyspan::frame::write::Head { severity: 17, start_unix_nanos: 3, ..Default::default() };
    let mut event = Vec::new();
    polyspan::frame::write::begin_span(&mut event);
    polyspan::frame::write::input_tag(&mut event);
    polyspan::frame::write::put_str(&mut event, "from elsewhere");
    polyspan::frame::write::finish_span(&mut event, polyspan::frame::EventKind::Log, 0, &head);
    event[6..8].copy_from_slice(&slot);
    let mut torn = event.clone();
    torn[80] = 200;
    assert!(engine.submit(&[event, torn].concat(), 0));
    let records = flushed(&engine, &store);
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].severity, records[0].time_unix_nanos), (Severity::ERROR, 3));
    let stats = engine.stats().logs;
    assert_eq!((stats.emitted, stats.dropped), (2, [(DropReason::BadFrame, 1)].into()));
    engine.shutdown(SOON).unwrap();
}

#[test]
fn levels_and_severities_are_those_of_every_language() {
    let vectors: Json = serde_json::from_str(include_str!("../../tests/vectors/logs.json")).unwrap();
    for (number, name) in vectors["severities"].as_array().unwrap().iter().enumerate() {
        assert_eq!(Severity::from_number(number as u8).name(), name.as_str().unwrap(), "{number}");
    }
    for case in vectors["levels"].as_array().unwrap() {
        let level = LogLevel::from_name(case[0].as_str().unwrap());
        match (&case[1], level) {
            (Json::String(_), level) => assert_eq!(level, None, "{case}"),
            (least, Some(level)) => {
                let kept = |number: u8| level.keeps(Severity::from_number(number));
                let from = least.as_u64().map_or(25, |number| number as u8);
                assert!((1..25).all(|number| kept(number) == (number >= from)), "{case}");
                assert_eq!(kept(0), !least.is_null(), "{case}");
            }
            (_, None) => panic!("{case}"),
        }
    }
    for case in vectors["python"].as_array().unwrap() {
        let found = Severity::from_python_level(case[0].as_i64().unwrap());
        assert_eq!(u64::from(found.number()), case[1].as_u64().unwrap(), "{case}");
    }
}
