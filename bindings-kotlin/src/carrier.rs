//! `inject` and `extract` over pairs of texts; the host reads and writes the carriers themselves.

use std::sync::Arc;

use polyspan::hosted;

use crate::around::Ambient;
use crate::engine::{NativeEngine, chosen};

/// What a carrier brought.
#[derive(uniffi::Record)]
pub struct Brought {
    /// The calling span, as [`hosted::write_context`] has it.
    pub context: Option<Vec<u8>>,
    /// Baggage, flat: key, value, properties, and so on.
    pub baggage: Vec<String>,
    /// Ids, flat: the name that applications use, its value, and so on.
    pub ids: Vec<String>,
    /// What was malformed: of `traceparent`, of `tracestate`, of `baggage`.
    pub refused: Vec<i32>,
}

/// Headers to write.
#[derive(uniffi::Record)]
pub struct Written {
    /// Flat: name, value, and so on.
    pub headers: Vec<String>,
    /// Baggage that cannot be written.
    pub refused: i32,
}

/// The names of all headers that [`extract`] looks for, in lower case.
#[uniffi::export]
pub fn carrier_fields(engine: Option<Arc<NativeEngine>>) -> Vec<String> {
    hosted::carrier_fields(chosen(engine.as_ref()))
}

/// Reads headers: names in lower case, and the value of each.
#[uniffi::export]
pub fn extract(engine: Option<Arc<NativeEngine>>, names: Vec<String>, values: Vec<String>) -> Brought {
    let pairs = names.into_iter().zip(values.into_iter().map(String::into_bytes)).collect();
    let hosted::Brought { context, baggage, ids, refused } = hosted::extract(chosen(engine.as_ref()), pairs);
    Brought {
        context: context.as_ref().map(hosted::write_context),
        baggage,
        ids,
        refused: refused.into_iter().map(|count| i32::try_from(count).unwrap_or(i32::MAX)).collect(),
    }
}

/// The headers that say what is current; `context` is empty where no span is.
#[uniffi::export]
pub fn inject(engine: Option<Arc<NativeEngine>>, context: &[u8], around: Option<Arc<Ambient>>) -> Written {
    let span = hosted::read_context(context).unwrap_or_default();
    let around = around.as_ref().map(|around| &*around.0);
    let hosted::Written { headers, refused } = hosted::inject(chosen(engine.as_ref()), &span, around);
    Written { headers, refused: i32::try_from(refused).unwrap_or(i32::MAX) }
}
