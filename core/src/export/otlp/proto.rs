//! The few protobuf primitives that OTLP needs, for the encoder.

use super::buffer::{Buffer, PIECE, lay};
use super::wire;

/// Wire types.
pub(super) const VARINT: u8 = 0;
pub(super) const FIXED64: u8 = 1;
pub(super) const BYTES: u8 = 2;
pub(super) const FIXED32: u8 = 5;

/// Bytes a varint takes.
#[inline]
pub(super) const fn varint_len(value: u64) -> usize {
    // 1 to 10 bytes of 7 bits each.
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Appends a varint.
#[inline]
pub(super) fn put_varint(out: &mut Buffer, value: u64) {
    match value {
        0..0x80 => out.put([value as u8]),
        0x80..0x4000 => out.put([value as u8 | 0x80, (value >> 7) as u8]),
        _ => out.as_vec(|out| wire::put_varint(out, value)),
    }
}

/// A field's tag; all tags used here are below 16 or written as two bytes.
#[inline]
pub(super) fn put_tag(out: &mut Buffer, field: u8, wire: u8) {
    if field < 16 {
        out.put([field << 3 | wire]);
    } else {
        out.put([(field & 15) << 3 | wire | 0x80, field >> 4]);
    }
}

/// A length-delimited field with its bytes.
#[inline]
pub(super) fn put_bytes(out: &mut Buffer, field: u8, bytes: &[u8]) {
    if field < 16
        && bytes.len() <= PIECE
        && let Some(room) = out.room::<{ 2 + PIECE }>()
    {
        [room[0], room[1]] = [field << 3 | BYTES, bytes.len() as u8];
        lay(room, 2, bytes);
        return out.advance(2 + bytes.len());
    }
    put_tag(out, field, BYTES);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A fixed64 field.
#[inline]
pub(super) fn put_fixed64(out: &mut Buffer, field: u8, value: u64) {
    if field < 16 {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        out.put([field << 3 | FIXED64, a, b, c, d, e, f, g, h]);
    } else {
        put_tag(out, field, FIXED64);
        out.put(value.to_le_bytes());
    }
}

/// A varint field, left out when zero as proto3 does.
#[inline]
pub(super) fn put_u32(out: &mut Buffer, field: u8, value: u32) {
    if value != 0 {
        put_tag(out, field, VARINT);
        put_varint(out, u64::from(value));
    }
}

/// A message whose length is known only after its content: room is left for as many bytes of the length as it will
/// likely need, and the content is shifted where it is not.
#[derive(Debug)]
#[must_use]
pub(super) struct Message {
    content: usize,
    room: usize,
}

impl Message {
    /// One of 128 to 16,383 bytes, as nearly every span is.
    #[inline]
    pub(super) fn open(out: &mut Buffer, field: u8) -> Self {
        put_tag(out, field, BYTES);
        out.put([0; 2]);
        Self { content: out.len(), room: 2 }
    }

    /// One of fewer than 128 bytes, as nearly every event is.
    #[inline]
    pub(super) fn open_short(out: &mut Buffer, field: u8) -> Self {
        put_tag(out, field, BYTES);
        out.put([0]);
        Self { content: out.len(), room: 1 }
    }

    #[inline]
    pub(super) fn close(self, out: &mut Buffer) {
        let length = out.len().saturating_sub(self.content);
        match (length, self.room) {
            (0..0x80, 1) => out.set(self.content - 1, [length as u8]),
            (0x80..0x4000, 2) => out.set(self.content - 2, [length as u8 | 0x80, (length >> 7) as u8]),
            _ => out.as_vec(|out| self.close_elsewhere(out, length)),
        }
    }

    /// The content has to move.
    #[cold]
    #[inline(never)]
    fn close_elsewhere(self, out: &mut Vec<u8>, length: usize) {
        let needed = varint_len(length as u64);
        let room_at = self.content - self.room;
        if needed > self.room {
            out.resize(out.len() + needed - self.room, 0);
        }
        out.copy_within(self.content..self.content + length, room_at + needed);
        out.truncate(room_at + needed + length);
        let mut value = length;
        for place in 0..needed {
            let more = if place + 1 < needed { 0x80 } else { 0 };
            if let Some(byte) = out.get_mut(room_at + place) {
                *byte = (value & 0x7f) as u8 | more;
            }
            value >>= 7;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_every_length_have_canonical_lengths() {
        for length in [0usize, 1, 127, 128, 300, 16_383, 16_384, 70_000, 2_097_152] {
            for open in [Message::open, Message::open_short] {
                let content: Vec<_> = (0..length).map(|at| at as u8).collect();
                let (mut out, mut expected) = (Buffer::default(), Buffer::default());
                for out in [&mut out, &mut expected] {
                    out.put([7]);
                }
                let message = open(&mut out, 2);
                out.extend_from_slice(&content);
                message.close(&mut out);
                put_bytes(&mut expected, 2, &content);
                assert_eq!(out.into_vec(), expected.into_vec(), "length {length}");
            }
        }
    }

    #[test]
    fn varint_lengths_are_what_is_written() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let (mut out, mut expected) = (Buffer::default(), Vec::new());
                put_varint(&mut out, value);
                wire::put_varint(&mut expected, value);
                assert_eq!((out.len(), out.into_vec()), (varint_len(value), expected), "{value}");
            }
        }
    }
}
