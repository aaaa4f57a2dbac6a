//! The coarse cut on the recording thread: what of a value is written at all, so that a huge object costs its
//! caller what is kept of it and no more.
//!
//! Open spans write values of the crate through it, and bindings the objects of their language, so that both
//! leave the same markers. It is coarser than the limits behind redaction ([`crate::config::ContentLimits`])
//! wherever a finer cut could hide a secret from the rules: texts are cut by bytes only, and maps keep some keys
//! more. Arrays keep an item more, so that those limits see what is missing and count it once.

use std::borrow::Cow;

use crate::config::{CaptureLimits, ContentLimits, ResolvedConfig};
use crate::cut;
use crate::frame::write::{self, Container};
use crate::frame::{KnownKey, key};
use crate::value::Value;

/// Keys that are kept beyond the limit until redaction has seen them: one may name what is under another.
const SPARE_KEYS: usize = 50;
/// Items that are kept beyond the limit: the marker of an array that was cut before may be one.
const SPARE_ITEMS: usize = 1;
/// What each value counts at least, so that a million of nothing is not taken for little.
const LEAST: usize = 8;

/// How much of a value is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptureBounds {
    /// Bytes of one value.
    pub value_bytes: usize,
    /// Bytes of one span.
    pub span_bytes: usize,
    /// How deep arrays and maps nest, the outermost being at depth 0.
    pub depth: usize,
    /// Items of an array.
    pub array_items: usize,
    /// Keys of a map.
    pub object_keys: usize,
    /// Whether inputs and outputs are recorded.
    pub io: bool,
}

impl CaptureBounds {
    #[inline]
    pub(crate) fn of(config: &ResolvedConfig) -> Self {
        Self::from_limits(config.capture, config.content, !config.unrecorded.io)
    }

    #[inline]
    const fn from_limits(capture: CaptureLimits, content: ContentLimits, io: bool) -> Self {
        Self {
            value_bytes: capture.value_bytes,
            span_bytes: capture.span_bytes,
            depth: content.depth,
            array_items: content.array_items.saturating_add(SPARE_ITEMS),
            object_keys: content.object_keys.saturating_add(SPARE_KEYS),
            io,
        }
    }
}

impl Default for CaptureBounds {
    fn default() -> Self {
        Self::from_limits(CaptureLimits::default(), ContentLimits::DEFAULT, true)
    }
}

/// Writes one value within the bounds.
#[derive(Debug)]
pub struct CaptureWriter<'b> {
    buf: &'b mut Vec<u8>,
    bounds: CaptureBounds,
    spent: usize,
    cuts: Cuts,
}

/// What was not captured as it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cuts {
    /// Texts, bytes and structures that were too large, keys that were too long.
    pub altered: u64,
    /// What the limits on content would have cut.
    pub limited: u64,
}

impl core::ops::AddAssign for Cuts {
    fn add_assign(&mut self, more: Self) {
        self.altered += more.altered;
        self.limited += more.limited;
    }
}

impl<'b> CaptureWriter<'b> {
    /// One that appends exactly one value to `buf`.
    #[inline]
    pub fn new(buf: &'b mut Vec<u8>, bounds: CaptureBounds) -> Self {
        Self { buf, bounds, spent: 0, cuts: Cuts::default() }
    }

    /// What had to be cut.
    #[inline]
    pub fn cuts(&self) -> Cuts {
        self.cuts
    }

    /// Counts something the caller had to change.
    pub fn count_altered(&mut self) {
        self.cuts.altered += 1;
    }

    /// The bounds it keeps to.
    #[inline]
    pub fn bounds(&self) -> &CaptureBounds {
        &self.bounds
    }

    /// Bytes that may still be written.
    #[inline]
    pub fn room(&self) -> usize {
        self.bounds.value_bytes.saturating_sub(self.spent)
    }

    /// An absent value.
    #[inline]
    pub fn null(&mut self) {
        self.spent += LEAST;
        write::put_null(self.buf);
    }

    /// A truth value.
    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.spent += LEAST;
        write::put_bool(self.buf, value);
    }

    /// An integer.
    #[inline]
    pub fn i64(&mut self, value: i64) {
        self.spent += LEAST;
        write::put_i64(self.buf, value);
    }

    /// A double.
    #[inline]
    pub fn f64(&mut self, value: f64) {
        self.spent += LEAST;
        write::put_f64(self.buf, value);
    }

    /// A text, cut where it is too long.
    #[inline]
    pub fn text(&mut self, text: &str) {
        if text.len() > self.room() {
            return self.long_text(text);
        }
        self.spent += LEAST + text.len();
        write::put_str(self.buf, text);
    }

    /// The beginning of a text that goes on.
    #[cold]
    pub fn long_text(&mut self, beginning: &str) {
        let mut shown = write::cut(beginning, self.room()).to_owned();
        shown.push_str(cut::TRUNCATED);
        self.spent += LEAST + shown.len();
        self.cuts.altered += 1;
        write::put_str(self.buf, &shown);
    }

    /// Bytes; nothing but their number where they are too many.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() > self.room() {
            return self.long_bytes(bytes.len());
        }
        self.spent += LEAST + bytes.len();
        write::put_bytes(self.buf, bytes);
    }

    /// So many bytes that they are not even looked at.
    #[cold]
    pub fn long_bytes(&mut self, length: usize) {
        self.cuts.altered += 1;
        self.marker(&cut::bytes_length(length));
    }

    /// A text that says what stands here.
    pub fn marker(&mut self, text: &str) {
        self.spent += LEAST + text.len();
        write::put_str(self.buf, text);
    }

    /// Opens an array of `length` items that stands in `depth` others; where it nests too deeply, its marker is
    /// all that is written, and `None` says so. For each item [`Captured::next`] says whether to write it.
    #[inline]
    pub fn array(&mut self, depth: usize, length: usize) -> Option<Captured> {
        self.open(depth, length, self.bounds.array_items, Container::array)
    }

    /// Opens a map likewise: an item is [`CaptureWriter::key`] and a value.
    #[inline]
    pub fn map(&mut self, depth: usize, length: usize) -> Option<Captured> {
        self.open(depth, length, self.bounds.object_keys, Container::map)
    }

    #[inline]
    fn open(
        &mut self,
        depth: usize,
        length: usize,
        limit: usize,
        container: impl FnOnce(&mut Vec<u8>) -> Container,
    ) -> Option<Captured> {
        self.spent += LEAST;
        if depth > self.bounds.depth {
            self.cuts.limited += 1;
            self.marker(cut::MAX_DEPTH);
            return None;
        }
        Some(Captured { container: container(self.buf), length, limit, written: 0 })
    }

    /// The key of the next value of a map.
    #[inline]
    pub fn key(&mut self, name: &str) {
        self.spent += name.len();
        self.cuts.altered += u64::from(name.len() > key::MAX_INLINE);
        write::put_key(self.buf, name);
    }

    /// The same of a key that has been written before.
    #[inline]
    pub fn known_key(&mut self, key: &KnownKey) {
        self.spent += key.length();
        key.put(self.buf);
    }

    /// Closes an array, with a marker where it has more items than were written.
    #[inline]
    pub fn close_array(&mut self, mut array: Captured) {
        if array.written < array.length {
            // What is kept beyond the limit is cut once more, and counted then.
            self.cuts.altered += u64::from(array.written < array.limit);
            self.marker(&cut::more_items((array.length - array.written) as u64));
            array.written += 1;
        }
        array.container.close(self.buf, array.written as u32);
    }

    /// Closes a map, with a marker where it has more keys than were written.
    #[inline]
    pub fn close_map(&mut self, mut map: Captured) {
        if map.written < map.length {
            self.cuts.altered += u64::from(map.written < map.limit);
            self.key(cut::TRUNCATED_KEY);
            self.marker(&cut::more_keys((map.length - map.written) as u64));
            map.written += 1;
        }
        map.container.close(self.buf, map.written as u32);
    }

    /// Any value of the crate.
    pub fn value(&mut self, value: &Value<'_>, depth: usize) {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.bool(*value),
            Value::I64(value) => self.i64(*value),
            Value::F64(value) => self.f64(*value),
            Value::Str(text) => self.text(text),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Array(items) => self.values(items, depth),
            Value::Map(entries) => self.entries(entries, depth),
        }
    }

    fn values(&mut self, items: &[Value<'_>], depth: usize) {
        // One that was cut before says itself how many items it had.
        let (items, before) = match items.split_last() {
            Some((Value::Str(last), rest)) => match cut::items_left_out(last) {
                Some(before) => (rest, before),
                None => (items, 0),
            },
            _ => (items, 0),
        };
        let length = items.len().saturating_add(usize::try_from(before).unwrap_or(usize::MAX));
        let Some(mut array) = self.array(depth, length) else { return };
        for item in items {
            if !array.next(self) {
                break;
            }
            self.value(item, depth + 1);
        }
        self.close_array(array);
    }

    fn entries(&mut self, entries: &[(Cow<'_, str>, Value<'_>)], depth: usize) {
        let (entries, before) = match entries.split_last() {
            Some(((name, Value::Str(last)), rest)) if name == cut::TRUNCATED_KEY => {
                match cut::keys_left_out(last) {
                    Some(before) => (rest, before),
                    None => (entries, 0),
                }
            }
            _ => (entries, 0),
        };
        let length = entries.len().saturating_add(usize::try_from(before).unwrap_or(usize::MAX));
        let Some(mut map) = self.map(depth, length) else { return };
        for (name, item) in entries {
            if !map.next(self) {
                break;
            }
            self.key(name);
            self.value(item, depth + 1);
        }
        self.close_map(map);
    }
}

/// An array or map that is being written.
#[derive(Debug)]
#[must_use = "an open container leaves a broken length behind"]
pub struct Captured {
    container: Container,
    length: usize,
    limit: usize,
    written: usize,
}

impl Captured {
    /// Whether a further item may be written, which it counts.
    #[inline]
    pub fn next(&mut self, writer: &CaptureWriter<'_>) -> bool {
        let more = self.written < self.limit && writer.room() > 0;
        self.written += usize::from(more);
        more
    }

    /// The item that may be written is none: the caller found fewer than it said.
    pub fn ends_here(&mut self) {
        self.written = self.written.saturating_sub(1);
        self.length = self.written;
    }
}
