//! What an open span has written: its buffer, the places of values that may be written again, its bounds.
//!
//! [`super::Span`] and its builder write through it; the thread's recorder keeps it for the next span.

use std::borrow::Cow;
use std::collections::HashMap;

use super::capture::{CaptureBounds, CaptureWriter, Cuts};
use crate::context::SpanContext;
use crate::cut;
use crate::frame::view::{Field, SpanView};
use crate::frame::write::{self, AttributeList, Head};
use crate::frame::{EVENT_HEADER, EventKind, KnownKey, key};
use crate::kinds::SpanFlags;
use crate::lifecycle::generation;
use crate::recorder;
use crate::value::Value;

/// Where a value that is written again stood: its field's start and end in the buffer.
pub(super) type Place = Option<(u32, u32)>;

/// Buffers are charged to the bound on open spans beyond this size.
const FREE_BYTES: usize = 2 * 1024;
/// Replaced fields are squeezed out beyond this many bytes, when they are most of the buffer.
const SQUEEZE_AT: usize = 4 * 1024;

/// What a recording span has written so far. Kept by its thread for the next span when it ends.
#[derive(Debug, Default)]
pub(crate) struct Open {
    pub(super) head: Head,
    pub(super) slot: u16,
    generation: usize,
    pub(super) buf: Vec<u8>,
    pub(super) capture: CaptureBounds,
    pub(super) name: Place,
    pub(super) status_message: Place,
    pub(super) input: Place,
    pub(super) output: Place,
    /// Bytes of the buffer that were replaced and mean nothing.
    blank: usize,
    /// Bytes that were too many since the buffer was last squeezed.
    refused: usize,
    /// Bytes charged to the engine's bound on open spans.
    charged: usize,
    pub(super) dropped: [u32; 3],
    pub(super) cuts: Cuts,
}

impl Open {
    /// Makes a kept one ready for the next span.
    #[inline]
    pub(super) fn begin(&mut self, slot: u16, head: Head, capture: CaptureBounds) {
        write::begin_span(&mut self.buf);
        self.slot = slot;
        self.generation = generation();
        self.head = head;
        self.capture = capture;
        (self.name, self.status_message, self.input, self.output) = (None, None, None, None);
        (self.blank, self.refused, self.charged) = (0, 0, 0);
        self.cuts = Cuts::default();
        self.dropped = [0; 3];
    }

    /// The engine's number.
    pub(crate) fn slot(&self) -> u16 {
        self.slot
    }

    /// Bytes charged to the engine's bound on open spans.
    pub(crate) fn charged(&self) -> usize {
        self.charged
    }

    /// Values that had to be changed, cut or left out.
    pub(crate) fn cuts(&self) -> Cuts {
        self.cuts
    }

    /// Memory it holds on to.
    pub(crate) fn capacity(&self) -> usize {
        self.buf.capacity()
    }

    /// The event as [`Open::finish`] left it.
    #[inline]
    pub(crate) fn event(&self) -> &[u8] {
        &self.buf
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// The event that says what the open span is so far.
    pub(crate) fn so_far(&mut self, kind: EventKind) -> &[u8] {
        write::finish_span(&mut self.buf, kind, self.slot, &self.head);
        &self.buf
    }

    #[inline]
    pub(super) fn is_announced(&self) -> bool {
        self.head.flags.contains(SpanFlags::ANNOUNCED)
    }

    /// Its start has been said.
    pub(crate) fn mark_announced(&mut self) {
        self.head.flags = self.head.flags.with(SpanFlags::ANNOUNCED);
    }

    /// Completes the event of the span, which ended at `end`.
    #[inline]
    pub(crate) fn finish(&mut self, end: u64) {
        let start = self.head.start_unix_nanos;
        self.head.end_unix_nanos = end.max(start);
        self.cuts.altered += u64::from(end < start);
        let [attributes, events, links] = self.dropped;
        if attributes | events | links != 0 {
            write::dropped(&mut self.buf, attributes, events, links);
        }
        write::finish_span(&mut self.buf, EventKind::SpanEnded, self.slot, &self.head);
    }

    #[inline]
    pub(super) fn attribute(
        &mut self,
        key: impl AttributeKey,
        put: impl FnOnce(&mut Vec<u8>, CaptureBounds) -> Cuts,
    ) {
        let at = self.buf.len();
        if key.put(self) && self.put(at, put).is_none() {
            self.drop_one(0);
        }
    }

    pub(super) fn metadata(&mut self, key: &str, put: impl FnOnce(&mut Vec<u8>, CaptureBounds) -> Cuts) {
        if key.is_empty() || key.len() > key::MAX_INLINE {
            self.cuts.altered += 1;
            if key.is_empty() {
                return say_empty_key();
            }
        }
        let at = self.buf.len();
        write::metadata_key(&mut self.buf, key);
        self.put(at, put);
    }

    pub(super) fn link(
        &mut self,
        to: &SpanContext,
        put: impl FnOnce(&mut Vec<u8>, &mut AttributeList, CaptureBounds) -> Cuts,
    ) {
        let at = self.buf.len();
        let mut list = AttributeList::link(&mut self.buf, to, 0);
        let full = self.put(at, |buf, capture| {
            let cuts = put(buf, &mut list, capture);
            list.close(buf);
            cuts
        });
        if full.is_none() {
            self.drop_one(2);
        }
    }

    pub(super) fn rename(&mut self, name: &str) {
        let place = self.name.take();
        self.forget(place);
        self.cuts.altered += u64::from(name.len() > key::MAX_INLINE);
        let at = self.buf.len();
        write::name(&mut self.buf, name);
        self.name = self.since(at);
    }

    /// Finishes the field begun at `at` and says where it stands; takes it back when the span would grow
    /// beyond its bound.
    #[inline]
    pub(super) fn put(&mut self, at: usize, put: impl FnOnce(&mut Vec<u8>, CaptureBounds) -> Cuts) -> Place {
        self.cuts += put(&mut self.buf, self.capture);
        let at = if self.buf.len() > FREE_BYTES { self.charge(at)? } else { at };
        self.since(at)
    }

    /// Says in the place of an input or output that the span is too large for it.
    #[cold]
    pub(super) fn put_refused(&mut self, input: bool) -> Place {
        let at = self.buf.len();
        if input {
            write::input_tag(&mut self.buf)
        } else {
            write::output_tag(&mut self.buf)
        }
        write::put_str(&mut self.buf, cut::TRUNCATED);
        self.since(at)
    }

    /// Charges what the span was given by what surrounds it, from that place on.
    #[inline]
    pub(super) fn inherited(&mut self, at: usize) {
        if self.buf.len() > FREE_BYTES {
            self.charge(at);
        }
    }

    /// Charges what the buffer has grown by. Says where the field at its end begins, as fields that were
    /// replaced are squeezed out before anything is refused; `None` when it had to go all the same.
    #[cold]
    fn charge(&mut self, at: usize) -> Option<usize> {
        let mut place = Some(at);
        if self.buf.len() > self.capture.span_bytes {
            // Not at every further field of a span that is full for good.
            self.refused += self.buf.len() - at;
            if self.refused >= self.capture.span_bytes / 4 || self.blank > 0 {
                self.refused = 0;
                place = self.squeeze();
            }
            if self.buf.len() > self.capture.span_bytes {
                self.buf.truncate(place.unwrap_or(at));
                self.cuts.altered += 1;
                place = None;
            }
        }
        let size = self.buf.capacity();
        if size > self.charged + FREE_BYTES {
            let more = size - self.charged;
            self.charged = size;
            if self.generation != generation() {
                // The engine that it is charged to lives in the parent process.
                return place;
            }
            let slot = self.slot;
            recorder::with(|recorder| recorder.charge(slot, more));
        }
        place
    }

    #[inline]
    pub(super) fn since(&self, at: usize) -> Place {
        Some((at as u32, self.buf.len() as u32))
    }

    pub(super) fn drop_one(&mut self, what: usize) {
        if let Some(count) = self.dropped.get_mut(what) {
            *count += 1;
        }
    }

    /// Blanks a field that is about to be written again.
    pub(super) fn forget(&mut self, place: Place) {
        let Some((start, end)) = place.map(|(start, end)| (start as usize, end as usize)) else { return };
        if end == self.buf.len() {
            self.buf.truncate(start);
            return;
        }
        write::blank(&mut self.buf, start, end);
        self.blank += end - start;
        if self.blank > SQUEEZE_AT && self.blank > self.buf.len() / 2 {
            self.squeeze();
        }
    }

    /// Writes the buffer anew without what was blanked and without values that a later one of the same key
    /// replaces. Says where the last field begins.
    #[cold]
    fn squeeze(&mut self) -> Option<usize> {
        let old = core::mem::take(&mut self.buf);
        write::begin_span(&mut self.buf);
        (self.name, self.status_message, self.input, self.output) = (None, None, None, None);
        self.blank = 0;
        let view = SpanView::new(old.get(EVENT_HEADER..).unwrap_or(&[])).ok()?;
        let mut last = HashMap::new();
        for (number, field) in view.fields().enumerate() {
            if let Some(key) = replaceable(&field) {
                last.insert(key, number);
            }
        }
        let mut at = None;
        for (number, (raw, field)) in view.raw_fields().enumerate() {
            let kept = replaceable(&field).is_none_or(|key| last.get(&key) == Some(&number));
            if matches!(field, Field::Skipped) || !kept {
                continue;
            }
            let start = self.buf.len();
            at = Some(start);
            self.buf.extend_from_slice(raw);
            let place = self.since(start);
            match field {
                Field::Name(_) => self.name = place,
                Field::StatusMessage(_) => self.status_message = place,
                Field::Input(_) => self.input = place,
                Field::Output(_) => self.output = place,
                _ => {}
            }
        }
        at
    }
}

/// What an attribute is called by.
pub(super) trait AttributeKey {
    /// Writes it; false where nothing can be called by it.
    fn put(self, open: &mut Open) -> bool;
}

impl AttributeKey for &str {
    #[inline]
    fn put(self, open: &mut Open) -> bool {
        if self.is_empty() || self.len() > key::MAX_INLINE {
            open.cuts.altered += 1;
            if self.is_empty() {
                say_empty_key();
                return false;
            }
        }
        write::attribute_key(&mut open.buf, self);
        true
    }
}

impl AttributeKey for &KnownKey {
    #[inline]
    fn put(self, open: &mut Open) -> bool {
        self.put_attribute(&mut open.buf);
        true
    }
}

/// What two fields have in common when the later one replaces the earlier.
fn replaceable<'a>(field: &Field<'a>) -> Option<(bool, &'a [u8])> {
    match field {
        Field::Attribute(key, _) => Some((false, *key)),
        Field::Metadata(key, _) => Some((true, *key)),
        _ => None,
    }
}

#[cold]
fn say_empty_key() {
    crate::log::warn_once("empty key", "an attribute or metadata whose key is empty is left out");
}

/// Writes the attributes of an event or link. Returns what was left out or cut.
#[inline]
pub(super) fn put_list(
    buf: &mut Vec<u8>,
    list: &mut AttributeList,
    attributes: &[(Cow<'_, str>, Value<'_>)],
    capture: CaptureBounds,
) -> Cuts {
    let mut cuts = Cuts::default();
    for (name, value) in attributes {
        if name.is_empty() {
            cuts.altered += 1;
            say_empty_key();
        } else if list.key(buf, name) {
            cuts += put_captured(buf, value, capture);
            cuts.altered += u64::from(name.len() > key::MAX_INLINE);
        } else {
            cuts.altered += 1;
        }
    }
    cuts
}

/// What is kept of a text, and whether it was cut.
pub(crate) fn captured_text<'t>(text: &'t str, capture: CaptureBounds) -> (Cow<'t, str>, Cuts) {
    if text.len() <= capture.value_bytes {
        return (Cow::Borrowed(text), Cuts::default());
    }
    let shown = write::cut(text, capture.value_bytes).to_owned() + cut::TRUNCATED;
    (Cow::Owned(shown), Cuts { altered: 1, limited: 0 })
}

/// Writes a value within the bounds. Returns what had to be cut.
#[inline]
pub(crate) fn put_captured(buf: &mut Vec<u8>, value: &Value<'_>, capture: CaptureBounds) -> Cuts {
    let mut writer = CaptureWriter::new(buf, capture);
    writer.value(value, 0);
    writer.cuts()
}
