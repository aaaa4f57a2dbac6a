//! A span under the names of OpenTelemetry's GenAI conventions.
//!
//! [`Collected`] reads a record and brings every attribute to its newest name, whichever name and form the
//! application gave it; [`wire`] makes of that what is sent. [`super::openinference`] starts from the same.

mod plain;

use std::borrow::Cow;

use super::messages::{self, Side, messages, write_instructions, write_messages, write_tools};
use super::renames::{self, Change};
use super::time::seconds_after;
use super::types::{AttributeInfo, Content, Form, TypeInfo, info};
use super::usage::{Usage, tokens};
use super::{INPUT, METADATA_PREFIX, OUTPUT, SPAN_NAME, SPAN_TYPE, Sender, TAGS, Wire, json, last_values};
use crate::frame::view::{Field, Items, SpanView, ValueView, Walker, add_tag, text};
use crate::frame::write::Head;
use crate::kinds::{SpanFlags, SpanKind, SpanType, StatusCode};
use crate::semantics::wire::{Attributes, Room, WireValue};

const OPERATION: &str = "gen_ai.operation.name";
const MCP_METHOD: &str = "mcp.method.name";

/// A record read once, with its attributes under their newest names.
pub(super) struct Collected<'a> {
    pub(super) head: Head,
    pub(super) info: Option<&'static TypeInfo>,
    pub(super) name: &'a [u8],
    /// The name that the application gave, unless it only repeats the type.
    given_name: Option<&'a [u8]>,
    pub(super) attributes: Attributes<'a>,
    pub(super) input: Option<ValueView<'a>>,
    pub(super) output: Option<ValueView<'a>>,
    pub(super) metadata: Vec<(&'a [u8], ValueView<'a>)>,
    pub(super) tags: Vec<&'a [u8]>,
    /// What is the same under any names: events, links, status, tracestate, counts.
    pub(super) others: Vec<Field<'a>>,
    /// Tools and instructions as they were given.
    pub(super) tools: Option<ValueView<'a>>,
    pub(super) instructions: Option<ValueView<'a>>,
    /// Maps of counts, to be read once the provider is known.
    usage: Option<(Form, Items<'a>)>,
}

impl<'a> Collected<'a> {
    /// Reads a record.
    pub(super) fn of(span: &SpanView<'a>) -> Self {
        let mut collected = Self::new(span.head());
        collected.read(span, &mut Room::default(), None::<&mut NoSender>);
        collected
    }

    #[inline(always)]
    fn new(head: &Head) -> Self {
        Self {
            head: *head,
            info: info(head.span_type),
            name: &[],
            given_name: None,
            attributes: Attributes::default(),
            input: None,
            output: None,
            metadata: Vec::new(),
            tags: Vec::new(),
            others: Vec::new(),
            tools: None,
            instructions: None,
            usage: None,
        }
    }

    /// Reads a record. With a sender, what stays as it is goes there, and is not collected.
    #[inline(always)]
    fn read(&mut self, span: &SpanView<'a>, room: &mut Room, to: Option<&mut impl Sender<'a>>) {
        span.walk(&mut Collecting { collected: self, room, to });
        let name = Some(self.name).filter(|name| !name.is_empty());
        self.given_name = name.filter(|name| !self.head.span_type.is_called(name));
        if !self.metadata.is_empty() {
            last_values(&mut self.metadata);
        }
        if self.usage.is_some() {
            self.put_usage();
        }
        if self.is_stepped() {
            // What the calls below report as well must not be added up twice.
            self.attributes.rename("gen_ai.usage.", "polyspan.model_generation.usage.");
        }
    }

    /// One attribute as the application gave it.
    fn take(&mut self, name: &'a [u8], value: ValueView<'a>) {
        if let Some((key, change)) = renames::renamed(name) {
            return self.rename(key, change, value);
        }
        match self.info.filter(|_| !name.contains(&b'.')).and_then(|info| info.attribute(name)) {
            Some(known) => self.put(known, value),
            None => self.attributes.set(name, WireValue::View(value)),
        }
    }

    fn rename(&mut self, key: &'static str, change: Change, value: ValueView<'a>) {
        let side = if change == Change::Input { Side::Input } else { Side::Output };
        let value = match (change, value) {
            (Change::Provider, ValueView::Str(name)) => {
                WireValue::Text(renames::provider(&text(name)).into_owned())
            }
            (Change::List, one @ ValueView::Str(_)) => WireValue::Texts(vec![one]),
            (Change::OutputType, ValueView::Str(format)) if format.starts_with(b"json") => {
                WireValue::Text("json".to_owned())
            }
            (Change::Input | Change::Output, value) => match messages(value, side, true) {
                Some(read) => written(|out| write_messages(out, &read)),
                None => written(|out| messages::write_value(out, value)),
            },
            _ => WireValue::View(value),
        };
        self.attributes.set(key.as_bytes(), value);
    }

    /// An attribute of the type's own; null is as if it were not there.
    fn put(&mut self, known: &'static AttributeInfo, value: ValueView<'a>) {
        if matches!(value, ValueView::Null) {
            return;
        }
        let value = match (known.form, value) {
            (Form::Provider, ValueView::Str(name)) => {
                WireValue::Text(renames::provider(&text(name)).into_owned())
            }
            (Form::Texts, one @ ValueView::Str(_)) => WireValue::Texts(vec![one]),
            // Hosts without integers send doubles.
            (Form::Integer, value @ ValueView::F64(_)) => {
                tokens(value).map_or(WireValue::View(value), |whole| WireValue::Integer(whole as i64))
            }
            (Form::Number, ValueView::I64(number)) => WireValue::Number(number as f64),
            (Form::Tools, value) => {
                self.tools = Some(value);
                written(|out| write_tools(out, value))
            }
            (Form::Instructions, value) => {
                self.instructions = Some(value);
                written(|out| write_instructions(out, value))
            }
            (Form::FirstOutput, value) => match seconds_after(self.head.start_unix_nanos, value) {
                Some(seconds) => WireValue::Number(seconds),
                None => return,
            },
            (Form::Usage | Form::UsageBelow, ValueView::Map(items)) => {
                self.usage = Some((known.form, items));
                return;
            }
            (Form::Parameters, ValueView::Map(items)) => return self.put_parameters(known, items),
            (Form::Any, value) => structured(value),
            _ => WireValue::View(value),
        };
        self.attributes.set_owned(self.key(known), value);
    }

    /// The name of an attribute on the wire.
    fn key(&self, known: &AttributeInfo) -> Cow<'static, [u8]> {
        match known.key {
            Some(key) => Cow::Borrowed(key.as_bytes()),
            None => Cow::Owned(format!("polyspan.{}.{}", self.head.span_type, known.name).into_bytes()),
        }
    }

    /// Each parameter as if it had been given by itself; others stay together.
    fn put_parameters(&mut self, known: &AttributeInfo, items: Items<'a>) {
        let mut others = String::new();
        for (name, value) in items.entries() {
            match self.info.and_then(|info| info.attribute(name)) {
                Some(parameter) if parameter.key.is_some() => self.put(parameter, value),
                _ if matches!(value, ValueView::Null) => {}
                _ => {
                    others.push(if others.is_empty() { '{' } else { ',' });
                    json::write_string(&mut others, &text(name));
                    others.push(':');
                    json::write_json(&mut others, value);
                }
            }
        }
        if !others.is_empty() {
            others.push('}');
            self.attributes.set_owned(self.key(known), WireValue::Text(others));
        }
    }

    fn put_usage(&mut self) {
        let Some((form, items)) = self.usage.take() else { return };
        let anthropic =
            self.attributes.text("gen_ai.provider.name").is_some_and(|name| &*name == b"anthropic");
        let own = format!("polyspan.{}.usage.", self.head.span_type);
        let attributes = &mut self.attributes;
        let usage = Usage::read(items, anthropic, |name, value| {
            let key = format!("polyspan.usage.{}", text(name)).into_bytes();
            attributes.set_owned(Cow::Owned(key), structured(value));
        });
        for (count, tokens) in usage.counts() {
            let key = if form == Form::UsageBelow { format!("{own}{}", count.tail()) } else { count.key() };
            let tokens = WireValue::Integer(i64::try_from(tokens).unwrap_or(i64::MAX));
            self.attributes.set_new(key, tokens);
        }
    }

    /// Whether the calls that it is made of are spans of their own, which carry the usage.
    pub(super) fn is_stepped(&self) -> bool {
        is_stepped(&self.head)
    }

    /// The name where there is no operation to name it by.
    fn fallback_name(&self) -> &'a [u8] {
        if self.name.is_empty() { self.head.span_type.as_str().as_bytes() } else { self.name }
    }

    /// The operation, where the conventions have one for it.
    fn operation(&self) -> Option<&'static str> {
        if self.is_stepped() {
            return None;
        }
        let typed = |name: &str| {
            let key = format!("polyspan.{}.{name}", self.head.span_type);
            self.attributes.text(&key)
        };
        match self.head.span_type {
            SpanType::MemoryOperation => memory_operation(&typed("operation_type")?),
            SpanType::McpServerRequest => {
                (&*self.attributes.text(MCP_METHOD)? == b"tools/call").then_some("execute_tool")
            }
            _ => self.info?.operation,
        }
    }

    /// Fills in what follows from the type: operation, method, and the attribute that the name stands for.
    pub(super) fn complete(&mut self) {
        let Some(info) = self.info else { return };
        if self.head.span_type == SpanType::McpTool {
            self.attributes.set_new(MCP_METHOD, WireValue::Static("tools/call"));
        }
        self.complete_target();
        if let Some(operation) = self.operation() {
            self.attributes.set_new(OPERATION, WireValue::Static(operation));
        }
        if let (Some(key), Some(given)) = (info.name_is, self.given_name) {
            let operation = self.attributes.text(OPERATION).unwrap_or_default();
            let name = bare(&operation, given);
            self.attributes.set_new(key, WireValue::View(ValueView::Str(name)));
        }
        if self.head.status == StatusCode::Error {
            self.attributes.set_new("error.type", WireValue::Static("_OTHER"));
        }
    }

    /// What a request to a server of the Model Context Protocol is about.
    fn complete_target(&mut self) {
        if self.head.span_type != SpanType::McpServerRequest {
            return;
        }
        let key = "polyspan.mcp_server_request.target_name";
        let Some(target) = self.attributes.text(key).map(Cow::into_owned) else { return };
        let known = match self.attributes.text(MCP_METHOD).as_deref() {
            Some(b"tools/call") => "gen_ai.tool.name",
            Some(b"prompts/get") => "gen_ai.prompt.name",
            _ => return,
        };
        self.attributes.remove(key);
        self.attributes.set_new(known, WireValue::Text(text(&target).into_owned()));
    }
}

/// A record that is being read.
struct Collecting<'c, 'a, S> {
    collected: &'c mut Collected<'a>,
    room: &'c mut Room,
    /// Where what stays as it is goes at once.
    to: Option<&'c mut S>,
}

impl<'a, S: Sender<'a>> Walker<'a> for Collecting<'_, 'a, S> {
    #[inline(always)]
    fn attribute(&mut self, name: &'a [u8], value: ValueView<'a>) {
        match &mut self.to {
            Some(to) if is_foreign(name) => to.attribute(name, value),
            _ => {
                self.collected.attributes.open(self.room);
                self.collected.take(name, value);
            }
        }
    }

    #[inline(always)]
    fn field(&mut self, field: Field<'a>) {
        let Self { collected, to, .. } = self;
        match field {
            Field::Attribute(name, value) => self.attribute(name, value),
            Field::Name(name) => collected.name = name,
            Field::Input(value) => collected.input = Some(value),
            Field::Output(value) => collected.output = Some(value),
            Field::Tag(tag) => add_tag(&mut collected.tags, tag),
            Field::Metadata(name, value) => collected.metadata.push((name, value)),
            Field::Skipped => {}
            other => match to {
                Some(to) => to.field(other),
                None => collected.others.push(other),
            },
        }
    }
}

/// Where the names begin that conventions or we give: every other name stays as it is, and meets none of them.
const NAMESPACES: [&[u8]; 9] = [
    b"gen_ai.",
    b"polyspan.",
    b"mcp.",
    b"openai.",
    b"error.",
    b"server.",
    b"client.",
    b"network.",
    b"jsonrpc.",
];

/// Whether an attribute's name is none that conventions, libraries ahead of them or span types have.
#[inline(always)]
fn is_foreign(name: &[u8]) -> bool {
    // By the first letter nearly all are told; a name of a type's own has no dot.
    let known =
        name.first().is_some_and(|first| FIRST_LETTERS >> (first & 31) & 1 == 1) && is_in_namespace(name);
    !known && has_dot(name)
}

#[inline(never)]
fn is_in_namespace(name: &[u8]) -> bool {
    NAMESPACES.iter().any(|space| name.starts_with(space))
}

/// Whether there is a dot, told of eight bytes at once: names are too short for a search that prepares itself.
#[inline(always)]
fn has_dot(name: &[u8]) -> bool {
    match (name.first_chunk(), name.last_chunk()) {
        // As long as most names are, two words are the whole.
        (Some(first), Some(last)) if name.len() <= 16 => word_has_dot(first) || word_has_dot(last),
        _ => any_has_dot(name),
    }
}

#[inline(always)]
fn word_has_dot(word: &[u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 0xff;
    let dots_are_zero = u64::from_le_bytes(*word) ^ (ONES * b'.' as u64);
    dots_are_zero.wrapping_sub(ONES) & !dots_are_zero & (ONES << 7) != 0
}

#[inline(never)]
fn any_has_dot(name: &[u8]) -> bool {
    let (words, rest) = name.as_chunks();
    words.iter().any(word_has_dot) || rest.contains(&b'.')
}

/// A bit for the first letter of each namespace.
const FIRST_LETTERS: u32 = {
    let mut letters = 0;
    let mut spaces: &[&[u8]] = &NAMESPACES;
    while let [space, others @ ..] = spaces {
        if let [first, ..] = space {
            letters |= 1 << (*first & 31);
        }
        spaces = others;
    }
    letters
};

fn is_stepped(head: &Head) -> bool {
    head.span_type == SpanType::ModelGeneration && head.flags.contains(SpanFlags::STEPPED)
}

/// The span kind: what the application said, or else what the type has.
pub(super) fn kind(head: &Head) -> SpanKind {
    if head.kind != SpanKind::Internal || head.flags.contains(SpanFlags::KIND_GIVEN) || is_stepped(head) {
        return head.kind;
    }
    info(head.span_type).map_or(SpanKind::Internal, |info| info.kind)
}

/// The operation on memory that an application calls so.
pub(super) fn memory_operation(given: &[u8]) -> Option<&'static str> {
    match given {
        b"recall" => Some("search_memory"),
        b"save" => Some("upsert_memory"),
        b"update" => Some("update_memory"),
        b"delete" => Some("delete_memory"),
        _ => None,
    }
}

/// The span as it is sent.
pub(super) fn wire<'a>(span: &SpanView<'a>) -> Wire<'a> {
    finished(Collected::of(span), &mut Room::default())
}

/// See [`super::send`].
#[inline(always)]
pub(super) fn send<'a>(span: &SpanView<'a>, room: &mut Room, to: &mut impl Sender<'a>) -> Option<Wire<'a>> {
    let mut collected = Collected::new(span.head());
    collected.read(span, room, Some(to));
    if plain::send(&collected, to) { None } else { Some(finished(collected, room)) }
}

/// Where nothing is sent.
enum NoSender {}

impl<'a> Sender<'a> for NoSender {
    fn attribute(&mut self, _: &'a [u8], _: ValueView<'a>) {}
    fn field(&mut self, _: Field<'a>) {}
    fn name(&mut self, _: &'a [u8], _: &'a [u8]) {}
    fn add(&mut self, _: &'static str, _: WireValue<'a>) {}
}

fn finished<'a>(mut collected: Collected<'a>, room: &mut Room) -> Wire<'a> {
    collected.attributes.open(room);
    collected.complete();
    let name = name(&mut collected, room);
    let kind = kind(&collected.head);
    let Collected { head, info, mut attributes, input, output, metadata, tags, others, .. } = collected;
    for (value, side) in [(input, Side::Input), (output, Side::Output)] {
        if let Some(value) = value {
            put_content(&mut attributes, info, value, side);
        }
    }
    if head.span_type != SpanType::Generic {
        attributes.set(SPAN_TYPE.as_bytes(), WireValue::Static(head.span_type.as_str()));
    }
    for (name, value) in metadata {
        let key = format!("{METADATA_PREFIX}{}", text(name));
        attributes.push(key, structured(value));
    }
    if !tags.is_empty() {
        attributes.set(TAGS.as_bytes(), WireValue::Texts(tags.into_iter().map(ValueView::Str).collect()));
    }
    Wire { name, kind, attributes: attributes.into_list(), others }
}

/// The name on the wire: the operation and what it works with. What the application called it stays as an
/// attribute where the name does not tell.
fn name<'a>(collected: &mut Collected<'a>, room: &mut Room) -> Cow<'a, [u8]> {
    let given = collected.given_name;
    let mcp = matches!(collected.head.span_type, SpanType::McpTool | SpanType::McpServerRequest);
    let operation = collected.attributes.text(if mcp { MCP_METHOD } else { OPERATION });
    let (Some(operation), Some(info)) = (operation, collected.info) else {
        return Cow::Borrowed(collected.fallback_name());
    };
    let subject = info.subject.iter().find_map(|key| collected.attributes.text(key)).unwrap_or_default();
    let mut name = room.name();
    name.reserve(operation.len() + 1 + subject.len());
    name.extend_from_slice(&operation);
    if !subject.is_empty() {
        name.push(b' ');
        name.extend_from_slice(&subject);
    }
    if let Some(given) = given
        && *subject != *given
        && name != given
    {
        collected.attributes.set(SPAN_NAME.as_bytes(), WireValue::View(ValueView::Str(given)));
    }
    Cow::Owned(name)
}

/// What a name says besides the operation that it may begin with.
fn bare<'a>(operation: &[u8], given: &'a [u8]) -> &'a [u8] {
    let rest = given.strip_prefix(operation).and_then(|rest| rest.strip_prefix(b" "));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(given)
}

/// What the type makes of an input or output, the name of ours for it, and that of its messages.
fn content_of(info: Option<&TypeInfo>, side: Side) -> (Content, &'static str, &'static str) {
    let (content, own, messages) = match side {
        Side::Input => (info.map(|info| info.input), INPUT, "gen_ai.input.messages"),
        Side::Output => (info.map(|info| info.output), OUTPUT, "gen_ai.output.messages"),
    };
    (content.unwrap_or(Content::Own), own, messages)
}

/// The attribute that an input or output becomes; `None` where its form must be looked at.
#[inline]
fn scalar_content<'a>(
    info: Option<&TypeInfo>,
    value: ValueView<'a>,
    side: Side,
) -> Option<(&'static str, WireValue<'a>)> {
    let (content, own, known) = content_of(info, side);
    let key = match (content, value) {
        (_, ValueView::Array(_) | ValueView::Map(_)) => return None,
        (Content::Messages, ValueView::Str(content)) => {
            let role = if side == Side::Input { "user" } else { "assistant" };
            return Some((known, WireValue::Message { role, content }));
        }
        (Content::Messages | Content::Chat, _) => return None,
        (Content::Key(key), _) | (Content::Text(key), ValueView::Str(_)) => key,
        _ => own,
    };
    Some((key, WireValue::View(value)))
}

fn put_content<'a>(
    attributes: &mut Attributes<'a>,
    info: Option<&TypeInfo>,
    value: ValueView<'a>,
    side: Side,
) {
    let (content, own, known) = content_of(info, side);
    let named = scalar_content(info, value, side).or_else(|| match (content, value) {
        (content @ (Content::Messages | Content::Chat), value) => {
            messages(value, side, content == Content::Messages).map(|read| {
                let finished: Vec<_> = read.iter().filter_map(|message| message.finish_reason).collect();
                if side == Side::Output && !finished.is_empty() {
                    let reasons = finished.into_iter().map(ValueView::Str).collect();
                    attributes.set_new("gen_ai.response.finish_reasons", WireValue::Texts(reasons));
                }
                (known, written(|out| write_messages(out, &read)))
            })
        }
        (Content::Key(key), value) => Some((key, structured(value))),
        (Content::List(key), ValueView::Array(_)) => Some((key, structured(value))),
        _ => None,
    });
    // What the application said by an attribute is not overwritten, and the value not lost.
    match named.filter(|(key, _)| attributes.get(key).is_none()) {
        Some((key, value)) => attributes.set(key.as_bytes(), value),
        None => attributes.set(own.as_bytes(), structured(value)),
    }
}

/// Scalars as they are, structures as JSON text.
pub(super) fn structured(value: ValueView<'_>) -> WireValue<'_> {
    match value {
        ValueView::Array(_) | ValueView::Map(_) => WireValue::Json(value),
        scalar => WireValue::View(scalar),
    }
}

fn written<'a>(write: impl FnOnce(&mut String)) -> WireValue<'a> {
    let mut out = String::new();
    write(&mut out);
    WireValue::Text(out)
}

#[cfg(test)]
mod tests {
    use super::super::types::all;
    use super::*;

    #[test]
    fn no_name_that_means_something_is_foreign() {
        let content = |content: Content| match content {
            Content::Key(key) | Content::Text(key) | Content::List(key) => Some(key),
            Content::Own | Content::Messages | Content::Chat => None,
        };
        for info in all() {
            let mut names: Vec<&str> = info.subject.to_vec();
            names.extend(info.name_is);
            names.extend(content(info.input));
            names.extend(content(info.output));
            names.extend(info.all_attributes().flat_map(|known| [Some(known.name), known.key]).flatten());
            for name in names {
                assert!(!is_foreign(name.as_bytes()), "{name}");
            }
        }
        for (old, new, _) in renames::RENAMED {
            assert!(!is_foreign(old.as_bytes()) && !is_foreign(new.as_bytes()), "{old}");
        }
        for ours in [OPERATION, MCP_METHOD, SPAN_TYPE, SPAN_NAME, INPUT, OUTPUT, METADATA_PREFIX, TAGS] {
            assert!(!is_foreign(ours.as_bytes()), "{ours}");
        }
        assert!(is_foreign(b"agent.request") && is_foreign(b"http.route"));
    }
}
