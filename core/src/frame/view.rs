//! Reading a span's record in place: the fixed head, then the fields, then values, all without copying.
//!
//! The stages of the pipeline and the exporters' encoders read through these views. Iterators stop at the
//! first byte that does not fit; [`SpanView::check`] tells beforehand whether they will.

use std::borrow::Cow;

use super::batch::{NO_STRINGS, StringTable};
use super::reader::Reader;
use super::write::Head;
use super::{FrameError, MAX_DEPTH, SPAN_HEAD, kind, tag};
use crate::context::{SpanContext, TraceFlags, TraceState};
use crate::id::{SpanId, TraceId};
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};
use crate::value::{OwnedValue, Value};

/// Text of a record, with bytes that are not UTF-8 replaced (only unchecked strangers' bytes have any).
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    // Checking first is several times as quick as looking for what to replace.
    core::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// So many tags of a trace are kept apart from their likes; more of them are strangers' play, and are taken as they come.
const DISTINCT_TAGS: usize = 64;

/// Adds a tag to those of a trace, once: one may come from the engine's configuration, a context and a span.
#[inline]
pub(crate) fn add_tag<T: PartialEq>(tags: &mut Vec<T>, tag: T) {
    if tags.len() >= DISTINCT_TAGS || !tags.contains(&tag) {
        tags.push(tag);
    }
}

/// A value inside a record.
#[derive(Debug, Clone, Copy)]
pub enum ValueView<'a> {
    /// An absent value.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    I64(i64),
    /// A double.
    F64(f64),
    /// UTF-8 text.
    Str(&'a [u8]),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// A list.
    Array(Items<'a>),
    /// A mapping.
    Map(Items<'a>),
}

/// The items of an array or map.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    /// The item count, then the items.
    bytes: &'a [u8],
    table: &'a StringTable<'a>,
    /// How many arrays and maps it stands in, itself among them: at most [`MAX_DEPTH`], so that no reader
    /// of values can be led deeper, not even of bytes that were never checked.
    pub(super) depth: usize,
}

impl<'a> Items<'a> {
    /// The count, the items, and the table they refer to.
    pub(super) fn split(self) -> (u32, Reader<'a>, &'a StringTable<'a>) {
        let mut reader = Reader::new(self.bytes);
        (reader.u32().unwrap_or(0), reader, self.table)
    }

    /// The bytes they stand in.
    pub(crate) fn raw(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many items there are.
    pub fn len(&self) -> u32 {
        self.split().0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of an array.
    pub fn values(self) -> impl Iterator<Item = ValueView<'a>> {
        let (count, mut reader, table) = self.split();
        (0..count).map_while(move |_| read_value(&mut reader, table, self.depth).ok())
    }

    /// The entries of a map.
    pub fn entries(self) -> impl Iterator<Item = (&'a [u8], ValueView<'a>)> {
        let (count, mut reader, table) = self.split();
        (0..count).map_while(move |_| {
            let name = reader.key(table).ok()?;
            Some((name, read_value(&mut reader, table, self.depth).ok()?))
        })
    }
}

impl ValueView<'_> {
    /// Copies the value out.
    pub fn to_value(self) -> OwnedValue {
        match self {
            ValueView::Null => Value::Null,
            ValueView::Bool(value) => Value::Bool(value),
            ValueView::I64(value) => Value::I64(value),
            ValueView::F64(value) => Value::F64(value),
            ValueView::Str(bytes) => Value::Str(Cow::Owned(text(bytes).into_owned())),
            ValueView::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.to_vec())),
            ValueView::Array(items) => Value::Array(items.values().map(ValueView::to_value).collect()),
            ValueView::Map(items) => Value::Map(
                items
                    .entries()
                    .map(|(name, value)| (Cow::Owned(text(name).into_owned()), value.to_value()))
                    .collect(),
            ),
        }
    }
}

/// Reads a value that stands in `depth` arrays and maps.
#[inline(always)]
pub(super) fn read_value<'a>(
    reader: &mut Reader<'a>,
    table: &'a StringTable<'a>,
    depth: usize,
) -> Result<ValueView<'a>, FrameError> {
    Ok(match reader.u8()? {
        kind::STR => ValueView::Str(reader.sized()?),
        kind::I64 => ValueView::I64(reader.u64()? as i64),
        kind::F64 => ValueView::F64(f64::from_bits(reader.u64()?)),
        kind::FALSE => ValueView::Bool(false),
        kind::TRUE => ValueView::Bool(true),
        kind::NULL => ValueView::Null,
        kind::BYTES => ValueView::Bytes(reader.sized()?),
        kind::ARRAY => ValueView::Array(read_items(reader, table, depth)?),
        kind::MAP => ValueView::Map(read_items(reader, table, depth)?),
        kind::STR_ENTRY => {
            let index = reader.u16()?;
            ValueView::Str(table.get(index).ok_or(FrameError::Reference(index))?)
        }
        other => return Err(FrameError::Unknown(other)),
    })
}

/// Reads a value that stands alone: its bytes, and no string table.
pub(crate) fn read_alone(bytes: &[u8]) -> Option<ValueView<'_>> {
    read_value(&mut Reader::new(bytes), &NO_STRINGS, 0).ok()
}

#[inline]
fn read_items<'a>(
    reader: &mut Reader<'a>,
    table: &'a StringTable<'a>,
    depth: usize,
) -> Result<Items<'a>, FrameError> {
    let bytes = reader.sized()?;
    if bytes.len() < 4 {
        return Err(FrameError::Truncated);
    }
    if depth >= MAX_DEPTH {
        return Err(FrameError::Depth);
    }
    Ok(Items { bytes, table, depth: depth + 1 })
}

/// Attributes of an event or link.
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) count: u16,
    pub(super) table: &'a StringTable<'a>,
}

impl<'a> Attributes<'a> {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes they stand in, to the end of the event or link.
    pub(crate) const fn raw(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// Goes through keys and values in the order they were set, as [`SpanView::walk`] through fields.
    #[inline(always)]
    pub(crate) fn each(self, mut each: impl FnMut(&'a [u8], ValueView<'a>)) {
        let Attributes { mut reader, count, table } = self;
        for _ in 0..count {
            let Ok(name) = reader.key(table) else { return };
            let Ok(value) = read_value(&mut reader, table, 0) else { return };
            each(name, value);
        }
    }

    /// Keys and values in the order they were set.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], ValueView<'a>)> {
        let Attributes { mut reader, count, table } = self;
        (0..count).map_while(move |_| {
            let name = reader.key(table).ok()?;
            Some((name, read_value(&mut reader, table, 0).ok()?))
        })
    }
}

/// An event of a span.
#[derive(Debug, Clone, Copy)]
pub struct EventView<'a> {
    /// When it happened, in nanoseconds since the Unix epoch.
    pub time_unix_nanos: u64,
    /// Its name.
    pub name: &'a [u8],
    /// Attributes that were left out.
    pub dropped_attributes: u32,
    /// Its attributes.
    pub attributes: Attributes<'a>,
}

/// A link of a span.
#[derive(Debug, Clone, Copy)]
pub struct LinkView<'a> {
    /// The trace linked to.
    pub trace_id: TraceId,
    /// The span linked to.
    pub span_id: SpanId,
    /// Its trace flags.
    pub trace_flags: TraceFlags,
    /// Whether it lives in another process.
    pub remote: bool,
    /// Its tracestate header text.
    pub trace_state: &'a [u8],
    /// Attributes that were left out.
    pub dropped_attributes: u32,
    /// Its attributes.
    pub attributes: Attributes<'a>,
}

impl LinkView<'_> {
    /// The span linked to.
    pub(crate) fn target(&self) -> SpanContext {
        SpanContext {
            trace_id: self.trace_id,
            span_id: self.span_id,
            flags: self.trace_flags,
            state: TraceState::from_valid(&text(self.trace_state)),
            remote: self.remote,
        }
    }
}

/// An event or link as it stands in the record, so that walking the fields costs nothing for them.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    bytes: &'a [u8],
    table: &'a StringTable<'a>,
}

impl<'a> Packed<'a> {
    /// Reads it as an event.
    ///
    /// # Errors
    /// [`FrameError`] when it is none.
    pub fn event(self) -> Result<EventView<'a>, FrameError> {
        let Self { bytes, table } = self;
        let mut reader = Reader::new(bytes);
        let time_unix_nanos = reader.u64()?;
        let name = reader.key(table)?;
        let dropped_attributes = reader.u32()?;
        let attributes = Attributes { count: reader.u16()?, reader, table };
        Ok(EventView { time_unix_nanos, name, dropped_attributes, attributes })
    }

    /// Reads it as a link.
    ///
    /// # Errors
    /// [`FrameError`] when it is none.
    pub fn link(self) -> Result<LinkView<'a>, FrameError> {
        let Self { bytes, table } = self;
        let mut reader = Reader::new(bytes);
        let trace_id = TraceId::from_bytes(reader.array()?);
        let span_id = SpanId::from_bytes(reader.array()?);
        let trace_flags = TraceFlags::from_bits(reader.u8()?);
        let remote = reader.u8()? != 0;
        let trace_state = reader.sized()?;
        let dropped_attributes = reader.u32()?;
        let attributes = Attributes { count: reader.u16()?, reader, table };
        Ok(LinkView { trace_id, span_id, trace_flags, remote, trace_state, dropped_attributes, attributes })
    }
}

/// One field of a span's record.
#[derive(Debug, Clone, Copy)]
pub enum Field<'a> {
    /// The name; the last one counts.
    Name(&'a [u8]),
    /// The status description; the last one counts.
    StatusMessage(&'a [u8]),
    /// The tracestate header text.
    TraceState(&'a [u8]),
    /// An attribute; the last one of a key counts.
    Attribute(&'a [u8], ValueView<'a>),
    /// An event, still packed.
    Event(Packed<'a>),
    /// A link, still packed.
    Link(Packed<'a>),
    /// The input; the last one counts.
    Input(ValueView<'a>),
    /// The output; the last one counts.
    Output(ValueView<'a>),
    /// A piece of metadata; the last one of a key counts.
    Metadata(&'a [u8], ValueView<'a>),
    /// A tag of the trace.
    Tag(&'a [u8]),
    /// What the recording side left out; counts of several such fields add up.
    Dropped {
        /// Attributes left out.
        attributes: u32,
        /// Events left out.
        events: u32,
        /// Links left out.
        links: u32,
    },
    /// Filler, or a field of a later version.
    Skipped,
}

/// A span's record.
#[derive(Debug, Clone, Copy)]
pub struct SpanView<'a> {
    head: Head,
    pub(super) fields: Reader<'a>,
    pub(super) table: &'a StringTable<'a>,
    /// Where the fields refer to what is noticed in the table, as far as somebody has looked.
    noticed: Option<&'a [usize]>,
}

impl<'a> SpanView<'a> {
    /// Reads the body (without its header) of an event that stands alone.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] when the head is not whole.
    #[inline]
    pub fn new(body: &'a [u8]) -> Result<Self, FrameError> {
        Self::in_frame(body, &NO_STRINGS)
    }

    /// Reads the body of an event that stands in a frame with that string table.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] when the head is not whole.
    #[inline]
    pub fn in_frame(body: &'a [u8], table: &'a StringTable<'a>) -> Result<Self, FrameError> {
        let (head, fields) = body.split_first_chunk::<SPAN_HEAD>().ok_or(FrameError::Truncated)?;
        let mut reader = Reader::new(head);
        let head = Head {
            trace_id: TraceId::from_bytes(reader.array()?),
            span_id: SpanId::from_bytes(reader.array()?),
            parent_span_id: SpanId::from_bytes(reader.array()?),
            start_unix_nanos: reader.u64()?,
            end_unix_nanos: reader.u64()?,
            trace_flags: TraceFlags::from_bits(reader.u8()?),
            kind: SpanKind::from_wire(reader.u8()?),
            status: StatusCode::from_wire(reader.u8()?),
            severity: reader.u8()?,
            span_type: SpanType::from_wire(reader.u16()?),
            flags: SpanFlags::from_bits(reader.u16()?),
            scope: reader.u32()?,
        };
        Ok(Self { head, fields: Reader::new(fields), table, noticed: None })
    }

    /// The same record with other flags.
    #[must_use]
    pub(crate) const fn with_flags(mut self, flags: SpanFlags) -> Self {
        self.head.flags = flags;
        self
    }

    /// The same record, with what a check has found that is noticed in the table of its frame.
    #[must_use]
    pub(crate) const fn with_noticed(mut self, noticed: &'a [usize]) -> Self {
        self.noticed = Some(noticed);
        self
    }

    /// Where the fields refer to what is noticed in the table; `None` where nobody has looked.
    pub(crate) const fn noticed(&self) -> Option<&'a [usize]> {
        if self.table.has_noticed() { self.noticed } else { Some(&[]) }
    }

    /// The fixed head.
    #[inline]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The size of the record's fields in bytes.
    #[inline]
    pub const fn fields_len(&self) -> usize {
        self.fields.rest().len()
    }

    /// The bytes of the fields, if they mean the same outside of their frame.
    pub(super) const fn plain_fields(&self) -> Option<&'a [u8]> {
        if self.table.is_empty() { Some(self.fields.rest()) } else { None }
    }

    /// The bytes of the fields, whether or not they refer to the string table of a frame.
    pub(crate) const fn field_bytes(&self) -> &'a [u8] {
        self.fields.rest()
    }

    /// What its fields may refer to.
    pub(crate) const fn table(&self) -> &'a StringTable<'a> {
        self.table
    }

    /// The fields in the order they were written.
    #[inline]
    pub const fn fields(&self) -> Fields<'a> {
        Fields { reader: self.fields, table: self.table }
    }

    /// Goes through the fields in the order they were written. Quicker than by [`SpanView::fields`] where attributes
    /// are what matters, as they are not put together only to be taken apart; most of them are texts.
    #[inline(always)]
    pub(crate) fn walk(&self, to: &mut impl Walker<'a>) {
        let mut reader = self.fields;
        while !reader.is_empty() {
            let mut behind = reader;
            if let Ok(tag::ATTRIBUTE) = behind.u8() {
                let Ok(name) = behind.key(self.table) else { return };
                let mut value = behind;
                if let Ok(kind::STR) = value.u8() {
                    let Ok(text) = value.sized() else { return };
                    to.attribute(name, ValueView::Str(text));
                    reader = value;
                } else {
                    let Ok(value) = read_value(&mut behind, self.table, 0) else { return };
                    to.attribute(name, value);
                    reader = behind;
                }
            } else {
                let Ok(field) = read_field(&mut reader, self.table) else { return };
                to.field(field);
            }
        }
    }

    /// The fields with the raw bytes that each occupies, for a stage that copies what it keeps.
    #[inline]
    pub fn raw_fields(&self) -> impl Iterator<Item = (&'a [u8], Field<'a>)> {
        let table = self.table;
        let mut reader = self.fields;
        core::iter::from_fn(move || {
            let before = reader.rest();
            let field = read_field(&mut reader, table).ok()?;
            Some((before.get(..before.len() - reader.rest().len())?, field))
        })
    }
}

/// What [`SpanView::walk`] hands the fields to.
pub(crate) trait Walker<'a> {
    /// An attribute of the span.
    fn attribute(&mut self, name: &'a [u8], value: ValueView<'a>);

    /// Any other field.
    fn field(&mut self, field: Field<'a>);
}

/// Iterates over the fields of a record.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    reader: Reader<'a>,
    table: &'a StringTable<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        if self.reader.is_empty() {
            return None;
        }
        read_field(&mut self.reader, self.table).ok()
    }
}

#[inline(always)]
pub(super) fn read_field<'a>(
    reader: &mut Reader<'a>,
    table: &'a StringTable<'a>,
) -> Result<Field<'a>, FrameError> {
    Ok(match reader.u8()? {
        tag::ATTRIBUTE => {
            let name = reader.key(table)?;
            Field::Attribute(name, read_value(reader, table, 0)?)
        }
        tag::NAME => Field::Name(reader.key(table)?),
        tag::STATUS_MESSAGE => Field::StatusMessage(reader.sized()?),
        tag::TRACE_STATE => Field::TraceState(reader.sized()?),
        tag::EVENT => Field::Event(Packed { bytes: reader.sized()?, table }),
        tag::LINK => Field::Link(Packed { bytes: reader.sized()?, table }),
        tag::INPUT => Field::Input(read_value(reader, table, 0)?),
        tag::OUTPUT => Field::Output(read_value(reader, table, 0)?),
        tag::METADATA => {
            let name = reader.key(table)?;
            Field::Metadata(name, read_value(reader, table, 0)?)
        }
        tag::TAG => Field::Tag(reader.key(table)?),
        tag::DROPPED => {
            Field::Dropped { attributes: reader.u32()?, events: reader.u32()?, links: reader.u32()? }
        }
        tag::PAD | tag::SKIPPABLE.. => {
            reader.sized()?;
            Field::Skipped
        }
        other => return Err(FrameError::Unknown(other)),
    })
}
