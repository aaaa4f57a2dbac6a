//! Frames of strangers: what of them enters an engine, and that nothing else does, whatever the bytes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::batch::{Events, StringTable};
use polyspan::frame::sift::{self, MAX_SPANS, SOURCE, SiftTerms};
use polyspan::frame::view::SpanView;
use polyspan::frame::write::{self, Head};
use polyspan::frame::{EventKind, SPAN_HEAD};
use polyspan::sampling::{HeadSampler, PageRule, SamplingInput};
use polyspan::{Engine, Options, RelayRefusal, SpanFlags, SpanId, TraceFlags, TraceId, Value};
use proptest::collection::vec;
use proptest::prelude::*;

const SOON: Duration = Duration::from_secs(30);
const TERMS: SiftTerms<'static> =
    SiftTerms { slot: 7, source: "browser", span_bytes: 64 * 1024, samples: true };

fn started(change: impl FnOnce(Options) -> Options) -> (Engine, MemoryStore) {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let store = MemoryStore::new();
    let name = format!("relay test {}", NAMES.fetch_add(1, Ordering::Relaxed));
    let options = Options::new("service").name(name).exporter(ExporterOptions::Memory(store.clone()));
    (polyspan::init(change(options)).unwrap(), store)
}

fn head() -> Head {
    Head {
        trace_id: TraceId::from_hex("1").unwrap(),
        span_id: SpanId::from_hex("2").unwrap(),
        start_unix_nanos: 10,
        end_unix_nanos: 20,
        trace_flags: TraceFlags::SAMPLED,
        ..Head::default()
    }
}

fn event(kind: EventKind, head: &Head, put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut event = Vec::new();
    write::begin_span(&mut event);
    write::name(&mut event, "page");
    put(&mut event);
    write::finish_span(&mut event, kind, 3, head);
    event
}

fn span(head: &Head) -> Vec<u8> {
    event(EventKind::SpanEnded, head, |_| {})
}

fn entry(text: &[u8]) -> Vec<u8> {
    let mut entry = (text.len() as u32).to_le_bytes().to_vec();
    entry.extend_from_slice(&[EventKind::StringEntry as u8, 1, 0, 0]);
    entry.extend_from_slice(text);
    entry
}

fn refusals(frame: &[u8]) -> Vec<(RelayRefusal, u64)> {
    sift::sift(frame, &TERMS).refused.into_iter().collect()
}

#[test]
fn a_page_s_span_goes_the_way_of_any_other() {
    let (engine, store) = started(|options| options);
    let frame = event(EventKind::SpanEnded, &head(), |buf| {
        write::attribute(buf, "http.request.header.authorization", &"Bearer abcdefghijklmnop".into());
        write::attribute(buf, "page", &"/orders".into());
    });
    let report = engine.relay(&frame, "browser");
    assert_eq!((report.spans, report.refused.len()), (1, 0));
    engine.flush(SOON).unwrap();
    let spans = store.take();
    let attribute = |key: &str| {
        spans[0].attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone()).unwrap()
    };
    assert_eq!(attribute(SOURCE), Value::from("browser"));
    assert_eq!(attribute("page"), Value::from("/orders"));
    assert!(!format!("{:?}", spans[0]).contains("abcdefgh"));
    let stats = engine.stats();
    assert!(stats.adds_up());
    assert_eq!((stats.relay.frames, stats.relay.spans, stats.ended, stats.exported()), (1, 1, 1, 1));
}

#[test]
fn what_is_not_sampled_is_not_exported() {
    let unsampled = span(&Head { trace_flags: TraceFlags::empty(), ..head() });
    let (engine, store) = started(|options| options);
    assert_eq!(engine.relay(&unsampled, "browser").spans, 1);
    engine.flush(SOON).unwrap();
    assert_eq!((store.take().len(), engine.stats().unsampled), (0, 1));

    let (quiet, store) = started(|options| options.sampler(HeadSampler::AlwaysOff));
    quiet.relay(&span(&head()), "browser");
    quiet.flush(SOON).unwrap();
    assert_eq!((store.take().len(), quiet.stats().unsampled), (0, 1));
}

#[test]
fn only_ended_spans_of_strangers_enter() {
    for kind in [EventKind::SpanStarted, EventKind::SpanUpdated, EventKind::Log, EventKind::Frame] {
        assert_eq!(refusals(&event(kind, &head(), |_| {})), [(RelayRefusal::Kind, 1)], "{kind:?}");
    }
    let head = head();
    let no_id = Head { span_id: SpanId::INVALID, ..head };
    assert_eq!(refusals(&span(&no_id)), [(RelayRefusal::BadSpan, 1)]);
    for end_unix_nanos in [0, 9] {
        assert_eq!(refusals(&span(&Head { end_unix_nanos, ..head })), [(RelayRefusal::Time, 1)]);
    }
    let forged = |buf: &mut Vec<u8>| write::attribute(buf, SOURCE, &"server".into());
    assert_eq!(refusals(&event(EventKind::SpanEnded, &head, forged)), [(RelayRefusal::Source, 1)]);
    let long = "x".repeat(70_000);
    let large = |buf: &mut Vec<u8>| write::attribute(buf, "large", &long.as_str().into());
    assert_eq!(refusals(&event(EventKind::SpanEnded, &head, large)), [(RelayRefusal::TooLarge, 1)]);
}

#[test]
fn one_bad_span_costs_itself_and_a_torn_frame_its_rest() {
    let bad = span(&Head { end_unix_nanos: 0, ..head() });
    let frame = [span(&head()), bad, span(&head()), vec![1, 2, 3]].concat();
    let sifted = sift::sift(&frame, &TERMS);
    assert_eq!(sifted.spans, 2);
    let refused: Vec<_> = sifted.refused.into_iter().collect();
    assert_eq!(refused, [(RelayRefusal::BadFrame, 1), (RelayRefusal::Time, 1)]);
    let entries = [entry(b"\xff"), span(&head())].concat();
    assert_eq!(sift::sift(&entries, &TERMS).spans, 0);
}

#[test]
fn a_frame_holds_so_many_spans_and_so_much_text() {
    let frame = span(&head()).repeat(MAX_SPANS + 3);
    let sifted = sift::sift(&frame, &TERMS);
    assert_eq!(sifted.spans, MAX_SPANS as u64);
    assert_eq!(sifted.refused.get(&RelayRefusal::TooMany), Some(&3));

    // Three bytes stand for 32 KiB.
    let refers = event(EventKind::SpanEnded, &head(), |buf| {
        for _ in 0..8 {
            buf.extend_from_slice(&[10, 0, 0xc0]);
        }
    });
    let frame = [entry(&[b'x'; 32 * 1024]), refers.repeat(10)].concat();
    let sifted = sift::sift(&frame, &TERMS);
    assert_eq!(sifted.spans + sifted.refused[&RelayRefusal::BadSpan], 10);
    assert!(sifted.spans < 5);
}

#[test]
fn a_page_cannot_say_what_only_the_engine_says() {
    let head = Head { flags: SpanFlags::from_bits(u16::MAX), scope: 5, severity: 9, ..head() };
    let sifted = sift::sift(&span(&head), &TERMS);
    let event = Events::new(&sifted.frame).next_event().unwrap().unwrap();
    assert_eq!(event.engine, TERMS.slot);
    let found = *SpanView::new(event.body).unwrap().head();
    assert_eq!((found.scope, found.severity), (0, 0));
    for flag in [SpanFlags::INTERNAL, SpanFlags::EXCLUDED, SpanFlags::ANNOUNCED, SpanFlags::STEPPED] {
        assert!(!found.flags.contains(flag));
    }
    assert!(found.flags.contains(SpanFlags::ROOT) && found.flags.contains(SpanFlags::HIDE_INPUT));
}

#[test]
fn an_engine_that_has_stopped_takes_nothing() {
    let (engine, _) = started(|options| options);
    engine.shutdown(SOON).unwrap();
    let report = engine.relay(&span(&head()), "browser");
    assert_eq!(report.refused.get(&RelayRefusal::Busy), Some(&1));
    engine.relay_refused(RelayRefusal::Origin);
    let counted = engine.stats().relay;
    assert_eq!((counted.spans, counted.refused.len()), (0, 2));
    for reason in RelayRefusal::ALL {
        assert_eq!(RelayRefusal::from_name(reason.as_str()), Some(reason));
    }
}

/// Pieces of frames, so that many get deep.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => Just(span(&head())),
        1 => Just(span(&Head { trace_flags: TraceFlags::empty(), parent_span_id: SpanId::from_hex("3").unwrap(), ..head() })),
        1 => "\\PC{0,8}".prop_map(|text| entry(text.as_bytes())),
        1 => vec(any::<u8>(), 0..40).prop_map(|tail| event(EventKind::SpanEnded, &head(), |buf| buf.extend(tail))),
        1 => vec(any::<u8>(), 0..24),
    ]
}

proptest! {
    /// Whatever was sent, what comes through is a frame that the engine reads without a fault, and nothing in it
    /// claims to be anything else than a stranger's ended span.
    #[test]
    fn what_comes_through_is_sound(
        pieces in vec(piece(), 0..8),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut frame = pieces.concat();
        for (at, byte) in damage {
            if !frame.is_empty() {
                let at = at.index(frame.len());
                frame[at] = byte;
            }
        }
        let sifted = sift::sift(&frame, &TERMS);
        let mut table = StringTable::new();
        let mut entries = Events::new(&sifted.frame);
        while let Some(event) = entries.next_event().unwrap() {
            if event.kind == Some(EventKind::StringEntry) {
                table.define(event.body).unwrap();
            }
        }
        let mut events = Events::new(&sifted.frame);
        let mut spans = 0;
        while let Some(event) = events.next_event().unwrap() {
            prop_assert_eq!(event.engine, TERMS.slot);
            if event.kind == Some(EventKind::SpanEnded) {
                spans += 1;
                let span = SpanView::in_frame(event.body, &table).unwrap();
                prop_assert_eq!(span.check(), Ok(()));
                prop_assert!(span.head().end_unix_nanos >= span.head().start_unix_nanos);
                prop_assert!(event.body.len() > SPAN_HEAD);
            } else {
                prop_assert_eq!(event.kind, Some(EventKind::StringEntry));
            }
        }
        prop_assert_eq!(spans, sifted.spans);
        // What has come through may come through no second time: it says where it is from.
        let again = sift::sift(&sifted.frame, &TERMS);
        prop_assert_eq!(again.spans, 0);
    }
}

/// The vectors that the page's own code replays too.
#[test]
fn pages_are_told_what_the_engine_does() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../tests/vectors/page.json")).unwrap();
    for case in vectors["terms"].as_array().unwrap() {
        let options = plain(&case["options"]);
        let (engine, _) = started(|base| base.apply(&options).unwrap());
        let terms = engine.page_terms();
        let threshold = match terms.roots {
            PageRule::All => serde_json::json!(""),
            PageRule::None => serde_json::Value::Null,
            PageRule::Threshold(threshold) => serde_json::json!(format!("{threshold:014x}")),
        };
        assert_eq!(threshold, case["terms"]["threshold"], "{}", case["name"]);
        if let Some(bytes) = case["terms"].get("valueBytes") {
            assert_eq!(terms.capture.value_bytes as u64, bytes.as_u64().unwrap(), "{}", case["name"]);
        }
        assert!(terms.capture.span_bytes <= 48 * 1024 && !terms.capture.io);
    }
    for case in vectors["decisions"].as_array().unwrap() {
        let sampler = match case["threshold"].as_str() {
            None => HeadSampler::AlwaysOff,
            Some("") => HeadSampler::AlwaysOn,
            Some(threshold) => {
                let kept = (1u64 << 56) - u64::from_str_radix(threshold, 16).unwrap();
                let ratio = kept as f64 / (1u64 << 56) as f64;
                HeadSampler::from_value(&Value::from_iter([
                    ("type", Value::from("ratio")),
                    ("ratio", ratio.into()),
                ]))
                .unwrap()
            }
        };
        let trace_id = TraceId::from_hex(case["trace_id"].as_str().unwrap()).unwrap();
        let result = sampler.sample(&SamplingInput::root(trace_id, "span"));
        assert_eq!(result.decision.is_sampled(), case["sampled"].as_bool().unwrap(), "{case}");
        assert_eq!(result.state.header(), case["tracestate"].as_str().unwrap(), "{case}");
    }
}

fn plain(json: &serde_json::Value) -> polyspan::OwnedValue {
    match json {
        serde_json::Value::Bool(truth) => (*truth).into(),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| number.as_f64().unwrap().into(), Value::I64)
        }
        serde_json::Value::String(text) => text.clone().into(),
        serde_json::Value::Object(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone().into(), plain(value))).collect())
        }
        other => panic!("{other}"),
    }
}
