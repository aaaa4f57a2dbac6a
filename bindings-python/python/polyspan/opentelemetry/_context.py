"""The runtime context that makes the OpenTelemetry API and Polyspan share one slot."""

from __future__ import annotations

from opentelemetry import context as otel_context
from opentelemetry.context.context import _RuntimeContext

from .._polyspan import _RuntimeContext as _NativeRuntimeContext

__all__ = ["RuntimeContext", "install"]


class RuntimeContext(_NativeRuntimeContext, _RuntimeContext):
    """Reads and writes the slot that Polyspan's own spans use.

    :func:`install` puts one in place; ``OTEL_PYTHON_CONTEXT=polyspan`` has the API do so by itself.
    """

    __slots__ = ()


def install() -> None:
    """Put the runtime context in place of the API's own; what is current now stays current."""
    present = otel_context._RUNTIME_CONTEXT
    if isinstance(present, RuntimeContext):
        return
    current = present.get_current()
    runtime = RuntimeContext()
    otel_context._RUNTIME_CONTEXT = runtime
    if current:
        runtime.attach(current)
