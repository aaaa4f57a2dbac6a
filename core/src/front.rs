//! The words every language shares, as functions over the default engine: `inject`, `extract`, `flush`,
//! `shutdown`, `stats`. (`init` and `span` stand beside them in the crate root.)

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::context::SpanContext;
use crate::current::{Current, Surroundings, current};
use crate::engine::{Engine, FlushReport};
use crate::error::Error;
use crate::propagation::{self, Baggage, Extracted, Getter, Refused, Setter};
use crate::registry;
use crate::stats::Stats;

impl Engine {
    /// Writes what is current on this thread into a carrier: headers, message headers, job data.
    pub fn inject(&self, carrier: &mut dyn Setter) {
        self.inject_from(&current(), carrier);
    }

    /// Writes a span, and its surroundings' baggage and ids, into a carrier.
    pub fn inject_from(&self, from: &Current, carrier: &mut dyn Setter) {
        let span = from.span.clone().unwrap_or_default();
        let around = from.surroundings.as_deref();
        let none = Baggage::default();
        let refused = self.inject_parts(&span, around.map_or(&none, Surroundings::baggage), around, carrier);
        self.count_refused(refused.total());
    }

    /// Writes a span, a redacted copy of some baggage, and the ids of what surrounds it as far as they may
    /// travel, for hosts that keep these apart. Returns what could not be written.
    pub fn inject_parts(
        &self,
        span: &SpanContext,
        baggage: &Baggage,
        around: Option<&Surroundings>,
        carrier: &mut dyn Setter,
    ) -> Refused {
        let trace = &self.settings().config.trace;
        if trace.propagate.is_empty() {
            return self.propagators().inject(&span.sent(), &self.redactor().baggage(baggage), carrier);
        }
        let inherited = || around.into_iter().flat_map(Surroundings::ids);
        let defaults = trace.ids.iter().map(|(id, value)| (*id, value.as_str()));
        let defaults = defaults.filter(|(id, _)| inherited().all(|(known, _)| known != *id));
        let ids = inherited().chain(defaults).filter(|(id, _)| trace.propagate.contains(*id));
        let mut baggage = baggage.clone();
        let has_session = propagation::ids::put(ids, &mut baggage);
        let baggage = self.redactor().baggage(&baggage);
        let too_long = has_session && !propagation::ids::write_session(&baggage, carrier);
        let mut refused = self.propagators().inject(&span.sent(), &baggage, carrier);
        refused.baggage = refused.baggage.saturating_add(u32::from(too_long));
        refused
    }

    /// Reads the context that another process wrote into a carrier. Enter it, or give its span to
    /// [`crate::SpanBuilder::parent`]. Bad headers are left out and counted.
    pub fn extract(&self, carrier: &dyn Getter) -> Current {
        let extracted = self.extract_parts(carrier);
        self.count_refused(extracted.refused.total());
        let brings = !extracted.baggage.is_empty() || !extracted.ids.is_empty();
        let surroundings = brings.then(|| {
            let bare = Surroundings::default().with_baggage(extracted.baggage);
            Arc::new(extracted.ids.iter().fold(bare, |around, (id, value)| around.id(*id, value)))
        });
        Current { span: extracted.span, surroundings, home: None }
    }

    /// The same in parts, for hosts that keep them apart and count by themselves.
    pub fn extract_parts(&self, carrier: &dyn Getter) -> Extracted {
        let mut extracted = self.propagators().extract(carrier);
        propagation::ids::read(carrier, self.settings().config.trace.propagate, &mut extracted);
        extracted
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
