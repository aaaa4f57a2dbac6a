//! `traceparent`: any bytes are a valid remote span context or nothing, and what is written reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use polyspan::propagation::trace_context::{Traceparent, parse};

fuzz_target!(|header: &[u8]| {
    if let Some(span) = parse(header) {
        assert!(span.is_valid() && span.remote && span.state.is_empty());
        assert_eq!(parse(Traceparent::new(&span).as_str().as_bytes()), Some(span));
    }
});
