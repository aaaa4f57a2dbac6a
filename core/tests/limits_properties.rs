//! What must hold of the limits whatever is recorded: no value is longer, deeper or wider than they say, texts are
//! cut between characters, a span keeps to its bytes, and what came of it is not cut again.

#![allow(clippy::unwrap_used, missing_docs)]

use std::borrow::Cow;
use std::time::Duration;

use polyspan::config::{ContentLimits, ExporterOptions};
use polyspan::export::memory::MemoryStore;
use polyspan::frame::record::SpanData;
use polyspan::frame::{SPAN_HEAD, copy};
use polyspan::{Engine, Options, OwnedValue, Value, cut};
use proptest::collection::vec;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![6 => "\\PC{0,12}", 2 => "[é😀a]{0,60}", 1 => Just("ß".repeat(3000)), 1 => Just("[MaxDepth]".to_owned())]
}

fn value() -> impl Strategy<Value = OwnedValue> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::I64),
        Just(Value::Null),
        text().prop_map(Value::from),
        vec(any::<u8>(), 0..40).prop_map(|bytes| Value::Bytes(Cow::Owned(bytes))),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..9).prop_map(Value::Array),
            vec(("[a-f]{1,3}".prop_map(Cow::Owned), inner), 0..9).prop_map(Value::Map),
        ]
    })
}

fn limits() -> impl Strategy<Value = ContentLimits> {
    (1usize..40, 0usize..5, 0usize..6, 0usize..6, 1024usize..4096).prop_map(
        |(string_length, depth, array_items, object_keys, span_bytes)| ContentLimits {
            string_length,
            depth,
            array_items,
            object_keys,
            span_bytes,
        },
    )
}

fn started(limits: ContentLimits, capture: usize) -> (Engine, MemoryStore) {
    let store = MemoryStore::new();
    let options = Options::new("properties")
        .name(format!("{limits:?} {capture}"))
        .replace(true)
        .exporter(ExporterOptions::Memory(store.clone()))
        .capture_value_bytes(capture)
        .content_limits(limits);
    (polyspan::init(options).unwrap(), store)
}

fn passed(engine: &Engine, store: &MemoryStore, record: impl FnOnce(&mut polyspan::Span)) -> SpanData {
    let mut span = engine.span("x").start();
    record(&mut span);
    span.end();
    engine.flush(Duration::from_secs(30)).unwrap();
    store.take().pop().unwrap()
}

/// Whether the value, at its depth, keeps to the limits.
fn keeps(value: &Value<'_>, limits: &ContentLimits, depth: usize) -> bool {
    match value {
        Value::Str(text) => {
            let kept = text.strip_suffix(cut::TRUNCATED).unwrap_or(text);
            // Bytes that had to go for the span's sake leave as many characters at most.
            cut::is_marker(text) || kept.chars().count() <= limits.string_length
        }
        Value::Bytes(bytes) => bytes.len() <= limits.string_length,
        Value::Array(items) => {
            let marked =
                matches!(items.last(), Some(Value::Str(last)) if cut::items_left_out(last).is_some());
            depth <= limits.depth
                && items.len() <= limits.array_items + usize::from(marked)
                && items.iter().all(|item| keeps(item, limits, depth + 1))
        }
        Value::Map(entries) => {
            let marked = entries.last().is_some_and(|(name, _)| name == cut::TRUNCATED_KEY);
            depth <= limits.depth
                && entries.len() <= limits.object_keys + usize::from(marked)
                && entries.iter().all(|(_, item)| keeps(item, limits, depth + 1))
        }
        Value::Null | Value::Bool(_) | Value::I64(_) | Value::F64(_) => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_recorded(
        limits in limits(),
        capture in prop_oneof![Just(1usize << 20), 64usize..2000],
        values in vec(value(), 1..8),
        message in text(),
    ) {
        let (engine, store) = started(limits, capture);
        let first = passed(&engine, &store, |span| {
            for (place, value) in values.iter().enumerate() {
                span.set(&format!("a{place}"), value.clone()).metadata(&format!("m{place}"), value.clone());
                span.event_with("e", None, &[("k".into(), value.clone())]);
            }
            span.input(values.first().cloned().unwrap()).output(Value::Array(values.clone()));
            span.status(polyspan::StatusCode::Error, &message);
        });
        let events = first.events.iter().flat_map(|event| &event.attributes);
        let all = first.attributes.iter().chain(&first.metadata).chain(events).map(|(_, value)| value);
        for value in all.chain(&first.input).chain(&first.output) {
            prop_assert!(keeps(value, &limits, 0), "{limits:?}: {value:?}");
        }
        let mut body = Vec::new();
        copy::fields(&mut body, &first);
        prop_assert!(SPAN_HEAD + body.len() <= limits.span_bytes, "{} bytes", body.len());

        let _ = engine.shutdown(Duration::from_secs(30));

        // Once more, with room for the markers, which may be longer than what they stand for.
        let (engine, store) = started(limits, 1 << 20);
        let again = passed(&engine, &store, |span| {
            first.input.iter().for_each(|value| _ = span.input(value.clone()));
            first.output.iter().for_each(|value| _ = span.output(value.clone()));
        });
        prop_assert_eq!((&again.input, &again.output), (&first.input, &first.output));
        prop_assert_eq!(engine.stats().limited, 0);
        let _ = engine.shutdown(Duration::from_secs(30));
    }
}
