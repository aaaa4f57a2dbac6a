//! The limits of a span (OpenTelemetry SDK, "Span Limits", and our own on content), and attributes brought to
//! one per key. Called by the export thread for every span, after redaction.
//!
//! Most spans keep all limits and have no key twice; for them this is one walk over the fields, and one over
//! each array or map. The others are written anew into a buffer that is kept, with the counts of what was left
//! out.

use crate::config::{ContentLimits, ResolvedConfig, SpanLimits};
use crate::cut;
use crate::frame::view::{Attributes, Field, Packed, SpanView, ValueView, text};
use crate::frame::write::{self, AttributeList};
use crate::frame::{EVENT_HEADER, EventKind, FrameError, SPAN_HEAD};
use crate::pipeline::content::{Bounds, keys_marker_of};
use crate::pipeline::shrink::shrink;

/// Applies the limits, reusing two buffers.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: SpanLimits,
    content: ContentLimits,
    /// What has been cut since it was last asked.
    cuts: u64,
    buf: Vec<u8>,
    shrunk: Vec<u8>,
}

impl Limiter {
    pub(crate) fn new(config: &ResolvedConfig) -> Self {
        let (limits, content) = (config.limits, config.content);
        Self { limits, content, cuts: 0, buf: Vec::new(), shrunk: Vec::new() }
    }

    /// For log records, whose attributes have limits of their own.
    pub(crate) fn of_logs(config: &ResolvedConfig) -> Self {
        Self { limits: config.log_limits, ..Self::new(config) }
    }

    /// Hands the span on as it is, or as the limits leave it.
    #[inline]
    pub(crate) fn apply(
        &mut self,
        span: &SpanView<'_>,
        next: impl FnOnce(&SpanView<'_>),
    ) -> Result<(), FrameError> {
        if self.fits(span)? {
            next(span);
            return Ok(());
        }
        self.rewrite(span);
        let body = self.buf.get(EVENT_HEADER..).unwrap_or(&[]);
        let mut kept = SpanView::new(body)?;
        if body.len() > self.content.span_bytes {
            self.cuts += shrink(&mut self.shrunk, &kept, self.content.span_bytes);
            kept = SpanView::new(self.shrunk.get(EVENT_HEADER..).unwrap_or(&[]))?;
        }
        next(&kept);
        Ok(())
    }

    /// How many cuts the limits on content made since this was last asked.
    #[inline]
    pub(crate) fn take_cuts(&mut self) -> u64 {
        core::mem::take(&mut self.cuts)
    }

    /// Whether nothing needs to change.
    #[inline]
    fn fits(&self, span: &SpanView<'_>) -> Result<bool, FrameError> {
        let limits = &self.limits;
        let found = span.summary()?;
        let counts = found.attributes <= limits.attributes
            && found.events <= limits.events
            && found.links <= limits.links
            && found.inner_attributes <= limits.event_attributes.min(limits.link_attributes);
        let texts = self.content.string_length;
        let long = found.longest > limits.attribute_value_length.unwrap_or(texts).min(texts)
            || found.longest_other > texts;
        Ok(counts
            && SPAN_HEAD + span.fields_len() <= self.content.span_bytes
            && found.metadata <= self.content.object_keys
            && !((long || found.nested) && !self.values_fit(span))
            && !(found.maybe_twice && has_twice_anywhere(span)))
    }

    /// Whether every value of the span fits.
    fn values_fit(&self, span: &SpanView<'_>) -> bool {
        let (attributes, others) = (self.attributes(), self.others());
        let all = |list: Attributes<'_>| list.iter().all(|(_, value)| attributes.fit(value));
        span.fields().all(|field| match field {
            Field::Attribute(_, value) => attributes.fit(value),
            Field::Input(value) | Field::Output(value) | Field::Metadata(_, value) => others.fit(value),
            Field::StatusMessage(message) => others.fits_text(message),
            Field::Event(event) => event.event().is_ok_and(|event| all(event.attributes)),
            Field::Link(link) => link.link().is_ok_and(|link| all(link.attributes)),
            _ => true,
        })
    }

    /// What holds for values of attributes.
    fn attributes(&self) -> Bounds {
        Bounds { content: self.content, attribute: self.limits.attribute_value_length }
    }

    /// What holds for other values.
    fn others(&self) -> Bounds {
        Bounds { content: self.content, attribute: None }
    }

    fn rewrite(&mut self, span: &SpanView<'_>) {
        let mut out = core::mem::take(&mut self.buf);
        write::begin_span(&mut out);
        let kept = last_values(span.fields().filter_map(|field| match field {
            Field::Attribute(name, value) => Some((name, value)),
            _ => None,
        }));
        let (attributes, others) = (self.attributes(), self.others());
        for (name, value) in kept.iter().take(self.limits.attributes) {
            write::attribute_key(&mut out, &text(name));
            self.cuts += attributes.put(&mut out, *value, 0);
        }
        self.put_metadata(&mut out, span);
        let mut dropped = [kept.len().saturating_sub(self.limits.attributes) as u32, 0, 0];
        let (mut events, mut links) = (0, 0);
        for (raw, field) in span.raw_fields() {
            match field {
                Field::Attribute(..) | Field::Metadata(..) | Field::Skipped => {}
                Field::Event(event) if events < self.limits.events => {
                    events += 1;
                    self.put_event(&mut out, event);
                }
                Field::Event(_) => dropped[1] += 1,
                Field::Link(link) if links < self.limits.links => {
                    links += 1;
                    self.put_link(&mut out, link);
                }
                Field::Link(_) => dropped[2] += 1,
                Field::Name(name) => write::name(&mut out, &text(name)),
                Field::Tag(tag) => write::trace_tag(&mut out, &text(tag)),
                Field::Input(value) => {
                    write::input_tag(&mut out);
                    self.cuts += others.put(&mut out, value, 0);
                }
                Field::Output(value) => {
                    write::output_tag(&mut out);
                    self.cuts += others.put(&mut out, value, 0);
                }
                Field::StatusMessage(message) => match others.cut_text(&text(message)) {
                    Some(kept) => {
                        self.cuts += 1;
                        write::status_message(&mut out, &kept);
                    }
                    None => out.extend_from_slice(raw),
                },
                // Plain bytes, the same in every frame.
                Field::TraceState(_) | Field::Dropped { .. } => out.extend_from_slice(raw),
            }
        }
        let [attributes, events, links] = dropped;
        if attributes + events + links > 0 {
            write::dropped(&mut out, attributes, events, links);
        }
        write::finish_span(&mut out, EventKind::SpanEnded, 0, span.head());
        self.buf = out;
    }

    /// Metadata is one map as to its keys.
    fn put_metadata(&mut self, out: &mut Vec<u8>, span: &SpanView<'_>) {
        let mut metadata = last_values(span.fields().filter_map(|field| match field {
            Field::Metadata(name, value) => Some((name, value)),
            _ => None,
        }));
        let limit = self.content.object_keys;
        let before = metadata.last().and_then(|(name, value)| keys_marker_of(name, *value));
        let mut left_out = 0;
        if metadata.len() > limit + usize::from(before.is_some()) {
            left_out = (metadata.len() - usize::from(before.is_some()) - limit) as u64 + before.unwrap_or(0);
            metadata.truncate(limit);
        }
        let others = self.others();
        for (name, value) in metadata {
            write::metadata_key(out, &text(name));
            self.cuts += others.put(out, value, 0);
        }
        if left_out > 0 {
            write::metadata_key(out, cut::TRUNCATED_KEY);
            write::put_str(out, &cut::more_keys(left_out));
            self.cuts += 1;
        }
    }

    fn put_event(&mut self, out: &mut Vec<u8>, event: Packed<'_>) {
        let Ok(event) = event.event() else { return };
        let (kept, dropped) = self.kept(event.attributes, self.limits.event_attributes);
        let dropped = event.dropped_attributes.saturating_add(dropped);
        let list = AttributeList::event(out, &text(event.name), event.time_unix_nanos, dropped);
        self.put_list(out, list, &kept);
    }

    fn put_link(&mut self, out: &mut Vec<u8>, link: Packed<'_>) {
        let Ok(link) = link.link() else { return };
        let (kept, dropped) = self.kept(link.attributes, self.limits.link_attributes);
        let dropped = link.dropped_attributes.saturating_add(dropped);
        let list = AttributeList::link(out, &link.target(), dropped);
        self.put_list(out, list, &kept);
    }

    fn put_list(&mut self, out: &mut Vec<u8>, mut list: AttributeList, kept: &[(&[u8], ValueView<'_>)]) {
        let attributes = self.attributes();
        for (name, value) in kept {
            if list.key(out, &text(name)) {
                self.cuts += attributes.put(out, *value, 0);
            }
        }
        list.close(out);
    }

    fn kept<'a>(&self, attributes: Attributes<'a>, limit: usize) -> (Vec<(&'a [u8], ValueView<'a>)>, u32) {
        let mut kept = last_values(attributes.iter());
        let dropped = kept.len().saturating_sub(limit);
        kept.truncate(limit);
        (kept, dropped as u32)
    }
}

/// Whether a key occurs twice among the attributes of the span, of an event or of a link, or in the metadata.
#[cold]
fn has_twice_anywhere(span: &SpanView<'_>) -> bool {
    let attributes = span.fields().filter_map(|field| match field {
        Field::Attribute(name, _) => Some(name),
        _ => None,
    });
    let metadata = span.fields().filter_map(|field| match field {
        Field::Metadata(name, _) => Some(name),
        _ => None,
    });
    has_twice(attributes)
        || has_twice(metadata)
        || span.fields().any(|field| match field {
            Field::Event(event) => event.event().is_ok_and(|event| has_twice(names(event.attributes))),
            Field::Link(link) => link.link().is_ok_and(|link| has_twice(names(link.attributes))),
            _ => false,
        })
}

fn names(attributes: Attributes<'_>) -> impl Iterator<Item = &[u8]> {
    attributes.iter().map(|(name, _)| name)
}

fn has_twice<'a>(names: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut known: Vec<&[u8]> = Vec::new();
    for name in names {
        // Short lists are the rule; for long ones a set is quicker than looking at all before.
        if known.len() > 64 {
            return true;
        }
        if known.contains(&name) {
            return true;
        }
        known.push(name);
    }
    false
}

/// Each key once with its last value, in the order the keys first came.
fn last_values<'a>(pairs: impl Iterator<Item = (&'a [u8], ValueView<'a>)>) -> Vec<(&'a [u8], ValueView<'a>)> {
    let mut kept: Vec<(&[u8], ValueView<'_>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (name, value) in pairs {
        let place = *places.entry(name).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(slot) => slot.1 = value,
            None => kept.push((name, value)),
        }
    }
    kept
}
