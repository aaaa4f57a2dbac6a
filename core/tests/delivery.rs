//! The whole way from a span's end to a receiver that misbehaves: both equations hold at every moment, and
//! what the engine says was delivered is what the receiver has.
#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use polyspan::config::{ExporterOptions, OtlpOptions};
use polyspan::export::otlp::RetryOptions;
use polyspan::{DropReason, Engine, ErrorCode, Options, Stats};
use polyspan_test_receiver::{Receiver, RetryAfter, Script, Step};
use tokio::net::TcpSocket;

const TRACES: u64 = 50;
const SPANS: u64 = 4 * TRACES;
const LONG: Duration = Duration::from_secs(60);

fn exporter(endpoint: String, retry_for: Duration) -> ExporterOptions {
    let retry = RetryOptions {
        initial: Duration::from_millis(5),
        max: Duration::from_millis(20),
        max_elapsed: retry_for,
        ..RetryOptions::default()
    };
    let otlp = OtlpOptions::new().traces_endpoint(endpoint).timeout(Duration::from_millis(500)).retry(retry);
    ExporterOptions::OtlpHttp(otlp.ignore_environment())
}

fn started(exporters: impl IntoIterator<Item = ExporterOptions>) -> Engine {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("delivery test {}", NAMES.fetch_add(1, Ordering::Relaxed));
    let options = Options::new("service").name(name).max_batch_spans(32);
    let options = options.schedule_delay(Duration::from_millis(5));
    polyspan::init(exporters.into_iter().fold(options, Options::exporter)).unwrap()
}

/// Records traces of four spans, the first of which has a large attribute if asked for.
fn record(engine: &Engine, traces: u64, large: bool) {
    for trace in 0..traces {
        let mut root = engine.span("root").start();
        if large && trace == 0 {
            root.set("large", "x".repeat(10_000));
        }
        for name in ["one", "two", "three"] {
            engine.span(name).child_of(&root).attribute("number", trace as i64).start().end();
        }
        root.end();
    }
}

/// Runs `work` while another thread checks both equations over and over.
fn watched<T>(engine: &Engine, work: impl FnOnce() -> T) -> T {
    /// Ends the watching however the work ends.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut looks = 0u64;
            while !done.load(Ordering::Acquire) || looks == 0 {
                let stats = engine.stats();
                assert!(stats.adds_up(), "{stats:?}");
                looks += 1;
            }
        });
        let ended = Done(&done);
        let result = work();
        drop(ended);
        watching.join().unwrap();
        result
    })
}

/// Records, flushes and returns the counts, which have nothing pending any more.
fn delivered(receiver: &Receiver, retry_for: Duration, large: bool) -> Stats {
    let engine = started([exporter(receiver.endpoint(), retry_for)]);
    watched(&engine, || {
        record(&engine, TRACES, large);
        engine.flush(LONG).unwrap();
    });
    let stats = engine.stats();
    assert_eq!((stats.ended, stats.accepted, stats.pending), (SPANS, SPANS, 0));
    assert_eq!(stats.exporters[0].pending, 0);
    engine.shutdown(LONG).unwrap();
    stats
}

#[test]
fn passing_faults_lose_nothing() {
    let faults = [
        ("503 then 200", vec![Step::status(503)]),
        ("429 with seconds", vec![Step::retry_after(429, RetryAfter::Seconds(1))]),
        ("429 with a date", vec![Step::retry_after(429, RetryAfter::DateIn(1))]),
        ("reset", vec![Step::ResetMidway, Step::Ok, Step::ResetMidway]),
        ("slow reading", vec![Step::SlowRead { bytes: 1000, millis: 1 }]),
        ("slow answer", vec![Step::Delay(100)]),
        ("hang", vec![Step::Hang]),
        ("garbage reply", vec![Step::Garbage]),
        ("cut reply", vec![Step::CutReply]),
    ];
    for (fault, steps) in faults {
        let receiver = Receiver::start(Script::steps(steps));
        let stats = delivered(&receiver, LONG, false);
        assert_eq!(stats.exporters[0].exported, SPANS, "{fault}: {stats:?}");
        let arrivals = receiver.log().arrivals();
        assert_eq!(arrivals.len() as u64, SPANS, "{fault}");
        assert!(arrivals.values().all(|times| *times == 1), "{fault}");
        assert_eq!(receiver.log().violations(), Vec::<String>::new());
    }
}

#[test]
fn an_answer_that_never_came_means_at_least_once() {
    let receiver = Receiver::start(Script::steps([Step::Swallow]));
    let stats = delivered(&receiver, LONG, false);
    assert_eq!(stats.exporters[0].exported, SPANS);
    let arrivals = receiver.log().arrivals();
    assert_eq!(arrivals.len() as u64, SPANS);
    let first = receiver.log().requests()[0].accepted;
    assert_eq!(arrivals.values().filter(|times| **times == 2).count(), first, "and only those twice");
}

#[test]
fn lasting_faults_are_counted_by_what_is_known() {
    let soon = Duration::from_millis(50);
    let refused = (DropReason::Rejected, 0);
    let faults = [
        ("400", Step::status(400), refused, soon),
        ("redirect", Step::status(307), refused, soon),
        ("503", Step::status(503), (DropReason::RetryExhausted, 0), soon),
        ("not HTTP", Step::NotHttp, (DropReason::Unknown, 0), soon),
        ("hang", Step::Hang, (DropReason::Unknown, 0), Duration::ZERO),
        ("huge reply", Step::Huge(5 << 20), (DropReason::Unknown, SPANS), soon),
        ("swallow", Step::Swallow, (DropReason::Unknown, SPANS), Duration::ZERO),
    ];
    for (fault, step, (reason, arrived), retry_for) in faults {
        let receiver = Receiver::start(Script::always(step));
        let stats = delivered(&receiver, retry_for, false);
        assert_eq!(stats.exporters[0].dropped, BTreeMap::from([(reason, SPANS)]), "{fault}");
        assert_eq!(receiver.log().arrivals().len() as u64, arrived, "{fault}");
    }
}

#[test]
fn an_export_timeout_that_is_set_bounds_repetitions() {
    let receiver = Receiver::start(Script::always(Step::status(503)));
    let options = Options::new("service").name("export timeout").export_timeout(Duration::from_millis(50));
    let engine = polyspan::init(options.exporter(exporter(receiver.endpoint(), LONG))).unwrap();
    record(&engine, 1, false);
    engine.flush(LONG).unwrap();
    let dropped = BTreeMap::from([(DropReason::RetryExhausted, 4)]);
    assert_eq!(engine.stats().exporters[0].dropped, dropped);
    engine.shutdown(LONG).unwrap();
}

#[test]
fn partial_success_is_counted_span_by_span() {
    let partial = Step::Partial { rejected: 2, message: "two too many".to_owned() };
    let receiver = Receiver::start(Script::always(partial));
    let stats = delivered(&receiver, LONG, false);
    let refused = 2 * receiver.log().requests().len() as u64;
    assert_eq!(stats.exporters[0].dropped, BTreeMap::from([(DropReason::Rejected, refused)]));
    assert_eq!(receiver.log().arrivals().len() as u64, SPANS - refused);
}

#[test]
fn one_span_too_large_costs_itself_only() {
    let receiver = Receiver::start(Script { max_body_bytes: Some(9_000), ..Script::default() });
    let stats = delivered(&receiver, LONG, true);
    assert_eq!(stats.exporters[0].dropped, BTreeMap::from([(DropReason::TooLarge, 1)]));
    let arrivals = receiver.log().arrivals();
    assert_eq!(arrivals.len() as u64, SPANS - 1);
    assert!(arrivals.values().all(|times| *times == 1));
}

#[test]
fn a_dead_exporter_delays_no_other_and_no_deadline() {
    let receiver = Receiver::start(Script::default());
    // Bound, so that nobody else gets the port, but not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let dead = socket.local_addr().unwrap();
    let engine =
        started([exporter(format!("http://{dead}/v1/traces"), LONG), exporter(receiver.endpoint(), LONG)]);
    watched(&engine, || {
        record(&engine, TRACES, false);
        // The deadline is told apart from a delivery by the error, and from a hang by coming back at all.
        let error = engine.flush(Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
        assert!(error.message().contains("not known to be delivered"), "{error}");
        assert!(receiver.log().wait_until(LONG, |requests| {
            requests.iter().map(|request| request.accepted as u64).sum::<u64>() == SPANS
        }));
    });
    let error = watched(&engine, || engine.shutdown(Duration::from_millis(200))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    let lost: u64 = stats.exporters[0].dropped.values().sum();
    assert_eq!((stats.exporters[0].exported, lost), (0, SPANS));
    assert_eq!((stats.exporters[1].exported, &stats.exporters[1].dropped), (SPANS, &BTreeMap::new()));
    assert!(receiver.log().arrivals().values().all(|times| *times == 1));
}

#[test]
fn a_receiver_that_hangs_holds_up_no_shutdown() {
    let receiver = Receiver::start(Script::always(Step::Hang));
    let engine = started([exporter(receiver.endpoint(), LONG)]);
    let error = watched(&engine, || {
        record(&engine, TRACES, false);
        assert!(receiver.log().wait_until(LONG, |requests| !requests.is_empty()));
        engine.shutdown(Duration::from_millis(200)).unwrap_err()
    });
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    let dropped = &stats.exporters[0].dropped;
    assert_eq!(dropped.values().sum::<u64>(), SPANS);
    let reasons: Vec<_> = dropped.keys().copied().collect();
    assert!(
        reasons.iter().all(|why| [DropReason::Unknown, DropReason::Shutdown].contains(why)),
        "{dropped:?}"
    );
}
