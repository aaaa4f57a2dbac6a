//! A cursor over untrusted bytes: every read is checked, none can panic.

use super::batch::StringTable;
use super::{FrameError, key, keys};

/// Reads little-endian numbers and byte runs from the front of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(FrameError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(FrameError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, FrameError> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u16, FrameError> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<u32, FrameError> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Result<u64, FrameError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A run of bytes behind its u32 length.
    #[inline]
    pub(super) fn sized(&mut self) -> Result<&'a [u8], FrameError> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    /// Steps over a key or name, whatever it refers to.
    #[inline]
    pub(super) fn skip_key(&mut self) -> Result<(), FrameError> {
        let word = self.u16()?;
        if word < key::STATIC { self.take(usize::from(word)).map(drop) } else { Ok(()) }
    }

    /// A key or name: inline, static or from the frame's string table.
    #[inline]
    pub(super) fn key(&mut self, table: &'a StringTable<'a>) -> Result<&'a [u8], FrameError> {
        let word = self.u16()?;
        if word < key::STATIC { self.take(usize::from(word)) } else { referenced(word, table) }
    }
}

#[inline]
fn referenced<'a>(word: u16, table: &'a StringTable<'a>) -> Result<&'a [u8], FrameError> {
    let found = if word < key::ENTRY {
        keys::static_key(word - key::STATIC).map(str::as_bytes)
    } else {
        table.get(word - key::ENTRY)
    };
    found.ok_or(FrameError::Reference(word))
}
