"""The tracer: starting spans is native, this class carries what the SDK's tracer carries."""

from __future__ import annotations

from .._polyspan import _OtelTracer
from ._sdk import HAS_SDK, TracerBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._provider import TracerProvider

__all__ = ["Tracer"]


class Tracer(_OtelTracer, TracerBase):  # type: ignore[misc]
    """Starts spans of one instrumentation scope. Tracer providers make it."""

    def __new__(cls, provider: TracerProvider, scope: Any, info: Any) -> Tracer:
        return _OtelTracer.__new__(
            cls,
            provider.engine,
            scope.name,
            scope.version or "",
            scope.schema_url or "",
            scope.attributes,
            # Without the SDK there are no span processors to ask for.
            provider if HAS_SDK else None,
            provider._own_ids(),
        )

    def __init__(self, provider: TracerProvider, scope: Any, info: Any) -> None:
        self._provider = provider
        self._instrumentation_scope = scope
        self.instrumentation_info = info

    @property
    def instrumentation_scope(self) -> Any:
        return self._instrumentation_scope

    @property
    def resource(self) -> Any:
        return self._provider.resource

    @property
    def sampler(self) -> Any:
        return self._provider.sampler

    @property
    def id_generator(self) -> Any:
        return self._provider.id_generator

    @property
    def span_processor(self) -> Any:
        return self._provider._active_span_processor

    def _set_tracer_config(self, tracer_config: Any) -> None:
        self._set_enabled(tracer_config.is_enabled)

    def _set_resource(self, resource: Any) -> None:
        """The resource is the provider's; nothing is kept here."""
