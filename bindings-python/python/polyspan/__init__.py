"""Polyspan: tracing for AI agents. Spans are recorded in native code and exported in the background.

Importing it does nothing else: no thread, no environment read. ``init`` starts the engine.
"""

from __future__ import annotations

from ._polyspan import (
    Context,
    Engine,
    FinishedSpan,
    LogRecord,
    MemoryExporter,
    PolyspanError,
    Span,
    SpanContext,
    SpanError,
    SpanEvent,
    SpanLink,
    SpanRecord,
    Stats,
    baggage,
    context,
    current_span,
    engine,
    engines,
    event,
    extract,
    flush,
    init,
    inject,
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
    from ._events import SpanEnded, TelemetryEvent
    from ._executors import ContextExecutor, copy_context, propagate
    from ._logging import LogHandler
    from ._options import Redaction, RedactionStyle
    from ._traced import instrument, traced

__all__ = [
    "Context",
    "ContextExecutor",
    "Engine",
    "FinishedSpan",
    "LogHandler",
    "LogRecord",
    "MemoryExporter",
    "PolyspanError",
    "Redaction",
    "RedactionStyle",
    "Span",
    "SpanContext",
    "SpanEnded",
    "SpanError",
    "SpanEvent",
    "SpanLink",
    "SpanRecord",
    "Stats",
    "TelemetryEvent",
    "baggage",
    "context",
    "copy_context",
    "current_span",
    "engine",
    "engines",
    "event",
    "extract",
    "flush",
    "init",
    "inject",
    "instrument",
    "propagate",
    "set_default",
    "set_log_level",
    "set_selector",
    "shutdown",
    "span",
    "stats",
    "traced",
]

# Loaded when first used, so that a program that only opens spans starts fast.
_LATER = {
    "traced": "_traced",
    "instrument": "_traced",
    "ContextExecutor": "_executors",
    "copy_context": "_executors",
    "propagate": "_executors",
    "LogHandler": "_logging",
    "Redaction": "_options",
    "RedactionStyle": "_options",
    "SpanEnded": "_events",
    "TelemetryEvent": "_events",
}


def __getattr__(name: str) -> object:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
