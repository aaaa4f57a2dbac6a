//! The fine limits of a span (OpenTelemetry SDK, "Span Limits"), and attributes brought to one per key.
//!
//! Most spans keep all limits and have no key twice; for them this is one walk over the fields. The others
//! are written anew into a buffer that is kept, with the counts of what was left out.

use crate::config::SpanLimits;
use crate::frame::view::{Attributes, Field, Packed, SpanView, ValueView, text};
use crate::frame::write::{self, AttributeList, Container};
use crate::frame::{EVENT_HEADER, EventKind, FrameError};

/// Applies the limits, reusing one buffer.
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: SpanLimits,
    buf: Vec<u8>,
}

impl Limiter {
    pub(crate) fn new(limits: SpanLimits) -> Self {
        Self { limits, buf: Vec::new() }
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
        next(&SpanView::new(body)?);
        Ok(())
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
        let long = limits.attribute_value_length.is_some_and(|limit| found.longest > limit);
        Ok(counts && !long && !(found.maybe_twice && has_twice_anywhere(span)))
    }

    fn rewrite(&mut self, span: &SpanView<'_>) {
        let mut out = core::mem::take(&mut self.buf);
        write::begin_span(&mut out);
        let kept = last_values(span.fields().filter_map(|field| match field {
            Field::Attribute(name, value) => Some((name, value)),
            _ => None,
        }));
        for (name, value) in kept.iter().take(self.limits.attributes) {
            write::attribute_key(&mut out, &text(name));
            self.put_value(&mut out, *value);
        }
        let metadata = last_values(span.fields().filter_map(|field| match field {
            Field::Metadata(name, value) => Some((name, value)),
            _ => None,
        }));
        for (name, value) in metadata {
            write::metadata_key(&mut out, &text(name));
            write::put_value(&mut out, &value.to_value());
        }
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
                    write::put_value(&mut out, &value.to_value());
                }
                Field::Output(value) => {
                    write::output_tag(&mut out);
                    write::put_value(&mut out, &value.to_value());
                }
                // Plain bytes, the same in every frame.
                Field::StatusMessage(_) | Field::TraceState(_) | Field::Dropped { .. } => {
                    out.extend_from_slice(raw);
                }
            }
        }
        let [attributes, events, links] = dropped;
        if attributes + events + links > 0 {
            write::dropped(&mut out, attributes, events, links);
        }
        write::finish_span(&mut out, EventKind::SpanEnded, 0, span.head());
        self.buf = out;
    }

    fn put_event(&self, out: &mut Vec<u8>, event: Packed<'_>) {
        let Ok(event) = event.event() else { return };
        let (kept, dropped) = self.kept(event.attributes, self.limits.event_attributes);
        let dropped = event.dropped_attributes.saturating_add(dropped);
        let list = AttributeList::event(out, &text(event.name), event.time_unix_nanos, dropped);
        self.put_list(out, list, &kept);
    }

    fn put_link(&self, out: &mut Vec<u8>, link: Packed<'_>) {
        let Ok(link) = link.link() else { return };
        let (kept, dropped) = self.kept(link.attributes, self.limits.link_attributes);
        let to = crate::context::SpanContext {
            trace_id: link.trace_id,
            span_id: link.span_id,
            flags: link.trace_flags,
            state: crate::context::TraceState::from_valid(&text(link.trace_state)),
            remote: link.remote,
        };
        let list = AttributeList::link(out, &to, link.dropped_attributes.saturating_add(dropped));
        self.put_list(out, list, &kept);
    }

    fn put_list(&self, out: &mut Vec<u8>, mut list: AttributeList, kept: &[(&[u8], ValueView<'_>)]) {
        for (name, value) in kept {
            if list.key(out, &text(name)) {
                self.put_value(out, *value);
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

    fn put_value(&self, out: &mut Vec<u8>, value: ValueView<'_>) {
        match value {
            ValueView::Null => write::put_null(out),
            ValueView::Bool(value) => write::put_bool(out, value),
            ValueView::I64(value) => write::put_i64(out, value),
            ValueView::F64(value) => write::put_f64(out, value),
            ValueView::Str(bytes) => write::put_str(out, self.cut_text(&text(bytes))),
            ValueView::Bytes(bytes) => {
                let length =
                    self.limits.attribute_value_length.map_or(bytes.len(), |limit| bytes.len().min(limit));
                write::put_bytes(out, bytes.get(..length).unwrap_or(bytes));
            }
            ValueView::Array(items) => {
                let array = Container::array(out);
                items.values().for_each(|item| self.put_value(out, item));
                array.close(out, items.len());
            }
            ValueView::Map(items) => {
                let map = Container::map(out);
                for (name, item) in items.entries() {
                    write::put_key(out, &text(name));
                    self.put_value(out, item);
                }
                map.close(out, items.len());
            }
        }
    }

    fn cut_text<'t>(&self, whole: &'t str) -> &'t str {
        let Some(limit) = self.limits.attribute_value_length else { return whole };
        match whole.char_indices().nth(limit) {
            Some((end, _)) => whole.get(..end).unwrap_or(whole),
            None => whole,
        }
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
