//! Spans none of whose own attributes has another name on the wire, and whose input and output are no structures:
//! most of those that applications record by themselves. What is added to them follows from the type and the name
//! alone, so nothing is collected first.
//!
//! Asked by [`super::send`]; a test holds what it says to what [`super::finished`] makes of the same span.

use super::{Collected, MCP_METHOD, OPERATION, Sender, bare, scalar_content};
use crate::frame::view::ValueView;
use crate::kinds::{SpanType, StatusCode};
use crate::semantics::messages::Side;
use crate::semantics::wire::WireValue;
use crate::semantics::{SPAN_NAME, SPAN_TYPE};

/// Sends the name of such a span, and what is added to its attributes. False, and nothing sent, if this is none.
#[inline(always)]
pub(super) fn send<'a>(collected: &Collected<'a>, to: &mut impl Sender<'a>) -> bool {
    let Collected { head, attributes, metadata, tags, others, input, output, .. } = collected;
    let Some(info) = collected.info else { return false };
    let is_scalar = |value: Option<ValueView<'a>>, side| {
        value.is_none_or(|value| scalar_content(Some(info), value, side).is_some())
    };
    let adds_little = attributes.is_empty() && metadata.is_empty() && tags.is_empty() && others.is_empty();
    if !adds_little || !is_scalar(*input, Side::Input) || !is_scalar(*output, Side::Output) {
        return false;
    }
    let span_type = head.span_type;
    let operation = match span_type {
        // An attribute says which one it is.
        SpanType::MemoryOperation | SpanType::McpServerRequest => None,
        _ => info.operation.filter(|_| !collected.is_stepped()),
    };
    let method = (span_type == SpanType::McpTool).then_some("tools/call");
    let given = collected.given_name;
    let named = info.name_is.zip(given);
    let named = named.map(|(key, given)| (key, bare(operation.unwrap_or_default().as_bytes(), given)));
    let is_mcp = matches!(span_type, SpanType::McpTool | SpanType::McpServerRequest);
    let mut untold = None;
    if let Some(front) = if is_mcp { method } else { operation } {
        let front = front.as_bytes();
        let subject = match named {
            Some((key, name)) if info.subject.contains(&key) => name,
            _ => &[],
        };
        to.name(front, subject);
        untold = given.filter(|given| subject != *given && !is_joined(given, front, subject));
    } else {
        to.name(collected.fallback_name(), &[]);
    }
    if let Some(method) = method {
        to.add(MCP_METHOD, WireValue::Static(method));
    }
    if let Some(operation) = operation {
        to.add(OPERATION, WireValue::Static(operation));
    }
    if let Some((key, name)) = named {
        to.add(key, WireValue::View(ValueView::Str(name)));
    }
    if head.status == StatusCode::Error {
        to.add("error.type", WireValue::Static("_OTHER"));
    }
    if let Some(given) = untold {
        to.add(SPAN_NAME, WireValue::View(ValueView::Str(given)));
    }
    for (value, side) in [(input, Side::Input), (output, Side::Output)] {
        if let Some(value) = value
            && let Some((key, value)) = scalar_content(Some(info), *value, side)
        {
            to.add(key, value);
        }
    }
    to.add(SPAN_TYPE, WireValue::Static(span_type.as_str()));
    true
}

/// Whether a name is the two parts with a blank between them, or the first where the second is empty.
fn is_joined(name: &[u8], front: &[u8], subject: &[u8]) -> bool {
    match name.strip_prefix(front) {
        Some([]) => subject.is_empty(),
        Some([b' ', rest @ ..]) => !subject.is_empty() && rest == subject,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Collected, finished};
    use super::*;
    use crate::frame::view::{Field, SpanView};
    use crate::frame::write::{self, Head};
    use crate::frame::{EVENT_HEADER, EventKind};
    use crate::kinds::SpanFlags;
    use crate::semantics::wire::Room;
    use crate::value::Value;

    fn record(head: &Head, name: &str, values: [&Option<Value<'_>>; 2]) -> Vec<u8> {
        let mut out = Vec::new();
        write::begin_span(&mut out);
        write::attribute(&mut out, "http.route", &"/".into());
        write::name(&mut out, name);
        for (value, tag) in values.into_iter().zip([write::input_tag, write::output_tag]) {
            if let Some(value) = value {
                tag(&mut out);
                write::put_value(&mut out, value);
            }
        }
        write::finish_span(&mut out, EventKind::SpanEnded, 0, head);
        out
    }

    /// What was sent, as text.
    #[derive(Default)]
    struct Sent {
        name: Vec<u8>,
        added: Vec<String>,
    }

    impl<'a> Sender<'a> for Sent {
        fn attribute(&mut self, _: &'a [u8], _: ValueView<'a>) {}

        fn field(&mut self, _: Field<'a>) {}

        fn name(&mut self, front: &'a [u8], subject: &'a [u8]) {
            let parts = if subject.is_empty() { vec![front] } else { vec![front, subject] };
            self.name = parts.join(&b' ');
        }

        fn add(&mut self, name: &'static str, value: WireValue<'a>) {
            self.added.push(format!("{name} {value:?}"));
        }
    }

    #[test]
    fn it_is_what_the_long_way_makes_of_the_span() {
        let values = [None, Some("hello".into()), Some(7.into()), Some(Value::Null), Some(vec!["a"].into())];
        let mut plain_ones = 0;
        for span_type in SpanType::ALL {
            for (status, flags) in [(StatusCode::Unset, 0), (StatusCode::Error, SpanFlags::STEPPED.bits())] {
                let flags = SpanFlags::from_bits(flags);
                let head = Head { span_type: *span_type, status, flags, ..Head::default() };
                for name in ["", span_type.as_str(), "x", "chat", "chat x", "execute_tool x", "tools/call x"]
                {
                    for input in &values {
                        for output in &values {
                            let record = record(&head, name, [input, output]);
                            let span = SpanView::new(&record[EVENT_HEADER..]).unwrap();
                            let room = &mut Room::default();
                            let read = |to: &mut Sent, room: &mut Room| {
                                let mut collected = Collected::new(span.head());
                                collected.read(&span, room, Some(to));
                                collected
                            };
                            let (mut sent, mut other) = (Sent::default(), Sent::default());
                            if !send(&read(&mut other, room), &mut sent) {
                                assert!(sent.name.is_empty() && sent.added.is_empty());
                                continue;
                            }
                            let wire = finished(read(&mut other, room), room);
                            assert_eq!(sent.name, *wire.name, "{head:?} {name}");
                            let expected = wire.attributes.iter();
                            let expected: Vec<_> = expected
                                .map(|(key, value)| format!("{} {value:?}", String::from_utf8_lossy(key)))
                                .collect();
                            assert_eq!(sent.added, expected, "{head:?} {name} {input:?} {output:?}");
                            plain_ones += 1;
                        }
                    }
                }
            }
        }
        assert!(plain_ones > SpanType::ALL.len() * 7, "{plain_ones}");
    }
}
