//! Thresholds: from a ratio, and in the `ot` member of a tracestate.
//!
//! Rules of OpenTelemetry, "TraceState: Probability Sampling": every sampler that changes how likely a span
//! was to be kept says so in `th`, or erases it where that is unknown.

use crate::context::TraceState;
use crate::id::TraceId;
use crate::propagation::OtTraceState;

/// 2⁵⁶, the number of different values of randomness.
const ALL: u64 = 1 << 56;
const DIGITS: i32 = 14;
/// Significant hexadecimal digits of a threshold, as the specification recommends.
const PRECISION: i32 = 4;

/// The rejection threshold of a ratio between 2⁻⁵⁶ and 1; `None` for any other number.
///
/// Rounded to four significant digits, not counting the leading `f`s of a small ratio or the leading zeros
/// of one near 1, so that the relative error stays the same at both ends (as the Collector does it).
pub(super) fn from_ratio(ratio: f64) -> Option<u64> {
    if !(1.0 / ALL as f64..=1.0).contains(&ratio) {
        return None;
    }
    let digits = (PRECISION + leading_zero_digits(ratio).max(leading_zero_digits(1.0 - ratio))).min(DIGITS);
    // Exact: a double has 53 bits of precision, so up to 2^56 every one of these is a whole number of
    // its own or rounds to one.
    let exact = ALL - (ratio * ALL as f64).round() as u64;
    let cut = 4 * (DIGITS - digits);
    let half = if cut == 0 { 0 } else { 1u64 << (cut - 1) };
    Some(((exact + half) >> cut << cut).min(ALL - 1))
}

/// How many hexadecimal digits after the point are zero.
fn leading_zero_digits(fraction: f64) -> i32 {
    // Below 2^-56 nothing is left to represent, zero included.
    let mut scaled = fraction * 16.0;
    let mut zeros = 0;
    while scaled < 1.0 && zeros < DIGITS {
        scaled *= 16.0;
        zeros += 1;
    }
    zeros
}

/// The randomness of a trace: explicit (`rv`), or else that of its id.
#[inline]
pub(super) fn randomness(state: &TraceState, trace_id: TraceId) -> u64 {
    if state.is_empty() {
        return trace_id.randomness();
    }
    OtTraceState::from_state(state).randomness().unwrap_or_else(|| trace_id.randomness())
}

/// The list with this threshold.
pub(super) fn set(state: TraceState, threshold: u64) -> TraceState {
    let ot = OtTraceState::from_state(&state);
    if ot.threshold() == Some(threshold) {
        return state;
    }
    // The member may have no room left; then it must at least not go on saying what is no longer true.
    ot.with_threshold(Some(threshold)).insert_into(&state).unwrap_or_else(|_| erase(state))
}

/// The list with this threshold, if it has one already.
pub(super) fn replace_existing(state: TraceState, threshold: u64) -> TraceState {
    if OtTraceState::from_state(&state).threshold().is_some() { set(state, threshold) } else { state }
}

/// The list without a threshold.
#[inline]
pub(super) fn erase(state: TraceState) -> TraceState {
    if state.is_empty() {
        return state;
    }
    let ot = OtTraceState::from_state(&state);
    if ot.threshold().is_none() {
        return state;
    }
    // A shorter member always fits.
    ot.with_threshold(None).insert_into(&state).unwrap_or_else(|_| state.delete(OtTraceState::KEY))
}

/// The list as received, without its threshold unless that explains the sampled flag beside it.
pub(super) fn check(state: TraceState, trace_id: TraceId, sampled: bool) -> TraceState {
    let ot = OtTraceState::from_state(&state);
    let Some(threshold) = ot.threshold() else { return state };
    let randomness = ot.randomness().unwrap_or_else(|| trace_id.randomness());
    if sampled && randomness >= threshold { state } else { erase(state) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_become_the_thresholds_of_the_specification() {
        // "TraceState: Probability Sampling", table of 1-in-N thresholds, precision 4.
        for (ratio, expected) in [
            (1.0, "0"),
            (0.5, "8"),
            (1.0 / 3.0, "aaab"),
            (0.25, "c"),
            (0.2, "cccd"),
            (0.125, "e"),
            (0.1, "e666"),
            (0.0625, "f"),
            (0.01, "fd70a"),
            (0.001, "ffbe77"),
            (0.0001, "fff9724"),
            (0.00001, "ffff583a"),
            (0.000001, "ffffef39"),
        ] {
            let state = set(TraceState::EMPTY, from_ratio(ratio).unwrap());
            assert_eq!(state.header(), format!("ot=th:{expected}"), "{ratio}");
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(from_ratio(1.0 / ALL as f64), Some(ALL - 1));
        assert_eq!(from_ratio(2.0 / ALL as f64), Some(ALL - 2));
        assert_eq!(from_ratio(1.0 - f64::EPSILON), Some(16));
        for bad in [0.0, -0.1, 0.5 / ALL as f64, 1.0 + f64::EPSILON, f64::NAN, f64::INFINITY] {
            assert_eq!(from_ratio(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn rounding_stays_within_its_precision(exponent in 0.0..56.0f64) {
            let ratio = (-exponent).exp2();
            let threshold = from_ratio(ratio).unwrap();
            let kept = (ALL - threshold) as f64 / ALL as f64;
            // Half a unit of the fourth significant digit; below 2^-42 the 56 bits themselves are coarser.
            let tolerance = (ratio / 4096.0).max(0.5 / ALL as f64);
            proptest::prop_assert!((kept - ratio).abs() <= tolerance, "{} became {}", ratio, kept);
        }

        #[test]
        fn a_higher_ratio_never_rejects_more(a in 1e-12..=1.0f64, b in 1e-12..=1.0f64) {
            proptest::prop_assert!(from_ratio(a.max(b)).unwrap() <= from_ratio(a.min(b)).unwrap());
        }
    }
}
