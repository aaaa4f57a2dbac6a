//! Engines that come and go: ten thousand of them leave nothing behind. Alone in its process, whose memory and threads
//! it looks at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use polyspan::frame::EventKind;
use polyspan::frame::write::{self, Head};
use polyspan::hosted::write_value;
use polyspan::value::Value;
use polyspan::{SpanId, TraceId};
use polyspan_uniffi::{NativeMemory, NativeOptions, engine_names, init_engine};

/// A frame with one finished span; events of engine 0 are the engine's that takes the frame in.
fn span() -> Vec<u8> {
    let mut event = Vec::new();
    write::begin_span(&mut event);
    write::name(&mut event, "one");
    let (trace_id, span_id) = (TraceId::from_bytes([7; 16]), SpanId::from_bytes([9; 8]));
    let head = Head { trace_id, span_id, start_unix_nanos: 1, end_unix_nanos: 2, ..Head::default() };
    write::finish_span(&mut event, EventKind::SpanEnded, 0, &head);
    event
}

fn one(n: usize) {
    let options = NativeOptions::new("swift".to_owned());
    let entries = [("service", "many".into()), ("name", Value::from(format!("engine {n}")))];
    let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
    options.data(&write_value(&Value::Map(entries))).unwrap();
    options.memory(NativeMemory::new(1), "spans".to_owned());
    let engine = init_engine(options, false).unwrap();
    engine.terms().unwrap();
    engine.draw_roots(16);
    assert_eq!(engine.submit(&span(), 1, &[]) & 7, 0);
    engine.shutdown(30.0).unwrap();
}

/// Of this process: `VmRSS` in KiB, or `Threads`.
#[cfg(target_os = "linux")]
fn told(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().split(' ').next().unwrap().parse().unwrap()
}

/// Rounds, and engines in each.
#[cfg(target_os = "linux")]
const ROUNDS: usize = 3;
#[cfg(target_os = "linux")]
const ROUND: usize = 3_000;

#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_engines_leave_nothing() {
    (0..1_000).for_each(one);
    let threads = told("Threads");
    // What engines left behind would be there after each round; what an allocator takes for itself comes at times.
    let grown: Vec<usize> = (0..ROUNDS)
        .map(|round| {
            let before = told("VmRSS");
            (1_000 + round * ROUND..1_000 + (round + 1) * ROUND).for_each(one);
            told("VmRSS").saturating_sub(before)
        })
        .collect();
    assert!(engine_names().is_empty());
    // One for each engine would be thousands.
    assert!(told("Threads") <= threads + 4, "{} threads, {threads} before", told("Threads"));
    // One KiB an engine would be twice as much in every round.
    assert!(grown.iter().any(|grown| *grown < ROUND / 2), "grew by {grown:?} KiB");
}
