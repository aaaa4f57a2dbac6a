//! Open spans: started by [`SpanBuilder`], written to by their owner, handed off when they end.
//!
//! Everything set on a span is appended to its buffer in the frame's format at once ([`crate::frame`]), so
//! that ending it is one copy. Nothing here fails: what cannot be recorded is counted.

mod builder;
mod capture;
mod counted;
mod exception;
mod open;
mod shared;

use std::borrow::Cow;
use std::sync::Arc;

pub use builder::{SpanBuilder, skip_unsampled_child};
pub use capture::{CaptureBounds, CaptureWriter, Captured, Cuts};
pub(crate) use counted::Counted;
use open::{AttributeKey, put_list};
pub(crate) use open::{Open, captured_text, put_captured};
pub use shared::SharedSpan;

use crate::clock;
use crate::context::SpanContext;
use crate::current::Surroundings;
use crate::frame::write::{self, AttributeList};
use crate::frame::{EventKind, KnownKey, key};
use crate::hosted::HostedSpan;
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};
use crate::lifecycle::generation;
use crate::recorder;
use crate::value::Value;

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

/// The engine of this process that a span belongs to. Its children belong there too unless they are started
/// with another one, so that a trace stays whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    generation: u32,
    slot: u16,
}

impl Home {
    /// The engine's number; none when it is a number of the process that forked this one.
    #[inline]
    pub(crate) fn slot(self) -> Option<u16> {
        (self.generation as usize == generation()).then_some(self.slot)
    }
}

#[derive(Debug)]
enum State {
    /// No engine was running when it started.
    Inert,
    Ended,
    // Those that have to end stand together, so that dropping a span asks for them at once.
    /// Started and not recording.
    Unsampled,
    Recording(Box<Open>),
    /// Not recording, but metrics count it.
    Counted(Box<Counted>),
}

impl Span {
    /// A span while no engine runs: it stands for its parent, so that context still travels.
    pub(crate) fn inert(parent: Option<&SpanContext>, surroundings: Option<Arc<Surroundings>>) -> Self {
        crate::log::warn_once("no engine", "spans are not recorded before `init`");
        Self {
            context: parent.cloned().unwrap_or_default(),
            surroundings,
            generation: generation() as u32,
            slot: 0,
            state: State::Inert,
        }
    }

    /// Ids, flags and tracestate. Valid also when the span does not record; all zeros when no engine ran.
    pub fn context(&self) -> &SpanContext {
        &self.context
    }

    /// The engine that it belongs to; none when no engine was running.
    #[inline]
    pub fn home(&self) -> Option<Home> {
        let home = Home { generation: self.generation, slot: self.slot };
        (!matches!(self.state, State::Inert)).then_some(home)
    }

    /// What spans inside it inherit.
    pub fn surroundings(&self) -> Option<&Arc<Surroundings>> {
        self.surroundings.as_ref()
    }

    /// Whether metrics count the span although what is set on it is not kept: its name, type, kind and status still
    /// matter.
    #[inline]
    pub fn is_counted(&self) -> bool {
        matches!(self.state, State::Counted(_))
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
    #[inline(always)]
    pub fn set<'a>(&mut self, key: &str, value: impl Into<Value<'a>>) -> &mut Self {
        self.set_called(key, value.into());
        self
    }

    /// The same for a host that has the key in its written form.
    #[inline]
    pub fn set_known(&mut self, key: &KnownKey, value: Value<'_>) {
        self.set_called(key, value);
    }

    // Always: where the kind of value is known, nothing of the choice below is left.
    #[inline(always)]
    fn set_called(&mut self, key: impl AttributeKey, value: Value<'_>) {
        if let Some(open) = self.open_mut() {
            match value {
                Value::Str(text) if text.len() <= open.capture.value_bytes => {
                    open.attribute(key, |buf, _| {
                        write::put_str(buf, &text);
                        Cuts::default()
                    });
                }
                Value::I64(value) => open.attribute(key, |buf, _| {
                    write::put_i64(buf, value);
                    Cuts::default()
                }),
                Value::Bool(value) => open.attribute(key, |buf, _| {
                    write::put_bool(buf, value);
                    Cuts::default()
                }),
                Value::F64(value) => open.attribute(key, |buf, _| {
                    write::put_f64(buf, value);
                    Cuts::default()
                }),
                other => open.attribute(key, |buf, capture| put_captured(buf, &other, capture)),
            }
        }
    }

    /// Sets an attribute whose value the caller writes itself with the functions of
    /// [`crate::frame::write`]; exactly one value must be written. For hosts with objects of their own.
    #[inline]
    pub fn set_with(&mut self, key: &str, put: impl FnOnce(&mut Vec<u8>)) {
        if let Some(open) = self.open_mut() {
            open.attribute(key, |buf, _| {
                put(buf);
                Cuts::default()
            });
        }
    }

    /// Replaces the name.
    pub fn rename(&mut self, name: &str) -> &mut Self {
        match &mut self.state {
            State::Recording(open) => open.rename(name),
            State::Counted(counted) => counted.rename(name),
            _ => {}
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
                open.status_message = open.put(at, |buf, capture| {
                    let (kept, cut) = captured_text(message, capture);
                    write::status_message(buf, &kept);
                    cut
                });
            }
        } else if let State::Counted(counted) = &mut self.state {
            counted.status(code);
        }
        self
    }

    /// Replaces the span type.
    pub fn kind_of(&mut self, span_type: SpanType) -> &mut Self {
        match &mut self.state {
            State::Recording(open) => open.head.span_type = span_type,
            State::Counted(counted) => counted.kind_of(span_type),
            _ => {}
        }
        self
    }

    /// Replaces the span kind.
    pub fn kind(&mut self, kind: SpanKind) -> &mut Self {
        match &mut self.state {
            State::Recording(open) => {
                open.head.kind = kind;
                open.head.flags = open.head.flags.with(SpanFlags::KIND_GIVEN);
            }
            State::Counted(counted) => counted.kind(kind),
            _ => {}
        }
        self
    }

    /// Replaces the input.
    pub fn input<'a>(&mut self, value: impl Into<Value<'a>>) -> &mut Self {
        self.captured_slot(true, |buf, capture| put_captured(buf, &value.into(), capture));
        self
    }

    /// Replaces the output.
    pub fn output<'a>(&mut self, value: impl Into<Value<'a>>) -> &mut Self {
        self.captured_slot(false, |buf, capture| put_captured(buf, &value.into(), capture));
        self
    }

    /// Replaces the input with a value the caller writes itself; see [`Span::set_with`].
    pub fn input_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.captured_slot(true, |buf, _| {
            put(buf);
            Cuts::default()
        });
    }

    /// Replaces the output with a value the caller writes itself; see [`Span::set_with`].
    pub fn output_with(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.captured_slot(false, |buf, _| {
            put(buf);
            Cuts::default()
        });
    }

    fn captured_slot(&mut self, input: bool, put: impl FnOnce(&mut Vec<u8>, CaptureBounds) -> Cuts) {
        let Some(open) = self.open_mut().filter(|open| open.capture.io) else { return };
        let place = if input { open.input.take() } else { open.output.take() };
        open.forget(place);
        let at = open.buf.len();
        if input {
            write::input_tag(&mut open.buf)
        } else {
            write::output_tag(&mut open.buf)
        }
        let place = open.put(at, put).or_else(|| open.put_refused(input));
        *(if input { &mut open.input } else { &mut open.output }) = place;
    }

    /// Sets a piece of metadata of this span; the last value of a key counts. What children are to inherit
    /// goes into [`SpanBuilder::metadata`] or [`crate::surrounded`].
    pub fn metadata<'a>(&mut self, key: &str, value: impl Into<Value<'a>>) -> &mut Self {
        if let Some(open) = self.open_mut() {
            let value = value.into();
            open.metadata(key, |buf, capture| put_captured(buf, &value, capture));
        }
        self
    }

    /// Adds a tag of the trace. Tags belong to the top of a trace in this process: on other spans they are
    /// left out and counted.
    pub fn tag(&mut self, tag: &str) -> &mut Self {
        if let Some(open) = self.open_mut() {
            if !open.head.flags.contains(SpanFlags::LOCAL_ROOT) {
                open.cuts.altered += 1;
                crate::log::warn_once(
                    "tags",
                    "tags are of a trace: give them to its root, or to the context around it",
                );
                return self;
            }
            let at = open.buf.len();
            write::trace_tag(&mut open.buf, tag);
            open.put(at, |_, _| Cuts { altered: u64::from(tag.len() > key::MAX_INLINE), limited: 0 });
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
            Cuts::default()
        });
    }

    fn event_fields(
        &mut self,
        name: &str,
        time_unix_nanos: Option<u64>,
        put: impl FnOnce(&mut Vec<u8>, &mut AttributeList, CaptureBounds) -> Cuts,
    ) {
        if let Some(open) = self.open_mut() {
            let at = open.buf.len();
            let time = time_unix_nanos.unwrap_or_else(clock::now_unix_nanos);
            let mut list = AttributeList::event(&mut open.buf, name, time, 0);
            let full = open.put(at, |buf, capture| {
                let mut cuts = put(buf, &mut list, capture);
                cuts.altered += u64::from(name.len() > key::MAX_INLINE);
                list.close(buf);
                cuts
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

    /// Counts something the caller had to change or leave out (a value of a wrong type, say).
    pub fn count_altered(&mut self, count: u64) {
        if let Some(open) = self.open_mut() {
            open.cuts.altered += count;
        }
    }

    /// Counts what a [`CaptureWriter`] cut whose value the caller hands over with [`Span::set_with`] or its like.
    pub fn count_cuts(&mut self, cuts: Cuts) {
        if let Some(open) = self.open_mut() {
            open.cuts += cuts;
        }
    }

    /// How much of a value is captured, for hosts that write values themselves; `None` when it does not record.
    #[inline]
    pub fn capture_bounds(&self) -> Option<CaptureBounds> {
        self.open().map(|open| open.capture)
    }

    /// The record so far, for who must look at an open span (a processor of the OpenTelemetry API). `None`
    /// when it does not record.
    pub fn record_so_far(&mut self) -> Option<&[u8]> {
        let slot = self.slot;
        let open = self.open_mut()?;
        write::finish_span(&mut open.buf, EventKind::SpanUpdated, slot, &open.head);
        open.buf.get(crate::frame::EVENT_HEADER..)
    }

    /// Says that the span was started, to exporters that follow spans while they are open. Only for one that was
    /// started with [`SpanBuilder::announce_later`]; others have said it.
    #[inline]
    pub fn announce(&mut self) {
        let forked = self.generation as usize != generation();
        if let Some(open) = self.open_mut().filter(|_| !forked) {
            recorder::with(|recorder| recorder.announce_later(open));
        }
    }

    /// Shows what the span is by now to exporters that follow spans while they are open; costs next to nothing
    /// where none does. What is set on a span is not shown by itself, since each showing copies the whole span.
    #[inline]
    pub fn show(&mut self) -> &mut Self {
        let forked = self.generation as usize != generation();
        if let Some(open) = self.open_mut().filter(|open| !forked && open.is_announced()) {
            recorder::with(|recorder| recorder.announce_change(open));
        }
        self
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
            State::Counted(counted) if !forked => {
                let end = end_unix_nanos.unwrap_or_else(clock::now_unix_nanos);
                recorder::with(|recorder| recorder.hand_off_counted(self.slot, &counted, end));
            }
            State::Recording(open) => {
                recorder::with(|recorder| recorder.count_forked(Some(&open)));
            }
            State::Unsampled | State::Counted(_) => {
                recorder::with(|recorder| recorder.count_forked(None));
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

    /// Gives an open span to a host that will encode its end itself, and count it with the frame that it hands in.
    /// One that does not record ends in the host's counts.
    pub(crate) fn into_hosted(mut self) -> HostedSpan {
        let body = self.record_so_far().map(<[u8]>::to_vec);
        let slot = self.home().map(|_| self.slot);
        match core::mem::replace(&mut self.state, State::Ended) {
            State::Recording(open) => {
                recorder::with(|recorder| recorder.hand_over(open));
            }
            // The host's compact event will count its start and its end.
            State::Counted(_) => {
                recorder::with(|recorder| recorder.uncount(self.slot, |shard| &shard.not_recording));
            }
            _ => {}
        }
        let surroundings = self.surroundings.take();
        HostedSpan { slot, context: core::mem::take(&mut self.context), surroundings, body }
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
        if matches!(self.state, State::Recording(_) | State::Unsampled | State::Counted(_)) {
            self.end_at(None);
        }
    }
}
