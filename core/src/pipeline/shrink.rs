//! Brings a span under its limit of bytes, the last resort after the limits of single values.
//!
//! The largest values are cut first: all that are longer than a common length, chosen so that the rest fits.
//! Only where names and counts alone are too many, fields go as a whole: links, then events, metadata, tags and
//! attributes, from their ends.

use crate::cut;
use crate::frame::copy;
use crate::frame::view::{Attributes, Field, Items, Packed, SpanView, ValueView, text};
use crate::frame::write::{self, AttributeList, Container};
use crate::frame::{EventKind, SPAN_HEAD};
use crate::pipeline::content::{items_marker, keys_marker, keys_marker_of};

/// What a value may need at least: room for any marker.
const LEAST: usize = 48;
/// Type and length of a text, bytes, array or map.
const SIZED: usize = 5;
/// A container's type, length and count.
const CONTAINER: usize = 9;
/// The marker of an array that was cut, as its last item.
const ITEMS_MARKER: usize = SIZED + "[… more items]".len() + 20;
/// The marker of a map that was cut, as its last entry.
const KEYS_MARKER: usize = 2 + cut::TRUNCATED_KEY.len() + SIZED + " more keys omitted".len() + 20;

/// Writes the span, with `limit` bytes in its body at most, into `out` as an event. Returns how many values
/// were cut or left out.
pub(super) fn shrink(out: &mut Vec<u8>, span: &SpanView<'_>, limit: usize) -> u64 {
    let mut plan = Plan::of(span, limit);
    let longest = plan.longest(limit);
    write::begin_span(out);
    let mut left_out = LeftOut::default();
    let mut cuts = 0;
    for ((raw, field), kept) in span.raw_fields().zip(plan.kept) {
        if !kept {
            left_out.note(&field);
            continue;
        }
        match field {
            Field::Name(name) => cuts += put_name(out, &text(name), limit),
            Field::StatusMessage(message) => cuts += put_status(out, &text(message), limit),
            Field::Attribute(name, value) => {
                write::attribute_key(out, &text(name));
                cuts += put(out, value, longest);
            }
            Field::Metadata(name, value) => {
                write::metadata_key(out, &text(name));
                cuts += put(out, value, longest);
            }
            Field::Input(value) => {
                write::input_tag(out);
                cuts += put(out, value, longest);
            }
            Field::Output(value) => {
                write::output_tag(out);
                cuts += put(out, value, longest);
            }
            Field::Event(event) => cuts += put_event(out, event, longest),
            Field::Link(link) => cuts += put_link(out, link, longest),
            Field::TraceState(_) | Field::Tag(_) | Field::Dropped { .. } | Field::Skipped => {
                out.extend_from_slice(raw);
            }
        }
    }
    if left_out.metadata > 0 {
        write::metadata_key(out, cut::TRUNCATED_KEY);
        write::put_str(out, &cut::more_keys(left_out.metadata));
    }
    let [attributes, events, links] = left_out.counted;
    if attributes | events | links > 0 {
        write::dropped(out, attributes, events, links);
    }
    write::finish_span(out, EventKind::SpanEnded, 0, span.head());
    cuts + left_out.fields
}

/// What goes as a whole, with what went before.
#[derive(Debug, Default)]
struct LeftOut {
    /// Fields that go now.
    fields: u64,
    /// Attributes, events, links.
    counted: [u32; 3],
    /// Pieces of metadata.
    metadata: u64,
}

impl LeftOut {
    fn note(&mut self, field: &Field<'_>) {
        let (now, gone) = match *field {
            Field::Dropped { attributes, events, links } => (0, [attributes, events, links]),
            Field::Attribute(..) => (1, [1, 0, 0]),
            Field::Event(_) => (1, [0, 1, 0]),
            Field::Link(_) => (1, [0, 0, 1]),
            Field::Metadata(name, value) => {
                let before = keys_marker_of(name, value);
                self.metadata += before.unwrap_or(1);
                (u64::from(before.is_none()), [0; 3])
            }
            Field::Skipped => (0, [0; 3]),
            _ => (1, [0; 3]),
        };
        self.fields += now;
        for (total, more) in self.counted.iter_mut().zip(gone) {
            *total = total.saturating_add(more);
        }
    }
}

/// Which fields stay, and what their values need.
struct Plan {
    /// One for each field.
    kept: Vec<bool>,
    /// Bytes of everything that stays but the values.
    fixed: usize,
    /// The size of each value that stays.
    values: Vec<usize>,
}

impl Plan {
    fn of(span: &SpanView<'_>, limit: usize) -> Self {
        // Half is for what cannot be cut shorter. The rest of it is for what says that something is missing: the
        // counts, and the marker of the metadata.
        let room = limit / 2;
        let mut plan = Self { kept: Vec::new(), fixed: SPAN_HEAD + 13 + 1 + KEYS_MARKER, values: Vec::new() };
        let sizes: Vec<(u8, usize, Vec<usize>)> =
            span.raw_fields().map(|(raw, field)| measure(raw.len(), field, limit)).collect();
        plan.kept.resize(sizes.len(), false);
        let mut least = plan.fixed;
        // Ranks as `measure` gives them.
        for rank in 0..=6 {
            for (place, (_, fixed, values)) in sizes.iter().enumerate().filter(|(_, size)| size.0 == rank) {
                let needs = fixed + values.iter().map(|value| (*value).min(LEAST)).sum::<usize>();
                if least + needs <= room
                    && let Some(kept) = plan.kept.get_mut(place)
                {
                    *kept = true;
                    least += needs;
                    plan.fixed += fixed;
                    plan.values.extend(values);
                }
            }
        }
        plan
    }

    /// How long a value may be so that all of them together fit.
    fn longest(&mut self, limit: usize) -> usize {
        self.values.sort_unstable();
        let mut room = limit.saturating_sub(self.fixed);
        let count = self.values.len();
        for (place, size) in self.values.iter().enumerate() {
            let share = room / (count - place);
            if *size > share {
                return share;
            }
            room -= size;
        }
        usize::MAX
    }
}

/// The rank of a field (the lowest stays first; 7 never does), its bytes without values, and those of its values.
fn measure(raw: usize, field: Field<'_>, limit: usize) -> (u8, usize, Vec<usize>) {
    let with = |value: ValueView<'_>| {
        let size = encoded(value);
        (raw.saturating_sub(size), vec![size])
    };
    let (rank, (fixed, values)) = match field {
        Field::Name(_) => (0, (raw.min(3 + limit / 8), Vec::new())),
        Field::StatusMessage(_) => (0, (raw.min(SIZED + limit / 8), Vec::new())),
        Field::Input(value) | Field::Output(value) => (0, with(value)),
        Field::Attribute(_, value) => (1, with(value)),
        Field::TraceState(_) => (2, (raw, Vec::new())),
        Field::Tag(_) => (3, (raw, Vec::new())),
        // Written at the end, together with what goes now.
        Field::Metadata(name, value) if keys_marker_of(name, value).is_some() => (7, (raw, Vec::new())),
        Field::Metadata(_, value) => (4, with(value)),
        Field::Event(event) => {
            (5, event.event().map_or((raw, Vec::new()), |event| of(raw, event.attributes)))
        }
        Field::Link(link) => (6, link.link().map_or((raw, Vec::new()), |link| of(raw, link.attributes))),
        Field::Dropped { .. } | Field::Skipped => (7, (raw, Vec::new())),
    };
    (rank, fixed, values)
}

fn of(raw: usize, attributes: Attributes<'_>) -> (usize, Vec<usize>) {
    let values: Vec<usize> = attributes.iter().map(|(_, value)| encoded(value)).collect();
    (raw.saturating_sub(values.iter().sum()), values)
}

/// The bytes that a value takes.
fn encoded(value: ValueView<'_>) -> usize {
    match value {
        ValueView::Null | ValueView::Bool(_) => 1,
        ValueView::I64(_) | ValueView::F64(_) => 9,
        ValueView::Str(bytes) | ValueView::Bytes(bytes) => SIZED + bytes.len(),
        ValueView::Array(items) => CONTAINER + items.values().map(encoded).sum::<usize>(),
        ValueView::Map(items) => {
            CONTAINER + items.entries().map(|(name, item)| 2 + name.len() + encoded(item)).sum::<usize>()
        }
    }
}

fn put_name(out: &mut Vec<u8>, name: &str, limit: usize) -> u64 {
    if name.len() <= limit / 8 {
        write::name(out, name);
        return 0;
    }
    write::name(out, &cut::to_bytes(name, limit / 8));
    1
}

fn put_status(out: &mut Vec<u8>, message: &str, limit: usize) -> u64 {
    if message.len() <= limit / 8 {
        write::status_message(out, message);
        return 0;
    }
    write::status_message(out, &cut::to_bytes(message, limit / 8));
    1
}

fn put_event(out: &mut Vec<u8>, event: Packed<'_>, longest: usize) -> u64 {
    let Ok(event) = event.event() else { return 0 };
    let name = text(event.name);
    let list = AttributeList::event(out, &name, event.time_unix_nanos, event.dropped_attributes);
    put_list(out, list, event.attributes, longest)
}

fn put_link(out: &mut Vec<u8>, link: Packed<'_>, longest: usize) -> u64 {
    let Ok(link) = link.link() else { return 0 };
    let list = AttributeList::link(out, &link.target(), link.dropped_attributes);
    put_list(out, list, link.attributes, longest)
}

fn put_list(out: &mut Vec<u8>, mut list: AttributeList, attributes: Attributes<'_>, longest: usize) -> u64 {
    let mut cuts = 0;
    for (name, value) in attributes.iter() {
        if list.key(out, &text(name)) {
            cuts += put(out, value, longest);
        }
    }
    list.close(out);
    cuts
}

/// Writes what `room` bytes hold of a value, at least [`LEAST`]; returns whether that is less than all.
fn put(out: &mut Vec<u8>, value: ValueView<'_>, room: usize) -> u64 {
    if encoded(value) <= room {
        copy::value(out, value);
        return 0;
    }
    match value {
        ValueView::Bytes(bytes) => write::put_str(out, &cut::bytes_length(bytes.len())),
        ValueView::Array(items) if room >= CONTAINER + ITEMS_MARKER => put_items(out, items, room),
        ValueView::Map(items) if room >= CONTAINER + KEYS_MARKER => put_entries(out, items, room),
        ValueView::Array(_) | ValueView::Map(_) => write::put_str(out, cut::TRUNCATED),
        ValueView::Str(bytes) => {
            write::put_str(out, &cut::to_bytes(&text(bytes), room.saturating_sub(SIZED)));
        }
        ValueView::Null | ValueView::Bool(_) | ValueView::I64(_) | ValueView::F64(_) => write::put_null(out),
    }
    1
}

fn put_items(out: &mut Vec<u8>, items: Items<'_>, room: usize) {
    let mut room = room - CONTAINER - ITEMS_MARKER;
    let before = items_marker(items);
    let given = items.len() - u32::from(before.is_some());
    let array = Container::array(out);
    let mut kept = 0;
    for item in items.values().take(given as usize) {
        let size = encoded(item);
        if size > room && room < LEAST {
            break;
        }
        kept += 1;
        put(out, item, room);
        if size > room {
            break;
        }
        room -= size;
    }
    let left_out = u64::from(given - kept) + before.unwrap_or(0);
    if left_out > 0 {
        write::put_str(out, &cut::more_items(left_out));
    }
    array.close(out, kept + u32::from(left_out > 0));
}

fn put_entries(out: &mut Vec<u8>, items: Items<'_>, room: usize) {
    let mut room = room - CONTAINER - KEYS_MARKER;
    let before = keys_marker(items);
    let given = items.len() - u32::from(before.is_some());
    let map = Container::map(out);
    let mut kept = 0;
    for (name, item) in items.entries().take(given as usize) {
        let (key, size) = (2 + name.len(), encoded(item));
        if key + size > room && room < key + LEAST {
            break;
        }
        kept += 1;
        room -= key;
        write::put_key(out, &text(name));
        put(out, item, room);
        if size > room {
            break;
        }
        room -= size;
    }
    let left_out = u64::from(given - kept) + before.unwrap_or(0);
    if left_out > 0 {
        write::put_key(out, cut::TRUNCATED_KEY);
        write::put_str(out, &cut::more_keys(left_out));
    }
    map.close(out, kept + u32::from(left_out > 0));
}
