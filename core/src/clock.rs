//! The engine's clock: one wall-clock anchor plus a monotonic delta, so that a span's end never precedes
//! its start and a read costs one monotonic clock call.
//!
//! The export thread re-anchors when the wall clock has been set; a span keeps the correction it saw.
//! Hosts without threads pass times in themselves and do not use this file.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Wall clock less monotonic clock in nanoseconds; 0 until the clock is first read.
static OFFSET: AtomicU64 = AtomicU64::new(0);

/// Differences between the two clocks below this are left alone.
const TOLERANCE_NANOS: u64 = 2_000_000;

/// Nanoseconds since some moment before this process; never goes back.
#[cfg(unix)]
#[inline]
pub fn monotonic_nanos() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Nanoseconds since some moment before this process; never goes back.
#[cfg(not(unix))]
#[inline]
pub fn monotonic_nanos() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_nanos() as u64
}

/// Nanoseconds since the Unix epoch.
#[inline]
pub fn now_unix_nanos() -> u64 {
    let offset = match OFFSET.load(Ordering::Relaxed) {
        0 => anchor(),
        offset => offset,
    };
    monotonic_nanos() + offset
}

#[cold]
fn anchor() -> u64 {
    let offset = measured_offset();
    // Whoever came first decides, so that no two threads differ.
    match OFFSET.compare_exchange(0, offset, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => offset,
        Err(first) => first,
    }
}

fn measured_offset() -> u64 {
    unix_nanos(SystemTime::now()).saturating_sub(monotonic_nanos())
}

/// Follows the wall clock when it was set or has drifted. Called by the export thread now and then.
pub(crate) fn re_anchor() {
    let measured = measured_offset();
    if measured.abs_diff(OFFSET.load(Ordering::Relaxed)) > TOLERANCE_NANOS {
        OFFSET.store(measured, Ordering::Relaxed);
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
        let before = unix_nanos(SystemTime::now());
        let mut last = now_unix_nanos();
        assert!(last.abs_diff(before) < 5_000_000_000);
        for _ in 0..1000 {
            let now = now_unix_nanos();
            assert!(now >= last);
            last = now;
        }
        re_anchor();
        assert!(now_unix_nanos().abs_diff(unix_nanos(SystemTime::now())) < 5_000_000_000);
    }
}
