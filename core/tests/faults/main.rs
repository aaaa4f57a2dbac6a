//! The whole engine against receivers that misbehave: whatever happens, both equations hold at every moment,
//! what the engine says was delivered is what the receiver has, and deadlines are kept.
//!
//! `delivery.rs` holds one fault after the other; here they come all at once, from many threads, and to
//! several engines.
#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod deadlines;
mod engines;
mod storm;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use polyspan::config::{ExporterOptions, OtlpOptions};
use polyspan::export::otlp::RetryOptions;
use polyspan::{Engine, Options, Stats};

/// Far more than anything here takes; waiting so long means that something hangs.
const LONG: Duration = Duration::from_secs(60);

/// Held by each test: all engines of a process share the way to the export thread, and what one test sheds
/// there another would miss.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An OTLP exporter that is quick to try again.
fn otlp(endpoint: String) -> ExporterOptions {
    let retry = RetryOptions {
        initial: Duration::from_millis(2),
        max: Duration::from_millis(20),
        max_elapsed: LONG,
        ..RetryOptions::default()
    };
    let otlp = OtlpOptions::new().traces_endpoint(endpoint).timeout(Duration::from_millis(400)).retry(retry);
    ExporterOptions::OtlpHttp(otlp.ignore_environment())
}

fn started(exporters: impl IntoIterator<Item = ExporterOptions>) -> Engine {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let options = Options::new("service")
        .name(format!("faults {}", NAMES.fetch_add(1, Ordering::Relaxed)))
        .max_batch_spans(64)
        .schedule_delay(Duration::from_millis(5));
    polyspan::init(exporters.into_iter().fold(options, Options::exporter)).unwrap()
}

/// Runs `work` while another thread looks at the counts again and again: they always add up, and what is
/// over is never taken back. Looks at least `least` times.
fn watched<T>(engine: &Engine, least: u64, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut looks = 0;
            let mut last = Stats::default();
            while looks < least || !done.load(Ordering::Acquire) {
                let now = engine.stats();
                assert!(now.adds_up(), "{now:?}");
                assert!(
                    settled(&now).iter().zip(settled(&last)).all(|(now, last)| *now >= last),
                    "{last:?} {now:?}"
                );
                last = now;
                looks += 1;
            }
        });
        let result = work();
        done.store(true, Ordering::Release);
        watching.join().unwrap();
        result
    })
}

/// The counts that only grow.
fn settled(stats: &Stats) -> Vec<u64> {
    let mut counts = vec![stats.started, stats.ended, stats.unsampled, stats.accepted];
    counts.push(stats.dropped.values().sum());
    for exporter in &stats.exporters {
        counts.extend([exporter.accepted, exporter.exported, exporter.dropped.values().sum()]);
    }
    counts
}

/// Waits for something that must come.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
