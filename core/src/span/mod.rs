//! Open spans: started by [`SpanBuilder`], written to by their owner, handed off when they end.
//!
//! Everything set on a span is appended to its buffer in the frame's format at once ([`crate::frame`]), so
//! that ending it is one copy. Nothing here fails: what cannot be recorded is counted.

mod builder;
mod exception;
mod shared;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

pub use builder::SpanBuilder;
pub use shared::SharedSpan;

use crate::clock;
use crate::config::CaptureLimits;
use crate::context::SpanContext;
use crate::current::Surroundings;
use crate::frame::view::{Field, SpanView};
use crate::frame::write::{self, AttributeList, Container, Head};
use crate::frame::{EVENT_HEADER, EventKind};
use crate::kinds::{SpanKind, SpanType, StatusCode};
use crate::lifecycle::generation;
use crate::recorder;
use crate::value::Value;

/// Where a value that is written again stood: its field's start and end in the buffer.
type Place = Option<(u32, u32)>;

/// A started span.
///
/// It ends with [`Span::end`] or when it is dropped. One that does not record keeps its identity, so that
/// its context still travels, and ignores everything else.
#[derive(Debug)]
pub struct Span {
    context: SpanContext,
    surroundings: Option<Arc<Surroundings>>,
    generation: u32,
    slot: u16,
    state: State,
}

#[derive(Debug)]
enum State {
    /// No engine was running when it started.
    Inert,
    /// Started and not recording.
    Unsampled,
    Recording(Box<Open>),
    Ended,
}

/// What a recording span has written so far. Kept by its thread for the next span when it ends.
#[derive(Debug, Default)]
pub(crate) struct Open {
    head: Head,
    slot: u16,
    buf: Vec<u8>,
    capture: CaptureLimits,
    name: Place,
    status_message: Place,
    input: Place,
    output: Place,
    /// Bytes of the buffer that were replaced and mean nothing.
    blank: usize,
    /// Bytes that were too many since the buffer was last squeezed.
    refused: usize,
    /// Bytes charged to the engine's bound on open spans.
    charged: usize,
    dropped: [u32; 3],
    altered: u64,
}

/// Buffers are charged to the bound on open spans beyond this size.
const FREE_BYTES: usize = 2 * 1024;
/// Replaced fields are squeezed out beyond this many bytes, when they are most of the buffer.
const SQUEEZE_AT: usize = 4 * 1024;
/// What a cut value ends with.
const CUT_MARK: &str = "…[truncated]";

impl Span {
    /// Ids, flags and tracestate. Valid also when the span does not record; all zeros when no engine ran.
    pub fn context(&self) -> &SpanContext {
        &self.context
    }

    /// What spans inside it inherit.
    pub fn surroundings(&self) -> Option<&Arc<Surroundings>> {
        self.surroundings.as_ref()
    }

    /// Whether what is set on the span is kept. False once it has ended.
    #[inline]
    pub fn is_recording(&self) -> bool {
        matches!(self.state, State::Recording(_))
    }

    /// Whether `end` has been called.
    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// When it started, in nanoseconds since the Unix epoch; 0 when it does not record.
    pub fn start_unix_nanos(&self) -> u64 {
        self.open().map_or(0, |open| open.head.start_unix_nanos)
    }

    /// The parent's id; invalid for a root and for a span that does not record.
    pub fn parent_span_id(&self) -> crate::id::SpanId {
        self.open().map_or(crate::id::SpanId::INVALID, |open| open.head.parent_span_id)
    }

    fn open(&self) -> Option<&Open> {
        match &self.state {
            State::Recording(open) => Some(open),
            _ => None,
        }
    }

    #[inline]
    fn open_mut(&mut self) -> Option<&mut Open> {
        match &mut self.state {
            State::Recording(open) => Some(open),
            _ => None,
        }
    }

    /// Sets an attribute; the last value of a key counts.
    // Always: where the kind of value is known, nothing of the choice below is left.
    #[inline(always)]
    pub fn set<'a>(&mut self, key: &str, value: impl Into<Value<'a>>) -> &mut Self {
        if let Some(open) = self.open_mut() {
            match value.into() {
                Value::Str(text) if text.len() <= open.capture.value_bytes => {
                    open.attribute(key, |buf, _| {
                        write::put_str(buf, &text);
                        0
                    });
                }
                Value::I64(value) => open.attribute(key, |buf, _| {
                    write::put_i64(buf, value);
                    0
                }),
                Value::Bool(value) => open.attribute(key, |buf, _| {
                    write::put_bool(buf, value);
                    0
                }),
                Value::F64(value) => open.attribute(key, |buf, _| {
                    write::put_f64(buf, value);
                    0
                }),
                other => open.attribute(key, |buf, capture| put_captured(buf, &other, capture)),
            }
        }
        self
    }

    /// Sets an attribute whose value the caller writes itself with the functions of
    /// [`crate::frame::write`]; exactly one value must be written. For hosts with objects of their own.
    #[inline]
    pub fn set_with(&mut self, key: &str, put: impl FnOnce(&mut Vec<u8>)) {
        if let Some(open) = self.open_mut() {
            open.attribute(key, |buf, _| {
                put(buf);
                0
            });
        }
    }

    /// Replaces the name.
    pub fn rename(&mut self, name: &str) -> &mut Self {
        if let Some(open) = self.open_mut() {
            open.rename(name);
        }
        self
    }

    /// Sets the status (OpenTelemetry trace API, "Set Status"): `Ok` is final, `Unset` is ignored, and a
    /// message is kept for `Error` only.
    pub fn status(&mut self, code: StatusCode, message: &str) -> &mut Self {
        if let Some(open) = self.open_mut()
            && open.head.status != StatusCode::Ok
            && code != StatusCode::Unset
        {
            open.head.status = code;
            let message = if code == StatusCode::Error { message } else { "" };
            let place = open.status_message.take();
            open.forget(place);
            if !message.is_empty() {
                let at = open.buf.len();
                write::status_message(&mut open.buf, message);
                open.status_message = open.since(at);
            }
        }
        self
    }

    /// Replaces the span type.
    pub fn kind_of(&mut self, span_type: SpanType) -> &mut Self {
        if let Some(open) = self.open_mut() {
            open.head.span_type = span_type;
        }
        self
    }

    /// Replaces the span kind.
    pub fn kind(&mut self, kind: SpanKind) -> &mut Self {
        if let Some(open) = self.open_mut() {
            open.head.kind = kind;
        }
        self
    }

    /// Replaces the input.
    pub fn input<'a>(&mut self, value: impl Into<Value<'a>>) -> &mut Self {
        let value = value.into();
        self.captured_slot(true, |buf, capture| put_captured(buf, &value, capture));
        self
    }

    /// Replaces the output.
    pub fn output<'a>(&mut self, value: impl Into<Value<'a>>) -> &mut Self {
        let value = value.into();
        self.captured_slot(false, |buf, capture| put_captured(buf, &value, capture));
        self
    }

    /// Replaces the input with a value the caller writes itself; see [`Span::set_with`].
    pub fn input_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.captured_slot(true, |buf, _| {
            put(buf);
            0
        });
    }

    /// Replaces the output with a value the caller writes itself; see [`Span::set_with`].
    pub fn output_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.captured_slot(false, |buf, _| {
            put(buf);
            0
        });
    }

    fn captured_slot(&mut self, input: bool, put: impl FnOnce(&mut Vec<u8>, CaptureLimits) -> u64) {
        let Some(open) = self.open_mut() else { return };
        let place = if input { open.input.take() } else { open.output.take() };
        open.forget(place);
        let at = open.buf.len();
        if input {
            write::input_tag(&mut open.buf)
        } else {
            write::output_tag(&mut open.buf)
        }
        let place = open.put(at, put);
        *(if input { &mut open.input } else { &mut open.output }) = place;
    }

    /// Sets a piece of metadata of this span; the last value of a key counts. What children are to inherit
    /// goes into [`SpanBuilder::metadata`] or [`crate::surrounded`].
    pub fn metadata<'a>(&mut self, key: &str, value: impl Into<Value<'a>>) -> &mut Self {
        if let Some(open) = self.open_mut() {
            let value = value.into();
            let at = open.buf.len();
            write::metadata_key(&mut open.buf, key);
            open.put(at, |buf, capture| put_captured(buf, &value, capture));
        }
        self
    }

    /// Sets a piece of metadata whose value the caller writes itself; see [`Span::set_with`].
    pub fn metadata_with(&mut self, key: &str, put: impl FnOnce(&mut Vec<u8>)) {
        if let Some(open) = self.open_mut() {
            let at = open.buf.len();
            write::metadata_key(&mut open.buf, key);
            open.put(at, |buf, _| {
                put(buf);
                0
            });
        }
    }

    /// Adds a tag of the trace.
    pub fn tag(&mut self, tag: &str) -> &mut Self {
        if let Some(open) = self.open_mut() {
            let at = open.buf.len();
            write::trace_tag(&mut open.buf, tag);
            open.put(at, |_, _| 0);
        }
        self
    }

    /// Adds an event that happens now.
    pub fn event(&mut self, name: &str) -> &mut Self {
        self.event_with(name, None, &[])
    }

    /// Adds an event with attributes, at `time_unix_nanos` or now.
    pub fn event_with(
        &mut self,
        name: &str,
        time_unix_nanos: Option<u64>,
        attributes: &[(Cow<'_, str>, Value<'_>)],
    ) -> &mut Self {
        self.event_fields(name, time_unix_nanos, |buf, list, capture| {
            put_list(buf, list, attributes, capture)
        });
        self
    }

    /// Adds an event whose attributes the caller writes itself: for each, [`AttributeList::key`] and, if
    /// that says true, exactly one value.
    pub fn event_by(
        &mut self,
        name: &str,
        time_unix_nanos: Option<u64>,
        put: impl FnOnce(&mut Vec<u8>, &mut AttributeList),
    ) {
        self.event_fields(name, time_unix_nanos, |buf, list, _| {
            put(buf, list);
            0
        });
    }

    fn event_fields(
        &mut self,
        name: &str,
        time_unix_nanos: Option<u64>,
        put: impl FnOnce(&mut Vec<u8>, &mut AttributeList, CaptureLimits) -> u64,
    ) {
        if let Some(open) = self.open_mut() {
            let at = open.buf.len();
            let time = time_unix_nanos.unwrap_or_else(clock::now_unix_nanos);
            let mut list = AttributeList::event(&mut open.buf, name, time, 0);
            let full = open.put(at, |buf, capture| {
                let altered = put(buf, &mut list, capture);
                list.close(buf);
                altered
            });
            if full.is_none() {
                open.drop_one(1);
            }
        }
    }

    /// Links to another span, with attributes. Links to invalid contexts are kept when they carry
    /// attributes or tracestate (OpenTelemetry trace API, "Link").
    pub fn link(&mut self, to: &SpanContext, attributes: &[(Cow<'_, str>, Value<'_>)]) -> &mut Self {
        if let Some(open) = self.open_mut() {
            open.link(to, |buf, list, capture| put_list(buf, list, attributes, capture));
        }
        self
    }

    /// Links to another span with attributes that the caller writes itself; see [`Span::event_by`].
    pub fn link_by(&mut self, to: &SpanContext, put: impl FnOnce(&mut Vec<u8>, &mut AttributeList)) {
        if let Some(open) = self.open_mut() {
            open.link(to, |buf, list, _| {
                put(buf, list);
                0
            });
        }
    }

    /// Counts something the caller had to change or leave out (a value of a wrong type, say).
    pub fn count_altered(&mut self, count: u64) {
        if let Some(open) = self.open_mut() {
            open.altered += count;
        }
    }

    /// The record so far, for who must look at an open span (a processor of the OpenTelemetry API). `None`
    /// when it does not record.
    pub fn record_so_far(&mut self) -> Option<&[u8]> {
        let slot = self.slot;
        let open = self.open_mut()?;
        write::finish_span(&mut open.buf, EventKind::SpanUpdated, slot, &open.head);
        open.buf.get(crate::frame::EVENT_HEADER..)
    }

    /// Ends the span now. The first end counts.
    #[inline]
    pub fn end(&mut self) {
        self.end_at(None);
    }

    /// Ends the span at a time (nanoseconds since the Unix epoch), or now. An end before the start is moved
    /// to the start and counted.
    pub fn end_at(&mut self, end_unix_nanos: Option<u64>) {
        let forked = self.generation as usize != generation();
        match core::mem::replace(&mut self.state, State::Ended) {
            State::Recording(open) if !forked => {
                let end = end_unix_nanos.unwrap_or_else(clock::now_unix_nanos);
                recorder::with(|recorder| recorder.hand_off(open, end));
            }
            State::Unsampled if !forked => {
                recorder::with(|recorder| recorder.count(self.slot, |shard| &shard.unsampled));
            }
            State::Recording(_) | State::Unsampled => {
                recorder::with(recorder::Recorder::count_forked);
            }
            State::Ended => {
                recorder::with(|recorder| recorder.count(self.slot, |shard| &shard.ended_twice));
            }
            State::Inert => self.state = State::Inert,
        }
    }

    /// Ends the span at `unix_nanos` unless it has ended; a second end of this kind is not counted.
    pub(crate) fn end_at_most(&mut self, unix_nanos: u64) {
        if !self.has_ended() {
            self.end_at(Some(unix_nanos));
        }
    }

    /// Throws an open span away without exporting it; it never ended.
    pub fn discard(mut self) {
        if let State::Recording(open) = core::mem::replace(&mut self.state, State::Ended)
            && self.generation as usize == generation()
        {
            recorder::with(|recorder| recorder.discard(open));
        }
    }
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        if matches!(self.state, State::Recording(_) | State::Unsampled) {
            self.end_at(None);
        }
    }
}

impl Open {
    /// Makes a kept one ready for the next span.
    #[inline]
    fn begin(&mut self, slot: u16, head: Head, capture: CaptureLimits) {
        write::begin_span(&mut self.buf);
        self.slot = slot;
        self.head = head;
        self.capture = capture;
        (self.name, self.status_message, self.input, self.output) = (None, None, None, None);
        (self.blank, self.refused, self.charged, self.altered) = (0, 0, 0, 0);
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

    /// Values that had to be changed or left out.
    pub(crate) fn altered(&self) -> u64 {
        self.altered
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

    /// Completes the event of the span, which ended at `end`.
    #[inline]
    pub(crate) fn finish(&mut self, end: u64) {
        let start = self.head.start_unix_nanos;
        self.head.end_unix_nanos = end.max(start);
        self.altered += u64::from(end < start);
        let [attributes, events, links] = self.dropped;
        if attributes | events | links != 0 {
            write::dropped(&mut self.buf, attributes, events, links);
        }
        write::finish_span(&mut self.buf, EventKind::SpanEnded, self.slot, &self.head);
    }

    #[inline]
    fn attribute(&mut self, key: &str, put: impl FnOnce(&mut Vec<u8>, CaptureLimits) -> u64) {
        let at = self.buf.len();
        write::attribute_key(&mut self.buf, key);
        if self.put(at, put).is_none() {
            self.drop_one(0);
        }
    }

    fn link(
        &mut self,
        to: &SpanContext,
        put: impl FnOnce(&mut Vec<u8>, &mut AttributeList, CaptureLimits) -> u64,
    ) {
        let at = self.buf.len();
        let mut list = AttributeList::link(&mut self.buf, to, 0);
        let full = self.put(at, |buf, capture| {
            let altered = put(buf, &mut list, capture);
            list.close(buf);
            altered
        });
        if full.is_none() {
            self.drop_one(2);
        }
    }

    fn rename(&mut self, name: &str) {
        let place = self.name.take();
        self.forget(place);
        let at = self.buf.len();
        write::name(&mut self.buf, name);
        self.name = self.since(at);
    }

    /// Finishes the field begun at `at` and says where it stands; takes it back when the span would grow
    /// beyond its bound.
    #[inline]
    fn put(&mut self, at: usize, put: impl FnOnce(&mut Vec<u8>, CaptureLimits) -> u64) -> Place {
        self.altered += put(&mut self.buf, self.capture);
        let at = if self.buf.len() > FREE_BYTES { self.charge(at)? } else { at };
        self.since(at)
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
                self.altered += 1;
                place = None;
            }
        }
        let size = self.buf.capacity();
        if size > self.charged + FREE_BYTES {
            let more = size - self.charged;
            self.charged = size;
            let slot = self.slot;
            recorder::with(|recorder| recorder.charge(slot, more));
        }
        place
    }

    #[inline]
    fn since(&self, at: usize) -> Place {
        Some((at as u32, self.buf.len() as u32))
    }

    fn drop_one(&mut self, what: usize) {
        if let Some(count) = self.dropped.get_mut(what) {
            *count += 1;
        }
    }

    /// Blanks a field that is about to be written again.
    fn forget(&mut self, place: Place) {
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

/// What two fields have in common when the later one replaces the earlier.
fn replaceable<'a>(field: &Field<'a>) -> Option<(bool, &'a [u8])> {
    match field {
        Field::Attribute(key, _) => Some((false, *key)),
        Field::Metadata(key, _) => Some((true, *key)),
        _ => None,
    }
}

/// Writes the attributes of an event or link. Returns how many values were cut.
#[inline]
fn put_list(
    buf: &mut Vec<u8>,
    list: &mut AttributeList,
    attributes: &[(Cow<'_, str>, Value<'_>)],
    capture: CaptureLimits,
) -> u64 {
    let mut altered = 0;
    for (key, value) in attributes {
        if list.key(buf, key) {
            altered += put_captured(buf, value, capture);
        }
    }
    altered
}

/// Writes a value, cutting texts and bytes that are too long. Returns how many were cut.
#[inline]
fn put_captured(buf: &mut Vec<u8>, value: &Value<'_>, capture: CaptureLimits) -> u64 {
    match value {
        Value::Str(text) if text.len() > capture.value_bytes => {
            let mut kept = write::cut(text, capture.value_bytes).to_owned();
            kept.push_str(CUT_MARK);
            write::put_str(buf, &kept);
            1
        }
        Value::Bytes(bytes) if bytes.len() > capture.value_bytes => {
            write::put_bytes(buf, bytes.get(..capture.value_bytes).unwrap_or(bytes));
            1
        }
        Value::Str(text) => {
            write::put_str(buf, text);
            0
        }
        Value::Array(items) => {
            let array = Container::array(buf);
            let cut = items.iter().map(|item| put_captured(buf, item, capture)).sum();
            array.close(buf, items.len() as u32);
            cut
        }
        Value::Map(entries) => {
            let map = Container::map(buf);
            let mut cut = 0;
            for (key, item) in entries {
                write::put_key(buf, key);
                cut += put_captured(buf, item, capture);
            }
            map.close(buf, entries.len() as u32);
            cut
        }
        scalar => {
            write::put_value(buf, scalar);
            0
        }
    }
}
