//! `otlp_reply`: whatever a receiver answers, no more spans are refused than were sent, and its text is bounded
//! and safe for a log.
#![no_main]

use libfuzzer_sys::fuzz_target;
use polyspan::export::otlp::response::{read_accepted, read_failure};

fn check(text: Option<String>) {
    let text = text.unwrap_or_default();
    assert!(text.chars().count() < 1200 && !text.chars().any(char::is_control));
}

fuzz_target!(|body: &[u8]| {
    let accepted = read_accepted(body, 7);
    assert!(accepted.rejected <= 7);
    check(accepted.message);
    check(read_failure(body));
});
