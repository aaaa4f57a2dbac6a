//! One HTTP request and what its reply, or the lack of one, means for the spans in it.
//!
//! The rules are those of OTLP 1.x, "OTLP/HTTP Response": which statuses may be repeated, which count as
//! success, and that redirects are not followed.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, DATE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use tokio::time::Instant;

use super::connect::Connections;
use super::options::display_uri;
use super::response::{Accepted, read_accepted, read_failure};
use super::retry::read_retry_after;
use crate::export::SendContext;

/// The largest reply that is read; a larger one ends the exchange for good.
const MAX_REPLY_BYTES: usize = 4 << 20;

/// What one request came to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The receiver answered with success.
    Accepted(Accepted),
    /// The receiver refused the request for good.
    Refused(String),
    /// The receiver finds the request too large (413).
    TooLarge(String),
    /// Something answered, but not in a way that tells what became of the request.
    Unclear(String),
    /// It failed for the moment and may be repeated.
    Failed(Failure),
}

/// A failure that a later attempt may mend.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    /// What the receiver asked to wait.
    pub(super) retry_after: Option<Duration>,
    /// Whether the receiver may have taken the spans all the same.
    pub(super) maybe_arrived: bool,
}

/// What every request of an exporter shares.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
}

impl Exchange {
    /// Posts `body`, which holds `spans` spans, and judges the reply. Ends by the timeout, and by the
    /// deadline of `context` if that is sooner.
    pub(super) async fn post(
        &self,
        connections: &Connections,
        body: Bytes,
        gzipped: bool,
        spans: u32,
        context: &SendContext,
    ) -> Verdict {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().clone_from(&self.headers);
        if gzipped {
            request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let connection = capture_connection(&mut request);
        let until = Instant::now() + self.timeout;
        let reply = tokio::select! {
            reply = tokio::time::timeout_at(until, connections.request(request)) => reply,
            () = context.expired() => {
                let message = self.say("no reply before the deadline");
                return failed(message, connection.connection_metadata().is_some());
            }
        };
        let connected = connection.connection_metadata().is_some();
        match reply {
            Ok(Ok(reply)) => self.judge(reply, spans, until, context).await,
            Ok(Err(error)) => self.judge_error(&error, connected),
            Err(_) if connected => failed(self.say(&format!("no reply within {:?}", self.timeout)), true),
            Err(_) => failed(self.say(&format!("no connection within {:?}", self.timeout)), false),
        }
    }

    async fn judge(
        &self,
        reply: Response<Incoming>,
        spans: u32,
        until: Instant,
        context: &SendContext,
    ) -> Verdict {
        let (head, body) = reply.into_parts();
        let body = Limited::new(body, MAX_REPLY_BYTES).collect();
        let body = tokio::select! {
            body = tokio::time::timeout_at(until, body) => body,
            () = context.expired() => Ok(Err("cut off at the deadline".into())),
        };
        let body = match body {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                let message =
                    self.say(&format!("{}, with a reply larger than {MAX_REPLY_BYTES} bytes", head.status));
                return if head.status.is_success() {
                    Verdict::Unclear(message)
                } else {
                    Verdict::Refused(message)
                };
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no end within {:?}", self.timeout)),
        };
        if head.status.is_success() {
            return Verdict::Accepted(match body {
                Ok(body) => read_accepted(&body, spans),
                // The status has said that the spans are accepted; sending them again would double them.
                Err(error) => Accepted {
                    rejected: 0,
                    message: Some(self.say(&format!("{}, but the reply broke off: {error}", head.status))),
                },
            });
        }
        let explanation = body.ok().and_then(|body| read_failure(&body));
        let message = self.say(&describe(head.status, &head.headers, explanation));
        match head.status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Verdict::Failed(Failure {
                message,
                retry_after: retry_after(&head.headers),
                // A gateway answers so when the receiver behind it may well have taken the request.
                maybe_arrived: matches!(head.status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT),
            }),
            StatusCode::PAYLOAD_TOO_LARGE => Verdict::TooLarge(message),
            _ => Verdict::Refused(message),
        }
    }

    fn judge_error(&self, error: &legacy::Error, connected: bool) -> Verdict {
        let cause = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
        if cause.is_some_and(hyper::Error::is_parse) {
            let hint = "is it an OTLP/HTTP endpoint? The usual port is 4318, 4317 is that of gRPC";
            return Verdict::Unclear(
                self.say(&format!("the answer is not HTTP/1.1 ({}); {hint}", chain(error))),
            );
        }
        // With TLS 1.3 a receiver refuses a client certificate only after the request is on its way.
        failed(self.say(&chain(error)), connected && !error.is_connect() && !is_tls_alert(error))
    }

    fn say(&self, what: &str) -> String {
        format!("{}: {what}", display_uri(&self.uri))
    }
}

fn failed(message: String, maybe_arrived: bool) -> Verdict {
    Verdict::Failed(Failure { message, retry_after: None, maybe_arrived })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    read_retry_after(text(RETRY_AFTER)?, text(DATE))
}

fn describe(status: StatusCode, headers: &HeaderMap, explanation: Option<String>) -> String {
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "; check the option headers",
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            "; check the path of the endpoint, usually /v1/traces"
        }
        _ if status.is_redirection() => "; redirects are not followed",
        _ => "",
    };
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok()?.parse::<Uri>().ok());
    let location = location.map(|uri| format!(" to {}", display_uri(&uri))).unwrap_or_default();
    let explanation = explanation.map(|text| format!(": {text}")).unwrap_or_default();
    format!("{status}{location}{hint}{explanation}")
}

/// Whether the receiver ended the connection by a TLS alert.
fn is_tls_alert(error: &legacy::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if inner.is_some_and(|inner| matches!(inner.downcast_ref(), Some(rustls::Error::AlertReceived(_)))) {
            return true;
        }
        next = cause.source();
    }
    false
}

/// The error with its causes, leaving out the client's own name for the step that failed.
fn chain(error: &legacy::Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !causes.last().is_some_and(|last: &String| last.ends_with(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    if causes.is_empty() { error.to_string() } else { causes.join(": ") }
}
