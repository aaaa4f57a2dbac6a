"""The OpenTelemetry API for Python, exported through Polyspan.

``opentelemetry.trace.set_tracer_provider(TracerProvider())`` makes every instrumentation package export
through the engine; ``register()`` does that in one call. Spans of this API and of Polyspan's own nest in each
other.

Needs ``opentelemetry-api``. Where ``opentelemetry-sdk`` is installed too, the classes derive from the SDK's,
take its arguments, and feed its span processors and exporters.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._context import RuntimeContext
    from ._provider import TracerProvider, register
    from ._span import Span
    from ._tracer import Tracer

__all__ = ["RuntimeContext", "Span", "Tracer", "TracerProvider", "register"]

# Loaded when first used: the API loads the runtime context while it is itself only half loaded.
_LATER = {
    "RuntimeContext": "_context",
    "Span": "_span",
    "Tracer": "_tracer",
    "TracerProvider": "_provider",
    "register": "_provider",
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
