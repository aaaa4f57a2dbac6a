"""Spans by their type: for each a function that starts one, with its attributes as typed arguments, and a
``TypedDict`` of these attributes for ``span.update(attributes=...)``.

``polyspan.tool("search", tool_call_id="c1", input=query)`` is ``polyspan.span("search", type="tool", ...)`` with
arguments that an editor completes and a type checker knows. What the attributes are called on the wire stands in
``docs/ai-spans.md``.

Written by ``tools/spans.py`` from the table of span types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from ._polyspan import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from typing_extensions import Unpack

    from ._polyspan import Span, _Kind, _Pairs, _Parent, _Time

__all__ = [
    "AgentAttributes",
    "AgentSignalAttributes",
    "ClassifierEvaluationAttributes",
    "ClientToolAttributes",
    "EmbeddingGenerationAttributes",
    "EvaluationAttributes",
    "GraphActionAttributes",
    "MappingAttributes",
    "McpServerRequestAttributes",
    "McpToolAttributes",
    "MemoryLookupAttributes",
    "MemoryOperationAttributes",
    "MemoryUpdateAttributes",
    "ModelChunkAttributes",
    "ModelGenerationAttributes",
    "ModelInferenceAttributes",
    "ModelStepAttributes",
    "ProcessorAttributes",
    "ProviderToolAttributes",
    "RagActionAttributes",
    "RagEmbeddingAttributes",
    "RagIngestionAttributes",
    "RagQueryAttributes",
    "RagVectorOperationAttributes",
    "ScorerRunAttributes",
    "ScorerStepAttributes",
    "SkillActionAttributes",
    "SpanOptions",
    "TokenDetails",
    "ToolAttributes",
    "Usage",
    "WorkflowAttributes",
    "WorkflowConditionalAttributes",
    "WorkflowConditionalEvalAttributes",
    "WorkflowLoopAttributes",
    "WorkflowParallelAttributes",
    "WorkflowSleepAttributes",
    "WorkflowStepAttributes",
    "WorkflowWaitEventAttributes",
    "WorkspaceActionAttributes",
    "agent",
    "agent_signal",
    "classifier_evaluation",
    "client_tool",
    "embedding_generation",
    "evaluation",
    "graph_action",
    "mapping",
    "mcp_server_request",
    "mcp_tool",
    "memory_lookup",
    "memory_operation",
    "memory_update",
    "model_chunk",
    "model_generation",
    "model_inference",
    "model_step",
    "processor",
    "provider_tool",
    "rag_action",
    "rag_embedding",
    "rag_ingestion",
    "rag_query",
    "rag_vector_operation",
    "scorer_run",
    "scorer_step",
    "skill_action",
    "tool",
    "workflow",
    "workflow_conditional",
    "workflow_conditional_eval",
    "workflow_loop",
    "workflow_parallel",
    "workflow_sleep",
    "workflow_step",
    "workflow_wait_event",
    "workspace_action",
]


class SpanOptions(TypedDict, total=False):
    """What every span takes besides its attributes; see :func:`polyspan.span` and :func:`polyspan.context`."""

    kind: _Kind
    attributes: _Pairs
    """further attributes"""
    input: object
    metadata: _Pairs
    tags: Iterable[str]
    parent: _Parent
    links: Iterable[_Parent | tuple[_Parent, _Pairs]]
    start_time: _Time
    root: bool
    trace_id: str
    session_id: str
    user_id: str
    organization_id: str
    thread_id: str
    run_id: str
    request_id: str
    resource_id: str
    environment: str
    entity_type: str
    entity_id: str
    entity_name: str
    hide_input: bool
    hide_output: bool
    internal: bool
    internal_spans: str | Iterable[str]
    request_context: Mapping[str, object]
    request_context_keys: Iterable[str]


_OPTIONS = frozenset(SpanOptions.__annotations__)


class TokenDetails(TypedDict, total=False):
    """What the tokens of the input or output are."""

    text: int
    image: int
    audio: int
    cache_read: int
    cache_write: int
    cache_write_5m: int
    cache_write_1h: int
    reasoning: int


class Usage(TypedDict, total=False):
    """Token counts of a call. The names that providers and libraries use are understood as well."""

    input_tokens: int
    """tokens of the input, cached ones included"""
    output_tokens: int
    """tokens of the output, reasoning included"""
    total_tokens: int
    input_details: TokenDetails
    output_details: TokenDetails


def _start(span_type: str, name: str, given: dict[str, Any]) -> Span:
    options = {key: given.pop(key) for key in _OPTIONS.intersection(given)}
    more = options.pop("attributes", None)
    if isinstance(more, dict):
        # Known from the start, as samplers want it.
        given, more = given | more, None
    current = span(name, type=span_type, attributes=given, **options)
    if more is not None:
        current.update(attributes=more)
    return current


class AgentAttributes(TypedDict, total=False):
    """Attributes of spans of type ``agent``."""

    agent_name: str
    """name of the agent; the span's name by default"""
    agent_id: str
    """id of an agent hosted by a provider"""
    agent_description: str
    """what the agent is for"""
    agent_version: str
    """version of the agent"""
    conversation_id: str
    """conversation it belongs to"""
    instructions: str | Sequence[object]
    """instructions of the agent"""
    available_tools: Sequence[object] | Mapping[str, object]
    """tools it may use, by name or definition"""
    prompt: str
    """prompt it was given"""
    max_steps: int
    """most steps it may take"""
    resolved_version_id: str
    """version that was chosen"""
    model: str
    """model it was told to use"""
    provider: str
    """provider of a remote agent"""
    finish_reason: str | Sequence[str]
    """why it stopped"""
    usage: Usage | Mapping[str, object]
    """token counts of all its calls; see below"""
    tripwire_abort: object
    """why it was stopped: reason, processor, metadata"""


class _AgentGiven(AgentAttributes, SpanOptions, total=False):
    pass


def agent(name: str = "agent", /, **given: Unpack[_AgentGiven]) -> Span:
    """One run of an agent."""
    return _start("agent", name, given)  # type: ignore[arg-type]


class WorkflowAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workflow``."""

    workflow_name: str
    """name of the workflow; the span's by default"""
    workflow_id: str
    """id of the workflow"""
    status: str
    """``success``, ``failed``, ``suspended`` and the like"""


class _WorkflowGiven(WorkflowAttributes, SpanOptions, total=False):
    pass


def workflow(name: str = "workflow", /, **given: Unpack[_WorkflowGiven]) -> Span:
    """One run of a workflow."""
    return _start("workflow", name, given)  # type: ignore[arg-type]


class WorkflowStepAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workflow_step``."""

    step_id: str
    """id of the step"""
    status: str
    """``success``, ``failed``, ``suspended`` and the like"""
    entry_id: str
    """id of the entry"""
    entry_description: str
    """what the entry is for"""
    entry_metadata: object
    """metadata of the entry"""


class _WorkflowStepGiven(WorkflowStepAttributes, SpanOptions, total=False):
    pass


def workflow_step(name: str = "workflow_step", /, **given: Unpack[_WorkflowStepGiven]) -> Span:
    """A step of a workflow."""
    return _start("workflow_step", name, given)  # type: ignore[arg-type]


class WorkflowConditionalAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workflow_conditional``."""

    condition_count: int
    """how many conditions there are"""
    truthy_indexes: object
    """places of those that held"""
    selected_steps: str | Sequence[str]
    """steps that were chosen"""
    entry_id: str
    """id of the entry"""
    entry_description: str
    """what the entry is for"""
    entry_metadata: object
    """metadata of the entry"""


class _WorkflowConditionalGiven(WorkflowConditionalAttributes, SpanOptions, total=False):
    pass


def workflow_conditional(
    name: str = "workflow_conditional", /, **given: Unpack[_WorkflowConditionalGiven]
) -> Span:
    """A branching point of a workflow."""
    return _start("workflow_conditional", name, given)  # type: ignore[arg-type]


class WorkflowConditionalEvalAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workflow_conditional_eval``."""

    condition_index: int
    """place of the condition, from 0"""
    result: bool
    """whether it held"""


class _WorkflowConditionalEvalGiven(WorkflowConditionalEvalAttributes, SpanOptions, total=False):
    pass


def workflow_conditional_eval(
    name: str = "workflow_conditional_eval", /, **given: Unpack[_WorkflowConditionalEvalGiven]
) -> Span:
    """The evaluation of one condition of a branching point."""
    return _start("workflow_conditional_eval", name, given)  # type: ignore[arg-type]


class WorkflowParallelAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workflow_parallel``."""

    branch_count: int
    """how many branches there are"""
    parallel_steps: str | Sequence[str]
    """their steps"""
    entry_id: str
    """id of the entry"""
    entry_description: str
    """what the entry is for"""
    entry_metadata: object
    """metadata of the entry"""


class _WorkflowParallelGiven(WorkflowParallelAttributes, SpanOptions, total=False):
    pass


def workflow_parallel(name: str = "workflow_parallel", /, **given: Unpack[_WorkflowParallelGiven]) -> Span:
    """Parallel branches of a workflow."""
    return _start("workflow_parallel", name, given)  # type: ignore[arg-type]


class WorkflowLoopAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workflow_loop``."""

    loop_type: str
    """``foreach``, ``dowhile`` or ``dountil``"""
    iteration: int
    """iteration at hand"""
    total_iterations: int
    """how many there are"""
    concurrency: int
    """how many run at the same time"""
    entry_id: str
    """id of the entry"""
    entry_description: str
    """what the entry is for"""
    entry_metadata: object
    """metadata of the entry"""


class _WorkflowLoopGiven(WorkflowLoopAttributes, SpanOptions, total=False):
    pass


def workflow_loop(name: str = "workflow_loop", /, **given: Unpack[_WorkflowLoopGiven]) -> Span:
    """A loop of a workflow."""
    return _start("workflow_loop", name, given)  # type: ignore[arg-type]


class WorkflowSleepAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workflow_sleep``."""

    duration_ms: float
    """length of the pause, in milliseconds"""
    until_date: datetime | int | str
    """when it ends"""
    sleep_type: str
    """``fixed`` or ``dynamic``"""
    entry_id: str
    """id of the entry"""
    entry_description: str
    """what the entry is for"""
    entry_metadata: object
    """metadata of the entry"""


class _WorkflowSleepGiven(WorkflowSleepAttributes, SpanOptions, total=False):
    pass


def workflow_sleep(name: str = "workflow_sleep", /, **given: Unpack[_WorkflowSleepGiven]) -> Span:
    """A pause of a workflow."""
    return _start("workflow_sleep", name, given)  # type: ignore[arg-type]


class WorkflowWaitEventAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workflow_wait_event``."""

    event_name: str
    """event that is waited for"""
    timeout_ms: float
    """longest wait, in milliseconds"""
    event_received: bool
    """whether it came"""
    wait_duration_ms: float
    """length of the wait, in milliseconds"""


class _WorkflowWaitEventGiven(WorkflowWaitEventAttributes, SpanOptions, total=False):
    pass


def workflow_wait_event(
    name: str = "workflow_wait_event", /, **given: Unpack[_WorkflowWaitEventGiven]
) -> Span:
    """A wait for an event in a workflow."""
    return _start("workflow_wait_event", name, given)  # type: ignore[arg-type]


class ModelGenerationAttributes(TypedDict, total=False):
    """Attributes of spans of type ``model_generation``."""

    model: str
    """model that was asked for"""
    provider: str
    """provider, such as ``openai``"""
    response_model: str
    """model that answered"""
    temperature: float
    """temperature"""
    top_p: float
    """nucleus sampling"""
    top_k: int
    """top-k sampling"""
    max_tokens: int
    """most tokens of the answer"""
    max_output_tokens: int
    """the same"""
    frequency_penalty: float
    """frequency penalty"""
    presence_penalty: float
    """presence penalty"""
    stop_sequences: str | Sequence[str]
    """texts at which to stop"""
    seed: int
    """seed of the sampling"""
    choice_count: int
    """how many answers"""
    encoding_formats: str | Sequence[str]
    """formats of embeddings"""
    reasoning_level: str
    """effort of reasoning"""
    previous_response_id: str
    """answer that this one continues"""
    usage: Usage | Mapping[str, object]
    """token counts; see below"""
    input_tokens: int
    """tokens of the input, cached ones included"""
    output_tokens: int
    """tokens of the output"""
    operation: str
    """``chat``, ``generate_content`` or ``text_completion``"""
    response_id: str
    """id of the answer"""
    finish_reason: str | Sequence[str]
    """why the model stopped"""
    finish_reasons: str | Sequence[str]
    """the same, for each choice"""
    streaming: bool
    """whether the answer was streamed"""
    completion_start_time: datetime | int | str
    """when the first output came"""
    time_to_first_chunk: float
    """seconds until the first output"""
    parameters: Mapping[str, object]
    """request parameters by name, as a map"""
    instructions: str | Sequence[object]
    """system instructions"""
    tools: Sequence[object] | Mapping[str, object]
    """tools the model may ask for"""
    conversation_id: str
    """conversation it belongs to"""
    agent_id: str
    """id of the agent that calls"""
    agent_name: str
    """name of the agent that calls"""
    output_type: str
    """``text``, ``json``, ``image`` or ``speech``"""
    prompt_name: str
    """name of the prompt"""
    prompt_version: str
    """version of the prompt"""
    result_type: str
    """``tool_selection``, ``response_generation``, ``reasoning`` or ``planning``"""
    cost_context: object
    """estimated cost, its unit and what it is based on"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""


class _ModelGenerationGiven(ModelGenerationAttributes, SpanOptions, total=False):
    pass


def model_generation(name: str = "model_generation", /, **given: Unpack[_ModelGenerationGiven]) -> Span:
    """A call of a model as the application sees it, with all its steps."""
    return _start("model_generation", name, given)  # type: ignore[arg-type]


class ModelStepAttributes(TypedDict, total=False):
    """Attributes of spans of type ``model_step``."""

    step_index: int
    """place of the step, from 0"""
    usage: Usage | Mapping[str, object]
    """token counts of the step; see below"""
    finish_reason: str
    """why the step ended"""
    is_continued: bool
    """whether another step follows"""
    warnings: object
    """what the provider warned of"""


class _ModelStepGiven(ModelStepAttributes, SpanOptions, total=False):
    pass


def model_step(name: str = "model_step", /, **given: Unpack[_ModelStepGiven]) -> Span:
    """One step of a generation: an answer of the model and the tools it asked for."""
    return _start("model_step", name, given)  # type: ignore[arg-type]


class ModelInferenceAttributes(TypedDict, total=False):
    """Attributes of spans of type ``model_inference``."""

    model: str
    """model that was asked for"""
    provider: str
    """provider, such as ``openai``"""
    response_model: str
    """model that answered"""
    temperature: float
    """temperature"""
    top_p: float
    """nucleus sampling"""
    top_k: int
    """top-k sampling"""
    max_tokens: int
    """most tokens of the answer"""
    max_output_tokens: int
    """the same"""
    frequency_penalty: float
    """frequency penalty"""
    presence_penalty: float
    """presence penalty"""
    stop_sequences: str | Sequence[str]
    """texts at which to stop"""
    seed: int
    """seed of the sampling"""
    choice_count: int
    """how many answers"""
    encoding_formats: str | Sequence[str]
    """formats of embeddings"""
    reasoning_level: str
    """effort of reasoning"""
    previous_response_id: str
    """answer that this one continues"""
    usage: Usage | Mapping[str, object]
    """token counts; see below"""
    input_tokens: int
    """tokens of the input, cached ones included"""
    output_tokens: int
    """tokens of the output"""
    operation: str
    """``chat``, ``generate_content`` or ``text_completion``"""
    response_id: str
    """id of the answer"""
    finish_reason: str | Sequence[str]
    """why the model stopped"""
    finish_reasons: str | Sequence[str]
    """the same, for each choice"""
    streaming: bool
    """whether the answer was streamed"""
    completion_start_time: datetime | int | str
    """when the first output came"""
    time_to_first_chunk: float
    """seconds until the first output"""
    parameters: Mapping[str, object]
    """request parameters by name, as a map"""
    instructions: str | Sequence[object]
    """system instructions"""
    tools: Sequence[object] | Mapping[str, object]
    """tools the model may ask for"""
    conversation_id: str
    """conversation it belongs to"""
    agent_id: str
    """id of the agent that calls"""
    agent_name: str
    """name of the agent that calls"""
    output_type: str
    """``text``, ``json``, ``image`` or ``speech``"""
    prompt_name: str
    """name of the prompt"""
    prompt_version: str
    """version of the prompt"""
    result_type: str
    """``tool_selection``, ``response_generation``, ``reasoning`` or ``planning``"""
    cost_context: object
    """estimated cost, its unit and what it is based on"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""
    step_index: int
    """step of the generation it belongs to, from 0"""
    warnings: object
    """what the provider warned of"""
    provider_options: object
    """options that only this provider has"""
    available_tools: str | Sequence[str]
    """names of the tools on offer"""
    tool_choice: object
    """``auto``, ``none``, ``required`` or one tool"""
    response_format: object
    """``text``, ``json`` or a schema"""


class _ModelInferenceGiven(ModelInferenceAttributes, SpanOptions, total=False):
    pass


def model_inference(name: str = "model_inference", /, **given: Unpack[_ModelInferenceGiven]) -> Span:
    """One request to a model provider."""
    return _start("model_inference", name, given)  # type: ignore[arg-type]


class ModelChunkAttributes(TypedDict, total=False):
    """Attributes of spans of type ``model_chunk``."""

    chunk_type: str
    """``text``, ``reasoning``, ``tool-call`` or ``object``"""
    sequence_number: int
    """place in the stream, from 0"""


class _ModelChunkGiven(ModelChunkAttributes, SpanOptions, total=False):
    pass


def model_chunk(name: str = "model_chunk", /, **given: Unpack[_ModelChunkGiven]) -> Span:
    """A run of streamed model output of one kind."""
    return _start("model_chunk", name, given)  # type: ignore[arg-type]


class ToolAttributes(TypedDict, total=False):
    """Attributes of spans of type ``tool``."""

    tool_name: str
    """name of the tool; the span's name by default"""
    tool_type: str
    """``function``, ``extension`` or ``datastore``"""
    tool_description: str
    """what the tool is for"""
    tool_call_id: str
    """id of the call that the model made"""
    success: bool
    """whether the tool did what it was asked for"""


class _ToolGiven(ToolAttributes, SpanOptions, total=False):
    pass


def tool(name: str = "tool", /, **given: Unpack[_ToolGiven]) -> Span:
    """A tool run by the application."""
    return _start("tool", name, given)  # type: ignore[arg-type]


class McpToolAttributes(TypedDict, total=False):
    """Attributes of spans of type ``mcp_tool``."""

    tool_name: str
    """name of the tool; the span's name by default"""
    tool_type: str
    """``function``, ``extension`` or ``datastore``"""
    tool_description: str
    """what the tool is for"""
    tool_call_id: str
    """id of the call that the model made"""
    success: bool
    """whether the tool did what it was asked for"""
    mcp_method: str
    """method of the protocol"""
    mcp_server: str
    """name of the server"""
    server_version: str
    """version of the server"""
    mcp_session_id: str
    """session of the protocol"""
    mcp_protocol_version: str
    """version of the protocol"""
    jsonrpc_request_id: str
    """id of the request"""
    resource_uri: str
    """resource that was read"""
    network_transport: str
    """``pipe``, ``tcp`` or ``quic``"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""


class _McpToolGiven(McpToolAttributes, SpanOptions, total=False):
    pass


def mcp_tool(name: str = "mcp_tool", /, **given: Unpack[_McpToolGiven]) -> Span:
    """A tool run through the Model Context Protocol."""
    return _start("mcp_tool", name, given)  # type: ignore[arg-type]


class ProviderToolAttributes(TypedDict, total=False):
    """Attributes of spans of type ``provider_tool``."""

    tool_name: str
    """name of the tool; the span's name by default"""
    tool_type: str
    """``function``, ``extension`` or ``datastore``"""
    tool_description: str
    """what the tool is for"""
    tool_call_id: str
    """id of the call that the model made"""
    success: bool
    """whether the tool did what it was asked for"""


class _ProviderToolGiven(ProviderToolAttributes, SpanOptions, total=False):
    pass


def provider_tool(name: str = "provider_tool", /, **given: Unpack[_ProviderToolGiven]) -> Span:
    """A tool run by the model provider."""
    return _start("provider_tool", name, given)  # type: ignore[arg-type]


class ClientToolAttributes(TypedDict, total=False):
    """Attributes of spans of type ``client_tool``."""

    tool_name: str
    """name of the tool; the span's name by default"""
    tool_type: str
    """``function``, ``extension`` or ``datastore``"""
    tool_description: str
    """what the tool is for"""
    tool_call_id: str
    """id of the call that the model made"""
    success: bool
    """whether the tool did what it was asked for"""
    client_environment: str
    """where it ran, such as ``browser``"""


class _ClientToolGiven(ClientToolAttributes, SpanOptions, total=False):
    pass


def client_tool(name: str = "client_tool", /, **given: Unpack[_ClientToolGiven]) -> Span:
    """A tool run by the client of the application."""
    return _start("client_tool", name, given)  # type: ignore[arg-type]


class McpServerRequestAttributes(TypedDict, total=False):
    """Attributes of spans of type ``mcp_server_request``."""

    mcp_method: str
    """method of the protocol"""
    mcp_server: str
    """name of the server"""
    server_version: str
    """version of the server"""
    mcp_session_id: str
    """session of the protocol"""
    mcp_protocol_version: str
    """version of the protocol"""
    jsonrpc_request_id: str
    """id of the request"""
    resource_uri: str
    """resource that was read"""
    network_transport: str
    """``pipe``, ``tcp`` or ``quic``"""
    tool_name: str
    """tool that was called"""
    prompt_name: str
    """prompt that was asked for"""
    target_name: str
    """tool or prompt, whichever the method is about"""
    client_name: str
    """name of the client"""
    client_version: str
    """version of the client"""
    client_address: str
    """address of the client"""


class _McpServerRequestGiven(McpServerRequestAttributes, SpanOptions, total=False):
    pass


def mcp_server_request(name: str = "mcp_server_request", /, **given: Unpack[_McpServerRequestGiven]) -> Span:
    """A request served by a Model Context Protocol server."""
    return _start("mcp_server_request", name, given)  # type: ignore[arg-type]


class ProcessorAttributes(TypedDict, total=False):
    """Attributes of spans of type ``processor``."""

    processor_executor: str
    """``workflow`` or ``legacy``"""
    processor_index: int
    """place of the processor in its chain"""
    processor_phase: str
    """which hook ran, such as ``input`` or ``outputStream``"""
    hook_duration_ms: float
    """time in the hook, in milliseconds"""
    message_list_mutations: object
    """what was added to or removed from the messages"""
    tripwire_abort: object
    """why processing was stopped: reason, retry, metadata"""


class _ProcessorGiven(ProcessorAttributes, SpanOptions, total=False):
    pass


def processor(name: str = "processor", /, **given: Unpack[_ProcessorGiven]) -> Span:
    """A processor of input or output, guardrails among them."""
    return _start("processor", name, given)  # type: ignore[arg-type]


class MemoryLookupAttributes(TypedDict, total=False):
    """Attributes of spans of type ``memory_lookup``."""

    operation: str
    """``search_memory``, ``upsert_memory`` and the like"""
    provider: str
    """service that keeps the memory"""
    store_id: str
    """id of the store"""
    record_id: str
    """id of the record"""
    record_count: int
    """how many records"""
    query: str
    """what is searched for"""
    top_k: int
    """most records to return"""
    min_score: float
    """lowest similarity to return"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""


class _MemoryLookupGiven(MemoryLookupAttributes, SpanOptions, total=False):
    pass


def memory_lookup(name: str = "memory_lookup", /, **given: Unpack[_MemoryLookupGiven]) -> Span:
    """A search of memory."""
    return _start("memory_lookup", name, given)  # type: ignore[arg-type]


class MemoryUpdateAttributes(TypedDict, total=False):
    """Attributes of spans of type ``memory_update``."""

    operation: str
    """``search_memory``, ``upsert_memory`` and the like"""
    provider: str
    """service that keeps the memory"""
    store_id: str
    """id of the store"""
    record_id: str
    """id of the record"""
    record_count: int
    """how many records"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""


class _MemoryUpdateGiven(MemoryUpdateAttributes, SpanOptions, total=False):
    pass


def memory_update(name: str = "memory_update", /, **given: Unpack[_MemoryUpdateGiven]) -> Span:
    """A change of memory."""
    return _start("memory_update", name, given)  # type: ignore[arg-type]


class MemoryOperationAttributes(TypedDict, total=False):
    """Attributes of spans of type ``memory_operation``."""

    processor_executor: str
    """``workflow`` or ``legacy``"""
    processor_index: int
    """place of the processor in its chain"""
    processor_phase: str
    """which hook ran, such as ``input`` or ``outputStream``"""
    hook_duration_ms: float
    """time in the hook, in milliseconds"""
    message_list_mutations: object
    """what was added to or removed from the messages"""
    tripwire_abort: object
    """why processing was stopped: reason, retry, metadata"""
    operation_type: str
    """``recall``, ``save``, ``delete``, ``update``, ``observe`` or ``reflect``"""
    message_count: int
    """messages that were recalled or saved"""
    embedding_tokens: int
    """tokens that were embedded"""
    vector_result_count: int
    """results of the vector search"""
    input_tokens: int
    """tokens that were observed"""
    semantic_recall_enabled: bool
    """whether semantic recall is on"""
    working_memory_enabled: bool
    """whether working memory is on"""
    multi_thread: bool
    """whether several threads are searched"""
    last_messages: object
    """how many last messages, or false"""
    selected_model: str
    """model that observes or reflects"""


class _MemoryOperationGiven(MemoryOperationAttributes, SpanOptions, total=False):
    pass


def memory_operation(name: str = "memory_operation", /, **given: Unpack[_MemoryOperationGiven]) -> Span:
    """Any other operation on memory."""
    return _start("memory_operation", name, given)  # type: ignore[arg-type]


class RagQueryAttributes(TypedDict, total=False):
    """Attributes of spans of type ``rag_query``."""

    data_source_id: str
    """what is searched"""
    query: str
    """what is searched for"""
    top_k: int
    """most documents to return"""
    documents: object
    """what was found: ``id``, ``score``, ``content``"""
    provider: str
    """service that searches"""
    model: str
    """model that embeds the query"""
    store: str
    """vector store"""
    index_name: str
    """index of the store"""
    min_score: float
    """lowest relevance to return"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""


class _RagQueryGiven(RagQueryAttributes, SpanOptions, total=False):
    pass


def rag_query(name: str = "rag_query", /, **given: Unpack[_RagQueryGiven]) -> Span:
    """A query of a retrieval pipeline."""
    return _start("rag_query", name, given)  # type: ignore[arg-type]


class RagIngestionAttributes(TypedDict, total=False):
    """Attributes of spans of type ``rag_ingestion``."""

    pipeline_name: str
    """name of the pipeline"""
    vector_store: str
    """vector store"""
    index_name: str
    """index of the store"""
    embedding_model: str
    """model that embeds"""
    embedding_provider: str
    """provider of that model"""
    source_count: int
    """how many documents"""


class _RagIngestionGiven(RagIngestionAttributes, SpanOptions, total=False):
    pass


def rag_ingestion(name: str = "rag_ingestion", /, **given: Unpack[_RagIngestionGiven]) -> Span:
    """The ingestion of documents."""
    return _start("rag_ingestion", name, given)  # type: ignore[arg-type]


class RagEmbeddingAttributes(TypedDict, total=False):
    """Attributes of spans of type ``rag_embedding``."""

    model: str
    """model that was asked for"""
    provider: str
    """provider, such as ``openai``"""
    response_model: str
    """model that answered"""
    dimensions: int
    """length of a vector"""
    encoding_formats: str | Sequence[str]
    """formats of the vectors"""
    input_count: int
    """how many texts"""
    mode: str
    """``ingest`` or ``query``"""
    usage: Usage | Mapping[str, object]
    """token counts; see below"""
    input_tokens: int
    """tokens of the input"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""


class _RagEmbeddingGiven(RagEmbeddingAttributes, SpanOptions, total=False):
    pass


def rag_embedding(name: str = "rag_embedding", /, **given: Unpack[_RagEmbeddingGiven]) -> Span:
    """Embeddings made for retrieval."""
    return _start("rag_embedding", name, given)  # type: ignore[arg-type]


class RagVectorOperationAttributes(TypedDict, total=False):
    """Attributes of spans of type ``rag_vector_operation``."""

    operation: str
    """``query``, ``upsert``, ``delete`` or ``fetch``"""
    store: str
    """vector store"""
    index_name: str
    """index of the store"""
    top_k: int
    """most results to return"""
    dimensions: int
    """length of a vector"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""


class _RagVectorOperationGiven(RagVectorOperationAttributes, SpanOptions, total=False):
    pass


def rag_vector_operation(
    name: str = "rag_vector_operation", /, **given: Unpack[_RagVectorOperationGiven]
) -> Span:
    """An operation on a vector store."""
    return _start("rag_vector_operation", name, given)  # type: ignore[arg-type]


class RagActionAttributes(TypedDict, total=False):
    """Attributes of spans of type ``rag_action``."""

    action: str
    """``chunk``, ``extract_metadata`` or ``rerank``"""
    strategy: str
    """how text is cut into chunks"""
    chunk_size: int
    """size of a chunk"""
    chunk_overlap: int
    """what chunks have in common"""
    extractor: str
    """what extracts the metadata"""
    model: str
    """model that extracts or ranks"""
    provider: str
    """provider of that model"""
    candidate_count: int
    """documents to rank"""
    top_n: int
    """documents to keep"""
    scorer: str
    """what ranks"""


class _RagActionGiven(RagActionAttributes, SpanOptions, total=False):
    pass


def rag_action(name: str = "rag_action", /, **given: Unpack[_RagActionGiven]) -> Span:
    """Chunking, metadata extraction or reranking."""
    return _start("rag_action", name, given)  # type: ignore[arg-type]


class EmbeddingGenerationAttributes(TypedDict, total=False):
    """Attributes of spans of type ``embedding_generation``."""

    model: str
    """model that was asked for"""
    provider: str
    """provider, such as ``openai``"""
    response_model: str
    """model that answered"""
    dimensions: int
    """length of a vector"""
    encoding_formats: str | Sequence[str]
    """formats of the vectors"""
    input_count: int
    """how many texts"""
    mode: str
    """``ingest`` or ``query``"""
    usage: Usage | Mapping[str, object]
    """token counts; see below"""
    input_tokens: int
    """tokens of the input"""
    server_address: str
    """host name or address of the server"""
    server_port: int
    """port of the server"""


class _EmbeddingGenerationGiven(EmbeddingGenerationAttributes, SpanOptions, total=False):
    pass


def embedding_generation(
    name: str = "embedding_generation", /, **given: Unpack[_EmbeddingGenerationGiven]
) -> Span:
    """Embeddings made for any other use."""
    return _start("embedding_generation", name, given)  # type: ignore[arg-type]


class ScorerRunAttributes(TypedDict, total=False):
    """Attributes of spans of type ``scorer_run``."""

    scorer_id: str
    """id of the scorer"""
    scorer_name: str
    """name of the scorer; the span's by default"""
    score_source: str
    """``live``, ``trace`` or ``experiment``"""
    target_scope: str
    """``span`` or ``trajectory``"""
    target_entity_type: str
    """what was scored"""
    scorer_definition: str
    """``code``, ``stored`` or ``fs``"""
    score: float
    """score that was given"""
    label: str
    """what the score means"""
    explanation: str
    """why it was given"""
    response_id: str
    """answer that was judged"""


class _ScorerRunGiven(ScorerRunAttributes, SpanOptions, total=False):
    pass


def scorer_run(name: str = "scorer_run", /, **given: Unpack[_ScorerRunGiven]) -> Span:
    """One run of a scorer."""
    return _start("scorer_run", name, given)  # type: ignore[arg-type]


class ScorerStepAttributes(TypedDict, total=False):
    """Attributes of spans of type ``scorer_step``."""

    step: str
    """name of the step"""
    step_type: str
    """``function`` or ``prompt``"""
    prompt: str
    """prompt of the step"""
    judge_model: str
    """model that judges"""


class _ScorerStepGiven(ScorerStepAttributes, SpanOptions, total=False):
    pass


def scorer_step(name: str = "scorer_step", /, **given: Unpack[_ScorerStepGiven]) -> Span:
    """A step of a scorer."""
    return _start("scorer_step", name, given)  # type: ignore[arg-type]


class EvaluationAttributes(TypedDict, total=False):
    """Attributes of spans of type ``evaluation``."""

    evaluation_name: str
    """what is evaluated; the span's name by default"""
    score: float
    """score that was given"""
    label: str
    """what the score means"""
    explanation: str
    """why it was given"""
    response_id: str
    """answer that was judged"""


class _EvaluationGiven(EvaluationAttributes, SpanOptions, total=False):
    pass


def evaluation(name: str = "evaluation", /, **given: Unpack[_EvaluationGiven]) -> Span:
    """An evaluation by any other framework."""
    return _start("evaluation", name, given)  # type: ignore[arg-type]


class MappingAttributes(TypedDict, total=False):
    """Attributes of spans of type ``mapping``."""

    mapping_type: str
    """kind of mapping"""
    tool_call_id: str
    """call of a tool it belongs to"""


class _MappingGiven(MappingAttributes, SpanOptions, total=False):
    pass


def mapping(name: str = "mapping", /, **given: Unpack[_MappingGiven]) -> Span:
    """A mapping between the values of two steps."""
    return _start("mapping", name, given)  # type: ignore[arg-type]


class WorkspaceActionAttributes(TypedDict, total=False):
    """Attributes of spans of type ``workspace_action``."""

    processor_executor: str
    """``workflow`` or ``legacy``"""
    processor_index: int
    """place of the processor in its chain"""
    processor_phase: str
    """which hook ran, such as ``input`` or ``outputStream``"""
    hook_duration_ms: float
    """time in the hook, in milliseconds"""
    message_list_mutations: object
    """what was added to or removed from the messages"""
    tripwire_abort: object
    """why processing was stopped: reason, retry, metadata"""
    category: str
    """``filesystem``, ``sandbox``, ``search``, ``skill``, ``mount`` or ``computer``"""
    workspace_id: str
    """id of the workspace"""
    workspace_name: str
    """name of the workspace"""
    sandbox_provider: str
    """what runs the sandbox"""
    filesystem_provider: str
    """what keeps the files"""
    success: bool
    """whether it was done"""


class _WorkspaceActionGiven(WorkspaceActionAttributes, SpanOptions, total=False):
    pass


def workspace_action(name: str = "workspace_action", /, **given: Unpack[_WorkspaceActionGiven]) -> Span:
    """An action in a workspace: files, sandbox, search."""
    return _start("workspace_action", name, given)  # type: ignore[arg-type]


class SkillActionAttributes(TypedDict, total=False):
    """Attributes of spans of type ``skill_action``."""

    processor_executor: str
    """``workflow`` or ``legacy``"""
    processor_index: int
    """place of the processor in its chain"""
    processor_phase: str
    """which hook ran, such as ``input`` or ``outputStream``"""
    hook_duration_ms: float
    """time in the hook, in milliseconds"""
    message_list_mutations: object
    """what was added to or removed from the messages"""
    tripwire_abort: object
    """why processing was stopped: reason, retry, metadata"""
    operation: str
    """``resolve``, ``inject``, ``activate``, ``search`` or ``read``"""
    agent_id: str
    """agent that uses it"""
    skill_name: str
    """name of the skill"""
    skill_format: str
    """form in which it is stored"""
    skill_count: int
    """how many were found"""
    success: bool
    """whether it was done"""


class _SkillActionGiven(SkillActionAttributes, SpanOptions, total=False):
    pass


def skill_action(name: str = "skill_action", /, **given: Unpack[_SkillActionGiven]) -> Span:
    """A skill resolved, searched, read, injected or activated."""
    return _start("skill_action", name, given)  # type: ignore[arg-type]


class GraphActionAttributes(TypedDict, total=False):
    """Attributes of spans of type ``graph_action``."""

    action: str
    """``build``, ``traverse``, ``update`` or ``prune``"""
    node_count: int
    """nodes of the graph"""
    edge_count: int
    """edges of the graph"""
    threshold: float
    """lowest similarity for an edge"""
    start_nodes: int
    """nodes to start from"""
    max_depth: int
    """longest way from there"""


class _GraphActionGiven(GraphActionAttributes, SpanOptions, total=False):
    pass


def graph_action(name: str = "graph_action", /, **given: Unpack[_GraphActionGiven]) -> Span:
    """An action on a knowledge graph."""
    return _start("graph_action", name, given)  # type: ignore[arg-type]


class ClassifierEvaluationAttributes(TypedDict, total=False):
    """Attributes of spans of type ``classifier_evaluation``."""

    classifier_id: str
    """id of the classifier"""
    model_id: str
    """model that classifies"""
    provider: str
    """provider of that model"""
    error_type: str
    """what failed"""
    question_types: str | Sequence[str]
    """kinds of questions"""
    question_count: int
    """how many questions"""
    max_retries: int
    """most attempts after the first"""
    attempt_count: int
    """attempts that were made"""
    retry_count: int
    """those after the first"""
    duration_ms: float
    """time it took, in milliseconds"""
    usage: Usage | Mapping[str, object]
    """token counts; see below"""


class _ClassifierEvaluationGiven(ClassifierEvaluationAttributes, SpanOptions, total=False):
    pass


def classifier_evaluation(
    name: str = "classifier_evaluation", /, **given: Unpack[_ClassifierEvaluationGiven]
) -> Span:
    """The evaluation of a classifier."""
    return _start("classifier_evaluation", name, given)  # type: ignore[arg-type]


class AgentSignalAttributes(TypedDict, total=False):
    """Attributes of spans of type ``agent_signal``."""

    state_id: str
    """state it is about"""
    tag_name: str
    """tag it is sent under"""
    processor_id: str
    """processor that sent it"""
    mode: str
    """``snapshot`` or ``delta``"""


class _AgentSignalGiven(AgentSignalAttributes, SpanOptions, total=False):
    pass


def agent_signal(name: str = "agent_signal", /, **given: Unpack[_AgentSignalGiven]) -> Span:
    """A signal that an agent received or sent."""
    return _start("agent_signal", name, given)  # type: ignore[arg-type]
