//! The engine at work for minutes, by which its memory must not have grown and its counts must add up.
//!
//! `cargo xtask soak` starts it: `soak MINUTES ENDPOINT`. One exporter sends to a receiver that is well, the
//! other to one that takes connections and never answers; threads come and go; some spans fail, some are
//! never ended. Prints a line a minute. Reads its memory from /proc, so it runs on Linux.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use polyspan::config::{ExporterOptions, OtlpOptions};
use polyspan::{Engine, Options, SpanType, Stats, StatusCode};

/// Threads that record at the same time, each for so many traces before a new one takes its place.
const THREADS: usize = 3;
const TRACES_A_THREAD: usize = 500;
/// A trace and its pause make about 4,000 spans a second in each thread.
const PAUSE: Duration = Duration::from_millis(1);
/// What the resident memory may differ between the first and the last third.
const SLACK_KIB: u64 = 4 * 1024;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(minutes), Some(endpoint)) =
        (arguments.next().and_then(|text| text.parse().ok()), arguments.next())
    else {
        eprintln!("usage: soak MINUTES ENDPOINT");
        return ExitCode::FAILURE;
    };
    // Bound and never accepted from: connections are made by the system, requests are never read.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let exporters = [endpoint, format!("http://{}", dead.local_addr().unwrap())]
        .map(|url| ExporterOptions::OtlpHttp(OtlpOptions::new().endpoint(url).ignore_environment()));
    let engine = polyspan::init(exporters.into_iter().fold(Options::new("soak"), Options::exporter)).unwrap();

    let length = Duration::from_secs_f64(60.0 * f64::max(minutes, 0.05));
    let over = AtomicBool::new(false);
    let memory = thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let one = thread::spawn({
                        let engine = engine.clone();
                        move || (0..TRACES_A_THREAD).for_each(|number| trace(&engine, number))
                    });
                    one.join().unwrap();
                }
            });
        }
        let memory = watch(&engine, length);
        over.store(true, Ordering::Relaxed);
        memory
    });

    let report = engine.shutdown(Duration::from_secs(10));
    let stats = engine.stats();
    println!("{report:?}\n{stats:?}");
    let third = memory.len() / 3;
    let (early, late) = (memory[third..2 * third].iter().max(), memory[2 * third..].iter().max());
    let alive = &stats.exporters[0];
    let checks = [
        (stats.adds_up() && stats.pending == 0, "the counts add up"),
        (
            alive.exported > 0 && alive.exported + sum(&alive.dropped) == alive.accepted,
            "the live receiver has its spans",
        ),
        (sum(&alive.dropped) == 0, "the dead receiver costs the live one nothing"),
        (
            stats.exporters[1].exported == 0 && sum(&stats.exporters[1].dropped) > 0,
            "the dead receiver's losses are counted",
        ),
        (late.zip(early).is_some_and(|(late, early)| *late <= early + SLACK_KIB), "memory is flat"),
    ];
    for (holds, what) in checks {
        println!("{} {what}", if holds { "ok    " } else { "FAILED" });
    }
    if checks.iter().all(|(holds, _)| *holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A small trace of every kind of trouble.
fn trace(engine: &Engine, number: usize) {
    let mut root = engine.span("answer").kind_of(SpanType::Agent).start();
    root.input("why is the sky blue?");
    for call in 0..3 {
        let mut child = engine.span("model call").kind_of(SpanType::ModelGeneration).child_of(&root).start();
        child.set("gen_ai.request.model", "test").set("call", call).set("text", "x".repeat(number % 700));
        child.event("chunk").output("because of Rayleigh scattering");
        if number % 50 == 7 {
            child.status(StatusCode::Error, "no answer");
        }
        if number % 100 != 9 {
            child.end();
        }
    }
    root.end();
    thread::sleep(PAUSE);
}

/// Looks twice a second; the resident memory of each look, in KiB.
fn watch(engine: &Engine, length: Duration) -> Vec<u64> {
    let start = Instant::now();
    let mut memory = Vec::new();
    let mut minute = 0;
    while start.elapsed() < length {
        thread::sleep(Duration::from_millis(500));
        memory.push(resident_kib());
        let stats = engine.stats();
        assert!(stats.adds_up(), "{stats:?}");
        if start.elapsed().as_secs() / 60 > minute {
            minute += 1;
            line(minute, *memory.last().unwrap(), &stats);
        }
    }
    memory
}

fn line(minute: u64, resident: u64, stats: &Stats) {
    let [alive, dead] = &stats.exporters[..] else { return };
    println!(
        "minute {minute}: {} MiB resident, {} ended, {} exported, {} waiting, {} dropped for the dead receiver",
        resident / 1024,
        stats.ended,
        alive.exported,
        dead.pending,
        sum(&dead.dropped)
    );
}

fn sum<K>(drops: &std::collections::BTreeMap<K, u64>) -> u64 {
    drops.values().sum()
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
