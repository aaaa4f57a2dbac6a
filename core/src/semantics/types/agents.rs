//! Agents and what works for them: processors, skills, workspaces, signals.

use super::{AttributeInfo, Content, Form, PLAIN, PROCESSING, TypeInfo, known, own};
use crate::kinds::SpanType;

const AGENT: &[AttributeInfo] = &[
    known("agent_name", "gen_ai.agent.name", Form::Text, "name of the agent; the span's name by default"),
    known("agent_id", "gen_ai.agent.id", Form::Text, "id of an agent hosted by a provider"),
    known("agent_description", "gen_ai.agent.description", Form::Text, "what the agent is for"),
    known("agent_version", "gen_ai.agent.version", Form::Text, "version of the agent"),
    known("conversation_id", "gen_ai.conversation.id", Form::Text, "conversation it belongs to"),
    known("instructions", "gen_ai.system_instructions", Form::Instructions, "instructions of the agent"),
    known(
        "available_tools",
        "gen_ai.tool.definitions",
        Form::Tools,
        "tools it may use, by name or definition",
    ),
    own("prompt", Form::Text, "prompt it was given"),
    own("max_steps", Form::Integer, "most steps it may take"),
    own("resolved_version_id", Form::Text, "version that was chosen"),
    known("model", "gen_ai.request.model", Form::Text, "model it was told to use"),
    known("provider", "gen_ai.provider.name", Form::Provider, "provider of a remote agent"),
    known("finish_reason", "gen_ai.response.finish_reasons", Form::Texts, "why it stopped"),
    own("usage", Form::Usage, "token counts of all its calls; see below"),
    own("tripwire_abort", Form::Any, "why it was stopped: reason, processor, metadata"),
];

pub(super) const TYPES: &[TypeInfo] = &[
    TypeInfo {
        span_type: SpanType::Agent,
        about: "One run of an agent",
        operation: Some("invoke_agent"),
        subject: &["gen_ai.agent.name"],
        name_is: Some("gen_ai.agent.name"),
        openinference: "AGENT",
        input: Content::Messages,
        output: Content::Messages,
        attributes: &[AGENT],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::Processor,
        about: "A processor of input or output, guardrails among them",
        openinference: "GUARDRAIL",
        attributes: &[PROCESSING],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::WorkspaceAction,
        about: "An action in a workspace: files, sandbox, search",
        attributes: &[
            PROCESSING,
            &[
                own(
                    "category",
                    Form::Text,
                    "`filesystem`, `sandbox`, `search`, `skill`, `mount` or `computer`",
                ),
                own("workspace_id", Form::Text, "id of the workspace"),
                own("workspace_name", Form::Text, "name of the workspace"),
                own("sandbox_provider", Form::Text, "what runs the sandbox"),
                own("filesystem_provider", Form::Text, "what keeps the files"),
                own("success", Form::Truth, "whether it was done"),
            ],
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::SkillAction,
        about: "A skill resolved, searched, read, injected or activated",
        attributes: &[
            PROCESSING,
            &[
                own("operation", Form::Text, "`resolve`, `inject`, `activate`, `search` or `read`"),
                own("agent_id", Form::Text, "agent that uses it"),
                own("skill_name", Form::Text, "name of the skill"),
                own("skill_format", Form::Text, "form in which it is stored"),
                own("skill_count", Form::Integer, "how many were found"),
                own("success", Form::Truth, "whether it was done"),
            ],
        ],
        ..PLAIN
    },
    TypeInfo {
        span_type: SpanType::AgentSignal,
        about: "A signal that an agent received or sent",
        attributes: &[&[
            own("state_id", Form::Text, "state it is about"),
            own("tag_name", Form::Text, "tag it is sent under"),
            own("processor_id", Form::Text, "processor that sent it"),
            own("mode", Form::Text, "`snapshot` or `delta`"),
        ]],
        ..PLAIN
    },
];
