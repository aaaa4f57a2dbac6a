//! Exporters that the host runs.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;

use polyspan::export::Outcome;
use polyspan::host::{HostPort, HostTask};
use polyspan::{DropReason, ErrorCode};

use crate::harness::{LONG, SOON, collecting, exporter, hanging, port, record, started};

#[test]
fn the_host_delivers_flushes_and_stops() {
    let (port, calls) = port();
    let (work, look) = collecting();
    let engine = started([exporter(&port, "mine", work)]);
    record(&engine, 100);
    engine.flush(LONG).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!((stats.exporters[0].name.as_str(), stats.exporters[0].exported), ("mine", 100));
    engine.shutdown(LONG).unwrap();
    port.close(LONG);
    assert_eq!(port.workers(), 0);
    assert_eq!(calls.load(Ordering::SeqCst), 1, "one worker does it all");
    let seen: Vec<_> = look.try_iter().collect();
    assert_eq!(seen.iter().map(|(_, names)| names.len()).sum::<usize>(), 100);
    assert!(seen.iter().flat_map(|(_, names)| names).all(|name| name == "work"));
    let others: Vec<_> =
        seen.iter().map(|(task, _)| *task).filter(|task| *task != HostTask::Export).collect();
    assert_eq!(others, [HostTask::Flush, HostTask::Flush, HostTask::Shutdown]);
}

#[test]
fn a_record_says_what_was_recorded() {
    let (port, _) = port();
    let (seen, look) = channel();
    let seen = Mutex::new(seen);
    let engine = started([exporter(&port, "mine", move |job| {
        let records: Vec<_> = job.batch().records().map(|record| record.to_data().unwrap()).collect();
        let _ = seen.lock().unwrap().send(records);
        job.done();
    })]);
    let mut span = engine.span("answer").root().start();
    span.input("question").output("reply").metadata("tier", "gold").tag("beta").event("thought");
    let id = span.context().span_id;
    span.end();
    engine.flush(LONG).unwrap();
    let record = look.recv().unwrap().remove(0);
    assert_eq!((record.context.span_id, record.name.as_str()), (id, "answer"));
    assert_eq!((record.input, record.output), (Some("question".into()), Some("reply".into())));
    assert_eq!(record.metadata, [("tier".to_owned(), "gold".into())]);
    assert_eq!((record.tags, record.events[0].name.as_str()), (vec!["beta".to_owned()], "thought"));
    assert!(record.resource.attributes.iter().any(|(key, _)| key == "service.name"));
    assert_eq!(record.scope.name, "polyspan");
    assert_eq!(engine.stats().exporters[0].exported, 1, "done means delivered");
    engine.shutdown(LONG).unwrap();
}

#[test]
fn a_batch_that_the_host_gives_up_is_counted() {
    let (port, _) = port();
    let engine = started([exporter(&port, "mine", drop)]);
    record(&engine, 10);
    engine.flush(LONG).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.exporters[0].dropped, BTreeMap::from([(DropReason::HostFailed, 10)]));
    engine.shutdown(LONG).unwrap();
}

#[test]
fn spans_that_the_host_does_not_account_for_are_counted() {
    let (port, _) = port();
    let engine = started([exporter(&port, "mine", |job| {
        job.delivered(Outcome::exported(1));
    })]);
    record(&engine, 1);
    engine.flush(LONG).unwrap();
    let mut trace = engine.span("root").root().start();
    engine.span("child").child_of(&trace).start().end();
    trace.set("key", 1);
    trace.end();
    engine.flush(LONG).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    let dropped = &stats.exporters[0].dropped;
    assert!(dropped.keys().all(|reason| *reason == DropReason::Internal), "{dropped:?}");
    assert_eq!(stats.exporters[0].exported + dropped.values().sum::<u64>(), 3);
    engine.shutdown(LONG).unwrap();
}

#[test]
fn one_that_hangs_holds_up_no_other_and_no_deadline() {
    let (port, calls) = port();
    let (hang, reached, release) = hanging();
    let (work, look) = collecting();
    let engine = started([exporter(&port, "hanging", hang), exporter(&port, "healthy", work)]);
    record(&engine, 1);
    reached.recv().unwrap();
    record(&engine, 99);
    // The healthy one gets a worker of its own.
    let mut delivered = 0;
    while delivered < 100 {
        delivered += look.recv().unwrap().1.len();
    }
    assert!(calls.load(Ordering::SeqCst) >= 2);
    let error = engine.flush(SOON).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    let error = engine.shutdown(SOON).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    let (hung, healthy) = (&stats.exporters[0], &stats.exporters[1]);
    assert_eq!((healthy.exported, healthy.dropped.len()), (100, 0));
    assert_eq!((hung.exported, hung.pending), (0, 0));
    assert_eq!(hung.dropped.values().sum::<u64>(), 100);
    assert!(hung.dropped[&DropReason::Unknown] >= 1, "{hung:?}");
    // It comes back too late for anybody, and finds another worker in its place.
    drop(release);
    port.close(LONG);
    assert_eq!(port.workers(), 0);
}

#[test]
fn a_port_that_is_closed_takes_nothing_more() {
    let (port, _) = port();
    let (work, look) = collecting();
    let engine = started([exporter(&port, "mine", work)]);
    record(&engine, 1);
    engine.flush(LONG).unwrap();
    port.close(LONG);
    record(&engine, 1);
    engine.flush(LONG).unwrap();
    let stats = engine.stats();
    assert_eq!(stats.exporters[0].dropped, BTreeMap::from([(DropReason::HostFailed, 1)]));
    engine.shutdown(LONG).unwrap();
    assert!(port.enter().is_none());
    assert_eq!(look.try_iter().map(|(_, names)| names.len()).sum::<usize>(), 1);
}

#[test]
fn a_host_that_never_comes_costs_nothing_but_the_spans() {
    let (called, was_called) = channel();
    let called = Mutex::new(called);
    let port = HostPort::new(move || called.lock().unwrap().send(()).unwrap());
    let engine = started([exporter(&port, "mine", drop)]);
    record(&engine, 10);
    was_called.recv().unwrap();
    let error = engine.shutdown(SOON).unwrap_err();
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    let stats = engine.stats();
    assert!(stats.adds_up(), "{stats:?}");
    assert_eq!(stats.exporters[0].dropped, BTreeMap::from([(DropReason::Shutdown, 10)]));
}

#[test]
fn a_worker_that_is_one_too_many_is_refused() {
    let (port, _) = port();
    let (work, _look) = collecting();
    let engine = started([exporter(&port, "mine", work)]);
    record(&engine, 1);
    engine.flush(LONG).unwrap();
    // Ends as soon as the first one is idle.
    while port.enter().is_some() {}
    assert_eq!(port.workers(), 1);
    engine.shutdown(LONG).unwrap();
    port.close(LONG);
}
