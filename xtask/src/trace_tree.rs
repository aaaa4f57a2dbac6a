//! Draws the spans of OTLP/JSON requests as trees, for the demo: name, type, duration, error.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

struct Span<'a> {
    id: &'a str,
    parent: &'a str,
    name: &'a str,
    service: &'a str,
    /// What kind of work: the span type or the GenAI operation, else a span kind that says something.
    work: &'a str,
    start: u64,
    nanos: u64,
    error: Option<String>,
}

/// How many spans the requests hold.
pub fn count(requests: &[Value]) -> usize {
    let resources = requests.iter().flat_map(|request| list(request, "resourceSpans"));
    resources.flat_map(|resource| list(resource, "scopeSpans")).map(|scope| list(scope, "spans").len()).sum()
}

/// One tree for each trace in `requests`, in order of their starts.
pub fn draw(requests: &[Value]) -> String {
    let mut traces: BTreeMap<&str, Vec<Span<'_>>> = BTreeMap::new();
    for resource in requests.iter().flat_map(|request| list(request, "resourceSpans")) {
        let service = attribute(resource.get("resource"), "service.name").unwrap_or("unknown_service");
        let spans = list(resource, "scopeSpans").iter().flat_map(|scope| list(scope, "spans"));
        for span in spans {
            traces.entry(text(span, "traceId")).or_default().push(read(span, service));
        }
    }
    let mut traces: Vec<_> = traces.into_iter().collect();
    traces.sort_by_key(|(_, spans)| spans.iter().map(|span| span.start).min());
    let mut out = String::new();
    for (id, mut spans) in traces {
        spans.sort_by_key(|span| span.start);
        let count = if spans.len() == 1 { "1 span".to_owned() } else { format!("{} spans", spans.len()) };
        let _ = writeln!(out, "trace {id}  ({count})");
        let known: BTreeSet<_> = spans.iter().map(|span| span.id).collect();
        let roots: Vec<_> = spans.iter().filter(|span| !known.contains(span.parent)).collect();
        branches(&mut out, &spans, &roots, "", "");
    }
    out
}

fn branches(out: &mut String, all: &[Span<'_>], here: &[&Span<'_>], indent: &str, service: &str) {
    for (index, span) in here.iter().enumerate() {
        let last = index + 1 == here.len();
        let head = format!("{indent}{}{}", if last { "└─ " } else { "├─ " }, span.name);
        let _ = write!(out, "{head:<64} {:>9}", duration(span.nanos));
        if !span.work.is_empty() {
            let _ = write!(out, "  {}", span.work);
        }
        if span.service != service {
            let _ = write!(out, "  [{}]", span.service);
        }
        if let Some(message) = &span.error {
            let _ = write!(out, "  ERROR {message}");
        }
        out.push('\n');
        let children: Vec<_> = all.iter().filter(|child| child.parent == span.id).collect();
        let indent = format!("{indent}{}", if last { "   " } else { "│  " });
        branches(out, all, &children, &indent, span.service);
    }
}

fn read<'a>(span: &'a Value, service: &'a str) -> Span<'a> {
    let nanos = |key| text(span, key).parse::<u64>().unwrap_or_default();
    let status = span.get("status");
    let code = status.and_then(|status| status.get("code")).and_then(Value::as_u64);
    let kind = match span.get("kind").and_then(Value::as_u64) {
        Some(2) => "server",
        Some(3) => "client",
        Some(4) => "producer",
        Some(5) => "consumer",
        _ => "",
    };
    let work = attribute(Some(span), "polyspan.span.type")
        .or_else(|| attribute(Some(span), "gen_ai.operation.name"));
    Span {
        id: text(span, "spanId"),
        parent: text(span, "parentSpanId"),
        name: text(span, "name"),
        service,
        work: work.unwrap_or(kind),
        start: nanos("startTimeUnixNano"),
        nanos: nanos("endTimeUnixNano").saturating_sub(nanos("startTimeUnixNano")),
        error: (code == Some(2)).then(|| error(span)),
    }
}

/// What failed: the status' text, else the exception, else the error type, else the answer of HTTP.
fn error(span: &Value) -> String {
    let status = span.get("status").map(|status| text(status, "message")).unwrap_or_default();
    let exception = list(span, "events").iter().find(|event| text(event, "name") == "exception");
    let of_exception = |key| attribute(exception, key).unwrap_or_default();
    let message = match (status, of_exception("exception.type"), of_exception("exception.message")) {
        ("", "", "") => attribute(Some(span), "error.type").map(str::to_owned).or_else(|| answer(span)),
        ("", "", message) => Some(message.to_owned()),
        ("", kind, "") => Some(kind.to_owned()),
        ("", kind, message) => Some(format!("{kind}: {message}")),
        (status, _, _) => Some(status.to_owned()),
    };
    message.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// The status code of an HTTP request, under its name of today or the one before.
fn answer(span: &Value) -> Option<String> {
    let code = ["http.response.status_code", "http.status_code"].into_iter().find_map(|key| {
        let pair = list(span, "attributes").iter().find(|pair| text(pair, "key") == key)?;
        // 64-bit integers are strings in JSON, small ones may be numbers.
        let code = pair.get("value")?.get("intValue")?;
        Some(code.as_str().map_or_else(|| code.to_string(), str::to_owned))
    })?;
    Some(format!("HTTP {code}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn attribute<'a>(holder: Option<&'a Value>, key: &str) -> Option<&'a str> {
    let pair = list(holder?, "attributes").iter().find(|pair| text(pair, "key") == key)?;
    pair.get("value")?.get("stringValue")?.as_str()
}

fn duration(nanos: u64) -> String {
    match nanos {
        0..1_000_000 => format!("{} us", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{}.{} ms", nanos / 1_000_000, nanos / 100_000 % 10),
        _ => format!("{}.{:02} s", nanos / 1_000_000_000, nanos / 10_000_000 % 100),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use serde_json::json;

    use super::{draw, error};

    #[test]
    fn children_stand_under_their_parents_in_order_of_start() {
        let span = |id: &str, parent: &str, name: &str, start: u64| {
            json!({ "traceId": "t1", "spanId": id, "parentSpanId": parent, "name": name,
                    "startTimeUnixNano": start.to_string(), "endTimeUnixNano": (start + 2_500_000).to_string() })
        };
        let mut failing = span("c", "a", "search", 20);
        failing["status"] = json!({ "code": 2, "message": "no index\nsecond line" });
        let mut chat = span("b", "a", "chat", 10);
        chat["attributes"] = json!([{ "key": "gen_ai.operation.name", "value": { "stringValue": "chat" } }]);
        let resource =
            json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "agent" } }] });
        let of = |spans: serde_json::Value| json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": [{ "spans": spans }] }] });
        let drawn = draw(&[of(json!([failing, chat])), of(json!([span("a", "elsewhere", "answer", 0)]))]);
        let lines: Vec<_> =
            drawn.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "trace t1 (3 spans)",
                "└─ answer 2.5 ms [agent]",
                "├─ chat 2.5 ms chat",
                "└─ search 2.5 ms ERROR no index",
            ]
        );
    }

    #[test]
    fn an_error_without_a_text_says_what_is_known() {
        let attribute = |key: &str, value: serde_json::Value| json!({ "key": key, "value": value });
        let text = |value: &str| json!({ "stringValue": value });
        let raised = |attributes: serde_json::Value| json!({ "status": { "code": 2 }, "events": [{ "name": "exception", "attributes": attributes }] });
        let (kind, message) = (
            attribute("exception.type", text("KeyError")),
            attribute("exception.message", text("no k\nhere")),
        );
        assert_eq!(error(&raised(json!([kind, message]))), "KeyError: no k");
        assert_eq!(error(&raised(json!([kind]))), "KeyError");
        assert_eq!(error(&raised(json!([message]))), "no k");
        let with =
            |attributes: serde_json::Value| json!({ "status": { "code": 2 }, "attributes": attributes });
        assert_eq!(error(&with(json!([attribute("error.type", text("timeout"))]))), "timeout");
        let not_found = json!({ "intValue": "404" });
        assert_eq!(error(&with(json!([attribute("http.status_code", not_found)]))), "HTTP 404");
        assert_eq!(error(&with(json!([]))), "");
    }
}
