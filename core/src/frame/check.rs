//! Whether bytes are a frame: what hosts and strangers hand in is walked once before anything reads it.
//!
//! Called by the export thread for each span of a frame that a host batched; spans recorded in this process
//! need it not.

use super::batch::{MAX_EXPANSION, StringTable};
use super::reader::Reader;
use super::view::SpanView;
use super::{FrameError, MAX_DEPTH, key, keys, kind, tag};

impl SpanView<'_> {
    /// Walks everything once: structure, UTF-8, depth, ids, size. Strangers' bytes pass here first.
    ///
    /// # Errors
    /// The first [`FrameError`] met.
    pub fn check(&self) -> Result<(), FrameError> {
        self.check_within(&mut TextBudget::of(self.fields_len()))
    }

    /// The same for one of many spans of a frame, whose texts together keep to a budget.
    ///
    /// # Errors
    /// The first [`FrameError`] met.
    pub fn check_within(&self, budget: &mut TextBudget) -> Result<(), FrameError> {
        self.check_noticing(budget, &mut Vec::new())
    }

    /// The same for a log record, which need not belong to a span.
    ///
    /// # Errors
    /// The first [`FrameError`] met.
    pub fn check_fields(&self, budget: &mut TextBudget) -> Result<(), FrameError> {
        self.check_fields_noticing(budget, &mut Vec::new())
    }

    /// As [`SpanView::check_within`]; appends where the fields refer to what is noticed in the table of the frame.
    ///
    /// # Errors
    /// The first [`FrameError`] met.
    pub(crate) fn check_noticing(
        &self,
        budget: &mut TextBudget,
        noticed: &mut Vec<usize>,
    ) -> Result<(), FrameError> {
        let head = self.head();
        if !head.trace_id.is_valid() || !head.span_id.is_valid() {
            return Err(FrameError::Id);
        }
        self.check_fields_noticing(budget, noticed)
    }

    /// As [`SpanView::check_fields`]; appends the places, in bytes of the fields and in order.
    ///
    /// # Errors
    /// The first [`FrameError`] met.
    pub(crate) fn check_fields_noticing(
        &self,
        budget: &mut TextBudget,
        noticed: &mut Vec<usize>,
    ) -> Result<(), FrameError> {
        Walk { table: self.table, begin: self.field_bytes().as_ptr() as usize, budget, noticed }
            .fields(self.fields)
    }
}

/// One walk over the bytes of a record that makes nothing of them: each span of a frame is walked so.
struct Walk<'w> {
    table: &'w StringTable<'w>,
    /// Where the fields begin in memory.
    begin: usize,
    budget: &'w mut TextBudget,
    noticed: &'w mut Vec<usize>,
}

impl Walk<'_> {
    fn fields(&mut self, mut reader: Reader<'_>) -> Result<(), FrameError> {
        while !reader.is_empty() {
            match reader.u8()? {
                tag::ATTRIBUTE | tag::METADATA => {
                    self.key(&mut reader)?;
                    self.value(&mut reader, 0)?;
                }
                tag::NAME | tag::TAG => self.key(&mut reader)?,
                tag::STATUS_MESSAGE | tag::TRACE_STATE => self.budget.text(reader.sized()?)?,
                tag::INPUT | tag::OUTPUT => self.value(&mut reader, 0)?,
                tag::EVENT => {
                    let mut inner = Reader::new(reader.sized()?);
                    inner.take(8)?;
                    self.key(&mut inner)?;
                    self.attributes(inner)?;
                }
                tag::LINK => {
                    let mut inner = Reader::new(reader.sized()?);
                    inner.take(26)?;
                    self.budget.text(inner.sized()?)?;
                    self.attributes(inner)?;
                }
                tag::DROPPED => drop(reader.take(12)?),
                tag::PAD | tag::SKIPPABLE.. => drop(reader.sized()?),
                other => return Err(FrameError::Unknown(other)),
            }
        }
        Ok(())
    }

    #[inline]
    fn key(&mut self, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        let word = reader.u16()?;
        if word < key::STATIC {
            return self.budget.text(reader.take(usize::from(word))?);
        }
        if word < key::ENTRY {
            let found = keys::static_key(word - key::STATIC).ok_or(FrameError::Reference(word))?;
            return self.budget.spend(found.len());
        }
        self.entry(word - key::ENTRY, word, reader.rest())
    }

    /// A reference to the table, which stands in the two bytes before what is left.
    #[inline]
    fn entry(&mut self, index: u16, word: u16, rest: &[u8]) -> Result<(), FrameError> {
        let found = self.table.get(index).ok_or(FrameError::Reference(word))?;
        if self.table.is_noticed(index) {
            self.noticed.push((rest.as_ptr() as usize).saturating_sub(self.begin + 2));
        }
        // It was checked when it was defined.
        self.budget.spend(found.len())
    }

    /// The attributes of an event or link, behind the number of those that were left out.
    fn attributes(&mut self, mut inner: Reader<'_>) -> Result<(), FrameError> {
        inner.take(4)?;
        for _ in 0..inner.u16()? {
            self.key(&mut inner)?;
            self.value(&mut inner, 0)?;
        }
        Ok(())
    }

    /// A value that stands in `depth` arrays and maps.
    #[inline]
    fn value(&mut self, reader: &mut Reader<'_>, depth: usize) -> Result<(), FrameError> {
        match reader.u8()? {
            kind::STR => self.budget.text(reader.sized()?),
            kind::I64 | kind::F64 => reader.take(8).map(drop),
            kind::NULL | kind::FALSE | kind::TRUE => Ok(()),
            kind::BYTES => reader.sized().map(drop),
            kind::STR_ENTRY => {
                let index = reader.u16()?;
                self.entry(index, index, reader.rest())
            }
            kind::ARRAY => self.items(reader.sized()?, depth, false),
            kind::MAP => self.items(reader.sized()?, depth, true),
            other => Err(FrameError::Unknown(other)),
        }
    }

    fn items(&mut self, bytes: &[u8], depth: usize, named: bool) -> Result<(), FrameError> {
        let mut inner = Reader::new(bytes);
        let count = inner.u32()?;
        if depth >= MAX_DEPTH {
            return Err(FrameError::Depth);
        }
        for _ in 0..count {
            if named {
                self.key(&mut inner)?;
            }
            self.value(&mut inner, depth + 1)?;
        }
        Ok(())
    }
}

/// How much text may still be read out of a frame: three bytes that refer to the string table can stand for
/// 64 KiB, and a short frame must not become gigabytes.
#[derive(Debug)]
pub struct TextBudget(usize);

impl TextBudget {
    /// For a frame of so many bytes.
    pub const fn of(frame: usize) -> Self {
        Self::longer_by(frame, MAX_EXPANSION)
    }

    /// For a record whose texts were counted before.
    pub(crate) const fn unbounded() -> Self {
        Self(usize::MAX)
    }

    /// For a frame of so many bytes whose texts may be so much longer.
    pub const fn longer_by(frame: usize, more: usize) -> Self {
        Self(frame.saturating_add(more))
    }

    #[inline]
    fn spend(&mut self, bytes: usize) -> Result<(), FrameError> {
        self.0 = self.0.checked_sub(bytes).ok_or(FrameError::Expansion)?;
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        self.spend(bytes.len())?;
        // Nearly all texts are, and to see it is several times as quick.
        if bytes.is_ascii() {
            return Ok(());
        }
        core::str::from_utf8(bytes).map(drop).map_err(|_| FrameError::Utf8)
    }
}
