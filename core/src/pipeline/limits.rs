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
        let (mut attributes, mut events, mut links) = (0usize, 0usize, 0usize);
        let mut seen = 0u64;
        let mut twice = false;
        let mut long = false;
        let mut read = 0;
        for (raw, field) in span.raw_fields() {
            read += raw.len();
            match field {
                Field::Attribute(name, value) => {
                    attributes += 1;
                    let bit = fingerprint(name);
                    twice |= seen & bit != 0 && is_set_before(span, attributes, name);
                    seen |= bit;
                    long |= self.is_long(value);
                }
                Field::Event(event) => {
                    events += 1;
                    let event = event.event()?;
                    twice |= event.attributes.len() > limits.event_attributes
                        || (event.attributes.len() > 1 && has_twice(event.attributes));
                    long |= event.attributes.iter().any(|(_, value)| self.is_long(value));
                }
                Field::Link(link) => {
                    links += 1;
                    let link = link.link()?;
                    twice |= link.attributes.len() > limits.link_attributes
                        || (link.attributes.len() > 1 && has_twice(link.attributes));
                    long |= link.attributes.iter().any(|(_, value)| self.is_long(value));
                }
                _ => {}
            }
        }
        if read != span.fields_len() {
            return Err(FrameError::Truncated);
        }
        let counts = attributes <= limits.attributes && events <= limits.events && links <= limits.links;
        Ok(counts && !twice && !long)
    }

    #[inline]
    fn is_long(&self, value: ValueView<'_>) -> bool {
        let Some(limit) = self.limits.attribute_value_length else { return false };
        match value {
            ValueView::Str(bytes) | ValueView::Bytes(bytes) => bytes.len() > limit,
            ValueView::Array(items) => items.values().any(|item| self.is_long(item)),
            ValueView::Map(items) => items.entries().any(|(_, item)| self.is_long(item)),
            _ => false,
        }
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
        let mut dropped = [kept.len().saturating_sub(self.limits.attributes) as u32, 0, 0];
        let (mut events, mut links) = (0, 0);
        for (raw, field) in span.raw_fields() {
            match field {
                Field::Attribute(..) | Field::Skipped => {}
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
                Field::Metadata(name, value) => {
                    write::metadata_key(&mut out, &text(name));
                    write::put_value(&mut out, &value.to_value());
                }
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

/// One of 64 bits for a key, from its length and a few of its bytes.
#[inline]
fn fingerprint(name: &[u8]) -> u64 {
    let at = |place: usize| name.get(place).copied().map_or(0, u64::from);
    let length = name.len();
    let mixed = at(length.wrapping_sub(1)) << 24 ^ at(length / 2) << 16 ^ at(0) << 8 ^ length as u64;
    1 << (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

/// Whether one of the attributes before the `number`th has that key.
#[cold]
fn is_set_before(span: &SpanView<'_>, number: usize, name: &[u8]) -> bool {
    let keys = span.fields().filter_map(|field| match field {
        Field::Attribute(key, _) => Some(key),
        _ => None,
    });
    keys.take(number.saturating_sub(1)).any(|key| key == name)
}

fn has_twice(attributes: Attributes<'_>) -> bool {
    let mut seen = 0u64;
    attributes.iter().any(|(name, _)| {
        let bit = fingerprint(name);
        let known = seen & bit != 0;
        seen |= bit;
        known
    })
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
