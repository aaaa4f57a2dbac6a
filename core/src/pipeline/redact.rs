//! Redaction of whole spans, before anything of them leaves the process: names, status, attributes, events,
//! links, input, output, metadata and tags. The rules themselves are [`crate::privacy`].
//!
//! A span in which nothing was found passes as it is, and so does one in which only harmless names were. Any other
//! is written anew into a buffer that is kept: the fields that change, and between them what stays as it was. A
//! field whose redaction fails is written without its value.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::config::ResolvedConfig;
use crate::frame::check::TextBudget;
use crate::frame::view::{Attributes, Field, Items, Packed, SpanView, ValueView, text};
use crate::frame::write::{self, AttributeList, Container, Head};
use crate::frame::{EVENT_HEADER, EventKind, FrameError};
use crate::kinds::{SpanFlags, SpanType};
use crate::privacy::{MARK, Redactor, Rewriter, State};
use crate::semantics::content::{self, Content};

/// What is left out of every span, or of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hidden {
    /// What went into operations.
    pub(crate) input: bool,
    /// What came out of them.
    pub(crate) output: bool,
}

impl Hidden {
    /// Whether an attribute that says this is left out.
    fn hides(self, content: Content) -> bool {
        match content {
            Content::None | Content::Parameters => false,
            Content::Input => self.input,
            Content::Output => self.output,
            Content::Either => self.input || self.output,
        }
    }
}

/// What the stage has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RedactCounts {
    /// Values replaced.
    pub(crate) redacted: u64,
    /// Values removed because a rule failed.
    pub(crate) failed: u64,
}

impl RedactCounts {
    pub(crate) fn add(&mut self, more: Self) {
        self.redacted += more.redacted;
        self.failed += more.failed;
    }
}

/// What an engine leaves out of all spans. What is not recorded of inputs and outputs may not come in by the attributes
/// of another instrumentation either.
pub(crate) fn hidden_in(config: &ResolvedConfig) -> Hidden {
    let unrecorded = config.unrecorded.io;
    Hidden { input: config.hide_input || unrecorded, output: config.hide_output || unrecorded }
}

/// Redacts spans, reusing its buffers.
#[derive(Debug)]
pub(crate) struct Redact {
    redactor: Arc<Redactor>,
    /// None for log records, which have nothing to hide.
    hidden: Option<Hidden>,
    state: State,
    /// Where the span at hand refers to what is noticed in the table of its frame.
    noticed: Vec<usize>,
    buf: Vec<u8>,
    counts: RedactCounts,
}

impl Redact {
    pub(crate) fn new(redactor: &Arc<Redactor>, hidden: Hidden) -> Self {
        Self {
            redactor: Arc::clone(redactor),
            hidden: Some(hidden),
            state: State::default(),
            noticed: Vec::new(),
            buf: Vec::new(),
            counts: RedactCounts::default(),
        }
    }

    /// For log records: what they say is no operation's input, though it stands in the same field.
    pub(crate) fn of_logs(redactor: &Arc<Redactor>) -> Self {
        Self { hidden: None, ..Self::new(redactor, Hidden::default()) }
    }

    /// Whether spans that refer to this entry of their frame's table have to be looked at.
    pub(crate) fn notices(&mut self, entry: &[u8]) -> bool {
        self.state.notices(&self.redactor, entry)
    }

    /// What was done since this was asked last.
    pub(crate) fn take_counts(&mut self) -> RedactCounts {
        core::mem::take(&mut self.counts)
    }

    /// What is left out of the record with that head: what its engine leaves out of all spans, and what the
    /// flags of its trace say.
    fn hidden(&self, head: &Head) -> Hidden {
        self.hidden.map_or_else(Hidden::default, |always| Hidden {
            input: always.input || head.flags.contains(SpanFlags::HIDE_INPUT),
            output: always.output || head.flags.contains(SpanFlags::HIDE_OUTPUT),
        })
    }

    /// Hands the span on as it is, or without its secrets.
    #[inline]
    pub(crate) fn apply(
        &mut self,
        span: &SpanView<'_>,
        next: impl FnOnce(&SpanView<'_>) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        let hidden = self.hidden(span.head());
        let Self { redactor, state, noticed, buf, counts, .. } = self;
        let noticed = match span.noticed() {
            Some(places) => places,
            None => {
                noticed.clear();
                span.check_fields_noticing(&mut TextBudget::unbounded(), noticed)?;
                noticed
            }
        };
        let mut rewriter = state.begin(redactor, span.field_bytes(), noticed, Some(span.head().trace_id));
        if rewriter.is_clean() && hidden == Hidden::default() {
            return next(span);
        }
        let mut writer = Writer::new(core::mem::take(buf), span, hidden);
        let changed = writer.span(span, &mut rewriter);
        counts.redacted += rewriter.replaced();
        counts.failed += writer.failed;
        *buf = writer.out;
        if changed? {
            // What stayed may refer to the table still.
            next(&SpanView::in_frame(self.buf.get(EVENT_HEADER..).unwrap_or_default(), span.table())?)
        } else {
            next(span)
        }
    }
}

/// Writes a span anew, as far as it changes.
struct Writer<'s> {
    out: Vec<u8>,
    /// The bytes of the span's fields ...
    fields: &'s [u8],
    /// ... and up to where they have been written.
    written: usize,
    span_type: SpanType,
    hidden: Hidden,
    failed: u64,
}

impl<'s> Writer<'s> {
    fn new(mut out: Vec<u8>, span: &SpanView<'s>, hidden: Hidden) -> Self {
        write::begin_span(&mut out);
        Self {
            out,
            fields: span.field_bytes(),
            written: 0,
            span_type: span.head().span_type,
            hidden,
            failed: 0,
        }
    }

    /// True if the span that was written is not the same; otherwise nothing of it need be written.
    fn span(&mut self, span: &SpanView<'_>, rewriter: &mut Rewriter<'_>) -> Result<bool, FrameError> {
        let mut changed = false;
        let mut next_hit = rewriter.next_hit(0);
        let mut steps = span.steps();
        // Where hits tell all, fields without any need not even be read.
        let tells_all = rewriter.hits_tell_all();
        let skips = tells_all && self.hidden == Hidden::default();
        while let Some((start, raw, field)) = steps.beyond(if skips { next_hit } else { Some(0) }) {
            let end = start + raw.len();
            let clean = next_hit.is_none_or(|hit| hit >= end) && tells_all;
            if !clean {
                next_hit = rewriter.next_hit(end);
            }
            if self.hides(&field) {
                changed = true;
                self.catch_up(start, end);
            } else if self.may_hide_part(&field) || !(clean || self.stays(&field, rewriter)) {
                let before = (self.out.len(), self.written);
                self.catch_up(start, end);
                if self.guarded(raw, &field, rewriter) {
                    changed = true;
                } else {
                    (_, self.written) = before;
                    self.out.truncate(before.0);
                }
            }
        }
        let end = steps.passed();
        if end != span.fields_len() {
            // Nothing behind what cannot be read was looked at.
            return Err(FrameError::Truncated);
        }
        if changed {
            self.catch_up(end, end);
            write::finish_span(&mut self.out, EventKind::SpanEnded, 0, span.head());
        }
        Ok(changed)
    }

    /// Writes what has stayed so far, up to `start`; the fields go on at `end`.
    fn catch_up(&mut self, start: usize, end: usize) {
        self.out.extend_from_slice(self.fields.get(self.written..start).unwrap_or_default());
        self.written = end;
    }

    /// Whether a field surely stays as it is.
    fn stays(&self, field: &Field<'_>, rewriter: &mut Rewriter<'_>) -> bool {
        let quiet = || match *field {
            Field::Name(text) | Field::StatusMessage(text) | Field::Tag(text) => rewriter.keeps_text(text),
            Field::Attribute(name, value) | Field::Metadata(name, value) => rewriter.keeps_named(name, value),
            Field::Input(value) | Field::Output(value) => rewriter.keeps_named(b"", value),
            Field::Event(event) => event
                .event()
                .is_ok_and(|event| rewriter.keeps_text(event.name) && rewriter.keeps_all(event.attributes)),
            _ => false,
        };
        catch_unwind(AssertUnwindSafe(quiet)).unwrap_or(false)
    }

    fn hides(&self, field: &Field<'_>) -> bool {
        let Hidden { input, output } = self.hidden;
        match field {
            Field::Input(_) => input,
            Field::Output(_) => output,
            Field::Attribute(name, value) if input || output => {
                match content::of_attribute(self.span_type, name) {
                    // Of what is no map nobody can tell the settings.
                    Content::Parameters => input && !matches!(value, ValueView::Map(_)),
                    content => self.hidden.hides(content),
                }
            }
            _ => false,
        }
    }

    /// Whether some of a field may have to be left out, though not all of it.
    fn may_hide_part(&self, field: &Field<'_>) -> bool {
        match *field {
            Field::Attribute(name, value) => self.settings(name, value).is_some(),
            Field::Event(_) | Field::Link(_) => self.hidden != Hidden::default(),
            _ => false,
        }
    }

    /// Request parameters of which only the settings may be shown.
    fn settings<'v>(&self, name: &[u8], value: ValueView<'v>) -> Option<Items<'v>> {
        match value {
            ValueView::Map(items) if self.hidden.input => {
                let parameters = content::of_attribute(self.span_type, name) == Content::Parameters;
                (parameters && items.entries().any(|(name, _)| !content::is_setting(name))).then_some(items)
            }
            _ => None,
        }
    }

    /// Writes a field; if that fails, writes it without its value.
    fn guarded(&mut self, raw: &[u8], field: &Field<'_>, rewriter: &mut Rewriter<'_>) -> bool {
        let start = self.out.len();
        let written = catch_unwind(AssertUnwindSafe(|| self.field(raw, field, rewriter)));
        written.unwrap_or_else(|_| {
            self.failed += 1;
            self.out.truncate(start);
            self.without_value(field);
            true
        })
    }

    /// Writes a field without its secrets; false if it is the same.
    fn field(&mut self, raw: &[u8], field: &Field<'_>, rewriter: &mut Rewriter<'_>) -> bool {
        if let Field::Attribute(name, value) = *field
            && let Some(parameters) = self.settings(name, value)
        {
            self.parameters(name, parameters, rewriter);
            return true;
        }
        let out = &mut self.out;
        match *field {
            Field::Name(name) => {
                let (name, changed) = redacted(name, rewriter);
                write::name(out, &text(&name));
                changed
            }
            Field::StatusMessage(message) => {
                let (message, changed) = redacted(message, rewriter);
                write::status_message(out, &text(&message));
                changed
            }
            Field::Tag(tag) => {
                let (tag, changed) = redacted(tag, rewriter);
                write::trace_tag(out, &text(&tag));
                changed
            }
            Field::Attribute(name, value) => {
                write::attribute_tag(out);
                rewriter.key(name, out) | rewriter.named(name, value, out)
            }
            Field::Metadata(name, value) => {
                write::metadata_tag(out);
                rewriter.key(name, out) | rewriter.named(name, value, out)
            }
            Field::Input(value) => {
                write::input_tag(out);
                rewriter.named(b"", value, out)
            }
            Field::Output(value) => {
                write::output_tag(out);
                rewriter.named(b"", value, out)
            }
            Field::Event(event) => self.event(event, rewriter),
            Field::Link(link) => self.link(link, rewriter),
            // Plain bytes, the same in every frame.
            Field::TraceState(_) | Field::Dropped { .. } => {
                out.extend_from_slice(raw);
                false
            }
            Field::Skipped => false,
        }
    }

    /// Writes those request parameters that are settings.
    fn parameters(&mut self, name: &[u8], parameters: Items<'_>, rewriter: &mut Rewriter<'_>) {
        let out = &mut self.out;
        write::attribute_tag(out);
        rewriter.key(name, out);
        let map = Container::map(out);
        let mut written = 0;
        for (name, value) in parameters.entries().filter(|(name, _)| content::is_setting(name)) {
            rewriter.key(name, out);
            rewriter.named(name, value, out);
            written += 1;
        }
        map.close(out, written);
    }

    fn event(&mut self, event: Packed<'_>, rewriter: &mut Rewriter<'_>) -> bool {
        let Ok(event) = event.event() else { return true };
        let (name, changed) = redacted(event.name, rewriter);
        let list = AttributeList::event(
            &mut self.out,
            &text(&name),
            event.time_unix_nanos,
            event.dropped_attributes,
        );
        self.list(list, event.attributes, rewriter, event.name) | changed
    }

    fn link(&mut self, link: Packed<'_>, rewriter: &mut Rewriter<'_>) -> bool {
        let Ok(link) = link.link() else { return true };
        let list = AttributeList::link(&mut self.out, &link.target(), link.dropped_attributes);
        self.list(list, link.attributes, rewriter, b"")
    }

    fn list(
        &mut self,
        mut list: AttributeList,
        attributes: Attributes<'_>,
        rewriter: &mut Rewriter<'_>,
        event: &[u8],
    ) -> bool {
        let mut changed = false;
        for (name, value) in attributes.iter() {
            if self.hidden.hides(content::of_event_attribute(event, name)) {
                changed = true;
            } else if list.count_one() {
                changed |= rewriter.key(name, &mut self.out) | rewriter.named(name, value, &mut self.out);
            }
        }
        list.close(&mut self.out);
        changed
    }

    /// Writes what can be said of a field whose redaction failed.
    fn without_value(&mut self, field: &Field<'_>) {
        let out = &mut self.out;
        match *field {
            Field::Name(_) => write::name(out, MARK),
            Field::StatusMessage(_) => write::status_message(out, MARK),
            Field::Tag(_) => write::trace_tag(out, MARK),
            Field::Attribute(..) => write::attribute(out, MARK, &MARK.into()),
            Field::Metadata(..) => write::metadata(out, MARK, &MARK.into()),
            Field::Input(_) => {
                write::input_tag(out);
                write::put_str(out, MARK);
            }
            Field::Output(_) => {
                write::output_tag(out);
                write::put_str(out, MARK);
            }
            Field::Event(event) => {
                let time = event.event().map_or(0, |event| event.time_unix_nanos);
                AttributeList::event(out, MARK, time, 0).close(out);
            }
            Field::Link(_) | Field::TraceState(_) | Field::Dropped { .. } | Field::Skipped => {}
        }
    }
}

/// The text without its secrets; true with it if it had any.
fn redacted<'t>(part: &'t [u8], rewriter: &mut Rewriter<'_>) -> (Cow<'t, [u8]>, bool) {
    let mut out = Vec::new();
    if rewriter.text(part, &mut out) { (Cow::Owned(out), true) } else { (Cow::Borrowed(part), false) }
}

#[cfg(test)]
mod tests;
