//! Fields that are never to leave: inputs and outputs of an engine without them, and those that
//! `exclude_fields` names. Called by the export thread before any other stage.
//!
//! An entry names an attribute (of the span, an event or a link), a piece of metadata, `input` or `output`, or
//! leads by dots into their maps; arrays on the way are passed through, so that `input.messages.content` is the
//! content of every message. Keys may hold dots themselves: what stands before any dot of the entry may be one.

use crate::config::Unrecorded;
use crate::frame::view::{Attributes, Field, Packed, SpanView, ValueView, text};
use crate::frame::write::{self, AttributeList, Container};
use crate::frame::{EVENT_HEADER, EventKind, FrameError, copy};

/// Leaves fields out, reusing one buffer.
#[derive(Debug)]
pub(crate) struct FieldFilter {
    without: Unrecorded,
    /// Whether they are left out of log records, whose bodies stay.
    logs: bool,
    buf: Vec<u8>,
}

/// What an entry says about something of a name.
enum Verdict<'p> {
    Stays,
    Goes,
    /// Something inside may have to go.
    Inside(Vec<&'p str>),
}

impl FieldFilter {
    pub(crate) fn new(without: &Unrecorded) -> Self {
        Self { without: without.clone(), logs: false, buf: Vec::new() }
    }

    /// For log records: what they say is no operation's input, though it stands in the same field.
    pub(crate) fn of_logs(without: &Unrecorded) -> Self {
        let without = Unrecorded { io: false, ..without.clone() };
        Self { without, logs: true, buf: Vec::new() }
    }

    /// Hands the span on as it is, or without what is not to leave.
    #[inline]
    pub(crate) fn apply(
        &mut self,
        span: &SpanView<'_>,
        next: impl FnOnce(&SpanView<'_>) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        if self.is_idle() || !self.concerns(span) {
            return next(span);
        }
        self.rewrite(span);
        next(&SpanView::new(self.buf.get(EVENT_HEADER..).unwrap_or(&[]))?)
    }

    #[inline]
    fn is_idle(&self) -> bool {
        !self.without.io && self.without.fields.is_empty()
    }

    /// Whether an entry names anything that the span has.
    fn concerns(&self, span: &SpanView<'_>) -> bool {
        span.fields().any(|field| {
            let list = |attributes: Attributes<'_>| {
                attributes.iter().any(|(name, _)| !matches!(self.attribute(name), Verdict::Stays))
            };
            match field {
                Field::Attribute(name, _) => !matches!(self.attribute(name), Verdict::Stays),
                Field::Metadata(name, _) => !matches!(self.metadata(name), Verdict::Stays),
                Field::Input(_) => !matches!(self.io("input"), Verdict::Stays),
                Field::Output(_) => !matches!(self.io("output"), Verdict::Stays),
                Field::Event(event) => event.event().is_ok_and(|event| list(event.attributes)),
                Field::Link(link) => link.link().is_ok_and(|link| list(link.attributes)),
                _ => false,
            }
        })
    }

    fn attribute(&self, name: &[u8]) -> Verdict<'_> {
        self.of("attributes", &text(name))
    }

    fn metadata(&self, name: &[u8]) -> Verdict<'_> {
        self.of("metadata", &text(name))
    }

    fn io(&self, name: &str) -> Verdict<'_> {
        if self.logs {
            return Verdict::Stays;
        }
        if self.without.io { Verdict::Goes } else { judge(self.paths(), name) }
    }

    /// An entry may say what group it means.
    fn of(&self, group: &str, name: &str) -> Verdict<'_> {
        match judge(self.paths(), group) {
            Verdict::Goes => Verdict::Goes,
            Verdict::Stays => judge(self.paths(), name),
            Verdict::Inside(inside) => judge(self.paths().chain(inside), name),
        }
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.without.fields.iter().map(String::as_str)
    }

    fn rewrite(&mut self, span: &SpanView<'_>) {
        let mut out = core::mem::take(&mut self.buf);
        write::begin_span(&mut out);
        for (raw, field) in span.raw_fields() {
            match field {
                Field::Name(name) => write::name(&mut out, &text(name)),
                Field::Tag(tag) => write::trace_tag(&mut out, &text(tag)),
                Field::Attribute(name, value) => put(&mut out, value, &self.attribute(name), |out| {
                    write::attribute_key(out, &text(name));
                }),
                Field::Metadata(name, value) => put(&mut out, value, &self.metadata(name), |out| {
                    write::metadata_key(out, &text(name));
                }),
                Field::Input(value) => put(&mut out, value, &self.io("input"), write::input_tag),
                Field::Output(value) => put(&mut out, value, &self.io("output"), write::output_tag),
                Field::Event(event) => self.put_event(&mut out, event),
                Field::Link(link) => self.put_link(&mut out, link),
                // Plain bytes, the same in every frame.
                Field::StatusMessage(_) | Field::TraceState(_) | Field::Dropped { .. } => {
                    out.extend_from_slice(raw);
                }
                Field::Skipped => {}
            }
        }
        write::finish_span(&mut out, EventKind::SpanEnded, 0, span.head());
        self.buf = out;
    }

    fn put_event(&self, out: &mut Vec<u8>, event: Packed<'_>) {
        let Ok(event) = event.event() else { return };
        let name = text(event.name);
        let list = AttributeList::event(out, &name, event.time_unix_nanos, event.dropped_attributes);
        self.put_list(out, list, event.attributes);
    }

    fn put_link(&self, out: &mut Vec<u8>, link: Packed<'_>) {
        let Ok(link) = link.link() else { return };
        let list = AttributeList::link(out, &link.target(), link.dropped_attributes);
        self.put_list(out, list, link.attributes);
    }

    fn put_list(&self, out: &mut Vec<u8>, mut list: AttributeList, attributes: Attributes<'_>) {
        for (name, value) in attributes.iter() {
            let verdict = self.attribute(name);
            if !matches!(verdict, Verdict::Goes) && list.key(out, &text(name)) {
                put(out, value, &verdict, |_| {});
            }
        }
        list.close(out);
    }
}

/// What the entries say about something of that name.
fn judge<'p>(paths: impl Iterator<Item = &'p str>, name: &str) -> Verdict<'p> {
    let mut inside = Vec::new();
    for path in paths {
        match path.strip_prefix(name) {
            Some("") => return Verdict::Goes,
            Some(rest) => inside.extend(rest.strip_prefix('.')),
            None => {}
        }
    }
    if inside.is_empty() { Verdict::Stays } else { Verdict::Inside(inside) }
}

/// Writes what stays of a value behind what `key` writes.
fn put(out: &mut Vec<u8>, value: ValueView<'_>, verdict: &Verdict<'_>, key: impl FnOnce(&mut Vec<u8>)) {
    match verdict {
        Verdict::Goes => {}
        Verdict::Stays => {
            key(out);
            copy::value(out, value);
        }
        Verdict::Inside(paths) => {
            key(out);
            put_inside(out, value, paths);
        }
    }
}

fn put_inside(out: &mut Vec<u8>, value: ValueView<'_>, paths: &[&str]) {
    match value {
        ValueView::Array(items) => {
            let array = Container::array(out);
            items.values().for_each(|item| put_inside(out, item, paths));
            array.close(out, items.len());
        }
        ValueView::Map(items) => {
            let map = Container::map(out);
            let mut kept = 0;
            for (name, item) in items.entries() {
                let name = text(name);
                let verdict = judge(paths.iter().copied(), &name);
                kept += u32::from(!matches!(verdict, Verdict::Goes));
                put(out, item, &verdict, |out| write::put_key(out, &name));
            }
            map.close(out, kept);
        }
        scalar => copy::value(out, scalar),
    }
}
