//! Holds every subject to `workload.json`: one trace goes through each library and is compared with the page.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use fastrace::collector::{Reporter, SpanRecord};
use opentelemetry_sdk::trace::InMemorySpanExporter;
use polyspan::config::{ExporterOptions, Options};
use polyspan::export::memory::MemoryStore;
use serde_json::Value;

use crate::subjects::fastrace::Fastrace;
use crate::subjects::opentelemetry::OpenTelemetry;
use crate::subjects::polyspan::Polyspan;
use crate::subjects::{Setup, Subject, Target};
use crate::workload;

/// One span as the page lists it: parent's name, attribute keys in order of the alphabet, and the same of events.
#[derive(Debug, PartialEq, Default)]
struct Shape {
    parent: Option<String>,
    attributes: Vec<String>,
    events: BTreeMap<String, Vec<String>>,
}

fn sorted(keys: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    let mut keys: Vec<String> = keys.into_iter().map(Into::into).collect();
    keys.sort();
    keys
}

fn page() -> BTreeMap<String, Shape> {
    let page: Value = serde_json::from_str(include_str!("../../workload.json")).unwrap();
    let common: Vec<String> = page["attributes"].as_object().unwrap().keys().cloned().collect();
    let events = page["model"]["events"].as_object().unwrap();
    page["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| {
            let is_model = span["model"].as_bool().unwrap_or(false);
            let extra =
                if is_model { vec!["input.value".to_owned(), "output.value".to_owned()] } else { vec![] };
            let shape = Shape {
                parent: span["parent"].as_str().map(str::to_owned),
                attributes: sorted(common.iter().cloned().chain(extra)),
                events: if is_model {
                    events
                        .iter()
                        .map(|(name, keys)| (name.clone(), sorted(keys.as_object().unwrap().keys().cloned())))
                        .collect()
                } else {
                    BTreeMap::new()
                },
            };
            (span["name"].as_str().unwrap().to_owned(), shape)
        })
        .collect()
}

#[test]
fn texts_have_the_lengths_of_the_page_and_differ_between_turns() {
    let turns = workload::turns().unwrap();
    assert!(turns.iter().all(|turn| turn.plan.request.len() == 20 && turn.plan_model.input.len() == 1000));
    assert_ne!(turns[0].plan_model.input, turns[1].plan_model.input);
}

#[test]
fn opentelemetry_records_the_page() {
    let memory = InMemorySpanExporter::default();
    let subject = OpenTelemetry::with_exporter(memory.clone(), true);
    subject.trace(&workload::turns().unwrap()[0]);
    subject.flush();
    let spans = memory.get_finished_spans().unwrap();
    let names: HashMap<_, _> =
        spans.iter().map(|span| (span.span_context.span_id(), span.name.to_string())).collect();
    let shapes: BTreeMap<String, Shape> = spans
        .iter()
        .map(|span| {
            let shape = Shape {
                parent: names.get(&span.parent_span_id).cloned(),
                attributes: sorted(span.attributes.iter().map(|pair| pair.key.as_str())),
                events: span
                    .events
                    .iter()
                    .map(|event| {
                        (
                            event.name.to_string(),
                            sorted(event.attributes.iter().map(|pair| pair.key.as_str())),
                        )
                    })
                    .collect(),
            };
            (span.name.to_string(), shape)
        })
        .collect();
    assert_eq!(shapes, page());
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanRecord>>>);

impl Reporter for Kept {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        self.0.lock().unwrap().extend(spans);
    }
}

#[test]
fn fastrace_records_the_page() {
    let kept = Kept::default();
    let subject =
        Fastrace::with_reporter(kept.clone(), &Setup { target: Target::Null, sampled: true, tuned: true });
    subject.trace(&workload::turns().unwrap()[0]);
    subject.flush();
    let spans = kept.0.lock().unwrap();
    let names: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.0, span.name.to_string())).collect();
    let shapes: BTreeMap<String, Shape> = spans
        .iter()
        .map(|span| {
            let shape = Shape {
                parent: names.get(&span.parent_id.0).cloned(),
                attributes: sorted(span.properties.iter().map(|(key, _)| key.as_ref())),
                events: span
                    .events
                    .iter()
                    .map(|event| {
                        (event.name.to_string(), sorted(event.properties.iter().map(|(key, _)| key.as_ref())))
                    })
                    .collect(),
            };
            (span.name.to_string(), shape)
        })
        .collect();
    assert_eq!(shapes, page());
}

#[test]
fn polyspan_records_the_page() {
    let memory = MemoryStore::new();
    let options = Options::new("bench").exporter(ExporterOptions::Memory(memory.clone()));
    let subject = Polyspan::with_options(options, false).unwrap();
    subject.trace(&workload::turns().unwrap()[0]);
    subject.flush();
    let spans = memory.spans();
    let names: HashMap<_, _> = spans.iter().map(|span| (span.context.span_id, span.name.clone())).collect();
    let shapes: BTreeMap<String, Shape> = spans
        .iter()
        .map(|span| {
            let model = span
                .input
                .as_ref()
                .map(|_| "input.value")
                .into_iter()
                .chain(span.output.as_ref().map(|_| "output.value"));
            let shape = Shape {
                parent: names.get(&span.parent_span_id).cloned(),
                attributes: sorted(span.attributes.iter().map(|(key, _)| key.as_str()).chain(model)),
                events: span
                    .events
                    .iter()
                    .map(|event| {
                        (event.name.clone(), sorted(event.attributes.iter().map(|(key, _)| key.as_str())))
                    })
                    .collect(),
            };
            (span.name.clone(), shape)
        })
        .collect();
    assert_eq!(shapes, page());
}
