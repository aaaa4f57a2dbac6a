//! Chat messages: whatever form a library gives them, read into one and written as the GenAI conventions
//! have it (`gen-ai-input-messages.json`, `gen-ai-output-messages.json`).

mod read;

use super::check::is_json_object;
use super::json;
use crate::frame::view::{ValueView, text};

pub(crate) use read::{Side, get as member, messages, text_of};

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Message<'a> {
    /// `system`, `user`, `assistant`, `tool`, or what the library says.
    pub(crate) role: &'a [u8],
    /// The name of who speaks.
    pub(crate) name: Option<&'a [u8]>,
    /// What it is made of, in order.
    pub(crate) parts: Vec<Part<'a>>,
    /// Why the model stopped after it.
    pub(crate) finish_reason: Option<&'a [u8]>,
}

/// A part of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    /// Text.
    Text(&'a [u8]),
    /// What the model thought.
    Reasoning(&'a [u8]),
    /// A call of a tool that the model asks for.
    Call {
        /// Its id.
        id: Option<&'a [u8]>,
        /// The tool.
        name: &'a [u8],
        /// What it is given.
        arguments: Option<ValueView<'a>>,
    },
    /// What a tool answered.
    Answer {
        /// The id of the call.
        id: Option<&'a [u8]>,
        /// The tool.
        name: Option<&'a [u8]>,
        /// What it gave.
        result: ValueView<'a>,
    },
    /// An image, sound, video or document.
    Media {
        /// `image`, `audio`, `video` or `document`.
        modality: &'a str,
        /// Its MIME type.
        mime_type: Option<&'a [u8]>,
        /// Where it is.
        source: Source<'a>,
    },
    /// A part that only its library knows; a map with a `type`.
    Other(ValueView<'a>),
}

/// Where the data of a part is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// In the message, in base64 if it is text.
    Inline(ValueView<'a>),
    /// At this address.
    Uri(&'a [u8]),
    /// In a file that the provider keeps.
    File(&'a [u8]),
}

/// Appends the messages as the JSON text of `gen_ai.input.messages` or `gen_ai.output.messages`.
pub(crate) fn write_messages(out: &mut String, messages: &[Message<'_>]) {
    list(out, messages, |out, message| {
        out.push_str("{\"role\":");
        json::write_string(out, &text(message.role));
        if let Some(name) = message.name {
            put_member(out, "name", name);
        }
        out.push_str(",\"parts\":");
        list(out, &message.parts, write_part);
        out.push('}');
    });
}

/// Appends mere text as the one message that it is. `role` is written as it is.
pub(crate) fn put_text_message(out: &mut Vec<u8>, role: &str, content: &[u8]) {
    out.reserve(content.len() + 96);
    out.extend_from_slice(b"[{\"role\":\"");
    out.extend_from_slice(role.as_bytes());
    out.extend_from_slice(b"\",\"parts\":[{\"type\":\"text\",\"content\":");
    json::put_string(out, content);
    out.extend_from_slice(b"}]}]");
}

/// Appends instructions as the JSON text of `gen_ai.system_instructions`, whose parts are texts.
pub(crate) fn write_instructions(out: &mut String, value: ValueView<'_>) {
    match value {
        ValueView::Array(items) => {
            let parts: Vec<_> = items.values().collect();
            list(out, &parts, |out, part| write_instruction(out, *part));
        }
        one => list(out, &[one], |out, part| write_instruction(out, *part)),
    }
}

fn write_instruction(out: &mut String, part: ValueView<'_>) {
    match (part, read::text_of(part)) {
        (_, Some(found)) => typed(out, "text", "content", found),
        (other, None) => {
            let mut content = String::new();
            json::write_json(&mut content, other);
            typed(out, "text", "content", content.as_bytes());
        }
    }
}

/// Appends tools, given by name, by definition, or as a map of definitions by name, as the JSON text of
/// `gen_ai.tool.definitions`.
pub(crate) fn write_tools(out: &mut String, value: ValueView<'_>) {
    match value {
        ValueView::Array(items) => {
            let tools: Vec<_> = items.values().map(|item| (None, item)).collect();
            list(out, &tools, |out, (name, tool)| write_tool(out, *name, *tool));
        }
        ValueView::Map(items) if read::get(items, &["name", "function"]).is_none() => {
            let tools: Vec<_> = items.entries().map(|(name, item)| (Some(name), item)).collect();
            list(out, &tools, |out, (name, tool)| write_tool(out, *name, *tool));
        }
        one => list(out, &[one], |out, tool| write_tool(out, None, *tool)),
    }
}

fn write_tool(out: &mut String, name: Option<&[u8]>, tool: ValueView<'_>) {
    let (ValueView::Str(given), None) = (tool, name) else {
        let ValueView::Map(outer) = tool else {
            return typed(out, "function", "name", name.unwrap_or(b""));
        };
        // OpenAI wraps what others give directly.
        let inner = match read::get(outer, &["function"]) {
            Some(ValueView::Map(inner)) => inner,
            _ => outer,
        };
        let kind = read::string(outer, &["type"]).unwrap_or(b"function");
        typed(out, &text(kind), "name", read::string(inner, &["name"]).or(name).unwrap_or(b""));
        out.pop();
        if let Some(about) = read::string(inner, &["description"]) {
            put_member(out, "description", about);
        }
        if let Some(schema) = read::get(inner, &["parameters", "input_schema", "inputSchema"]) {
            out.push_str(",\"parameters\":");
            write_value(out, schema);
        }
        return out.push('}');
    };
    typed(out, "function", "name", given);
}

fn write_part(out: &mut String, part: &Part<'_>) {
    match *part {
        Part::Text(content) => typed(out, "text", "content", content),
        Part::Reasoning(content) => typed(out, "reasoning", "content", content),
        Part::Call { id, name, arguments } => {
            typed(out, "tool_call", "name", name);
            out.pop();
            optional(out, "id", id);
            if let Some(arguments) = arguments {
                out.push_str(",\"arguments\":");
                write_value(out, arguments);
            }
            out.push('}');
        }
        Part::Answer { id, result, .. } => {
            out.push_str("{\"type\":\"tool_call_response\"");
            optional(out, "id", id);
            out.push_str(",\"response\":");
            write_value(out, result);
            out.push('}');
        }
        Part::Media { modality, mime_type, source } => {
            let (kind, name) = match source {
                Source::Inline(_) => ("blob", "content"),
                Source::Uri(_) => ("uri", "uri"),
                Source::File(_) => ("file", "file_id"),
            };
            typed(out, kind, "modality", modality.as_bytes());
            out.pop();
            optional(out, "mime_type", mime_type);
            match source {
                Source::Uri(place) | Source::File(place) => put_member(out, name, place),
                Source::Inline(data) => {
                    out.push_str(",\"content\":");
                    json::write_json(out, data);
                }
            }
            out.push('}');
        }
        Part::Other(value) => json::write_json(out, value),
    }
}

/// JSON of a value; text that is a JSON object is the object.
pub(crate) fn write_value(out: &mut String, value: ValueView<'_>) {
    if let ValueView::Str(bytes) = value
        && let Ok(given) = core::str::from_utf8(bytes)
        && is_json_object(given)
    {
        return out.push_str(given);
    }
    json::write_json(out, value);
}

fn list<T>(out: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

/// An object with a type and one text.
fn typed(out: &mut String, kind: &str, name: &str, content: &[u8]) {
    out.push_str("{\"type\":");
    json::write_string(out, kind);
    put_member(out, name, content);
    out.push('}');
}

fn put_member(out: &mut String, name: &str, content: &[u8]) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    json::write_string(out, &text(content));
}

fn optional(out: &mut String, name: &str, content: Option<&[u8]>) {
    if let Some(content) = content {
        put_member(out, name, content);
    }
}

#[cfg(test)]
mod tests;
