//! What arrived: every request, decoded, and how often each span was accepted.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use crate::script::Step;

/// One request.
#[derive(Debug, Clone)]
pub struct Received {
    /// When its body was complete.
    pub at: Instant,
    /// Which connection brought it, counted from 0.
    pub connection: u64,
    /// What was done to it; `None` when its size alone decided.
    pub step: Option<Step>,
    /// The method and the path.
    pub target: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's size on the wire.
    pub wire_bytes: usize,
    /// The body's size uncompressed.
    pub body_bytes: usize,
    /// The body, or why it could not be decoded; empty for one of log records or metrics.
    pub request: Result<ExportTraceServiceRequest, String>,
    /// The body of a request to `/v1/logs`.
    pub logs: Option<ExportLogsServiceRequest>,
    /// The body of a request to `/v1/metrics`.
    pub metrics: Option<ExportMetricsServiceRequest>,
    /// How many of its spans or log records were accepted: all but the first ones.
    pub accepted: usize,
}

impl Received {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All spans in it, in order.
    pub fn spans(&self) -> Vec<&Span> {
        let resources = self.request.iter().flat_map(|request| &request.resource_spans);
        resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans).collect()
    }
}

impl Received {
    /// All metrics in it, in order.
    pub fn metrics(&self) -> Vec<&Metric> {
        let resources = self.metrics.iter().flat_map(|request| &request.resource_metrics);
        resources.flat_map(|resource| &resource.scope_metrics).flat_map(|scope| &scope.metrics).collect()
    }

    /// All log records in it, in order.
    pub fn log_records(&self) -> Vec<&LogRecord> {
        let resources = self.logs.iter().flat_map(|request| &request.resource_logs);
        resources.flat_map(|resource| &resource.scope_logs).flat_map(|scope| &scope.log_records).collect()
    }
}

/// Everything that arrived, shared between the receiver's thread and the test.
#[derive(Debug, Default)]
pub struct Log {
    requests: Mutex<Vec<Received>>,
    grown: Condvar,
}

impl Log {
    pub(crate) fn push(&self, received: Received) {
        self.requests.lock().unwrap().push(received);
        self.grown.notify_all();
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Received> {
        self.requests.lock().unwrap().clone()
    }

    /// How often each span, named by its id in hex, was accepted.
    pub fn arrivals(&self) -> BTreeMap<String, u32> {
        let mut arrivals = BTreeMap::new();
        for received in self.requests.lock().unwrap().iter() {
            let spans = received.spans();
            for span in &spans[spans.len() - received.accepted.min(spans.len())..] {
                *arrivals.entry(hex(&span.span_id)).or_default() += 1;
            }
        }
        arrivals
    }

    /// The log records that were accepted, in the order they came.
    pub fn log_records(&self) -> Vec<LogRecord> {
        let mut accepted = Vec::new();
        for received in self.requests.lock().unwrap().iter() {
            let records = received.log_records();
            let from = records.len() - received.accepted.min(records.len());
            accepted.extend(records[from..].iter().map(|record| (*record).clone()));
        }
        accepted
    }

    /// Requests that no OTLP client should send: wrong method or headers, a body that cannot be decoded.
    pub fn violations(&self) -> Vec<String> {
        let violation = |received: &Received| {
            let found = match (&received.request, received.header("content-type")) {
                (Err(error), _) => error.clone(),
                (Ok(_), Some("application/x-protobuf")) if received.target.starts_with("POST ") => {
                    return None;
                }
                (Ok(_), content_type) => format!("content type {content_type:?}"),
            };
            Some(format!("{}: {found}", received.target))
        };
        self.requests.lock().unwrap().iter().filter_map(violation).collect()
    }

    /// Waits until `enough` holds, for so long at most; says whether it held.
    pub fn wait_until(&self, longest: Duration, mut enough: impl FnMut(&[Received]) -> bool) -> bool {
        let requests = self.requests.lock().unwrap();
        let (requests, timeout) =
            self.grown.wait_timeout_while(requests, longest, |requests| !enough(requests)).unwrap();
        drop(requests);
        !timeout.timed_out()
    }
}

/// Uncompresses a body as its header says.
pub(crate) fn uncompress(body: &[u8], encoding: Option<&str>) -> Result<Vec<u8>, String> {
    match encoding {
        None => Ok(body.to_vec()),
        Some("gzip") => {
            let mut out = Vec::new();
            let read = flate2::read::GzDecoder::new(body).read_to_end(&mut out);
            read.map(|_| out).map_err(|error| format!("gzip: {error}"))
        }
        Some(other) => Err(format!("content encoding {other:?}")),
    }
}

pub(crate) fn decode(body: &[u8]) -> Result<ExportTraceServiceRequest, String> {
    ExportTraceServiceRequest::decode(body).map_err(|error| error.to_string())
}

pub(crate) fn decode_metrics(body: &[u8]) -> Result<ExportMetricsServiceRequest, String> {
    ExportMetricsServiceRequest::decode(body).map_err(|error| error.to_string())
}

pub(crate) fn decode_logs(body: &[u8]) -> Result<ExportLogsServiceRequest, String> {
    ExportLogsServiceRequest::decode(body).map_err(|error| error.to_string())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
