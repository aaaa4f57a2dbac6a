//! The compact event of a span that sampling left out: name, type, duration and whether it failed, for metrics.
//!
//! Written by the thread that ends such a span, where metrics are on; read by the stage that counts.

use super::batch::{NO_STRINGS, StringTable};
use super::reader::Reader;
use super::view::text;
use super::write::put_key;
use super::{EVENT_HEADER, EventKind, FrameError, VERSION};
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};

/// What is known of a span that was not sampled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unsampled<'a> {
    /// Its name.
    pub name: std::borrow::Cow<'a, str>,
    /// How long it took, in nanoseconds.
    pub nanos: u64,
    /// What it stands for.
    pub span_type: SpanType,
    /// Of the flags of a record, [`SpanFlags::KIND_GIVEN`].
    pub flags: SpanFlags,
    /// Its span kind.
    pub kind: SpanKind,
    /// How it ended.
    pub status: StatusCode,
}

/// Writes the event into `buf`, which is cleared first.
pub fn write(buf: &mut Vec<u8>, engine: u16, span: &Unsampled<'_>) {
    buf.clear();
    buf.extend_from_slice(&[0; 4]);
    buf.extend_from_slice(&[EventKind::Unsampled as u8, VERSION]);
    buf.extend_from_slice(&engine.to_le_bytes());
    buf.extend_from_slice(&span.nanos.to_le_bytes());
    buf.extend_from_slice(&(span.span_type as u16).to_le_bytes());
    buf.extend_from_slice(&span.flags.bits().to_le_bytes());
    buf.extend_from_slice(&[span.kind as u8, span.status as u8]);
    put_key(buf, &span.name);
    let length = (buf.len() - EVENT_HEADER) as u32;
    if let Some(field) = buf.first_chunk_mut::<4>() {
        *field = length.to_le_bytes();
    }
}

impl<'a> Unsampled<'a> {
    /// Reads the body of an event that stands alone.
    ///
    /// # Errors
    /// [`FrameError`] when it is none.
    pub fn read(body: &'a [u8]) -> Result<Self, FrameError> {
        Self::in_frame(body, &NO_STRINGS)
    }

    /// Reads the body of an event of a frame with a string table.
    ///
    /// # Errors
    /// [`FrameError`] when it is none.
    pub fn in_frame(body: &'a [u8], table: &'a StringTable<'a>) -> Result<Self, FrameError> {
        let mut reader = Reader::new(body);
        Ok(Self {
            nanos: reader.u64()?,
            span_type: SpanType::from_wire(reader.u16()?),
            flags: SpanFlags::from_bits(reader.u16()?),
            kind: SpanKind::from_wire(reader.u8()?),
            status: StatusCode::from_wire(reader.u8()?),
            name: text(reader.key(table)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let span = Unsampled {
            name: "answer".into(),
            nanos: 1_500_000_000,
            span_type: SpanType::Tool,
            flags: SpanFlags::KIND_GIVEN,
            kind: SpanKind::Client,
            status: StatusCode::Error,
        };
        let mut event = vec![1, 2, 3];
        write(&mut event, 7, &span);
        assert_eq!(event[..8], [22, 0, 0, 0, 5, 1, 7, 0]);
        assert_eq!(Unsampled::read(&event[EVENT_HEADER..]), Ok(span));
        for length in 0..event.len() - EVENT_HEADER {
            let body = &event[EVENT_HEADER..][..length];
            assert_eq!(Unsampled::read(body), Err(FrameError::Truncated), "{length}");
        }
    }
}
