//! Samplers and selectors of the application that start spans themselves: they are not asked about those, and end.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::sampling::{CustomSampler, Decision, HeadSampler, Sampler, SamplingInput, SamplingResult};
use polyspan::{Engine, Options, TraceState, registry};

const LONG: Duration = Duration::from_secs(30);

/// Asks a service, by a client that records what it does.
#[derive(Debug, Default)]
struct Asking(AtomicU64);

/// A request as an instrumented client makes it: a span, and another one in it.
fn request(engine: &Engine) {
    let outer = engine.span("request").root().start();
    assert!(!outer.is_recording());
    let inner = engine.span("connect").child_of(&outer).start();
    assert!(!inner.is_recording());
}

fn running(name: &str) -> Engine {
    registry::engine(name).unwrap()
}

impl Sampler for Asking {
    fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        self.0.fetch_add(1, Ordering::Relaxed);
        request(&running(input.name));
        SamplingResult::new(Decision::RecordAndSample, TraceState::EMPTY)
    }

    fn description(&self) -> String {
        "Asking".to_owned()
    }
}

fn started(name: &str, sampler: HeadSampler) -> (Engine, MemoryStore) {
    let store = MemoryStore::new();
    let options = Options::new("service").name(name).exporter(ExporterOptions::Memory(store.clone()));
    (polyspan::init(options.sampler(sampler)).unwrap(), store)
}

#[test]
fn a_sampler_is_not_asked_about_its_own_spans() {
    for (name, every_span) in [("roots", false), ("every span", true)] {
        let asking = Arc::new(Asking::default());
        let sampler = if every_span {
            CustomSampler::for_every_span(Arc::clone(&asking) as Arc<dyn Sampler>)
        } else {
            CustomSampler::for_roots(Arc::clone(&asking) as Arc<dyn Sampler>)
        };
        let (engine, store) = started(name, HeadSampler::Custom(sampler));
        for _ in 0..3 {
            let span = engine.span(name).root().start();
            assert!(span.is_recording(), "the answer of the sampler counts");
        }
        assert_eq!(asking.0.load(Ordering::Relaxed), 3);
        engine.flush(LONG).unwrap();
        let stats = engine.stats();
        assert!(stats.adds_up() && stats.ended == 9 && stats.unsampled == 6, "{stats:?}");
        assert_eq!(store.take().len(), 3);
    }
}

#[test]
fn a_child_of_a_span_that_records_is_not_asked_about_either() {
    /// Its client's span is a child of the span that is current.
    #[derive(Debug)]
    struct InTrace;

    impl Sampler for InTrace {
        fn sample(&self, _: &SamplingInput<'_>) -> SamplingResult {
            drop(running("in trace").span("request").start());
            SamplingResult::new(Decision::RecordAndSample, TraceState::EMPTY)
        }

        fn description(&self) -> String {
            "InTrace".to_owned()
        }
    }

    let sampler = HeadSampler::Custom(CustomSampler::for_every_span(Arc::new(InTrace)));
    let (engine, store) = started("in trace", sampler);
    let root = engine.span("root").start();
    {
        let _inside = root.enter();
        assert!(engine.span("child").start().is_recording());
    }
    drop(root);
    engine.flush(LONG).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up() && stats.ended == 4 && stats.unsampled == 2, "{stats:?}");
    assert_eq!(store.take().len(), 2);
}

#[test]
fn a_selector_is_not_asked_about_its_own_spans() {
    let (chosen, store) = started("selected", HeadSampler::AlwaysOn);
    registry::set_default("selected").unwrap();
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    registry::set_selector(Some(Arc::new(move |root| {
        counted.fetch_add(1, Ordering::Relaxed);
        let inner = polyspan::span("asked by the selector").root().start();
        assert!(!inner.is_recording());
        Some(root.name.to_owned())
    })));
    for _ in 0..3 {
        assert!(polyspan::span("selected").root().start().is_recording());
    }
    registry::set_selector(None);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    chosen.flush(LONG).unwrap();
    let stats = chosen.stats();
    assert!(stats.adds_up() && stats.ended == 6 && stats.unsampled == 3, "{stats:?}");
    assert_eq!(store.take().len(), 3);
}
