//! `hosted`: what a binding hands over beside frames (values, contexts, what surrounds a span, how one starts) is
//! refused or read, and what was read is written as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use polyspan::hosted;

fuzz_target!(|bytes: &[u8]| {
    if let Some(value) = hosted::read_value(bytes) {
        let written = hosted::write_value(&value);
        let again = hosted::read_value(&written).expect("what was written is readable");
        assert_eq!(hosted::write_value(&again), written);
    }
    if let Some(context) = hosted::read_context(bytes) {
        assert_eq!(hosted::read_context(&hosted::write_context(&context)), Some(context));
    }
    hosted::surround(None, bytes);
    // Without an engine nothing is recorded, and everything is read.
    hosted::start_hosted(None, bytes, None, None, None, None);
});
