//! What must hold of any frame: what was written is read, with and without a string table, and no bytes, however
//! broken, lead the decoder or the encoder of OTLP astray or make them work more than their length allows.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use polyspan::export::Encoder;
use polyspan::export::otlp::encode::OtlpEncoder;
use polyspan::frame::batch::{Events, MAX_ENTRIES, MAX_EXPANSION, MAX_TABLE_BYTES, StringTable};
use polyspan::frame::record::{EventData, LinkData, RecordContext, SpanData};
use polyspan::frame::view::{Attributes, Field, SpanView, ValueView};
use polyspan::frame::write::{self, AttributeList, Head};
use polyspan::frame::{EVENT_HEADER, EventKind, SPAN_HEAD};
use polyspan::{
    OwnedValue, SpanContext, SpanFlags, SpanId, SpanKind, SpanType, StatusCode, TraceFlags, TraceId,
    TraceState, Value,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use prost::Message;

/// Keys repeat themselves, so that later ones replace earlier ones.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-d]{1,2}", 1 => "\\PC{0,12}", 1 => Just("k".repeat(300))]
}

fn value() -> impl Strategy<Value = OwnedValue> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        prop_oneof![any::<f64>(), Just(f64::INFINITY), Just(-0.0)].prop_map(Value::F64),
        "\\PC{0,20}".prop_map(Value::from),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(Cow::Owned(bytes))),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec((key().prop_map(Cow::Owned), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

/// Each key once, as records hold them.
fn attributes() -> impl Strategy<Value = Vec<(String, OwnedValue)>> {
    btree_map(key(), value(), 0..5).prop_map(|attributes| attributes.into_iter().collect())
}

fn context() -> impl Strategy<Value = SpanContext> {
    let state = prop_oneof![Just(""), Just("a=b"), Just("ot=th:8,vendor=1")];
    (1u128.., 1u64.., any::<u8>(), state, any::<bool>()).prop_map(|(trace, span, flags, state, remote)| {
        SpanContext {
            trace_id: TraceId::from_bytes(trace.to_be_bytes()),
            span_id: SpanId::from_bytes(span.to_be_bytes()),
            flags: TraceFlags::from_bits(flags),
            state: state.parse::<TraceState>().unwrap(),
            remote,
        }
    })
}

fn event() -> impl Strategy<Value = EventData> {
    (key(), any::<u64>(), attributes(), any::<u32>()).prop_map(
        |(name, time_unix_nanos, attributes, dropped_attributes)| EventData {
            name,
            time_unix_nanos,
            attributes,
            dropped_attributes,
        },
    )
}

fn link() -> impl Strategy<Value = LinkData> {
    (context(), attributes(), any::<u32>()).prop_map(|(context, attributes, dropped_attributes)| LinkData {
        context,
        attributes,
        dropped_attributes,
    })
}

fn record() -> impl Strategy<Value = SpanData> {
    let head = (context(), any::<u64>(), any::<u16>(), 1u8..=5, 0u8..=2, 0u16..38, any::<[u64; 2]>());
    // A reader takes each tag once.
    let tags = btree_set(key(), 0..3).prop_map(Vec::from_iter);
    let own = (key(), "\\PC{0,20}", attributes(), attributes(), tags);
    let more = (vec(event(), 0..3), vec(link(), 0..3), any::<Option<[u32; 3]>>());
    let content = (proptest::option::of(value()), proptest::option::of(value()));
    (head, own, more, content).prop_map(|(head, own, more, (input, output))| {
        let (context, parent, flags, kind, status, span_type, [start_unix_nanos, end_unix_nanos]) = head;
        let (name, status_message, attributes, metadata, tags) = own;
        let (events, links, dropped) = more;
        let flags = SpanFlags::from_bits(flags);
        let [dropped_attributes, dropped_events, dropped_links] = dropped.unwrap_or_default();
        SpanData {
            context: SpanContext { remote: false, ..context },
            parent_span_id: SpanId::from_bytes(parent.to_be_bytes()),
            parent_remote: flags.contains(SpanFlags::PARENT_REMOTE),
            kind: SpanKind::from_wire(kind),
            status: StatusCode::from_wire(status),
            span_type: SpanType::from_wire(span_type),
            flags,
            start_unix_nanos,
            end_unix_nanos,
            name,
            status_message,
            attributes,
            metadata,
            tags,
            events,
            links,
            dropped_attributes,
            dropped_events,
            dropped_links,
            input,
            output,
            ..SpanData::default()
        }
    })
}

fn head(record: &SpanData) -> Head {
    Head {
        trace_id: record.context.trace_id,
        span_id: record.context.span_id,
        parent_span_id: record.parent_span_id,
        start_unix_nanos: record.start_unix_nanos,
        end_unix_nanos: record.end_unix_nanos,
        trace_flags: record.context.flags,
        kind: record.kind,
        status: record.status,
        severity: 0,
        span_type: record.span_type,
        flags: record.flags,
        scope: 0,
    }
}

/// The event of a record. Each thing that a later one replaces is there before, with another value.
fn written(record: &SpanData) -> Vec<u8> {
    let mut buf = Vec::new();
    write::begin_span(&mut buf);
    write::name(&mut buf, "replaced");
    for (key, _) in &record.attributes {
        write::attribute(&mut buf, key, &Value::from("replaced"));
    }
    for (key, value) in &record.attributes {
        write::attribute(&mut buf, key, value);
    }
    for (key, value) in &record.metadata {
        write::metadata(&mut buf, key, value);
    }
    for event in &record.events {
        let mut list =
            AttributeList::event(&mut buf, &event.name, event.time_unix_nanos, event.dropped_attributes);
        event.attributes.iter().for_each(|(key, value)| list.attribute(&mut buf, key, value));
        list.close(&mut buf);
    }
    for link in &record.links {
        let mut list = AttributeList::link(&mut buf, &link.context, link.dropped_attributes);
        link.attributes.iter().for_each(|(key, value)| list.attribute(&mut buf, key, value));
        list.close(&mut buf);
    }
    for (tag, content) in
        [(write::input_tag as fn(&mut Vec<u8>), &record.input), (write::output_tag, &record.output)]
    {
        if let Some(content) = content {
            tag(&mut buf);
            write::put_value(&mut buf, content);
        }
    }
    record.tags.iter().for_each(|tag| write::trace_tag(&mut buf, tag));
    write::trace_state(&mut buf, record.context.state.header());
    write::status_message(&mut buf, &record.status_message);
    write::dropped(&mut buf, record.dropped_attributes, record.dropped_events, record.dropped_links);
    let start = buf.len();
    write::name(&mut buf, "a field that is blanked");
    let end = buf.len();
    write::blank(&mut buf, start, end);
    write::name(&mut buf, &record.name);
    write::finish_span(&mut buf, EventKind::SpanEnded, 7, &head(record));
    buf
}

fn read(span: &SpanView<'_>) -> SpanData {
    let (scope, resource) = Default::default();
    SpanData::from_view(span, &RecordContext { scope: &scope, scope_id: 0, resource: &resource })
}

/// The OTLP request of one span.
fn encoded(span: &SpanView<'_>) -> Vec<u8> {
    let mut encoder = OtlpEncoder::new();
    encoder.push(span, &RecordContext { scope: &Arc::default(), scope_id: 0, resource: &Arc::default() });
    encoder.take().body
}

/// Reads everything there is to read in a span, and says how many values, fields and keys that were, and how
/// many bytes of text.
#[derive(Default)]
struct Visit {
    steps: usize,
    text: usize,
    depth: usize,
}

impl Visit {
    fn span(span: &SpanView<'_>) -> Self {
        let mut visit = Self::default();
        for field in span.fields() {
            visit.steps += 1;
            match field {
                Field::Name(bytes)
                | Field::StatusMessage(bytes)
                | Field::TraceState(bytes)
                | Field::Tag(bytes) => {
                    visit.text += bytes.len();
                }
                Field::Attribute(name, value) | Field::Metadata(name, value) => {
                    visit.text += name.len();
                    visit.value(value, 0);
                }
                Field::Input(value) | Field::Output(value) => visit.value(value, 0),
                Field::Event(event) => {
                    if let Ok(event) = event.event() {
                        visit.text += event.name.len();
                        visit.attributes(event.attributes);
                    }
                }
                Field::Link(link) => {
                    if let Ok(link) = link.link() {
                        visit.text += link.trace_state.len();
                        visit.attributes(link.attributes);
                    }
                }
                Field::Dropped { .. } | Field::Skipped => {}
            }
        }
        visit
    }

    fn attributes(&mut self, attributes: Attributes<'_>) {
        for (name, value) in attributes.iter() {
            self.text += name.len();
            self.value(value, 0);
        }
    }

    fn value(&mut self, value: ValueView<'_>, depth: usize) {
        self.steps += 1;
        self.depth = self.depth.max(depth);
        match value {
            ValueView::Str(bytes) => self.text += bytes.len(),
            ValueView::Array(items) => items.values().for_each(|item| self.value(item, depth + 1)),
            ValueView::Map(items) => items.entries().for_each(|(name, item)| {
                self.text += name.len();
                self.value(item, depth + 1);
            }),
            _ => {}
        }
    }
}

/// Reads a frame, whatever stands in it: every event, and every span as its readers do.
fn read_frame(bytes: &[u8]) {
    let mut table = StringTable::new();
    let mut entries = Events::new(bytes);
    while let Ok(Some(event)) = entries.next_event() {
        if event.kind == Some(EventKind::StringEntry) && table.define(event.body).is_err() {
            break;
        }
    }
    let mut events = Events::new(bytes);
    let mut seen = 0;
    while let Ok(Some(event)) = events.next_event() {
        seen += event.whole.len();
        assert!(event.whole.ends_with(event.body) && event.whole.len() == EVENT_HEADER + event.body.len());
        read_span(event.body, &table);
    }
    assert!(seen <= bytes.len());
}

fn read_span(body: &[u8], table: &StringTable<'_>) {
    let Ok(span) = SpanView::in_frame(body, table) else {
        assert!(body.len() < SPAN_HEAD);
        return;
    };
    let visit = Visit::span(&span);
    assert!(visit.steps <= body.len() && visit.depth <= polyspan::frame::MAX_DEPTH, "{}", visit.steps);
    let raw: usize = span.raw_fields().map(|(bytes, _)| bytes.len()).sum();
    assert!(raw <= span.fields_len());
    let Ok(()) = span.check() else { return };
    assert_eq!(raw, span.fields_len(), "a checked span is read to its last byte");
    assert!(visit.text <= span.fields_len() + MAX_EXPANSION);
    let mut record = SpanData::default();
    let allocated = allocation_counter::measure(|| record = read(&span)).bytes_max;
    assert!(allocated <= 64 * (1024 + body.len() + visit.text) as u64, "{allocated}");
    let request = encoded(&span);
    assert!(request.len() <= 16 * (64 + body.len() + visit.text));
    let decoded = ExportTraceServiceRequest::decode(&request[..]).unwrap();
    let sent = &decoded.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!((sent.events.len(), sent.links.len()), (record.events.len(), record.links.len()));
    // Others are called as the conventions have it (`semantics_vectors.rs`).
    if record.span_type == SpanType::Generic {
        assert_eq!(sent.name, record.name);
    }
}

/// A writer of frames with a string table, as hosts write them: the shortest form of every text.
#[derive(Default)]
struct Tabled {
    frame: Vec<u8>,
    entries: Vec<String>,
    bytes: usize,
}

impl Tabled {
    /// The index of a text, which is defined if there is room.
    fn entry(&mut self, text: &str) -> Option<u16> {
        if let Some(known) = self.entries.iter().position(|entry| entry == text) {
            return Some(known as u16);
        }
        if self.entries.len() == MAX_ENTRIES || self.bytes + text.len() > MAX_TABLE_BYTES {
            return None;
        }
        self.bytes += text.len();
        self.entries.push(text.to_owned());
        self.frame.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.frame.extend_from_slice(&[EventKind::StringEntry as u8, 1, 0, 0]);
        self.frame.extend_from_slice(text.as_bytes());
        Some(self.entries.len() as u16 - 1)
    }

    fn key(&mut self, out: &mut Vec<u8>, text: &str) {
        match self.entry(text) {
            Some(index) => out.extend_from_slice(&(0xc000 + index).to_le_bytes()),
            None => write::put_key(out, text),
        }
    }

    fn value(&mut self, out: &mut Vec<u8>, value: &OwnedValue) {
        let (tag, count, inner) = match value {
            Value::Str(text) => {
                match self.entry(text) {
                    Some(index) => {
                        out.push(9);
                        out.extend_from_slice(&index.to_le_bytes());
                    }
                    None => write::put_str(out, text),
                }
                return;
            }
            Value::Array(items) => {
                let mut inner = Vec::new();
                items.iter().for_each(|item| self.value(&mut inner, item));
                (7, items.len(), inner)
            }
            Value::Map(entries) => {
                let mut inner = Vec::new();
                for (key, item) in entries {
                    self.key(&mut inner, key);
                    self.value(&mut inner, item);
                }
                (8, entries.len(), inner)
            }
            scalar => return write::put_value(out, scalar),
        };
        out.push(tag);
        out.extend_from_slice(&(inner.len() as u32 + 4).to_le_bytes());
        out.extend_from_slice(&(count as u32).to_le_bytes());
        out.extend_from_slice(&inner);
    }

    /// Name and attributes of a record as the next event of the frame.
    fn span(&mut self, record: &SpanData) {
        let mut event = Vec::new();
        write::begin_span(&mut event);
        event.push(1);
        self.key(&mut event, &record.name);
        for (key, value) in &record.attributes {
            event.push(4);
            self.key(&mut event, key);
            self.value(&mut event, value);
        }
        write::finish_span(&mut event, EventKind::SpanEnded, 0, &head(record));
        self.frame.extend_from_slice(&event);
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(record in record()) {
        let event = written(&record);
        let mut events = Events::new(&event);
        let raw = events.next_event().unwrap().unwrap();
        prop_assert_eq!((raw.kind, raw.engine, raw.whole), (Some(EventKind::SpanEnded), 7, &event[..]));
        let span = SpanView::new(raw.body).unwrap();
        prop_assert_eq!(span.check(), Ok(()));
        prop_assert_eq!(span.head(), &head(&record));
        prop_assert_eq!(read(&span), record);
        read_frame(&event);
    }

    #[test]
    fn a_string_table_changes_nothing(records in vec(record(), 1..8)) {
        let mut tabled = Tabled::default();
        records.iter().for_each(|record| tabled.span(record));
        let mut table = StringTable::new();
        let mut entries = Events::new(&tabled.frame);
        while let Some(event) = entries.next_event().unwrap() {
            if event.kind == Some(EventKind::StringEntry) {
                table.define(event.body).unwrap();
            }
        }
        let mut events = Events::new(&tabled.frame);
        let mut found = Vec::new();
        while let Some(event) = events.next_event().unwrap() {
            if event.kind == Some(EventKind::SpanEnded) {
                let span = SpanView::in_frame(event.body, &table).unwrap();
                prop_assert_eq!(span.check(), Ok(()));
                let read = read(&span);
                found.push((*span.head(), read.name, read.attributes));
            }
        }
        let expected: Vec<_> =
            records.into_iter().map(|record| (head(&record), record.name, record.attributes)).collect();
        prop_assert_eq!(found, expected);
        read_frame(&tabled.frame);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        read_frame(&bytes);
        read_span(&bytes, &StringTable::new());
    }

    /// Bytes that are nearly right go deeper than random ones.
    #[test]
    fn damaged_frames_are_read_or_refused(
        records in vec(record(), 1..4),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut tabled = Tabled::default();
        records.iter().for_each(|record| tabled.span(record));
        for record in &records {
            tabled.frame.extend(written(record));
        }
        let mut frame = tabled.frame;
        for (at, byte) in damage {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        read_frame(&frame);
        read_frame(&frame[..cut.index(frame.len())]);
    }

    /// Short bytes that say they hold much.
    #[test]
    fn counts_and_lengths_cost_nothing(count in any::<u32>(), length in any::<u32>(), kind in 7u8..=8) {
        let mut event = Vec::new();
        write::begin_span(&mut event);
        write::attribute_key(&mut event, "k");
        event.push(kind);
        event.extend_from_slice(&length.to_le_bytes());
        event.extend_from_slice(&count.to_le_bytes());
        event.extend_from_slice(&[0; 64]);
        let ids = Head {
            trace_id: TraceId::from_bytes([1; 16]),
            span_id: SpanId::from_bytes([1; 8]),
            ..Head::default()
        };
        write::finish_span(&mut event, EventKind::SpanEnded, 0, &ids);
        let allocated = allocation_counter::measure(|| {
            let _ = read(&SpanView::new(&event[EVENT_HEADER..]).unwrap());
        });
        prop_assert!(allocated.bytes_max < 64 * 1024, "{allocated:?}");
        read_frame(&event);
    }
}

#[test]
fn values_of_unchecked_bytes_end_at_the_deepest_level() {
    let levels = 100_000;
    let mut event = Vec::new();
    write::begin_span(&mut event);
    write::attribute_key(&mut event, "k");
    // Each array holds one item, the next array, to the end of the event.
    for level in 0..levels {
        event.push(7);
        event.extend_from_slice(&(4 + 9 * (levels - level - 1) as u32).to_le_bytes());
        event.extend_from_slice(&1u32.to_le_bytes());
    }
    let span = SpanView::new(&event[EVENT_HEADER..]).unwrap();
    assert_eq!(Visit::span(&span).depth, polyspan::frame::MAX_DEPTH - 1);
    assert_eq!(read(&span).attributes.len(), 1);
    assert!(encoded(&span).len() < 2048);
}
