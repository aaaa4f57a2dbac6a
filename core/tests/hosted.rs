//! Hosts that keep open spans themselves: what they are handed ahead, spans started for them, and their counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use polyspan::config::ExporterOptions;
use polyspan::export::memory::MemoryStore;
use polyspan::frame::view::SpanView;
use polyspan::frame::write::{self, Head};
use polyspan::frame::{EVENT_HEADER, EventKind};
use polyspan::hosted::{self, HostCounts, HostedSpan, read_value, start_hosted, write_value};
use polyspan::sampling::{HeadSampler, ParentRule, RootRule};
use polyspan::{
    Engine, Options, SpanContext, SpanFlags, SpanId, SpanKind, SpanType, Surroundings, TraceFlags, TraceId,
    TypeSet, Value,
};

const SOON: Duration = Duration::from_secs(10);

fn started(change: impl FnOnce(Options) -> Options) -> (Engine, MemoryStore) {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let store = MemoryStore::new();
    let name = format!("hosted test {}", NAMES.fetch_add(1, Ordering::Relaxed));
    let options = Options::new("service").name(name).exporter(ExporterOptions::Memory(store.clone()));
    (polyspan::init(change(options)).unwrap(), store)
}

/// The body of a span's event that a host describes or ends.
fn body(head: &Head, put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    event(0, head, put).split_off(EVENT_HEADER)
}

fn event(slot: u16, head: &Head, put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut event = Vec::new();
    write::begin_span(&mut event);
    put(&mut event);
    write::finish_span(&mut event, EventKind::SpanEnded, slot, head);
    event
}

/// Ends a span as a host does: its body so far and what was set since, in a frame.
fn end(engine: &Engine, span: &HostedSpan) {
    let so_far = span.body.as_deref().unwrap();
    let view = SpanView::new(so_far).unwrap();
    let head = Head { end_unix_nanos: view.head().start_unix_nanos + 1, ..*view.head() };
    let frame = event(span.slot.unwrap(), &head, |buf| {
        buf.extend_from_slice(&so_far[64..]);
        write::attribute(buf, "later", &true.into());
    });
    assert!(engine.submit(&frame, 1));
}

#[test]
fn a_span_started_for_a_host_arrives_with_all_it_inherits() {
    let (engine, store) = started(|options| options);
    let around = Arc::new(Surroundings::default().session_id("s").metadata("tier", "gold").tag("beta"));
    let head = Head {
        kind: SpanKind::Client,
        span_type: SpanType::Tool,
        flags: SpanFlags::KIND_GIVEN,
        ..Head::default()
    };
    let described = body(&head, |buf| {
        write::name(buf, "search");
        write::attribute(buf, "given", &1.into());
        write::metadata(buf, "own", &"m".into());
    });
    let span = start_hosted(Some(&engine), &described, None, Some(&around), None, Some("abc"));
    assert_eq!(span.context.trace_id, TraceId::from_hex("abc").unwrap());
    assert_eq!(span.surroundings.as_ref().unwrap().all_metadata().len(), 2);
    let described = body(&Head::default(), |buf| write::name(buf, "inner"));
    let inner = start_hosted(None, &described, Some(&span.context), span.surroundings.as_ref(), None, None);
    assert!(inner.slot.is_some());
    // Neither is live here: the host counts what is open.
    assert_eq!((engine.stats().started, engine.stats().live), (0, 0));
    end(&engine, &span);
    engine.flush(SOON).unwrap();
    let stats = engine.stats();
    assert!(stats.adds_up());
    assert_eq!((stats.started, stats.ended, stats.live), (1, 1, 0));
    let spans = store.take();
    let span = &spans[0];
    assert_eq!((span.name.as_str(), span.kind, span.span_type), ("search", SpanKind::Client, SpanType::Tool));
    assert_eq!(span.tags, ["beta"]);
    assert_eq!(span.metadata.len(), 2);
    let keys: Vec<_> = span.attributes.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["session.id", "given", "later"]);
}

#[test]
fn spans_that_do_not_record_are_counted_by_their_host() {
    let (engine, _) = started(|options| options.sampler(HeadSampler::AlwaysOff));
    let described = body(&Head::default(), |buf| write::name(buf, "quiet"));
    let span = start_hosted(Some(&engine), &described, None, None, None, None);
    assert!(span.body.is_none() && span.context.is_valid() && !span.context.is_sampled());
    let counts =
        HostCounts { not_recording: 2, unsampled: 3, altered: 4, ended_twice: 1, ..Default::default() };
    assert!(engine.count_hosted(&counts));
    let stats = engine.stats();
    assert!(stats.adds_up());
    assert_eq!((stats.started, stats.ended, stats.unsampled), (3, 3, 3));
    assert_eq!((stats.altered, stats.ended_twice), (4, 1));
    engine.shutdown(SOON).unwrap();
    assert!(!engine.count_hosted(&HostCounts::default()));
}

#[test]
fn roots_are_decided_ahead_where_the_sampler_allows() {
    let (engine, _) = started(|options| options.sampler(HeadSampler::AlwaysOn));
    let mut roots = Vec::new();
    assert!(engine.draw_roots(64, &mut roots));
    assert_eq!(roots.len(), 64);
    assert!(roots.iter().all(|root| root.decision.is_sampled() && root.trace_id.is_valid()));
    let terms = engine.host_terms().unwrap();
    assert_eq!((terms.plan.root, terms.plan.local_parent), (RootRule::Block, ParentRule::Sample));
    assert!(terms.hides_nothing && !terms.reads_content);

    let rate = HeadSampler::from_value(&Value::from_iter([
        ("type", Value::from("rate_limited")),
        ("per_second", 1.into()),
    ]));
    let (engine, _) = started(|options| options.sampler(rate.unwrap()));
    assert!(!engine.draw_roots(64, &mut roots));
    assert_eq!(engine.host_terms().unwrap().plan.root, RootRule::AskEach);
}

#[test]
fn what_spans_inside_begin_with_says_when_to_ask() {
    let (engine, _) = started(|options| options.default_id(polyspan::CarriedId::User, "u").tags(["eu"]));
    let fields = |bytes: &[u8]| {
        let body = body(&Head::default(), |buf| buf.extend_from_slice(bytes));
        SpanView::new(&body).unwrap().fields().count()
    };
    let alone = engine.inherited(None);
    assert_eq!((fields(&alone.fields), fields(&alone.tags), alone.asks), (1, 1, false));
    let around = Surroundings::default().id(polyspan::CarriedId::User, "other").tag("beta").hide_input();
    let inside = engine.inherited(Some(&around));
    assert_eq!((fields(&inside.fields), fields(&inside.tags)), (1, 2));
    assert!(inside.flags.contains(SpanFlags::HIDE_INPUT) && !inside.asks);
    let hides = Surroundings::default().internal(TypeSet::of_family("tool").unwrap());
    assert!(engine.inherited(Some(&hides)).asks);
}

#[test]
fn a_hidden_span_gives_its_ancestor_s_context() {
    let (engine, _) = started(|options| options);
    let parent = SpanContext {
        trace_id: TraceId::from_hex("1").unwrap(),
        span_id: SpanId::from_hex("2").unwrap(),
        flags: TraceFlags::SAMPLED,
        ..SpanContext::default()
    };
    let head = Head { flags: SpanFlags::INTERNAL, ..Head::default() };
    let described = body(&head, |buf| write::name(buf, "hidden"));
    let span = start_hosted(Some(&engine), &described, Some(&parent), None, None, None);
    assert_eq!((span.context.trace_id, span.context.span_id), (parent.trace_id, parent.span_id));
    let kept = polyspan::hosted::kept_flags(span.context.flags);
    assert_eq!(polyspan::hosted::flags_of_host(kept), span.context.flags);
    assert_ne!(SpanView::new(span.body.as_deref().unwrap()).unwrap().head().span_id, parent.span_id);
}

#[test]
fn values_travel_alone() {
    let value = Value::from_iter([("a", Value::from(vec!["x"])), ("b", Value::Null), ("c", 1.5.into())]);
    assert_eq!(read_value(&write_value(&value)), Some(value.into_owned()));
    assert_eq!(read_value(&[200]), None);
    assert_eq!(read_value(&[]), None);
    let unreadable = start_hosted(None, b"short", None, None, None, None);
    assert!(unreadable.slot.is_none() || unreadable.context.is_valid());
}

#[test]
fn what_is_no_map_surrounds_nothing_and_counts_once() {
    let torn = &write_value(&"text".into())[..3];
    for added in [&[][..], torn, &write_value(&"text".into())] {
        let (around, refused) = hosted::surround(None, added);
        assert_eq!((around.baggage().len(), refused), (0, 1));
    }
    let added = Value::from_iter([("internal_spans", "nonsense"), ("session_id", "s-1")]);
    assert_eq!(hosted::surround(None, &write_value(&added)).1, 1);
    assert_eq!(hosted::surround(None, &write_value(&Value::Map(Vec::new()))).1, 0);
}
