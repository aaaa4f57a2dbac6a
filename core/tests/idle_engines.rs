//! Engines that are stopped without having recorded anything leave nothing behind, though there is no export thread to
//! clear up after them. Alone in its process, where none was ever started.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::{Arc, Weak};
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::sampling::{CustomSampler, Decision, HeadSampler, Sampler, SamplingInput, SamplingResult};
use polyspan::{Options, TraceState};

/// Lives as long as the engine that it was given to.
#[derive(Debug)]
struct Token;

impl Sampler for Token {
    fn sample(&self, _: &SamplingInput<'_>) -> SamplingResult {
        SamplingResult::new(Decision::Drop, TraceState::EMPTY)
    }

    fn description(&self) -> String {
        "Token".to_owned()
    }
}

fn one(n: usize) -> Weak<Token> {
    let token = Arc::new(Token);
    let left = Arc::downgrade(&token);
    let sampler = HeadSampler::Custom(CustomSampler::for_roots(token));
    let options = Options::new("idle").name(format!("engine {n}")).exporter(ExporterOptions::None);
    let engine = polyspan::init(options.sampler(sampler)).unwrap();
    engine.shutdown(Duration::from_secs(1)).unwrap();
    left
}

#[test]
fn engines_that_recorded_nothing_are_let_go() {
    let tokens: Vec<_> = (0..200).map(one).collect();
    let left = tokens.iter().filter(|token| token.strong_count() > 0).count();
    assert!(left <= 16, "{left} of 200 engines are still there");

    // Those that run are not forgotten with them, even if the export thread starts while others are let go.
    let engine = polyspan::init(Options::new("runs").exporter(ExporterOptions::None)).unwrap();
    std::thread::scope(|threads| {
        for thread in 1..4 {
            threads.spawn(move || (thread * 200..thread * 200 + 50).for_each(|n| drop(one(n))));
        }
        threads.spawn(|| engine.span("span").start().end());
    });
    engine.flush(Duration::from_secs(30)).unwrap();
    let stats = engine.stats();
    assert!(stats.ended == 1 && stats.pending == 0 && stats.adds_up(), "{stats:?}");
    engine.shutdown(Duration::from_secs(30)).unwrap();
}
