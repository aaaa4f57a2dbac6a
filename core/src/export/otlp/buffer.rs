//! The bytes of a request under construction, for the encoder.
//!
//! A `Vec<u8>` asks for room with every piece, and copies each by a call; a span is some sixty pieces of a few bytes.
//! Here bytes that may be overwritten stand behind what has been written. Room is asked for once for many pieces,
//! which are laid side by side by copies of fixed sizes.

/// So many bytes are made ready at a time.
const AHEAD: usize = 1024;

/// Bytes, with room behind them.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    /// What has been written, and the room behind it.
    bytes: Vec<u8>,
    /// The bytes of room.
    left: usize,
}

impl Buffer {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), left: 0 }
    }

    /// How much has been written.
    #[inline(always)]
    pub(super) const fn len(&self) -> usize {
        self.bytes.len() - self.left
    }

    pub(super) fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len());
        self.bytes
    }

    /// Room for pieces; [`Buffer::advance`] says how much of it they took.
    #[inline(always)]
    pub(super) fn room<const N: usize>(&mut self) -> Option<&mut [u8; N]> {
        if self.left < N {
            self.grow(N);
        }
        let written = self.len();
        self.bytes.get_mut(written..)?.first_chunk_mut()
    }

    /// What stands so far in the room has been written.
    #[inline(always)]
    pub(super) fn advance(&mut self, count: usize) {
        self.left -= count;
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, needed: usize) {
        let written = self.len();
        self.left = needed.max(AHEAD);
        self.bytes.resize(written + self.left, 0);
    }

    /// Appends a piece whose size is known.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, piece: [u8; N]) {
        if let Some(room) = self.room() {
            *room = piece;
            self.advance(N);
        }
    }

    /// Appends bytes, however many.
    #[inline]
    pub(super) fn extend_from_slice(&mut self, bytes: &[u8]) {
        if self.left < bytes.len() {
            self.grow(bytes.len());
        }
        let written = self.len();
        if let Some(room) = self.bytes.get_mut(written..).and_then(|room| room.get_mut(..bytes.len())) {
            room.copy_from_slice(bytes);
            self.advance(bytes.len());
        }
    }

    /// Writes a piece to another place, where room was left for it.
    #[inline(always)]
    pub(super) fn set<const N: usize>(&mut self, at: usize, piece: [u8; N]) {
        if let Some(slot) = self.bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) {
            *slot = piece;
        }
    }

    /// What has been written.
    #[inline]
    pub(super) fn written(&mut self) -> &mut [u8] {
        let written = self.len();
        self.bytes.get_mut(..written).unwrap_or_default()
    }

    /// Has something write that knows vectors only.
    #[inline]
    pub(super) fn as_vec(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.bytes.truncate(self.len());
        self.left = 0;
        write(&mut self.bytes);
    }
}

/// The longest piece that [`lay`] can copy.
pub(super) const PIECE: usize = 64;

/// Copies a piece of at most [`PIECE`] bytes to a place of the room: by its first and its last bytes, which overlap.
#[inline(always)]
pub(super) fn lay<const N: usize>(room: &mut [u8; N], at: usize, piece: &[u8]) {
    let Some(last) = piece.len().checked_sub(16) else { return lay_short(room, at, piece) };
    copy_16(room, at, piece, 0);
    if piece.len() > 32 {
        copy_16(room, at, piece, 16);
        copy_16(room, at, piece, last - 16);
    }
    copy_16(room, at, piece, last);
}

/// The same for pieces below sixteen bytes.
#[inline(always)]
fn lay_short<const N: usize>(room: &mut [u8; N], at: usize, piece: &[u8]) {
    if let (Some(first), Some(last)) = (piece.first_chunk(), piece.last_chunk()) {
        put_at(room, at, u64::from_le_bytes(*first).to_le_bytes());
        put_at(room, at + piece.len() - 8, u64::from_le_bytes(*last).to_le_bytes());
    } else if let (Some(first), Some(last)) = (piece.first_chunk(), piece.last_chunk()) {
        put_at(room, at, u32::from_le_bytes(*first).to_le_bytes());
        put_at(room, at + piece.len() - 4, u32::from_le_bytes(*last).to_le_bytes());
    } else {
        for (slot, byte) in room.iter_mut().skip(at).zip(piece) {
            *slot = *byte;
        }
    }
}

// Copied as numbers, since the compiler makes one call of several copies of bytes that differ in their size alone.

#[inline(always)]
fn copy_16<const N: usize>(room: &mut [u8; N], at: usize, piece: &[u8], from: usize) {
    if let Some(part) = piece.get(from..).and_then(|rest| rest.first_chunk()) {
        put_at(room, at + from, u128::from_le_bytes(*part).to_le_bytes());
    }
}

#[inline(always)]
fn put_at<const N: usize, const SIZE: usize>(room: &mut [u8; N], at: usize, part: [u8; SIZE]) {
    if let Some(slot) = room.get_mut(at..).and_then(|room| room.first_chunk_mut()) {
        *slot = part;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_every_length_are_laid_whole() {
        let piece: Vec<u8> = (1..=PIECE as u8).collect();
        for length in 0..=PIECE {
            let mut room = [0; PIECE + 8];
            lay(&mut room, 3, &piece[..length]);
            assert_eq!(room[3..3 + length], piece[..length], "{length}");
            assert!(room[..3].iter().chain(&room[3 + length..]).all(|byte| *byte == 0), "{length}");
        }
    }

    #[test]
    fn it_holds_what_a_vector_would() {
        let (mut buffer, mut expected) = (Buffer::with_capacity(10), Vec::new());
        for turn in 0..5000usize {
            let long = vec![turn as u8; turn % 97 * (turn % 3) * 20];
            buffer.put([turn as u8; 7]);
            buffer.extend_from_slice(&long);
            buffer.as_vec(|bytes| bytes.extend_from_slice(b"as a vector"));
            if let Some(room) = buffer.room::<PIECE>() {
                lay(room, 0, b"room");
                buffer.advance(4);
            }
            expected.extend([turn as u8; 7]);
            expected.extend(long);
            expected.extend(b"as a vectorroom");
            assert_eq!(buffer.len(), expected.len());
        }
        assert_eq!(buffer.written(), expected);
        assert_eq!(buffer.into_vec(), expected);
    }
}
