//! Replays `tests/vectors/frame.json`: the writer gives the bytes of the file, the decoder reads from them what
//! was written and says of others why they are no frame, and an engine takes in and counts whole frames.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod vector_values;

use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::batch::{Events, StringTable};
use polyspan::frame::keys::{STATIC_KEYS, static_key};
use polyspan::frame::unsampled::{self, Unsampled};
use polyspan::frame::view::{Attributes, Field, SpanView, ValueView};
use polyspan::frame::write::{self, AttributeList, Head};
use polyspan::frame::{EVENT_HEADER, EventKind, FrameError};
use polyspan::{DropReason, Options, SpanFlags, SpanId, SpanType};
use serde_json::{Value as Json, json};
use vector_values::{
    attributes, context, hex, kind, list, long_text, nanos, number, our_value, status, tagged, text, unhex,
};

fn vectors() -> Json {
    serde_json::from_str(include_str!("../../tests/vectors/frame.json")).unwrap()
}

/// The bytes of a case; long ones are written as pieces and how often each comes.
fn bytes(case: &Json) -> Vec<u8> {
    match &case["hex"] {
        Json::String(digits) => unhex(digits),
        pieces => unhex(&long_text(&pieces["repeat"])),
    }
}

/// The same in full: with plain text wherever a static key or an entry of the table is named.
fn resolved(json: &Json, table: &[&str]) -> Json {
    match json {
        Json::Object(members) => match members.iter().next() {
            Some((tag, id)) if tag == "static" => static_key(number(id) as u16).unwrap().into(),
            Some((tag, id)) if tag == "entry" => table[number(id) as usize].into(),
            Some((tag, pieces)) if tag == "repeat" => long_text(pieces).into(),
            Some((tag, depth)) if tag == "nested" => {
                (0..number(depth)).fold("x".into(), |inside: Json, _| json!({"array": [inside]}))
            }
            _ => members.iter().map(|(tag, member)| (tag.clone(), resolved(member, table))).collect(),
        },
        Json::Array(items) => items.iter().map(|item| resolved(item, table)).collect(),
        other => other.clone(),
    }
}

fn event_kind(event: &Json) -> EventKind {
    match text(&event["event"]) {
        "" | "span_ended" => EventKind::SpanEnded,
        "span_started" => EventKind::SpanStarted,
        "span_updated" => EventKind::SpanUpdated,
        "log" => EventKind::Log,
        other => panic!("{other} is no kind of event"),
    }
}

fn head(event: &Json) -> Head {
    let own = context(event);
    Head {
        trace_id: own.trace_id,
        span_id: own.span_id,
        parent_span_id: event["parent_span_id"]
            .as_str()
            .map_or(SpanId::INVALID, |id| SpanId::from_hex(id).unwrap()),
        start_unix_nanos: nanos(&event["start"]),
        end_unix_nanos: nanos(&event["end"]),
        trace_flags: own.flags,
        kind: kind(event),
        status: status(event),
        severity: number(&event["severity"]) as u8,
        span_type: event["type"]
            .as_str()
            .map_or(SpanType::Generic, |name| SpanType::from_name(name).unwrap()),
        flags: SpanFlags::from_bits(number(&event["record_flags"]) as u16),
        scope: number(&event["scope"]) as u32,
    }
}

/// The event as our writer makes it; `None` where it has something that it never writes.
fn written(event: &Json) -> Option<Vec<u8>> {
    if event.to_string().contains("\"static\"") {
        return None;
    }
    let event = &resolved(event, &[]);
    let mut buf = Vec::new();
    write::begin_span(&mut buf);
    for field in list(&event["fields"]) {
        let (tag, held) = tagged(field);
        match tag {
            "name" => write::name(&mut buf, text(held)),
            "status_message" => write::status_message(&mut buf, text(held)),
            "tracestate" => write::trace_state(&mut buf, text(held)),
            "tag" => write::trace_tag(&mut buf, text(held)),
            "attribute" => write::attribute(&mut buf, text(&held[0]), &our_value(&held[1])),
            "metadata" => write::metadata(&mut buf, text(&held[0]), &our_value(&held[1])),
            "input" => {
                write::input_tag(&mut buf);
                write::put_value(&mut buf, &our_value(held));
            }
            "output" => {
                write::output_tag(&mut buf);
                write::put_value(&mut buf, &our_value(held));
            }
            "dropped" => {
                let [attributes, events, links] = [0, 1, 2].map(|at| number(&held[at]) as u32);
                write::dropped(&mut buf, attributes, events, links);
            }
            "event" | "link" => {
                let dropped = number(&held["dropped_attributes"]) as u32;
                let mut inner = match tag {
                    "event" => {
                        AttributeList::event(&mut buf, text(&held["name"]), nanos(&held["time"]), dropped)
                    }
                    _ => AttributeList::link(&mut buf, &context(held), dropped),
                };
                for (key, value) in attributes(&held["attributes"]) {
                    inner.attribute(&mut buf, &key, &value);
                }
                inner.close(&mut buf);
            }
            "filler" => {
                let start = buf.len();
                buf.resize(start + 5 + number(held) as usize, 0xff);
                let end = buf.len();
                write::blank(&mut buf, start, end);
            }
            _ => return None,
        }
    }
    write::finish_span(&mut buf, event_kind(event), number(&event["engine"]) as u16, &head(event));
    Some(buf)
}

/// A value that was read, in the words of the file.
fn value_read(value: ValueView<'_>) -> Json {
    match value {
        ValueView::Null => Json::Null,
        ValueView::Bool(value) => value.into(),
        ValueView::I64(value) => json!({"int": value.to_string()}),
        ValueView::F64(value) if value.is_finite() && value.to_bits() != (-0.0f64).to_bits() => {
            json!({ "double": value })
        }
        ValueView::F64(value) if value.is_infinite() => json!({"double": "Infinity"}),
        ValueView::F64(value) => json!({"double": value.to_string()}),
        ValueView::Str(bytes) => std::str::from_utf8(bytes).unwrap().into(),
        ValueView::Bytes(bytes) => json!({"bytes": hex(bytes)}),
        ValueView::Array(items) => json!({"array": items.values().map(value_read).collect::<Vec<_>>()}),
        ValueView::Map(items) => {
            let entry = |(name, value)| json!([std::str::from_utf8(name).unwrap(), value_read(value)]);
            json!({"map": items.entries().map(entry).collect::<Vec<_>>()})
        }
    }
}

fn attributes_read(attributes: Attributes<'_>) -> Vec<Json> {
    attributes
        .iter()
        .map(|(name, value)| json!([std::str::from_utf8(name).unwrap(), value_read(value)]))
        .collect()
}

/// A field that was read, in the words of the file; `None` for what is skipped.
fn field_read(field: Field<'_>) -> Option<Json> {
    let utf8 = |bytes| std::str::from_utf8(bytes).unwrap();
    Some(match field {
        Field::Name(name) => json!({"name": utf8(name)}),
        Field::StatusMessage(message) => json!({"status_message": utf8(message)}),
        Field::TraceState(header) => json!({"tracestate": utf8(header)}),
        Field::Attribute(name, value) => json!({"attribute": [utf8(name), value_read(value)]}),
        Field::Metadata(name, value) => json!({"metadata": [utf8(name), value_read(value)]}),
        Field::Input(value) => json!({"input": value_read(value)}),
        Field::Output(value) => json!({"output": value_read(value)}),
        Field::Tag(tag) => json!({"tag": utf8(tag)}),
        Field::Dropped { attributes, events, links } => json!({"dropped": [attributes, events, links]}),
        Field::Event(event) => {
            let event = event.event().unwrap();
            json!({"event": {
                "time": event.time_unix_nanos.to_string(),
                "name": utf8(event.name),
                "dropped_attributes": event.dropped_attributes,
                "attributes": attributes_read(event.attributes),
            }})
        }
        Field::Link(link) => {
            let link = link.link().unwrap();
            json!({"link": {
                "trace_id": link.trace_id.to_hex(),
                "span_id": link.span_id.to_hex(),
                "flags": link.trace_flags.bits(),
                "remote": link.remote,
                "tracestate": utf8(link.trace_state),
                "dropped_attributes": link.dropped_attributes,
                "attributes": attributes_read(link.attributes),
            }})
        }
        Field::Skipped => return None,
    })
}

/// The fields of a case as they have to be read: with plain text, every member, and without what is skipped.
fn fields_expected(event: &Json, table: &[&str]) -> Vec<Json> {
    let mut expected = Vec::new();
    for field in list(&resolved(&event["fields"], table)) {
        let (tag, held) = tagged(field);
        let all = match tag {
            "filler" | "later" => continue,
            "event" => json!({"time": null, "name": null, "dropped_attributes": 0, "attributes": []}),
            "link" => json!({
                "trace_id": null, "span_id": null, "flags": 0, "remote": false, "tracestate": "",
                "dropped_attributes": 0, "attributes": [],
            }),
            _ => Json::Null,
        };
        let mut held = held.clone();
        if let (Some(held), Some(all)) = (held.as_object_mut(), all.as_object()) {
            for (member, default) in all {
                held.entry(member).or_insert_with(|| default.clone());
            }
        }
        expected.push(json!({tag: held}));
    }
    expected
}

/// Holds a span that was read against its case.
fn assert_read(body: &[u8], table: &StringTable<'_>, event: &Json, strings: &[&str], name: &Json) {
    let span = SpanView::in_frame(body, table).unwrap();
    assert_eq!(span.check(), Ok(()), "{name}");
    assert_eq!(*span.head(), head(event), "{name}");
    let read: Vec<_> = span.fields().filter_map(field_read).collect();
    assert_eq!(read, fields_expected(event, strings), "{name}");
    let raw: Vec<u8> = span.raw_fields().flat_map(|(bytes, _)| bytes.to_vec()).collect();
    assert_eq!(raw.len(), span.fields_len(), "{name}: every byte belongs to a field");
}

/// An error in the words of the file.
fn error(error: FrameError) -> Json {
    match error {
        FrameError::Truncated => "truncated".into(),
        FrameError::Version(version) => json!({"version": version}),
        FrameError::Unknown(byte) => json!({"unknown": byte}),
        FrameError::Reference(word) => json!({"reference": word}),
        FrameError::Utf8 => "utf8".into(),
        FrameError::Depth => "depth".into(),
        FrameError::Table => "table".into(),
        FrameError::Expansion => "expansion".into(),
        FrameError::Id => "id".into(),
        other => panic!("{other:?} has no name in the file"),
    }
}

#[test]
fn the_static_keys_are_those_of_the_file() {
    let keys: Vec<Json> = STATIC_KEYS.iter().map(|key| (*key).into()).collect();
    assert_eq!(list(&vectors()["static_keys"]), keys);
}

#[test]
fn the_writer_writes_the_bytes_of_the_file() {
    let mut compared = 0;
    for case in list(&vectors()["events"]) {
        if let Some(written) = written(&case["event"]) {
            assert_eq!(hex(&written), hex(&bytes(case)), "{}", case["name"]);
            compared += 1;
        }
    }
    assert_eq!(compared, list(&vectors()["events"]).len() - 2, "all but static keys and later fields");
}

#[test]
fn the_decoder_reads_what_the_file_says() {
    for case in list(&vectors()["events"]) {
        let bytes = bytes(case);
        let mut events = Events::new(&bytes);
        let event = events.next_event().unwrap().unwrap();
        assert_eq!(event.kind, Some(event_kind(&case["event"])), "{}", case["name"]);
        assert_eq!(u64::from(event.engine), number(&case["event"]["engine"]), "{}", case["name"]);
        assert_eq!(event.whole, bytes, "{}", case["name"]);
        assert_eq!(event.body, &bytes[EVENT_HEADER..], "{}", case["name"]);
        assert_read(event.body, &StringTable::new(), &case["event"], &[], &case["name"]);
        assert!(events.next_event().unwrap().is_none());
    }
}

#[test]
fn every_event_cut_short_is_an_error() {
    for case in list(&vectors()["events"]) {
        let bytes = bytes(case);
        for length in 1..bytes.len() {
            let cut = Events::new(&bytes[..length]).next_event().err();
            assert_eq!(cut, Some(FrameError::Truncated), "{} at {length}", case["name"]);
        }
    }
}

#[test]
fn bad_bytes_are_the_errors_that_the_file_names() {
    let vectors = vectors();
    for case in list(&vectors["bad_bodies"]) {
        let body = bytes(case);
        let checked = SpanView::new(&body).and_then(|span| span.check());
        assert_eq!(checked.map_err(error), Err(case["error"].clone()), "{}", case["name"]);
    }
    for case in list(&vectors["bad_headers"]) {
        let bytes = bytes(case);
        let read = Events::new(&bytes).next_event().map(drop);
        assert_eq!(read.map_err(error), Err(case["error"].clone()), "{}", case["name"]);
    }
}

#[test]
fn string_tables_keep_their_bounds() {
    for case in list(&vectors()["tables"]) {
        let entries: Vec<Vec<u8>> = list(&case["entries"])
            .iter()
            .flat_map(|entry| {
                let entry_bytes = match &entry["hex"] {
                    Json::Null => text(&resolved(&entry["string"], &[])).as_bytes().to_vec(),
                    digits => unhex(text(digits)),
                };
                vec![entry_bytes; number(&entry["times"]) as usize]
            })
            .collect();
        let mut table = StringTable::new();
        let defined: Vec<_> = entries.iter().map(|entry| table.define(entry)).collect();
        let (last, before) = defined.split_last().unwrap();
        assert!(before.iter().all(Result::is_ok), "{}", case["name"]);
        assert_eq!(last.map_or_else(error, |()| Json::Null), case["error"], "{}", case["name"]);
    }
}

#[test]
fn an_engine_takes_in_frames_and_counts_what_it_cannot_read() {
    for (at, case) in list(&vectors()["frames"]).iter().enumerate() {
        let name = &case["name"];
        let store = MemoryStore::new();
        let options = Options::new("service").name(format!("frame {at}"));
        let engine = polyspan::init(options.exporter(ExporterOptions::Memory(store.clone()))).unwrap();
        let frame = bytes(case);
        assert!(engine.submit(&frame, number(&case["announced"])), "{name}");
        engine.flush(Duration::from_secs(10)).unwrap();
        let spans = store.take();
        let accepted: Vec<_> = spans.iter().map(|span| Json::from(span.name.clone())).collect();
        assert_eq!(accepted, list(&case["accepted"]), "{name}");
        let stats = engine.stats();
        assert!(stats.adds_up(), "{name}: {stats:?}");
        let bad = stats.dropped.get(&DropReason::BadFrame).copied().unwrap_or(0);
        assert_eq!((stats.accepted, bad), (accepted.len() as u64, number(&case["bad"])), "{name}");
        assert_eq!((stats.ended, stats.pending), (stats.accepted + bad, 0), "{name}");
        engine.shutdown(Duration::from_secs(10)).unwrap();
    }
}

#[test]
fn the_spans_of_a_frame_are_what_the_file_says() {
    for case in list(&vectors()["frames"]).iter().filter(|case| case["bad"] == 0) {
        let frame = bytes(case);
        let (mut table, mut strings) = (StringTable::new(), Vec::new());
        let described = list(&case["events"]);
        let mut events = Events::new(&frame);
        // Defined beforehand, because a table that spans read can no longer grow.
        while let Some(event) = events.next_event().unwrap() {
            if event.kind == Some(EventKind::StringEntry) {
                table.define(event.body).unwrap();
                strings.push(std::str::from_utf8(event.body).unwrap());
            }
        }
        let mut events = Events::new(&frame);
        for event in described {
            let read = events.next_event().unwrap().unwrap();
            match (event.get("string"), event.get("later")) {
                (Some(string), _) => assert_eq!(read.body, text(&resolved(string, &[])).as_bytes()),
                (_, Some(later)) => assert_eq!(hex(read.body), text(&later["body"])),
                _ => assert_read(read.body, &table, event, &strings, &case["name"]),
            }
        }
        assert!(events.next_event().unwrap().is_none(), "{}", case["name"]);
    }
}

#[test]
fn unsampled_spans_are_written_and_read_alike() {
    let vectors = vectors();
    let cases = list(&vectors["unsampled"]);
    assert!(!cases.is_empty());
    for case in cases {
        let span = &case["span"];
        let given = Unsampled {
            name: text(&span["name"]).into(),
            nanos: nanos(&span["nanos"]),
            span_type: SpanType::from_name(text(&span["type"])).unwrap(),
            flags: if span["kind_given"] == true { SpanFlags::KIND_GIVEN } else { SpanFlags::empty() },
            kind: kind(span),
            status: status(span),
        };
        let mut event = Vec::new();
        unsampled::write(&mut event, number(&case["engine"]) as u16, &given);
        assert_eq!(hex(&event), text(&case["hex"]), "{}", case["name"]);
        let read = Events::new(&event).next_event().unwrap().unwrap();
        assert_eq!(
            (read.kind, u64::from(read.engine)),
            (Some(EventKind::Unsampled), number(&case["engine"]))
        );
        assert_eq!(Unsampled::read(read.body), Ok(given), "{}", case["name"]);
    }
}
