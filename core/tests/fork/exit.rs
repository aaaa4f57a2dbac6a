//! The end of a process: what is queued goes out, and no receiver can hold the process up for long.

use std::net::TcpListener;
use std::time::Duration;

use polyspan_test_receiver::{Script, Step};

use super::process::*;

#[test]
fn what_is_queued_goes_out_at_the_end() {
    let ended = run("exit::what_is_queued_goes_out_at_the_end", [Script::default()], |to| {
        started(&to[0]);
        report("spans", record(1_000));
        let thread = std::thread::spawn(|| record(10));
        report("spans", thread.join().unwrap());
    });
    ended.has_each_once(&["spans"]);
}

#[test]
fn an_open_span_is_no_reason_to_wait() {
    let ended = run("exit::an_open_span_is_no_reason_to_wait", [Script::default()], |to| {
        started(&to[0]);
        let open = polyspan::span("open").start();
        report("spans", record(1));
        std::mem::forget(open);
    });
    ended.has_each_once(&["spans"]);
}

#[test]
fn the_end_comes_within_the_bound_whatever_the_receiver_does() {
    let bound = Duration::from_millis(700);
    for step in [Step::Hang, Step::status(503), Step::Delay(600_000)] {
        let name = "exit::the_end_comes_within_the_bound_whatever_the_receiver_does";
        let ended = run(name, [Script::always(step)], |to| {
            polyspan::init(options(&to[0]).exit_timeout(bound)).unwrap();
            record(100);
        });
        // One that waited for the receiver would have been ended as hanging.
        assert!(ended.status.success());
    }
}

#[test]
fn a_dead_destination_takes_no_time_from_the_others() {
    let name = "exit::a_dead_destination_takes_no_time_from_the_others";
    let ended = run(name, [Script::default(), Script::always(Step::Hang)], |to| {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // The dead ones come first, each in an engine of its own.
        for (number, endpoint) in [to[1].clone(), format!("http://{nobody}/")].iter().enumerate() {
            let engine = polyspan::init(options(endpoint).name(format!("dead {number}"))).unwrap();
            engine.span("lost").start().end();
        }
        let live = polyspan::init(options(&to[0]).name("live")).unwrap();
        let span = live.span("span").start();
        report("live", [id(&span)]);
        drop(span);
    });
    ended.has_each_once(&["live"]);
}

#[test]
fn a_child_flushes_at_its_end() {
    let ended = run("exit::a_child_flushes_at_its_end", [Script::default()], |to| {
        started(&to[0]);
        let children: Vec<_> = (0..4).map(|_| fork(|| report("children", record(50)))).collect();
        children.into_iter().for_each(wait);
    });
    ended.has_each_once(&["children"]);
    assert_eq!(ended.reported("children").len(), 200);
}
