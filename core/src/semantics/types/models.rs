//! Calls of models and embeddings.

use super::{AttributeInfo, Content, Form, PLAIN, SERVER, TypeInfo, known, own};
use crate::kinds::{SpanKind, SpanType};

const MODEL: &[AttributeInfo] = &[
    known("model", "gen_ai.request.model", Form::Text, "model that was asked for"),
    known("provider", "gen_ai.provider.name", Form::Provider, "provider, such as `openai`"),
    known("response_model", "gen_ai.response.model", Form::Text, "model that answered"),
];

const CALL: &[AttributeInfo] = &[
    known(
        "operation",
        "gen_ai.operation.name",
        Form::Text,
        "`chat`, `generate_content` or `text_completion`",
    ),
    known("response_id", "gen_ai.response.id", Form::Text, "id of the answer"),
    known("finish_reason", "gen_ai.response.finish_reasons", Form::Texts, "why the model stopped"),
    known("finish_reasons", "gen_ai.response.finish_reasons", Form::Texts, "the same, for each choice"),
    known("streaming", "gen_ai.request.stream", Form::Truth, "whether the answer was streamed"),
    known(
        "completion_start_time",
        "gen_ai.response.time_to_first_chunk",
        Form::FirstOutput,
        "when the first output came",
    ),
    known(
        "time_to_first_chunk",
        "gen_ai.response.time_to_first_chunk",
        Form::Number,
        "seconds until the first output",
    ),
    own("parameters", Form::Parameters, "request parameters by name, as a map"),
    known("instructions", "gen_ai.system_instructions", Form::Instructions, "system instructions"),
    known("tools", "gen_ai.tool.definitions", Form::Tools, "tools the model may ask for"),
    known("conversation_id", "gen_ai.conversation.id", Form::Text, "conversation it belongs to"),
    known("agent_id", "gen_ai.agent.id", Form::Text, "id of the agent that calls"),
    known("agent_name", "gen_ai.agent.name", Form::Text, "name of the agent that calls"),
    known("output_type", "gen_ai.output.type", Form::Text, "`text`, `json`, `image` or `speech`"),
    known("prompt_name", "gen_ai.prompt.name", Form::Text, "name of the prompt"),
    known("prompt_version", "gen_ai.prompt.version", Form::Text, "version of the prompt"),
    own("result_type", Form::Text, "`tool_selection`, `response_generation`, `reasoning` or `planning`"),
    own("cost_context", Form::Any, "estimated cost, its unit and what it is based on"),
];

/// What a request to a model may ask for.
pub(in crate::semantics) const PARAMETERS: &[AttributeInfo] = &[
    known("temperature", "gen_ai.request.temperature", Form::Number, "temperature"),
    known("top_p", "gen_ai.request.top_p", Form::Number, "nucleus sampling"),
    known("top_k", "gen_ai.request.top_k", Form::Integer, "top-k sampling"),
    known("max_tokens", "gen_ai.request.max_tokens", Form::Integer, "most tokens of the answer"),
    known("max_output_tokens", "gen_ai.request.max_tokens", Form::Integer, "the same"),
    known("frequency_penalty", "gen_ai.request.frequency_penalty", Form::Number, "frequency penalty"),
    known("presence_penalty", "gen_ai.request.presence_penalty", Form::Number, "presence penalty"),
    known("stop_sequences", "gen_ai.request.stop_sequences", Form::Texts, "texts at which to stop"),
    known("seed", "gen_ai.request.seed", Form::Integer, "seed of the sampling"),
    known("choice_count", "gen_ai.request.choice.count", Form::Integer, "how many answers"),
    known("encoding_formats", "gen_ai.request.encoding_formats", Form::Texts, "formats of embeddings"),
    known("reasoning_level", "gen_ai.request.reasoning.level", Form::Text, "effort of reasoning"),
    known(
        "previous_response_id",
        "gen_ai.request.previous_response.id",
        Form::Text,
        "answer that this one continues",
    ),
];

const USAGE: &[AttributeInfo] = &[
    own("usage", Form::Usage, "token counts; see below"),
    known(
        "input_tokens",
        "gen_ai.usage.input_tokens",
        Form::Integer,
        "tokens of the input, cached ones included",
    ),
    known("output_tokens", "gen_ai.usage.output_tokens", Form::Integer, "tokens of the output"),
];

const EMBEDDING: &[AttributeInfo] = &[
    known("model", "gen_ai.request.model", Form::Text, "model that was asked for"),
    known("provider", "gen_ai.provider.name", Form::Provider, "provider, such as `openai`"),
    known("response_model", "gen_ai.response.model", Form::Text, "model that answered"),
    known("dimensions", "gen_ai.embeddings.dimension.count", Form::Integer, "length of a vector"),
    known("encoding_formats", "gen_ai.request.encoding_formats", Form::Texts, "formats of the vectors"),
    own("input_count", Form::Integer, "how many texts"),
    own("mode", Form::Text, "`ingest` or `query`"),
    own("usage", Form::Usage, "token counts; see below"),
    known("input_tokens", "gen_ai.usage.input_tokens", Form::Integer, "tokens of the input"),
];

const CALLS: TypeInfo = TypeInfo {
    operation: Some("chat"),
    kind: SpanKind::Client,
    subject: &["gen_ai.request.model"],
    openinference: "LLM",
    input: Content::Messages,
    output: Content::Messages,
    ..PLAIN
};

const EMBEDDINGS: TypeInfo = TypeInfo {
    operation: Some("embeddings"),
    kind: SpanKind::Client,
    subject: &["gen_ai.request.model"],
    openinference: "EMBEDDING",
    attributes: &[EMBEDDING, SERVER],
    ..PLAIN
};

pub(super) const TYPES: &[TypeInfo] = &[
    TypeInfo {
        span_type: SpanType::ModelGeneration,
        about: "A call of a model as the application sees it, with all its steps",
        attributes: &[MODEL, PARAMETERS, USAGE, CALL, SERVER],
        ..CALLS
    },
    TypeInfo {
        span_type: SpanType::ModelStep,
        about: "One step of a generation: an answer of the model and the tools it asked for",
        input: Content::Chat,
        output: Content::Chat,
        attributes: &[&[
            own("step_index", Form::Integer, "place of the step, from 0"),
            own("usage", Form::UsageBelow, "token counts of the step; see below"),
            own("finish_reason", Form::Text, "why the step ended"),
            own("is_continued", Form::Truth, "whether another step follows"),
            own("warnings", Form::Any, "what the provider warned of"),
        ]],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::ModelInference,
        about: "One request to a model provider",
        attributes: &[
            MODEL,
            PARAMETERS,
            USAGE,
            CALL,
            SERVER,
            &[
                own("step_index", Form::Integer, "step of the generation it belongs to, from 0"),
                own("warnings", Form::Any, "what the provider warned of"),
                own("provider_options", Form::Any, "options that only this provider has"),
                own("available_tools", Form::Texts, "names of the tools on offer"),
                own("tool_choice", Form::Any, "`auto`, `none`, `required` or one tool"),
                own("response_format", Form::Any, "`text`, `json` or a schema"),
            ],
        ],
        ..CALLS
    },
    TypeInfo {
        span_type: SpanType::ModelChunk,
        about: "A run of streamed model output of one kind",
        attributes: &[&[
            own("chunk_type", Form::Text, "`text`, `reasoning`, `tool-call` or `object`"),
            own("sequence_number", Form::Integer, "place in the stream, from 0"),
        ]],
        ..PLAIN
    },
    TypeInfo { span_type: SpanType::RagEmbedding, about: "Embeddings made for retrieval", ..EMBEDDINGS },
    TypeInfo {
        span_type: SpanType::EmbeddingGeneration,
        about: "Embeddings made for any other use",
        ..EMBEDDINGS
    },
];
