//! Going over a record without reading its values: for stages that only need to know whether to look closer, or
//! that are interested in few of its fields.
//!
//! The limits and the redaction of the pipeline walk each span so.

use super::batch::StringTable;
use super::reader::Reader;
use super::view::{Field, SpanView, read_field};
use super::{FrameError, kind, tag};

impl<'a> SpanView<'a> {
    /// The fields, for who steps over most of them.
    #[inline]
    pub(crate) fn steps(&self) -> Steps<'a> {
        Steps { reader: self.fields, length: self.fields_len(), table: self.table }
    }

    /// Walks the fields once without reading values, for stages that need to know whether to look closer.
    ///
    /// # Errors
    /// The first [`FrameError`] met.
    #[inline]
    pub(crate) fn summary(&self) -> Result<Summary, FrameError> {
        let mut summary = Summary::default();
        let mut seen = SeenKeys::default();
        let mut reader = self.fields;
        while !reader.is_empty() {
            match reader.u8()? {
                tag::ATTRIBUTE => {
                    summary.maybe_twice |= seen.maybe_again(reader.key(self.table)?, 0);
                    summary.attributes += 1;
                    summary.note(skip_value(&mut reader)?);
                }
                tag::EVENT => {
                    summary.events += 1;
                    let mut inner = Reader::new(reader.sized()?);
                    inner.take(8)?;
                    inner.key(self.table)?;
                    summary.note_attributes(inner, self.table)?;
                }
                tag::LINK => {
                    summary.links += 1;
                    let mut inner = Reader::new(reader.sized()?);
                    inner.take(26)?;
                    inner.sized()?;
                    summary.note_attributes(inner, self.table)?;
                }
                tag::INPUT | tag::OUTPUT => summary.note_other(skip_value(&mut reader)?),
                tag::METADATA => {
                    // They may have the names of attributes.
                    summary.maybe_twice |= seen.maybe_again(reader.key(self.table)?, 1 << 32);
                    summary.metadata += 1;
                    summary.note_other(skip_value(&mut reader)?);
                }
                tag::NAME | tag::TAG => drop(reader.key(self.table)?),
                tag::STATUS_MESSAGE => {
                    let length = reader.sized()?.len();
                    summary.note_other(Skipped { length, nested: false });
                }
                tag::TRACE_STATE | tag::PAD | tag::SKIPPABLE.. => drop(reader.sized()?),
                tag::DROPPED => drop(reader.take(12)?),
                other => return Err(FrameError::Unknown(other)),
            }
        }
        Ok(summary)
    }
}

/// Goes through the fields of a record, of most of which only the end is of interest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steps<'a> {
    reader: Reader<'a>,
    length: usize,
    table: &'a StringTable<'a>,
}

impl<'a> Steps<'a> {
    /// Steps over every field that ends at `place` or before, or over all, and reads the one behind them. With it
    /// comes where it begins. None at the end, or where a field cannot be read.
    #[inline]
    pub(crate) fn beyond(&mut self, place: Option<usize>) -> Option<(usize, &'a [u8], Field<'a>)> {
        loop {
            let before = self.reader;
            if before.is_empty() {
                return None;
            }
            let start = self.passed();
            if skip_field(&mut self.reader).is_err() {
                self.reader = before;
                return None;
            }
            let end = self.passed();
            if place.is_some_and(|place| place < end) {
                let raw = before.rest().get(..end - start)?;
                let field = read_field(&mut Reader::new(raw), self.table);
                if field.is_err() {
                    self.reader = before;
                }
                return Some((start, raw, field.ok()?));
            }
        }
    }

    /// How far it has come, in bytes of the fields.
    #[inline]
    pub(crate) fn passed(&self) -> usize {
        self.length - self.reader.rest().len()
    }
}

/// What [`SpanView::summary`] found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Summary {
    /// Attributes of the span, one of a key or several.
    pub(crate) attributes: usize,
    /// Events.
    pub(crate) events: usize,
    /// Links.
    pub(crate) links: usize,
    /// The most attributes that an event or link has.
    pub(crate) inner_attributes: usize,
    /// Pieces of metadata.
    pub(crate) metadata: usize,
    /// A key may occur twice among the attributes of the span, of an event or of a link, or in the metadata.
    pub(crate) maybe_twice: bool,
    /// The length of the longest text or byte value of an attribute; the size of a structured one.
    pub(crate) longest: usize,
    /// The same of what is no attribute: input, output, metadata, the status's description.
    pub(crate) longest_other: usize,
    /// Whether any value is an array or map.
    pub(crate) nested: bool,
}

/// What [`skip_value`] stepped over.
#[derive(Debug, Clone, Copy)]
struct Skipped {
    /// How long its text, bytes or structure are, 0 for other scalars.
    length: usize,
    /// Whether it is an array or map.
    nested: bool,
}

impl Summary {
    #[inline]
    fn note(&mut self, value: Skipped) {
        self.longest = self.longest.max(value.length);
        self.nested |= value.nested;
    }

    #[inline]
    fn note_other(&mut self, value: Skipped) {
        self.longest_other = self.longest_other.max(value.length);
        self.nested |= value.nested;
    }

    #[inline]
    fn note_attributes<'a>(
        &mut self,
        mut inner: Reader<'a>,
        table: &'a StringTable<'a>,
    ) -> Result<(), FrameError> {
        inner.take(4)?;
        let count = inner.u16()?;
        let mut seen = SeenKeys::default();
        for _ in 0..count {
            self.maybe_twice |= seen.maybe_again(inner.key(table)?, 0);
            self.note(skip_value(&mut inner)?);
        }
        self.inner_attributes = self.inner_attributes.max(usize::from(count));
        Ok(())
    }
}

/// Which keys may have been met: a bit of 1,024 for each, from its length and its first and last bytes. So many,
/// because whoever finds a bit set compares all keys, and of 64 bits ten keys share one half of the time.
#[derive(Default)]
struct SeenKeys([u64; 16]);

impl SeenKeys {
    /// True if the key may have been met before in its list; never false if it has. Lists are told apart by a number.
    #[inline]
    fn maybe_again(&mut self, name: &[u8], list: u64) -> bool {
        let (first, last) = match (name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
            _ => match (name.first_chunk(), name.last_chunk()) {
                (Some(first), Some(last)) => {
                    (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
                }
                _ => (name.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0),
            },
        };
        let mixed =
            (first ^ last.rotate_left(27) ^ name.len() as u64 ^ list).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bit = 1 << (mixed >> 54 & 63);
        let Some(word) = self.0.get_mut((mixed >> 60) as usize) else { return true };
        let again = *word & bit != 0;
        *word |= bit;
        again
    }
}

/// Steps over a value.
#[inline]
fn skip_value(reader: &mut Reader<'_>) -> Result<Skipped, FrameError> {
    let sized = |length, nested| Skipped { length, nested };
    let kind = reader.u8()?;
    // Most are, and need no table of what to do.
    if kind == kind::STR {
        return reader.sized().map(|bytes| sized(bytes.len(), false));
    }
    let fixed = match kind {
        kind::BYTES => return reader.sized().map(|bytes| sized(bytes.len(), false)),
        kind::ARRAY | kind::MAP => return reader.sized().map(|bytes| sized(bytes.len(), true)),
        kind::I64 | kind::F64 => 8,
        kind::NULL | kind::FALSE | kind::TRUE => 0,
        // The entry's length is not looked up; it is below the table's 64 KiB.
        kind::STR_ENTRY => return reader.take(2).map(|_| sized(super::batch::MAX_TABLE_BYTES, false)),
        other => return Err(FrameError::Unknown(other)),
    };
    reader.take(fixed).map(|_| sized(0, false))
}

/// Steps over a field.
#[inline]
fn skip_field(reader: &mut Reader<'_>) -> Result<(), FrameError> {
    match reader.u8()? {
        tag::ATTRIBUTE | tag::METADATA => {
            reader.skip_key()?;
            skip_value(reader)?;
        }
        tag::INPUT | tag::OUTPUT => drop(skip_value(reader)?),
        tag::NAME | tag::TAG => reader.skip_key()?,
        tag::DROPPED => drop(reader.take(12)?),
        tag::EVENT | tag::LINK | tag::STATUS_MESSAGE | tag::TRACE_STATE | tag::PAD | tag::SKIPPABLE.. => {
            reader.sized()?;
        }
        other => return Err(FrameError::Unknown(other)),
    }
    Ok(())
}
