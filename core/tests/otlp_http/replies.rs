//! What one reply means: success, partial success, refusal, and replies that are none.

use polyspan::DropReason;
use polyspan::export::Outcome;
use polyspan::export::otlp::{Compression, OtlpHttpSink};
use polyspan_test_receiver::{Receiver, Reply, Script, Step};

use super::{assert_arrived, assert_requests, batch, batch_of, options, send, sink};

#[tokio::test]
async fn a_request_looks_as_the_specification_asks() {
    let receiver = Receiver::start(Script::default());
    let mut options = options(receiver.endpoint());
    options.headers = vec![("X-Api-Key".to_owned(), "k".to_owned())];
    let mut sink = OtlpHttpSink::new(options).unwrap();
    assert_eq!(send(&mut sink, batch(3)).await, Outcome::exported(3));
    assert_arrived(&receiver, 3, 1);
    let requests = receiver.log().requests();
    assert_eq!(requests[0].target, "POST /v1/traces");
    assert_eq!(requests[0].header("x-api-key"), Some("k"));
    assert_eq!(requests[0].header("content-encoding"), None);
    assert_eq!(requests[0].header("content-type"), Some("application/x-protobuf"));
    let user_agent = requests[0].header("user-agent").unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(user_agent, format!("polyspan/{version} OTel-OTLP-Exporter-Rust/{version}"));
}

#[tokio::test]
async fn gzip_carries_the_same_spans_in_fewer_bytes() {
    let receiver = Receiver::start(Script::default());
    let mut options = options(receiver.endpoint());
    options.compression = Compression::Gzip;
    let mut sink = OtlpHttpSink::new(options).unwrap();
    for _ in 0..2 {
        assert_eq!(send(&mut sink, batch(100)).await, Outcome::exported(100));
    }
    assert_arrived(&receiver, 100, 2);
    for request in receiver.log().requests() {
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        assert_eq!(request.body_bytes, batch(100).body.len());
        assert!(request.wire_bytes * 4 < request.body_bytes);
    }
}

#[tokio::test]
async fn a_connection_is_kept_alive() {
    let receiver = Receiver::start(Script::steps([Step::Ok, Step::status(503), Step::status(400)]));
    let mut sink = sink(receiver.endpoint());
    for _ in 0..4 {
        send(&mut sink, batch(1)).await;
    }
    let connections: Vec<_> = receiver.log().requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn partial_success_counts_what_was_refused_and_is_never_repeated() {
    let refused = Step::Partial { rejected: 3, message: "attribute too long".to_owned() };
    let receiver = Receiver::start(Script::steps([refused]));
    let outcome = send(&mut sink(receiver.endpoint()), batch(8)).await;
    assert_eq!((outcome.exported, outcome.rejected), (5, 3));
    assert_eq!(outcome.message.as_deref(), Some("attribute too long"));
    assert_requests(&receiver, 1);
}

#[tokio::test]
async fn a_warning_is_passed_on() {
    let warning = Step::Partial { rejected: 0, message: "deprecated".to_owned() };
    let receiver = Receiver::start(Script::steps([warning]));
    let outcome = send(&mut sink(receiver.endpoint()), batch(8)).await;
    assert_eq!(outcome, Outcome { message: Some("deprecated".to_owned()), ..Outcome::exported(8) });
    assert_arrived(&receiver, 8, 1);
}

#[tokio::test]
async fn absurd_counts_of_refused_spans_stay_within_the_batch() {
    for (rejected, counted) in [(i64::MAX, 4), (-1, 0), (5, 4)] {
        let receiver = Receiver::start(Script::steps([Step::Partial { rejected, message: String::new() }]));
        let outcome = send(&mut sink(receiver.endpoint()), batch(4)).await;
        assert_eq!((outcome.exported, outcome.rejected), (4 - counted, counted), "{rejected}");
        assert!(outcome.message.is_some(), "{rejected}");
    }
}

#[tokio::test]
async fn other_statuses_are_final() {
    for status in [400, 401, 403, 404, 405, 408, 409, 422, 500, 501, 505, 507, 511] {
        let reply = Reply { status, message: "because".to_owned(), ..Reply::default() };
        let receiver = Receiver::start(Script::steps([Step::Reply(reply)]));
        let outcome = send(&mut sink(receiver.endpoint()), batch(2)).await;
        assert_eq!((outcome.rejected, outcome.spans()), (2, 2), "{status}");
        let message = outcome.message.unwrap();
        assert!(message.contains(&status.to_string()) && message.contains("because"), "{message}");
        assert_requests(&receiver, 1);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let location = Some("http://elsewhere.invalid/v1/traces?token=s3cret".to_owned());
        let reply = Reply { status, location, ..Reply::default() };
        let receiver = Receiver::start(Script::steps([Step::Reply(reply)]));
        let outcome = send(&mut sink(receiver.endpoint()), batch(2)).await;
        assert_eq!(outcome.rejected, 2, "{status}");
        let message = outcome.message.unwrap();
        assert!(
            message.contains("http://elsewhere.invalid/v1/traces; redirects are not followed"),
            "{message}"
        );
        assert!(!message.contains("s3cret"));
        assert_requests(&receiver, 1);
    }
}

#[tokio::test]
async fn a_batch_refused_as_too_large_is_split_down_to_the_one_bad_span() {
    let receiver = Receiver::start(Script { max_body_bytes: Some(600), ..Script::default() });
    let mut lengths = vec![10; 8];
    lengths[5] = 2000;
    let outcome = send(&mut sink(receiver.endpoint()), batch_of(&lengths)).await;
    assert_eq!((outcome.exported, &outcome.dropped[..]), (7, &[(DropReason::TooLarge, 1)][..]));
    assert!(outcome.message.unwrap().contains("413"));
    let arrivals = receiver.log().arrivals();
    assert_eq!(arrivals.len(), 7);
    assert!(arrivals.values().all(|times| *times == 1) && !arrivals.contains_key("0000000000000006"));
    // 8, 4 + 4, 2 + 2, 1 + 1.
    assert_requests(&receiver, 7);
}

#[tokio::test]
async fn a_body_over_the_own_limit_is_split_before_it_is_sent() {
    let receiver = Receiver::start(Script::default());
    let mut sink = sink(receiver.endpoint()).with_max_request_bytes(600);
    let outcome = send(&mut sink, batch_of(&[10, 2000, 10, 10])).await;
    assert_eq!((outcome.exported, &outcome.dropped[..]), (3, &[(DropReason::TooLarge, 1)][..]));
    assert!(outcome.message.unwrap().contains("limit of 600"));
    assert!(receiver.log().requests().iter().all(|request| request.body_bytes <= 600));
}

#[tokio::test]
async fn a_success_that_is_no_otlp_message_is_success_with_a_warning() {
    let receiver = Receiver::start(Script::steps([Step::Garbage]));
    let outcome = send(&mut sink(receiver.endpoint()), batch(2)).await;
    assert_eq!(outcome.exported, 2);
    assert!(outcome.message.unwrap().contains("login page"));
    assert_requests(&receiver, 1);
}

#[tokio::test]
async fn a_success_whose_body_breaks_off_is_not_sent_again() {
    let receiver = Receiver::start(Script::steps([Step::CutReply]));
    let outcome = send(&mut sink(receiver.endpoint()), batch(2)).await;
    assert_eq!(outcome.exported, 2);
    assert!(outcome.message.unwrap().contains("broke off"));
    assert_arrived(&receiver, 2, 1);
}

#[tokio::test]
async fn a_reply_over_the_limit_is_final_and_leaves_the_outcome_unknown() {
    let receiver = Receiver::start(Script::steps([Step::Huge((4 << 20) + 1)]));
    let mut sink = sink(receiver.endpoint());
    let outcome = send(&mut sink, batch(2)).await;
    assert_eq!((outcome.unknown, outcome.spans()), (2, 2));
    assert!(outcome.message.unwrap().contains("larger than"));
    assert_requests(&receiver, 1);
    assert_eq!(send(&mut sink, batch(1)).await, Outcome::exported(1));
}

#[tokio::test]
async fn a_large_reply_within_the_limit_is_read() {
    let receiver = Receiver::start(Script::steps([Step::Huge(3 << 20)]));
    let outcome = send(&mut sink(receiver.endpoint()), batch(2)).await;
    assert_eq!(outcome.exported, 2);
    assert_eq!(outcome.message.unwrap().len(), 500, "and its message is cut");
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_final_and_leaves_the_outcome_unknown() {
    let receiver = Receiver::start(Script::always(Step::NotHttp));
    let outcome = send(&mut sink(receiver.endpoint()), batch(2)).await;
    assert_eq!((outcome.unknown, outcome.spans()), (2, 2));
    assert!(outcome.message.unwrap().contains("4318"));
    assert_requests(&receiver, 1);
}
