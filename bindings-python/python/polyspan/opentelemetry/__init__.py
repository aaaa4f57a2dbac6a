"""The OpenTelemetry API for Python, exported through Polyspan.

``opentelemetry.trace.set_tracer_provider(TracerProvider())`` makes every instrumentation package export
through the engine; ``register()`` does that in one call. Spans of this API and of Polyspan's own nest in each
other.

Needs ``opentelemetry-api``. Where ``opentelemetry-sdk`` is installed too, the classes derive from the SDK's,
take its arguments, and feed its span processors and exporters.
"""

from __future__ import annotations

from ._context import RuntimeContext
from ._provider import TracerProvider, register
from ._span import Span
from ._tracer import Tracer

__all__ = ["RuntimeContext", "Span", "Tracer", "TracerProvider", "register"]
