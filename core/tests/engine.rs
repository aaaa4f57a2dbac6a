//! The engine as an application uses it: spans in, records out, and the two equations at every step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::sampling::HeadSampler;
use polyspan::{
    DropReason, Engine, ErrorCode, FutureExt, Options, SpanContext, SpanFlags, SpanId, SpanKind, SpanType,
    StatusCode, TraceFlags, TraceId, TraceState, Value,
};

const SOON: Duration = Duration::from_secs(10);

fn options(store: &MemoryStore) -> Options {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("engine test {}", NAMES.fetch_add(1, Ordering::Relaxed));
    Options::new("service").name(name).exporter(ExporterOptions::Memory(store.clone()))
}

fn started(change: impl FnOnce(Options) -> Options) -> (Engine, MemoryStore) {
    let store = MemoryStore::new();
    let engine = polyspan::init(change(options(&store))).unwrap();
    (engine, store)
}

fn flushed(engine: &Engine, store: &MemoryStore) -> Vec<SpanData> {
    engine.flush(SOON).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.pending, 0);
    store.take()
}

fn attribute<'s>(span: &'s SpanData, key: &str) -> Option<&'s Value<'static>> {
    span.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

#[test]
fn a_span_arrives_as_it_was_recorded() {
    let (engine, store) = started(|options| options);
    let linked = SpanContext {
        trace_id: TraceId::from_hex("abc").unwrap(),
        span_id: SpanId::from_hex("def").unwrap(),
        flags: TraceFlags::SAMPLED,
        state: TraceState::EMPTY,
        remote: true,
    };
    let mut span = engine.span("first name").kind(SpanKind::Client).kind_of(SpanType::Tool).start();
    assert!(span.is_recording() && span.context().is_valid() && span.context().flags.is_random());
    span.set("text", "zürich").set("int", 7).set("float", 0.5).set("bool", true).set("int", 8);
    span.set("list", vec!["a", "b"]).set("nothing", Value::Null).set("bytes", &b"\x00\xff"[..]);
    span.event("plain").event_with("full", Some(5), &[("k".into(), 1.into())]);
    span.link(&linked, &[("why".into(), "cause".into())]);
    span.rename("last name").input("question").output("draft").output("answer");
    span.metadata("tier", "gold").tag("beta");
    span.status(StatusCode::Error, "broke");
    let id = span.context().span_id;
    span.end();
    span.end();
    assert!(!span.is_recording());
    span.set("late", 1);

    let spans = flushed(&engine, &store);
    let [span] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(span.context.span_id, id);
    assert_eq!(
        (span.name.as_str(), span.kind, span.span_type),
        ("last name", SpanKind::Client, SpanType::Tool)
    );
    assert_eq!((span.status, span.status_message.as_str()), (StatusCode::Error, "broke"));
    assert!(span.flags.contains(SpanFlags::ROOT) && span.flags.contains(SpanFlags::LOCAL_ROOT));
    assert!(
        span.start_unix_nanos > 1_700_000_000_000_000_000 && span.end_unix_nanos >= span.start_unix_nanos
    );
    let keys: Vec<_> = span.attributes.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["text", "int", "float", "bool", "list", "nothing", "bytes"]);
    assert_eq!(attribute(span, "int"), Some(&Value::I64(8)));
    assert_eq!(attribute(span, "text"), Some(&Value::from("zürich")));
    assert_eq!(attribute(span, "list"), Some(&Value::from(vec!["a", "b"])));
    assert_eq!((span.input.clone(), span.output.clone()), (Some("question".into()), Some("answer".into())));
    assert_eq!((&span.metadata[0].0[..], &span.tags[..]), ("tier", &["beta".to_owned()][..]));
    assert_eq!(span.events.iter().map(|event| &event.name[..]).collect::<Vec<_>>(), ["plain", "full"]);
    assert_eq!((span.events[1].time_unix_nanos, span.events[1].attributes.len()), (5, 1));
    assert_eq!(span.links[0].context, linked);
    assert_eq!(span.scope.name, "polyspan");
    assert!(span.resource.attributes.contains(&("service.name".to_owned(), "service".into())));
    let stats = engine.stats();
    assert_eq!((stats.ended, stats.exported(), stats.ended_twice), (1, 1, 1));
}

#[test]
fn children_follow_the_current_span_and_inherit_what_surrounds_them() {
    let (engine, store) = started(|options| options);
    polyspan::surrounded(
        |around| around.session_id("s-42").metadata("tenant", "acme").tag("beta"),
        || {
            let root = engine.span("root").start();
            root.in_scope(|| {
                let child = engine.span("child").start();
                let entered = child.enter();
                drop(engine.span("grandchild").start());
                drop(entered);
                drop(engine.span("second").start());
            });
            drop(engine.span("other root").root().start());
        },
    );
    assert!(polyspan::current().span.is_none());
    let spans = flushed(&engine, &store);
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let root = find("root");
    assert_eq!(find("child").parent_span_id, root.context.span_id);
    assert_eq!(find("second").parent_span_id, root.context.span_id);
    assert_eq!(find("grandchild").parent_span_id, find("child").context.span_id);
    assert!(spans.iter().all(|span| attribute(span, "session.id") == Some(&"s-42".into())));
    assert!(spans.iter().all(|span| span.metadata == [("tenant".to_owned(), "acme".into())]));
    assert_eq!((root.tags.len(), find("child").tags.len(), find("other root").tags.len()), (1, 0, 1));
    assert_ne!(find("other root").context.trace_id, root.context.trace_id);
}

#[test]
fn a_remote_parent_decides_and_is_marked() {
    let (engine, store) = started(|options| options);
    let mut parent = SpanContext {
        trace_id: TraceId::from_hex("1").unwrap(),
        span_id: SpanId::from_hex("2").unwrap(),
        flags: TraceFlags::SAMPLED,
        state: TraceState::EMPTY,
        remote: true,
    };
    drop(engine.span("taken").parent(&parent).start());
    parent.flags = TraceFlags::empty();
    let left = engine.span("left").parent(&parent).start();
    assert!(!left.is_recording() && left.context().is_valid());
    assert_eq!(left.context().trace_id, parent.trace_id);
    drop(left);
    let spans = flushed(&engine, &store);
    assert_eq!(spans.len(), 1);
    assert!(spans[0].parent_remote && spans[0].flags.contains(SpanFlags::LOCAL_ROOT));
    assert!(!spans[0].flags.contains(SpanFlags::ROOT));
    let stats = engine.stats();
    assert_eq!((stats.ended, stats.unsampled, stats.accepted), (2, 1, 1));
}

#[test]
fn caller_given_ids_are_padded_or_replaced() {
    let (engine, store) = started(|options| options);
    drop(engine.span("short").root().trace_id("abc").start());
    drop(engine.span("bad").root().trace_id("not hex").start());
    let spans = flushed(&engine, &store);
    assert_eq!(spans[0].context.trace_id.to_hex(), format!("{:0>32}", "abc"));
    assert!(!spans[0].context.flags.is_random(), "nothing is known of a caller's id");
    assert!(spans[1].context.trace_id.is_valid() && spans[1].context.flags.is_random());
}

#[test]
fn unsampled_spans_cost_a_count_only() {
    let (engine, store) = started(|options| options.sampler(HeadSampler::AlwaysOff));
    for _ in 0..10 {
        let mut span = engine.span("quiet").start();
        span.set("k", "v").event("e").input("i");
        assert!(!span.is_recording() && !span.context().is_sampled() && span.context().is_valid());
    }
    assert!(flushed(&engine, &store).is_empty());
    let stats = engine.stats();
    assert_eq!((stats.started, stats.ended, stats.unsampled), (10, 10, 10));
}

#[test]
fn limits_leave_marks_and_counts() {
    let (engine, store) = started(|options| {
        options
            .attribute_count_limit(2)
            .event_count_limit(1)
            .link_count_limit(0)
            .event_attribute_count_limit(1)
            .attribute_value_length_limit(Some(3))
    });
    let mut span = engine.span("limited").start();
    span.set("a", "äöüß").set("b", vec!["abcdef"]).set("c", 1).set("a", "xyzw");
    span.event_with("kept", Some(1), &[("x".into(), 1.into()), ("y".into(), 2.into())]).event("gone");
    let own = span.context().clone();
    span.link(&own, &[]);
    drop(span);
    let spans = flushed(&engine, &store);
    let span = &spans[0];
    assert_eq!(span.attributes, [("a".to_owned(), "xyz".into()), ("b".to_owned(), vec!["abc"].into())]);
    assert_eq!((span.dropped_attributes, span.dropped_events, span.dropped_links), (1, 1, 1));
    assert_eq!((span.events[0].attributes.len(), span.events[0].dropped_attributes), (1, 1));
}

#[test]
fn huge_values_are_cut_when_they_are_set() {
    let (engine, store) = started(|options| options.capture_value_bytes(100).capture_span_bytes(10_000));
    let mut span = engine.span("big").start();
    let huge = "é".repeat(5_000_000);
    span.set("huge", &huge).set("bytes", huge.as_bytes());
    for number in 0..1000 {
        span.set(&format!("key {number}"), "v".repeat(50));
    }
    drop(span);
    let spans = flushed(&engine, &store);
    let text = attribute(&spans[0], "huge").unwrap().as_str().unwrap();
    assert!(text.len() < 130 && text.ends_with("…[truncated]") && text.starts_with("éé"));
    assert!(spans[0].dropped_attributes > 800, "{}", spans[0].dropped_attributes);
    assert!(engine.stats().altered > 800);
}

#[test]
fn replaced_outputs_do_not_pile_up() {
    let (engine, store) = started(|options| options.capture_span_bytes(64 * 1024));
    let mut span = engine.span("busy").start();
    for number in 0..10_000 {
        span.output(format!("{number} {}", "x".repeat(500))).rename(&format!("name {number}"));
        span.set("progress", number);
        if number % 100 == 0 {
            span.input(number);
        }
    }
    drop(span);
    let spans = flushed(&engine, &store);
    assert_eq!(spans[0].name, "name 9999");
    assert_eq!(spans[0].input, Some(9900.into()));
    assert!(spans[0].output.as_ref().unwrap().as_str().unwrap().starts_with("9999 "));
    assert_eq!(spans[0].attributes, [("progress".to_owned(), 9999.into())]);
}

#[test]
fn too_many_open_spans_do_not_record() {
    let (engine, store) = started(|options| options.open_spans(500));
    let open: Vec<_> = (0..5_000).map(|_| engine.span("open").start()).collect();
    let recording = open.iter().filter(|span| span.is_recording()).count();
    assert!((500..=600).contains(&recording), "{recording}");
    drop(open);
    assert!(engine.span("again").start().is_recording());
    assert_eq!(flushed(&engine, &store).len(), recording + 1);
    assert_eq!(engine.stats().open_limit, (5_000 - recording) as u64);
}

#[test]
fn what_open_spans_inherit_counts_as_theirs() {
    let (engine, store) = started(|options| options.open_span_bytes(1 << 20));
    let text = "x".repeat(60_000);
    let open: Vec<_> = (0..500).map(|_| engine.span("open").metadata("text", &text[..]).start()).collect();
    let recording = open.iter().filter(|span| span.is_recording()).count();
    assert!((1..=100).contains(&recording), "{recording}");
    drop(open);
    assert_eq!(flushed(&engine, &store).len(), recording);
}

#[test]
fn errors_become_exception_events_and_status() {
    let (engine, store) = started(|options| options);
    let mut span = engine.span("fails").start();
    let error = "x".parse::<u32>().unwrap_err();
    span.error(&error);
    drop(span);
    let spans = flushed(&engine, &store);
    assert_eq!(
        (spans[0].status, &spans[0].status_message[..]),
        (StatusCode::Error, "invalid digit found in string")
    );
    let event = &spans[0].events[0];
    assert_eq!(event.name, "exception");
    assert_eq!(event.attributes[0], ("exception.type".to_owned(), "core::num::error::ParseIntError".into()));
    assert_eq!(attribute(&spans[0], "error.type"), Some(&"core::num::error::ParseIntError".into()));
}

#[test]
fn status_ok_is_final() {
    let (engine, store) = started(|options| options);
    let mut span = engine.span("s").start();
    span.status(StatusCode::Error, "a").status(StatusCode::Unset, "").status(StatusCode::Ok, "dropped");
    span.status(StatusCode::Error, "too late");
    drop(span);
    let spans = flushed(&engine, &store);
    assert_eq!((spans[0].status, &spans[0].status_message[..]), (StatusCode::Ok, ""));
}

#[test]
fn a_span_follows_its_future_across_polls() {
    let (engine, store) = started(|options| options);
    let reactor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    reactor.block_on(async {
        let work = |name: &'static str| {
            let engine = engine.clone();
            async move {
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                    drop(engine.span(name).start());
                }
            }
        };
        let one = work("in one").in_span(engine.span("one").start());
        let two = work("in two").in_span(engine.span("two").start());
        tokio::join!(one, two);
    });
    assert!(polyspan::current().span.is_none());
    let spans = flushed(&engine, &store);
    for (parent, child) in [("one", "in one"), ("two", "in two")] {
        let id = spans.iter().find(|span| span.name == parent).unwrap().context.span_id;
        let children: Vec<_> = spans.iter().filter(|span| span.name == child).collect();
        assert_eq!(children.len(), 3);
        assert!(children.iter().all(|span| span.parent_span_id == id));
    }
}

#[test]
fn many_threads_lose_nothing() {
    let (engine, store) = started(|options| options.memory_budget(256 << 20));
    let threads: Vec<_> = (0..8)
        .map(|id| {
            let engine = engine.clone();
            std::thread::spawn(move || {
                for number in 0..1_000 {
                    engine.span("s").start().set("id", id).set("number", number);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let spans = flushed(&engine, &store);
    let mut seen: Vec<_> = spans
        .iter()
        .map(|span| (attribute(span, "id").unwrap().as_i64(), attribute(span, "number").unwrap().as_i64()))
        .collect();
    for id in 0..8 {
        let numbers: Vec<_> =
            seen.iter().filter(|(of, _)| *of == Some(id)).map(|(_, number)| number.unwrap()).collect();
        assert_eq!(numbers, (0..1_000).collect::<Vec<_>>(), "in order per thread");
    }
    seen.dedup();
    assert_eq!(seen.len(), 8_000);
}

#[test]
fn a_second_init_returns_refuses_or_replaces() {
    let store = MemoryStore::new();
    let options = options(&store);
    let first = polyspan::init(options.clone()).unwrap();
    assert!(polyspan::init(options.clone()).unwrap().same(&first));
    let other = options.clone().sampler(HeadSampler::AlwaysOff);
    assert_eq!(polyspan::init(other.clone()).unwrap_err().code(), ErrorCode::AlreadyInitialized);
    first.span("of the first").start().end();
    let second = polyspan::init(other.replace(true)).unwrap();
    assert!(!second.same(&first) && first.is_shut_down());
    assert_eq!(store.take().len(), 1, "the first one was drained");
}

#[test]
fn spans_that_end_after_shutdown_are_counted() {
    let (engine, store) = started(|options| options);
    let late = engine.span("late").start();
    engine.span("early").start().end();
    engine.shutdown(SOON).unwrap();
    drop(late);
    assert_eq!(store.take().len(), 1);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.dropped.get(&DropReason::AlreadyShutdown), Some(&1));
    assert_eq!(engine.shutdown(SOON), Ok(polyspan::FlushReport::default()));
}

#[test]
fn a_submitted_frame_is_read_and_bad_ones_are_counted() {
    let (engine, store) = started(|options| options);
    let mut span = Vec::new();
    polyspan::frame::write::begin_span(&mut span);
    polyspan::frame::write::name(&mut span, "from afar");
    let head = polyspan::frame::write::Head {
        trace_id: TraceId::from_hex("1").unwrap(),
        span_id: SpanId::from_hex("2").unwrap(),
        trace_flags: TraceFlags::SAMPLED,
        ..Default::default()
    };
    polyspan::frame::write::finish_span(&mut span, polyspan::frame::EventKind::SpanEnded, 0, &head);
    let mut frame = span.clone();
    frame.extend_from_slice(&span);
    assert!(engine.submit(&frame, 2));
    assert!(engine.submit(&frame[..frame.len() - 3], 2), "torn: the first span is whole");
    assert!(engine.submit(&[0xff; 40], 1));
    let spans = flushed(&engine, &store);
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|span| span.name == "from afar"));
    assert_eq!(engine.stats().dropped.get(&DropReason::BadFrame), Some(&2));
}

#[test]
fn end_tree_closes_what_is_open_and_orphans_are_adopted() {
    let (engine, store) = started(|options| options);
    let root = engine.span("root").start_shared();
    let child = root.child("child", |builder| builder.kind_of(SpanType::Agent));
    let grandchild = child.child("grandchild", |builder| builder);
    let done = root.child("done", |builder| builder);
    done.end();
    child.end();
    // Its parent has ended; it belongs to the root now, though the parent on the wire stays.
    let late = child.child("late", |builder| builder);
    grandchild.with(|span| span.set("k", 1).is_recording());
    root.end_tree();
    assert!(grandchild.with(|span| span.has_ended()) && late.with(|span| span.has_ended()));
    root.end_tree();
    let spans = flushed(&engine, &store);
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(spans.len(), 5);
    assert_eq!(find("grandchild").parent_span_id, find("child").context.span_id);
    assert_eq!(find("late").parent_span_id, find("child").context.span_id);
    assert_eq!(find("grandchild").end_unix_nanos, find("root").end_unix_nanos);
    assert_eq!(spans.last().unwrap().name, "root", "children end before their parent");
    assert_eq!(engine.stats().ended_twice, 0);
}

#[test]
fn an_event_span_is_an_instant() {
    let (engine, store) = started(|options| options);
    engine.span("signal").attribute("k", "v").emit();
    let spans = flushed(&engine, &store);
    assert!(spans[0].flags.contains(SpanFlags::EVENT));
    assert_eq!(spans[0].start_unix_nanos, spans[0].end_unix_nanos);
}

#[test]
fn context_travels_through_a_carrier() {
    let (engine, store) = started(|options| options);
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut baggage = polyspan::propagation::Baggage::default();
    baggage.insert("tenant", "acme");
    polyspan::surrounded(
        |around| around.with_baggage(baggage),
        || engine.span("client").start().in_scope(|| engine.inject(&mut headers)),
    );
    let far = engine.extract(&headers);
    assert_eq!(far.surroundings.as_ref().unwrap().baggage().get("tenant"), Some("acme"));
    let entered = far.enter();
    drop(engine.span("server").start());
    drop(entered);
    let spans = flushed(&engine, &store);
    assert_eq!(spans[1].parent_span_id, spans[0].context.span_id);
    assert!(spans[1].parent_remote);
    headers[0].1 = "00-nonsense".to_owned();
    assert_eq!(engine.extract(&headers).span, None);
}
