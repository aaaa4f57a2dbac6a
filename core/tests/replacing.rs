//! An engine that replaces a running one: spans go to it at once, and nothing changes where it cannot be made.
#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use polyspan::config::ExporterOptions;
use polyspan::export::file::FileOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::{Engine, ErrorCode, Options, registry};
use polyspan_test_receiver::{Receiver, Script, Step};

const LONG: Duration = Duration::from_secs(30);

fn to_memory(name: &str, store: &MemoryStore) -> Options {
    Options::new("service").name(name).exporter(ExporterOptions::Memory(store.clone()))
}

fn eventually(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn names(store: &MemoryStore) -> Vec<String> {
    store.take().into_iter().map(|span| span.name.to_string()).collect()
}

#[test]
fn spans_go_to_the_new_engine_while_the_old_one_drains() {
    let receiver = Receiver::start(Script::always(Step::Hang));
    let hanging = Options::new("service").name("drains").endpoint(receiver.endpoint());
    let old = polyspan::init(hanging).unwrap();
    old.span("for a collector that hangs").start().end();
    let store = MemoryStore::new();
    let new = to_memory("drains", &store).replace(true).exit_timeout(Duration::from_secs(2));
    std::thread::scope(|threads| {
        let replacing = threads.spawn(|| polyspan::init(new).unwrap());
        eventually(|| registry::engine("drains").is_some_and(|engine| !engine.same(&old)));
        // There is an engine at every moment, and it records.
        let mut spans = 0;
        while !replacing.is_finished() {
            let mut span = registry::engine("drains").unwrap().span("meanwhile").start();
            assert!(span.is_recording());
            span.end();
            spans += 1;
            std::thread::sleep(Duration::from_millis(10));
        }
        let engine = replacing.join().unwrap();
        engine.flush(LONG).unwrap();
        assert_eq!(store.take().len(), spans);
    });
    let left = old.stats();
    assert!(old.is_shut_down() && left.adds_up() && left.pending == 0, "{left:?}");
    assert_eq!(left.exporters[0].pending, 0);
}

#[test]
fn an_engine_that_cannot_be_made_replaces_nothing() {
    let store = MemoryStore::new();
    let running = polyspan::init(to_memory("stays", &store)).unwrap();
    let file = FileOptions::new("/nowhere/at/all/spans.jsonl");
    let impossible =
        Options::new("service").name("stays").exporter(ExporterOptions::File(file)).replace(true);
    assert_eq!(polyspan::init(impossible).unwrap_err().code(), ErrorCode::Io);
    assert!(registry::engine("stays").is_some_and(|engine| engine.same(&running)));
    let mut span = running.span("still recorded").start();
    assert!(span.is_recording());
    span.end();
    running.flush(LONG).unwrap();
    assert_eq!(names(&store), ["still recorded"]);
}

#[test]
fn the_new_engine_keeps_the_place_of_the_old_one() {
    let (first, second) = (MemoryStore::new(), MemoryStore::new());
    let old = polyspan::init(to_memory("chosen", &first)).unwrap();
    registry::set_default("chosen").unwrap();
    let parent = old.span("parent").start();
    let new = polyspan::init(to_memory("chosen", &second).replace(true)).unwrap();
    assert_eq!(registry::chosen_default().as_deref(), Some("chosen"));
    assert!(registry::default_engine().is_some_and(|engine| engine.same(&new)));
    // What was begun before is over with the old one; what begins now is recorded.
    polyspan::span("child").child_of(&parent).start().end();
    drop(parent);
    new.flush(LONG).unwrap();
    assert_eq!(names(&second), ["child"]);
    // Shutting the old one down once more takes nothing from the new one.
    old.shutdown(LONG).unwrap();
    assert!(registry::default_engine().is_some_and(|engine: Engine| engine.same(&new)));
    assert_eq!(registry::chosen_default().as_deref(), Some("chosen"));
}

#[test]
fn both_append_to_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spans.jsonl");
    let file = || ExporterOptions::File(FileOptions::new(&path));
    let options = || Options::new("service").name("file").exporter(file());
    let old = polyspan::init(options()).unwrap();
    old.span("before").start().end();
    let new = polyspan::init(options().max_batch_spans(7).replace(true)).unwrap();
    new.span("after").start().end();
    new.shutdown(LONG).unwrap();
    let lines = std::fs::read_to_string(&path).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(lines.contains("before") && lines.contains("after"), "{lines}");
}
