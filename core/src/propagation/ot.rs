//! The `ot` member of tracestate: what OpenTelemetry's consistent sampling tells the next service.
//!
//! Samplers read the threshold and the randomness of a remote parent here and write their own threshold
//! back (OpenTelemetry, "TraceState Handling" and "TraceState: Probability Sampling").

use std::fmt::Write as _;

use super::tracestate::{MAX_VALUE_CHARS, TraceStateError};
use crate::context::TraceState;

const DIGITS: usize = 14;
const LIMIT: u64 = 1 << 56;

/// The sub-keys of the `ot` member, read in place: `th` (threshold), `rv` (randomness), and whatever else
/// other OpenTelemetry components put there, which is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OtTraceState<'a> {
    threshold: Option<u64>,
    randomness: Option<u64>,
    source: &'a str,
}

impl<'a> OtTraceState<'a> {
    /// The tracestate key of this member.
    pub const KEY: &'static str = "ot";

    /// Reads the value of an `ot` member, for example `th:8;rv:9b8233f7e3a151`.
    ///
    /// `None` when the value is longer than 256 characters, is not a list of `key:value` separated by
    /// semicolons, or names a key twice. A `th` or `rv` of a wrong form is left out, as if it were not there.
    pub fn parse(value: &'a str) -> Option<Self> {
        if value.len() > MAX_VALUE_CHARS {
            return None;
        }
        let mut parsed = Self { threshold: None, randomness: None, source: value };
        for (place, entry) in value.split(';').enumerate() {
            let (key, text) = entry.split_once(':')?;
            if !is_sub_key(key) || !text.bytes().all(is_sub_value_byte) {
                return None;
            }
            if value.split(';').take(place).any(|earlier| earlier.split(':').next() == Some(key)) {
                return None;
            }
            match key {
                "th" => parsed.threshold = parse_threshold(text),
                "rv" => parsed.randomness = parse_randomness(text),
                _ => {}
            }
        }
        Some(parsed)
    }

    /// The `ot` member of a list; empty when there is none or it cannot be read.
    pub fn from_state(state: &'a TraceState) -> Self {
        state.get(Self::KEY).and_then(Self::parse).unwrap_or_default()
    }

    /// The rejection threshold, 0 to 2^56 - 1: a span is kept when its randomness is not below it.
    pub const fn threshold(&self) -> Option<u64> {
        self.threshold
    }

    /// The explicit randomness, 0 to 2^56 - 1, which goes before that of the trace id.
    pub const fn randomness(&self) -> Option<u64> {
        self.randomness
    }

    /// The same sub-keys with this threshold. `None`, and a value of 2^56 or more (which means "never" and
    /// has no written form), take it away.
    #[must_use]
    pub const fn with_threshold(mut self, threshold: Option<u64>) -> Self {
        self.threshold = match threshold {
            Some(value) if value < LIMIT => Some(value),
            _ => None,
        };
        self
    }

    /// The same sub-keys with the low 56 bits of `randomness`, unless they already have one: the randomness
    /// of a trace never changes on its way.
    #[must_use]
    pub const fn with_randomness(mut self, randomness: u64) -> Self {
        if self.randomness.is_none() {
            self.randomness = Some(randomness & (LIMIT - 1));
        }
        self
    }

    /// The text of the member's value: `th`, `rv`, then the other sub-keys in the order they came.
    /// Empty when there is nothing to say, in which case the member should not exist.
    pub fn to_value(&self) -> String {
        let mut value = String::with_capacity(self.source.len() + 2 * (DIGITS + 4));
        if let Some(threshold) = self.threshold {
            // Writing to a String cannot fail.
            let _ = write!(value, "th:{threshold:014x}");
            let digits = value.trim_end_matches('0').len();
            // A threshold of zero keeps one digit.
            value.truncate(digits.max("th:0".len()));
        }
        if let Some(randomness) = self.randomness {
            separate(&mut value);
            let _ = write!(value, "rv:{randomness:014x}");
        }
        for entry in self.source.split(';') {
            if !entry.is_empty() && !entry.starts_with("th:") && !entry.starts_with("rv:") {
                separate(&mut value);
                value.push_str(entry);
            }
        }
        value
    }

    /// `state` with this as its `ot` member, moved leftmost; without one when there is nothing to say.
    ///
    /// # Errors
    /// [`TraceStateError::Value`] when the member would be longer than 256 characters; the specification asks
    /// to leave the list as it is then.
    pub fn insert_into(&self, state: &TraceState) -> Result<TraceState, TraceStateError> {
        let value = self.to_value();
        if value.is_empty() { Ok(state.delete(Self::KEY)) } else { state.insert(Self::KEY, &value) }
    }
}

fn separate(value: &mut String) {
    if !value.is_empty() {
        value.push(';');
    }
}

fn is_sub_key(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn is_sub_value_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn parse_threshold(text: &str) -> Option<u64> {
    let digits = text.len();
    if !(1..=DIGITS).contains(&digits) {
        return None;
    }
    Some(parse_hex(text)? << (4 * (DIGITS - digits)))
}

fn parse_randomness(text: &str) -> Option<u64> {
    if text.len() == DIGITS { parse_hex(text) } else { None }
}

// `from_str_radix` alone would take a leading sign, and digits that the specification has in lower case only.
fn parse_hex(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.bytes().all(is_digit) { u64::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_threshold_and_randomness() {
        let ot = OtTraceState::parse("th:c8;rv:9b8233f7e3a151").unwrap();
        assert_eq!(ot.threshold(), Some(0xc8 << 48));
        assert_eq!(ot.randomness(), Some(0x9b_8233_f7e3_a151));
        assert_eq!(ot.to_value(), "th:c8;rv:9b8233f7e3a151");
    }

    #[test]
    fn zero_threshold_keeps_one_digit() {
        assert_eq!(OtTraceState::parse("th:0").unwrap().threshold(), Some(0));
        assert_eq!(OtTraceState::default().with_threshold(Some(0)).to_value(), "th:0");
        assert_eq!(OtTraceState::default().with_threshold(Some(LIMIT - 1)).to_value(), "th:ffffffffffffff");
    }

    #[test]
    fn a_bad_threshold_or_randomness_is_left_out() {
        for value in [
            "th:",
            "th:123456789abcdef",
            "th:xyz",
            "th:C8",
            "rv:123",
            "rv:123456789abcdef",
            "rv:-2345678901234",
            "rv:9B8233f7e3a151",
        ] {
            let ot = OtTraceState::parse(value).unwrap();
            assert_eq!(
                (ot.threshold(), ot.randomness(), ot.to_value()),
                (None, None, String::new()),
                "{value}"
            );
        }
    }

    #[test]
    fn a_malformed_list_is_refused() {
        for value in
            ["", "th", "th:8;", ";th:8", " th:8", "TH:8", "1a:8", "th:8;th:4", "a:b c", "a:b:c", "a:é"]
        {
            assert_eq!(OtTraceState::parse(value), None, "{value}");
        }
        assert_eq!(OtTraceState::parse(&format!("a:{}", "b".repeat(255))), None);
        assert!(OtTraceState::parse(&format!("a:{}", "b".repeat(254))).is_some());
    }

    #[test]
    fn randomness_is_never_overwritten() {
        let ot = OtTraceState::parse("rv:00000000000001").unwrap().with_randomness(7);
        assert_eq!(ot.randomness(), Some(1));
        assert_eq!(OtTraceState::default().with_randomness(u64::MAX).to_value(), "rv:ffffffffffffff");
    }

    #[test]
    fn other_members_and_sub_keys_stay() {
        let state = TraceState::EMPTY.insert("ot", "p:8;th:4;k1:13").unwrap().insert("dd", "s:1").unwrap();
        let ot = OtTraceState::from_state(&state).with_threshold(Some(8 << 52));
        assert_eq!(ot.insert_into(&state).unwrap().header(), "ot=th:8;p:8;k1:13,dd=s:1");
        let cleared = OtTraceState::default().insert_into(&state).unwrap();
        assert_eq!(cleared.header(), "dd=s:1");
    }

    #[test]
    fn a_member_that_would_grow_too_long_is_refused() {
        let full = format!("a:{}", "b".repeat(254));
        let state = TraceState::EMPTY.insert("ot", &full).unwrap();
        let ot = OtTraceState::from_state(&state).with_threshold(Some(0));
        assert_eq!(ot.insert_into(&state), Err(TraceStateError::Value));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            if let Some(ot) = OtTraceState::parse(&text) {
                prop_assert!(ot.threshold().unwrap_or(0) < LIMIT && ot.randomness().unwrap_or(0) < LIMIT);
            }
        }

        #[test]
        fn written_values_read_back(threshold in 0..LIMIT, randomness in 0..LIMIT) {
            let written = OtTraceState::default().with_threshold(Some(threshold)).with_randomness(randomness);
            let value = written.to_value();
            let read = OtTraceState::parse(&value).unwrap();
            prop_assert_eq!(read.threshold(), Some(threshold));
            prop_assert_eq!(read.randomness(), Some(randomness));
            prop_assert!(threshold == 0 || !value.split(';').next().unwrap().ends_with('0'));
        }
    }
}
