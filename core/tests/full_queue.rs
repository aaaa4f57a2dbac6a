//! A queue that fills before a receiver that hangs, and what other engines notice of it: nothing.
#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::{DropReason, Options, SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use polyspan_test_receiver::{Receiver, Script, Step};

#[test]
fn a_full_queue_drops_the_newest_and_counts_them() {
    let receiver = Receiver::start(Script::always(Step::Hang));
    let options = Options::new("service").endpoint(receiver.endpoint());
    let engine = polyspan::init(options.max_queue_spans(100).max_batch_spans(10)).unwrap();
    // One trace: its spans are recorded whatever the pressure.
    let mut root = engine.span("root").start();
    for _ in 0..199 {
        engine.span("child").child_of(&root).start().end();
    }
    root.end();
    while engine.stats().accepted < 200 {
        assert!(engine.stats().adds_up());
        std::thread::sleep(Duration::from_millis(1));
    }
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.exporters[0].pending, 100);
    assert_eq!(stats.exporters[0].dropped, BTreeMap::from([(DropReason::QueueFull, 100)]));

    // The pressure is seen: a new root is not begun.
    assert!(!engine.span("another root").start().is_recording());
    // Nor is this process's part of a trace that came from another one.
    let caller = SpanContext {
        trace_id: TraceId::from_hex("abc").unwrap(),
        span_id: SpanId::from_hex("def").unwrap(),
        flags: TraceFlags::SAMPLED,
        state: TraceState::EMPTY,
        remote: true,
    };
    let called = engine.span("called").parent(&caller).start();
    assert!(!called.is_recording() && !called.context().flags.is_sampled());
    assert!(!engine.span("child").child_of(&called).start().is_recording());
    // But by no other engine, however long it runs beside this one.
    let store = MemoryStore::new();
    let other = Options::new("service").name("other").exporter(ExporterOptions::Memory(store.clone()));
    let other = polyspan::init(other).unwrap();
    for _ in 0..10 {
        assert!(other.span("root").start().is_recording());
        other.flush(Duration::from_secs(10)).unwrap();
        assert!(!engine.span("another root").start().is_recording());
    }
    assert_eq!(store.spans().len(), 10);
    assert_eq!(other.stats().shed, 0);
    let _ = engine.shutdown(Duration::ZERO);
    let stats = engine.stats();
    assert!(stats.adds_up() && stats.shed == 12, "{stats:?}");
    assert_eq!(stats.exporters[0].pending, 0);
}
