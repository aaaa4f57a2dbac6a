//! The provider and its tracers: where spans of the OpenTelemetry API start.

use std::time::Duration;

use opentelemetry::trace::{self, TraceContextExt};
use opentelemetry::{Context, InstrumentationScope};

use super::{Span, convert, slot};
use crate::config::Options;
use crate::engine::Engine;
use crate::error::Error;

/// How long [`TracerProvider::force_flush`] and [`TracerProvider::shutdown`] take at most, as in
/// `opentelemetry_sdk`.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The OpenTelemetry API's provider of tracers, whose spans an engine takes.
///
/// Clones share the engine. Dropping it stops nothing: the engine lives on in the [registry](crate::registry)
/// and is flushed when the process exits.
#[derive(Debug, Clone)]
pub struct TracerProvider {
    engine: Engine,
}

impl TracerProvider {
    /// The provider of a running engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Starts an engine as OpenTelemetry providers start: [`crate::init()`], but without an exporter or
    /// endpoint, from code or environment, spans go to `http://localhost:4318` by OTLP and not to the console.
    ///
    /// # Errors
    /// As [`crate::init()`].
    pub fn init(options: Options) -> Result<Self, Error> {
        crate::init(options.provider(true)).map(Self::new)
    }

    /// The engine that takes the spans.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// [`Engine::flush`] with a bound of 5 seconds.
    ///
    /// # Errors
    /// As [`Engine::flush`].
    pub fn force_flush(&self) -> Result<(), Error> {
        self.engine.flush(TIMEOUT).map(drop)
    }

    /// [`Engine::shutdown`] with a bound of 5 seconds.
    ///
    /// # Errors
    /// As [`Engine::shutdown`].
    pub fn shutdown(&self) -> Result<(), Error> {
        self.shutdown_with_timeout(TIMEOUT)
    }

    /// [`Engine::shutdown`] by the name it has in `opentelemetry_sdk`.
    ///
    /// # Errors
    /// As [`Engine::shutdown`].
    pub fn shutdown_with_timeout(&self, timeout: Duration) -> Result<(), Error> {
        self.engine.shutdown(timeout).map(drop)
    }
}

impl trace::TracerProvider for TracerProvider {
    type Tracer = Tracer;

    fn tracer_with_scope(&self, scope: InstrumentationScope) -> Tracer {
        Tracer { scope: self.engine.scope(convert::scope(&scope)), engine: self.engine.clone() }
    }
}

/// Starts spans of one instrumentation scope.
#[derive(Debug, Clone)]
pub struct Tracer {
    engine: Engine,
    scope: u32,
}

impl trace::Tracer for Tracer {
    type Span = Span;

    fn build_with_context(&self, builder: trace::SpanBuilder, context: &Context) -> Span {
        if context.is_telemetry_suppressed() {
            return Span::suppressed();
        }
        let parent = convert::span_context(context.span().span_context());
        let surroundings = slot::surroundings(context);
        let mut start = self
            .engine
            .span(&builder.name)
            .scope(self.scope)
            .parent(&parent)
            .surroundings(surroundings.as_ref());
        if let Some(kind) = &builder.span_kind {
            start = start.kind(convert::kind(kind));
        }
        if let Some(time) = builder.start_time {
            start = start.start_time(convert::unix_nanos(time));
        }
        for item in builder.attributes.iter().flatten() {
            start = start.attribute(item.key.as_str(), convert::value(&item.value));
        }
        for link in builder.links.iter().flatten() {
            let attributes = convert::attributes(&link.attributes);
            start = start.link_with(convert::span_context(&link.span_context), attributes);
        }
        let mut span = start.start();
        for event in builder.events.iter().flatten() {
            let time = convert::unix_nanos(event.timestamp);
            span.event_with(&event.name, Some(time), &convert::attributes(&event.attributes));
        }
        Span::from(span)
    }
}
