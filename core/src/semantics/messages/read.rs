//! Reading messages in the forms of the libraries that are in use: OpenAI's chat and responses, Anthropic,
//! Gemini, the AI SDK, LangChain, and the conventions' own.

use super::{Message, Part, Source};
use crate::frame::view::{Items, ValueView};

/// Whose messages they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// What the model is given.
    Input,
    /// What it answers.
    Output,
}

impl Side {
    const fn role(self) -> &'static [u8] {
        match self {
            Self::Input => b"user",
            Self::Output => b"assistant",
        }
    }
}

/// The messages that a value holds; none if any of it is in a form that is not known. `alone` says whether
/// mere text is a message.
pub(crate) fn messages(value: ValueView<'_>, side: Side, alone: bool) -> Option<Vec<Message<'_>>> {
    match value {
        ValueView::Str(content) if alone => Some(vec![plain(side.role(), content)]),
        ValueView::Array(items) => from_list(items, side),
        ValueView::Map(items) => from_map(items, side),
        _ => None,
    }
}

fn plain<'a>(role: &'a [u8], content: &'a [u8]) -> Message<'a> {
    Message { role, name: None, parts: vec![Part::Text(content)], finish_reason: None }
}

fn from_list<'a>(items: Items<'a>, side: Side) -> Option<Vec<Message<'a>>> {
    if items.is_empty() {
        return None;
    }
    let read: Option<Vec<_>> = items.values().map(|item| message(item)).collect();
    read.or_else(|| {
        // The parts of one message, as Anthropic answers.
        let parts: Option<Vec<_>> = items.values().map(typed_part).collect();
        Some(vec![Message { role: side.role(), name: None, parts: parts?, finish_reason: None }])
    })
}

/// A request or an answer as a whole, or one message.
fn from_map<'a>(items: Items<'a>, side: Side) -> Option<Vec<Message<'a>>> {
    if let Some(one) = message(ValueView::Map(items)) {
        return Some(vec![one]);
    }
    if let Some(choices) = list(items, &["choices", "candidates"]) {
        return choices.values().map(|choice| answer(choice, side)).collect();
    }
    if let Some(listed) = list(items, &["messages", "input", "output", "contents", "prompt"]) {
        let mut read = from_list(listed, side)?;
        if let Some(system) = get(items, &["system", "instructions", "systemInstruction"]).and_then(text_of) {
            read.insert(0, plain(b"system", system));
        }
        return Some(read);
    }
    if side == Side::Input {
        return Some(vec![plain(side.role(), string(items, &["prompt"])?)]);
    }
    let mut parts = Vec::new();
    parts.extend(string(items, &["reasoning", "reasoningText"]).map(Part::Reasoning));
    parts.extend(string(items, &["text", "output_text"]).filter(|text| !text.is_empty()).map(Part::Text));
    push_calls(items, &mut parts)?;
    let finish_reason = string(items, &["finishReason", "finish_reason"]);
    (!parts.is_empty()).then(|| vec![Message { role: side.role(), name: None, parts, finish_reason }])
}

/// One of several answers: OpenAI's `choices`, Gemini's `candidates`.
fn answer<'a>(choice: ValueView<'a>, side: Side) -> Option<Message<'a>> {
    let ValueView::Map(items) = choice else { return None };
    let finish_reason = string(items, &["finish_reason", "finishReason"]);
    let inner = match get(items, &["message", "delta", "content"]) {
        Some(inner) => message(inner)?,
        None => plain(side.role(), string(items, &["text"])?),
    };
    Some(Message { finish_reason, ..inner })
}

/// One message, or an item of OpenAI's responses that stands for one.
fn message<'a>(value: ValueView<'a>) -> Option<Message<'a>> {
    let ValueView::Map(items) = value else { return None };
    let kind = string(items, &["type"]).unwrap_or(b"");
    let Some(given) = string(items, &["role"]).or(match kind {
        // LangChain's messages, and those that stand in a `content` of their own.
        b"human" | b"ai" | b"system" | b"tool" => Some(kind),
        _ => None,
    }) else {
        return item(value, kind);
    };
    let mut role: &[u8] = match given {
        b"human" => b"user",
        b"ai" | b"model" => b"assistant",
        b"developer" => b"system",
        b"function" => b"tool",
        other => other,
    };
    let mut parts = Vec::new();
    parts.extend(string(items, &["reasoning_content"]).map(Part::Reasoning));
    let content = get(items, &["parts", "content"]).unwrap_or(ValueView::Null);
    if role == b"tool" && !has_typed_parts(content) {
        let id = string(items, &["tool_call_id", "toolCallId"]);
        parts.push(Part::Answer { id, name: string(items, &["name"]), result: content });
    } else {
        push_content(content, &mut parts)?;
        push_calls(items, &mut parts)?;
    }
    if role == b"user" && !parts.is_empty() && parts.iter().all(|part| matches!(part, Part::Answer { .. })) {
        role = b"tool";
    }
    let finish_reason = string(items, &["finish_reason", "stop_reason"]);
    Some(Message { role, name: string(items, &["name"]), parts, finish_reason })
}

fn item<'a>(value: ValueView<'a>, kind: &[u8]) -> Option<Message<'a>> {
    let role: &[u8] = match kind {
        b"function_call" | b"reasoning" => b"assistant",
        b"function_call_output" => b"tool",
        _ => return None,
    };
    Some(Message { role, name: None, parts: vec![typed_part(value)?], finish_reason: None })
}

fn has_typed_parts(content: ValueView<'_>) -> bool {
    let ValueView::Array(items) = content else { return false };
    !items.is_empty() && items.values().all(|item| matches!(typed_part(item), Some(Part::Answer { .. })))
}

fn push_content<'a>(content: ValueView<'a>, parts: &mut Vec<Part<'a>>) -> Option<()> {
    match content {
        ValueView::Null => {}
        ValueView::Str(content) => parts.push(Part::Text(content)),
        ValueView::Array(items) => {
            for item in items.values() {
                parts.push(match item {
                    ValueView::Str(content) => Part::Text(content),
                    other => typed_part(other)?,
                });
            }
        }
        other => parts.push(typed_part(other)?),
    }
    Some(())
}

/// The calls that stand beside the content.
fn push_calls<'a>(items: Items<'a>, parts: &mut Vec<Part<'a>>) -> Option<()> {
    if let Some(calls) = list(items, &["tool_calls", "toolCalls"]) {
        for call in calls.values() {
            let ValueView::Map(call) = call else { return None };
            parts.push(self::call(call)?);
        }
    }
    if let Some(ValueView::Map(call)) = get(items, &["function_call"]) {
        parts.push(self::call(call)?);
    }
    Some(())
}

fn call(items: Items<'_>) -> Option<Part<'_>> {
    let inner = match get(items, &["function"]) {
        Some(ValueView::Map(inner)) => inner,
        _ => items,
    };
    Some(Part::Call {
        id: string(items, &["id", "toolCallId", "tool_call_id", "call_id"]),
        name: string(inner, &["name", "toolName", "tool_name"])?,
        arguments: get(inner, &["arguments", "args", "input"]),
    })
}

/// A part that says what it is.
fn typed_part(value: ValueView<'_>) -> Option<Part<'_>> {
    let ValueView::Map(items) = value else { return None };
    let Some(kind) = string(items, &["type"]) else { return gemini_part(items) };
    let called = string(items, &["id", "toolCallId", "tool_use_id", "tool_call_id"]);
    Some(match kind {
        b"text" | b"input_text" | b"output_text" => Part::Text(string(items, &["text", "content"])?),
        b"reasoning" | b"thinking" => Part::Reasoning(thought(items)?),
        b"tool_call" | b"tool-call" | b"tool_use" | b"server_tool_use" => call(items)?,
        b"function_call" => {
            let Part::Call { id, name, arguments } = call(items)? else { return None };
            Part::Call { id: string(items, &["call_id"]).or(id), name, arguments }
        }
        b"tool_call_response" | b"tool-result" | b"tool_result" | b"function_call_output" => Part::Answer {
            id: string(items, &["call_id"]).or(called),
            name: string(items, &["toolName", "name"]),
            result: get(items, &["response", "result", "output", "content"])?,
        },
        b"image_url" | b"image" | b"input_image" => {
            media(items, "image", &["image_url", "image", "url", "source", "data"])?
        }
        b"input_audio" | b"audio" => {
            media(items, "audio", &["input_audio", "audio", "url", "source", "data"])?
        }
        b"video" => media(items, "video", &["video", "url", "source", "data"])?,
        b"file" | b"input_file" | b"document" => {
            media(items, "document", &["file_id", "file", "file_url", "url", "source", "data"])?
        }
        b"blob" | b"uri" => {
            let modality = match string(items, &["modality"]) {
                Some(b"audio") => "audio",
                Some(b"video") => "video",
                Some(b"document") => "document",
                _ => "image",
            };
            media(items, modality, &["uri", "content"])?
        }
        _ => Part::Other(value),
    })
}

/// Gemini's parts name what they are by their only member.
fn gemini_part(items: Items<'_>) -> Option<Part<'_>> {
    if let Some(content) = string(items, &["text"]) {
        return Some(match get(items, &["thought"]) {
            Some(ValueView::Bool(true)) => Part::Reasoning(content),
            _ => Part::Text(content),
        });
    }
    let inner = |names: &[&str]| match get(items, names) {
        Some(ValueView::Map(inner)) => Some(inner),
        _ => None,
    };
    if let Some(called) = inner(&["functionCall", "function_call"]) {
        return call(called);
    }
    if let Some(answered) = inner(&["functionResponse", "function_response"]) {
        let (id, name) = (string(answered, &["id"]), string(answered, &["name"]));
        return Some(Part::Answer { id, name, result: get(answered, &["response"])? });
    }
    let data = inner(&["inlineData", "inline_data", "fileData", "file_data"])?;
    let mime_type = string(data, &["mimeType", "mime_type"]);
    let modality = modality_of(mime_type.unwrap_or(b""));
    let source = match string(data, &["fileUri", "file_uri"]) {
        Some(place) => Source::Uri(place),
        None => Source::Inline(get(data, &["data"])?),
    };
    Some(Part::Media { modality, mime_type, source })
}

fn thought(items: Items<'_>) -> Option<&[u8]> {
    if let Some(content) = string(items, &["text", "thinking", "content"]) {
        return Some(content);
    }
    let summary = list(items, &["summary", "content"])?;
    Some(summary.values().next().and_then(text_of).unwrap_or(b""))
}

fn media<'a>(items: Items<'a>, modality: &'static str, names: &[&str]) -> Option<Part<'a>> {
    let given = get(items, names)?;
    let mut mime_type = string(items, &["mime_type", "mimeType", "mediaType", "media_type"]);
    let source = match given {
        ValueView::Map(inner) => {
            mime_type = mime_type.or_else(|| string(inner, &["media_type", "mime_type", "mimeType"]));
            match string(inner, &["url", "uri", "file_url"]) {
                Some(place) => place_of(place, &mut mime_type),
                None => match string(inner, &["file_id", "id"]) {
                    Some(file) => Source::File(file),
                    None => Source::Inline(get(inner, &["data", "file_data"])?),
                },
            }
        }
        ValueView::Str(place) if string(items, &["file_id"]) == Some(place) => Source::File(place),
        ValueView::Str(place) if place.starts_with(b"data:") || is_uri(place) => {
            place_of(place, &mut mime_type)
        }
        data @ (ValueView::Str(_) | ValueView::Bytes(_)) => Source::Inline(data),
        _ => return None,
    };
    let modality = match mime_type {
        Some(mime_type) if modality == "document" => modality_of(mime_type),
        _ => modality,
    };
    Some(Part::Media { modality, mime_type, source })
}

/// A URL, or the data that stands in a `data:` URL.
fn place_of<'a>(place: &'a [u8], mime_type: &mut Option<&'a [u8]>) -> Source<'a> {
    let Some(rest) = place.strip_prefix(b"data:") else { return Source::Uri(place) };
    let Some(comma) = rest.iter().position(|byte| *byte == b',') else { return Source::Uri(place) };
    let (head, data) = rest.split_at(comma);
    let Some(kind) = head.strip_suffix(b";base64") else { return Source::Uri(place) };
    if !kind.is_empty() {
        *mime_type = Some(kind);
    }
    Source::Inline(ValueView::Str(data.get(1..).unwrap_or(&[])))
}

fn is_uri(text: &[u8]) -> bool {
    let scheme = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    scheme > 0 && text.get(scheme..).is_some_and(|rest| rest.starts_with(b"://"))
}

fn modality_of(mime_type: &[u8]) -> &'static str {
    [("image/", "image"), ("audio/", "audio"), ("video/", "video")]
        .into_iter()
        .find(|(prefix, _)| mime_type.starts_with(prefix.as_bytes()))
        .map_or("document", |(_, modality)| modality)
}

/// The text that a value is, or that it holds as a part.
pub(crate) fn text_of(value: ValueView<'_>) -> Option<&[u8]> {
    match value {
        ValueView::Str(content) => Some(content),
        ValueView::Map(items) => string(items, &["text", "content"])
            .or_else(|| list(items, &["parts"])?.values().next().and_then(text_of)),
        _ => None,
    }
}

/// The value of the first of these names that is there and not null; of a repeated name the last counts.
pub(crate) fn get<'a>(items: Items<'a>, names: &[&str]) -> Option<ValueView<'a>> {
    let mut found: Option<(usize, ValueView<'a>)> = None;
    for (name, value) in items.entries() {
        if let Some(at) = names.iter().position(|known| known.as_bytes() == name)
            && !matches!(value, ValueView::Null)
            && found.is_none_or(|(before, _)| at <= before)
        {
            found = Some((at, value));
        }
    }
    found.map(|(_, value)| value)
}

/// The first of these members that is text.
pub(super) fn string<'a>(items: Items<'a>, names: &[&str]) -> Option<&'a [u8]> {
    match get(items, names)? {
        ValueView::Str(text) => Some(text),
        _ => None,
    }
}

/// The first of these members, if it is a list.
fn list<'a>(items: Items<'a>, names: &[&str]) -> Option<Items<'a>> {
    match get(items, names)? {
        ValueView::Array(list) => Some(list),
        _ => None,
    }
}
