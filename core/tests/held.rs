//! Exporters that wait, as a phone has them do on a network that is paid by the byte: what they are given stays until
//! it is let go, within the bounds of the queue, and every span is counted.
#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod noise;

use std::collections::BTreeMap;
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::{DropReason, Engine, Options};
use polyspan_test_receiver::{Receiver, Script};
use tokio::net::TcpSocket;

const LONG: Duration = Duration::from_secs(60);
const SPANS: u64 = 1000;

fn started(name: &str, options: impl FnOnce(Options) -> Options) -> Engine {
    let given =
        Options::new("service").name(name).max_batch_spans(32).schedule_delay(Duration::from_millis(1));
    polyspan::init(options(given)).unwrap()
}

fn record(engine: &Engine, spans: u64) {
    // One trace: its spans are recorded whatever the pressure.
    let root = engine.span("root").start();
    for _ in 1..spans {
        engine.span("child").child_of(&root).start().end();
    }
    drop(root);
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An engine beside the held one has sent something by itself: the export thread was there, and had the time.
fn others_went_on(name: &str) {
    let store = MemoryStore::new();
    let other = started(name, |options| options.exporter(ExporterOptions::Memory(store.clone())));
    for turn in 1..=5 {
        record(&other, 100);
        until("an engine that is not held sends", || store.spans().len() == turn * 100);
    }
    other.shutdown(LONG).unwrap();
}

#[test]
fn spans_stay_until_they_are_let_go() {
    let receiver = Receiver::start(Script::default());
    let engine = started("stay", |options| options.endpoint(receiver.base()));
    engine.hold(true);
    for round in 1..=2 {
        record(&engine, SPANS);
        until("every span reaches its exporter", || engine.stats().accepted == round * SPANS);
        others_went_on(&format!("beside stay {round}"));
        let stats = engine.stats();
        assert!(stats.adds_up(), "{stats:?}");
        assert_eq!((stats.exporters[0].pending, stats.exporters[0].exported), (SPANS, (round - 1) * SPANS));
        engine.hold(false);
        until("what waited leaves", || engine.stats().exporters[0].exported == round * SPANS);
        // The network is another one again.
        engine.hold(true);
    }
    engine.shutdown(LONG).unwrap();
    let accepted: usize = receiver.log().requests().iter().map(|request| request.accepted).sum();
    assert_eq!(accepted as u64, 2 * SPANS);
}

#[test]
fn a_flush_and_the_shutdown_send_all_the_same() {
    let store = MemoryStore::new();
    let engine = started("sent", |options| options.exporter(ExporterOptions::Memory(store.clone())));
    engine.hold(true);
    record(&engine, 100);
    engine.flush(LONG).unwrap();
    assert_eq!(store.spans().len(), 100);
    // What comes later waits again.
    record(&engine, 100);
    until("every span reaches its exporter", || engine.stats().accepted == 200);
    others_went_on("beside sent");
    assert_eq!(store.spans().len(), 100);
    engine.shutdown(LONG).unwrap();
    assert_eq!(store.spans().len(), 200);
}

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let store = MemoryStore::new();
    let engine = started("full", |options| {
        options.exporter(ExporterOptions::Memory(store.clone())).max_queue_spans(100)
    });
    engine.hold(true);
    record(&engine, 250);
    until("every span reaches its exporter", || engine.stats().accepted == 250);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.exporters[0].pending, 100);
    assert_eq!(stats.exporters[0].dropped, BTreeMap::from([(DropReason::QueueFull, 150)]));
    engine.hold(false);
    until("what waited leaves", || engine.stats().exporters[0].exported == 100);
    assert_eq!(store.spans().len(), 100);
    engine.shutdown(LONG).unwrap();
    assert!(engine.stats().adds_up());
}

#[test]
fn a_time_without_network_keeps_within_its_bytes() {
    // Bound, so that nobody else gets the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let dead = socket.local_addr().unwrap();
    for held in [true, false] {
        let engine =
            started(&format!("offline {held}"), |options| options.endpoint(format!("http://{dead}")));
        engine.hold(held);
        // As much as the budget of a process, of which exporters have half.
        let (spans, bytes) = (2 * 1024, 16 * 1024);
        let noise = noise::noise();
        let root = engine.span("root").start();
        for turn in 1..=spans {
            let from = turn as usize * bytes % noise.len();
            engine.span("child").child_of(&root).attribute("text", &noise[from..from + bytes]).start().end();
            if turn % 64 == 0 {
                // What the hand-off cannot take is lost there, which is another matter.
                until("the export thread keeps up", || engine.stats().pending == 0);
            }
        }
        drop(root);
        until("every span reaches its exporter", || engine.stats().accepted == spans + 1);
        let stats = engine.stats();
        assert!(stats.adds_up(), "{stats:?}");
        let lane = &stats.exporters[0];
        assert_eq!(lane.exported, 0);
        assert!(lane.pending * bytes as u64 <= 16 << 20, "{lane:?}");
        assert!(lane.dropped.values().sum::<u64>() > spans / 4, "{lane:?}");
        // Its last counts may come a moment later.
        let _ = engine.shutdown(Duration::ZERO);
        until("nothing is pending", || engine.stats().exporters[0].pending == 0);
        assert!(engine.stats().adds_up());
    }
}

#[test]
fn what_waits_for_long_is_packed() {
    const TEXT: usize = 2_000;
    let receiver = Receiver::start(Script::default());
    let engine = started("packed", |options| options.endpoint(receiver.base()).memory_budget(1 << 20));
    engine.hold(true);
    let text = "a text as a prompt has it, of few words ".repeat(TEXT / 40);
    for round in 1..=SPANS / 20 {
        for _ in 0..20 {
            engine.span("span").start().set("text", text.as_str());
        }
        until("every span reaches its exporter", || engine.stats().exporters[0].accepted == round * 20);
    }
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    // The exporters' share of the budget is half of it, and would hold a quarter of these.
    assert_eq!((stats.exporters[0].pending, stats.shed), (SPANS, 0), "{stats:?}");
    engine.hold(false);
    until("what waited leaves", || engine.stats().exporters[0].exported == SPANS);
    engine.shutdown(LONG).unwrap();
    let requests = receiver.log().requests();
    let spans: Vec<_> = requests.iter().flat_map(|request| request.spans()).collect();
    assert_eq!(spans.len() as u64, SPANS);
    let starts: Vec<_> = spans.iter().map(|span| span.start_time_unix_nano).collect();
    assert!(starts.is_sorted(), "the oldest go first");
    assert!(requests.iter().all(|request| request.header("content-encoding").is_none()));
}
