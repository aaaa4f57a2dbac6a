//! Processors and a span filter that the host runs.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::frame::write::{self, Head};
use polyspan::frame::{EVENT_HEADER, EventKind, copy};
use polyspan::host::{HostJob, HostRecord, HostTask, Verdict};
use polyspan::{DropReason, Engine, ErrorCode, Options, SpanType, StatusCode};

use crate::harness::{LONG, SOON, collecting, exporter, handler, hanging, options, port, record, watched};

/// Judges each record of a job.
fn judging(judge: impl Fn(&HostRecord<'_>) -> Verdict + Send + Sync) -> impl Fn(HostJob) + Send + Sync {
    move |job| match job.task() {
        HostTask::Process | HostTask::Filter => {
            let verdicts = job.batch().records().map(|record| judge(&record)).collect();
            job.judged(verdicts);
        }
        _ => job.done(),
    }
}

fn name(record: &HostRecord<'_>) -> String {
    record.to_data().unwrap().name
}

/// A record as a host hands it back.
fn written(data: &SpanData, head: &Head) -> Verdict {
    let mut event = Vec::new();
    write::begin_span(&mut event);
    copy::fields(&mut event, data);
    write::finish_span(&mut event, EventKind::SpanEnded, 0, head);
    Verdict::Replace(event.split_off(EVENT_HEADER))
}

fn with_memory(options: Options) -> (Engine, MemoryStore) {
    let store = MemoryStore::new();
    (polyspan::init(options.exporter(ExporterOptions::Memory(store.clone()))).unwrap(), store)
}

fn names(store: &MemoryStore) -> Vec<String> {
    store.spans().into_iter().map(|span| span.name).collect()
}

#[test]
fn a_filter_leaves_spans_out() {
    let (port, calls) = port();
    let filter = judging(|record| if name(record) == "noise" { Verdict::Drop } else { Verdict::Keep });
    let (engine, store) = with_memory(options().span_filter(handler(&port, filter)));
    watched(&engine, || {
        for name in ["one", "noise", "two", "noise", "three"] {
            engine.span(name).root().start().end();
        }
        engine.flush(LONG).unwrap();
    });
    let stats = engine.stats();
    assert_eq!((stats.ended, stats.filtered, stats.accepted, stats.pending), (5, 2, 3, 0));
    assert_eq!(names(&store), ["one", "two", "three"]);
    engine.shutdown(LONG).unwrap();
    port.close(LONG);
    assert_eq!(calls.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn what_a_processor_changes_is_exported() {
    let (port, _) = port();
    let change = judging(|record| {
        let mut data = record.to_data().unwrap();
        data.name = data.name.to_uppercase();
        data.attributes.push(("added".to_owned(), true.into()));
        data.input = None;
        let head = Head {
            // These it may not change.
            trace_id: polyspan::TraceId::from_bytes([9; 16]),
            span_id: polyspan::SpanId::from_bytes([9; 8]),
            parent_span_id: polyspan::SpanId::from_bytes([9; 8]),
            scope: 77,
            trace_flags: polyspan::TraceFlags::empty(),
            // And these it may.
            status: StatusCode::Error,
            span_type: SpanType::Tool,
            start_unix_nanos: 10,
            end_unix_nanos: 5,
            ..Head::default()
        };
        written(&data, &head)
    });
    let (engine, store) = with_memory(options().processors(handler(&port, change)));
    let mut span = engine.span("quiet").root().start();
    span.set("kept", 1).input("secret").output("reply");
    let context = span.context().clone();
    span.end();
    engine.flush(LONG).unwrap();
    let span = store.spans().remove(0);
    assert_eq!(
        (span.name.as_str(), span.span_type, span.status),
        ("QUIET", SpanType::Tool, StatusCode::Error)
    );
    assert_eq!((span.context, span.parent_span_id), (context, polyspan::SpanId::INVALID));
    assert_eq!(span.attributes, [("kept".to_owned(), 1.into()), ("added".to_owned(), true.into())]);
    assert_eq!((span.input, span.output), (None, Some("reply".into())));
    assert_eq!((span.start_unix_nanos, span.end_unix_nanos), (10, 10));
    assert_eq!(span.scope.name, "polyspan");
    engine.shutdown(LONG).unwrap();
}

#[test]
fn what_comes_back_passes_the_limits() {
    let (port, _) = port();
    let change = judging(|record| {
        let mut data = record.to_data().unwrap();
        data.attributes = (0..9).map(|number| (format!("key {number}"), "long text".into())).collect();
        written(&data, &Head::default())
    });
    let (seen, look) = channel();
    let seen = Mutex::new(seen);
    let filter = judging(move |record| {
        seen.lock().unwrap().send(record.to_data().unwrap().attributes.len()).unwrap();
        Verdict::Keep
    });
    let options = options().attribute_count_limit(3).attribute_value_length_limit(Some(4));
    let options = options.processors(handler(&port, change)).span_filter(handler(&port, filter));
    let (engine, store) = with_memory(options);
    record(&engine, 1);
    engine.flush(LONG).unwrap();
    let span = store.spans().remove(0);
    assert_eq!((span.attributes.len(), span.dropped_attributes), (3, 6));
    assert!(span.attributes.iter().all(|(_, value)| *value == "long".into()));
    assert_eq!(look.try_iter().collect::<Vec<_>>(), [3], "the filter sees what is exported");
    engine.shutdown(LONG).unwrap();
}

#[test]
fn a_processor_may_leave_spans_out_before_the_filter_is_asked() {
    let (port, _) = port();
    let (seen, look) = channel();
    let seen = Mutex::new(seen);
    let process = judging(|record| if name(record) == "drop" { Verdict::Drop } else { Verdict::Keep });
    let filter = judging(move |record| {
        seen.lock().unwrap().send(name(record)).unwrap();
        Verdict::Drop
    });
    let taps = options().processors(handler(&port, process)).span_filter(handler(&port, filter));
    let (engine, store) = with_memory(taps);
    engine.span("drop").root().start().end();
    engine.span("pass").root().start().end();
    engine.flush(LONG).unwrap();
    assert_eq!(look.try_iter().collect::<Vec<_>>(), ["pass"]);
    let stats = engine.stats();
    assert_eq!((stats.filtered, stats.accepted, store.spans().len()), (2, 0, 0));
    engine.shutdown(LONG).unwrap();
}

#[test]
fn many_spans_keep_their_order_and_their_number() {
    let (port, _) = port();
    let process = judging(|record| {
        let mut data = record.to_data().unwrap();
        let number = data.attributes[0].1.as_i64().unwrap();
        match number % 3 {
            0 => Verdict::Drop,
            1 => Verdict::Keep,
            _ => {
                data.name = "changed".to_owned();
                written(&data, &Head { start_unix_nanos: 1, end_unix_nanos: 2, ..Head::default() })
            }
        }
    });
    let filter = judging(|record| if name(record) == "changed" { Verdict::Drop } else { Verdict::Keep });
    let taps = options().processors(handler(&port, process)).span_filter(handler(&port, filter));
    let (engine, store) = with_memory(taps);
    const SPANS: u64 = 9_000;
    watched(&engine, || {
        for round in 0..9 {
            for number in 0..1000 {
                engine.span("work").root().attribute("number", round * 1000 + number).start().end();
            }
            engine.flush(LONG).unwrap();
        }
    });
    let stats = engine.stats();
    assert!(stats.dropped.is_empty() && stats.unsampled == 0, "{stats:?}");
    assert_eq!((stats.ended, stats.filtered, stats.accepted), (SPANS, 2 * SPANS / 3, SPANS / 3));
    let numbers: Vec<_> = store.spans().iter().map(|span| span.attributes[0].1.as_i64().unwrap()).collect();
    assert_eq!(numbers, (0..SPANS as i64).filter(|number| number % 3 == 1).collect::<Vec<_>>());
    engine.shutdown(LONG).unwrap();
}

#[test]
fn bytes_that_are_no_record_are_dropped() {
    let (port, _) = port();
    let process = judging(|record| match name(record).as_str() {
        "short" => Verdict::Replace(vec![1, 2, 3]),
        "torn" => Verdict::Replace([record.body, &[4, 1]].concat()),
        _ => Verdict::Keep,
    });
    let (engine, store) = with_memory(options().processors(handler(&port, process)));
    for name in ["short", "fine", "torn"] {
        engine.span(name).root().start().end();
    }
    engine.flush(LONG).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.dropped, BTreeMap::from([(DropReason::BadFrame, 2)]));
    assert_eq!(names(&store), ["fine"]);
    engine.shutdown(LONG).unwrap();
}

#[test]
fn spans_that_the_host_loses_are_counted() {
    let (port, _) = port();
    // Of every batch it judges the first record only.
    let process = |job: HostJob| match job.task() {
        HostTask::Process => job.judged(vec![Verdict::Keep]),
        _ => drop(job),
    };
    let (engine, store) = with_memory(options().processors(handler(&port, process)));
    let mut frame = Vec::new();
    for number in 1..=4u64 {
        let mut event = Vec::new();
        write::begin_span(&mut event);
        write::name(&mut event, "framed");
        let head = Head {
            trace_id: polyspan::TraceId::from_bytes([7; 16]),
            span_id: polyspan::SpanId::from_bytes(number.to_be_bytes()),
            trace_flags: polyspan::TraceFlags::SAMPLED,
            start_unix_nanos: 1,
            end_unix_nanos: 2,
            ..Head::default()
        };
        write::finish_span(&mut event, EventKind::SpanEnded, 0, &head);
        frame.extend(event);
    }
    // One batch, because one frame is read in one go.
    assert!(engine.submit(&frame, 4));
    engine.flush(LONG).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.dropped, BTreeMap::from([(DropReason::HostFailed, 3)]));
    assert_eq!(store.spans().len(), 1);
    engine.shutdown(LONG).unwrap();
}

#[test]
fn texts_of_a_frames_table_come_out_whole() {
    let (port, _) = port();
    let (engine, store) = with_memory(options().processors(handler(&port, judging(|_| Verdict::Keep))));
    let head = Head {
        trace_id: polyspan::TraceId::from_bytes([7; 16]),
        span_id: polyspan::SpanId::from_bytes([1; 8]),
        trace_flags: polyspan::TraceFlags::SAMPLED,
        start_unix_nanos: 1,
        end_unix_nanos: 2,
        ..Head::default()
    };
    let mut span = Vec::new();
    write::begin_span(&mut span);
    // The name, and an attribute and its value, by their place in the table.
    span.extend([1, 0x00, 0xc0, 4, 0x01, 0xc0, 9, 2, 0]);
    write::finish_span(&mut span, EventKind::SpanEnded, 0, &head);
    let mut frame = Vec::new();
    for text in ["a name", "a key", "a value"] {
        frame.extend((text.len() as u32).to_le_bytes());
        frame.extend([16, 1, 0, 0]);
        frame.extend(text.as_bytes());
    }
    frame.extend(span);
    assert!(engine.submit(&frame, 1));
    engine.flush(LONG).unwrap();
    let span = store.spans().remove(0);
    assert_eq!(
        (span.name.as_str(), span.attributes),
        ("a name", vec![("a key".to_owned(), "a value".into())])
    );
    engine.shutdown(LONG).unwrap();
}

#[test]
fn processors_are_flushed_and_stopped() {
    let (port, _) = port();
    let (work, look): (_, Receiver<(HostTask, Vec<String>)>) = collecting();
    let (engine, _) = with_memory(options().processors(handler(&port, work)));
    record(&engine, 1);
    engine.flush(LONG).unwrap();
    engine.shutdown(LONG).unwrap();
    let tasks: Vec<_> = look.try_iter().map(|(task, _)| task).collect();
    assert_eq!(tasks, [HostTask::Process, HostTask::Flush, HostTask::Flush, HostTask::Shutdown]);
}

#[test]
fn a_processor_that_hangs_holds_up_no_deadline() {
    let (port, _) = port();
    let (hang, reached, release) = hanging();
    let (engine, store) = with_memory(options().processors(handler(&port, hang)));
    watched(&engine, || {
        record(&engine, 1);
        reached.recv().unwrap();
        record(&engine, 99);
        let error = engine.flush(SOON).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
        assert_eq!(engine.stats().pending, 100);
        let error = engine.shutdown(SOON).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    });
    let stats = engine.stats();
    assert_eq!(stats.dropped, BTreeMap::from([(DropReason::Shutdown, 100)]), "{stats:?}");
    assert_eq!((stats.pending, store.spans().len()), (0, 0));
    drop(release);
    port.close(LONG);
}

#[test]
fn a_filter_that_hangs_holds_up_no_other_engine() {
    let (port, _) = port();
    let (hang, reached, release) = hanging();
    let (work, look) = collecting();
    let (hung, _) = with_memory(options().span_filter(handler(&port, hang)));
    let healthy = polyspan::init(options().exporter(exporter(&port, "healthy", work))).unwrap();
    record(&hung, 1);
    reached.recv().unwrap();
    record(&healthy, 10);
    let mut delivered = 0;
    while delivered < 10 {
        delivered += look.recv().unwrap().1.len();
    }
    drop(release);
    // The batch that it gave up is lost.
    hung.flush(LONG).unwrap();
    assert_eq!(hung.stats().dropped, BTreeMap::from([(DropReason::HostFailed, 1)]));
    hung.shutdown(LONG).unwrap();
    healthy.shutdown(LONG).unwrap();
}

#[test]
fn a_shutdown_with_a_batch_in_hand_takes_what_comes_back_in_time() {
    let (port, _) = port();
    let (reach, reached) = channel();
    let (release, released) = channel::<()>();
    let (reach, released) = (Mutex::new(reach), Mutex::new(released));
    let slow = move |job: HostJob| match job.task() {
        HostTask::Process => {
            reach.lock().unwrap().send(()).unwrap();
            let _ = released.lock().unwrap().recv();
            let records = job.batch().len();
            job.judged(vec![Verdict::Keep; records]);
        }
        _ => job.done(),
    };
    let (engine, store) = with_memory(options().processors(handler(&port, slow)));
    record(&engine, 1);
    reached.recv().unwrap();
    let stopping = std::thread::spawn({
        let engine = engine.clone();
        move || engine.shutdown(LONG)
    });
    while !engine.is_shut_down() {
        std::thread::yield_now();
    }
    drop(release);
    stopping.join().unwrap().unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up() && stats.accepted == 1, "{stats:?}");
    assert_eq!(store.spans().len(), 1);
}

#[test]
fn what_a_filter_changes_is_redacted_and_limited_again() {
    let (port, _) = port();
    let change = judging(|record| {
        let mut data = record.to_data().unwrap();
        data.attributes.push(("password".to_owned(), "hunter2".into()));
        data.attributes.push(("customer".to_owned(), "ACME".into()));
        data.output = Some("x".repeat(30).into());
        written(&data, polyspan::frame::view::SpanView::new(record.body).unwrap().head())
    });
    let limits = polyspan::config::ContentLimits { string_length: 10, ..Default::default() };
    let options = options().span_filter(handler(&port, change)).content_limits(limits);
    let (engine, store) = with_memory(options.exclude_fields(["customer"]));
    engine.span("work").root().start().end();
    engine.flush(LONG).unwrap();
    let span = store.spans().remove(0);
    assert_eq!(span.attributes, [("password".to_owned(), "[REDACTED]".into())]);
    assert_eq!(span.output, Some("xxxxxxxxxx…[truncated]".into()));
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.redacted, stats.limited, stats.accepted), (1, 1, 1));
    engine.shutdown(LONG).unwrap();
}
