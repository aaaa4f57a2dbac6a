//! A plain `traceparent` is read and written without touching the heap: it happens for every request.

#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use polyspan::propagation::{Propagators, SetterFn, TraceContext};
use polyspan::{SpanContext, TraceState};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";

fn extract(headers: &[(&str, &str)]) -> (Option<SpanContext>, u64) {
    let propagators = Propagators::none().with(Box::new(TraceContext));
    let headers = headers.to_vec();
    let mut span = None;
    let used = measure(|| span = propagators.extract(&headers).span);
    (span, used.count_total)
}

#[test]
fn a_plain_traceparent_costs_no_allocation() {
    let (span, allocations) = extract(&[("host", "example.org"), ("Traceparent", TRACEPARENT)]);
    let span = span.unwrap();
    assert_eq!((allocations, span.flags.bits()), (0, 3));

    let propagators = Propagators::default();
    let baggage = Default::default();
    let mut matches = false;
    let used = measure(|| {
        let mut carrier = SetterFn::new(|_, value| matches = value == TRACEPARENT);
        propagators.inject(&span, &baggage, &mut carrier);
    });
    assert_eq!((used.count_total, matches), (0, true));
}

#[test]
fn a_list_costs_few() {
    let (span, allocations) = extract(&[("traceparent", TRACEPARENT), ("tracestate", "ot=th:8,dd=s:1")]);
    assert_eq!(span.map(|span| span.state), Some("ot=th:8,dd=s:1".parse::<TraceState>().unwrap()));
    assert!((1..=6).contains(&allocations), "{allocations}");
}
