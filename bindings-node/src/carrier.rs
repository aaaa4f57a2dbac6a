//! `inject` and `extract` over pairs of texts; TypeScript reads and writes the carriers themselves.

use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;
use polyspan::propagation::{Baggage, Propagators, SetterFn};
use polyspan::{CarriedId, SpanContext, registry};

use crate::around::Ambient;
use crate::engine::NativeEngine;
use crate::wire;

/// Headers that carry ids beside the formats of the engine.
const ID_HEADERS: [&str; 2] = ["x-polyspan-session-id", "x-mastra-session-id"];

/// What a carrier brought.
#[napi(object, object_from_js = false)]
pub struct Brought {
    /// The calling span, as `wire` has it.
    pub context: Option<Buffer>,
    /// Baggage, flat: key, value, properties, and so on.
    pub baggage: Vec<String>,
    /// Ids, flat: the name that applications use, its value, and so on.
    pub ids: Vec<String>,
    /// What was malformed: of `traceparent`, of `tracestate`, of `baggage`.
    pub refused: Vec<u32>,
}

fn engine_or_default(engine: Option<&NativeEngine>) -> Option<polyspan::Engine> {
    engine.map(|engine| engine.0.clone()).or_else(registry::default_engine)
}

/// The names of all headers that `extract` looks for, in lower case.
#[napi]
pub fn carrier_fields(engine: Option<&NativeEngine>) -> Vec<String> {
    let fields = match engine_or_default(engine) {
        Some(engine) => engine.propagators().fields(),
        None => Propagators::default().fields(),
    };
    fields.into_iter().chain(ID_HEADERS).map(str::to_owned).collect()
}

/// Reads headers: names in lower case, and values as text or bytes.
#[napi]
pub fn extract(
    engine: Option<&NativeEngine>,
    names: Vec<String>,
    values: Vec<Either<String, Buffer>>,
) -> Brought {
    let values = values.into_iter().map(|value| match value {
        Either::A(text) => text.into_bytes(),
        Either::B(bytes) => bytes.to_vec(),
    });
    let pairs: Vec<(String, Vec<u8>)> = names.into_iter().zip(values).collect();
    let extracted = match engine_or_default(engine) {
        Some(engine) => engine.extract_parts(&pairs),
        None => Propagators::default().extract(&pairs),
    };
    let refused = extracted.refused;
    let entries = extracted.baggage.iter();
    Brought {
        context: extracted.span.as_ref().map(|span| wire::context_bytes(span).into()),
        baggage: entries
            .flat_map(|entry| [entry.key.clone(), entry.value.clone(), entry.metadata.clone()])
            .collect(),
        ids: extracted
            .ids
            .into_iter()
            .flat_map(|(id, value)| [CarriedId::name(id).to_owned(), value])
            .collect(),
        refused: vec![refused.traceparent, refused.tracestate, refused.baggage],
    }
}

/// Headers to write.
#[napi(object, object_from_js = false)]
pub struct Written {
    /// Flat: name, value, and so on.
    pub headers: Vec<String>,
    /// Baggage that cannot be written.
    pub refused: u32,
}

/// The headers that say what is current.
#[napi]
pub fn inject(engine: Option<&NativeEngine>, context: Option<&[u8]>, around: Option<&Ambient>) -> Written {
    let span: SpanContext = context.and_then(wire::read_context).unwrap_or_default();
    let around = around.map(|around| &*around.0);
    let none = Baggage::default();
    let baggage = around.map_or(&none, |around| around.baggage());
    let mut headers = Vec::new();
    let mut setter =
        SetterFn::new(|name: &str, value: &str| headers.extend([name.to_owned(), value.to_owned()]));
    let refused = match engine_or_default(engine) {
        Some(engine) => engine.inject_parts(&span, baggage, around, &mut setter),
        None => Propagators::default().inject(&span, baggage, &mut setter),
    };
    Written { headers, refused: refused.baggage }
}
