//! The sink that hands batches to an `opentelemetry_sdk` exporter and says what became of them.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanExporter;

use super::convert;
use super::helper::{Called, Helper, Make, Stopped};
use crate::error::Error;
use crate::export::{Outcome, SendContext, Sink};
use crate::frame::record::{Resource, SpanData};
use crate::stats::DropReason;

/// The exporter and what it has been told.
struct Told<E> {
    exporter: E,
    resource: Option<Arc<Resource>>,
}

impl<E: SpanExporter> Told<E> {
    /// `None` when it was stopped.
    fn export(&mut self, spans: Vec<SpanData>, stopped: Stopped) -> Option<OTelSdkResult> {
        if let Some(span) = spans.first()
            && !self.resource.as_ref().is_some_and(|known| Arc::ptr_eq(known, &span.resource))
        {
            self.exporter.set_resource(&convert::resource(&span.resource));
            self.resource = Some(Arc::clone(&span.resource));
        }
        let spans = convert::spans(spans);
        pollster::block_on(async {
            tokio::select! {
                result = self.exporter.export(spans) => Some(result),
                _ = stopped => None,
            }
        })
    }
}

/// Hands over one batch at a time.
pub(super) struct SdkSink<E> {
    name: String,
    helper: Helper<Told<E>>,
    timeout: Duration,
}

impl<E: SpanExporter + 'static> SdkSink<E> {
    /// Makes the exporter on a thread of its own.
    pub(super) fn start(name: &str, make: Make<E>, timeout: Duration) -> Result<Self, Error> {
        let make = move || make().map(|exporter| Told { exporter, resource: None });
        Ok(Self { name: name.to_owned(), helper: Helper::start(name, Arc::new(make))?, timeout })
    }

    /// Runs what settles rather than sends; whatever comes of it, the spans are counted already.
    async fn settle(&self, what: &str, work: impl FnOnce(&E) -> OTelSdkResult + Send + 'static) {
        let called = self.helper.call(|told, _| work(&told.exporter), tokio::time::sleep(self.timeout)).await;
        let failure = match called {
            Called::Returned(Ok(())) => return,
            Called::Returned(Err(error)) => error.to_string(),
            Called::Panicked => "it panicked".to_owned(),
            Called::Begun | Called::Withdrawn => format!("it did not return within {:?}", self.timeout),
        };
        let name = &self.name;
        crate::log::warn_once(&format!("{what} {name}"), &format!("{name}: {what} failed: {failure}"));
    }
}

impl<E: SpanExporter + 'static> Sink<Vec<SpanData>> for SdkSink<E> {
    async fn send(&mut self, batch: Vec<SpanData>, context: &SendContext) -> Outcome {
        let spans = batch.len() as u32;
        if context.is_expired() {
            return Outcome::dropped(DropReason::Shutdown, spans, "the deadline passed before it was sent");
        }
        let limit = async {
            tokio::select! {
                () = context.expired() => {}
                () = tokio::time::sleep(self.timeout) => {}
            }
        };
        let called = self.helper.call(|told, stopped| told.export(batch, stopped), limit).await;
        outcome(called, spans, context.is_expired())
    }

    async fn flush(&mut self) {
        self.settle("force_flush", |exporter| exporter.force_flush()).await;
    }

    async fn shutdown(&mut self) {
        // Not `shutdown_with_timeout`: some exporters implement the one, some the other, and this is the
        // one that leads to the other.
        self.settle("shutdown", |exporter| exporter.shutdown()).await;
    }
}

fn outcome(called: Called<Option<OTelSdkResult>>, spans: u32, expired: bool) -> Outcome {
    let (reason, message) = match called {
        Called::Returned(Some(Ok(()))) => return Outcome::exported(spans),
        Called::Returned(Some(Err(error))) => (reason(&error), error.to_string()),
        Called::Panicked => (DropReason::Internal, "the exporter panicked".to_owned()),
        Called::Begun | Called::Returned(None) => {
            (DropReason::Unknown, "the exporter did not answer in time".to_owned())
        }
        Called::Withdrawn if expired => {
            (DropReason::Shutdown, "an earlier export had not returned at the deadline".to_owned())
        }
        Called::Withdrawn => (DropReason::RetryExhausted, "an earlier export has not returned".to_owned()),
    };
    let mut outcome = Outcome::default();
    outcome.lose(reason, spans, message);
    outcome
}

const fn reason(error: &OTelSdkError) -> DropReason {
    match error {
        // The operation may yet complete, the SDK says.
        OTelSdkError::Timeout(_) => DropReason::Unknown,
        OTelSdkError::InternalFailure(_) | OTelSdkError::AlreadyShutdown => DropReason::Rejected,
    }
}
