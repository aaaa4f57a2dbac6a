//! At most so many traces a second: a token bucket without a lock.
//!
//! The bucket is one atomic word, the time at which it will be full again (the generic cell rate algorithm
//! in its token bucket reading): taking a token moves that time by one interval.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Decision, SamplingInput, SamplingResult, threshold};
use crate::error::Error;

const NANOS_PER_SECOND: f64 = 1e9;
/// Threads read the clock at slightly different times; only a larger step back means a new clock.
const CLOCK_SLACK_NANOS: u64 = 1_000_000_000;

/// Samples roots until the bucket is empty; it refills at a constant rate.
///
/// How likely a trace was to be kept is unknown here, so no threshold is written. Clones share the bucket.
#[derive(Debug, Clone)]
pub struct RateLimited {
    per_second: f64,
    burst: u32,
    interval_nanos: u64,
    full_at: Arc<AtomicU64>,
}

/// Equal configuration; how full the bucket is does not matter.
impl PartialEq for RateLimited {
    fn eq(&self, other: &Self) -> bool {
        self.per_second == other.per_second && self.burst == other.burst
    }
}

impl RateLimited {
    /// A limit of `per_second` traces (0.000001 to 1,000,000) with room for `burst` at once (at least 1).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`](crate::ErrorCode) for numbers outside these ranges.
    pub fn new(per_second: f64, burst: u32) -> Result<Self, Error> {
        if !(1e-6..=1e6).contains(&per_second) {
            let found = per_second.to_string();
            return Err(Error::invalid_option(
                "sampling rate",
                &found,
                "0.000001 to 1000000 traces a second",
            ));
        }
        if burst == 0 {
            return Err(Error::invalid_option("sampling burst", "0", "at least 1 trace"));
        }
        let interval_nanos = (NANOS_PER_SECOND / per_second).round() as u64;
        Ok(Self { per_second, burst, interval_nanos, full_at: Arc::new(AtomicU64::new(0)) })
    }

    /// Traces a second.
    pub const fn per_second(&self) -> f64 {
        self.per_second
    }

    /// Traces at once.
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Takes a token if there is one.
    fn take(&self, now_nanos: u64) -> bool {
        let capacity = self.interval_nanos.saturating_mul(u64::from(self.burst));
        self.full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
                // A bucket that would be full later than an empty one belongs to another clock: the
                // machine was restored from a snapshot or the process image moved.
                let stale = full_at > now_nanos.saturating_add(capacity).saturating_add(CLOCK_SLACK_NANOS);
                let from = if stale { now_nanos } else { full_at.max(now_nanos) };
                let next = from.saturating_add(self.interval_nanos);
                (next - now_nanos <= capacity).then_some(next)
            })
            .is_ok()
    }

    #[inline]
    pub(super) fn sample(&self, input: &SamplingInput<'_>) -> SamplingResult {
        let decision = if self.take(input.now_nanos) { Decision::RecordAndSample } else { Decision::Drop };
        SamplingResult::new(decision, threshold::erase(input.parent_state()))
    }

    pub(super) fn description(&self) -> String {
        format!("RateLimited{{{}/s,burst={}}}", self.per_second, self.burst)
    }
}
