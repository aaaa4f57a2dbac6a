//! What must hold for any input: nothing panics, what is written can be read back, no limit is exceeded.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, HashMap};

use polyspan::propagation::trace_context::{self, Traceparent};
use polyspan::propagation::{Baggage, Extracted, OtTraceState, Propagators, baggage, tracestate};
use polyspan::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use proptest::collection::vec;
use proptest::prelude::*;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn assert_within_limits(state: &TraceState) {
    let members: Vec<_> = state.iter().collect();
    assert!(members.len() <= tracestate::MAX_MEMBERS);
    assert!(state.header().len() <= tracestate::MAX_CHARS);
    for (place, (key, value)) in members.iter().enumerate() {
        assert!((1..=256).contains(&key.len()) && (1..=256).contains(&value.len()));
        assert!(!members[..place].iter().any(|(other, _)| other == key), "{key} twice");
    }
    assert_eq!(state.header().parse::<TraceState>().as_ref(), Ok(state), "not stable");
}

fn assert_writable(found: &Extracted) {
    let mut carrier = BTreeMap::<String, String>::new();
    let refused =
        Propagators::default().inject(&found.span.clone().unwrap_or_default(), &found.baggage, &mut carrier);
    for value in carrier.values() {
        assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value:?}");
    }
    if let Some(header) = carrier.get("baggage") {
        assert!(header.len() <= baggage::MAX_BYTES);
        assert!(header.split(',').count() <= baggage::MAX_PAIRS);
        assert!(header.split(',').all(|pair| pair.len() <= baggage::MAX_PAIR_BYTES));
    }
    // Reading back what was written gives the same, unless a value grew beyond a limit when it was encoded.
    let again = Propagators::default().extract(&carrier);
    assert_eq!(again.span, found.span);
    if refused.baggage == 0 {
        assert_eq!(again.baggage, found.baggage);
    }
}

/// Header-like text: bytes that mean something to one of the formats, and some that mean nothing.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => proptest::sample::select(b"abk01=,;%-@ \t".to_vec()),
        1 => any::<u8>(),
    ];
    prop_oneof![vec(byte, 0..600), Just(TRACEPARENT.as_bytes().to_vec()), vec(any::<u8>(), 0..80)]
}

fn member() -> impl Strategy<Value = (String, String)> {
    ("[a-z0-9][a-z0-9_*/@-]{0,20}", "[ -+--<>-~]{0,150}[!-+--<>-~]")
}

proptest! {
    #[test]
    fn any_bytes_in_a_carrier_are_read(
        headers in vec((proptest::sample::select(vec!["traceparent", "TraceState", "baggage", "x"]), header()), 0..6),
    ) {
        let found = Propagators::default().extract(&headers);
        if let Some(span) = &found.span {
            prop_assert!(span.is_valid() && span.remote);
            assert_within_limits(&span.state);
        }
        assert_writable(&found);
    }

    #[test]
    fn a_damaged_traceparent_is_valid_or_nothing(place in 0..55usize, byte: u8) {
        let mut text = TRACEPARENT.as_bytes().to_vec();
        text[place] = byte;
        if let Some(span) = trace_context::parse(&text) {
            let kept = Traceparent::new(&span);
            prop_assert_eq!(&kept.as_str().as_bytes()[3..53], &text[3..53]);
        }
    }

    #[test]
    fn a_span_context_round_trips(
        trace: [u8; 16], span: [u8; 8], flags: u8, members in vec(member(), 0..8),
    ) {
        let mut state = TraceState::EMPTY;
        for (key, value) in &members {
            state = state.insert(key, value).unwrap();
            prop_assert_eq!(state.iter().next(), Some((key.as_str(), value.as_str())));
        }
        assert_within_limits(&state);
        let context = SpanContext {
            trace_id: TraceId::from_bytes(trace),
            span_id: SpanId::from_bytes(span),
            flags: TraceFlags::from_bits(flags),
            state,
            remote: true,
        };
        prop_assume!(context.is_valid());
        let mut carrier = HashMap::<String, Vec<u8>>::new();
        Propagators::default().inject(&context, &Baggage::new(), &mut carrier);
        prop_assert_eq!(Propagators::default().extract(&carrier).span, Some(context));
    }

    #[test]
    fn changes_keep_the_limits_and_the_order(
        members in vec(member(), 0..60), changes in vec((any::<bool>(), member()), 1..10),
    ) {
        let joined: Vec<String> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut state: TraceState = joined.join(",").parse().unwrap_or_default();
        assert_within_limits(&state);
        for (delete, (key, value)) in changes {
            let before: Vec<String> = state.iter().map(|(key, _)| key.to_owned()).filter(|k| *k != key).collect();
            state = if delete { state.delete(&key) } else { state.insert(&key, &value).unwrap() };
            assert_within_limits(&state);
            prop_assert_eq!(state.get(&key), (!delete).then_some(value.as_str()));
            let mut rest = before.iter();
            prop_assert!(state.iter().filter(|(k, _)| *k != key).all(|(k, _)| rest.any(|b| b == k)), "order");
        }
    }

    #[test]
    fn any_text_can_be_put_into_a_list(key: String, value: String) {
        if let Ok(state) = TraceState::EMPTY.insert(&key, &value) {
            assert_within_limits(&state);
            prop_assert_eq!(state.get(&key), Some(value.as_str()));
        }
    }

    #[test]
    fn a_threshold_survives_the_way(threshold in 0..1u64 << 56, others in vec(member(), 0..5)) {
        let mut state = TraceState::EMPTY;
        for (key, value) in &others {
            state = state.insert(key, value).unwrap();
        }
        let written = OtTraceState::from_state(&state).with_threshold(Some(threshold)).insert_into(&state).unwrap();
        let read: TraceState = written.header().parse().unwrap();
        prop_assert_eq!(OtTraceState::from_state(&read).threshold(), Some(threshold));
        prop_assert_eq!(read.iter().next().map(|(key, _)| key), Some("ot"));
    }
}

proptest! {
    // Hundreds of generated texts a case.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_baggage_is_written_within_limits(
        entries in vec(("[!#$&-+.0-9A-Z^-z|~-]{1,10}|\\PC{0,3}", any::<String>(), "|p|p=1;q|\\PC{0,5}"), 0..220),
        long in 0..5000usize,
    ) {
        let mut baggage = Baggage::new();
        baggage.insert("long", "x".repeat(long));
        for (key, value, metadata) in entries {
            baggage.insert_with_metadata(key, value, metadata);
        }
        let mut carrier = vec![("Baggage".to_owned(), "stale=1".to_owned())];
        let refused = Propagators::default().inject(&SpanContext::default(), &baggage, &mut carrier);
        prop_assume!(baggage.len() > refused.baggage as usize);
        let found = Propagators::default().extract(&carrier);
        // Each entry is either counted or arrives as it was, and in the same order.
        prop_assert_eq!(found.baggage.len() + refused.baggage as usize, baggage.len());
        let mut sent = baggage.iter();
        for entry in found.baggage.iter() {
            prop_assert!(sent.any(|e| e.key == entry.key && e.value == entry.value), "{}", entry.key);
        }
        assert_writable(&found);
    }
}
