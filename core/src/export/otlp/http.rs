//! The OTLP/HTTP exporter: one batch at a time, repeated, split and counted as OTLP asks.
//!
//! A lane of the export thread drives it. Every path ends in an [`Outcome`] that accounts for each span
//! of the batch: accepted, refused, arrived perhaps, or certainly not arrived and why.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use rustls::ClientConfig;
use tokio::time::Instant;

use super::batch::OtlpBatch;
use super::connect::Connections;
use super::exchange::{Exchange, Verdict};
use super::gzip::Gzip;
use super::options::{Compression, OtlpHttpOptions, display_uri};
use super::response::Accepted;
use super::retry::{Backoff, RetryOptions};
use super::tls;
use crate::error::Error;
use crate::export::context::Pause;
use crate::export::{Outcome, SendContext, Sink};
use crate::stats::DropReason;

/// The largest body that is sent, before compression.
const MAX_REQUEST_BYTES: usize = 64 << 20;

/// What the clock can add without overflow; no batch is repeated for longer.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// Sends batches to an OTLP/HTTP receiver (`POST`, protobuf, HTTP/1.1 with keep-alive).
pub struct OtlpHttpSink {
    exchange: Exchange,
    connections: Option<Connections>,
    tls: Tls,
    gzip: Option<Gzip>,
    retry: RetryOptions,
    max_request_bytes: usize,
}

/// What is known about TLS before the first connection.
enum Tls {
    /// A plain endpoint, which never pays for TLS.
    Off,
    /// The user's files, read and checked by `new`.
    Checked(Box<ClientConfig>),
    /// The bundled roots, whose configuration is made when it is needed.
    Bundled,
}

/// How one batch, or a part of it, was delivered.
enum Delivery {
    Accepted(Accepted),
    TooLarge(String),
    Lost {
        reason: DropReason,
        message: String,
        /// Why later requests are not even tried, if so.
        given_up: Option<DropReason>,
    },
}

impl OtlpHttpSink {
    /// Checks the options and reads the certificate files of an `https` endpoint; opens no connection.
    ///
    /// # Errors
    /// `invalid_option` naming the option that cannot be used.
    pub fn new(options: OtlpHttpOptions) -> Result<Self, Error> {
        options.check_numbers()?;
        let uri = options.uri()?;
        let headers = options.header_map()?;
        let files =
            [&options.certificate, &options.client_certificate, &options.client_key].map(Option::as_deref);
        let tls = match (uri.scheme_str(), files) {
            (Some("https"), [None, None, None]) => Tls::Bundled,
            (Some("https"), [certificate, client_certificate, client_key]) => {
                Tls::Checked(Box::new(tls::configure(certificate, client_certificate, client_key)?))
            }
            _ => Tls::Off,
        };
        let gzip = match options.compression {
            Compression::None => None,
            Compression::Gzip => Some(Gzip::new(options.gzip_level)),
        };
        Ok(Self {
            exchange: Exchange { uri, headers, timeout: options.timeout },
            connections: None,
            tls,
            gzip,
            retry: options.retry,
            max_request_bytes: MAX_REQUEST_BYTES,
        })
    }

    /// Lowers the largest body that is sent, before compression. Default and most: 64 MiB.
    #[must_use]
    pub fn with_max_request_bytes(mut self, bytes: usize) -> Self {
        self.max_request_bytes = bytes.min(MAX_REQUEST_BYTES);
        self
    }

    async fn deliver(
        &mut self,
        plain: &Bytes,
        spans: u32,
        give_up_at: Instant,
        context: &SendContext,
    ) -> Delivery {
        if plain.len() > self.max_request_bytes {
            let (size, most) = (plain.len(), self.max_request_bytes);
            let message = format!("a request of {size} bytes exceeds the limit of {most}");
            return Delivery::TooLarge(message);
        }
        let lost = |reason, message| Delivery::Lost { reason, message, given_up: None };
        let connections = match self.connections.take().map_or_else(|| self.connect(), Ok) {
            Ok(connections) => self.connections.insert(connections),
            Err(error) => return lost(DropReason::Internal, error.to_string()),
        };
        let packed = self.gzip.as_mut().and_then(|gzip| gzip.compress(plain));
        let gzipped = packed.is_some();
        let body = packed.map_or_else(|| plain.clone(), Bytes::from);
        let mut backoff = Backoff::new(&self.retry);
        let mut maybe_arrived = false;
        loop {
            let verdict = self.exchange.post(connections, body.clone(), gzipped, spans, context).await;
            let failure = match verdict {
                Verdict::Accepted(accepted) => return Delivery::Accepted(accepted),
                Verdict::TooLarge(message) => return Delivery::TooLarge(message),
                Verdict::Refused(message) => return lost(DropReason::Rejected, message),
                Verdict::Unclear(message) => return lost(DropReason::Unknown, message),
                Verdict::Failed(failure) => failure,
            };
            maybe_arrived |= failure.maybe_arrived;
            let give_up = |why| {
                let reason = if maybe_arrived { DropReason::Unknown } else { why };
                Delivery::Lost { reason, message: failure.message.clone(), given_up: Some(why) }
            };
            if context.is_expired() {
                return give_up(DropReason::Shutdown);
            }
            let wait = backoff.wait(failure.retry_after, context.jitter());
            let Some(resume) = Instant::now().checked_add(wait).filter(|resume| *resume <= give_up_at) else {
                return give_up(DropReason::RetryExhausted);
            };
            context.report_retry(&failure.message);
            match context.pause_until(resume).await {
                // What the receiver asked for is kept; what is only our own patience is not.
                Pause::CutShort if failure.retry_after.is_some() => return give_up(DropReason::Shutdown),
                Pause::Impossible => return give_up(DropReason::Shutdown),
                Pause::Over | Pause::CutShort => {}
            }
        }
    }

    fn connect(&self) -> Result<Connections, Error> {
        let config = match &self.tls {
            Tls::Off => None,
            Tls::Checked(config) => Some(ClientConfig::clone(config)),
            Tls::Bundled => Some(tls::configure(None, None, None)?),
        };
        Ok(Connections::new(config, self.exchange.timeout))
    }
}

impl Sink<OtlpBatch> for OtlpHttpSink {
    /// Delivers the batch. A batch that the receiver, or the protocol, finds too large is split until it
    /// passes or one span is left, which is dropped as too large. Once a part had to be given up, the
    /// parts after it are given up with it.
    async fn send(&mut self, batch: OtlpBatch, context: &SendContext) -> Outcome {
        let give_up_at = Instant::now() + self.retry.max_elapsed.min(FOREVER);
        let mut outcome = Outcome::default();
        let mut parts = vec![batch];
        while let Some(OtlpBatch { body, spans, has_points, packed }) = parts.pop() {
            let plain = Bytes::from(body);
            if context.is_expired() {
                outcome.lose(
                    DropReason::Shutdown,
                    spans,
                    "the deadline passed before it was sent".to_owned(),
                );
                continue;
            }
            match self.deliver(&plain, spans, give_up_at, context).await {
                Delivery::Accepted(Accepted { rejected, message }) => {
                    outcome.exported = outcome.exported.saturating_add(spans.saturating_sub(rejected));
                    outcome.rejected = outcome.rejected.saturating_add(rejected);
                    outcome.message = outcome.message.take().or(message);
                }
                Delivery::TooLarge(message) => {
                    match (OtlpBatch { body: plain.into(), spans, has_points, packed }).split() {
                        Ok((first, second)) => parts.extend([second, first]),
                        Err(_) => outcome.lose(DropReason::TooLarge, spans, message),
                    }
                }
                Delivery::Lost { reason, message, given_up } => {
                    if let Some(why) = given_up {
                        for unsent in parts.drain(..) {
                            outcome.lose(why, unsent.spans, message.clone());
                        }
                    }
                    outcome.lose(reason, spans, message);
                }
            }
        }
        outcome
    }

    async fn shutdown(&mut self) {
        self.connections = None;
    }
}

impl fmt::Debug for OtlpHttpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpHttpSink")
            .field("endpoint", &display_uri(&self.exchange.uri))
            .field("gzip", &self.gzip.is_some())
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
