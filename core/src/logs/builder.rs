//! Recording a log record: what it says and where it belongs, written as one event of the frame.

use std::borrow::Cow;
use std::sync::Arc;

use super::Severity;
use crate::clock;
use crate::context::SpanContext;
use crate::current::{self, Surroundings};
use crate::engine::{Engine, Live};
use crate::frame::write::{self, Head};
use crate::frame::{EventKind, key};
use crate::recorder;
use crate::span::{CaptureBounds, Cuts, captured_text, put_captured};
use crate::value::Value;

/// A log record about to be recorded by [`LogBuilder::emit`].
///
/// It belongs to the span that is current on this thread and inherits what spans would: session, user, attributes,
/// metadata.
#[derive(Debug)]
#[must_use = "a log record does nothing until it is emitted"]
pub struct LogBuilder<'a> {
    engine: Option<&'a Engine>,
    severity: Severity,
    severity_text: Cow<'a, str>,
    event_name: Cow<'a, str>,
    body: Value<'a>,
    time_unix_nanos: Option<u64>,
    span: Option<Option<&'a SpanContext>>,
    surroundings: Option<Option<&'a Arc<Surroundings>>>,
    scope: u32,
    attributes: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> LogBuilder<'a> {
    pub(crate) fn new(engine: Option<&'a Engine>, severity: Severity, body: Value<'a>) -> Self {
        Self {
            engine,
            severity,
            severity_text: Cow::Borrowed(""),
            event_name: Cow::Borrowed(""),
            body,
            time_unix_nanos: None,
            span: None,
            surroundings: None,
            scope: 0,
            attributes: Vec::new(),
        }
    }

    /// What the source calls the severity. Default: the short name of its number, such as `INFO`.
    pub fn severity_text(mut self, text: impl Into<Cow<'a, str>>) -> Self {
        self.severity_text = text.into();
        self
    }

    /// The class of the event that the record stands for (OpenTelemetry, "Events"). Default: none.
    pub fn event_name(mut self, name: impl Into<Cow<'a, str>>) -> Self {
        self.event_name = name.into();
        self
    }

    /// When it happened, in nanoseconds since the Unix epoch. Default: now.
    pub fn time(mut self, unix_nanos: u64) -> Self {
        self.time_unix_nanos = Some(unix_nanos);
        self
    }

    /// The span it belongs to, or none, instead of the current one.
    pub fn span(mut self, span: Option<&'a SpanContext>) -> Self {
        self.span = Some(span);
        self
    }

    /// What it inherits, instead of what surrounds this point.
    pub fn surroundings(mut self, surroundings: Option<&'a Arc<Surroundings>>) -> Self {
        self.surroundings = Some(surroundings);
        self
    }

    /// The instrumentation scope, as numbered by [`Engine::scope`].
    pub fn scope(mut self, scope: u32) -> Self {
        self.scope = scope;
        self
    }

    /// An attribute; the last value of a key counts.
    pub fn attribute(mut self, key: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        self.attributes.push((key.into(), value.into()));
        self
    }

    /// Records it. False where it was not kept: its severity is below the engine's level, the engine has no
    /// exporter of logs, none runs, or the hand-off is full, which is counted.
    pub fn emit(self) -> bool {
        let chosen;
        let engine = match self.engine {
            Some(engine) => engine,
            None => match crate::registry::default_engine() {
                Some(engine) => {
                    chosen = engine;
                    &chosen
                }
                None => return false,
            },
        };
        if !engine.is_log_enabled(self.severity) {
            return false;
        }
        let Some(live) = engine.live() else { return false };
        match (self.span, self.surroundings) {
            (Some(span), Some(surroundings)) => self.put(live, span, surroundings),
            (span, surroundings) => {
                let now = current::current();
                self.put(
                    live,
                    span.unwrap_or(now.span.as_ref()),
                    surroundings.unwrap_or(now.surroundings.as_ref()),
                )
            }
        }
    }

    fn put(
        &self,
        live: &Arc<Live>,
        span: Option<&SpanContext>,
        surroundings: Option<&Arc<Surroundings>>,
    ) -> bool {
        let now = clock::now_unix_nanos();
        // Of a span that is not exported, its nearest ancestor that is; the trace alone if there is none.
        let span = span.filter(|span| span.is_parent());
        let head = Head {
            trace_id: span.map(|span| span.trace_id).unwrap_or_default(),
            span_id: span.map(|span| span.span_id).unwrap_or_default(),
            start_unix_nanos: self.time_unix_nanos.unwrap_or(now),
            end_unix_nanos: now,
            trace_flags: span.map(|span| span.flags).unwrap_or_default(),
            severity: self.severity.number(),
            scope: self.scope,
            ..Head::default()
        };
        let capture = CaptureBounds::of(&live.definition.settings.config);
        recorder::log(live, |buf| {
            write::begin_span(buf);
            live.definition.settings.defaults.put(buf, surroundings.map(|around| &**around));
            let cuts = self.fields(buf, capture, surroundings);
            write::finish_span(buf, EventKind::Log, live.slot, &head);
            cuts
        })
    }

    /// Writes the fields. Returns what was cut or left out.
    fn fields(
        &self,
        buf: &mut Vec<u8>,
        capture: CaptureBounds,
        surroundings: Option<&Arc<Surroundings>>,
    ) -> Cuts {
        let mut cuts = Cuts::default();
        if let Some(surroundings) = surroundings {
            surroundings.put(buf, false);
        }
        if !self.event_name.is_empty() {
            write::name(buf, &self.event_name);
            cuts.altered += u64::from(self.event_name.len() > key::MAX_INLINE);
        }
        let text = match self.severity_text.as_ref() {
            "" => self.severity.name(),
            text => text,
        };
        if !text.is_empty() {
            let (kept, cut) = captured_text(text, capture);
            write::status_message(buf, &kept);
            cuts += cut;
        }
        let lost = Cuts { altered: 1, limited: 0 };
        if self.body != Value::Null {
            let written = bounded(buf, capture, |buf| {
                write::input_tag(buf);
                put_captured(buf, &self.body, capture)
            });
            cuts += written.unwrap_or(lost);
        }
        let mut dropped = 0;
        for (name, value) in &self.attributes {
            let put = |buf: &mut Vec<u8>| {
                write::attribute_key(buf, name);
                let mut cuts = put_captured(buf, value, capture);
                cuts.altered += u64::from(name.len() > key::MAX_INLINE);
                cuts
            };
            let written = if name.is_empty() { None } else { bounded(buf, capture, put) };
            dropped += u32::from(written.is_none());
            cuts += written.unwrap_or(lost);
        }
        if dropped > 0 {
            write::dropped(buf, dropped, 0, 0);
        }
        cuts
    }
}

/// Writes a field, or takes it back if the record would grow beyond its bound.
fn bounded(
    buf: &mut Vec<u8>,
    capture: CaptureBounds,
    put: impl FnOnce(&mut Vec<u8>) -> Cuts,
) -> Option<Cuts> {
    let start = buf.len();
    let cuts = put(buf);
    if buf.len() > capture.span_bytes {
        buf.truncate(start);
        return None;
    }
    Some(cuts)
}
