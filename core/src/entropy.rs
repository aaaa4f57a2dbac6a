//! Entropy of the operating system, for seeds. It is asked once per thread and fork, never per span.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// 32 random bytes. Where the system refuses, the standard library's hash keys and the clock stand in.
pub(crate) fn seed() -> [u8; 32] {
    let mut bytes = [0u8; 32];
    if getrandom::fill(&mut bytes).is_err() {
        for (place, chunk) in bytes.chunks_mut(8).enumerate() {
            let word = RandomState::new().hash_one((place, crate::clock::now_unix_nanos())).to_le_bytes();
            for (byte, random) in chunk.iter_mut().zip(word) {
                *byte = random;
            }
        }
    }
    bytes
}

/// 64 random bits.
pub(crate) fn seed_u64() -> u64 {
    seed().first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
