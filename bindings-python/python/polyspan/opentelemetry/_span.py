"""The span that OpenTelemetry instrumentation sees: the API's methods are native, the SDK's properties here.

The properties read the record back, which costs a decoding each; only span processors and the few
instrumentations that look at ``span.name`` or ``span.attributes`` use them. A span that has ended and was
handed to the engine keeps its context and kind and nothing else.
"""

from __future__ import annotations

from types import MappingProxyType

from opentelemetry import trace as api

from .._polyspan import _OtelSpan
from ._readable import event_of, link_of, readable
from ._sdk import HAS_SDK, SpanBase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from opentelemetry.sdk.trace import Event, ReadableSpan

__all__ = ["Span"]

_KINDS = {str(kind.name).lower(): kind for kind in api.SpanKind}
_STATUSES = {str(code.name).lower(): code for code in api.StatusCode}


class Span(_OtelSpan, SpanBase):
    """A recording span. Tracers make it; it is not to be constructed by hand."""

    def __init__(self, *_: object, **__: object) -> None:
        """Nothing to do: the SDK's own initializer would set up what native code holds."""

    @property
    def context(self) -> api.SpanContext:
        context: api.SpanContext = self.get_span_context()
        return context

    @property
    def parent(self) -> api.SpanContext | None:
        parent: api.SpanContext | None = self._parent_context()
        return parent

    @property
    def name(self) -> str:
        return self._read().name

    @property
    def kind(self) -> api.SpanKind:
        return _KINDS[self._kind_name()]

    @property
    def start_time(self) -> int | None:
        return self._read().start_time

    @property
    def end_time(self) -> int | None:
        return self._read().end_time or None

    @property
    def status(self) -> api.Status:
        record = self._read()
        return api.Status(_STATUSES[record.status], record.status_message or None)

    @property
    def attributes(self) -> Mapping[str, Any]:
        return MappingProxyType(self._read().attributes)

    @property
    def events(self) -> Sequence[Event]:
        return tuple(event_of(*event) for event in self._read().events)

    @property
    def links(self) -> Sequence[api.Link]:
        return tuple(link_of(*link) for link in self._read().links)

    @property
    def dropped_attributes(self) -> int:
        return self._read().dropped_attributes

    @property
    def dropped_events(self) -> int:
        return self._read().dropped_events

    @property
    def dropped_links(self) -> int:
        return self._read().dropped_links

    @property
    def resource(self) -> Any:
        return self._tracer.resource

    @property
    def instrumentation_scope(self) -> Any:
        return self._tracer.instrumentation_scope

    @property
    def instrumentation_info(self) -> Any:
        return self._tracer.instrumentation_info

    def _readable_span(self, end_time: int | None = None) -> ReadableSpan:
        return readable(self, self._read(), end_time)

    def _ended_span(self, end_time: int) -> ReadableSpan:
        """What span processors get at ``on_end``: redacted and limited unless ``raw_processors``."""
        raw = self._tracer._provider.raw_processors
        return readable(self, self._read() if raw else self._read_shown(), end_time)

    def to_json(self, indent: int | None = 4) -> str:
        """The record as JSON text, as the SDK formats it. Needs ``opentelemetry-sdk``."""
        return str(self._readable_span().to_json(indent))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(context={self.get_span_context()!r})"


# Vendors' processors reach for the SDK's private fields.
for _name in (
    "name",
    "context",
    "parent",
    "kind",
    "start_time",
    "end_time",
    "status",
    "attributes",
    "events",
    "links",
    "resource",
    "instrumentation_scope",
    "instrumentation_info",
):
    setattr(Span, f"_{_name}", getattr(Span, _name))
del _name

if not HAS_SDK:
    # Without the SDK there is no ReadableSpan for this to make.
    del Span.to_json, Span._readable_span, Span._ended_span
