//! Where a record refers to the string table of its frame: what stands in there is not among the bytes of the record,
//! and whoever looks through these has to be told.
//!
//! Called by the redaction for spans of frames whose table has entries that it notices.

use super::reader::Reader;
use super::view::SpanView;
use super::{FrameError, MAX_DEPTH, key, kind, tag};

impl SpanView<'_> {
    /// Appends the places, in bytes of the fields and in order, of all references to entries that are noticed.
    ///
    /// # Errors
    /// The first [`FrameError`] met; behind it there may be more of them.
    pub(crate) fn noticed_references(&self, places: &mut Vec<usize>) -> Result<(), FrameError> {
        let mut walk = Walk { span: self, places };
        let mut reader = self.fields;
        while !reader.is_empty() {
            match reader.u8()? {
                tag::ATTRIBUTE | tag::METADATA => {
                    walk.key(&mut reader)?;
                    walk.value(&mut reader, 0)?;
                }
                tag::NAME | tag::TAG => walk.key(&mut reader)?,
                tag::INPUT | tag::OUTPUT => walk.value(&mut reader, 0)?,
                tag::EVENT => {
                    let mut inner = Reader::new(reader.sized()?);
                    inner.take(8)?;
                    walk.key(&mut inner)?;
                    walk.attributes(inner)?;
                }
                tag::LINK => {
                    let mut inner = Reader::new(reader.sized()?);
                    inner.take(26)?;
                    inner.sized()?;
                    walk.attributes(inner)?;
                }
                tag::DROPPED => drop(reader.take(12)?),
                tag::STATUS_MESSAGE | tag::TRACE_STATE | tag::PAD | tag::SKIPPABLE.. => drop(reader.sized()?),
                other => return Err(FrameError::Unknown(other)),
            }
        }
        Ok(())
    }
}

struct Walk<'s, 'a> {
    span: &'s SpanView<'a>,
    places: &'s mut Vec<usize>,
}

impl Walk<'_, '_> {
    /// Notes a reference that stands before what is left.
    fn reference(&mut self, index: u16, rest: &[u8]) {
        if self.span.table.is_noticed(index) {
            let begin = self.span.field_bytes().as_ptr() as usize;
            self.places.push((rest.as_ptr() as usize).saturating_sub(begin + 2));
        }
    }

    #[inline]
    fn key(&mut self, reader: &mut Reader<'_>) -> Result<(), FrameError> {
        let word = reader.u16()?;
        if word < key::STATIC {
            reader.take(usize::from(word))?;
        } else if word >= key::ENTRY {
            self.reference(word - key::ENTRY, reader.rest());
        }
        Ok(())
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
            kind::STR | kind::BYTES => drop(reader.sized()?),
            kind::I64 | kind::F64 => drop(reader.take(8)?),
            kind::NULL | kind::FALSE | kind::TRUE => {}
            kind::STR_ENTRY => {
                let index = reader.u16()?;
                self.reference(index, reader.rest());
            }
            kind @ (kind::ARRAY | kind::MAP) => {
                let mut inner = Reader::new(reader.sized()?);
                if depth >= MAX_DEPTH {
                    return Err(FrameError::Depth);
                }
                for _ in 0..inner.u32()? {
                    if kind == kind::MAP {
                        self.key(&mut inner)?;
                    }
                    self.value(&mut inner, depth + 1)?;
                }
            }
            other => return Err(FrameError::Unknown(other)),
        }
        Ok(())
    }
}
