//! `redact`: whatever text and value, the rules end, and leave text.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use polyspan::Value;
use polyspan::privacy::{Redaction, Redactor};

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(&Redaction::new()).expect("the defaults"));

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let redacted = REDACTOR.text(&text);
    assert!(redacted.len() <= 16 * text.len() + 64);
    // The first line is the name, the others are items.
    let mut lines = text.lines().map(|line| Value::from(line.to_owned()));
    let name = lines.next();
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    let items = Value::Array(lines.collect());
    let nested = Value::Map(vec![(name.to_owned().into(), Value::Array(vec![items]))]);
    drop(REDACTOR.value(name, &nested));
});
