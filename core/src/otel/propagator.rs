//! The engine's propagators as one of the OpenTelemetry API, for programs that have no other.

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;

use super::{convert, slot};
use crate::engine::Engine;
use crate::propagation::{Getter, Setter};

/// Writes and reads context in an engine's formats (`OTEL_PROPAGATORS`, or
/// [`Options::propagators`](crate::Options::propagators)):
/// `opentelemetry::global::set_text_map_propagator(Propagator::new(engine))`.
#[derive(Debug, Clone)]
pub struct Propagator {
    engine: Engine,
    fields: Vec<String>,
}

impl Propagator {
    /// The propagator of a running engine, which counts what is malformed.
    pub fn new(engine: Engine) -> Self {
        let fields = engine.propagators().fields().into_iter().map(str::to_owned).collect();
        Self { engine, fields }
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        self.engine.inject_from(&slot::within(context), &mut Carrier(injector));
    }

    /// What the carrier lacks stays as it is in `context`.
    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        let found = self.engine.extract(&Brought(extractor));
        let mut inside = context.clone();
        if let Some(span) = &found.span {
            inside = inside.with_remote_span_context(convert::otel_span_context(span));
        }
        if let Some(surroundings) = &found.surroundings {
            inside = inside.with_baggage(convert::otel_baggage(surroundings.baggage()));
        }
        inside
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

struct Carrier<'a>(&'a mut dyn Injector);

impl Setter for Carrier<'_> {
    fn set(&mut self, key: &str, value: &str) {
        self.0.set(key, value.to_owned());
    }
}

struct Brought<'a>(&'a dyn Extractor);

impl Getter for Brought<'_> {
    fn get_all(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        self.0.get_all(key).iter().flatten().for_each(|value| each(value.as_bytes()));
    }
}
