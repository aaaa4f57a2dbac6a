//! Spans that are sent under other names than they were recorded with ([`crate::semantics`]).

use super::{Rest, Scratch, close_span, open_span, put_attribute, put_event, put_link, put_texts};
use crate::export::otlp::proto::{Message, put_bytes};
use crate::frame::view::{Field, SpanView, ValueView};
use crate::semantics::{self, Dialect, WireValue};

/// One `ScopeSpans.spans` field.
pub(super) fn put_span(out: &mut Vec<u8>, span: &SpanView<'_>, dialect: Dialect, scratch: &mut Scratch) {
    let Scratch { json, room } = scratch;
    let head = span.head();
    let message = open_span(out, head, semantics::kind(head));
    let mut rest = Rest::default();
    // Most attributes have no other name, and go the short way.
    let wire = semantics::map_but(span, dialect, room, |field| {
        match field {
            Field::Attribute(name, value) => put_attribute(out, 9, name, value),
            Field::Event(event) => put_event(out, event),
            Field::Link(link) => put_link(out, link),
            other => rest.take(other),
        }
        true
    });
    if !wire.name.is_empty() {
        put_bytes(out, 5, &wire.name);
    }
    for (name, value) in &wire.attributes {
        match value {
            WireValue::Texts(texts) => put_texts(
                out,
                name,
                texts.iter().map(|text| match text {
                    ValueView::Str(bytes) => *bytes,
                    _ => &[],
                }),
            ),
            WireValue::Message { role, content } => put_message(out, name, role, content),
            other => put_attribute(out, 9, name, other.view(json).unwrap_or(ValueView::Null)),
        }
    }
    for field in &wire.others {
        match *field {
            Field::Event(event) => put_event(out, event),
            Field::Link(link) => put_link(out, link),
            other => rest.take(other),
        }
    }
    room.take_back(wire);
    if !rest.trace_state.is_empty() {
        put_bytes(out, 3, rest.trace_state);
    }
    rest.put_end(out, head.status);
    close_span(out, head, message);
}

/// An attribute that is mere text as a chat message.
fn put_message(out: &mut Vec<u8>, name: &[u8], role: &str, content: &[u8]) {
    let attribute = Message::open(out, 9);
    put_bytes(out, 1, name);
    let value = Message::open(out, 2);
    let text = Message::open(out, 1);
    semantics::put_text_message(out, role, content);
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
        let mut out = Vec::new();
        put_span(
            &mut out,
            &SpanView::new(&record[EVENT_HEADER..]).unwrap(),
            Dialect::GenAi,
            &mut Scratch::default(),
        );
        let spans = ScopeSpans::decode(&out[..]).unwrap().spans;
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
