//! Trace and span ids: their bytes, their hex form and how they are drawn.
//!
//! Every layer that names a span uses these newtypes. Ids are random (W3C Trace Context level 2,
//! section 3.2.2.5: the random flag promises at least 56 random low bits of the trace id).

use core::fmt;
use core::str::FromStr;

/// Why a hexadecimal id was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty or longer than the id it should be (32 digits for a trace, 16 for a span).
    Length,
    /// The text holds something other than hexadecimal digits.
    Digit,
    /// All digits are zero, which W3C Trace Context and OpenTelemetry declare invalid.
    Zero,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => {
                "the id is empty or too long (a trace id has 1 to 32 hex digits, a span id 1 to 16)"
            }
            Self::Digit => "the id holds something other than hexadecimal digits",
            Self::Zero => "the id is all zeros, which is not a valid id",
        })
    }
}

impl core::error::Error for IdError {}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The invalid id, all zeros: "no such span".
            pub const INVALID: Self = Self([0; $bytes]);

            /// Wraps raw bytes, most significant first.
            #[inline]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The raw bytes, most significant first.
            #[inline]
            pub const fn to_bytes(self) -> [u8; $bytes] {
                self.0
            }

            /// The raw bytes by reference.
            #[inline]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Whether at least one byte is not zero.
            #[inline]
            pub fn is_valid(self) -> bool {
                self.0 != [0; $bytes]
            }

            /// Reads 1 to the full number of hex digits of either case, left-padded with zeros.
            ///
            /// # Errors
            /// [`IdError`] when the text is empty, too long, not hexadecimal, or all zeros.
            pub fn from_hex(text: &str) -> Result<Self, IdError> {
                let digits = text.as_bytes();
                if digits.is_empty() || digits.len() > $bytes * 2 {
                    return Err(IdError::Length);
                }
                let mut bytes = [0u8; $bytes];
                for (place, digit) in digits.iter().rev().enumerate() {
                    let nibble = (*digit as char).to_digit(16).ok_or(IdError::Digit)? as u8;
                    if let Some(byte) = bytes.get_mut($bytes - 1 - place / 2) {
                        *byte |= nibble << (4 * (place % 2));
                    }
                }
                if bytes == [0; $bytes] { Err(IdError::Zero) } else { Ok(Self(bytes)) }
            }

            /// The id as lower-case hex digits at full length.
            pub fn to_hex(self) -> String {
                let mut out = String::with_capacity($bytes * 2);
                for byte in self.0 {
                    for nibble in [byte >> 4, byte & 15] {
                        out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
                    }
                }
                out
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::from_hex(text)
            }
        }
    };
}

id_type! {
    /// 16 random bytes that name a trace.
    TraceId, 16
}
id_type! {
    /// 8 random bytes that name a span within its trace.
    SpanId, 8
}

impl TraceId {
    /// The low 56 bits, which consistent sampling compares with its threshold
    /// (OpenTelemetry, "TraceState: Probability Sampling").
    #[inline]
    pub fn randomness(self) -> u64 {
        let [.., b0, b1, b2, b3, b4, b5, b6] = self.0;
        u64::from_be_bytes([0, b0, b1, b2, b3, b4, b5, b6])
    }
}

/// A stream of ids: xoshiro256++ over a seed that the caller takes from the system's entropy.
///
/// One lives in each recording thread; it is thrown away and seeded anew after a fork, so that parent
/// and child never draw the same ids.
#[derive(Debug, Clone)]
pub struct IdGenerator {
    state: [u64; 4],
}

impl IdGenerator {
    /// Starts a stream from 32 bytes of entropy.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let mut state = [0u64; 4];
        for (word, bytes) in state.iter_mut().zip(seed.chunks_exact(8)) {
            *word = bytes.iter().fold(0, |acc, byte| acc << 8 | u64::from(*byte));
        }
        if state == [0; 4] {
            // The all-zero state is the one fixed point of the generator.
            state = [0x9e37_79b9_7f4a_7c15, 1, 2, 3];
        }
        Self { state }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.state;
        let result = s0.wrapping_add(s3).rotate_left(23).wrapping_add(s0);
        let t = s1 << 17;
        let s2 = s2 ^ s0;
        let s3 = s3 ^ s1;
        self.state = [s0 ^ s3, s1 ^ s2, s2 ^ t, s3.rotate_left(45)];
        result
    }

    /// A new valid trace id.
    #[inline]
    pub fn trace_id(&mut self) -> TraceId {
        loop {
            let wide = u128::from(self.next_u64()) << 64 | u128::from(self.next_u64());
            if wide != 0 {
                return TraceId(wide.to_be_bytes());
            }
        }
    }

    /// A new valid span id.
    #[inline]
    pub fn span_id(&mut self) -> SpanId {
        loop {
            let word = self.next_u64();
            if word != 0 {
                return SpanId(word.to_be_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_left_padded() {
        assert_eq!(SpanId::from_hex("aB").map(SpanId::to_hex), Ok("00000000000000ab".to_owned()));
        assert_eq!(TraceId::from_hex("1f0").map(|id| id.to_string()), Ok(format!("{:0>32}", "1f0")));
    }

    #[test]
    fn bad_ids_are_refused() {
        assert_eq!(SpanId::from_hex(""), Err(IdError::Length));
        assert_eq!(SpanId::from_hex("00112233445566778"), Err(IdError::Length));
        assert_eq!(SpanId::from_hex("xyz"), Err(IdError::Digit));
        assert_eq!(SpanId::from_hex("é1"), Err(IdError::Digit));
        assert_eq!(TraceId::from_hex("0000"), Err(IdError::Zero));
    }

    #[test]
    fn randomness_is_the_low_56_bits() {
        let id = TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(id.map(TraceId::randomness), Ok(0xce_929d_0e0e_4736));
    }

    #[test]
    fn a_zero_seed_still_yields_ids() {
        let mut ids = IdGenerator::from_seed([0; 32]);
        assert!(ids.trace_id().is_valid() && ids.span_id().is_valid());
    }

    proptest::proptest! {
        #[test]
        fn hex_round_trips(bytes: [u8; 16]) {
            let id = TraceId::from_bytes(bytes);
            proptest::prop_assume!(id.is_valid());
            proptest::prop_assert_eq!(TraceId::from_hex(&id.to_hex()), Ok(id));
        }

        #[test]
        fn any_text_is_an_id_or_an_error(text: String) {
            let _ = TraceId::from_hex(&text);
            let _ = SpanId::from_hex(&text);
        }
    }
}
