// Spans by their type: for each a function that records one, and its attributes with their types.
//
// `tool("search", { toolCallId = "c1" }) { }` is `span("search", type = SpanType.Tool) { }` with attributes that an
// editor completes and the compiler knows. What these are called on the wire stands in `docs/ai-spans.md`.
//
// Written by `tools/tables.py` from the table of span types.

@file:Suppress("ktlint:standard:max-line-length")

package dev.polyspan

/** Attributes of spans of type `agent`. */
public class AgentAttributes : TypedAttributes() {
    /** Name of the agent; the span's name by default. */
    public var agentName: String? by given

    /** Id of an agent hosted by a provider. */
    public var agentId: String? by given

    /** What the agent is for. */
    public var agentDescription: String? by given

    /** Version of the agent. */
    public var agentVersion: String? by given

    /** Conversation it belongs to. */
    public var conversationId: String? by given

    /** Instructions of the agent. */
    public var instructions: Any? by given

    /** Tools it may use, by name or definition. */
    public var availableTools: Any? by given

    /** Prompt it was given. */
    public var prompt: String? by given

    /** Most steps it may take. */
    public var maxSteps: Long? by given

    /** Version that was chosen. */
    public var resolvedVersionId: String? by given

    /** Model it was told to use. */
    public var model: String? by given

    /** Provider of a remote agent. */
    public var provider: String? by given

    /** Why it stopped. */
    public var finishReason: Any? by given

    /** Token counts of all its calls; see below. */
    public var usage: Map<String, *>? by given

    /** Why it was stopped: reason, processor, metadata. */
    public var tripwireAbort: Any? by given
}

/** Records what `body` does as a span: one run of an agent. */
@JvmSynthetic
public inline fun <R> agent(
    name: String,
    attributes: AgentAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.Agent, AgentAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workflow`. */
public class WorkflowAttributes : TypedAttributes() {
    /** Name of the workflow; the span's by default. */
    public var workflowName: String? by given

    /** Id of the workflow. */
    public var workflowId: String? by given

    /** `success`, `failed`, `suspended` and the like. */
    public var status: String? by given
}

/** Records what `body` does as a span: one run of a workflow. */
@JvmSynthetic
public inline fun <R> workflow(
    name: String,
    attributes: WorkflowAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.Workflow, WorkflowAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workflow_step`. */
public class WorkflowStepAttributes : TypedAttributes() {
    /** Id of the step. */
    public var stepId: String? by given

    /** `success`, `failed`, `suspended` and the like. */
    public var status: String? by given

    /** Id of the entry. */
    public var entryId: String? by given

    /** What the entry is for. */
    public var entryDescription: String? by given

    /** Metadata of the entry. */
    public var entryMetadata: Any? by given
}

/** Records what `body` does as a span: a step of a workflow. */
@JvmSynthetic
public inline fun <R> workflowStep(
    name: String,
    attributes: WorkflowStepAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.WorkflowStep, WorkflowStepAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workflow_conditional`. */
public class WorkflowConditionalAttributes : TypedAttributes() {
    /** How many conditions there are. */
    public var conditionCount: Long? by given

    /** Places of those that held. */
    public var truthyIndexes: Any? by given

    /** Steps that were chosen. */
    public var selectedSteps: Any? by given

    /** Id of the entry. */
    public var entryId: String? by given

    /** What the entry is for. */
    public var entryDescription: String? by given

    /** Metadata of the entry. */
    public var entryMetadata: Any? by given
}

/** Records what `body` does as a span: a branching point of a workflow. */
@JvmSynthetic
public inline fun <R> workflowConditional(
    name: String,
    attributes: WorkflowConditionalAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.WorkflowConditional, WorkflowConditionalAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workflow_conditional_eval`. */
public class WorkflowConditionalEvalAttributes : TypedAttributes() {
    /** Place of the condition, from 0. */
    public var conditionIndex: Long? by given

    /** Whether it held. */
    public var result: Boolean? by given
}

/** Records what `body` does as a span: the evaluation of one condition of a branching point. */
@JvmSynthetic
public inline fun <R> workflowConditionalEval(
    name: String,
    attributes: WorkflowConditionalEvalAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.WorkflowConditionalEval, WorkflowConditionalEvalAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workflow_parallel`. */
public class WorkflowParallelAttributes : TypedAttributes() {
    /** How many branches there are. */
    public var branchCount: Long? by given

    /** Their steps. */
    public var parallelSteps: Any? by given

    /** Id of the entry. */
    public var entryId: String? by given

    /** What the entry is for. */
    public var entryDescription: String? by given

    /** Metadata of the entry. */
    public var entryMetadata: Any? by given
}

/** Records what `body` does as a span: parallel branches of a workflow. */
@JvmSynthetic
public inline fun <R> workflowParallel(
    name: String,
    attributes: WorkflowParallelAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.WorkflowParallel, WorkflowParallelAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workflow_loop`. */
public class WorkflowLoopAttributes : TypedAttributes() {
    /** `foreach`, `dowhile` or `dountil`. */
    public var loopType: String? by given

    /** Iteration at hand. */
    public var iteration: Long? by given

    /** How many there are. */
    public var totalIterations: Long? by given

    /** How many run at the same time. */
    public var concurrency: Long? by given

    /** Id of the entry. */
    public var entryId: String? by given

    /** What the entry is for. */
    public var entryDescription: String? by given

    /** Metadata of the entry. */
    public var entryMetadata: Any? by given
}

/** Records what `body` does as a span: a loop of a workflow. */
@JvmSynthetic
public inline fun <R> workflowLoop(
    name: String,
    attributes: WorkflowLoopAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.WorkflowLoop, WorkflowLoopAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workflow_sleep`. */
public class WorkflowSleepAttributes : TypedAttributes() {
    /** Length of the pause, in milliseconds. */
    public var durationMs: Number? by given

    /** When it ends. */
    public var untilDate: Any? by given

    /** `fixed` or `dynamic`. */
    public var sleepType: String? by given

    /** Id of the entry. */
    public var entryId: String? by given

    /** What the entry is for. */
    public var entryDescription: String? by given

    /** Metadata of the entry. */
    public var entryMetadata: Any? by given
}

/** Records what `body` does as a span: a pause of a workflow. */
@JvmSynthetic
public inline fun <R> workflowSleep(
    name: String,
    attributes: WorkflowSleepAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.WorkflowSleep, WorkflowSleepAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workflow_wait_event`. */
public class WorkflowWaitEventAttributes : TypedAttributes() {
    /** Event that is waited for. */
    public var eventName: String? by given

    /** Longest wait, in milliseconds. */
    public var timeoutMs: Number? by given

    /** Whether it came. */
    public var eventReceived: Boolean? by given

    /** Length of the wait, in milliseconds. */
    public var waitDurationMs: Number? by given
}

/** Records what `body` does as a span: a wait for an event in a workflow. */
@JvmSynthetic
public inline fun <R> workflowWaitEvent(
    name: String,
    attributes: WorkflowWaitEventAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.WorkflowWaitEvent, WorkflowWaitEventAttributes().apply(attributes), options, body)

/** Attributes of spans of type `model_generation`. */
public class ModelGenerationAttributes : TypedAttributes() {
    /** Model that was asked for. */
    public var model: String? by given

    /** Provider, such as `openai`. */
    public var provider: String? by given

    /** Model that answered. */
    public var responseModel: String? by given

    /** Temperature. */
    public var temperature: Number? by given

    /** Nucleus sampling. */
    public var topP: Number? by given

    /** Top-k sampling. */
    public var topK: Long? by given

    /** Most tokens of the answer. */
    public var maxTokens: Long? by given

    /** The same. */
    public var maxOutputTokens: Long? by given

    /** Frequency penalty. */
    public var frequencyPenalty: Number? by given

    /** Presence penalty. */
    public var presencePenalty: Number? by given

    /** Texts at which to stop. */
    public var stopSequences: Any? by given

    /** Seed of the sampling. */
    public var seed: Long? by given

    /** How many answers. */
    public var choiceCount: Long? by given

    /** Formats of embeddings. */
    public var encodingFormats: Any? by given

    /** Effort of reasoning. */
    public var reasoningLevel: String? by given

    /** Answer that this one continues. */
    public var previousResponseId: String? by given

    /** Token counts; see below. */
    public var usage: Map<String, *>? by given

    /** Tokens of the input, cached ones included. */
    public var inputTokens: Long? by given

    /** Tokens of the output. */
    public var outputTokens: Long? by given

    /** `chat`, `generate_content` or `text_completion`. */
    public var operation: String? by given

    /** Id of the answer. */
    public var responseId: String? by given

    /** Why the model stopped. */
    public var finishReason: Any? by given

    /** The same, for each choice. */
    public var finishReasons: Any? by given

    /** Whether the answer was streamed. */
    public var streaming: Boolean? by given

    /** When the first output came. */
    public var completionStartTime: Any? by given

    /** Seconds until the first output. */
    public var timeToFirstChunk: Number? by given

    /** Request parameters by name, as a map. */
    public var parameters: Map<String, *>? by given

    /** System instructions. */
    public var instructions: Any? by given

    /** Tools the model may ask for. */
    public var tools: Any? by given

    /** Conversation it belongs to. */
    public var conversationId: String? by given

    /** Id of the agent that calls. */
    public var agentId: String? by given

    /** Name of the agent that calls. */
    public var agentName: String? by given

    /** `text`, `json`, `image` or `speech`. */
    public var outputType: String? by given

    /** Name of the prompt. */
    public var promptName: String? by given

    /** Version of the prompt. */
    public var promptVersion: String? by given

    /** `tool_selection`, `response_generation`, `reasoning` or `planning`. */
    public var resultType: String? by given

    /** Estimated cost, its unit and what it is based on. */
    public var costContext: Any? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given
}

/** Records what `body` does as a span: a call of a model as the application sees it, with all its steps. */
@JvmSynthetic
public inline fun <R> modelGeneration(
    name: String,
    attributes: ModelGenerationAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ModelGeneration, ModelGenerationAttributes().apply(attributes), options, body)

/** Attributes of spans of type `model_step`. */
public class ModelStepAttributes : TypedAttributes() {
    /** Place of the step, from 0. */
    public var stepIndex: Long? by given

    /** Token counts of the step; see below. */
    public var usage: Map<String, *>? by given

    /** Why the step ended. */
    public var finishReason: String? by given

    /** Whether another step follows. */
    public var isContinued: Boolean? by given

    /** What the provider warned of. */
    public var warnings: Any? by given
}

/** Records what `body` does as a span: one step of a generation: an answer of the model and the tools it asked for. */
@JvmSynthetic
public inline fun <R> modelStep(
    name: String,
    attributes: ModelStepAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ModelStep, ModelStepAttributes().apply(attributes), options, body)

/** Attributes of spans of type `model_inference`. */
public class ModelInferenceAttributes : TypedAttributes() {
    /** Model that was asked for. */
    public var model: String? by given

    /** Provider, such as `openai`. */
    public var provider: String? by given

    /** Model that answered. */
    public var responseModel: String? by given

    /** Temperature. */
    public var temperature: Number? by given

    /** Nucleus sampling. */
    public var topP: Number? by given

    /** Top-k sampling. */
    public var topK: Long? by given

    /** Most tokens of the answer. */
    public var maxTokens: Long? by given

    /** The same. */
    public var maxOutputTokens: Long? by given

    /** Frequency penalty. */
    public var frequencyPenalty: Number? by given

    /** Presence penalty. */
    public var presencePenalty: Number? by given

    /** Texts at which to stop. */
    public var stopSequences: Any? by given

    /** Seed of the sampling. */
    public var seed: Long? by given

    /** How many answers. */
    public var choiceCount: Long? by given

    /** Formats of embeddings. */
    public var encodingFormats: Any? by given

    /** Effort of reasoning. */
    public var reasoningLevel: String? by given

    /** Answer that this one continues. */
    public var previousResponseId: String? by given

    /** Token counts; see below. */
    public var usage: Map<String, *>? by given

    /** Tokens of the input, cached ones included. */
    public var inputTokens: Long? by given

    /** Tokens of the output. */
    public var outputTokens: Long? by given

    /** `chat`, `generate_content` or `text_completion`. */
    public var operation: String? by given

    /** Id of the answer. */
    public var responseId: String? by given

    /** Why the model stopped. */
    public var finishReason: Any? by given

    /** The same, for each choice. */
    public var finishReasons: Any? by given

    /** Whether the answer was streamed. */
    public var streaming: Boolean? by given

    /** When the first output came. */
    public var completionStartTime: Any? by given

    /** Seconds until the first output. */
    public var timeToFirstChunk: Number? by given

    /** Request parameters by name, as a map. */
    public var parameters: Map<String, *>? by given

    /** System instructions. */
    public var instructions: Any? by given

    /** Tools the model may ask for. */
    public var tools: Any? by given

    /** Conversation it belongs to. */
    public var conversationId: String? by given

    /** Id of the agent that calls. */
    public var agentId: String? by given

    /** Name of the agent that calls. */
    public var agentName: String? by given

    /** `text`, `json`, `image` or `speech`. */
    public var outputType: String? by given

    /** Name of the prompt. */
    public var promptName: String? by given

    /** Version of the prompt. */
    public var promptVersion: String? by given

    /** `tool_selection`, `response_generation`, `reasoning` or `planning`. */
    public var resultType: String? by given

    /** Estimated cost, its unit and what it is based on. */
    public var costContext: Any? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given

    /** Step of the generation it belongs to, from 0. */
    public var stepIndex: Long? by given

    /** What the provider warned of. */
    public var warnings: Any? by given

    /** Options that only this provider has. */
    public var providerOptions: Any? by given

    /** Names of the tools on offer. */
    public var availableTools: Any? by given

    /** `auto`, `none`, `required` or one tool. */
    public var toolChoice: Any? by given

    /** `text`, `json` or a schema. */
    public var responseFormat: Any? by given
}

/** Records what `body` does as a span: one request to a model provider. */
@JvmSynthetic
public inline fun <R> modelInference(
    name: String,
    attributes: ModelInferenceAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ModelInference, ModelInferenceAttributes().apply(attributes), options, body)

/** Attributes of spans of type `model_chunk`. */
public class ModelChunkAttributes : TypedAttributes() {
    /** `text`, `reasoning`, `tool-call` or `object`. */
    public var chunkType: String? by given

    /** Place in the stream, from 0. */
    public var sequenceNumber: Long? by given
}

/** Records what `body` does as a span: a run of streamed model output of one kind. */
@JvmSynthetic
public inline fun <R> modelChunk(
    name: String,
    attributes: ModelChunkAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ModelChunk, ModelChunkAttributes().apply(attributes), options, body)

/** Attributes of spans of type `tool`. */
public class ToolAttributes : TypedAttributes() {
    /** Name of the tool; the span's name by default. */
    public var toolName: String? by given

    /** `function`, `extension` or `datastore`. */
    public var toolType: String? by given

    /** What the tool is for. */
    public var toolDescription: String? by given

    /** Id of the call that the model made. */
    public var toolCallId: String? by given

    /** Whether the tool did what it was asked for. */
    public var success: Boolean? by given
}

/** Records what `body` does as a span: a tool run by the application. */
@JvmSynthetic
public inline fun <R> tool(
    name: String,
    attributes: ToolAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.Tool, ToolAttributes().apply(attributes), options, body)

/** Attributes of spans of type `mcp_tool`. */
public class McpToolAttributes : TypedAttributes() {
    /** Name of the tool; the span's name by default. */
    public var toolName: String? by given

    /** `function`, `extension` or `datastore`. */
    public var toolType: String? by given

    /** What the tool is for. */
    public var toolDescription: String? by given

    /** Id of the call that the model made. */
    public var toolCallId: String? by given

    /** Whether the tool did what it was asked for. */
    public var success: Boolean? by given

    /** Method of the protocol. */
    public var mcpMethod: String? by given

    /** Name of the server. */
    public var mcpServer: String? by given

    /** Version of the server. */
    public var serverVersion: String? by given

    /** Session of the protocol. */
    public var mcpSessionId: String? by given

    /** Version of the protocol. */
    public var mcpProtocolVersion: String? by given

    /** Id of the request. */
    public var jsonrpcRequestId: String? by given

    /** Resource that was read. */
    public var resourceUri: String? by given

    /** `pipe`, `tcp` or `quic`. */
    public var networkTransport: String? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given
}

/** Records what `body` does as a span: a tool run through the Model Context Protocol. */
@JvmSynthetic
public inline fun <R> mcpTool(
    name: String,
    attributes: McpToolAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.McpTool, McpToolAttributes().apply(attributes), options, body)

/** Attributes of spans of type `provider_tool`. */
public class ProviderToolAttributes : TypedAttributes() {
    /** Name of the tool; the span's name by default. */
    public var toolName: String? by given

    /** `function`, `extension` or `datastore`. */
    public var toolType: String? by given

    /** What the tool is for. */
    public var toolDescription: String? by given

    /** Id of the call that the model made. */
    public var toolCallId: String? by given

    /** Whether the tool did what it was asked for. */
    public var success: Boolean? by given
}

/** Records what `body` does as a span: a tool run by the model provider. */
@JvmSynthetic
public inline fun <R> providerTool(
    name: String,
    attributes: ProviderToolAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ProviderTool, ProviderToolAttributes().apply(attributes), options, body)

/** Attributes of spans of type `client_tool`. */
public class ClientToolAttributes : TypedAttributes() {
    /** Name of the tool; the span's name by default. */
    public var toolName: String? by given

    /** `function`, `extension` or `datastore`. */
    public var toolType: String? by given

    /** What the tool is for. */
    public var toolDescription: String? by given

    /** Id of the call that the model made. */
    public var toolCallId: String? by given

    /** Whether the tool did what it was asked for. */
    public var success: Boolean? by given

    /** Where it ran, such as `browser`. */
    public var clientEnvironment: String? by given
}

/** Records what `body` does as a span: a tool run by the client of the application. */
@JvmSynthetic
public inline fun <R> clientTool(
    name: String,
    attributes: ClientToolAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ClientTool, ClientToolAttributes().apply(attributes), options, body)

/** Attributes of spans of type `mcp_server_request`. */
public class McpServerRequestAttributes : TypedAttributes() {
    /** Method of the protocol. */
    public var mcpMethod: String? by given

    /** Name of the server. */
    public var mcpServer: String? by given

    /** Version of the server. */
    public var serverVersion: String? by given

    /** Session of the protocol. */
    public var mcpSessionId: String? by given

    /** Version of the protocol. */
    public var mcpProtocolVersion: String? by given

    /** Id of the request. */
    public var jsonrpcRequestId: String? by given

    /** Resource that was read. */
    public var resourceUri: String? by given

    /** `pipe`, `tcp` or `quic`. */
    public var networkTransport: String? by given

    /** Tool that was called. */
    public var toolName: String? by given

    /** Prompt that was asked for. */
    public var promptName: String? by given

    /** Tool or prompt, whichever the method is about. */
    public var targetName: String? by given

    /** Name of the client. */
    public var clientName: String? by given

    /** Version of the client. */
    public var clientVersion: String? by given

    /** Address of the client. */
    public var clientAddress: String? by given
}

/** Records what `body` does as a span: a request served by a Model Context Protocol server. */
@JvmSynthetic
public inline fun <R> mcpServerRequest(
    name: String,
    attributes: McpServerRequestAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.McpServerRequest, McpServerRequestAttributes().apply(attributes), options, body)

/** Attributes of spans of type `processor`. */
public class ProcessorAttributes : TypedAttributes() {
    /** `workflow` or `legacy`. */
    public var processorExecutor: String? by given

    /** Place of the processor in its chain. */
    public var processorIndex: Long? by given

    /** Which hook ran, such as `input` or `outputStream`. */
    public var processorPhase: String? by given

    /** Time in the hook, in milliseconds. */
    public var hookDurationMs: Number? by given

    /** What was added to or removed from the messages. */
    public var messageListMutations: Any? by given

    /** Why processing was stopped: reason, retry, metadata. */
    public var tripwireAbort: Any? by given
}

/** Records what `body` does as a span: a processor of input or output, guardrails among them. */
@JvmSynthetic
public inline fun <R> processor(
    name: String,
    attributes: ProcessorAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.Processor, ProcessorAttributes().apply(attributes), options, body)

/** Attributes of spans of type `memory_lookup`. */
public class MemoryLookupAttributes : TypedAttributes() {
    /** `search_memory`, `upsert_memory` and the like. */
    public var operation: String? by given

    /** Service that keeps the memory. */
    public var provider: String? by given

    /** Id of the store. */
    public var storeId: String? by given

    /** Id of the record. */
    public var recordId: String? by given

    /** How many records. */
    public var recordCount: Long? by given

    /** What is searched for. */
    public var query: String? by given

    /** Most records to return. */
    public var topK: Long? by given

    /** Lowest similarity to return. */
    public var minScore: Number? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given
}

/** Records what `body` does as a span: a search of memory. */
@JvmSynthetic
public inline fun <R> memoryLookup(
    name: String,
    attributes: MemoryLookupAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.MemoryLookup, MemoryLookupAttributes().apply(attributes), options, body)

/** Attributes of spans of type `memory_update`. */
public class MemoryUpdateAttributes : TypedAttributes() {
    /** `search_memory`, `upsert_memory` and the like. */
    public var operation: String? by given

    /** Service that keeps the memory. */
    public var provider: String? by given

    /** Id of the store. */
    public var storeId: String? by given

    /** Id of the record. */
    public var recordId: String? by given

    /** How many records. */
    public var recordCount: Long? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given
}

/** Records what `body` does as a span: a change of memory. */
@JvmSynthetic
public inline fun <R> memoryUpdate(
    name: String,
    attributes: MemoryUpdateAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.MemoryUpdate, MemoryUpdateAttributes().apply(attributes), options, body)

/** Attributes of spans of type `memory_operation`. */
public class MemoryOperationAttributes : TypedAttributes() {
    /** `workflow` or `legacy`. */
    public var processorExecutor: String? by given

    /** Place of the processor in its chain. */
    public var processorIndex: Long? by given

    /** Which hook ran, such as `input` or `outputStream`. */
    public var processorPhase: String? by given

    /** Time in the hook, in milliseconds. */
    public var hookDurationMs: Number? by given

    /** What was added to or removed from the messages. */
    public var messageListMutations: Any? by given

    /** Why processing was stopped: reason, retry, metadata. */
    public var tripwireAbort: Any? by given

    /** `recall`, `save`, `delete`, `update`, `observe` or `reflect`. */
    public var operationType: String? by given

    /** Messages that were recalled or saved. */
    public var messageCount: Long? by given

    /** Tokens that were embedded. */
    public var embeddingTokens: Long? by given

    /** Results of the vector search. */
    public var vectorResultCount: Long? by given

    /** Tokens that were observed. */
    public var inputTokens: Long? by given

    /** Whether semantic recall is on. */
    public var semanticRecallEnabled: Boolean? by given

    /** Whether working memory is on. */
    public var workingMemoryEnabled: Boolean? by given

    /** Whether several threads are searched. */
    public var multiThread: Boolean? by given

    /** How many last messages, or false. */
    public var lastMessages: Any? by given

    /** Model that observes or reflects. */
    public var selectedModel: String? by given
}

/** Records what `body` does as a span: any other operation on memory. */
@JvmSynthetic
public inline fun <R> memoryOperation(
    name: String,
    attributes: MemoryOperationAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.MemoryOperation, MemoryOperationAttributes().apply(attributes), options, body)

/** Attributes of spans of type `rag_query`. */
public class RagQueryAttributes : TypedAttributes() {
    /** What is searched. */
    public var dataSourceId: String? by given

    /** What is searched for. */
    public var query: String? by given

    /** Most documents to return. */
    public var topK: Long? by given

    /** What was found: `id`, `score`, `content`. */
    public var documents: Any? by given

    /** Service that searches. */
    public var provider: String? by given

    /** Model that embeds the query. */
    public var model: String? by given

    /** Vector store. */
    public var store: String? by given

    /** Index of the store. */
    public var indexName: String? by given

    /** Lowest relevance to return. */
    public var minScore: Number? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given
}

/** Records what `body` does as a span: a query of a retrieval pipeline. */
@JvmSynthetic
public inline fun <R> ragQuery(
    name: String,
    attributes: RagQueryAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.RagQuery, RagQueryAttributes().apply(attributes), options, body)

/** Attributes of spans of type `rag_ingestion`. */
public class RagIngestionAttributes : TypedAttributes() {
    /** Name of the pipeline. */
    public var pipelineName: String? by given

    /** Vector store. */
    public var vectorStore: String? by given

    /** Index of the store. */
    public var indexName: String? by given

    /** Model that embeds. */
    public var embeddingModel: String? by given

    /** Provider of that model. */
    public var embeddingProvider: String? by given

    /** How many documents. */
    public var sourceCount: Long? by given
}

/** Records what `body` does as a span: the ingestion of documents. */
@JvmSynthetic
public inline fun <R> ragIngestion(
    name: String,
    attributes: RagIngestionAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.RagIngestion, RagIngestionAttributes().apply(attributes), options, body)

/** Attributes of spans of type `rag_embedding`. */
public class RagEmbeddingAttributes : TypedAttributes() {
    /** Model that was asked for. */
    public var model: String? by given

    /** Provider, such as `openai`. */
    public var provider: String? by given

    /** Model that answered. */
    public var responseModel: String? by given

    /** Length of a vector. */
    public var dimensions: Long? by given

    /** Formats of the vectors. */
    public var encodingFormats: Any? by given

    /** How many texts. */
    public var inputCount: Long? by given

    /** `ingest` or `query`. */
    public var mode: String? by given

    /** Token counts; see below. */
    public var usage: Map<String, *>? by given

    /** Tokens of the input. */
    public var inputTokens: Long? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given
}

/** Records what `body` does as a span: embeddings made for retrieval. */
@JvmSynthetic
public inline fun <R> ragEmbedding(
    name: String,
    attributes: RagEmbeddingAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.RagEmbedding, RagEmbeddingAttributes().apply(attributes), options, body)

/** Attributes of spans of type `rag_vector_operation`. */
public class RagVectorOperationAttributes : TypedAttributes() {
    /** `query`, `upsert`, `delete` or `fetch`. */
    public var operation: String? by given

    /** Vector store. */
    public var store: String? by given

    /** Index of the store. */
    public var indexName: String? by given

    /** Most results to return. */
    public var topK: Long? by given

    /** Length of a vector. */
    public var dimensions: Long? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given
}

/** Records what `body` does as a span: an operation on a vector store. */
@JvmSynthetic
public inline fun <R> ragVectorOperation(
    name: String,
    attributes: RagVectorOperationAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.RagVectorOperation, RagVectorOperationAttributes().apply(attributes), options, body)

/** Attributes of spans of type `rag_action`. */
public class RagActionAttributes : TypedAttributes() {
    /** `chunk`, `extract_metadata` or `rerank`. */
    public var action: String? by given

    /** How text is cut into chunks. */
    public var strategy: String? by given

    /** Size of a chunk. */
    public var chunkSize: Long? by given

    /** What chunks have in common. */
    public var chunkOverlap: Long? by given

    /** What extracts the metadata. */
    public var extractor: String? by given

    /** Model that extracts or ranks. */
    public var model: String? by given

    /** Provider of that model. */
    public var provider: String? by given

    /** Documents to rank. */
    public var candidateCount: Long? by given

    /** Documents to keep. */
    public var topN: Long? by given

    /** What ranks. */
    public var scorer: String? by given
}

/** Records what `body` does as a span: chunking, metadata extraction or reranking. */
@JvmSynthetic
public inline fun <R> ragAction(
    name: String,
    attributes: RagActionAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.RagAction, RagActionAttributes().apply(attributes), options, body)

/** Attributes of spans of type `embedding_generation`. */
public class EmbeddingGenerationAttributes : TypedAttributes() {
    /** Model that was asked for. */
    public var model: String? by given

    /** Provider, such as `openai`. */
    public var provider: String? by given

    /** Model that answered. */
    public var responseModel: String? by given

    /** Length of a vector. */
    public var dimensions: Long? by given

    /** Formats of the vectors. */
    public var encodingFormats: Any? by given

    /** How many texts. */
    public var inputCount: Long? by given

    /** `ingest` or `query`. */
    public var mode: String? by given

    /** Token counts; see below. */
    public var usage: Map<String, *>? by given

    /** Tokens of the input. */
    public var inputTokens: Long? by given

    /** Host name or address of the server. */
    public var serverAddress: String? by given

    /** Port of the server. */
    public var serverPort: Long? by given
}

/** Records what `body` does as a span: embeddings made for any other use. */
@JvmSynthetic
public inline fun <R> embeddingGeneration(
    name: String,
    attributes: EmbeddingGenerationAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.EmbeddingGeneration, EmbeddingGenerationAttributes().apply(attributes), options, body)

/** Attributes of spans of type `scorer_run`. */
public class ScorerRunAttributes : TypedAttributes() {
    /** Id of the scorer. */
    public var scorerId: String? by given

    /** Name of the scorer; the span's by default. */
    public var scorerName: String? by given

    /** `live`, `trace` or `experiment`. */
    public var scoreSource: String? by given

    /** `span` or `trajectory`. */
    public var targetScope: String? by given

    /** What was scored. */
    public var targetEntityType: String? by given

    /** `code`, `stored` or `fs`. */
    public var scorerDefinition: String? by given

    /** Score that was given. */
    public var score: Number? by given

    /** What the score means. */
    public var label: String? by given

    /** Why it was given. */
    public var explanation: String? by given

    /** Answer that was judged. */
    public var responseId: String? by given
}

/** Records what `body` does as a span: one run of a scorer. */
@JvmSynthetic
public inline fun <R> scorerRun(
    name: String,
    attributes: ScorerRunAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ScorerRun, ScorerRunAttributes().apply(attributes), options, body)

/** Attributes of spans of type `scorer_step`. */
public class ScorerStepAttributes : TypedAttributes() {
    /** Name of the step. */
    public var step: String? by given

    /** `function` or `prompt`. */
    public var stepType: String? by given

    /** Prompt of the step. */
    public var prompt: String? by given

    /** Model that judges. */
    public var judgeModel: String? by given
}

/** Records what `body` does as a span: a step of a scorer. */
@JvmSynthetic
public inline fun <R> scorerStep(
    name: String,
    attributes: ScorerStepAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ScorerStep, ScorerStepAttributes().apply(attributes), options, body)

/** Attributes of spans of type `evaluation`. */
public class EvaluationAttributes : TypedAttributes() {
    /** What is evaluated; the span's name by default. */
    public var evaluationName: String? by given

    /** Score that was given. */
    public var score: Number? by given

    /** What the score means. */
    public var label: String? by given

    /** Why it was given. */
    public var explanation: String? by given

    /** Answer that was judged. */
    public var responseId: String? by given
}

/** Records what `body` does as a span: an evaluation by any other framework. */
@JvmSynthetic
public inline fun <R> evaluation(
    name: String,
    attributes: EvaluationAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.Evaluation, EvaluationAttributes().apply(attributes), options, body)

/** Attributes of spans of type `mapping`. */
public class MappingAttributes : TypedAttributes() {
    /** Kind of mapping. */
    public var mappingType: String? by given

    /** Call of a tool it belongs to. */
    public var toolCallId: String? by given
}

/** Records what `body` does as a span: a mapping between the values of two steps. */
@JvmSynthetic
public inline fun <R> mapping(
    name: String,
    attributes: MappingAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.Mapping, MappingAttributes().apply(attributes), options, body)

/** Attributes of spans of type `workspace_action`. */
public class WorkspaceActionAttributes : TypedAttributes() {
    /** `workflow` or `legacy`. */
    public var processorExecutor: String? by given

    /** Place of the processor in its chain. */
    public var processorIndex: Long? by given

    /** Which hook ran, such as `input` or `outputStream`. */
    public var processorPhase: String? by given

    /** Time in the hook, in milliseconds. */
    public var hookDurationMs: Number? by given

    /** What was added to or removed from the messages. */
    public var messageListMutations: Any? by given

    /** Why processing was stopped: reason, retry, metadata. */
    public var tripwireAbort: Any? by given

    /** `filesystem`, `sandbox`, `search`, `skill`, `mount` or `computer`. */
    public var category: String? by given

    /** Id of the workspace. */
    public var workspaceId: String? by given

    /** Name of the workspace. */
    public var workspaceName: String? by given

    /** What runs the sandbox. */
    public var sandboxProvider: String? by given

    /** What keeps the files. */
    public var filesystemProvider: String? by given

    /** Whether it was done. */
    public var success: Boolean? by given
}

/** Records what `body` does as a span: an action in a workspace: files, sandbox, search. */
@JvmSynthetic
public inline fun <R> workspaceAction(
    name: String,
    attributes: WorkspaceActionAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.WorkspaceAction, WorkspaceActionAttributes().apply(attributes), options, body)

/** Attributes of spans of type `skill_action`. */
public class SkillActionAttributes : TypedAttributes() {
    /** `workflow` or `legacy`. */
    public var processorExecutor: String? by given

    /** Place of the processor in its chain. */
    public var processorIndex: Long? by given

    /** Which hook ran, such as `input` or `outputStream`. */
    public var processorPhase: String? by given

    /** Time in the hook, in milliseconds. */
    public var hookDurationMs: Number? by given

    /** What was added to or removed from the messages. */
    public var messageListMutations: Any? by given

    /** Why processing was stopped: reason, retry, metadata. */
    public var tripwireAbort: Any? by given

    /** `resolve`, `inject`, `activate`, `search` or `read`. */
    public var operation: String? by given

    /** Agent that uses it. */
    public var agentId: String? by given

    /** Name of the skill. */
    public var skillName: String? by given

    /** Form in which it is stored. */
    public var skillFormat: String? by given

    /** How many were found. */
    public var skillCount: Long? by given

    /** Whether it was done. */
    public var success: Boolean? by given
}

/** Records what `body` does as a span: a skill resolved, searched, read, injected or activated. */
@JvmSynthetic
public inline fun <R> skillAction(
    name: String,
    attributes: SkillActionAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.SkillAction, SkillActionAttributes().apply(attributes), options, body)

/** Attributes of spans of type `graph_action`. */
public class GraphActionAttributes : TypedAttributes() {
    /** `build`, `traverse`, `update` or `prune`. */
    public var action: String? by given

    /** Nodes of the graph. */
    public var nodeCount: Long? by given

    /** Edges of the graph. */
    public var edgeCount: Long? by given

    /** Lowest similarity for an edge. */
    public var threshold: Number? by given

    /** Nodes to start from. */
    public var startNodes: Long? by given

    /** Longest way from there. */
    public var maxDepth: Long? by given
}

/** Records what `body` does as a span: an action on a knowledge graph. */
@JvmSynthetic
public inline fun <R> graphAction(
    name: String,
    attributes: GraphActionAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.GraphAction, GraphActionAttributes().apply(attributes), options, body)

/** Attributes of spans of type `classifier_evaluation`. */
public class ClassifierEvaluationAttributes : TypedAttributes() {
    /** Id of the classifier. */
    public var classifierId: String? by given

    /** Model that classifies. */
    public var modelId: String? by given

    /** Provider of that model. */
    public var provider: String? by given

    /** What failed. */
    public var errorType: String? by given

    /** Kinds of questions. */
    public var questionTypes: Any? by given

    /** How many questions. */
    public var questionCount: Long? by given

    /** Most attempts after the first. */
    public var maxRetries: Long? by given

    /** Attempts that were made. */
    public var attemptCount: Long? by given

    /** Those after the first. */
    public var retryCount: Long? by given

    /** Time it took, in milliseconds. */
    public var durationMs: Number? by given

    /** Token counts; see below. */
    public var usage: Map<String, *>? by given
}

/** Records what `body` does as a span: the evaluation of a classifier. */
@JvmSynthetic
public inline fun <R> classifierEvaluation(
    name: String,
    attributes: ClassifierEvaluationAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.ClassifierEvaluation, ClassifierEvaluationAttributes().apply(attributes), options, body)

/** Attributes of spans of type `agent_signal`. */
public class AgentSignalAttributes : TypedAttributes() {
    /** State it is about. */
    public var stateId: String? by given

    /** Tag it is sent under. */
    public var tagName: String? by given

    /** Processor that sent it. */
    public var processorId: String? by given

    /** `snapshot` or `delta`. */
    public var mode: String? by given
}

/** Records what `body` does as a span: a signal that an agent received or sent. */
@JvmSynthetic
public inline fun <R> agentSignal(
    name: String,
    attributes: AgentSignalAttributes.() -> Unit = {},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.AgentSignal, AgentSignalAttributes().apply(attributes), options, body)
