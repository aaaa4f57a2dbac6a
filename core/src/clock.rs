//! The engine's clock: one wall-clock anchor plus a monotonic delta, so that a span's end never precedes
//! its start and a read costs one monotonic clock call.
//!
//! The export thread re-anchors when the wall clock has been set; a span keeps the correction it saw.
//! Hosts without threads pass times in themselves and do not use this file.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static ANCHOR: OnceLock<(Instant, u64)> = OnceLock::new();
static CORRECTION: AtomicI64 = AtomicI64::new(0);

/// Differences between the two clocks below this are left alone.
const TOLERANCE_NANOS: i64 = 2_000_000;

fn wall_nanos() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fn anchor() -> &'static (Instant, u64) {
    ANCHOR.get_or_init(|| (Instant::now(), wall_nanos()))
}

/// Nanoseconds since the Unix epoch.
#[inline]
pub fn now_unix_nanos() -> u64 {
    let (start, wall) = anchor();
    let elapsed = start.elapsed().as_nanos() as u64;
    (wall + elapsed).saturating_add_signed(CORRECTION.load(Ordering::Relaxed))
}

/// Nanoseconds since some moment in this process's life; never goes back.
#[inline]
pub fn monotonic_nanos() -> u64 {
    anchor().0.elapsed().as_nanos() as u64
}

/// Follows the wall clock when it was set or has drifted. Called by the export thread now and then.
pub(crate) fn re_anchor() {
    let (start, wall) = anchor();
    let difference = wall_nanos() as i64 - (*wall as i64 + start.elapsed().as_nanos() as i64);
    if (difference - CORRECTION.load(Ordering::Relaxed)).abs() > TOLERANCE_NANOS {
        CORRECTION.store(difference, Ordering::Relaxed);
    }
}

/// A point in time as nanoseconds since the Unix epoch; times before it become 0.
pub fn unix_nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_tells_wall_time_and_never_goes_back() {
        let before = wall_nanos();
        let mut last = now_unix_nanos();
        assert!(last.abs_diff(before) < 5_000_000_000);
        for _ in 0..1000 {
            let now = now_unix_nanos();
            assert!(now >= last);
            last = now;
        }
        re_anchor();
        assert!(now_unix_nanos().abs_diff(wall_nanos()) < 5_000_000_000);
    }
}
