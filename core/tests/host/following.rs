//! Exporters that follow spans while they are open: what they are told, in which order, and that everything they
//! were told of has an end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use polyspan::config::{ExporterOptions, HostExporter};
use polyspan::export::Outcome;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::write::{self, Head};
use polyspan::frame::{EventKind, record::SpanData};
use polyspan::host::{
    HostEvent, HostEvents, HostJob, HostPort, HostTask, TRACE_DROPPED, TRACE_SPANS, Verdict,
};
use polyspan::{DropReason, Engine, SpanFlags, SpanId, SpanType, TraceFlags, TraceId};

use crate::harness::{LONG, handler, hanging, options, port, record, started, watched};

const ALL: [HostEvent; 6] = [
    HostEvent::TraceStarted,
    HostEvent::SpanStarted,
    HostEvent::SpanUpdated,
    HostEvent::SpanEnded,
    HostEvent::SpanDropped,
    HostEvent::TraceEnded,
];

type Told = (HostEvent, SpanData);

/// An exporter that keeps what it is told.
fn follower(port: &HostPort, events: &[HostEvent]) -> (ExporterOptions, Receiver<Told>) {
    let (seen, look) = channel();
    let seen = Mutex::new(seen);
    let work = move |job: HostJob| {
        for record in job.batch().records() {
            let _ = seen.lock().unwrap().send((record.event, record.to_data().unwrap()));
        }
        let spans = job.batch().spans();
        job.delivered(Outcome::exported(spans));
    };
    let exporter = HostExporter::new("follower", handler(port, work)).at_once(true);
    (ExporterOptions::Host(exporter.events(events.iter().copied().collect())), look)
}

fn following(events: &[HostEvent]) -> (Engine, Receiver<Told>) {
    let (port, _) = port();
    let (exporter, look) = follower(&port, events);
    (started([exporter]), look)
}

/// What was told until now, by name.
fn told(engine: &Engine, look: &Receiver<Told>) -> Vec<(HostEvent, String)> {
    engine.flush(LONG).unwrap();
    look.try_iter().map(|(event, data)| (event, data.name)).collect()
}

/// Checks the order of what was told of each span and trace. The reasons why spans were dropped.
fn consistent(told: &[Told]) -> BTreeMap<String, usize> {
    let mut spans: HashMap<SpanId, Vec<HostEvent>> = HashMap::new();
    let mut open: HashMap<TraceId, (bool, usize)> = HashMap::new();
    let mut reasons = BTreeMap::new();
    for (event, data) in told {
        let (is_open, inside) = open.entry(data.context.trace_id).or_default();
        match event {
            HostEvent::TraceStarted => assert!(!std::mem::replace(is_open, true), "a trace starts twice"),
            HostEvent::TraceEnded => {
                assert!(std::mem::replace(is_open, false), "a trace ends that had not started");
                assert_eq!(*inside, 0, "a trace ends before its spans");
                continue;
            }
            HostEvent::SpanStarted => *inside += 1,
            _ => {}
        }
        if *event == HostEvent::TraceStarted {
            continue;
        }
        let span = spans.entry(data.context.span_id).or_default();
        if matches!(event, HostEvent::SpanEnded | HostEvent::SpanDropped) && !span.is_empty() {
            *inside -= 1;
        }
        if *event == HostEvent::SpanDropped {
            *reasons.entry(data.status_message.clone()).or_default() += 1;
        }
        span.push(*event);
    }
    for (id, events) in spans {
        let [first, .., last] = &events[..] else {
            assert_eq!(events, [HostEvent::SpanEnded], "{id}");
            continue;
        };
        assert_eq!(*first, HostEvent::SpanStarted, "{id}: {events:?}");
        assert!(matches!(last, HostEvent::SpanEnded | HostEvent::SpanDropped), "{id}: {events:?}");
        assert!(
            events[1..events.len() - 1].iter().all(|event| *event == HostEvent::SpanUpdated),
            "{events:?}"
        );
    }
    assert!(open.values().all(|(is_open, _)| !is_open), "a trace never ends");
    reasons
}

#[test]
fn a_trace_is_told_as_it_happens() {
    let (engine, look) = following(&ALL);
    let mut root = engine.span("root").root().attribute("step", 1).start();
    let mut child = engine.span("child").child_of(&root).start();
    child.set("half", true).show();
    child.end();
    root.output("done").end();
    engine.flush(LONG).unwrap();
    let seen: Vec<Told> = look.try_iter().collect();
    let order: Vec<_> = seen.iter().map(|(event, data)| (*event, data.name.as_str())).collect();
    assert_eq!(
        order,
        [
            (HostEvent::TraceStarted, "root"),
            (HostEvent::SpanStarted, "root"),
            (HostEvent::SpanStarted, "child"),
            (HostEvent::SpanUpdated, "child"),
            (HostEvent::SpanEnded, "child"),
            (HostEvent::SpanEnded, "root"),
            (HostEvent::TraceEnded, "root"),
        ]
    );
    let [_, started, _, updated, _, ended, over] = &seen[..] else { unreachable!() };
    assert_eq!(started.1.attributes, [("step".to_owned(), 1.into())]);
    assert_eq!((started.1.end_unix_nanos, started.1.output.as_ref()), (0, None));
    assert_eq!(updated.1.attributes, [("half".to_owned(), true.into())]);
    assert_eq!(ended.1.output, Some("done".into()));
    assert_eq!(over.1.end_unix_nanos, ended.1.end_unix_nanos);
    let counts = [(TRACE_SPANS.to_owned(), 2.into()), (TRACE_DROPPED.to_owned(), 0.into())];
    assert_eq!(over.1.attributes, counts);
    assert_eq!(engine.stats().exporters[0].exported, 2);
    engine.shutdown(LONG).unwrap();
    assert_eq!(engine.stats().events_dropped, 0);
}

#[test]
fn who_wants_no_more_than_ends_costs_no_starts() {
    let (engine, look) = following(&[]);
    let mut span = engine.span("work").root().start();
    span.show();
    span.end();
    engine.flush(LONG).unwrap();
    let seen: Vec<Told> = look.try_iter().collect();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].0, HostEvent::SpanEnded);
    assert!(!seen[0].1.flags.contains(SpanFlags::ANNOUNCED));
    engine.shutdown(LONG).unwrap();
}

#[test]
fn each_is_told_what_it_asked_for() {
    let (port, _) = port();
    let (starts, look) = follower(&port, &[HostEvent::SpanStarted]);
    let (traces, trace_look) = follower(&port, &[HostEvent::TraceEnded]);
    let (drops, drop_look) = follower(&port, &[HostEvent::SpanDropped]);
    let engine = started([starts, traces, drops]);
    let mut root = engine.span("root").root().start();
    root.show();
    let thrown_away = engine.span("thrown away").child_of(&root).start();
    engine.flush(LONG).unwrap();
    thrown_away.discard();
    root.end();
    let own = told(&engine, &look);
    assert_eq!(
        own,
        [
            (HostEvent::SpanStarted, "root".to_owned()),
            (HostEvent::SpanStarted, "thrown away".to_owned()),
            (HostEvent::SpanEnded, "root".to_owned()),
        ]
    );
    let kinds = |look: &Receiver<Told>| look.try_iter().map(|(event, _)| event).collect::<Vec<_>>();
    assert_eq!(kinds(&trace_look), [HostEvent::SpanEnded, HostEvent::TraceEnded]);
    let mut drops = kinds(&drop_look);
    drops.sort_by_key(|event| *event as u8);
    assert_eq!(drops, [HostEvent::SpanEnded, HostEvent::SpanDropped], "in whichever order");
    engine.shutdown(LONG).unwrap();
}

#[test]
fn what_is_left_out_later_is_dropped() {
    let (port, _) = port();
    let (exporter, look) = follower(&port, &ALL);
    let judge = |drops: &'static str| {
        move |job: HostJob| match job.task() {
            HostTask::Process | HostTask::Filter => {
                let verdicts = job.batch().records().map(|record| {
                    let data = record.to_data().unwrap();
                    let leaves = data.name == drops && data.end_unix_nanos > 0;
                    if leaves { Verdict::Drop } else { Verdict::Keep }
                });
                let verdicts = verdicts.collect();
                job.judged(verdicts);
            }
            _ => job.done(),
        }
    };
    let options = options()
        .processors(handler(&port, judge("not processed")))
        .span_filter(handler(&port, judge("not kept")))
        .exclude_span_types([SpanType::ModelChunk])
        .exporter(exporter);
    let engine = polyspan::init(options).unwrap();
    let root = engine.span("root").root().start();
    for name in ["not processed", "kept", "not kept"] {
        engine.span(name).child_of(&root).start().end();
    }
    engine.span("excluded").child_of(&root).kind_of(SpanType::ModelChunk).start().end();
    engine.span("instant").child_of(&root).emit();
    drop(root);
    engine.flush(LONG).unwrap();
    engine.shutdown(LONG).unwrap();
    let seen: Vec<Told> = look.try_iter().collect();
    // What a processor leaves out may be out before its start has come through the filter: then nothing is said.
    let reasons = consistent(&seen);
    assert_eq!(reasons.keys().collect::<Vec<_>>(), ["filtered"]);
    assert!((1..=2).contains(&reasons["filtered"]), "{reasons:?}");
    let of = |name| -> Vec<HostEvent> {
        seen.iter().filter(|(_, data)| data.name == name).map(|(event, _)| *event).collect()
    };
    assert_eq!(of("kept"), [HostEvent::SpanStarted, HostEvent::SpanEnded]);
    assert_eq!(of("instant"), [HostEvent::SpanEnded], "it has no duration");
    assert_eq!(of("excluded"), []);
    let over = &seen.last().unwrap().1;
    assert_eq!(over.attributes[1], (TRACE_DROPPED.to_owned(), (reasons["filtered"] as i64).into()));
}

#[test]
fn what_is_left_out_while_it_is_open_may_end() {
    let (port, _) = port();
    let (exporter, look) = follower(&port, &ALL);
    let failures = |job: HostJob| match job.task() {
        HostTask::Filter => {
            let verdicts = job.batch().records().map(|record| {
                let failed = record.to_data().unwrap().status == polyspan::StatusCode::Error;
                if failed { Verdict::Keep } else { Verdict::Drop }
            });
            let verdicts = verdicts.collect();
            job.judged(verdicts);
        }
        _ => job.done(),
    };
    let engine = polyspan::init(options().span_filter(handler(&port, failures)).exporter(exporter)).unwrap();
    engine.span("fine").root().start().end();
    engine.span("failing").root().start().status(polyspan::StatusCode::Error, "why").end();
    assert_eq!(told(&engine, &look), [(HostEvent::SpanEnded, "failing".to_owned())]);
    engine.shutdown(LONG).unwrap();
    assert_eq!(look.try_iter().count(), 0);
}

#[test]
fn what_is_said_of_open_spans_is_redacted_and_limited() {
    let (port, _) = port();
    let (exporter, look) = follower(&port, &ALL);
    let engine =
        polyspan::init(options().exporter(exporter).exclude_fields(["customer"]).hide_output(true)).unwrap();
    let mut span = engine.span("POST /pay?token=a1b2c3").root();
    span = span.attribute("password", "hunter2").attribute("customer", "ACME");
    let mut span = span.start();
    span.output("secret plans").set("authorization", "Bearer abcdefghijklmnop").show();
    span.end();
    engine.flush(LONG).unwrap();
    engine.shutdown(LONG).unwrap();
    let seen: Vec<Told> = look.try_iter().collect();
    assert_eq!(seen.len(), 5);
    for (event, data) in seen {
        let text = format!("{data:?}");
        assert!(
            !["a1b2c3", "hunter2", "ACME", "plans", "abcdefgh"].iter().any(|secret| text.contains(secret))
        );
        assert_eq!(data.name, "POST /pay?token=[REDACTED]", "{event:?}");
    }
    assert_eq!(engine.stats().redacted, 3, "what is said of open spans is not counted");
}

#[test]
fn a_full_queue_owes_the_ends_of_what_it_said() {
    let (port, _) = port();
    let (seen, look) = channel();
    let (hang, reached, release) = hanging();
    let (seen, hangs) = (Mutex::new(seen), Mutex::new(Some(hang)));
    let work = move |job: HostJob| {
        for record in job.batch().records() {
            let _ = seen.lock().unwrap().send((record.event, record.to_data().unwrap()));
        }
        let spans = job.batch().spans();
        if job.task() == HostTask::Export
            && let Some(hang) = hangs.lock().unwrap().take()
        {
            return hang(job);
        }
        job.delivered(Outcome::exported(spans));
    };
    let exporter = HostExporter::new("slow", handler(&port, work)).at_once(true);
    let exporter = ExporterOptions::Host(exporter.events(HostEvents::from_iter(ALL)));
    let engine = polyspan::init(options().max_batch_spans(4).max_queue_spans(16).exporter(exporter)).unwrap();
    record(&engine, 1);
    reached.recv().unwrap();
    watched(&engine, || record(&engine, 200));
    // Everything has come to the exporter's queue, or was refused by it.
    while engine.stats().pending > 0 {
        std::thread::yield_now();
    }
    drop(release);
    engine.flush(LONG).unwrap();
    engine.shutdown(LONG).unwrap();
    let told: Vec<Told> = look.try_iter().collect();
    let reasons = consistent(&told);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert!(stats.events_dropped > 0 && stats.exporters[0].dropped[&DropReason::QueueFull] > 0, "{stats:?}");
    assert!(reasons.keys().all(|reason| reason == "queue_full"), "{reasons:?}");
    let starts = told.iter().filter(|(event, _)| *event == HostEvent::SpanStarted).count();
    assert!(starts <= 64, "{starts} starts for a queue of 16");
}

#[test]
fn what_is_open_at_the_end_is_dropped() {
    let (engine, look) = following(&ALL);
    let mut root = engine.span("root").root().start();
    let mut child = engine.span("child").child_of(&root).start();
    engine.shutdown(LONG).unwrap();
    let seen: Vec<Told> = look.try_iter().collect();
    assert_eq!(consistent(&seen), BTreeMap::from([("shutdown".to_owned(), 2)]));
    assert_eq!(seen.last().unwrap().0, HostEvent::TraceEnded);
    child.show();
    child.end();
    root.end();
    assert!(engine.stats().adds_up());
    assert_eq!(look.try_iter().count(), 0);
}

#[test]
fn a_span_may_end_on_another_thread() {
    let (engine, look) = following(&ALL);
    watched(&engine, || {
        std::thread::scope(|scope| {
            let (send, receive) = std::sync::mpsc::sync_channel::<polyspan::Span>(64);
            scope.spawn(move || {
                for mut span in receive {
                    span.show();
                    span.end();
                }
            });
            for number in 0..2000 {
                let root = engine.span("root").root().start();
                let child = engine.span("child").child_of(&root).start();
                let (first, second) = if number % 2 == 0 { (root, child) } else { (child, root) };
                send.send(first).unwrap();
                send.send(second).unwrap();
            }
        });
        engine.flush(LONG).unwrap();
    });
    engine.shutdown(LONG).unwrap();
    let seen: Vec<Told> = look.try_iter().collect();
    let reasons = consistent(&seen);
    assert!(reasons.keys().all(|reason| reason == "queue_full"), "{reasons:?}");
    assert!(seen.iter().any(|(event, _)| *event == HostEvent::SpanUpdated));
}

#[test]
fn a_child_that_outlives_its_root_keeps_the_trace_open() {
    let (engine, look) = following(&[HostEvent::SpanStarted, HostEvent::TraceEnded]);
    let mut root = engine.span("root").root().start();
    let mut child = engine.span("child").child_of(&root).start();
    root.end();
    let so_far = told(&engine, &look);
    assert!(!so_far.iter().any(|(event, _)| *event == HostEvent::TraceEnded), "{so_far:?}");
    child.end();
    let rest = told(&engine, &look);
    assert_eq!(
        rest,
        [(HostEvent::SpanEnded, "child".to_owned()), (HostEvent::TraceEnded, "root".to_owned())]
    );
    engine.shutdown(LONG).unwrap();
}

#[test]
fn hosts_with_frames_of_their_own_announce_too() {
    let (engine, look) = following(&ALL);
    let event = |kind, id: u8, end| {
        let head = Head {
            trace_id: TraceId::from_bytes([7; 16]),
            span_id: SpanId::from_bytes([id; 8]),
            parent_span_id: SpanId::from_bytes([id - 1; 8]),
            start_unix_nanos: 1,
            end_unix_nanos: end,
            trace_flags: TraceFlags::SAMPLED,
            flags: if id == 1 { SpanFlags::ROOT.with(SpanFlags::LOCAL_ROOT) } else { SpanFlags::empty() },
            ..Head::default()
        };
        let mut event = Vec::new();
        write::begin_span(&mut event);
        write::name(&mut event, "framed");
        write::finish_span(&mut event, kind, 0, &head);
        event
    };
    let frame = [
        event(EventKind::SpanStarted, 1, 0),
        event(EventKind::SpanStarted, 2, 0),
        event(EventKind::SpanUpdated, 2, 0),
        event(EventKind::SpanEnded, 2, 9),
    ];
    assert!(engine.submit(&frame.concat(), 1));
    assert!(engine.submit(&event(EventKind::SpanEnded, 1, 10), 1));
    engine.flush(LONG).unwrap();
    engine.shutdown(LONG).unwrap();
    let seen: Vec<Told> = look.try_iter().collect();
    assert_eq!(consistent(&seen), BTreeMap::new());
    assert_eq!(seen.len(), 7, "{seen:?}");
}

#[test]
fn others_are_not_disturbed() {
    let (port, _) = port();
    let (exporter, look) = follower(&port, &ALL);
    let store = MemoryStore::new();
    let engine =
        polyspan::init(options().exporter(exporter).exporter(ExporterOptions::Memory(store.clone())))
            .unwrap();
    record(&engine, 20);
    engine.flush(LONG).unwrap();
    assert_eq!(store.spans().len(), 20);
    let stats = engine.stats();
    assert_eq!((stats.exporters[0].exported, stats.exporters[1].exported), (20, 20));
    engine.shutdown(LONG).unwrap();
    assert_eq!(consistent(&look.try_iter().collect::<Vec<_>>()), BTreeMap::new());
}
