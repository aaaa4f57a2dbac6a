//! Carrying a span context and baggage from process to process: one file per format.
//!
//! Bindings, the span API and samplers call it. Nothing here does I/O, keeps state or fails: what cannot be
//! read is as if it were not there, and is counted.

pub mod baggage;
pub mod carrier;
pub mod ids;
pub mod ot;
pub mod trace_context;
pub mod tracestate;

pub use baggage::{Baggage, BaggageEntry, BaggagePropagator};
pub use carrier::{EnvironmentGetter, EnvironmentSetter, Getter, GetterFn, Setter, SetterFn};
pub use ot::OtTraceState;
pub use trace_context::TraceContext;
pub use tracestate::TraceStateError;

use std::fmt;
use std::ops::AddAssign;

use crate::carried::CarriedId;
use crate::context::SpanContext;

/// What a carrier brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extracted {
    /// The span that called, always remote and valid.
    pub span: Option<SpanContext>,
    /// The application's pairs.
    pub baggage: Baggage,
    /// The ids that the caller's trace carries, as far as they are taken over.
    pub ids: Vec<(CarriedId, String)>,
    /// What was there but could not be used.
    pub refused: Refused,
}

/// How much was left out on the way from or to a carrier, for counters and one warning per kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refused {
    /// Headers that name the calling span and are malformed or present more than once.
    pub traceparent: u32,
    /// Malformed vendor lists, and members cut from lists that are too long.
    pub tracestate: u32,
    /// Malformed baggage pairs, and pairs beyond a limit.
    pub baggage: u32,
}

impl Refused {
    /// All together.
    pub fn total(&self) -> u64 {
        u64::from(self.traceparent) + u64::from(self.tracestate) + u64::from(self.baggage)
    }
}

impl AddAssign for Refused {
    fn add_assign(&mut self, other: Self) {
        self.traceparent = self.traceparent.saturating_add(other.traceparent);
        self.tracestate = self.tracestate.saturating_add(other.tracestate);
        self.baggage = self.baggage.saturating_add(other.baggage);
    }
}

/// One format. It writes nothing for a span context that is not valid.
pub trait Propagator {
    /// Writes the span and the baggage to a carrier; returns what did not fit.
    fn inject(&self, span: &SpanContext, baggage: &Baggage, carrier: &mut dyn Setter) -> Refused;

    /// Adds what the carrier holds. A format that finds no span leaves that of an earlier one in place.
    fn extract(&self, carrier: &dyn Getter, into: &mut Extracted);

    /// The names it reads and writes, in lower case.
    fn fields(&self) -> &'static [&'static str];
}

/// Several formats at once, each used in turn.
pub struct Propagators(Vec<Box<dyn Propagator + Send + Sync>>);

impl Propagators {
    /// No format: nothing is written or read.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// The formats named as in `OTEL_PROPAGATORS`, in any case, each once: `tracecontext`, `baggage`; `none`
    /// alone means no format. Also returns the names that were not used: unknown ones, and `none` in company.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> (Self, Vec<&'a str>) {
        let mut unused = Vec::new();
        let mut used: Vec<String> = Vec::new();
        let mut formats: Vec<Box<dyn Propagator + Send + Sync>> = Vec::new();
        for given in names {
            let name = given.trim().to_ascii_lowercase();
            if name.is_empty() || used.contains(&name) {
                continue;
            }
            match name.as_str() {
                "tracecontext" => formats.push(Box::new(TraceContext)),
                "baggage" => formats.push(Box::new(BaggagePropagator)),
                "none" => {}
                _ => {
                    unused.push(given);
                    continue;
                }
            }
            used.push(name);
        }
        if !formats.is_empty() && used.iter().any(|name| name == "none") {
            unused.push("none");
        }
        (Self(formats), unused)
    }

    /// Adds a format of the application's own, used after those that are there.
    #[must_use]
    pub fn with(mut self, format: Box<dyn Propagator + Send + Sync>) -> Self {
        self.0.push(format);
        self
    }

    /// Whether there is no format.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the span, if its context is valid, and the baggage; returns what did not fit.
    pub fn inject(&self, span: &SpanContext, baggage: &Baggage, carrier: &mut dyn Setter) -> Refused {
        let mut refused = Refused::default();
        for format in &self.0 {
            refused += format.inject(span, baggage, carrier);
        }
        refused
    }

    /// Reads what a carrier holds. Where two formats find a span, the later one counts.
    pub fn extract(&self, carrier: &dyn Getter) -> Extracted {
        let mut extracted = Extracted::default();
        for format in &self.0 {
            format.extract(carrier, &mut extracted);
        }
        extracted
    }

    /// The names that are read and written, each once, in lower case.
    pub fn fields(&self) -> Vec<&'static str> {
        let mut fields = Vec::new();
        for field in self.0.iter().flat_map(|format| format.fields()) {
            if !fields.contains(field) {
                fields.push(*field);
            }
        }
        fields
    }
}

impl Default for Propagators {
    /// `tracecontext` and `baggage`, as OpenTelemetry has it.
    fn default() -> Self {
        Self(vec![Box::new(TraceContext), Box::new(BaggagePropagator)])
    }
}

impl fmt::Debug for Propagators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Propagators").field(&self.fields()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(names: &[&'static str]) -> (Vec<&'static str>, Vec<&'static str>) {
        let (propagators, unused) = Propagators::from_names(names.iter().copied());
        (propagators.fields(), unused)
    }

    #[test]
    fn names_are_used_once_and_unknown_ones_returned() {
        let all = vec!["traceparent", "tracestate", "baggage"];
        assert_eq!(fields(&["tracecontext", " Baggage ", "tracecontext"]), (all.clone(), vec![]));
        assert_eq!(fields(&["baggage", "b4", "tracecontext"]).1, ["b4"]);
        assert_eq!(fields(&["none"]), (vec![], vec![]));
        assert_eq!(fields(&["none", "baggage"]), (vec!["baggage"], vec!["none"]));
        assert_eq!(fields(&["", " "]), (vec![], vec![]));
        assert_eq!(Propagators::default().fields(), all);
    }
}
