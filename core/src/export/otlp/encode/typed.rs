//! Spans that are sent under other names than they were recorded with ([`crate::semantics`]).

use super::{
    Rest, Scratch, close_span, open_span, put_attribute, put_attribute_here, put_event, put_link, put_texts,
};
use crate::export::otlp::buffer::{Buffer, PIECE, lay};
use crate::export::otlp::proto::{BYTES, Message, put_bytes, put_tag, put_varint};
use crate::frame::view::{Field, SpanView, ValueView};
use crate::semantics::{self, Dialect, Sender, Wire, WireValue};

/// One `ScopeSpans.spans` field.
pub(super) fn put_span(out: &mut Buffer, span: &SpanView<'_>, dialect: Dialect, scratch: &mut Scratch) {
    let Scratch { json, room } = scratch;
    let head = span.head();
    let message = open_span(out, head, semantics::kind(head));
    let mut fields = Fields { out, json, rest: Rest::default() };
    let wire = semantics::send(span, dialect, room, &mut fields);
    if let Some(wire) = wire {
        fields.wire(&wire);
        room.take_back(wire);
    }
    let Fields { out, rest, .. } = fields;
    if !rest.trace_state.is_empty() {
        put_bytes(out, 3, rest.trace_state);
    }
    rest.put_end(out, head.status);
    close_span(out, head, message);
}

/// The fields of a span on their way.
struct Fields<'o, 'a> {
    out: &'o mut Buffer,
    json: &'o mut String,
    rest: Rest<'a>,
}

impl<'a> Sender<'a> for Fields<'_, 'a> {
    #[inline(always)]
    fn attribute(&mut self, name: &'a [u8], value: ValueView<'a>) {
        put_attribute_here(self.out, 9, name, value);
    }

    #[inline(always)]
    fn field(&mut self, field: Field<'a>) {
        match field {
            Field::Event(event) => put_event(self.out, event),
            Field::Link(link) => put_link(self.out, link),
            other => self.rest.take(other),
        }
    }

    #[inline(always)]
    fn name(&mut self, front: &'a [u8], subject: &'a [u8]) {
        put_name(self.out, front, subject);
    }

    #[inline(always)]
    fn add(&mut self, name: &'static str, value: WireValue<'a>) {
        match value {
            // Both are known here, so that little of it is left to be done.
            WireValue::Static(word) => {
                put_attribute_here(self.out, 9, name.as_bytes(), ValueView::Str(word.as_bytes()));
            }
            value => put_value(self.out, name.as_bytes(), &value, self.json),
        }
    }
}

impl<'a> Fields<'_, 'a> {
    #[inline(never)]
    fn wire(&mut self, wire: &Wire<'a>) {
        put_name(self.out, &wire.name, &[]);
        for (name, value) in &wire.attributes {
            put_value(self.out, name, value, self.json);
        }
        for field in &wire.others {
            self.field(*field);
        }
    }
}

/// The name in two parts, the second of which may be empty.
#[inline]
fn put_name(out: &mut Buffer, front: &[u8], subject: &[u8]) {
    if subject.is_empty() {
        if !front.is_empty() {
            put_bytes(out, 5, front);
        }
        return;
    }
    let length = front.len() + 1 + subject.len();
    if length < PIECE
        && let Some(room) = out.room::<{ 2 + PIECE }>()
    {
        [room[0], room[1]] = [5 << 3 | BYTES, length as u8];
        lay(room, 2, front);
        lay(room, 3 + front.len(), subject);
        if let Some(between) = room.get_mut(2 + front.len()) {
            *between = b' ';
        }
        return out.advance(2 + length);
    }
    put_tag(out, 5, BYTES);
    put_varint(out, length as u64);
    out.extend_from_slice(front);
    out.put([b' ']);
    out.extend_from_slice(subject);
}

#[inline]
fn put_value(out: &mut Buffer, name: &[u8], value: &WireValue<'_>, json: &mut String) {
    match value {
        WireValue::Static(word) => put_attribute(out, 9, name, ValueView::Str(word.as_bytes())),
        WireValue::View(value) => put_attribute(out, 9, name, *value),
        WireValue::Message { role, content } => put_message(out, name, role, content),
        other => put_made(out, name, other, json),
    }
}

#[inline(never)]
fn put_made(out: &mut Buffer, name: &[u8], value: &WireValue<'_>, json: &mut String) {
    if let WireValue::Texts(texts) = value {
        let texts = texts.iter().map(|text| match text {
            ValueView::Str(bytes) => *bytes,
            _ => &[],
        });
        put_texts(out, name, texts);
    } else {
        put_attribute(out, 9, name, value.view(json).unwrap_or(ValueView::Null));
    }
}

/// An attribute that is mere text as a chat message.
fn put_message(out: &mut Buffer, name: &[u8], role: &str, content: &[u8]) {
    let attribute = Message::open(out, 9);
    put_bytes(out, 1, name);
    let value = Message::open(out, 2);
    let text = Message::open(out, 1);
    out.as_vec(|out| semantics::put_text_message(out, role, content));
    text.close(out);
    value.close(out);
    attribute.close(out);
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
    use opentelemetry_proto::tonic::trace::v1::ScopeSpans;
    use prost::Message as _;

    use super::*;
    use crate::context::SpanContext;
    use crate::frame::write::{self, AttributeList, Head};
    use crate::frame::{EVENT_HEADER, EventKind};
    use crate::id::{SpanId, TraceId};
    use crate::kinds::{SpanType, StatusCode};
    use crate::value::Value;

    #[test]
    fn nothing_of_a_renamed_span_is_lost() {
        let head = Head {
            trace_id: TraceId::from_bytes([1; 16]),
            span_id: SpanId::from_bytes([2; 8]),
            parent_span_id: SpanId::from_bytes([3; 8]),
            span_type: SpanType::ModelInference,
            status: StatusCode::Error,
            ..Head::default()
        };
        let mut record = Vec::new();
        write::begin_span(&mut record);
        write::name(&mut record, "answer");
        write::trace_state(&mut record, "ot=th:8");
        write::attribute(&mut record, "model", &"gpt-5".into());
        write::attribute(&mut record, "stop_sequences", &vec!["END"].into());
        write::attribute(&mut record, "warnings", &Value::from_iter([("a", 1)]));
        AttributeList::event(&mut record, "exception", 7, 0).close(&mut record);
        let to = SpanContext { trace_id: head.trace_id, span_id: head.span_id, ..SpanContext::default() };
        AttributeList::link(&mut record, &to, 0).close(&mut record);
        write::status_message(&mut record, "no");
        write::dropped(&mut record, 1, 2, 3);
        write::finish_span(&mut record, EventKind::SpanEnded, 0, &head);
        let mut out = Buffer::default();
        put_span(
            &mut out,
            &SpanView::new(&record[EVENT_HEADER..]).unwrap(),
            Dialect::GenAi,
            &mut Scratch::default(),
        );
        let spans = ScopeSpans::decode(&*out.written()).unwrap().spans;
        let span = &spans[0];
        assert_eq!((span.name.as_str(), span.kind), ("chat gpt-5", 3));
        assert_eq!((span.trace_state.as_str(), &span.parent_span_id[..]), ("ot=th:8", &[3; 8][..]));
        assert_eq!((span.events.len(), span.links.len()), (1, 1));
        assert_eq!(span.status.as_ref().map(|status| status.message.as_str()), Some("no"));
        let dropped = (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count);
        assert_eq!(dropped, (1, 2, 3));
        let value = |key: &str| {
            let found = span.attributes.iter().find(|attribute| attribute.key == key);
            found.and_then(|attribute| attribute.value.clone()?.value)
        };
        assert_eq!(value("polyspan.model_inference.warnings"), Some(Kind::StringValue("{\"a\":1}".into())));
        let Some(Kind::ArrayValue(stops)) = value("gen_ai.request.stop_sequences") else { panic!() };
        assert_eq!(stops.values.len(), 1);
    }
}
