//! Forks at every awkward moment.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use polyspan::config::ExporterOptions;
use polyspan::{DropReason, ErrorCode, Options, Stats, registry};
use polyspan_test_receiver::{Script, Step};

use super::process::*;

#[test]
fn a_child_sends_its_own_spans_and_the_parent_the_rest() {
    let ended =
        run("forks::a_child_sends_its_own_spans_and_the_parent_the_rest", [Script::default()], |to| {
            let engine = started(&to[0]);
            // Still in the hand-off or in the open batch when the process forks.
            report("parent", record(20));
            let child = fork(|| {
                assert_eq!(engine.stats(), Stats::default().with_exporter());
                report("child", record(10));
                engine.flush(LONG).unwrap();
                let stats = engine.stats();
                assert!(stats.adds_up(), "{stats:?}");
                assert_eq!((stats.ended, stats.exported()), (10, 10));
            });
            report("parent", record(5));
            wait(child);
            engine.shutdown(LONG).unwrap();
            assert_eq!(engine.stats().exported(), 25);
        });
    ended.has_each_once(&["parent", "child"]);
    let ids: BTreeSet<_> = [ended.reported("parent"), ended.reported("child")].concat().into_iter().collect();
    assert_eq!(ids.len(), 35, "child and parent draw different ids");
}

trait WithExporter {
    fn with_exporter(self) -> Self;
}

impl WithExporter for Stats {
    /// The counts of an engine with one OTLP exporter that has done nothing.
    fn with_exporter(mut self) -> Self {
        let exporter = polyspan::ExporterStats { name: "otlp_http".to_owned(), ..Default::default() };
        self.exporters.push(exporter);
        self
    }
}

#[test]
fn a_span_that_was_open_belongs_to_the_parent() {
    let ended = run("forks::a_span_that_was_open_belongs_to_the_parent", [Script::default()], |to| {
        let engine = started(&to[0]);
        let mut open = polyspan::span("open").start();
        let child = fork(|| {
            let inside = open.in_scope(|| polyspan::span("inside").start());
            assert_eq!(inside.context().trace_id, open.context().trace_id);
            assert_eq!(inside.parent_span_id(), open.context().span_id);
            report("child", [id(&inside)]);
            drop(inside);
            // What the child writes to it is its own affair.
            open.set("big", "x".repeat(100_000));
            open.end();
            engine.flush(LONG).unwrap();
            let stats = engine.stats();
            assert!(stats.adds_up(), "{stats:?}");
            assert_eq!(stats.dropped, [(DropReason::ForkedChild, 1)].into());
            assert_eq!((stats.ended, stats.exported()), (2, 1));
        });
        wait(child);
        report("parent", [id(&open)]);
        open.end();
        engine.shutdown(LONG).unwrap();
        assert_eq!(engine.stats().exported(), 1);
    });
    ended.has_each_once(&["parent", "child"]);
}

#[test]
fn forks_while_others_record_and_the_exporter_is_at_work() {
    // Answers come late, so that a request is always under way.
    let script = Script::always(Step::Delay(40));
    let ended = run("forks::forks_while_others_record_and_the_exporter_is_at_work", [script], |to| {
        let engine = started(&to[0]);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let ids = record(20);
                        report("parent", ids);
                        // Asks for a request; whether it is answered in time does not matter.
                        let _ = engine.flush(std::time::Duration::from_millis(5));
                    }
                });
            }
            for _ in 0..25 {
                wait(fork(|| {
                    report("child", record(3));
                    engine.flush(LONG).unwrap();
                    assert_eq!(engine.stats().exported(), 3);
                }));
            }
            stop.store(true, Ordering::Relaxed);
        });
        engine.shutdown(LONG).unwrap();
    });
    ended.has_each_once(&["parent", "child"]);
    assert_eq!(ended.reported("child").len(), 75);
}

#[test]
fn forks_while_engines_come_and_go() {
    let ended = run("forks::forks_while_engines_come_and_go", [Script::default()], |to| {
        let engine = started(&to[0]);
        let stop = AtomicBool::new(false);
        let silent = |name: &str| Options::new("service").name(name).exporter(ExporterOptions::None);
        std::thread::scope(|scope| {
            for number in 0..3 {
                let (stop, silent) = (&stop, &silent);
                scope.spawn(move || {
                    let name = format!("passing {number}");
                    while !stop.load(Ordering::Relaxed) {
                        let engine = polyspan::init(silent(&name)).unwrap();
                        polyspan::span("seen by many").root().start().discard();
                        registry::set_selector(Some(std::sync::Arc::new(
                            |_: &polyspan::sampling::SamplingInput<'_>| None,
                        )));
                        engine.shutdown(LONG).unwrap();
                        registry::set_selector(None);
                    }
                });
            }
            for _ in 0..200 {
                wait(fork(|| {
                    // Each of these takes a lock that some thread of the parent may have held.
                    let own = polyspan::init(silent("of the child")).unwrap();
                    report("child", record(1));
                    registry::set_default("of the child").unwrap();
                    own.shutdown(LONG).unwrap();
                    engine.flush(LONG).unwrap();
                }));
            }
            stop.store(true, Ordering::Relaxed);
        });
        engine.shutdown(LONG).unwrap();
    });
    ended.has_each_once(&["child"]);
    assert_eq!(ended.reported("child").len(), 200);
}

#[test]
fn children_of_children_record_too() {
    fn generation(depth: usize) {
        report("spans", record(3));
        if depth > 0 {
            wait(fork(|| generation(depth - 1)));
        }
        report("spans", record(2));
    }
    let ended = run("forks::children_of_children_record_too", [Script::default()], |to| {
        started(&to[0]);
        generation(5);
    });
    ended.has_each_once(&["spans"]);
    assert_eq!(ended.reported("spans").len(), 30);
}

#[test]
fn a_process_forked_too_deeply_records_nothing_and_says_so() {
    fn generation(depth: usize) {
        if depth > 0 {
            return wait(fork(|| generation(depth - 1)));
        }
        let mut span = polyspan::span("span").start();
        span.set("key", "value");
        assert!(!span.is_recording());
        span.end();
        let options = Options::new("service").name("too deep").exporter(ExporterOptions::None);
        assert_eq!(polyspan::init(options).unwrap_err().code(), ErrorCode::Resource);
        let engine = registry::default_engine().unwrap();
        assert_eq!(engine.stats(), Stats::default());
        engine.flush(LONG).unwrap();
    }
    let ended =
        run("forks::a_process_forked_too_deeply_records_nothing_and_says_so", [Script::default()], |to| {
            let engine = started(&to[0]);
            generation(70);
            report("parent", record(1));
            engine.shutdown(LONG).unwrap();
        });
    ended.has_each_once(&["parent"]);
}

#[test]
fn a_child_that_records_nothing_touches_nothing() {
    let ended = run("forks::a_child_that_records_nothing_touches_nothing", [Script::default()], |to| {
        let engine = started(&to[0]);
        report("parent", record(10));
        wait(fork(|| {}));
        wait(fork(|| engine.shutdown(LONG).map(drop).unwrap()));
        engine.shutdown(LONG).unwrap();
    });
    ended.has_each_once(&["parent"]);
    let connections: BTreeSet<_> =
        ended.receivers[0].log().requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), 1);
}

#[test]
fn a_child_may_start_an_engine_of_its_own() {
    let scripts = [Script::default(), Script::default()];
    let ended = run("forks::a_child_may_start_an_engine_of_its_own", scripts, |to| {
        let engine = started(&to[0]);
        report("parent", record(4));
        wait(fork(|| {
            // With other options and in the place of the one it inherited, which has nothing to drain here.
            let other = polyspan::init(options(&to[1]).replace(true)).unwrap();
            assert!(engine.is_shut_down() && !other.same(&engine));
            report("child", record(6));
        }));
        assert!(!engine.is_shut_down(), "the parent's goes on");
        engine.shutdown(LONG).unwrap();
    });
    assert!(ended.status.success());
    let arrived =
        |receiver: usize| ended.receivers[receiver].log().arrivals().into_keys().collect::<BTreeSet<_>>();
    let reported = |word: &str| ended.reported(word).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!((arrived(0), arrived(1)), (reported("parent"), reported("child")));
}
