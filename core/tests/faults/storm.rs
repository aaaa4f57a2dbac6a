//! Every fault at once, while several threads record.

use polyspan_test_receiver::{Receiver, RetryAfter, Script, Step};
use std::collections::BTreeSet;

use super::*;

/// All faults after which it is known what became of each span.
fn faults() -> Vec<Step> {
    vec![
        Step::status(503),
        Step::Ok,
        Step::status(429),
        Step::retry_after(429, RetryAfter::Seconds(0)),
        Step::retry_after(503, RetryAfter::DateIn(0)),
        Step::retry_after(503, RetryAfter::Text("soon".to_owned())),
        Step::ResetMidway,
        Step::Partial { rejected: 2, message: "two too many".to_owned() },
        Step::Partial { rejected: -1, message: String::new() },
        Step::SlowRead { bytes: 2000, millis: 1 },
        Step::Delay(30),
        Step::status(400),
        Step::status(504),
        Step::status(502),
        Step::Hang,
        Step::Garbage,
        Step::CutReply,
        Step::status(413),
    ]
}

/// A different order each round, from a fixed seed, so that a failure comes again.
fn shuffled(rounds: u64) -> Vec<Step> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut steps = Vec::new();
    for _ in 0..rounds {
        let mut round = faults();
        while !round.is_empty() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            steps.push(round.swap_remove((state >> 33) as usize % round.len()));
        }
    }
    steps
}

#[test]
fn counts_hold_while_everything_fails() {
    let _alone = alone();
    const THREADS: usize = 4;
    const TRACES: usize = 600;
    let receiver = Receiver::start(Script::steps(shuffled(6)));
    let engine = started([otlp(receiver.endpoint())]);
    let recorded = Mutex::new(BTreeSet::new());
    watched(&engine, 5_000, || {
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let mut ids = Vec::new();
                    for number in 0..TRACES {
                        let mut root = engine.span("root").start();
                        root.input("question").set("number", number);
                        let mut child = engine.span("child").child_of(&root).start();
                        child.event("half-way").output("x".repeat(number % 300));
                        ids.extend([root.context().span_id.to_hex(), child.context().span_id.to_hex()]);
                        if number % 100 == 0 {
                            // Whether it comes through in time or not, nothing may be lost by it.
                            let _ = engine.flush(Duration::from_millis(1));
                        }
                    }
                    recorded.lock().unwrap().extend(ids);
                });
            }
        });
        engine.flush(LONG).unwrap();
    });
    let stats = engine.stats();
    let spans = (2 * THREADS * TRACES) as u64;
    assert_eq!((stats.ended, stats.accepted, stats.pending), (spans, spans, 0));
    let exporter = &stats.exporters[0];
    assert_eq!(exporter.pending, 0);
    let arrivals = receiver.log().arrivals();
    let recorded = recorded.into_inner().unwrap();
    assert!(arrivals.keys().all(|id| recorded.contains(id)), "nothing that was never recorded");
    assert!(arrivals.values().all(|times| *times == 1), "nothing twice");
    assert_eq!(arrivals.len() as u64, exporter.exported, "{stats:?}");
    let lost: u64 = exporter.dropped.values().sum();
    assert_eq!(arrivals.len() as u64 + lost, spans);
    assert_eq!(receiver.log().violations(), Vec::<String>::new());
    engine.shutdown(LONG).unwrap();
}

/// Where the answer is swallowed a span may come twice, and never not at all.
#[test]
fn unanswered_requests_come_at_least_once() {
    let _alone = alone();
    let steps = [Step::Swallow, Step::Ok, Step::Swallow, Step::status(503), Step::Swallow];
    let receiver = Receiver::start(Script::steps(steps));
    let engine = started([otlp(receiver.endpoint())]);
    watched(&engine, 1_000, || {
        for _ in 0..500 {
            engine.span("span").start().end();
        }
        engine.flush(LONG).unwrap();
    });
    assert_eq!(engine.stats().exported(), 500);
    assert_eq!(receiver.log().arrivals().len(), 500);
    engine.shutdown(LONG).unwrap();
}
