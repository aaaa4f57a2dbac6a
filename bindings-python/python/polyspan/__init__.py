"""Polyspan: tracing for AI agents. Spans are recorded in native code and exported in the background.

Importing it does nothing else: no thread, no environment read. ``init`` starts the engine.
"""

from __future__ import annotations

from ._polyspan import (
    Context,
    DroppedSpan,
    Engine,
    FinishedSpan,
    LogRecord,
    MemoryExporter,
    MetricPoint,
    PolyspanError,
    Span,
    SpanContext,
    SpanError,
    SpanEvent,
    SpanLink,
    SpanRecord,
    Stats,
    TraceInfo,
    baggage,
    context,
    current_span,
    current_trace_id,
    engine,
    engines,
    event,
    extract,
    flush,
    init,
    inject,
    log,
    set_default,
    set_log_level,
    set_selector,
    shutdown,
    span,
    stats,
)
from ._polyspan import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import spans
    from ._events import (
        LogEmitted,
        SpanDropped,
        SpanEnded,
        SpanStarted,
        SpanUpdated,
        TelemetryEvent,
        TraceEnded,
        TraceStarted,
    )
    from ._executors import ContextExecutor, copy_context, propagate
    from ._logging import LogHandler
    from ._options import Metrics, Price, Redaction, RedactionStyle
    from ._trace_id import with_trace_id
    from ._traced import instrument, traced
    from .spans import (
        agent,
        agent_signal,
        classifier_evaluation,
        client_tool,
        embedding_generation,
        evaluation,
        graph_action,
        mapping,
        mcp_server_request,
        mcp_tool,
        memory_lookup,
        memory_operation,
        memory_update,
        model_chunk,
        model_generation,
        model_inference,
        model_step,
        processor,
        provider_tool,
        rag_action,
        rag_embedding,
        rag_ingestion,
        rag_query,
        rag_vector_operation,
        scorer_run,
        scorer_step,
        skill_action,
        tool,
        workflow,
        workflow_conditional,
        workflow_conditional_eval,
        workflow_loop,
        workflow_parallel,
        workflow_sleep,
        workflow_step,
        workflow_wait_event,
        workspace_action,
    )

__all__ = [
    "Context",
    "ContextExecutor",
    "DroppedSpan",
    "Engine",
    "FinishedSpan",
    "LogEmitted",
    "LogHandler",
    "LogRecord",
    "MemoryExporter",
    "MetricPoint",
    "Metrics",
    "PolyspanError",
    "Price",
    "Redaction",
    "RedactionStyle",
    "Span",
    "SpanContext",
    "SpanDropped",
    "SpanEnded",
    "SpanError",
    "SpanEvent",
    "SpanLink",
    "SpanRecord",
    "SpanStarted",
    "SpanUpdated",
    "Stats",
    "TelemetryEvent",
    "TraceEnded",
    "TraceInfo",
    "TraceStarted",
    "agent",
    "agent_signal",
    "baggage",
    "classifier_evaluation",
    "client_tool",
    "context",
    "copy_context",
    "current_span",
    "current_trace_id",
    "embedding_generation",
    "engine",
    "engines",
    "evaluation",
    "event",
    "extract",
    "flush",
    "graph_action",
    "init",
    "inject",
    "instrument",
    "log",
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
    "propagate",
    "provider_tool",
    "rag_action",
    "rag_embedding",
    "rag_ingestion",
    "rag_query",
    "rag_vector_operation",
    "scorer_run",
    "scorer_step",
    "set_default",
    "set_log_level",
    "set_selector",
    "shutdown",
    "skill_action",
    "span",
    "spans",
    "stats",
    "tool",
    "traced",
    "with_trace_id",
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

# Loaded when first used, so that a program that only opens spans starts fast.
_LATER = {
    "spans": "spans",
    "traced": "_traced",
    "with_trace_id": "_trace_id",
    "instrument": "_traced",
    "ContextExecutor": "_executors",
    "copy_context": "_executors",
    "propagate": "_executors",
    "LogHandler": "_logging",
    "Metrics": "_options",
    "Price": "_options",
    "Redaction": "_options",
    "RedactionStyle": "_options",
    "LogEmitted": "_events",
    "SpanDropped": "_events",
    "SpanEnded": "_events",
    "SpanStarted": "_events",
    "SpanUpdated": "_events",
    "TelemetryEvent": "_events",
    "TraceEnded": "_events",
    "TraceStarted": "_events",
}


def __getattr__(name: str) -> object:
    # What is public and not here by now is a span type.
    module = _LATER.get(name) or ("spans" if name in __all__ else None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    loaded = import_module(f".{module}", __name__)
    found = loaded if name == module else getattr(loaded, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
