//! `tracestate`: whatever is read and however it is changed, the list keeps its limits and reads back the same.
//!
//! The input is split at line breaks: the first line is the header, each further one `key=value` to insert or
//! `key` to delete.
#![no_main]

use libfuzzer_sys::fuzz_target;
use polyspan::TraceState;
use polyspan::propagation::{OtTraceState, tracestate};

fn check(state: &TraceState) {
    assert!(state.header().len() <= tracestate::MAX_CHARS && state.iter().count() <= tracestate::MAX_MEMBERS);
    assert_eq!(TraceState::from_header(state.header().as_bytes()).as_ref(), Ok(state));
}

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut state = lines.next().and_then(|header| TraceState::from_header(header).ok()).unwrap_or_default();
    check(&state);
    for line in lines.filter_map(|line| std::str::from_utf8(line).ok()) {
        match line.split_once('=') {
            Some((key, value)) => {
                if let Ok(changed) = state.insert(key, value) {
                    assert_eq!(changed.iter().next(), Some((key, value)));
                    state = changed;
                }
            }
            None => {
                state = state.delete(line);
                assert_eq!(state.get(line), None);
            }
        }
        check(&state);
    }
    let ot = OtTraceState::from_state(&state);
    if let Ok(written) = ot.insert_into(&state) {
        let again = OtTraceState::from_state(&written);
        assert_eq!((again.threshold(), again.randomness()), (ot.threshold(), ot.randomness()));
        check(&written);
    }
});
