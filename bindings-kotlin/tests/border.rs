//! The border as Kotlin and Swift use it: bytes in, bytes out, and nothing that a host does wrong goes further than a
//! count.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use polyspan::frame::write::{self, Head};
use polyspan::frame::{EVENT_HEADER, EventKind};
use polyspan::hosted::{answer, read_context, read_value, write_value};
use polyspan::value::{OwnedValue, Value};
use polyspan::{SpanFlags, SpanId, TraceId};
use polyspan_uniffi::{
    GivenExporter, HostCaller, HostFailure, NativeEngine, NativeHandler, NativeMemory, NativeOptions,
    PolyspanError, RootSampler, engine_of_handle, extract, find_engine, host_enter, host_number, host_open,
    init_engine, inject, record_log, severity, span_type, start_span, surround,
};

const NONE: &[u8] = &[];

fn map(entries: &[(&'static str, Value<'static>)]) -> Vec<u8> {
    write_value(&Value::Map(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect()))
}

fn fresh() -> String {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    format!("border {}", NAMES.fetch_add(1, Ordering::Relaxed))
}

fn options() -> Arc<NativeOptions> {
    let options = NativeOptions::new("kotlin".to_owned());
    let given = map(&[("service", "border".into()), ("name", fresh().into())]);
    options.data(&given).unwrap();
    options
}

fn started() -> (Arc<NativeEngine>, Arc<NativeMemory>) {
    let memory = NativeMemory::new(1_000);
    let options = options();
    options.memory(Arc::clone(&memory), "spans".to_owned());
    (init_engine(options, false).unwrap(), memory)
}

fn read(bytes: &[u8]) -> OwnedValue {
    read_value(bytes).expect("a value")
}

fn member(map: &OwnedValue, name: &str) -> OwnedValue {
    let Value::Map(entries) = map else { panic!("no map: {map:?}") };
    entries.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or(Value::Null)
}

fn count(engine: &NativeEngine, name: &str) -> i64 {
    member(&read(&engine.stats()), name).as_i64().unwrap()
}

fn slot(engine: &NativeEngine) -> u16 {
    u16::try_from(member(&read(&engine.terms().unwrap()), "slot").as_i64().unwrap()).unwrap()
}

/// A frame with one finished span.
fn frame(slot: u16, name: &str) -> Vec<u8> {
    let mut event = Vec::new();
    write::begin_span(&mut event);
    write::name(&mut event, name);
    let head = Head {
        trace_id: TraceId::from_bytes([7; 16]),
        span_id: SpanId::from_bytes([9; 8]),
        start_unix_nanos: 1_000,
        end_unix_nanos: 2_000,
        flags: SpanFlags::LOCAL_ROOT,
        trace_flags: polyspan::TraceFlags::SAMPLED,
        ..Head::default()
    };
    write::finish_span(&mut event, EventKind::SpanEnded, slot, &head);
    event
}

fn described(name: &str) -> Vec<u8> {
    let mut event = Vec::new();
    write::begin_span(&mut event);
    write::name(&mut event, name);
    write::finish_span(&mut event, EventKind::SpanEnded, 0, &Head::default());
    event.split_off(EVENT_HEADER)
}

#[test]
fn a_frame_becomes_a_span() {
    let (engine, memory) = started();
    let counts: Vec<u8> = [2_i64, 1, 0, 0, 3, 0].iter().flat_map(|count| count.to_le_bytes()).collect();
    assert_eq!(engine.submit(&frame(slot(&engine), "crossed"), 1, &counts) & 7, 0);
    engine.flush(30.0).unwrap();
    let Value::Array(spans) = read(&memory.spans(true)) else { panic!() };
    assert_eq!(member(&spans[0], "name").as_str(), Some("crossed"));
    assert_eq!((count(&engine, "ended"), count(&engine, "exported")), (2, 1));
    assert_eq!((count(&engine, "unsampled"), count(&engine, "altered")), (1, 3));
    engine.shutdown(30.0).unwrap();
}

#[test]
fn roots_are_drawn_ahead() {
    let (engine, _) = started();
    let roots = engine.draw_roots(5);
    assert_eq!(roots.len(), 5 * 18);
    assert_eq!((roots[16], roots[17]), (2, 0));
    assert!(engine.draw_roots(-1).is_empty());
    engine.shutdown(30.0).unwrap();
}

#[test]
fn a_span_is_started_with_what_surrounds_it() {
    let (engine, _) = started();
    let around = surround(None, &map(&[("session_id", "s-1".into()), ("internal_spans", "nonsense".into())]));
    assert_eq!(around.refused, 1);
    let inherited = engine.inherited(Some(Arc::clone(&around.ambient)));
    assert!(!inherited.fields.is_empty() && !inherited.asks);
    let ambient = Some(around.ambient);
    let span = start_span(
        Some(Arc::clone(&engine)),
        &described("asked"),
        NONE,
        ambient.clone(),
        NONE,
        Some("abc".into()),
    );
    let context = read_context(&span.context).unwrap();
    assert_eq!(context.trace_id, TraceId::from_hex("abc").unwrap());
    assert!(span.body.is_some() && span.slot.is_some());

    let sent = inject(Some(Arc::clone(&engine)), &span.context, ambient);
    let (names, values): (Vec<_>, Vec<_>) =
        sent.headers.chunks(2).map(|pair| (pair[0].to_lowercase(), pair[1].clone())).unzip();
    let brought = extract(Some(Arc::clone(&engine)), names, values);
    assert_eq!(read_context(&brought.context.unwrap()).unwrap().span_id, context.span_id);
    engine.shutdown(30.0).unwrap();
}

#[test]
fn options_that_cannot_be_used_say_which() {
    let options = options();
    let Err(PolyspanError::Failed { code, text }) = options.data(&map(&[("servcie", "x".into())])) else {
        panic!()
    };
    assert_eq!(code, "invalid_option");
    assert!(text.contains("servcie"), "{text}");
    assert!(options.data(b"\xff").is_err());
}

#[test]
fn misuse_is_counted_and_harms_nobody() {
    let (engine, memory) = started();
    let handle = engine.handle();
    let slot = slot(&engine);
    engine.shutdown(30.0).unwrap();
    engine.shutdown(30.0).unwrap();
    engine.flush(1.0).unwrap();
    let answered = engine.submit(&frame(slot, "late"), 1, NONE);
    assert_ne!(answered & answer::STOPPED as i32, 0);
    let dropped = member(&read(&engine.stats()), "dropped");
    assert_eq!(member(&dropped, "already_shutdown").as_i64(), Some(1));
    assert_eq!(member(&read(&engine.stats()), "addsUp"), Value::Bool(true));
    // Torn, of another engine, no bytes at all, no counts at all.
    for bad in [&[1, 2, 3][..], &[0xff; 80], &frame(u16::MAX, "stranger"), NONE] {
        engine.submit(bad, i32::MIN, &[1, 2, 3]);
    }
    assert!(!record_log(Some(Arc::clone(&engine)), -5, b"\xff", b"x", None));
    assert_eq!((engine.record(b"short", false), engine.record(NONE, true)), (None, None));
    assert!(engine.flush(f64::NAN).is_ok() && engine.flush(-1.0).is_ok());
    assert!(
        engine_of_handle(handle).is_some() && engine_of_handle(-1).is_none() && engine_of_handle(0).is_none()
    );
    assert!(find_engine(Some(engine.name())).is_none());
    assert_eq!(read(&memory.spans(true)), Value::Array(Vec::new()));
}

#[test]
fn a_bad_frame_is_a_count_of_a_running_engine() {
    let (engine, _) = started();
    let mut torn = frame(slot(&engine), "torn");
    torn.truncate(40);
    engine.submit(&torn, 1, NONE);
    engine.flush(30.0).unwrap();
    assert_eq!(member(&member(&read(&engine.stats()), "dropped"), "bad_frame").as_i64(), Some(1));
    assert_eq!(count(&engine, "panics"), 0);
    engine.shutdown(30.0).unwrap();
}

struct Never;

impl RootSampler for Never {
    fn decide(&self, about: Vec<u8>) -> Result<i32, HostFailure> {
        match member(&read(&about), "name").as_str() {
            Some("broken") => Err(HostFailure::Failed { text: "no".to_owned() }),
            _ => Ok(0),
        }
    }
}

#[test]
fn a_sampler_of_the_application_is_asked_and_may_fail() {
    let options = options();
    options.memory(NativeMemory::new(10), "spans".to_owned());
    options.sampler(Arc::new(Never));
    let engine = init_engine(options, false).unwrap();
    let start = |name| start_span(Some(Arc::clone(&engine)), &described(name), NONE, None, NONE, None);
    assert!(start("quiet").body.is_none());
    assert!(start("broken").body.is_some());
    assert_eq!(count(&engine, "panics"), 1);
    engine.shutdown(30.0).unwrap();
}

#[test]
fn words_have_numbers() {
    assert_eq!((span_type("tool".into()).is_some(), span_type("toool".into())), (true, None));
    assert_eq!((severity("warn".into()), severity("loud".into())), (Some(13), None));
}

/// One thread for as long as jobs come, as the bindings have it.
struct Thread(std::sync::mpsc::Sender<()>);

impl HostCaller for Thread {
    fn call(&self) {
        let called = self.0.clone();
        std::thread::spawn(move || {
            let Some(worker) = host_enter() else { return };
            called.send(()).ok();
            while !worker.has_left() {
                let Some(job) = worker.next(1.0) else { continue };
                match job.task().as_str() {
                    "export" => {
                        assert!(job.target() > 0 && !job.records().is_empty() && job.spans() > 0);
                        job.delivered(0, 0, 0, 0);
                    }
                    "filter" => {
                        job.judge(&[1], NONE, 0);
                    }
                    _ => job.done(),
                }
                assert_eq!((job.task().as_str(), job.target(), job.spans()), ("", 0, 0));
            }
        });
    }
}

#[test]
fn jobs_of_the_host_stage_are_pulled_and_answered() {
    let (sender, called) = std::sync::mpsc::channel();
    host_open(Arc::new(Thread(sender)));
    let handler = || {
        let target = host_number();
        NativeHandler { target, identity: vec![target] }
    };
    let options = options();
    options.filter(handler()).unwrap();
    let given = GivenExporter {
        handler: handler(),
        name: "mine".into(),
        at_once: false,
        events: vec!["span_ended".into()],
    };
    options.exporter(given, "spans".to_owned()).unwrap();
    let engine = init_engine(options, false).unwrap();
    engine.submit(&frame(slot(&engine), "pulled"), 1, NONE);
    engine.flush(30.0).unwrap();
    called.recv_timeout(Duration::from_secs(30)).expect("the binding was called");
    assert_eq!((count(&engine, "exported"), count(&engine, "ended")), (1, 1));
    engine.shutdown(30.0).unwrap();
}
