//! `frame`: any bytes, taken as a frame with its string table, are refused or read to their end by everything
//! that reads spans: the check, the views, the owned record, the encoder of OTLP and its JSON.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use polyspan::export::Encoder;
use polyspan::export::otlp::encode::OtlpEncoder;
use polyspan::export::otlp::json;
use polyspan::frame::batch::{Events, MAX_EXPANSION, StringTable};
use polyspan::frame::check::TextBudget;
use polyspan::frame::record::{RecordContext, SpanData};
use polyspan::frame::unsampled::Unsampled;
use polyspan::frame::view::{Field, SpanView, ValueView};
use polyspan::frame::{EventKind, MAX_DEPTH};

/// How many values there are.
fn count(value: ValueView<'_>, depth: usize) -> usize {
    assert!(depth <= MAX_DEPTH);
    1 + match value {
        ValueView::Array(items) => items.values().map(|item| count(item, depth + 1)).sum(),
        ValueView::Map(items) => items.entries().map(|(_, item)| count(item, depth + 1)).sum(),
        _ => 0,
    }
}

/// The work of reading everything, in fields and values.
fn walk(span: &SpanView<'_>) -> usize {
    let fields = span.fields().map(|field| {
        1 + match field {
            Field::Attribute(_, value)
            | Field::Metadata(_, value)
            | Field::Input(value)
            | Field::Output(value) => count(value, 0),
            Field::Event(event) => event
                .event()
                .map_or(0, |event| event.attributes.iter().map(|(_, value)| count(value, 0)).sum()),
            Field::Link(link) => {
                link.link().map_or(0, |link| link.attributes.iter().map(|(_, value)| count(value, 0)).sum())
            }
            _ => 0,
        }
    });
    fields.sum()
}

fuzz_target!(|frame: &[u8]| {
    let mut table = StringTable::new();
    let mut entries = Events::new(frame);
    while let Ok(Some(event)) = entries.next_event() {
        if event.kind == Some(EventKind::StringEntry) && table.define(event.body).is_err() {
            break;
        }
    }
    let (scope, resource) = (Arc::default(), Arc::default());
    let context = RecordContext { scope: &scope, scope_id: 0, resource: &resource };
    let mut texts = TextBudget::of(frame.len());
    let mut encoder = OtlpEncoder::new();
    let mut events = Events::new(frame);
    while let Ok(Some(event)) = events.next_event() {
        if let Ok(span) = Unsampled::in_frame(event.body, &table) {
            assert!(span.name.len() <= 3 * frame.len());
        }
        let Ok(span) = SpanView::in_frame(event.body, &table) else { continue };
        assert!(walk(&span) <= event.body.len());
        // Bytes that were not checked harm no reader either; short ones, because an entry may be long.
        let checked = span.check_within(&mut texts).is_ok();
        if checked {
            let raw: usize = span.raw_fields().map(|(bytes, _)| bytes.len()).sum();
            assert_eq!(raw, span.fields_len());
        }
        if checked || table.is_empty() {
            let record = SpanData::from_view(&span, &context);
            // Bytes that are not UTF-8 become a character of three.
            let members = record.context.state.iter().map(|(key, value)| key.len() + value.len());
            assert!(members.sum::<usize>() <= 3 * frame.len());
            encoder.push(&span, &context);
        }
    }
    let spans = encoder.spans();
    let batch = encoder.take();
    assert_eq!(batch.spans, spans);
    assert!(batch.body.len() <= 64 + 16 * (frame.len() + MAX_EXPANSION));
    if spans > 0 {
        json::write_request_json(&mut String::new(), &batch.body).expect("a well-formed request");
    }
});
