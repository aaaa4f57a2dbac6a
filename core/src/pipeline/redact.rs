//! Redaction of whole spans, before anything of them leaves the process: names, status, attributes, events,
//! links, input, output, metadata and tags. The rules themselves are [`crate::privacy`].
//!
//! A span in which nothing was found passes as it is. Any other is written anew, field by field, into a buffer
//! that is kept; a field whose redaction fails is written without its value.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::config::ResolvedConfig;
use crate::frame::view::{Attributes, Field, Packed, SpanView, text};
use crate::frame::write::{self, AttributeList, Head};
use crate::frame::{EVENT_HEADER, EventKind, FrameError};
use crate::kinds::SpanFlags;
use crate::privacy::{MARK, Redactor, Rewriter, State};

/// Inputs of operations as the conventions write them into attributes ...
const INPUTS: [&str; 5] = [
    "gen_ai.input.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "input.value",
    "gen_ai.prompt",
];
/// ... and their outputs.
const OUTPUTS: [&str; 4] =
    ["gen_ai.output.messages", "gen_ai.tool.call.result", "output.value", "gen_ai.completion"];

/// What is left out of every span, or of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hidden {
    /// What went into operations.
    pub(crate) input: bool,
    /// What came out of them.
    pub(crate) output: bool,
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

/// What an engine leaves out of all spans.
pub(crate) fn hidden_in(config: &ResolvedConfig) -> Hidden {
    Hidden { input: config.hide_input, output: config.hide_output }
}

/// Redacts spans, reusing its buffers.
#[derive(Debug)]
pub(crate) struct Redact {
    redactor: Arc<Redactor>,
    /// None for log records, which have nothing to hide.
    hidden: Option<Hidden>,
    state: State,
    buf: Vec<u8>,
    counts: RedactCounts,
}

impl Redact {
    pub(crate) fn new(redactor: &Arc<Redactor>, hidden: Hidden) -> Self {
        Self {
            redactor: Arc::clone(redactor),
            hidden: Some(hidden),
            state: State::default(),
            buf: Vec::new(),
            counts: RedactCounts::default(),
        }
    }

    /// For log records: what they say is no operation's input, though it stands in the same field.
    pub(crate) fn of_logs(redactor: &Arc<Redactor>) -> Self {
        Self { hidden: None, ..Self::new(redactor, Hidden::default()) }
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
        let redactor = Arc::clone(&self.redactor);
        let alone = span.stands_alone();
        let mut rewriter = self.state.begin(&redactor, span.field_bytes(), alone, Some(span.head().trace_id));
        if rewriter.is_clean() && hidden == Hidden::default() {
            return next(span);
        }
        let mut writer = Writer { out: core::mem::take(&mut self.buf), alone, hidden, failed: 0 };
        let changed = writer.span(span, &mut rewriter);
        self.counts.redacted += rewriter.replaced();
        self.counts.failed += writer.failed;
        self.buf = writer.out;
        if changed? {
            next(&SpanView::new(self.buf.get(EVENT_HEADER..).unwrap_or_default())?)
        } else {
            next(span)
        }
    }
}

/// Writes a span anew.
struct Writer {
    out: Vec<u8>,
    /// Whether the bytes of a field mean the same outside of its frame.
    alone: bool,
    hidden: Hidden,
    failed: u64,
}

impl Writer {
    /// True if the span that was written is not the same.
    fn span(&mut self, span: &SpanView<'_>, rewriter: &mut Rewriter<'_>) -> Result<bool, FrameError> {
        write::begin_span(&mut self.out);
        let mut changed = false;
        let mut read = 0;
        for (raw, field) in span.raw_fields() {
            read += raw.len();
            if self.hides(&field) {
                changed = true;
            } else if self.alone && rewriter.is_clean_in(raw) {
                self.out.extend_from_slice(raw);
            } else {
                changed |= self.guarded(raw, &field, rewriter);
            }
        }
        if read != span.fields_len() {
            // Nothing behind what cannot be read was looked at.
            return Err(FrameError::Truncated);
        }
        write::finish_span(&mut self.out, EventKind::SpanEnded, 0, span.head());
        Ok(changed)
    }

    fn hides(&self, field: &Field<'_>) -> bool {
        let Hidden { input, output } = self.hidden;
        match field {
            Field::Input(_) => input,
            Field::Output(_) => output,
            Field::Attribute(name, _) => self.hides_attribute(name),
            _ => false,
        }
    }

    fn hides_attribute(&self, name: &[u8]) -> bool {
        let is = |names: &[&str]| names.iter().any(|known| known.as_bytes() == name);
        self.hidden.input && is(&INPUTS) || self.hidden.output && is(&OUTPUTS)
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

    fn event(&mut self, event: Packed<'_>, rewriter: &mut Rewriter<'_>) -> bool {
        let Ok(event) = event.event() else { return true };
        let (name, changed) = redacted(event.name, rewriter);
        let list = AttributeList::event(
            &mut self.out,
            &text(&name),
            event.time_unix_nanos,
            event.dropped_attributes,
        );
        self.list(list, event.attributes, rewriter) | changed
    }

    fn link(&mut self, link: Packed<'_>, rewriter: &mut Rewriter<'_>) -> bool {
        let Ok(link) = link.link() else { return true };
        let list = AttributeList::link(&mut self.out, &link.target(), link.dropped_attributes);
        self.list(list, link.attributes, rewriter)
    }

    fn list(
        &mut self,
        mut list: AttributeList,
        attributes: Attributes<'_>,
        rewriter: &mut Rewriter<'_>,
    ) -> bool {
        let mut changed = false;
        for (name, value) in attributes.iter() {
            if self.hides_attribute(name) {
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
