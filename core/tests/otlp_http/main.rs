//! The OTLP/HTTP exporter against a receiver that misbehaves, over real sockets.
//!
//! Each test states what the receiver does, and then both sides of the account: the outcome the exporter
//! reports, and how often each span arrived.
#![cfg(feature = "otlp-http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod deadline;
mod replies;
mod retries;
mod tls;

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use polyspan::export::otlp::{OtlpBatch, OtlpHttpOptions, OtlpHttpSink, RetryOptions};
use polyspan::export::{Outcome, SendContext, Sink};
use polyspan_test_receiver::Receiver;
use prost::Message;

/// A batch whose spans are numbered from 1 and have names of the given lengths.
fn batch_of(name_lengths: &[usize]) -> OtlpBatch {
    let span = |(index, length): (usize, &usize)| Span {
        trace_id: vec![7; 16],
        span_id: (index as u64 + 1).to_be_bytes().to_vec(),
        name: "n".repeat(*length),
        ..Span::default()
    };
    let spans = name_lengths.iter().enumerate().map(span).collect();
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    OtlpBatch::new(body, name_lengths.len() as u32)
}

fn batch(spans: usize) -> OtlpBatch {
    batch_of(&vec![10; spans])
}

/// Options with waits of milliseconds.
fn options(endpoint: String) -> OtlpHttpOptions {
    let retry = RetryOptions {
        initial: Duration::from_millis(5),
        max: Duration::from_millis(20),
        max_elapsed: Duration::from_secs(30),
        ..RetryOptions::default()
    };
    OtlpHttpOptions { endpoint, retry, ..OtlpHttpOptions::default() }
}

fn sink(endpoint: String) -> OtlpHttpSink {
    OtlpHttpSink::new(options(endpoint)).unwrap()
}

async fn send(sink: &mut OtlpHttpSink, batch: OtlpBatch) -> Outcome {
    let spans = batch.spans;
    let outcome = sink.send(batch, &SendContext::unbounded(1)).await;
    assert_eq!(outcome.spans(), spans, "every span has an outcome: {outcome:?}");
    outcome
}

/// Checks that spans 1 to `spans` arrived `times` times each, and nothing else did.
#[track_caller]
fn assert_arrived(receiver: &Receiver, spans: u64, times: u32) {
    let expected: Vec<_> = (1..=spans).map(|span| (format!("{span:016x}"), times)).collect();
    assert_eq!(receiver.log().arrivals().into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(receiver.log().violations(), Vec::<String>::new());
}

#[track_caller]
fn assert_requests(receiver: &Receiver, requests: usize) {
    assert_eq!(receiver.log().requests().len(), requests);
}
