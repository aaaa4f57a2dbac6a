//! Log records on the console: a line each.

use core::fmt::Write as _;
use std::io::Write;

use super::ConsoleSink;
use super::preview::{preview, shorten};
use crate::export::{Encoder, Outcome, SendContext, Sink};
use crate::frame::record::RecordContext;
use crate::frame::view::SpanView;
use crate::logs::{LogData, Severity};
use crate::value::Value;

/// Characters of the body that are shown.
const BODY_CHARS: usize = 1000;
/// Characters of an attribute that are shown.
const VALUE_CHARS: usize = 100;

/// Collects log records until they are printed.
#[derive(Debug, Default)]
pub(crate) struct ConsoleLogEncoder {
    records: Vec<LogData>,
    bytes: usize,
}

/// Log records to print.
#[derive(Debug)]
pub(crate) struct LogLines(Vec<LogData>);

impl Encoder for ConsoleLogEncoder {
    type Batch = LogLines;

    fn push(&mut self, record: &SpanView<'_>, context: &RecordContext<'_>) {
        self.bytes += size_of::<LogData>() + 2 * record.fields_len();
        self.records.push(LogData::from_view(record, context));
    }

    fn spans(&self) -> u32 {
        self.records.len() as u32
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn take(&mut self) -> LogLines {
        self.bytes = 0;
        LogLines(core::mem::take(&mut self.records))
    }
}

impl<W: Write + Send + 'static> Sink<LogLines> for ConsoleSink<W> {
    async fn send(&mut self, LogLines(records): LogLines, context: &SendContext) -> Outcome {
        let colour = self.colour;
        let count = records.len() as u32;
        let draw = move || records.iter().map(|record| line(record, colour)).collect();
        self.print(count, draw, context).await
    }
}

/// `12:34:56.789 WARN  logger: what it says  key=value … [trace 0123abcd]`, in UTC.
fn line(record: &LogData, colour: bool) -> String {
    let mut out = String::new();
    let millis = record.time_unix_nanos / 1_000_000 % 86_400_000;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = shorten(&record.severity_text, VALUE_CHARS);
    let (on, off) = if colour { (tint(record.severity), "\x1b[0m") } else { ("", "") };
    // Writing to a text cannot fail.
    let _ = write!(out, "{hours:02}:{minutes:02}:{seconds:02}.{millis:03} {on}{text:<5}{off}");
    if record.scope.name != "polyspan" && !record.scope.name.is_empty() {
        let _ = write!(out, " {}:", shorten(&record.scope.name, VALUE_CHARS));
    }
    match &record.body {
        Some(body) => {
            let _ = write!(out, " {}", preview(body, BODY_CHARS));
        }
        None => {
            let _ = write!(out, " {}", shorten(&record.event_name, VALUE_CHARS));
        }
    }
    for (key, value) in record.attributes.iter().filter(|(key, _)| !key.starts_with("code.")) {
        let value = match value {
            Value::Str(_) => format!("{:?}", preview(value, VALUE_CHARS)),
            other => preview(other, VALUE_CHARS),
        };
        let _ = write!(out, " {}={value}", shorten(key, VALUE_CHARS));
    }
    if record.trace_id.is_valid() {
        let id = record.trace_id.to_string();
        let _ = write!(out, " [trace {}]", id.get(..8).unwrap_or(&id));
    }
    out.push('\n');
    out
}

/// The colour of a severity.
fn tint(severity: Severity) -> &'static str {
    match severity.number() {
        17.. => "\x1b[31m",
        13.. => "\x1b[33m",
        9.. => "\x1b[32m",
        _ => "\x1b[2m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TraceId;

    #[test]
    fn a_record_is_a_line() {
        let record = LogData {
            time_unix_nanos: (3_600 * 13 + 62) * 1_000_000_000 + 5_000_000,
            severity: Severity::WARN,
            severity_text: "WARNING".to_owned(),
            body: Some("two\nlines".into()),
            attributes: vec![
                ("code.line.number".to_owned(), 7.into()),
                ("k".to_owned(), "a b".into()),
                ("n".to_owned(), 1.into()),
            ],
            trace_id: TraceId::from_bytes([0xab; 16]),
            ..LogData::default()
        };
        let expected = "13:01:02.005 WARNING two\\nlines k=\"a b\" n=1 [trace abababab]\n";
        assert_eq!(line(&record, false), expected);
        assert!(line(&record, true).contains("\x1b[33mWARNING\x1b[0m two"));
    }
}
