//! The console exporter as a program's user sees it: what stands on the standard error stream.
#![cfg(feature = "engine")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::Command;
use std::time::{Duration, Instant};

use polyspan::config::{Colour, ConsoleOptions, ExporterOptions};
use polyspan::{Options, Span, SpanType, Value};

/// Runs one of the programs below in a process of its own and returns what it wrote.
fn written(program: &str) -> String {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).args(["--exact", program, "--ignored", "--nocapture"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn at(millis: u64) -> u64 {
    1_700_000_000_000_000_000 + millis * 1_000_000
}

fn record(engine: &polyspan::Engine) -> Span {
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut run = engine.span("answer").kind_of(SpanType::Agent).trace_id(id).start_time(at(0)).start();
    run.input(Value::from_iter([("question", "Where is my order?")]));
    let mut plan =
        engine.span("plan").kind_of(SpanType::ModelGeneration).child_of(&run).start_time(at(1)).start();
    plan.set("gen_ai.request.model", "m-1").set("gen_ai.usage.input_tokens", 12);
    let mut lookup = engine.span("lookup").kind_of(SpanType::Tool).child_of(&plan).start_time(at(2)).start();
    lookup.record_exception("LookupError", "no order 7", "", false);
    lookup.status(polyspan::StatusCode::Error, "failed");
    lookup.end_at(Some(at(14)));
    plan.end_at(Some(at(813)));
    run.output("It arrives tomorrow.");
    run
}

fn engine(colour: Colour) -> polyspan::Engine {
    let exporter = ExporterOptions::Console(ConsoleOptions { colour });
    polyspan::init(Options::new("shop").exporter(exporter)).unwrap()
}

#[test]
#[ignore = "a program that another test runs"]
fn prints_at_a_flush() {
    let engine = engine(Colour::Auto);
    record(&engine).end_at(Some(at(1240)));
    engine.flush(Duration::from_secs(10)).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up() && stats.exported() == 3, "{stats:?}");
}

fn wait_until(engine: &polyspan::Engine, enough: impl Fn(&polyspan::Stats) -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !enough(&engine.stats()) {
        assert!(Instant::now() < give_up, "{:?}", engine.stats());
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
#[ignore = "a program that another test runs"]
fn prints_by_itself_once_the_root_ended() {
    let engine = engine(Colour::Always);
    let mut run = record(&engine);
    wait_until(&engine, |stats| stats.accepted == 2);
    assert_eq!(engine.stats().exporters[0].pending, 2, "no part of a tree is printed");
    // The second root comes too late for the look that prints the first.
    run.end_at(Some(at(1240)));
    std::thread::sleep(Duration::from_millis(50));
    engine.span("second").start().end();
    wait_until(&engine, |stats| stats.exported() == 4);
    assert!(engine.stats().adds_up());
}

const TREE: &str = "\
trace 4bf92f3577b34da6a3ce929d0e0e4736 · shop · 3 spans · 1.24 s · 1 error
answer [agent] 1.24 s
│  in  {question: \"Where is my order?\"}
│  out It arrives tomorrow.
└─ plan [model_generation] 812 ms  model=m-1 input_tokens=12
   └─ lookup [tool] 12.0 ms ERROR LookupError: no order 7

";

#[test]
fn a_flush_prints_the_tree() {
    assert_eq!(written("prints_at_a_flush"), TREE);
}

#[test]
fn a_finished_trace_is_printed_without_a_flush() {
    let text = written("prints_by_itself_once_the_root_ended");
    assert!(text.contains("\u{1b}[36m[agent]\u{1b}[0m"), "{text}");
    assert_eq!(text.matches("trace ").count(), 2, "{text}");
}
