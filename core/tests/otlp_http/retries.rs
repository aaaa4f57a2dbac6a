//! What is repeated, how often, after which wait, and when it is given up.

use std::sync::mpsc;
use std::time::Duration;

use polyspan::DropReason;
use polyspan::export::otlp::OtlpHttpSink;
use polyspan::export::{Outcome, SendContext, Sink};
use polyspan_test_receiver::{Receiver, RetryAfter, Script, Step};
use tokio::net::TcpSocket;

use super::{assert_arrived, assert_requests, batch, batch_of, options, send, sink};

#[tokio::test]
async fn four_statuses_are_repeated() {
    for status in [429, 502, 503, 504] {
        let receiver = Receiver::start(Script::steps([Step::status(status), Step::status(status)]));
        assert_eq!(send(&mut sink(receiver.endpoint()), batch(3)).await, Outcome::exported(3));
        assert_arrived(&receiver, 3, 1);
        assert_requests(&receiver, 3);
    }
}

#[tokio::test]
async fn every_failure_that_will_be_repeated_is_reported() {
    let receiver = Receiver::start(Script::steps([Step::status(503), Step::ResetMidway]));
    let (notices, noticed) = mpsc::channel();
    let context = SendContext::unbounded(1).on_retry(move |notice| notices.send(notice.to_owned()).unwrap());
    let outcome = sink(receiver.endpoint()).send(batch(1), &context).await;
    assert_eq!(outcome, Outcome::exported(1));
    drop(context);
    let noticed: Vec<_> = noticed.iter().collect();
    assert_eq!(noticed.len(), 2);
    assert!(noticed[0].contains("503") && noticed.iter().all(|notice| notice.contains("/v1/traces")));
}

#[tokio::test]
async fn retry_after_in_seconds_is_kept() {
    let receiver = Receiver::start(Script::steps([Step::retry_after(429, RetryAfter::Seconds(1))]));
    assert_eq!(send(&mut sink(receiver.endpoint()), batch(1)).await, Outcome::exported(1));
    let requests = receiver.log().requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
}

#[tokio::test]
async fn retry_after_as_a_date_is_kept() {
    // Dates have whole seconds, so that two seconds ahead may be little more than one.
    let receiver = Receiver::start(Script::steps([Step::retry_after(503, RetryAfter::DateIn(2))]));
    assert_eq!(send(&mut sink(receiver.endpoint()), batch(1)).await, Outcome::exported(1));
    let requests = receiver.log().requests();
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_retry_after_that_cannot_be_read_leaves_the_backoff() {
    let odd = ["soon", "-5", "", "Wed, 99 Oct 2026 07:28:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"];
    let steps = odd.map(|text| Step::retry_after(503, RetryAfter::Text(text.to_owned())));
    let receiver = Receiver::start(Script::steps(steps));
    assert_eq!(send(&mut sink(receiver.endpoint()), batch(1)).await, Outcome::exported(1));
    assert_requests(&receiver, odd.len() + 1);
}

#[tokio::test]
async fn a_retry_after_beyond_the_bound_is_given_up_at_once() {
    let forever = Step::retry_after(429, RetryAfter::Text("99999999999999999999".to_owned()));
    let receiver = Receiver::start(Script::always(forever));
    let outcome = send(&mut sink(receiver.endpoint()), batch(4)).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 4)]);
    assert_requests(&receiver, 1);
}

#[tokio::test]
async fn waits_grow() {
    let receiver = Receiver::start(Script::steps(vec![Step::status(503); 3]));
    let mut options = options(receiver.endpoint());
    options.retry.initial = Duration::from_millis(20);
    options.retry.factor = 4.0;
    options.retry.max = Duration::from_secs(60);
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(1)).await;
    assert_eq!(outcome, Outcome::exported(1));
    let at: Vec<_> = receiver.log().requests().iter().map(|request| request.at).collect();
    // At least half of 20, 80 and 320 ms: jitter takes no more.
    for (waited, least) in at.windows(2).map(|pair| pair[1] - pair[0]).zip([10, 40, 160]) {
        assert!(waited >= Duration::from_millis(least), "{waited:?} is less than {least} ms");
    }
}

#[tokio::test]
async fn a_reset_request_is_repeated_and_arrives_once() {
    let receiver = Receiver::start(Script::steps([Step::ResetMidway, Step::Ok, Step::ResetMidway]));
    let mut sink = sink(receiver.endpoint());
    // The first is a fresh connection, the second one is reset while it is kept alive.
    assert_eq!(send(&mut sink, batch_of(&[100_000, 10])).await, Outcome::exported(2));
    assert_eq!(send(&mut sink, batch_of(&[100_000, 10])).await, Outcome::exported(2));
    assert_arrived(&receiver, 2, 2);
}

#[tokio::test]
async fn a_request_without_an_answer_is_repeated_and_arrives_at_least_once() {
    let receiver = Receiver::start(Script::steps([Step::Swallow]));
    assert_eq!(send(&mut sink(receiver.endpoint()), batch(3)).await, Outcome::exported(3));
    assert_arrived(&receiver, 3, 2);
}

#[tokio::test]
async fn a_receiver_that_hangs_is_timed_out_and_asked_again() {
    let receiver = Receiver::start(Script::steps([Step::Hang]));
    let mut options = options(receiver.endpoint());
    options.timeout = Duration::from_millis(200);
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(3)).await;
    assert_eq!(outcome, Outcome::exported(3));
    assert_arrived(&receiver, 3, 1);
    assert_requests(&receiver, 2);
}

#[tokio::test]
async fn a_slow_reader_gets_its_time() {
    let receiver = Receiver::start(Script::steps([Step::SlowRead { bytes: 8192, millis: 1 }]));
    let outcome = send(&mut sink(receiver.endpoint()), batch_of(&[500_000, 10])).await;
    assert_eq!(outcome, Outcome::exported(2));
    assert_arrived(&receiver, 2, 1);
}

#[tokio::test]
async fn timeouts_given_up_leave_the_outcome_unknown() {
    let receiver = Receiver::start(Script::always(Step::Hang));
    let mut options = options(receiver.endpoint());
    options.timeout = Duration::from_millis(50);
    options.retry.max_elapsed = Duration::from_millis(200);
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(3)).await;
    assert_eq!((outcome.unknown, outcome.spans()), (3, 3));
    assert!(receiver.log().requests().len() >= 2);
}

#[tokio::test]
async fn refusals_given_up_are_certainly_lost() {
    let receiver = Receiver::start(Script::always(Step::status(503)));
    let mut options = options(receiver.endpoint());
    options.retry.max_elapsed = Duration::from_millis(50);
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(3)).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 3)]);
    assert!(outcome.message.unwrap().contains("503"));
}

#[tokio::test]
async fn one_unclear_attempt_makes_the_outcome_unknown() {
    for unclear in [Step::Swallow, Step::status(502), Step::status(504)] {
        let receiver = Receiver::start(Script { then: Step::status(503), ..Script::steps([unclear]) });
        let mut options = options(receiver.endpoint());
        options.retry.max_elapsed = Duration::from_millis(100);
        let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(3)).await;
        assert_eq!((outcome.unknown, outcome.spans()), (3, 3));
    }
}

#[tokio::test]
async fn repetition_can_be_switched_off() {
    let receiver = Receiver::start(Script::always(Step::status(503)));
    let mut options = options(receiver.endpoint());
    options.retry.max_elapsed = Duration::ZERO;
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(3)).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 3)]);
    assert_requests(&receiver, 1);
}

#[tokio::test]
async fn nobody_listening_is_certainly_lost() {
    let (_closed, port) = closed_port();
    let mut options = options(format!("http://127.0.0.1:{port}/v1/traces"));
    options.retry.max_elapsed = Duration::from_millis(50);
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(3)).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 3)]);
    assert!(outcome.message.unwrap().contains("refused"));
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_certainly_lost() {
    let mut options = options("http://receiver.invalid:4318/v1/traces".to_owned());
    options.timeout = Duration::from_secs(2);
    options.retry.max_elapsed = Duration::ZERO;
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch(3)).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 3)]);
    assert!(outcome.message.unwrap().contains("receiver.invalid"));
}

#[tokio::test]
async fn a_receiver_that_starts_late_gets_everything() {
    let (_closed, port) = closed_port();
    let (started, mut retried) = tokio::sync::mpsc::unbounded_channel();
    let context = SendContext::unbounded(1).on_retry(move |_| {
        let _ = started.send(());
    });
    let mut sink = sink(format!("http://localhost:{port}/v1/traces"));
    let starting = async {
        retried.recv().await.unwrap();
        Receiver::start(Script { port, ..Script::default() })
    };
    let (outcome, receiver) = tokio::join!(sink.send(batch(3), &context), starting);
    assert_eq!(outcome, Outcome::exported(3));
    assert_arrived(&receiver, 3, 1);
}

#[tokio::test]
async fn a_restarted_receiver_gets_what_follows() {
    let first = Receiver::start(Script::default());
    let (port, mut sink) = (first.port(), sink(first.endpoint()));
    assert_eq!(send(&mut sink, batch(2)).await, Outcome::exported(2));
    drop(first);
    let second = Receiver::start(Script { port, ..Script::default() });
    assert_eq!(send(&mut sink, batch(2)).await, Outcome::exported(2));
    assert_arrived(&second, 2, 1);
}

#[tokio::test]
async fn parts_after_one_that_was_given_up_are_given_up_with_it() {
    // The whole is refused by its size, the first half in vain repeated, the second half never sent.
    let script = Script { max_body_bytes: Some(600), ..Script::always(Step::status(503)) };
    let receiver = Receiver::start(script);
    let mut options = options(receiver.endpoint());
    options.retry.max_elapsed = Duration::from_millis(50);
    let outcome = send(&mut OtlpHttpSink::new(options).unwrap(), batch_of(&[200; 4])).await;
    assert_eq!(outcome.dropped, [(DropReason::RetryExhausted, 4)]);
    let requests = receiver.log().requests();
    assert!(requests.iter().skip(1).all(|request| request.spans().len() == 2));
    assert!(requests.iter().skip(1).all(|request| request.spans()[0].span_id.ends_with(&[1])));
}

/// A port where nobody listens, and the socket that keeps others from being given it. A receiver that
/// asks for this very port gets it.
fn closed_port() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}
