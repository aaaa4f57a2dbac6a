//! `inject` and `extract` over pairs of texts; hosts read and write the carriers themselves.

use super::around::flat_baggage;
use crate::carried::CarriedId;
use crate::context::SpanContext;
use crate::current::Surroundings;
use crate::engine::Engine;
use crate::propagation::{Baggage, Propagators, SetterFn};
use crate::registry;

/// Headers that carry ids beside the formats of the engine.
const ID_HEADERS: [&str; 2] = ["x-polyspan-session-id", "x-mastra-session-id"];

/// What a carrier brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Brought {
    /// The calling span.
    pub context: Option<SpanContext>,
    /// Baggage, flat: key, value, properties, and so on.
    pub baggage: Vec<String>,
    /// Ids, flat: the name that applications use, its value, and so on.
    pub ids: Vec<String>,
    /// What was malformed: of `traceparent`, of `tracestate`, of `baggage`.
    pub refused: Vec<u32>,
}

/// Headers to write.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// Flat: name, value, and so on.
    pub headers: Vec<String>,
    /// Baggage that cannot be written.
    pub refused: u32,
}

fn or_default(engine: Option<&Engine>) -> Option<Engine> {
    engine.cloned().or_else(registry::default_engine)
}

/// The names of all headers that [`extract`] looks for, in lower case; without an engine those of the default one.
pub fn carrier_fields(engine: Option<&Engine>) -> Vec<String> {
    let fields = match or_default(engine) {
        Some(engine) => engine.propagators().fields(),
        None => Propagators::default().fields(),
    };
    fields.into_iter().chain(ID_HEADERS).map(str::to_owned).collect()
}

/// Reads headers: names in lower case, and values as they came.
pub fn extract(engine: Option<&Engine>, pairs: Vec<(String, Vec<u8>)>) -> Brought {
    let extracted = match or_default(engine) {
        Some(engine) => engine.extract_parts(&pairs),
        None => Propagators::default().extract(&pairs),
    };
    let refused = extracted.refused;
    let ids = extracted.ids.into_iter();
    Brought {
        context: extracted.span,
        baggage: flat_baggage(&extracted.baggage),
        ids: ids.flat_map(|(id, value)| [CarriedId::name(id).to_owned(), value]).collect(),
        refused: vec![refused.traceparent, refused.tracestate, refused.baggage],
    }
}

/// The headers that say what is current.
pub fn inject(engine: Option<&Engine>, span: &SpanContext, around: Option<&Surroundings>) -> Written {
    let none = Baggage::default();
    let baggage = around.map_or(&none, |around| around.baggage());
    let mut headers = Vec::new();
    let mut setter =
        SetterFn::new(|name: &str, value: &str| headers.extend([name.to_owned(), value.to_owned()]));
    let refused = match or_default(engine) {
        Some(engine) => engine.inject_parts(span, baggage, around, &mut setter),
        None => Propagators::default().inject(span, baggage, &mut setter),
    };
    Written { headers, refused: refused.baggage }
}
