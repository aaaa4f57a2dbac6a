//! `baggage`: what is read from any headers (one a line) is written within the limits and reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use polyspan::SpanContext;
use polyspan::propagation::{Propagators, baggage};

fuzz_target!(|data: &[u8]| {
    let headers: Vec<(&str, &[u8])> =
        data.split(|byte| *byte == b'\n').map(|line| ("baggage", line)).collect();
    let propagators = Propagators::default();
    let found = propagators.extract(&headers).baggage;
    let mut written: Vec<(String, String)> = Vec::new();
    let refused = propagators.inject(&SpanContext::default(), &found, &mut written);
    for (_, header) in &written {
        assert!(header.len() <= baggage::MAX_BYTES && header.split(',').count() <= baggage::MAX_PAIRS);
        assert!(header.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    // A value may outgrow the limits when it is encoded; then it is counted.
    let again = propagators.extract(&written).baggage;
    assert_eq!(again.len() + refused.baggage as usize, found.len());
    if refused.baggage == 0 {
        assert_eq!(again, found);
    }
});
