//! Frame v1: the bytes in which every span enters the engine, whatever the language.
//!
//! `docs/frame.md` specifies the layout. [`mod@write`] is used by whoever ends a span, [`view`] reads a record
//! in place for the stages of the pipeline, [`batch`] takes apart a frame of many events that another
//! language or process wrote, [`check`] says whether its spans can be read, [`sift`] lets through what strangers may say, and
//! [`record`] makes an owned object where one is needed.

pub mod batch;
pub mod check;
pub mod copy;
pub(crate) mod extent;
pub mod keys;
mod known;
mod reader;
pub mod record;
pub mod sift;
mod skim;
pub mod unsampled;
pub mod view;
pub mod write;

pub use known::KnownKey;

use core::fmt;

/// The version written into every event header.
pub const VERSION: u8 = 1;

/// Bytes of the header before each event: body length (u32), kind (u8), version (u8), engine slot (u16).
pub const EVENT_HEADER: usize = 8;

/// Bytes of the fixed head that opens the body of a span event.
pub const SPAN_HEAD: usize = 64;

/// Where the fields of a span begin, counted from the start of its event.
pub const FIELDS_AT: usize = EVENT_HEADER + SPAN_HEAD;

/// Values nested deeper than this are refused by the decoder and cut by the writer.
pub const MAX_DEPTH: usize = 64;

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum EventKind {
    /// A span was started; its record so far.
    SpanStarted = 1,
    /// An open span changed; its record so far.
    SpanUpdated = 2,
    /// A span ended; its whole record.
    SpanEnded = 3,
    /// A log record. Its bytes are those of a span, so that the stages which redact and limit spans take it too.
    Log = 4,
    /// A span ended that sampling left out: what metrics count of it ([`unsampled`]).
    Unsampled = 5,
    /// Defines the next entry of the frame's string table.
    StringEntry = 16,
    /// A frame of many events as a host batched it, with how many spans it announces (u32) before it.
    Frame = 17,
}

impl EventKind {
    /// Reads the wire value; `None` for a kind that this version does not know and skips.
    pub const fn from_wire(value: u8) -> Option<Self> {
        match value {
            1 => Some(Self::SpanStarted),
            2 => Some(Self::SpanUpdated),
            3 => Some(Self::SpanEnded),
            4 => Some(Self::Log),
            5 => Some(Self::Unsampled),
            16 => Some(Self::StringEntry),
            17 => Some(Self::Frame),
            _ => None,
        }
    }
}

/// Tags of the fields that follow the fixed head. Tags of 64 and above carry a u32 length and are skipped
/// by readers that do not know them.
pub(crate) mod tag {
    /// Filler: u32 length, then that many bytes without meaning (a replaced field).
    pub const PAD: u8 = 0;
    pub const NAME: u8 = 1;
    pub const STATUS_MESSAGE: u8 = 2;
    pub const TRACE_STATE: u8 = 3;
    pub const ATTRIBUTE: u8 = 4;
    pub const EVENT: u8 = 5;
    pub const LINK: u8 = 6;
    pub const INPUT: u8 = 7;
    pub const OUTPUT: u8 = 8;
    pub const METADATA: u8 = 9;
    pub const TAG: u8 = 10;
    pub const DROPPED: u8 = 11;
    /// From here on every field starts with its u32 length.
    pub const SKIPPABLE: u8 = 64;
}

/// Type bytes of values.
pub(crate) mod kind {
    pub const NULL: u8 = 0;
    pub const FALSE: u8 = 1;
    pub const TRUE: u8 = 2;
    pub const I64: u8 = 3;
    pub const F64: u8 = 4;
    pub const STR: u8 = 5;
    pub const BYTES: u8 = 6;
    pub const ARRAY: u8 = 7;
    pub const MAP: u8 = 8;
    /// Text by its index in the frame's string table.
    pub const STR_ENTRY: u8 = 9;
}

/// How a key or name is written: a u16 that is an inline length, a static id or a table index.
pub(crate) mod key {
    /// Inline keys are at most this long.
    pub const MAX_INLINE: usize = 0x7fff;
    /// Marks a static id ([`super::keys`]).
    pub const STATIC: u16 = 0x8000;
    /// Marks an index into the frame's string table.
    pub const ENTRY: u16 = 0xc000;
}

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The bytes end inside something.
    Truncated,
    /// The header names a version that this decoder does not read.
    Version(u8),
    /// A tag below 64, or a type byte, that version 1 does not define.
    Unknown(u8),
    /// A key or text refers to a table entry or static id that does not exist.
    Reference(u16),
    /// Text is not UTF-8.
    Utf8,
    /// Values nest deeper than [`MAX_DEPTH`].
    Depth,
    /// The string table is over 1,024 entries or 64 KiB.
    Table,
    /// References to the string table stand for more than 16 MiB.
    Expansion,
    /// A trace or span id is all zeros.
    Id,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the frame ends inside a field"),
            Self::Version(version) => write!(f, "frame version {version} is not known (expected {VERSION})"),
            Self::Unknown(byte) => write!(f, "byte {byte} is no tag or type of frame version {VERSION}"),
            Self::Reference(index) => write!(f, "the string reference {index:#06x} points nowhere"),
            Self::Utf8 => f.write_str("text in the frame is not UTF-8"),
            Self::Depth => write!(f, "values nest deeper than {MAX_DEPTH}"),
            Self::Table => f.write_str("the string table is over 1,024 entries or 64 KiB"),
            Self::Expansion => f.write_str("references to the string table stand for more than 16 MiB"),
            Self::Id => f.write_str("a trace or span id is all zeros"),
        }
    }
}

impl core::error::Error for FrameError {}
