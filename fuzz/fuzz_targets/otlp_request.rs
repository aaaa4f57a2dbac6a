//! `otlp_request`: any bytes are split into two requests that hold all spans, or come back; and they are valid
//! JSON, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use polyspan::export::otlp::{OtlpBatch, json};
use serde::Deserialize;

fuzz_target!(|body: &[u8]| {
    let mut line = String::new();
    match json::write_request_json(&mut line, body) {
        Some(()) => {
            let mut reader = serde_json::Deserializer::from_str(&line);
            reader.disable_recursion_limit();
            serde_json::Value::deserialize(&mut reader).expect("JSON");
            reader.end().expect("one value");
        }
        None => assert!(line.is_empty()),
    }
    let mut todo = vec![OtlpBatch::new(body.to_vec(), 0)];
    while let Some(batch) = todo.pop() {
        let (spans, size) = (batch.spans, batch.body.len());
        match batch.split() {
            Ok((first, second)) => {
                assert!(spans == 0 || first.spans + second.spans == spans);
                assert!(first.body.len() < size && second.body.len() < size);
                todo.extend([first, second]);
            }
            Err(whole) => assert!(whole.spans <= 1),
        }
    }
});
