//! The receiver as a program, for tests in other languages.
//!
//! `polyspan-test-receiver '{"steps": ["ok", {"reply": {"status": 503}}], "then": "ok"}'` prints one JSON
//! object a line: `listening` first, `request` for each request, `summary` when asked. It reads commands
//! from its standard input, a line each: `summary`, or a JSON list of steps to add; it ends with the input.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use polyspan_test_receiver::{Received, Receiver, Script, Step};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let script = arguments.next().unwrap_or_else(|| "{}".to_owned());
    let certificates = arguments.next().map(PathBuf::from);
    let script: Script = match serde_json::from_str(&script) {
        Ok(script) => script,
        Err(error) => {
            eprintln!("usage: polyspan-test-receiver [SCRIPT-AS-JSON [DIRECTORY-FOR-CERTIFICATES]]: {error}");
            return ExitCode::FAILURE;
        }
    };
    let receiver = Arc::new(Receiver::start(script));
    let files = match (receiver.certificates(), certificates) {
        (Some(made), Some(directory)) => made.write(&directory).map(|path| json!(path)).to_vec(),
        _ => vec![Value::Null; 3],
    };
    print(&json!({
        "event": "listening", "endpoint": receiver.endpoint(), "port": receiver.port(),
        "certificate": files[0], "client_certificate": files[1], "client_key": files[2],
    }));
    let printing = Arc::clone(&receiver);
    std::thread::spawn(move || print_requests(&printing));
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        if line.trim() == "summary" {
            print(&summary(&receiver));
        } else {
            match serde_json::from_str::<Vec<Step>>(&line) {
                Ok(steps) => receiver.push_steps(steps),
                Err(error) => print(&json!({ "event": "error", "message": error.to_string() })),
            }
        }
    }
    ExitCode::SUCCESS
}

fn print_requests(receiver: &Receiver) {
    let mut printed = 0;
    loop {
        receiver.log().wait_until(Duration::from_secs(3600), |requests| requests.len() > printed);
        for received in receiver.log().requests().iter().skip(printed) {
            print(&describe(printed, received));
            printed += 1;
        }
    }
}

fn describe(number: usize, received: &Received) -> Value {
    json!({
        "event": "request",
        "number": number,
        "connection": received.connection,
        "step": received.step,
        "target": received.target,
        "headers": received.headers,
        "wire_bytes": received.wire_bytes,
        "body_bytes": received.body_bytes,
        "accepted": received.accepted,
        "error": received.request.as_ref().err(),
        "request": received.request.as_ref().ok(),
        "logs": received.logs,
        "metrics": received.metrics,
    })
}

fn summary(receiver: &Receiver) -> Value {
    json!({
        "event": "summary",
        "requests": receiver.log().requests().len(),
        "arrivals": receiver.log().arrivals(),
        "violations": receiver.log().violations(),
    })
}

fn print(value: &Value) {
    let mut out = io::stdout().lock();
    // A reader that has gone away ends the program by closing its input as well.
    let _ = writeln!(out, "{value}").and_then(|()| out.flush());
}
