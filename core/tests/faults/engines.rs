//! Many engines in one process: one export thread, no span in the wrong place, nothing left behind.

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan_test_receiver::{Receiver, Script};

use super::*;

#[test]
fn each_engine_gets_its_own_spans_and_all_share_a_thread() {
    let _alone = alone();
    let stores: Vec<_> = (0..24).map(|_| MemoryStore::new()).collect();
    let engines: Vec<_> =
        stores.iter().map(|store| started([ExporterOptions::Memory(store.clone())])).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            // More engines than a thread remembers.
            scope.spawn(|| {
                for round in 0..50 {
                    for (number, engine) in engines.iter().enumerate() {
                        engine.span(&number.to_string()).start().set("round", round);
                    }
                }
            });
        }
    });
    for engine in &engines {
        engine.flush(LONG).unwrap();
    }
    for (number, store) in stores.iter().enumerate() {
        let spans = store.spans();
        assert_eq!(spans.len(), 200);
        assert!(spans.iter().all(|span| span.name == number.to_string()));
    }
    #[cfg(target_os = "linux")]
    {
        let names = std::fs::read_dir("/proc/self/task").unwrap().filter_map(|task| {
            // A thread may be gone by the time its name is read.
            std::fs::read_to_string(task.unwrap().path().join("comm")).ok()
        });
        assert_eq!(names.filter(|name| name.trim() == "polyspan-export").count(), 1);
    }
    for engine in &engines {
        engine.shutdown(LONG).unwrap();
        let stats = engine.stats();
        assert!(stats.adds_up() && stats.exported() == 200, "{stats:?}");
    }
}

#[test]
fn an_engine_may_be_stopped_and_started_again_and_again() {
    let _alone = alone();
    let receiver = Receiver::start(Script::default());
    for round in 0..50 {
        let options = Options::new("service").name("again").exporter(otlp(receiver.endpoint()));
        let engine = polyspan::init(options).unwrap();
        let late = engine.span("late").start();
        engine.span("in time").start().end();
        engine.shutdown(LONG).unwrap();
        drop(late);
        assert_eq!(receiver.log().arrivals().len(), round + 1);
        let stats = engine.stats();
        assert!(stats.adds_up() && stats.ended == 2 && stats.exported() == 1, "{stats:?}");
    }
}
