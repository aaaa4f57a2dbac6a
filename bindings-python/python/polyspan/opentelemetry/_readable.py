"""Records as the SDK's ``ReadableSpan``, for stock and third-party span processors and exporters."""

from __future__ import annotations

from opentelemetry import trace as api
from opentelemetry.attributes import BoundedAttributes

from .._polyspan import _otel_span_context
from ._sdk import HAS_SDK, sdk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from opentelemetry.sdk.trace import ReadableSpan

    from .._polyspan import SpanContext, SpanRecord
    from ._span import Span

__all__ = ["event_of", "link_of", "readable"]

if HAS_SDK:
    from opentelemetry.sdk.util import BoundedList
else:
    from collections import namedtuple

    # The part of the SDK's `Event` that reading needs.
    _Event = namedtuple("_Event", ("name", "attributes", "timestamp", "dropped_attributes"))


def _bounded(attributes: dict[str, Any], dropped: int) -> BoundedAttributes:
    bounded = BoundedAttributes(attributes=attributes)
    bounded.dropped = dropped
    return bounded


def event_of(name: str, timestamp: int, attributes: dict[str, Any], dropped: int) -> Any:
    bounded = _bounded(attributes, dropped)
    if HAS_SDK:
        return sdk.Event(name, bounded, timestamp)
    return _Event(name, bounded, timestamp, dropped)


def link_of(context: SpanContext, attributes: dict[str, Any], dropped: int) -> api.Link:
    return api.Link(_otel_span_context(context), _bounded(attributes, dropped))


def _listed(items: list[Any], dropped: int) -> Any:
    bounded = BoundedList.from_seq(None, items)
    bounded.dropped = dropped
    return bounded


def readable(span: Span, record: SpanRecord, end_time: int | None) -> ReadableSpan:
    """The record of a span as what the SDK hands to ``on_end`` and exporters; ``end_time`` if it ends now."""
    return sdk.ReadableSpan(
        name=record.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_bounded(record.attributes, record.dropped_attributes),
        events=_listed([event_of(*event) for event in record.events], record.dropped_events),
        links=_listed([link_of(*link) for link in record.links], record.dropped_links),
        kind=api.SpanKind[record.kind.upper()],
        instrumentation_info=span.instrumentation_info,
        status=api.Status(api.StatusCode[record.status.upper()], record.status_message or None),
        start_time=record.start_time,
        end_time=end_time or record.end_time or None,
        instrumentation_scope=span.instrumentation_scope,
    )
