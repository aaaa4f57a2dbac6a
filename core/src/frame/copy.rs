//! Copying a record so that it stands alone: without an event's header, and with what it refers to in the
//! string table of a frame written out. And the way back from an owned record to bytes.
//!
//! For the host stage, which keeps records longer than one drain pass and takes back changed ones.

use super::record::{EventData, LinkData, RecordContext, SpanData};
use super::view::{SpanView, ValueView, text};
use super::write::{self, AttributeList, Container};
use crate::value::OwnedValue;

/// Appends the body of the span's event: head and fields.
pub(crate) fn span(out: &mut Vec<u8>, span: &SpanView<'_>) {
    write::head(out, span.head());
    match span.plain_fields() {
        Some(bytes) => out.extend_from_slice(bytes),
        None => {
            // Neither is among the fields.
            let (scope, resource) = Default::default();
            let context = RecordContext { scope: &scope, scope_id: 0, resource: &resource };
            fields(out, &SpanData::from_view(span, &context));
        }
    }
}

/// Appends a value of another record.
pub(crate) fn value(out: &mut Vec<u8>, from: ValueView<'_>) {
    match from {
        ValueView::Null => write::put_null(out),
        ValueView::Bool(value) => write::put_bool(out, value),
        ValueView::I64(value) => write::put_i64(out, value),
        ValueView::F64(value) => write::put_f64(out, value),
        ValueView::Str(bytes) => write::put_str(out, &text(bytes)),
        ValueView::Bytes(bytes) => write::put_bytes(out, bytes),
        ValueView::Array(items) => {
            let array = Container::array(out);
            items.values().for_each(|item| value(out, item));
            array.close(out, items.len());
        }
        ValueView::Map(items) => {
            let map = Container::map(out);
            for (name, item) in items.entries() {
                write::put_key(out, &text(name));
                value(out, item);
            }
            map.close(out, items.len());
        }
    }
}

/// Appends the fields of a record; what stands in the head is left out.
pub fn fields(out: &mut Vec<u8>, data: &SpanData) {
    let SpanData {
        context,
        name,
        status_message,
        attributes,
        events,
        links,
        dropped_attributes,
        dropped_events,
        dropped_links,
        input,
        output,
        metadata,
        tags,
        // The head says these, and scope and resource are known by their number and engine.
        parent_span_id: _,
        parent_remote: _,
        kind: _,
        span_type: _,
        flags: _,
        start_unix_nanos: _,
        end_unix_nanos: _,
        status: _,
        scope: _,
        resource: _,
    } = data;
    write::name(out, name);
    if !status_message.is_empty() {
        write::status_message(out, status_message);
    }
    if !context.state.is_empty() {
        write::trace_state(out, context.state.header());
    }
    for (key, value) in attributes {
        write::attribute(out, key, value);
    }
    for event in events {
        put_event(out, event);
    }
    for link in links {
        put_link(out, link);
    }
    if let Some(input) = input {
        write::input_tag(out);
        write::put_value(out, input);
    }
    if let Some(output) = output {
        write::output_tag(out);
        write::put_value(out, output);
    }
    for (key, value) in metadata {
        write::metadata(out, key, value);
    }
    for tag in tags {
        write::trace_tag(out, tag);
    }
    if dropped_attributes | dropped_events | dropped_links != 0 {
        write::dropped(out, *dropped_attributes, *dropped_events, *dropped_links);
    }
}

fn put_event(out: &mut Vec<u8>, event: &EventData) {
    let list = AttributeList::event(out, &event.name, event.time_unix_nanos, event.dropped_attributes);
    put_list(out, list, &event.attributes);
}

fn put_link(out: &mut Vec<u8>, link: &LinkData) {
    let list = AttributeList::link(out, &link.context, link.dropped_attributes);
    put_list(out, list, &link.attributes);
}

fn put_list(out: &mut Vec<u8>, mut list: AttributeList, attributes: &[(String, OwnedValue)]) {
    for (key, value) in attributes {
        list.attribute(out, key, value);
    }
    list.close(out);
}
