//! Text that stays as large as it is when what waits for a receiver is compressed.

/// Letters that no compression makes half as many, more than it looks back on (xorshift).
pub fn noise() -> String {
    let mut state = 1u64;
    let letters = (0..256 * 1024).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + (state >> 32) as u8 % 75)
    });
    letters.collect()
}
