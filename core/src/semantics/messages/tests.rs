use super::*;
use crate::frame::view::{Field, SpanView};
use crate::frame::{EVENT_HEADER, write};
use crate::value::Value;

/// JSON as a value of a span.
fn value(json: &serde_json::Value) -> Value<'_> {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::F64(number.as_f64().unwrap()), Value::I64)
        }
        serde_json::Value::String(text) => Value::from(text),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(value).collect()),
        serde_json::Value::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (key.into(), value(item))).collect())
        }
    }
}

fn with_view<R>(json: &serde_json::Value, look: impl FnOnce(ValueView<'_>) -> R) -> R {
    let mut record = Vec::new();
    write::begin_span(&mut record);
    write::attribute(&mut record, "", &value(json));
    let view = SpanView::new(&record[EVENT_HEADER..]).unwrap();
    let Some(Field::Attribute(_, found)) = view.fields().next() else { panic!() };
    look(found)
}

fn check(side: Side, given: serde_json::Value, expected: &serde_json::Value) {
    let written = with_view(&given, |view| {
        let mut out = String::new();
        write_messages(&mut out, &messages(view, side, true)?);
        Some(out)
    });
    let written = written.map(|text| serde_json::from_str(&text).unwrap());
    assert_eq!(written.unwrap_or(serde_json::Value::Null), *expected, "{given}");
}

#[test]
fn the_same_conversation_in_every_form() {
    use serde_json::json;
    let expected = json!([
        {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]},
        {"role": "assistant", "parts": [
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Paris"}},
        ]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
    ]);
    let openai = json!([
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather in Paris?"}]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Paris\"}"}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]);
    let responses = json!({"model": "m", "instructions": "Be brief.", "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather in Paris?"}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": "{\"city\": \"Paris\"}"},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
    ]});
    let anthropic = json!({"system": "Be brief.", "messages": [
        {"role": "user", "content": "Weather in Paris?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Paris"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "rain"}]},
    ]});
    let gemini = json!({"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": [
        {"role": "user", "parts": [{"text": "Weather in Paris?"}]},
        {"role": "model", "parts": [{"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Paris"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "weather", "response": "rain"}}]},
    ]});
    let ai_sdk = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather in Paris?"}]},
        {"role": "assistant", "content": [
            {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": {"city": "Paris"}},
        ]},
        {"role": "tool", "content": [
            {"type": "tool-result", "toolCallId": "c1", "toolName": "weather", "output": "rain"},
        ]},
    ]);
    let langchain = json!([
        {"type": "system", "content": "Be brief."},
        {"type": "human", "content": "Weather in Paris?"},
        {"type": "ai", "content": "", "tool_calls": [{"id": "c1", "name": "weather", "args": {"city": "Paris"}}]},
        {"type": "tool", "tool_call_id": "c1", "content": "rain"},
    ]);
    for form in [openai, responses, anthropic, gemini, ai_sdk, expected.clone()] {
        check(Side::Input, form, &expected);
    }
    let mut with_empty_text = expected.clone();
    with_empty_text[2]["parts"].as_array_mut().unwrap().insert(0, json!({"type": "text", "content": ""}));
    check(Side::Input, langchain, &with_empty_text);
}

#[test]
fn answers_in_every_form() {
    use serde_json::json;
    let expected = json!([{"role": "assistant", "parts": [{"type": "text", "content": "Hi"}]}]);
    for form in [
        json!("Hi"),
        json!({"role": "assistant", "content": "Hi"}),
        json!({"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}]}),
        json!({"choices": [{"text": "Hi", "finish_reason": "length"}]}),
        json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}),
        json!([{"type": "text", "text": "Hi"}]),
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]}),
        json!({"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}]}),
        json!({"text": "Hi", "toolCalls": [], "finishReason": "stop"}),
    ] {
        check(Side::Output, form, &expected);
    }
    check(
        Side::Output,
        json!([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}]),
        &json!([{"role": "assistant", "parts": [
            {"type": "reasoning", "content": "hm"}, {"type": "text", "content": "Hi"},
        ]}]),
    );
}

#[test]
fn media_is_named_and_placed() {
    use serde_json::json;
    let expected = json!([{"role": "user", "parts": [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAEC"},
        {"type": "uri", "modality": "image", "uri": "https://x/y.png"},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "AAEC"},
        {"type": "file", "modality": "document", "file_id": "f1"},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "AAEC"},
        {"type": "custom", "n": 1},
    ]}]);
    let given = json!([{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}},
        {"type": "file", "file": {"file_id": "f1"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AAEC"}},
        {"type": "custom", "n": 1},
    ]}]);
    check(Side::Input, given, &expected);
}

#[test]
fn what_is_no_message_stays_as_it_is() {
    use serde_json::json;
    for given in [
        json!({"question": "Hi"}),
        json!([1, 2]),
        json!([]),
        json!({}),
        json!(7),
        json!(["a", "b"]),
        json!([{"role": "user", "content": "Hi"}, {"question": "?"}]),
        json!({"messages": [{"id": 1}]}),
    ] {
        check(Side::Input, given.clone(), &serde_json::Value::Null);
        check(Side::Output, given, &serde_json::Value::Null);
    }
    with_view(&json!("Hi"), |view| assert!(messages(view, Side::Input, false).is_none()));
}

#[test]
fn tools_and_instructions_in_every_form() {
    use serde_json::json;
    let expected = json!([{"type": "function", "name": "search", "description": "Searches.", "parameters": {"type": "object"}}]);
    for given in [
        json!([{"type": "function", "function": {"name": "search", "description": "Searches.", "parameters": {"type": "object"}}}]),
        json!([{"name": "search", "description": "Searches.", "input_schema": {"type": "object"}}]),
        json!({"search": {"description": "Searches.", "inputSchema": {"type": "object"}}}),
        expected.clone(),
    ] {
        let written = with_view(&given, |view| {
            let mut out = String::new();
            write_tools(&mut out, view);
            out
        });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), expected, "{given}");
    }
    let names = with_view(&json!(["a", "b"]), |view| {
        let mut out = String::new();
        write_tools(&mut out, view);
        out
    });
    assert_eq!(names, r#"[{"type":"function","name":"a"},{"type":"function","name":"b"}]"#);
    for given in [json!("Be brief."), json!(["Be brief."]), json!([{"type": "text", "text": "Be brief."}])] {
        let written = with_view(&given, |view| {
            let mut out = String::new();
            write_instructions(&mut out, view);
            out
        });
        assert_eq!(written, r#"[{"type":"text","content":"Be brief."}]"#);
    }
}
