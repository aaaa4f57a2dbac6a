//! `bench-stages`: what redaction and the limits cost apart from the workload, as one line of JSON: megabytes a
//! second of text in which nothing is found, and of text that is full of secrets, on this thread's CPU clock; and
//! what a span with 12.5 KB of nested JSON as its input and as many as its output takes on the export thread, in
//! microseconds, as `benches/run.py` asks.
//!
//! ```text
//! bench-stages [MEGABYTES] [SPANS]
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../subjects/plain.rs"]
mod plain;

use std::hint::black_box;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use polyspan::config::{ExporterOptions, Options};
use polyspan::privacy::{Redaction, Redactor};
use polyspan::{OwnedValue, Value};
use serde_json::json;

/// Texts and values of this size, as inputs and outputs of model calls are.
const SIZE: usize = 12_500;
const ROUNDS: usize = 5;
/// Spans between two flushes: less than the hand-off holds.
const BURST: usize = 50;
const FLUSH: Duration = Duration::from_secs(30);

const CLEAN: &str = "The model answered with a plan in three steps: read the orders of the last month, group them \
    by city, and draw a chart. {\"city\": \"Basel\", \"orders\": 18, \"mean\": 42.5, \"days\": [3, 5, 8]} It then \
    asked for the weather there, found that it had been raining, and said so in two short paragraphs. ";
const DENSE: &str = "{\"user\": \"bob\", \"password\": \"hunter2-x9\", \"accessToken\": \"a1b2c3d4e5\", \"n\": 12} \
    Authorization: Bearer abc123def456\n GET https://h/p?api_key=k1k2k3k4&page=2 postgres://bob:hunter2@db/app \
    tokens_used=512 author=jane sk-proj-0123456789abcdefABCD paid 4111 1111 1111 1111 {\\\"secret\\\":\\\"x1\\\"} ";

fn clock(id: ClockId) -> f64 {
    Duration::from(clock_gettime(id).unwrap()).as_secs_f64()
}

/// The CPU time that every thread but this one has taken.
fn others() -> f64 {
    clock(ClockId::CLOCK_PROCESS_CPUTIME_ID) - clock(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// Megabytes a second.
fn throughput(redactor: &Redactor, piece: &str, megabytes: usize) -> f64 {
    let text: String = piece.chars().cycle().take(SIZE).collect();
    let turns = (megabytes * 1_000_000 / text.len() / ROUNDS).max(1);
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = clock(ClockId::CLOCK_THREAD_CPUTIME_ID);
        for _ in 0..turns {
            black_box(redactor.text(black_box(&text)));
        }
        best = best.min(clock(ClockId::CLOCK_THREAD_CPUTIME_ID) - start);
    }
    (turns * text.len()) as f64 / best / 1e6
}

/// A conversation as models take it, of [`SIZE`] bytes as JSON: no array or map of it is beyond the limits.
fn conversation() -> serde_json::Value {
    let mut turns = Vec::new();
    let mut whole = json!(null);
    while whole.to_string().len() < SIZE {
        let number = turns.len();
        turns.push(json!({
            "role": if number % 2 == 0 { "user" } else { "assistant" },
            "content": [{"type": "text", "text": CLEAN[..80 + number % 40].replace('{', "(")}],
            "usage": {"input_tokens": 17 * number, "output_tokens": 31, "cached": number % 3 == 0},
            "score": 0.25 * number as f64,
            "stop": null,
        }));
        whole = json!({"model": "small-1", "messages": turns.chunks(25).collect::<Vec<_>>()});
    }
    whole
}

fn value(json: &serde_json::Value) -> OwnedValue {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or(Value::F64(number.as_f64().unwrap()), Value::I64)
        }
        serde_json::Value::String(text) => Value::Str(text.clone().into()),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(value).collect()),
        serde_json::Value::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone().into(), value(item))).collect())
        }
    }
}

/// Microseconds of the export thread for a span with these values.
fn export(options: Options, value: &OwnedValue, spans: usize) -> f64 {
    let engine = polyspan::init(options.exporter(ExporterOptions::None)).unwrap();
    let record = |count: usize| {
        for _ in 0..count {
            let mut span = engine.span("answer").start();
            span.input(value.clone());
            span.output(value.clone());
        }
        engine.flush(FLUSH).unwrap();
    };
    record(BURST);
    let mut rounds = [0.0; ROUNDS];
    for round in &mut rounds {
        let start = others();
        for _ in 0..spans.div_ceil(BURST) {
            record(BURST);
        }
        *round = (others() - start) / spans.next_multiple_of(BURST) as f64;
    }
    rounds.sort_by(f64::total_cmp);
    let stats = engine.stats();
    assert_eq!(
        (stats.ended, stats.limited, stats.redacted),
        (stats.accepted, 0, 0),
        "nothing was to be changed"
    );
    engine.shutdown(FLUSH).unwrap();
    rounds[ROUNDS / 2] * 1e6
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().expect("a number"));
    let megabytes = numbers.next().unwrap_or(64);
    let spans = numbers.next().unwrap_or(2000);
    let redactor = Redactor::new(&Redaction::new()).unwrap();
    let conversation = value(&conversation());
    let off = export(plain::plain(Options::new("bench")), &conversation, spans);
    let on = export(Options::new("bench"), &conversation, spans);
    println!(
        "{}",
        json!({
            "clean_mb_per_second": throughput(&redactor, CLEAN, megabytes),
            "dense_mb_per_second": throughput(&redactor, DENSE, megabytes),
            "json_off_us": off,
            "json_on_us": on,
        })
    );
}
