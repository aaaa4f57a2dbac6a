//! Flush and shutdown while a receiver does not answer: they come back, say what is left, and leave the
//! engine as it was.

use std::net::TcpListener;

use polyspan::{DropReason, ErrorCode, FlushReport};
use polyspan_test_receiver::{Receiver, Script, Step};

use super::*;

fn record(engine: &Engine, spans: usize) {
    for _ in 0..spans {
        engine.span("span").start().end();
    }
}

/// An address where nobody listens.
fn nobody() -> String {
    format!("http://{}/v1/traces", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

#[test]
fn a_flush_in_vain_says_what_is_left_and_changes_nothing() {
    let _alone = alone();
    let receiver = Receiver::start(Script::always(Step::Hang));
    let engine = started([otlp(receiver.endpoint())]);
    watched(&engine, 2_000, || {
        record(&engine, 100);
        let error = engine.flush(Duration::from_millis(100)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
        assert!(error.message().contains("100 spans"), "{error}");
        // Meanwhile spans are taken in as ever.
        record(&engine, 100);
        receiver.set_then(Step::Ok);
        engine.flush(LONG).unwrap();
    });
    let stats = engine.stats();
    assert_eq!((stats.ended, stats.exported()), (200, 200));
    let arrivals = receiver.log().arrivals();
    assert_eq!(arrivals.len(), 200);
    assert!(arrivals.values().all(|times| *times == 1));
    engine.shutdown(LONG).unwrap();
}

#[test]
fn a_shutdown_in_vain_says_what_may_have_arrived() {
    let _alone = alone();
    // The only batch is under way: it may arrive, and nothing else is left.
    let receiver = Receiver::start(Script::always(Step::Delay(60_000)));
    let engine = started([otlp(receiver.endpoint())]);
    record(&engine, 10);
    assert!(receiver.log().wait_until(LONG, |requests| !requests.is_empty()));
    let error = watched(&engine, 100, || engine.shutdown(Duration::from_millis(50)).unwrap_err());
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    assert!(error.message().contains("10 spans"), "{error}");
    let stats = engine.stats();
    assert_eq!(stats.exporters[0].dropped, [(DropReason::Unknown, 10)].into());
    assert_eq!(stats.exporters[0].pending, 0);
    assert_eq!(receiver.log().arrivals().len(), 10);
}

#[test]
fn after_a_shutdown_there_is_nothing_to_wait_for() {
    let _alone = alone();
    let receiver = Receiver::start(Script::default());
    let engine = started([otlp(receiver.endpoint())]);
    record(&engine, 10);
    engine.shutdown(LONG).unwrap();
    assert_eq!(engine.flush(LONG), Ok(FlushReport::default()));
    assert_eq!(engine.shutdown(LONG), Ok(FlushReport::default()));
    assert_eq!(receiver.log().arrivals().len(), 10);
    record(&engine, 5);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.dropped, [(DropReason::AlreadyShutdown, 5)].into());
}

/// Spans that have ended and are neither delivered nor given up.
fn undelivered(engine: &Engine) -> u64 {
    let stats = engine.stats();
    stats.pending + stats.exporters.iter().map(|exporter| exporter.pending).sum::<u64>()
}

#[test]
fn a_thread_that_keeps_writing_hides_nothing_from_a_flush() {
    let _alone = alone();
    // What ended before a flush is delivered by it, though its thread is always at work on the next span.
    let receiver = Receiver::start(Script::default());
    let engine = started([otlp(receiver.endpoint())]);
    let stop = AtomicBool::new(false);
    let ended = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                engine.span("span").start().end();
                // No faster than an export thread without optimization can follow.
                if ended.fetch_add(1, Ordering::Release).is_multiple_of(64) {
                    while undelivered(&engine) > 500 && !stop.load(Ordering::Relaxed) {
                        std::thread::sleep(Duration::from_micros(200));
                    }
                }
            }
        });
        while ended.load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
        for _ in 0..100 {
            let before = ended.load(Ordering::Acquire) as u64;
            if engine.flush(LONG).is_err() {
                stop.store(true, Ordering::Relaxed);
                panic!("a flush failed");
            }
            let stats = engine.stats();
            let dropped: u64 = stats.all_dropped().values().sum();
            let settled = stats.exported() + stats.unsampled + dropped;
            if settled < before {
                stop.store(true, Ordering::Relaxed);
                panic!("{settled} of {before}: {stats:?}");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    engine.shutdown(LONG).unwrap();
    assert!(engine.stats().adds_up());
}

#[test]
fn a_dead_exporter_costs_the_live_one_nothing() {
    let _alone = alone();
    let receiver = Receiver::start(Script::default());
    let engine = started([otlp(nobody()), otlp(receiver.endpoint())]);
    watched(&engine, 5_000, || {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        record(&engine, 1);
                        std::thread::yield_now();
                    }
                });
            }
        });
        // The dead one holds its spans for a minute; the live one has them at once.
        until("the live exporter has everything", || engine.stats().exporters[1].exported == 6_000);
        assert_eq!(engine.stats().exporters[0].exported, 0);
    });
    let error = engine.shutdown(Duration::from_millis(100)).unwrap_err();
    assert!(error.message().contains("6000 spans"), "{error}");
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.exporters[0].dropped.values().sum::<u64>(), 6_000);
    let arrivals = receiver.log().arrivals();
    assert_eq!(arrivals.len(), 6_000);
    assert!(arrivals.values().all(|times| *times == 1));
}

#[test]
fn many_threads_may_flush_and_stop_at_once() {
    let _alone = alone();
    let receiver = Receiver::start(Script::steps([Step::status(503), Step::Delay(20)]));
    let engine = started([otlp(receiver.endpoint())]);
    watched(&engine, 500, || {
        std::thread::scope(|scope| {
            for number in 0..8 {
                let engine = engine.clone();
                scope.spawn(move || {
                    record(&engine, 100);
                    // Some find the engine stopped; what they recorded is counted then.
                    let _ = engine.flush(Duration::from_millis(200));
                    if number % 2 == 0 {
                        let _ = engine.shutdown(LONG);
                    }
                });
            }
        });
    });
    until("everything is counted", || {
        let stats = engine.stats();
        stats.pending == 0 && stats.exporters[0].pending == 0
    });
    let stats = engine.stats();
    assert_eq!(stats.ended, 800);
    let late = stats.dropped.get(&DropReason::AlreadyShutdown).copied().unwrap_or_default();
    assert_eq!(stats.exported() + late, 800, "{stats:?}");
    let arrivals = receiver.log().arrivals();
    assert_eq!(arrivals.len() as u64, stats.exported());
    assert!(arrivals.values().all(|times| *times == 1));
}
