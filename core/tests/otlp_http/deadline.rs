//! The deadline that a shutdown sets, and futures that are dropped.

use std::future::pending;
use std::time::Duration;

use polyspan::DropReason;
use polyspan::export::otlp::OtlpHttpSink;
use polyspan::export::{Outcome, SendContext, Sink};
use polyspan_test_receiver::{Receiver, RetryAfter, Script, Step};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{assert_requests, batch, batch_of, options, send, sink};

const LONG: Duration = Duration::from_secs(3600);

/// A context whose deadline the test sets, and what tells it of retries.
fn bounded() -> (SendContext, watch::Sender<Option<Instant>>, mpsc::UnboundedReceiver<()>) {
    let (set, deadline) = watch::channel(None);
    let (retrying, retried) = mpsc::unbounded_channel();
    let context = SendContext::new(deadline, 1).on_retry(move |_| {
        let _ = retrying.send(());
    });
    (context, set, retried)
}

async fn arrival(receiver: &Receiver) {
    let log = receiver.log();
    while log.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_hanging_request_ends_at_the_deadline_and_its_outcome_is_unknown() {
    let receiver = Receiver::start(Script::always(Step::Hang));
    let (context, set, _) = bounded();
    let mut sink = sink(receiver.endpoint());
    let shutting_down = async {
        arrival(&receiver).await;
        set.send_replace(Some(Instant::now() + Duration::from_millis(50)));
    };
    let (outcome, ()) = tokio::join!(sink.send(batch(3), &context), shutting_down);
    assert_eq!((outcome.unknown, outcome.spans()), (3, 3));
    assert_requests(&receiver, 1);
}

#[tokio::test]
async fn nothing_is_sent_after_the_deadline() {
    let receiver = Receiver::start(Script::default());
    let (context, set, _) = bounded();
    set.send_replace(Some(Instant::now()));
    let outcome = sink(receiver.endpoint()).send(batch(3), &context).await;
    assert_eq!(outcome.dropped, [(DropReason::Shutdown, 3)]);
    assert_requests(&receiver, 0);
}

#[tokio::test]
async fn a_wait_the_receiver_asked_for_is_not_cut_short() {
    let receiver = Receiver::start(Script::steps([Step::retry_after(429, RetryAfter::Seconds(20))]));
    let (context, set, mut retried) = bounded();
    let mut sink = sink(receiver.endpoint());
    let shutting_down = async {
        retried.recv().await.unwrap();
        set.send_replace(Some(Instant::now() + Duration::from_secs(10)));
    };
    let (outcome, ()) = tokio::join!(sink.send(batch(3), &context), shutting_down);
    assert_eq!(outcome.dropped, [(DropReason::Shutdown, 3)]);
    assert_requests(&receiver, 1);
}

#[tokio::test]
async fn the_own_backoff_yields_to_one_last_attempt() {
    for (last, expected) in [
        (Step::Ok, Outcome::exported(3)),
        (Step::status(503), Outcome { dropped: vec![(DropReason::Shutdown, 3)], ..Outcome::default() }),
    ] {
        let receiver = Receiver::start(Script::steps([Step::status(503), last]));
        let mut options = options(receiver.endpoint());
        (options.retry.initial, options.retry.max, options.retry.max_elapsed) = (LONG, LONG, 2 * LONG);
        let mut sink = OtlpHttpSink::new(options).unwrap();
        let (context, set, mut retried) = bounded();
        let shutting_down = async {
            retried.recv().await.unwrap();
            set.send_replace(Some(Instant::now() + Duration::from_secs(10)));
        };
        let (outcome, ()) = tokio::join!(sink.send(batch(3), &context), shutting_down);
        assert_eq!(Outcome { message: None, ..outcome }, expected);
        assert_requests(&receiver, 2);
    }
}

#[tokio::test]
async fn a_deadline_without_time_for_the_next_attempt_is_not_waited_for() {
    let receiver = Receiver::start(Script::always(Step::status(503)));
    let mut options = options(receiver.endpoint());
    (options.retry.initial, options.retry.max, options.retry.max_elapsed) = (LONG, LONG, 2 * LONG);
    let (context, set, _) = bounded();
    set.send_replace(Some(Instant::now() + Duration::from_secs(600)));
    let outcome = OtlpHttpSink::new(options).unwrap().send(batch(3), &context).await;
    assert_eq!(outcome.dropped, [(DropReason::Shutdown, 3)]);
    assert_requests(&receiver, 1);
}

#[tokio::test]
async fn parts_not_sent_by_the_deadline_are_told_from_those_delivered() {
    let hang = Script { max_body_bytes: Some(600), then: Step::Hang, ..Script::steps([Step::Ok]) };
    let receiver = Receiver::start(hang);
    let (context, set, _) = bounded();
    let mut sink = sink(receiver.endpoint());
    let shutting_down = async {
        while receiver.log().requests().len() < 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        set.send_replace(Some(Instant::now() + Duration::from_millis(20)));
    };
    // 8 spans and their first half are too large; of the quarters one is accepted and one hangs.
    let (outcome, ()) = tokio::join!(sink.send(batch_of(&[200; 8]), &context), shutting_down);
    let expected =
        Outcome { exported: 2, unknown: 2, dropped: vec![(DropReason::Shutdown, 4)], ..Outcome::default() };
    assert_eq!(Outcome { message: None, ..outcome }, expected);
}

#[tokio::test]
async fn a_dropped_future_leaves_the_sink_usable() {
    let receiver = Receiver::start(Script::steps([Step::Hang]));
    let mut sink = sink(receiver.endpoint());
    tokio::select! {
        _ = send(&mut sink, batch(3)) => panic!("a hanging receiver answered"),
        () = arrival(&receiver) => {}
    }
    assert_eq!(send(&mut sink, batch(3)).await, Outcome::exported(3));
    sink.shutdown().await;
    // Connections are gone, so a lane that would go on sending would open new ones.
    assert_eq!(send(&mut sink, batch(3)).await, Outcome::exported(3));
}

#[tokio::test]
async fn a_reply_that_never_ends_is_cut_at_the_deadline_and_its_status_counts() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let (context, set, _) = bounded();
    let trickling = async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 64];
        let _ = stream.read(&mut request).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await.unwrap();
        set.send_replace(Some(Instant::now() + Duration::from_millis(50)));
        pending::<()>().await;
    };
    let mut sink = sink(endpoint);
    let outcome = tokio::select! {
        outcome = sink.send(batch(3), &context) => outcome,
        () = trickling => unreachable!(),
    };
    assert_eq!(outcome.exported, 3);
    assert!(outcome.message.unwrap().contains("cut off at the deadline"));
}
