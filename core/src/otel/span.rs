//! A span as the OpenTelemetry API sees it.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{self, Status};

use super::convert;
use crate::kinds::StatusCode;

/// A span of ours with the OpenTelemetry API's methods.
///
/// Made by a [`Tracer`](super::Tracer), or from a [`Span`](crate::Span) that is to be shared as the active span
/// of a `Context`, where every owner can write to it.
#[derive(Debug)]
pub struct Span {
    context: trace::SpanContext,
    /// `None` where telemetry was suppressed.
    span: Option<crate::Span>,
}

impl Span {
    /// A span without identity, for a context in which telemetry is suppressed.
    pub(super) const fn suppressed() -> Self {
        Self { context: trace::SpanContext::NONE, span: None }
    }

    /// The span in our own API, to set what OpenTelemetry has no method for: type, input, output, metadata,
    /// tags. `None` where telemetry was suppressed when it started.
    pub fn get_mut(&mut self) -> Option<&mut crate::Span> {
        self.span.as_mut()
    }
}

impl From<crate::Span> for Span {
    fn from(span: crate::Span) -> Self {
        Self { context: convert::otel_span_context(span.context()), span: Some(span) }
    }
}

impl trace::Span for Span {
    fn add_event<T: Into<Cow<'static, str>>>(&mut self, name: T, attributes: Vec<KeyValue>) {
        if let Some(span) = &mut self.span {
            span.event_with(&name.into(), None, &convert::attributes(&attributes));
        }
    }

    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) {
        if let Some(span) = &mut self.span {
            let time = convert::unix_nanos(timestamp);
            span.event_with(&name.into(), Some(time), &convert::attributes(&attributes));
        }
    }

    fn span_context(&self) -> &trace::SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.span.as_ref().is_some_and(crate::Span::is_recording)
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(span) = &mut self.span {
            span.set(attribute.key.as_str(), convert::value(&attribute.value));
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(span) = &mut self.span {
            match status {
                Status::Unset => span,
                Status::Ok => span.status(StatusCode::Ok, ""),
                Status::Error { description } => span.status(StatusCode::Error, &description),
            };
        }
    }

    fn update_name<T: Into<Cow<'static, str>>>(&mut self, new_name: T) {
        if let Some(span) = &mut self.span {
            span.rename(&new_name.into());
        }
    }

    fn add_link(&mut self, span_context: trace::SpanContext, attributes: Vec<KeyValue>) {
        if let Some(span) = &mut self.span {
            span.link(&convert::span_context(&span_context), &convert::attributes(&attributes));
        }
    }

    fn end(&mut self) {
        if let Some(span) = &mut self.span {
            span.end();
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(span) = &mut self.span {
            span.end_at(Some(convert::unix_nanos(timestamp)));
        }
    }
}
