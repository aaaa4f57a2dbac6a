//! Taking apart a frame of many events: what a host that batches, or a stranger's relay post, hands in.
//!
//! Read on the export thread (for the application's own hosts) and in the relay. A string entry defines
//! the next index of the table before its first use.

use super::reader::Reader;
use super::{EVENT_HEADER, EventKind, FrameError, VERSION};

/// The string table of a frame holds at most this many entries ...
pub const MAX_ENTRIES: usize = 1024;
/// ... and this many bytes.
pub const MAX_TABLE_BYTES: usize = 64 * 1024;
/// All texts of a frame, entries counted wherever they stand, are at most so much longer than the frame.
pub const MAX_EXPANSION: usize = 16 * 1024 * 1024;

/// An event taken from a frame.
#[derive(Debug, Clone, Copy)]
pub struct RawEvent<'a> {
    /// What it says; `None` for a kind of a later version, to be skipped.
    pub kind: Option<EventKind>,
    /// The engine slot its header names.
    pub engine: u16,
    /// The bytes after the header.
    pub body: &'a [u8],
    /// Header and body together.
    pub whole: &'a [u8],
}

/// Splits bytes into events without looking into them.
#[derive(Debug, Clone, Copy)]
pub struct Events<'a> {
    reader: Reader<'a>,
}

impl<'a> Events<'a> {
    /// Starts at the first header.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes) }
    }

    /// The next event, `None` at the end.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] or [`FrameError::Version`]; nothing after it can be read.
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<RawEvent<'a>>, FrameError> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        let before = self.reader.rest();
        let length = self.reader.u32()? as usize;
        let kind = self.reader.u8()?;
        let version = self.reader.u8()?;
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let engine = self.reader.u16()?;
        let body = self.reader.take(length)?;
        let whole = before.get(..EVENT_HEADER + length).ok_or(FrameError::Truncated)?;
        Ok(Some(RawEvent { kind: EventKind::from_wire(kind), engine, body, whole }))
    }
}

/// The string table of one frame, filled as its entries are met.
#[derive(Debug, Default)]
pub struct StringTable<'a> {
    entries: Vec<&'a [u8]>,
    bytes: usize,
    /// Those that whoever refers to them has to look at: a bit for each.
    noticed: Vec<u64>,
}

/// The table of an event that stands alone.
pub static NO_STRINGS: StringTable<'static> = StringTable::new();

impl<'a> StringTable<'a> {
    /// An empty table.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), bytes: 0, noticed: Vec::new() }
    }

    /// An entry by its index.
    #[inline]
    pub fn get(&self, index: u16) -> Option<&'a [u8]> {
        self.entries.get(usize::from(index)).copied()
    }

    /// Whether nothing is defined.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether an entry is noticed by who looks for secrets, as far as that is known.
    pub(super) fn is_noticed(&self, index: u16) -> bool {
        let word = self.noticed.get(usize::from(index) / 64).copied().unwrap_or_default();
        word >> (index % 64) & 1 != 0
    }

    /// Whether any entry is.
    pub(crate) const fn has_noticed(&self) -> bool {
        !self.noticed.is_empty()
    }

    /// Adds the body of a [`EventKind::StringEntry`], of which nobody has said that there is no secret in it.
    ///
    /// # Errors
    /// [`FrameError::Table`] over the bounds, [`FrameError::Utf8`] for other bytes than UTF-8.
    pub fn define(&mut self, body: &'a [u8]) -> Result<(), FrameError> {
        self.define_known(body, true)
    }

    /// The same of an entry of which is known whether it is noticed.
    ///
    /// # Errors
    /// As those of [`StringTable::define`].
    pub(crate) fn define_known(&mut self, body: &'a [u8], is_noticed: bool) -> Result<(), FrameError> {
        if self.entries.len() >= MAX_ENTRIES || self.bytes + body.len() > MAX_TABLE_BYTES {
            return Err(FrameError::Table);
        }
        core::str::from_utf8(body).map_err(|_| FrameError::Utf8)?;
        if is_noticed {
            let index = self.entries.len();
            self.noticed.resize(self.noticed.len().max(index / 64 + 1), 0);
            if let Some(word) = self.noticed.get_mut(index / 64) {
                *word |= 1 << (index % 64);
            }
        }
        self.bytes += body.len();
        self.entries.push(body);
        Ok(())
    }
}
