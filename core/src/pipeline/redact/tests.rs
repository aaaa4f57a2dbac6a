//! What the redaction of spans keeps and takes out.

use super::*;
use crate::frame::batch::StringTable;
use crate::frame::record::{RecordContext, SpanData};
use crate::frame::{copy, key, kind};
use crate::id::{SpanId, TraceId};
use crate::privacy::Redaction;
use crate::value::{OwnedValue, Value};

/// A span with these attributes, which are pieces of metadata and attributes of an event as well.
fn record(attributes: &[(&str, OwnedValue)]) -> Vec<u8> {
    let mut out = Vec::new();
    write::begin_span(&mut out);
    write::name(&mut out, "first_token");
    for (name, value) in attributes {
        write::attribute(&mut out, name, value);
    }
    let mut list = AttributeList::event(&mut out, "next_token", 7, 0);
    for (name, value) in attributes {
        list.attribute(&mut out, name, value);
    }
    list.close(&mut out);
    for (name, value) in attributes {
        write::metadata(&mut out, name, value);
    }
    write::input_tag(&mut out);
    let entries = attributes.iter().map(|(name, value)| ((*name).to_owned().into(), value.clone()));
    write::put_value(&mut out, &Value::Map(entries.collect()));
    let head = Head {
        trace_id: TraceId::from_bytes([1; 16]),
        span_id: SpanId::from_bytes([2; 8]),
        ..Head::default()
    };
    write::finish_span(&mut out, EventKind::SpanEnded, 0, &head);
    out
}

fn stage(redaction: &Redaction) -> Redact {
    Redact::new(&Arc::new(Redactor::new(redaction).unwrap()), Hidden::default())
}

fn passed(stage: &mut Redact, record: &[u8]) -> (Vec<u8>, bool) {
    let span = SpanView::new(&record[EVENT_HEADER..]).unwrap();
    let mut passed = (Vec::new(), false);
    stage
        .apply(&span, |next| {
            passed =
                (next.field_bytes().to_vec(), next.field_bytes().as_ptr() == span.field_bytes().as_ptr());
            Ok(())
        })
        .unwrap();
    passed
}

fn text(text: &str) -> OwnedValue {
    Value::Str(text.to_owned().into())
}

fn map(name: &str, value: OwnedValue) -> OwnedValue {
    Value::Map(vec![(name.to_owned().into(), value)])
}

/// The fields of a record, whose names and keys refer to the table of a frame.
#[derive(Default)]
struct Tabled {
    entries: Vec<Vec<u8>>,
    fields: Vec<u8>,
}

impl Tabled {
    fn of(span: &SpanView<'_>) -> Self {
        let mut tabled = Self::default();
        for (raw, field) in span.raw_fields() {
            tabled.field(raw, field);
        }
        tabled
    }

    fn field(&mut self, raw: &[u8], field: Field<'_>) {
        let tag = raw[0];
        self.fields.push(tag);
        match field {
            Field::Name(name) | Field::Tag(name) => self.key(name),
            Field::Attribute(name, value) | Field::Metadata(name, value) => {
                self.key(name);
                self.value(value);
            }
            Field::Input(value) | Field::Output(value) => self.value(value),
            Field::Event(event) => {
                let event = event.event().unwrap();
                let place = self.open();
                self.fields.extend_from_slice(&event.time_unix_nanos.to_le_bytes());
                self.key(event.name);
                self.fields.extend_from_slice(&event.dropped_attributes.to_le_bytes());
                self.fields.extend_from_slice(&(event.attributes.len() as u16).to_le_bytes());
                for (name, value) in event.attributes.iter() {
                    self.key(name);
                    self.value(value);
                }
                self.close(place);
            }
            _ => self.fields.extend_from_slice(&raw[1..]),
        }
    }

    fn open(&mut self) -> usize {
        self.fields.extend_from_slice(&[0; 4]);
        self.fields.len()
    }

    fn close(&mut self, place: usize) {
        let length = (self.fields.len() - place) as u32;
        self.fields[place - 4..place].copy_from_slice(&length.to_le_bytes());
    }

    /// The number of an entry.
    fn entry(&mut self, text: &[u8]) -> u16 {
        let known = self.entries.iter().position(|entry| entry == text);
        known.unwrap_or_else(|| {
            self.entries.push(text.to_vec());
            self.entries.len() - 1
        }) as u16
    }

    fn key(&mut self, name: &[u8]) {
        let word = key::ENTRY + self.entry(name);
        self.fields.extend_from_slice(&word.to_le_bytes());
    }

    /// Short texts refer to the table as well.
    fn value(&mut self, value: ValueView<'_>) {
        match value {
            ValueView::Str(text) if text.len() < 12 => {
                self.fields.push(kind::STR_ENTRY);
                let index = self.entry(text);
                self.fields.extend_from_slice(&index.to_le_bytes());
            }
            ValueView::Array(items) => {
                self.fields.push(kind::ARRAY);
                let place = self.open();
                self.fields.extend_from_slice(&items.len().to_le_bytes());
                items.values().for_each(|item| self.value(item));
                self.close(place);
            }
            ValueView::Map(items) => {
                self.fields.push(kind::MAP);
                let place = self.open();
                self.fields.extend_from_slice(&items.len().to_le_bytes());
                for (name, item) in items.entries() {
                    self.key(name);
                    self.value(item);
                }
                self.close(place);
            }
            scalar => copy::value(&mut self.fields, scalar),
        }
    }

    /// The table as the stage judges its entries.
    fn table(&self, stage: &mut Redact) -> StringTable<'_> {
        let mut table = StringTable::new();
        for entry in &self.entries {
            let is_noticed = stage.notices(entry);
            table.define_known(entry, is_noticed).unwrap();
        }
        table
    }

    fn body(&self, head: &Head) -> Vec<u8> {
        let mut body = Vec::new();
        write::head(&mut body, head);
        body.extend_from_slice(&self.fields);
        body
    }

    /// What comes out of the stage, and whether it is the span itself.
    fn passed(&self, stage: &mut Redact, head: &Head) -> (SpanData, bool) {
        let (table, body) = (self.table(stage), self.body(head));
        passed_data(stage, &SpanView::in_frame(&body, &table).unwrap())
    }
}

fn passed_data(stage: &mut Redact, span: &SpanView<'_>) -> (SpanData, bool) {
    let (scope, resource) = Default::default();
    let context = RecordContext { scope: &scope, scope_id: 0, resource: &resource };
    let mut passed = None;
    stage
        .apply(span, |next| {
            let same = next.field_bytes().as_ptr() == span.field_bytes().as_ptr();
            passed = Some((SpanData::from_view(next, &context), same));
            Ok(())
        })
        .unwrap();
    passed.unwrap()
}

#[test]
fn a_span_without_a_secret_passes_as_it_is_and_costs_no_memory() {
    let record = record(&[
        ("gen_ai.request.model", text("small-1")),
        ("tokens", Value::I64(512)),
        ("author", text("jane")),
        ("tool", text("get_token")),
        ("usage", map("max_tokens", Value::Array(vec![map("token_count", Value::I64(1)), Value::F64(0.5)]))),
        ("text", text("the model answered with a plan in three steps")),
    ]);
    let mut stage = stage(&Redaction::new());
    assert!(passed(&mut stage, &record).1);
    let span = SpanView::new(&record[EVENT_HEADER..]).unwrap();
    let memory = allocation_counter::measure(|| stage.apply(&span, |_| Ok(())).unwrap());
    assert_eq!(memory.count_total, 0);
}

#[test]
fn content_in_events_is_hidden_where_nothing_is_secret() {
    let mut out = Vec::new();
    write::begin_span(&mut out);
    for (event, key) in [("gen_ai.choice", "message"), ("gen_ai.user.message", "content")] {
        let mut list = AttributeList::event(&mut out, event, 7, 0);
        list.attribute(&mut out, key, &text("so it is"));
        list.attribute(&mut out, "role", &text("user"));
        list.attribute(&mut out, "gen_ai.input.messages", &text("how is it"));
        list.close(&mut out);
    }
    write::finish_span(&mut out, EventKind::SpanEnded, 0, &Head::default());
    let redactor = Arc::new(Redactor::new(&Redaction::new()).unwrap());
    for (input, output, expected) in [
        (true, false, [&["message", "role"][..], &["role"]]),
        (false, true, [&["role", "gen_ai.input.messages"], &["content", "role", "gen_ai.input.messages"]]),
        (true, true, [&["role"], &["role"]]),
    ] {
        let mut stage = Redact::new(&redactor, Hidden { input, output });
        assert_eq!(names_in_events(&mut stage, &out), expected, "{input} {output}");
    }
}

/// The names of the attributes that each event has left.
fn names_in_events(stage: &mut Redact, record: &[u8]) -> Vec<Vec<String>> {
    let mut events = Vec::new();
    let read = |span: &SpanView<'_>| {
        for field in span.fields() {
            let Field::Event(event) = field else { continue };
            let names = event.event()?.attributes.iter().map(|(name, _)| super::text(name).into_owned());
            events.push(names.collect());
        }
        Ok(())
    };
    stage.apply(&SpanView::new(&record[EVENT_HEADER..]).unwrap(), read).unwrap();
    events
}

#[test]
fn what_stays_for_sure_is_what_stays_when_it_is_looked_at() {
    let values = [
        text("token"),
        text("get_token"),
        text("password=x1y2z3"),
        text("4111 1111 1111 1111"),
        Value::I64(4_111_111_111_111_111),
        Value::Bool(true),
        Value::Bytes(b"token=x1y2z3".to_vec().into()),
        Value::Array(vec![text("--password"), text("x1y2z3")]),
        Value::Array(vec![Value::Array(vec![text("api_key"), text("x1y2z3")])]),
        Value::Map(vec![("name".into(), text("api_key")), ("value".into(), text("x1y2z3"))]),
        map("access", text("x1y2z3")),
        map("number", Value::I64(4_111_111_111_111_111)),
        map("tokens", map("refresh", text("x1y2z3"))),
    ];
    let names =
        ["tokens", "author", "accessToken", "payment_card", "oauth", "plain", "token_type", "sk-ant-x"];
    let mut quick = stage(&Redaction::new());
    // With an allow-list every name is judged, and every field written anew.
    let mut thorough = stage(&Redaction::new().allow_key("nothing of the kind"));
    let mut changed = 0;
    for name in names {
        for value in &values {
            for nested in [value.clone(), map("author", value.clone()), map("max_tokens", value.clone())] {
                let record = record(&[("first", text("one")), (name, nested), ("last", Value::I64(2))]);
                let (quickly, as_it_is) = passed(&mut quick, &record);
                assert_eq!(quickly, passed(&mut thorough, &record).0, "{name}: {value:?}");
                changed += usize::from(!as_it_is);
            }
        }
    }
    assert!(changed > 100 && changed < names.len() * values.len() * 3, "{changed}");
}

#[test]
fn what_refers_to_the_table_of_a_frame_is_redacted_as_what_stands_alone() {
    let values = [
        text("token"),
        text("x1y2z3"),
        text("password=x1y2z3"),
        text("4111 1111 1111 1111"),
        text("sk-ant-api03-x1y2z3x1y2z3x1y2z3x1y2z3"),
        Value::I64(4_111_111_111_111_111),
        Value::Bool(true),
        Value::Array(vec![text("--password"), text("x1y2z3")]),
        Value::Array(vec![Value::Array(vec![text("api_key"), text("x1y2z3")])]),
        Value::Map(vec![("name".into(), text("api_key")), ("value".into(), text("x1y2z3"))]),
        map("access", text("x1y2z3")),
        map("tokens", map("refresh", text("x1y2z3"))),
        map("number", Value::I64(4_111_111_111_111_111)),
    ];
    let names =
        ["tokens", "author", "accessToken", "payment_card", "oauth", "plain", "token_type", "api_key"];
    let mut changed = 0;
    for redaction in [Redaction::new(), Redaction::new().allow_key("author"), Redaction::new().key("plain")] {
        let mut stage = stage(&redaction);
        for name in names {
            for value in &values {
                let record =
                    record(&[("first", text("one")), (name, value.clone()), ("last", Value::I64(2))]);
                let span = SpanView::new(&record[EVENT_HEADER..]).unwrap();
                let (alone, same) = passed_data(&mut stage, &span);
                assert_eq!(
                    Tabled::of(&span).passed(&mut stage, span.head()),
                    (alone, same),
                    "{name}: {value:?}"
                );
                changed += usize::from(!same);
            }
        }
    }
    assert!(changed > 100 && changed < 3 * names.len() * values.len(), "{changed}");
}

#[test]
fn a_secret_that_is_a_key_in_the_table_is_found() {
    let secret = "sk-ant-api03-x1y2z3x1y2z3x1y2z3x1y2z3x1y2z3";
    let record = record(&[(secret, Value::Bool(true))]);
    let span = SpanView::new(&record[EVENT_HEADER..]).unwrap();
    let (data, _) = Tabled::of(&span).passed(&mut stage(&Redaction::new()), span.head());
    assert!(!format!("{data:?}").contains(secret), "{data:?}");
}

#[test]
fn a_span_in_a_frame_passes_as_it_is_and_costs_no_memory() {
    let record = record(&[
        ("gen_ai.request.model", text("small-1")),
        ("tokens", Value::I64(512)),
        ("author", text("jane")),
        ("text", text("the model answered with a plan in three steps")),
    ]);
    let span = SpanView::new(&record[EVENT_HEADER..]).unwrap();
    let tabled = Tabled::of(&span);
    let mut stage = stage(&Redaction::new());
    assert!(tabled.passed(&mut stage, span.head()).1);
    let (table, body) = (tabled.table(&mut stage), tabled.body(span.head()));
    let span = SpanView::in_frame(&body, &table).unwrap();
    let memory = allocation_counter::measure(|| stage.apply(&span, |_| Ok(())).unwrap());
    assert_eq!(memory.count_total, 0);
}
