//! The words every language shares, as functions over the default engine: `inject`, `extract`, `flush`,
//! `shutdown`, `stats`. (`init` and `span` stand beside them in the crate root.)

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::context::SpanContext;
use crate::current::{Current, Surroundings, current};
use crate::engine::{Engine, FlushReport};
use crate::error::Error;
use crate::propagation::{Baggage, Getter, Refused, Setter};
use crate::registry;
use crate::stats::Stats;

impl Engine {
    /// Writes what is current on this thread into a carrier: headers, message headers, job data.
    pub fn inject(&self, carrier: &mut dyn Setter) {
        self.inject_from(&current(), carrier);
    }

    /// Writes a span and its surroundings' baggage into a carrier.
    pub fn inject_from(&self, from: &Current, carrier: &mut dyn Setter) {
        let span = from.span.clone().unwrap_or_default();
        let none = Baggage::default();
        let baggage = from.surroundings.as_ref().map_or(&none, |around| around.baggage());
        let refused = self.inject_pair(&span, baggage, carrier);
        self.count_refused(refused.total());
    }

    /// Writes a span and a redacted copy of some baggage into a carrier; returns what did not fit. For
    /// bindings, which keep surroundings and counts of their own.
    pub fn inject_pair(&self, span: &SpanContext, baggage: &Baggage, carrier: &mut dyn Setter) -> Refused {
        self.propagators().inject(span, &self.redactor().baggage(baggage), carrier)
    }

    /// Reads the context that another process wrote into a carrier. Enter it, or give its span to
    /// [`crate::SpanBuilder::parent`]. Bad headers are left out and counted.
    pub fn extract(&self, carrier: &dyn Getter) -> Current {
        let extracted = self.propagators().extract(carrier);
        self.count_refused(extracted.refused.total());
        let surroundings = (!extracted.baggage.is_empty())
            .then(|| Arc::new(Surroundings::default().with_baggage(extracted.baggage)));
        Current { span: extracted.span, surroundings, home: None }
    }

    fn count_refused(&self, entries: u64) {
        if let Some(live) = self.live().filter(|_| entries > 0) {
            live.shard(0).altered.fetch_add(entries, Ordering::Relaxed);
        }
    }
}

/// Writes what is current on this thread into a carrier, in the default engine's formats. Nothing is
/// written before `init`.
pub fn inject(carrier: &mut dyn Setter) {
    if let Some(engine) = registry::default_engine() {
        engine.inject(carrier);
    }
}

/// Reads the context that another process wrote into a carrier, in the default engine's formats. Empty
/// before `init`.
pub fn extract(carrier: &dyn Getter) -> Current {
    registry::default_engine().map_or_else(Current::default, |engine| engine.extract(carrier))
}

/// Flushes every engine of the process within one common deadline.
///
/// # Errors
/// [`crate::ErrorCode::DeadlineExceeded`] of the first engine that could not deliver everything.
pub fn flush(timeout: Duration) -> Result<FlushReport, Error> {
    all(timeout, Engine::flush)
}

/// Flushes and stops every engine of the process within one common deadline.
///
/// # Errors
/// [`crate::ErrorCode::DeadlineExceeded`] of the first engine that could not deliver everything.
pub fn shutdown(timeout: Duration) -> Result<FlushReport, Error> {
    all(timeout, Engine::shutdown)
}

fn all(
    timeout: Duration,
    each: fn(&Engine, Duration) -> Result<FlushReport, Error>,
) -> Result<FlushReport, Error> {
    let started = Instant::now();
    let mut first_error = None;
    let mut pending = 0;
    for engine in registry::engines() {
        match each(&engine, timeout.saturating_sub(started.elapsed())) {
            Ok(report) => pending += report.pending,
            Err(error) => drop(first_error.get_or_insert(error)),
        }
    }
    first_error.map_or(Ok(FlushReport { pending }), Err)
}

/// What the default engine has counted; all zeros before `init`.
pub fn stats() -> Stats {
    registry::default_engine().map_or_else(Stats::default, |engine| engine.stats())
}
