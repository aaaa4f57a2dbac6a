//! A span under the names of OpenInference (`spec/semantic_conventions.md` of Arize-ai/openinference).
//!
//! It starts from the GenAI names, so spans of instrumentations that follow those are translated as well;
//! what OpenInference has no name for keeps the one it has.

use std::borrow::Cow;

use super::genai::{self, Collected, structured};
use super::messages::{self, Message, Part, Side, Source, messages};
use super::types::Content;
use super::wire::{Attributes, Wire, WireValue};
use super::{SPAN_TYPE, json};
use crate::frame::view::{SpanView, ValueView, text};
use crate::kinds::SpanType;

/// GenAI keys and what OpenInference calls them.
const RENAMED: &[(&str, &str)] = &[
    ("gen_ai.provider.name", "llm.provider"),
    ("gen_ai.response.model", "llm.response.model_name"),
    ("gen_ai.usage.input_tokens", "llm.token_count.prompt"),
    ("gen_ai.usage.output_tokens", "llm.token_count.completion"),
    ("gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"),
    ("gen_ai.usage.cache_write.input_tokens", "llm.token_count.prompt_details.cache_write"),
    ("gen_ai.usage.audio.input_tokens", "llm.token_count.prompt_details.audio"),
    ("gen_ai.usage.reasoning.output_tokens", "llm.token_count.completion_details.reasoning"),
    ("gen_ai.usage.audio.output_tokens", "llm.token_count.completion_details.audio"),
    ("gen_ai.tool.name", "tool.name"),
    ("gen_ai.tool.description", "tool.description"),
    ("gen_ai.tool.call.id", "tool.id"),
    ("gen_ai.agent.name", "agent.name"),
    ("gen_ai.evaluation.name", "evaluations.0.evaluation.name"),
    ("gen_ai.evaluation.score.value", "evaluations.0.evaluation.score"),
    ("gen_ai.evaluation.score.label", "evaluations.0.evaluation.label"),
    ("gen_ai.evaluation.explanation", "evaluations.0.evaluation.explanation"),
    ("gen_ai.tool.call.arguments", "input.value"),
    ("gen_ai.tool.call.result", "output.value"),
    ("gen_ai.input.messages", "input.value"),
    ("gen_ai.output.messages", "output.value"),
    ("gen_ai.retrieval.query.text", "input.value"),
    ("gen_ai.memory.query.text", "input.value"),
    ("gen_ai.memory.records", "output.value"),
];

/// Providers as the GenAI conventions and as OpenInference call them.
const PROVIDERS: &[(&str, &str)] = &[
    ("aws.bedrock", "aws"),
    ("azure.ai.openai", "azure"),
    ("azure.ai.inference", "azure"),
    ("gcp.gemini", "google"),
    ("gcp.vertex_ai", "google"),
    ("gcp.gen_ai", "google"),
    ("mistral_ai", "mistralai"),
    ("x_ai", "xai"),
    ("moonshot_ai", "moonshot"),
];

/// Who made the model, for providers that serve their own.
const SYSTEMS: &[(&str, &str)] = &[
    ("openai", "openai"),
    ("azure.ai.openai", "openai"),
    ("anthropic", "anthropic"),
    ("cohere", "cohere"),
    ("mistral_ai", "mistralai"),
    ("x_ai", "xai"),
    ("deepseek", "deepseek"),
    ("gcp.vertex_ai", "vertexai"),
    ("aws.bedrock", "amazon"),
];

/// Kinds of spans by their GenAI operation, for spans that have no type.
const OPERATIONS: &[(&str, &str)] = &[
    ("chat", "LLM"),
    ("generate_content", "LLM"),
    ("text_completion", "LLM"),
    ("embeddings", "EMBEDDING"),
    ("retrieval", "RETRIEVER"),
    ("search_memory", "RETRIEVER"),
    ("execute_tool", "TOOL"),
    ("invoke_agent", "AGENT"),
    ("create_agent", "AGENT"),
    ("invoke_workflow", "CHAIN"),
];

/// The span as it is sent.
pub(super) fn wire<'a>(span: &SpanView<'a>) -> Wire<'a> {
    let mut collected = Collected::of(span);
    collected.complete();
    let kind = kind(&collected);
    let name =
        if collected.name.is_empty() { collected.head.span_type.as_str().as_bytes() } else { collected.name };
    let mut out = Attributes::default();
    if let Some(kind) = kind {
        out.set_new("openinference.span.kind", WireValue::Static(kind));
    }
    let (name, span_kind) = (Cow::Borrowed(name), genai::kind(&collected.head));
    let Collected {
        head, info, attributes, input, output, metadata, tags, others, tools, instructions, ..
    } = collected;
    put_models(&mut out, kind, &attributes);
    put_attributes(&mut out, kind, attributes, tools.is_some());
    if let Some(tools) = tools {
        put_tools(&mut out, tools);
    }
    let chat = |content: Content| matches!(content, Content::Messages | Content::Chat);
    for (value, side) in [(input, Side::Input), (output, Side::Output)] {
        let Some(value) = value else { continue };
        put_value(&mut out, side, value);
        let wanted =
            info.is_some_and(|info| chat(if side == Side::Input { info.input } else { info.output }));
        if kind == Some("LLM")
            && wanted
            && let Some(read) = messages(value, side, true)
        {
            let system = instructions.filter(|_| side == Side::Input);
            put_messages(&mut out, side, &read, system);
        }
        if kind == Some("RETRIEVER") && side == Side::Output && out.get(FIRST_DOCUMENT).is_none() {
            put_documents(&mut out, value);
        }
    }
    if !metadata.is_empty() {
        let mut all = String::new();
        for (name, value) in metadata {
            all.push(if all.is_empty() { '{' } else { ',' });
            json::write_string(&mut all, &text(name));
            all.push(':');
            json::write_json(&mut all, value);
        }
        all.push('}');
        out.set_new("metadata", WireValue::Text(all));
    }
    if !tags.is_empty() {
        out.set_new("tag.tags", WireValue::Texts(tags.into_iter().map(ValueView::Str).collect()));
    }
    if head.span_type != SpanType::Generic {
        out.set_new(SPAN_TYPE, WireValue::Static(head.span_type.as_str()));
    }
    Wire { name, kind: span_kind, attributes: out.into_list(), others }
}

/// `openinference.span.kind`: by the type, by the GenAI operation, or a link in the chain if the span is
/// one of the application's own.
fn kind(collected: &Collected<'_>) -> Option<&'static str> {
    if collected.is_stepped() {
        return Some("CHAIN");
    }
    if let Some(info) = collected.info {
        let action = collected.attributes.text("polyspan.rag_action.action");
        let reranks = action.is_some_and(|action| &*action == b"rerank");
        return Some(if reranks { "RERANKER" } else { info.openinference });
    }
    if let Some(operation) = collected.attributes.text("gen_ai.operation.name") {
        let known = OPERATIONS.iter().find(|(known, _)| known.as_bytes() == &*operation);
        return known.map(|(_, kind)| *kind);
    }
    (collected.head.scope == 0).then_some("CHAIN")
}

/// The model that answered where it is known, else the one that was asked for.
fn put_models<'a>(out: &mut Attributes<'a>, kind: Option<&str>, attributes: &Attributes<'a>) {
    let requested = attributes.get("gen_ai.request.model");
    let Some(model) = attributes.get("gen_ai.response.model").or(requested) else { return };
    match kind {
        Some("EMBEDDING") => return out.set_new("embedding.model_name", model.clone()),
        Some("RERANKER") => return out.set_new("reranker.model_name", model.clone()),
        _ => out.set_new("llm.model_name", model.clone()),
    }
    if let (Some(requested), Some(_)) = (requested, attributes.get("gen_ai.response.model")) {
        out.set_new("llm.request.model_name", requested.clone());
    }
    if let Some(provider) = attributes.text("gen_ai.provider.name")
        && kind == Some("LLM")
        && let Some((_, system)) = SYSTEMS.iter().find(|(known, _)| known.as_bytes() == &*provider)
    {
        out.set_new("llm.system", WireValue::Static(system));
    }
}

fn put_attributes<'a>(
    out: &mut Attributes<'a>,
    kind: Option<&str>,
    attributes: Attributes<'a>,
    tools_read: bool,
) {
    let mut parameters = String::new();
    let mut total = [None, None];
    for (key, value) in attributes.into_list() {
        let name = text(&key).into_owned();
        match name.as_str() {
            "gen_ai.request.model" | "gen_ai.operation.name" => {}
            "gen_ai.response.model" if kind != Some("LLM") => {}
            "gen_ai.provider.name" if matches!(kind, Some("EMBEDDING" | "RERANKER" | "RETRIEVER")) => {
                out.set_owned(key, value);
            }
            "gen_ai.provider.name" => {
                let known = |name: &[u8]| PROVIDERS.iter().find(|(known, _)| known.as_bytes() == name);
                let given = value.view(&mut String::new()).and_then(|value| match value {
                    ValueView::Str(name) => known(name).map(|(_, provider)| *provider),
                    _ => None,
                });
                out.set_new("llm.provider", given.map_or(value, WireValue::Static));
            }
            "gen_ai.response.finish_reasons" => put_finish_reason(out, &value),
            "gen_ai.tool.definitions" if tools_read => {}
            "gen_ai.retrieval.documents" => {
                if let WireValue::Json(documents) | WireValue::View(documents) = value {
                    put_documents(out, documents);
                }
            }
            "gen_ai.retrieval.top_k" if kind == Some("RERANKER") => out.set_new("reranker.top_k", value),
            name => {
                if let Some(parameter) = name.strip_prefix("gen_ai.request.") {
                    put_parameter(&mut parameters, &parameter.replace('.', "_"), &value);
                    continue;
                }
                for (sum, counted) in
                    total.iter_mut().zip(["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"])
                {
                    if name == counted
                        && let Some(ValueView::I64(tokens)) = value.view(&mut String::new())
                    {
                        *sum = Some(tokens);
                    }
                }
                let messages = [("gen_ai.input.messages", "input"), ("gen_ai.output.messages", "output")];
                if let Some((_, side)) = messages.iter().find(|(known, _)| *known == name) {
                    out.set_new(format!("{side}.mime_type"), WireValue::Static("application/json"));
                }
                match RENAMED.iter().find(|(known, _)| *known == name) {
                    Some((_, renamed)) => out.set_new(*renamed, value),
                    None => out.set_owned(key, value),
                }
            }
        }
    }
    if let [Some(input), Some(output)] = total {
        out.set_new("llm.token_count.total", WireValue::Integer(input.saturating_add(output)));
    }
    if !parameters.is_empty() {
        parameters.push('}');
        let key = if kind == Some("EMBEDDING") {
            "embedding.invocation_parameters"
        } else {
            "llm.invocation_parameters"
        };
        out.set_new(key, WireValue::Text(parameters));
    }
}

fn put_finish_reason<'a>(out: &mut Attributes<'a>, value: &WireValue<'a>) {
    let first = match value {
        WireValue::Texts(reasons) => reasons.first().copied(),
        WireValue::View(ValueView::Array(reasons)) => reasons.values().next(),
        WireValue::View(one) => Some(*one),
        _ => None,
    };
    if let Some(reason) = first {
        out.set_new("llm.finish_reason", WireValue::View(reason));
    }
}

/// One more member of the request's parameters.
fn put_parameter(out: &mut String, name: &str, value: &WireValue<'_>) {
    out.push(if out.is_empty() { '{' } else { ',' });
    json::write_string(out, name);
    out.push(':');
    match value {
        WireValue::Texts(items) => {
            for (at, item) in items.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                json::write_json(out, *item);
            }
            out.push(']');
        }
        other => {
            let mut scratch = String::new();
            json::write_json(out, other.view(&mut scratch).unwrap_or(ValueView::Null));
        }
    }
}

/// `input.value` or `output.value` with its MIME type.
fn put_value<'a>(out: &mut Attributes<'a>, side: Side, value: ValueView<'a>) {
    let [key, kind] = match side {
        Side::Input => ["input.value", "input.mime_type"],
        Side::Output => ["output.value", "output.mime_type"],
    };
    let mime_type = match value {
        ValueView::Map(_) | ValueView::Array(_) => "application/json",
        _ => "text/plain",
    };
    out.set(key.as_bytes(), structured(value));
    out.set(kind.as_bytes(), WireValue::Static(mime_type));
}

fn put_tools<'a>(out: &mut Attributes<'a>, tools: ValueView<'a>) {
    let put = |out: &mut Attributes<'a>, at: usize, tool: ValueView<'a>| {
        out.push(format!("llm.tools.{at}.tool.json_schema"), structured(tool));
    };
    match tools {
        ValueView::Array(items) => items.values().enumerate().for_each(|(at, tool)| put(out, at, tool)),
        ValueView::Map(items) => items.entries().enumerate().for_each(|(at, (_, tool))| put(out, at, tool)),
        one => put(out, 0, one),
    }
}

fn put_documents<'a>(out: &mut Attributes<'a>, documents: ValueView<'a>) {
    let ValueView::Array(items) = documents else { return };
    for (at, document) in items.values().enumerate() {
        let key = |member: &str| format!("retrieval.documents.{at}.document.{member}");
        let ValueView::Map(members) = document else {
            out.push(key("content"), structured(document));
            continue;
        };
        for (member, names) in DOCUMENT {
            if let Some(value) = messages::member(members, names) {
                out.push(key(member), structured(value));
            }
        }
    }
}

/// There where documents were found among the attributes.
const FIRST_DOCUMENT: &str = "retrieval.documents.0.document.content";

/// Members of a document and what libraries call them.
const DOCUMENT: [(&str, &[&str]); 4] = [
    ("id", &["id"]),
    ("score", &["score"]),
    ("content", &["content", "text", "page_content"]),
    ("metadata", &["metadata"]),
];

/// Messages one attribute at a time, instructions first.
fn put_messages<'a>(
    out: &mut Attributes<'a>,
    side: Side,
    read: &[Message<'a>],
    instructions: Option<ValueView<'a>>,
) {
    let group = if side == Side::Input { "llm.input_messages" } else { "llm.output_messages" };
    let mut at = 0;
    if let Some(instructions) = instructions
        && read.first().is_none_or(|first| first.role != b"system")
    {
        out.push(format!("{group}.0.message.role"), WireValue::Static("system"));
        out.push(format!("{group}.0.message.content"), WireValue::Text(plain_text(instructions)));
        at = 1;
    }
    for message in read {
        let is_answer = |part: &&Part<'_>| matches!(part, Part::Answer { .. });
        if message.parts.iter().filter(is_answer).count() < 2 {
            put_message(out, &format!("{group}.{at}.message"), message);
            at += 1;
            continue;
        }
        // A message has room for one answer of a tool.
        for part in &message.parts {
            let alone = Message { parts: vec![*part], ..message.clone() };
            put_message(out, &format!("{group}.{at}.message"), &alone);
            at += 1;
        }
    }
}

/// Instructions as one text.
fn plain_text(instructions: ValueView<'_>) -> String {
    let parts: Vec<_> = match instructions {
        ValueView::Array(items) => items.values().collect(),
        one => vec![one],
    };
    let texts = parts.into_iter().filter_map(messages::text_of).map(text);
    texts.collect::<Vec<_>>().join("\n\n")
}

fn put_message<'a>(out: &mut Attributes<'a>, group: &str, message: &Message<'a>) {
    let string = |bytes: &'a [u8]| WireValue::View(ValueView::Str(bytes));
    out.push(format!("{group}.role"), string(message.role));
    let tool = message.parts.iter().find_map(|part| match part {
        Part::Answer { name, .. } => *name,
        _ => None,
    });
    if let Some(name) = message.name.or(tool) {
        out.push(format!("{group}.name"), string(name));
    }
    if let [Part::Text(content)] = message.parts[..] {
        return out.push(format!("{group}.content"), string(content));
    }
    let mut calls = 0;
    let mut contents = 0;
    for part in &message.parts {
        match *part {
            Part::Call { id, name, arguments } => {
                let call = format!("{group}.tool_calls.{calls}.tool_call");
                calls += 1;
                if let Some(id) = id {
                    out.push(format!("{call}.id"), string(id));
                }
                out.push(format!("{call}.function.name"), string(name));
                if let Some(arguments) = arguments {
                    let mut text = String::new();
                    messages::write_value(&mut text, arguments);
                    out.push(format!("{call}.function.arguments"), WireValue::Text(text));
                }
            }
            Part::Answer { id, result, .. } => {
                out.push(format!("{group}.content"), structured(result));
                if let Some(id) = id {
                    out.push(format!("{group}.tool_call_id"), string(id));
                }
            }
            Part::Text([]) => {}
            other => {
                put_content(out, &format!("{group}.contents.{contents}.message_content"), &other);
                contents += 1;
            }
        }
    }
}

fn put_content<'a>(out: &mut Attributes<'a>, group: &str, part: &Part<'a>) {
    let (kind, content): (&'static str, WireValue<'a>) = match *part {
        Part::Text(content) => ("text", WireValue::View(ValueView::Str(content))),
        Part::Reasoning(content) => ("reasoning", WireValue::View(ValueView::Str(content))),
        Part::Media { modality, mime_type, source } => {
            let place = match source {
                Source::Uri(place) | Source::File(place) => WireValue::View(ValueView::Str(place)),
                Source::Inline(data) => {
                    let mut url = format!("data:{};base64,", text(mime_type.unwrap_or(b"")));
                    match data {
                        ValueView::Bytes(bytes) => {
                            let mut encoded = String::new();
                            json::write_base64(&mut encoded, bytes);
                            url.push_str(encoded.trim_matches('"'));
                        }
                        ValueView::Str(encoded) => url.push_str(&text(encoded)),
                        _ => {}
                    }
                    WireValue::Text(url)
                }
            };
            let kind = if modality == "audio" { "audio" } else { "image" };
            out.push(format!("{group}.type"), WireValue::Static(kind));
            return out.push(format!("{group}.{kind}.{kind}.url"), place);
        }
        Part::Other(value) => ("text", structured(value)),
        Part::Call { .. } | Part::Answer { .. } => return,
    };
    out.push(format!("{group}.type"), WireValue::Static(kind));
    out.push(format!("{group}.text"), content);
}
