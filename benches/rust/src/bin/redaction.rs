//! How quickly redaction looks through text: `redaction [MEGABYTES]` prints it for text in which nothing is found
//! and for text that is full of secrets, measured on this thread's CPU clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::hint::black_box;

use nix::time::{ClockId, clock_gettime};
use polyspan::privacy::{Redaction, Redactor};

/// Texts of this size, as inputs and outputs of model calls are.
const TEXT: usize = 12_500;
const ROUNDS: usize = 5;

const CLEAN: &str = "The model answered with a plan in three steps: read the orders of the last month, group them \
    by city, and draw a chart. {\"city\": \"Basel\", \"orders\": 18, \"mean\": 42.5, \"days\": [3, 5, 8]} It then \
    asked for the weather there, found that it had been raining, and said so in two short paragraphs. ";
const DENSE: &str = "{\"user\": \"bob\", \"password\": \"hunter2-x9\", \"accessToken\": \"a1b2c3d4e5\", \"n\": 12} \
    Authorization: Bearer abc123def456\n GET https://h/p?api_key=k1k2k3k4&page=2 postgres://bob:hunter2@db/app \
    tokens_used=512 author=jane sk-proj-0123456789abcdefABCD paid 4111 1111 1111 1111 {\\\"secret\\\":\\\"x1\\\"} ";

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    time.tv_sec() as f64 + time.tv_nsec() as f64 * 1e-9
}

fn main() {
    let megabytes: usize =
        std::env::args().nth(1).map_or(64, |text| text.parse().expect("a number of megabytes"));
    let redactor = Redactor::new(&Redaction::new()).unwrap();
    println!("| text | MB/s |\n|---|---:|");
    for (name, piece) in [("without a secret", CLEAN), ("full of secrets", DENSE)] {
        let text: String = piece.chars().cycle().take(TEXT).collect();
        let turns = megabytes * 1_000_000 / text.len() / ROUNDS;
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let start = cpu_seconds();
            for _ in 0..turns {
                black_box(redactor.text(black_box(&text)));
            }
            best = best.min(cpu_seconds() - start);
        }
        println!("| {name} | {:.0} |", (turns * text.len()) as f64 / best / 1e6);
    }
}
