//! Whether bytes are a frame: what hosts and strangers hand in is walked once before anything reads it.
//!
//! Called by the export thread for each span of a frame that a host batched; spans recorded in this process
//! need it not.

use super::FrameError;
use super::batch::MAX_EXPANSION;
use super::view::{Attributes, Field, SpanView, ValueView, read_field, read_value};

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
        let head = self.head();
        if !head.trace_id.is_valid() || !head.span_id.is_valid() {
            return Err(FrameError::Id);
        }
        self.check_fields(budget)
    }

    /// The same for a log record, which need not belong to a span.
    ///
    /// # Errors
    /// The first [`FrameError`] met.
    pub fn check_fields(&self, budget: &mut TextBudget) -> Result<(), FrameError> {
        let mut reader = self.fields;
        while !reader.is_empty() {
            match read_field(&mut reader, self.table)? {
                Field::Name(bytes)
                | Field::StatusMessage(bytes)
                | Field::TraceState(bytes)
                | Field::Tag(bytes) => budget.text(bytes)?,
                Field::Attribute(name, value) | Field::Metadata(name, value) => {
                    budget.text(name)?;
                    budget.value(value)?;
                }
                Field::Input(value) | Field::Output(value) => budget.value(value)?,
                Field::Event(event) => {
                    let event = event.event()?;
                    budget.text(event.name)?;
                    budget.attributes(event.attributes)?;
                }
                Field::Link(link) => {
                    let link = link.link()?;
                    budget.text(link.trace_state)?;
                    budget.attributes(link.attributes)?;
                }
                Field::Dropped { .. } | Field::Skipped => {}
            }
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

    /// For a frame of so many bytes whose texts may be so much longer.
    pub const fn longer_by(frame: usize, more: usize) -> Self {
        Self(frame.saturating_add(more))
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(FrameError::Expansion)?;
        // Nearly all texts are, and to see it is several times as quick.
        if bytes.is_ascii() {
            return Ok(());
        }
        core::str::from_utf8(bytes).map(drop).map_err(|_| FrameError::Utf8)
    }

    fn attributes(&mut self, attributes: Attributes<'_>) -> Result<(), FrameError> {
        let Attributes { mut reader, count, table } = attributes;
        for _ in 0..count {
            self.text(reader.key(table)?)?;
            self.value(read_value(&mut reader, table, 0)?)?;
        }
        Ok(())
    }

    fn value(&mut self, value: ValueView<'_>) -> Result<(), FrameError> {
        let (items, named) = match value {
            ValueView::Str(bytes) => return self.text(bytes),
            ValueView::Array(items) => (items, false),
            ValueView::Map(items) => (items, true),
            _ => return Ok(()),
        };
        let (count, mut reader, table) = items.split();
        for _ in 0..count {
            if named {
                self.text(reader.key(table)?)?;
            }
            self.value(read_value(&mut reader, table, items.depth)?)?;
        }
        Ok(())
    }
}
