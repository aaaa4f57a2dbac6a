//! `bench-sink`: a receiver in a process of its own. It reads every request, answers 200, and counts bytes,
//! spans and whole traces. Its address is the first line it prints; it stops when its standard input closes.
//!
//! `GET /count` answers with the counts as JSON, `POST /reset` sets them to zero. Any other POST is an export:
//! OTLP (its spans are counted by walking the message), or a Datadog agent's (traces as its header says).

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;

use flate2::read::GzDecoder;
use serde_json::json;

const SPANS_PER_TRACE: u32 = 8;

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    wire_bytes: u64,
    spans: u64,
    unreadable: u64,
    agent_traces: u64,
    /// Spans seen of each trace, by the low half of its random id.
    traces: HashMap<u64, u32>,
}

static COUNTS: Mutex<Option<Counts>> = Mutex::new(None);

fn with_counts<T>(then: impl FnOnce(&mut Counts) -> T) -> T {
    then(COUNTS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// One protobuf field: its number, and its bytes if it is length-delimited.
fn field<'a>(message: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let tag = varint(message)?;
    let length = match tag & 7 {
        0 => {
            varint(message)?;
            0
        }
        1 => 8,
        2 => usize::try_from(varint(message)?).ok()?,
        5 => 4,
        _ => return None,
    };
    let (value, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some((tag >> 3, value))
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Calls `each` with the trace id of every span of an `ExportTraceServiceRequest`.
fn walk(mut request: &[u8], each: &mut impl FnMut(u64)) -> Option<()> {
    while !request.is_empty() {
        let (1, mut resource_spans) = field(&mut request)? else { continue };
        while !resource_spans.is_empty() {
            let (2, mut scope_spans) = field(&mut resource_spans)? else { continue };
            while !scope_spans.is_empty() {
                let (2, mut span) = field(&mut scope_spans)? else { continue };
                while !span.is_empty() {
                    if let (1, id) = field(&mut span)? {
                        each(u64::from_le_bytes(*id.last_chunk()?));
                        break;
                    }
                }
            }
        }
    }
    Some(())
}

struct Request {
    target: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
    wire_bytes: u64,
}

fn read_line(stream: &mut impl BufRead, wire_bytes: &mut u64) -> io::Result<String> {
    let mut line = String::new();
    *wire_bytes += stream.read_line(&mut line)? as u64;
    line.truncate(line.trim_end().len());
    Ok(line)
}

/// Reads one request; `None` when the peer has gone.
fn read_request(stream: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut wire_bytes = 0;
    let target = read_line(stream, &mut wire_bytes)?;
    if target.is_empty() {
        return Ok(None);
    }
    let mut headers = HashMap::new();
    loop {
        let line = read_line(stream, &mut wire_bytes)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    let mut take = |stream: &mut dyn BufRead, length: u64| stream.take(length).read_to_end(&mut body);
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let length = u64::from_str_radix(&read_line(stream, &mut wire_bytes)?, 16).unwrap_or(0);
            take(stream, length)?;
            read_line(stream, &mut wire_bytes)?;
            if length == 0 {
                break;
            }
        }
    } else {
        take(stream, headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0))?;
    }
    wire_bytes += body.len() as u64;
    Ok(Some(Request { target, headers, body, wire_bytes }))
}

fn take_export(request: Request) {
    let Request { headers, mut body, wire_bytes, .. } = request;
    if headers.get("content-encoding").is_some_and(|coding| coding == "gzip") {
        let mut plain = Vec::with_capacity(body.len() * 8);
        if GzDecoder::new(body.as_slice()).read_to_end(&mut plain).is_ok() {
            body = plain;
        }
    }
    let of_agent: u64 =
        headers.get("x-datadog-trace-count").and_then(|count| count.parse().ok()).unwrap_or(0);
    with_counts(|counts| {
        counts.requests += 1;
        counts.wire_bytes += wire_bytes;
        counts.agent_traces += of_agent;
        if headers.get("content-type").is_some_and(|kind| kind == "application/x-protobuf") {
            let Counts { spans, traces, .. } = counts;
            let read = walk(&body, &mut |trace| {
                *spans += 1;
                *traces.entry(trace).or_default() += 1;
            });
            counts.unreadable += u64::from(read.is_none());
        }
    });
}

fn counted() -> String {
    with_counts(|counts| {
        let complete = counts.traces.values().filter(|&&spans| spans == SPANS_PER_TRACE).count();
        // A request that was cut off before its answer is sent again, and its spans arrive twice.
        let repeated: u32 = counts.traces.values().map(|spans| spans.saturating_sub(SPANS_PER_TRACE)).sum();
        json!({
            "requests": counts.requests, "wire_bytes": counts.wire_bytes, "spans": counts.spans,
            "unreadable": counts.unreadable, "agent_traces": counts.agent_traces, "traces": counts.traces.len(), "complete_traces": complete,
            "repeated": repeated,
        })
        .to_string()
    })
}

fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut answers = stream.try_clone()?;
    let mut stream = BufReader::with_capacity(256 * 1024, stream);
    while let Some(request) = read_request(&mut stream)? {
        let (kind, body) = match request.target.split(' ').nth(1) {
            Some("/count") => ("application/json", counted()),
            Some("/reset") => {
                with_counts(|counts| *counts = Counts::default());
                ("application/json", "{}".to_owned())
            }
            Some("/v1/traces") => {
                take_export(request);
                ("application/x-protobuf", String::new())
            }
            _ => {
                take_export(request);
                ("application/json", "{}".to_owned())
            }
        };
        write!(
            answers,
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )?;
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A peer that goes away in the middle ends its own thread only.
            thread::spawn(move || serve(stream));
        }
    });
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
