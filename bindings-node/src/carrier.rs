//! `inject` and `extract` over pairs of texts; TypeScript reads and writes the carriers themselves.

use napi::bindgen_prelude::{Buffer, Either};
use napi_derive::napi;
use polyspan::hosted;

use crate::around::Ambient;
use crate::engine::NativeEngine;
use crate::entry::guarded;

/// What a carrier brought.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct Brought {
    /// The calling span, as `polyspan::hosted` writes a context.
    pub context: Option<Buffer>,
    /// Baggage, flat: key, value, properties, and so on.
    pub baggage: Vec<String>,
    /// Ids, flat: the name that applications use, its value, and so on.
    pub ids: Vec<String>,
    /// What was malformed: of `traceparent`, of `tracestate`, of `baggage`.
    pub refused: Vec<u32>,
}

/// The names of all headers that `extract` looks for, in lower case.
#[napi]
pub fn carrier_fields(engine: Option<&NativeEngine>) -> Vec<String> {
    let engine = engine.map(|engine| &engine.0);
    guarded(engine, Vec::new, || hosted::carrier_fields(engine))
}

/// Reads headers: names in lower case, and values as text or bytes.
#[napi]
pub fn extract(
    engine: Option<&NativeEngine>,
    names: Vec<String>,
    values: Vec<Either<String, Buffer>>,
) -> Brought {
    let engine = engine.map(|engine| &engine.0);
    guarded(engine, Brought::default, || {
        let values = values.into_iter().map(|value| match value {
            Either::A(text) => text.into_bytes(),
            Either::B(bytes) => bytes.to_vec(),
        });
        let pairs = names.into_iter().zip(values).collect();
        let hosted::Brought { context, baggage, ids, refused } = hosted::extract(engine, pairs);
        let context = context.as_ref().map(|context| hosted::write_context(context).into());
        Brought { context, baggage, ids, refused }
    })
}

/// Headers to write.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct Written {
    /// Flat: name, value, and so on.
    pub headers: Vec<String>,
    /// Baggage that cannot be written.
    pub refused: u32,
}

/// The headers that say what is current.
#[napi]
pub fn inject(engine: Option<&NativeEngine>, context: Option<&[u8]>, around: Option<&Ambient>) -> Written {
    let engine = engine.map(|engine| &engine.0);
    guarded(engine, Written::default, || {
        let span = context.and_then(hosted::read_context).unwrap_or_default();
        let hosted::Written { headers, refused } =
            hosted::inject(engine, &span, around.map(|around| &*around.0));
        Written { headers, refused }
    })
}
