//! Tools, wherever they run, and servers of the Model Context Protocol.

use super::{AttributeInfo, Content, Form, PLAIN, SERVER, TypeInfo, known, own};
use crate::kinds::{SpanKind, SpanType};

const TOOL: &[AttributeInfo] = &[
    known("tool_name", "gen_ai.tool.name", Form::Text, "name of the tool; the span's name by default"),
    known("tool_type", "gen_ai.tool.type", Form::Text, "`function`, `extension` or `datastore`"),
    known("tool_description", "gen_ai.tool.description", Form::Text, "what the tool is for"),
    known("tool_call_id", "gen_ai.tool.call.id", Form::Text, "id of the call that the model made"),
    own("success", Form::Truth, "whether the tool did what it was asked for"),
];

const MCP: &[AttributeInfo] = &[
    known("mcp_method", "mcp.method.name", Form::Text, "method of the protocol"),
    own("mcp_server", Form::Text, "name of the server"),
    own("server_version", Form::Text, "version of the server"),
    known("mcp_session_id", "mcp.session.id", Form::Text, "session of the protocol"),
    known("mcp_protocol_version", "mcp.protocol.version", Form::Text, "version of the protocol"),
    known("jsonrpc_request_id", "jsonrpc.request.id", Form::Text, "id of the request"),
    known("resource_uri", "mcp.resource.uri", Form::Text, "resource that was read"),
    known("network_transport", "network.transport", Form::Text, "`pipe`, `tcp` or `quic`"),
];

const TOOLS: TypeInfo = TypeInfo {
    operation: Some("execute_tool"),
    subject: &["gen_ai.tool.name"],
    name_is: Some("gen_ai.tool.name"),
    openinference: "TOOL",
    input: Content::Key("gen_ai.tool.call.arguments"),
    output: Content::Key("gen_ai.tool.call.result"),
    ..PLAIN
};

pub(super) const TYPES: &[TypeInfo] = &[
    TypeInfo {
        span_type: SpanType::Tool,
        about: "A tool run by the application",
        attributes: &[TOOL],
        ..TOOLS
    },
    TypeInfo {
        span_type: SpanType::McpTool,
        about: "A tool run through the Model Context Protocol",
        kind: SpanKind::Client,
        attributes: &[TOOL, MCP, SERVER],
        ..TOOLS
    },
    TypeInfo {
        span_type: SpanType::ProviderTool,
        about: "A tool run by the model provider",
        attributes: &[TOOL],
        ..TOOLS
    },
    TypeInfo {
        span_type: SpanType::ClientTool,
        about: "A tool run by the client of the application",
        attributes: &[TOOL, &[own("client_environment", Form::Text, "where it ran, such as `browser`")]],
        ..TOOLS
    },
    TypeInfo {
        span_type: SpanType::McpServerRequest,
        about: "A request served by a Model Context Protocol server",
        kind: SpanKind::Server,
        subject: &["gen_ai.tool.name", "gen_ai.prompt.name"],
        openinference: "TOOL",
        input: Content::Key("gen_ai.tool.call.arguments"),
        output: Content::Key("gen_ai.tool.call.result"),
        attributes: &[
            MCP,
            &[
                known("tool_name", "gen_ai.tool.name", Form::Text, "tool that was called"),
                known("prompt_name", "gen_ai.prompt.name", Form::Text, "prompt that was asked for"),
                own("target_name", Form::Text, "tool or prompt, whichever the method is about"),
                own("client_name", Form::Text, "name of the client"),
                own("client_version", Form::Text, "version of the client"),
                known("client_address", "client.address", Form::Text, "address of the client"),
            ],
        ],
        ..PLAIN
    },
];
