//! Drawing a trace: one line for each span under its parent, with what a developer looks for first.

use core::fmt::Write as _;
use std::collections::HashMap;

use super::gather::GatheredTrace;
use super::preview::{duration, preview, shorten};
use crate::frame::record::SpanData;
use crate::id::SpanId;
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};
use crate::value::Value;

/// Longest previews, in characters.
const NAME: usize = 80;
const INPUT: usize = 100;
const ERROR: usize = 160;
const ATTRIBUTE: usize = 32;
/// Attributes that are shown; the others are counted.
const SHOWN: usize = 4;
/// Deeper spans are not indented further.
const MAX_INDENT: usize = 24;

/// Attributes shown before all others, under a short name.
const KEY_ATTRIBUTES: &[(&str, &str)] = &[
    ("gen_ai.request.model", "model"),
    ("gen_ai.usage.input_tokens", "input_tokens"),
    ("gen_ai.usage.output_tokens", "output_tokens"),
    ("gen_ai.agent.name", "agent"),
    ("gen_ai.tool.name", "tool"),
    ("mcp.method.name", "method"),
    ("http.request.method", "method"),
    ("url.full", "url"),
    ("url.path", "path"),
    ("http.response.status_code", "status"),
    ("rpc.method", "method"),
    ("db.query.summary", "query"),
    ("db.system.name", "db"),
    ("messaging.destination.name", "destination"),
    ("server.address", "server"),
    ("error.type", "error"),
];

/// SGR parameters of a terminal.
mod sgr {
    pub(super) const BOLD: &str = "1";
    pub(super) const DIM: &str = "2";
    pub(super) const CYAN: &str = "36";
    pub(super) const RED: &str = "1;31";
}

/// Appends the tree of a trace, its header first and an empty line last.
pub(super) fn draw(out: &mut String, trace: &GatheredTrace, colour: bool) {
    let mut canvas = Canvas { out, colour };
    canvas.header(trace);
    let mut forest = Forest::new(&trace.spans);
    let mut stack: Vec<Node<'_>> = forest.tops.drain(..).rev().map(Node::top).collect();
    while let Some(node) = stack.pop() {
        // Taken out, so that spans which share an id do not both draw what is below it.
        let children = forest.children.remove(&node.span.context.span_id).unwrap_or_default();
        canvas.span(&node, !children.is_empty());
        let last = children.len().saturating_sub(1);
        let below = node.below();
        for (at, child) in children.into_iter().enumerate().rev() {
            stack.push(Node { span: child, is_top: false, is_last: at == last, prefix: below.clone() });
        }
    }
    canvas.out.push('\n');
}

/// A span and where it hangs.
struct Node<'a> {
    span: &'a SpanData,
    is_top: bool,
    is_last: bool,
    /// The lines of its ancestors that go on below it.
    prefix: String,
}

impl<'a> Node<'a> {
    fn top(span: &'a SpanData) -> Self {
        Self { span, is_top: true, is_last: true, prefix: String::new() }
    }

    /// The prefix of its children and of its own further lines.
    fn below(&self) -> String {
        if self.is_top || self.prefix.chars().count() >= 3 * MAX_INDENT {
            return self.prefix.clone();
        }
        format!("{}{}", self.prefix, if self.is_last { "   " } else { "│  " })
    }
}

/// The spans by parent, each list in order of start.
struct Forest<'a> {
    tops: Vec<&'a SpanData>,
    children: HashMap<SpanId, Vec<&'a SpanData>>,
}

impl<'a> Forest<'a> {
    fn new(spans: &'a [SpanData]) -> Self {
        let mut sorted: Vec<&SpanData> = spans.iter().collect();
        sorted.sort_by_key(|span| (span.start_unix_nanos, span.context.span_id));
        let by_id: HashMap<SpanId, &SpanData> =
            sorted.iter().map(|span| (span.context.span_id, *span)).collect();
        let mut forest = Self { tops: Vec::new(), children: HashMap::new() };
        for span in sorted {
            if by_id.contains_key(&span.parent_span_id) && !goes_round(span, &by_id) {
                forest.children.entry(span.parent_span_id).or_default().push(span);
            } else {
                forest.tops.push(span);
            }
        }
        forest
    }
}

/// Whether the parents of a span lead back to it.
fn goes_round(span: &SpanData, by_id: &HashMap<SpanId, &SpanData>) -> bool {
    let mut at = span;
    for _ in 0..=by_id.len() {
        match by_id.get(&at.parent_span_id) {
            Some(parent) if parent.context.span_id == span.context.span_id => return true,
            Some(parent) => at = parent,
            None => return false,
        }
    }
    // The chain ends in a circle that others make.
    false
}

struct Canvas<'a> {
    out: &'a mut String,
    colour: bool,
}

impl Canvas<'_> {
    fn paint(&mut self, style: &str, text: &str) {
        if self.colour {
            let _ = write!(self.out, "\u{1b}[{style}m{text}\u{1b}[0m");
        } else {
            self.out.push_str(text);
        }
    }

    fn header(&mut self, trace: &GatheredTrace) {
        let Some(first) = trace.spans.first() else { return };
        let mut parts = vec![format!("trace {}", first.context.trace_id)];
        let service = first.resource.attributes.iter().find(|(key, _)| key == "service.name");
        parts.extend(service.map(|(_, name)| preview(name, NAME)));
        let count = trace.spans.len();
        parts.push(if count == 1 { "1 span".to_owned() } else { format!("{count} spans") });
        let start = trace.spans.iter().map(|span| span.start_unix_nanos).min().unwrap_or(0);
        let end = trace.spans.iter().map(|span| span.end_unix_nanos).max().unwrap_or(0);
        parts.push(duration(end.saturating_sub(start)));
        if trace.continued {
            parts.push("continued".to_owned());
        }
        self.paint(sgr::DIM, &parts.join(" · "));
        match trace.spans.iter().filter(|span| span.status == StatusCode::Error).count() {
            0 => {}
            1 => self.paint(sgr::RED, " · 1 error"),
            errors => self.paint(sgr::RED, &format!(" · {errors} errors")),
        }
        self.out.push('\n');
    }

    fn span(&mut self, node: &Node<'_>, has_children: bool) {
        let span = node.span;
        if !node.is_top {
            let connector = if node.is_last { "└─ " } else { "├─ " };
            self.paint(sgr::DIM, &format!("{}{connector}", node.prefix));
        }
        let name = if span.name.is_empty() { "(no name)" } else { &span.name };
        self.paint(sgr::BOLD, &shorten(name, NAME));
        if let Some(kind) = kind(span) {
            self.out.push(' ');
            self.paint(sgr::CYAN, &format!("[{kind}]"));
        }
        if !span.flags.contains(SpanFlags::EVENT) {
            let _ =
                write!(self.out, " {}", duration(span.end_unix_nanos.saturating_sub(span.start_unix_nanos)));
        }
        if span.status == StatusCode::Error {
            self.out.push(' ');
            self.paint(sgr::RED, "ERROR");
            let reason = reason(span);
            if !reason.is_empty() {
                self.out.push(' ');
                self.paint(sgr::RED, &shorten(&reason, ERROR));
            }
        }
        let details = details(span);
        if !details.is_empty() {
            self.out.push_str("  ");
            self.paint(sgr::DIM, &details.join(" "));
        }
        self.out.push('\n');
        for (label, value) in [("in ", &span.input), ("out", &span.output)] {
            let Some(value) = value else { continue };
            let line = if has_children { "│ " } else { "  " };
            self.paint(sgr::DIM, &format!("{}{line} {label} ", node.below()));
            self.out.push_str(&preview(value, INPUT));
            self.out.push('\n');
        }
    }
}

/// What the span stands for, in a word.
fn kind(span: &SpanData) -> Option<&'static str> {
    match (span.span_type, span.kind) {
        (SpanType::Generic, SpanKind::Internal) => None,
        (SpanType::Generic, kind) => Some(kind.as_str()),
        (span_type, _) => Some(span_type.as_str()),
    }
}

/// Why the span failed: its exception if one was recorded, its status otherwise.
fn reason(span: &SpanData) -> String {
    let exception = span.events.iter().rev().find(|event| event.name == "exception");
    let text = |key: &str| {
        let attributes = exception.map(|event| &event.attributes[..]).unwrap_or_default();
        attributes
            .iter()
            .find(|(known, _)| known == key)
            .and_then(|(_, value)| value.as_str())
            .unwrap_or_default()
    };
    match (text("exception.type"), text("exception.message")) {
        ("", "") => span.status_message.clone(),
        (kind, "") if span.status_message.contains(kind) => span.status_message.clone(),
        (kind, "") => format!("{kind} {}", span.status_message).trim_end().to_owned(),
        ("", message) => message.to_owned(),
        (kind, message) => format!("{kind}: {message}"),
    }
}

/// The attributes worth a glance, and how much else there is.
fn details(span: &SpanData) -> Vec<String> {
    let find = |key: &str| span.attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value);
    let short = |name: &str, value: &Value<'_>| {
        let text = preview(value, ATTRIBUTE);
        if text.contains(' ') && value.as_str().is_some() {
            format!("{name}=\"{text}\"")
        } else {
            format!("{name}={text}")
        }
    };
    let known = KEY_ATTRIBUTES.iter().filter_map(|(key, name)| Some(short(name, find(key)?)));
    let others =
        span.attributes.iter().filter(|(key, _)| !KEY_ATTRIBUTES.iter().any(|(known, _)| known == key));
    let others = others.map(|(key, value)| short(&shorten(key, ATTRIBUTE), value));
    let mut details: Vec<String> = known.chain(others).take(SHOWN).collect();
    let more = span.attributes.len() - details.len();
    if more > 0 {
        details.push(format!("+{more}"));
    }
    let events = span.events.iter().filter(|event| event.name != "exception").count();
    for (count, one, many) in [(events, "event", "events"), (span.links.len(), "link", "links")] {
        match count {
            0 => {}
            1 => details.push(format!("1 {one}")),
            count => details.push(format!("{count} {many}")),
        }
    }
    details
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::context::SpanContext;
    use crate::frame::record::{EventData, LinkData, Resource};
    use crate::id::TraceId;

    fn span(id: u8, parent: u8, name: &str, start_ms: u64, end_ms: u64) -> SpanData {
        let attributes = vec![("service.name".to_owned(), Value::from("shop"))];
        SpanData {
            context: SpanContext {
                trace_id: TraceId::from_bytes([0xab; 16]),
                span_id: SpanId::from_bytes([id; 8]),
                ..SpanContext::default()
            },
            parent_span_id: SpanId::from_bytes([parent; 8]),
            name: name.to_owned(),
            start_unix_nanos: start_ms * 1_000_000,
            end_unix_nanos: end_ms * 1_000_000,
            resource: Arc::new(Resource { attributes, ..Resource::default() }),
            ..SpanData::default()
        }
    }

    fn attribute<'a>(key: &str, value: impl Into<Value<'a>>) -> (String, Value<'static>) {
        (key.to_owned(), value.into().into_owned())
    }

    fn drawn(spans: Vec<SpanData>, colour: bool) -> String {
        let mut out = String::new();
        draw(&mut out, &GatheredTrace { spans, continued: false }, colour);
        out
    }

    #[test]
    fn an_agents_trace() {
        let exception = EventData {
            name: "exception".to_owned(),
            attributes: vec![
                attribute("exception.type", "LookupError"),
                attribute("exception.message", "no order 7\nin any shop"),
            ],
            ..EventData::default()
        };
        let spans = vec![
            SpanData {
                span_type: SpanType::Tool,
                status: StatusCode::Error,
                events: vec![exception],
                input: Some(Value::from_iter([("order", 7)])),
                ..span(4, 3, "lookup", 30, 42)
            },
            SpanData {
                span_type: SpanType::ModelGeneration,
                attributes: vec![
                    attribute("custom", "long text with spaces and even more than fits here"),
                    attribute("gen_ai.usage.output_tokens", 5),
                    attribute("gen_ai.request.model", "m-1"),
                    attribute("other", true),
                    attribute("more", 1.5),
                ],
                events: vec![EventData::default()],
                output: Some(Value::from("I look it up.")),
                ..span(3, 1, "plan", 20, 832)
            },
            SpanData {
                kind: SpanKind::Client,
                links: vec![LinkData::default(); 2],
                ..span(5, 1, "GET", 900, 1234)
            },
            SpanData { flags: SpanFlags::EVENT, ..span(6, 5, "cached", 950, 950) },
            SpanData {
                span_type: SpanType::Agent,
                input: Some(Value::from("Where is\nmy order?")),
                output: Some(Value::from("Tomorrow.")),
                ..span(1, 0, "answer", 10, 1250)
            },
        ];
        let expected = "\
trace abababababababababababababababab · shop · 5 spans · 1.24 s · 1 error
answer [agent] 1.24 s
│  in  Where is\\nmy order?
│  out Tomorrow.
├─ plan [model_generation] 812 ms  model=m-1 output_tokens=5 custom=\"long text with spaces and even m…\" other=true +1 1 event
│  │  out I look it up.
│  └─ lookup [tool] 12.0 ms ERROR LookupError: no order 7\\nin any shop
│        in  {order: 7}
└─ GET [client] 334 ms  2 links
   └─ cached

";
        assert_eq!(drawn(spans, false), expected);
    }

    #[test]
    fn colours_surround_the_same_text() {
        let spans = || {
            let status_message = "bad".to_owned();
            vec![
                SpanData { status: StatusCode::Error, status_message, ..span(1, 0, "root", 0, 1) },
                SpanData { span_type: SpanType::Tool, ..span(2, 1, "leaf", 0, 1) },
            ]
        };
        let coloured = drawn(spans(), true);
        assert!(coloured.contains("\u{1b}[1;31mERROR\u{1b}[0m \u{1b}[1;31mbad\u{1b}[0m"));
        assert!(coloured.contains("\u{1b}[36m[tool]\u{1b}[0m"));
        let mut plain = coloured;
        for style in [sgr::BOLD, sgr::DIM, sgr::CYAN, sgr::RED, "0"] {
            plain = plain.replace(&format!("\u{1b}[{style}m"), "");
        }
        assert_eq!(plain, drawn(spans(), false));
    }

    #[test]
    fn orphans_circles_and_shared_ids_are_all_drawn_once() {
        let spans = vec![
            span(2, 9, "orphan", 1, 2),
            span(3, 4, "circle a", 2, 3),
            span(4, 3, "circle b", 3, 4),
            span(5, 5, "own parent", 4, 5),
            span(6, 4, "below a circle", 5, 6),
            span(7, 0, "twin", 6, 7),
            span(7, 0, "twin", 6, 7),
            span(8, 7, "child of a twin", 7, 8),
        ];
        let text = drawn(spans, false);
        for (name, times) in
            [("orphan", 1), ("circle a", 1), ("own", 1), ("below", 1), ("\ntwin ", 2), ("child", 1)]
        {
            assert_eq!(text.matches(name).count(), times, "{name}\n{text}");
        }
        assert!(text.contains("circle b 1.00 ms\n└─ below"), "{text}");
    }

    #[test]
    fn the_deepest_tree_stays_narrow() {
        let mut spans: Vec<_> = (0..500u64).map(|n| span(1, 0, "deep", n, 1000)).collect();
        for (n, span) in spans.iter_mut().enumerate() {
            span.context.span_id = SpanId::from_bytes((n as u64 + 1).to_be_bytes());
            span.parent_span_id = SpanId::from_bytes((n as u64).to_be_bytes());
        }
        let text = drawn(spans, false);
        assert_eq!(text.lines().count(), 502);
        assert!(text.lines().all(|line| line.chars().count() < 4 * MAX_INDENT));
    }

    #[test]
    fn hostile_names_cannot_drive_the_terminal() {
        let mut hostile = span(1, 0, "\u{1b}]0;title\u{7}", 5, 1);
        hostile.attributes = vec![attribute("\u{1b}[2J", "\u{1b}[H")];
        hostile.status = StatusCode::Error;
        hostile.status_message = "\u{9b}31m\n".to_owned();
        let text = drawn(vec![hostile], false);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        assert!(text.contains(" 0 ns"), "an end before the start is no duration");
    }
}
