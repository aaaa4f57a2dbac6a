//! What a dead collector and a thread that records as fast as it can may cost the process: the byte budget that
//! was configured, and a little.
//!
//! Alone in its program, because it looks at the memory of the whole process.
#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod noise;

use std::net::TcpListener;
use std::time::Duration;

use polyspan::config::{ExporterOptions, OtlpOptions};
use polyspan::{DropReason, Engine, Options, SpanContext, Stats};

const BUDGET: usize = 16 * 1024 * 1024;
/// Beside the budget: stacks and buffers of the export thread, what connections and the allocator keep, and the
/// reactor. Open spans have a bound of their own; here there are two at a time.
const OVERHEAD: usize = 4 * 1024 * 1024;

const SPANS: usize = 300_000;
const TEXT: usize = 1_000;
const LOOK_EVERY: usize = 500;
const _: () = assert!(SPANS * TEXT > 10 * BUDGET, "what is recorded would not fit by far");

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc/self/status")]
fn a_dead_collector_costs_the_budget_and_no_more() {
    // Bound and never accepted from: connections are made by the system, requests are never read.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", hanging.local_addr().unwrap());
    let otlp = OtlpOptions::new().endpoint(endpoint).timeout(Duration::from_secs(600)).ignore_environment();
    let options = Options::new("service").memory_budget(BUDGET).exporter(ExporterOptions::OtlpHttp(otlp));
    let engine = polyspan::init(options).unwrap();

    let noise = noise::noise();
    let texts = |number: usize| {
        let from = number * TEXT % (noise.len() - TEXT);
        &noise[from..from + TEXT]
    };
    let root = engine.span("root").start();
    let sampled = root.context().clone();
    // The export thread, its connection and the buffers of this thread are there from now on.
    record(&engine, &sampled, texts(0));
    assert!(engine.flush(Duration::from_millis(50)).is_err(), "nobody answers");

    let before = resident();
    let mut peak = before;
    let mut held = 0;
    for number in 0..SPANS {
        // Roots are shed under pressure; children of a trace that was begun before it are not.
        if number % 4 == 0 {
            engine.span("root").start().set("text", texts(number));
        } else {
            record(&engine, &sampled, texts(number));
        }
        if number % LOOK_EVERY == 0 {
            peak = peak.max(resident());
            let stats = engine.stats();
            assert!(stats.adds_up(), "{stats:?}");
            held = held.max(stats.pending + stats.exporters[0].pending);
        }
    }
    peak = peak.max(resident());
    let grown = peak - before;
    println!("resident memory grew by {} KiB; {held} spans were held at most", grown / 1024);
    assert!(held as usize * TEXT > BUDGET / 8, "the budget was put to use: {held}");
    assert!(grown <= BUDGET + OVERHEAD, "{grown} bytes");

    drop(root);
    // Nothing can be delivered, and the deadline is kept; it leaves even a slow machine time to look at what waits.
    assert!(engine.shutdown(Duration::from_secs(5)).is_err());
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.ended, stats.pending, stats.exported()), (SPANS as u64 + 2, 0, 0));
    assert_eq!(stats.exporters[0].pending, 0);
    assert_eq!(dropped(&stats) + stats.unsampled, stats.ended);
    assert!(stats.shed > 0 && stats.shed == stats.unsampled, "{stats:?}");
    let lost = [DropReason::BufferFull, DropReason::QueueFull]
        .map(|reason| stats.all_dropped().get(&reason).copied());
    let lost: u64 = lost.into_iter().flatten().sum();
    assert!(lost > SPANS as u64 / 4, "{stats:?}");
}

fn record(engine: &Engine, parent: &SpanContext, text: &str) {
    engine.span("child").parent(parent).start().set("text", text);
}

fn dropped(stats: &Stats) -> u64 {
    stats.all_dropped().values().sum()
}

/// The resident memory of this process in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}
