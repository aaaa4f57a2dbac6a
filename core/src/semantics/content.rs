//! Which attributes hold what went into an operation or came out of it, under the names of the GenAI conventions, of
//! OpenInference, of instrumentations that were there before both, and of our own types. Redaction
//! (`pipeline/redact.rs`) leaves them out where inputs or outputs are hidden.

use super::renames::renamed;
use super::types::{self, Form};
use super::{INPUT, OUTPUT};
use crate::kinds::SpanType;

/// What an attribute says of its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// What it was, not what went through it.
    None,
    /// What went in.
    Input,
    /// What came out.
    Output,
    /// One or the other.
    Either,
    /// Request parameters by name: settings, and maybe prompts among them ([`is_setting`]).
    Parameters,
}

/// Attributes by their names on the wire.
const NAMED: &[(&str, Content)] = &[
    ("gen_ai.input.messages", Content::Input),
    ("gen_ai.output.messages", Content::Output),
    ("gen_ai.system_instructions", Content::Input),
    ("gen_ai.tool.call.arguments", Content::Input),
    ("gen_ai.tool.call.result", Content::Output),
    ("gen_ai.retrieval.query.text", Content::Input),
    ("gen_ai.retrieval.documents", Content::Output),
    ("gen_ai.memory.query.text", Content::Input),
    ("gen_ai.memory.records", Content::Either),
    ("gen_ai.evaluation.explanation", Content::Output),
    (INPUT, Content::Input),
    (OUTPUT, Content::Output),
    ("input.value", Content::Input),
    ("output.value", Content::Output),
    ("llm.prompts", Content::Input),
    ("llm.completions", Content::Output),
    ("llm.prompt_template.template", Content::Input),
    ("llm.prompt_template.variables", Content::Input),
    ("embedding.text", Content::Input),
    ("reranker.query", Content::Input),
    ("document.content", Content::Either),
    ("traceloop.entity.input", Content::Input),
    ("traceloop.entity.output", Content::Output),
    ("ai.prompt", Content::Input),
    ("ai.prompt.messages", Content::Input),
    ("ai.toolCall.args", Content::Input),
    ("ai.toolCall.result", Content::Output),
    ("ai.value", Content::Input),
    ("ai.values", Content::Input),
    ("ai.response.text", Content::Output),
    ("ai.response.object", Content::Output),
    ("ai.response.reasoning", Content::Output),
    ("ai.response.toolCalls", Content::Output),
    // pydantic-ai and Logfire.
    ("pydantic_ai.all_messages", Content::Either),
    ("all_messages_events", Content::Either),
    ("final_result", Content::Output),
    ("tool_arguments", Content::Input),
    ("tool_response", Content::Output),
    ("request_data", Content::Input),
    ("response_data", Content::Output),
    // Google's agent development kit.
    ("gcp.vertex.agent.llm_request", Content::Input),
    ("gcp.vertex.agent.llm_response", Content::Output),
    ("gcp.vertex.agent.tool_call_args", Content::Input),
    ("gcp.vertex.agent.tool_response", Content::Output),
    ("gcp.vertex.agent.data", Content::Either),
    // What receivers call inputs and outputs.
    ("langfuse.observation.input", Content::Input),
    ("langfuse.observation.output", Content::Output),
    ("langfuse.trace.input", Content::Input),
    ("langfuse.trace.output", Content::Output),
    ("mlflow.spanInputs", Content::Input),
    ("mlflow.spanOutputs", Content::Output),
    ("braintrust.input_json", Content::Input),
    ("braintrust.output_json", Content::Output),
    ("braintrust.input", Content::Input),
    ("braintrust.output", Content::Output),
];

/// Lists that are spread over attributes: one for each item, with its place, from 0, behind these names.
const SPREAD: &[(&str, Content)] = &[
    ("gen_ai.prompt.", Content::Input),
    ("gen_ai.completion.", Content::Output),
    ("llm.input_messages.", Content::Input),
    ("llm.output_messages.", Content::Output),
    ("llm.prompts.", Content::Input),
    ("llm.completions.", Content::Output),
    ("embedding.embeddings.", Content::Input),
    ("retrieval.documents.", Content::Output),
    ("reranker.input_documents.", Content::Input),
    ("reranker.output_documents.", Content::Output),
];

/// Attributes of our own types that no convention names.
const OWN: &[(&str, Content)] = &[("prompt", Content::Input), ("message_list_mutations", Content::Either)];

/// Events of which each was one message, in earlier versions of the conventions.
const MESSAGES: &[(&str, Content)] = &[
    ("gen_ai.system.message", Content::Input),
    ("gen_ai.user.message", Content::Input),
    ("gen_ai.assistant.message", Content::Input),
    ("gen_ai.tool.message", Content::Input),
    ("gen_ai.choice", Content::Output),
];

/// What is not content in such an event.
const OF_MESSAGES: [&str; 8] =
    ["gen_ai.system", "gen_ai.provider.name", "event.name", "role", "id", "index", "finish_reason", "name"];

fn find(table: &[(&str, Content)], name: &[u8]) -> Option<Content> {
    table.iter().find(|(known, _)| known.as_bytes() == name).map(|(_, content)| *content)
}

/// What an attribute on the wire says.
fn named(name: &[u8]) -> Content {
    let newest = renamed(name).map_or(name, |(newest, _)| newest.as_bytes());
    find(NAMED, newest).unwrap_or_else(|| {
        let spread = SPREAD.iter().find(|(front, _)| {
            name.strip_prefix(front.as_bytes())
                .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
        });
        spread.map_or(Content::None, |(_, content)| *content)
    })
}

/// What an attribute of a span of that type says, in whatever spelling.
pub(crate) fn of_attribute(span_type: SpanType, name: &[u8]) -> Content {
    let Some(known) = types::info(span_type).and_then(|info| info.attribute(name)) else {
        return named(name);
    };
    match (known.form, known.key) {
        (Form::Parameters, _) => Content::Parameters,
        (_, Some(key)) => named(key.as_bytes()),
        (_, None) => find(OWN, known.name.as_bytes()).unwrap_or(Content::None),
    }
}

/// What an attribute of an event says.
pub(crate) fn of_event_attribute(event: &[u8], name: &[u8]) -> Content {
    match (named(name), find(MESSAGES, event)) {
        (Content::None, Some(content)) if !OF_MESSAGES.iter().any(|known| known.as_bytes() == name) => {
            content
        }
        (said, _) => said,
    }
}

/// Whether a request parameter is a setting that the conventions know, such as a temperature.
pub(crate) fn is_setting(name: &[u8]) -> bool {
    types::request_parameter(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_own_attribute_that_holds_content_is_one_of_some_type() {
        for (name, _) in OWN {
            let known =
                types::all().flat_map(types::TypeInfo::all_attributes).any(|known| known.name == *name);
            assert!(known, "{name}");
        }
    }

    #[test]
    fn where_types_put_input_and_output_is_content() {
        for info in types::all() {
            for (content, other) in [(info.input, Content::Output), (info.output, Content::Input)] {
                if let types::Content::Key(key) | types::Content::Text(key) | types::Content::List(key) =
                    content
                {
                    let said = named(key.as_bytes());
                    assert!(said != Content::None && said != other, "{key}: {said:?}");
                }
            }
        }
    }

    #[test]
    fn names_that_only_begin_alike_are_no_content() {
        for name in
            ["gen_ai.prompt.name", "gen_ai.prompt.version", "llm.prompt_template.version", "ai.prompts"]
        {
            assert_eq!(named(name.as_bytes()), Content::None, "{name}");
        }
        assert_eq!(named(b"gen_ai.prompt.0.content"), Content::Input);
        assert_eq!(named(b"gen_ai.completion"), Content::Output);
    }
}
