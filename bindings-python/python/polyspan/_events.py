"""What an exporter's ``export_event`` is told: one class for each kind of event, told apart by ``type``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeAlias

    from ._polyspan import DroppedSpan, FinishedSpan, LogRecord, TraceInfo

__all__ = [
    "EVENTS",
    "LogEmitted",
    "SpanDropped",
    "SpanEnded",
    "SpanStarted",
    "SpanUpdated",
    "TelemetryEvent",
    "TraceEnded",
    "TraceStarted",
]


class _OfSpan:
    __slots__ = ("span",)
    __match_args__ = ("span",)

    def __init__(self, span: FinishedSpan) -> None:
        self.span = span

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.span!r})"


class SpanStarted(_OfSpan):
    """A span was started; what it is so far."""

    __slots__ = ()
    type: Literal["span_started"] = "span_started"


class SpanUpdated(_OfSpan):
    """An open span was updated; what it is by now."""

    __slots__ = ()
    type: Literal["span_updated"] = "span_updated"


class SpanEnded(_OfSpan):
    """A span ended."""

    __slots__ = ()
    type: Literal["span_ended"] = "span_ended"


class SpanDropped:
    """A span that was told to have started will not be told to have ended; ``span.reason`` says why."""

    __slots__ = ("span",)
    __match_args__ = ("span",)
    type: Literal["span_dropped"] = "span_dropped"

    def __init__(self, span: DroppedSpan) -> None:
        self.span = span

    def __repr__(self) -> str:
        return f"SpanDropped({self.span!r})"


class _OfTrace:
    __slots__ = ("trace",)
    __match_args__ = ("trace",)

    def __init__(self, trace: TraceInfo) -> None:
        self.trace = trace

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.trace!r})"


class TraceStarted(_OfTrace):
    """The first span of a trace is about to be told to have started."""

    __slots__ = ()
    type: Literal["trace_started"] = "trace_started"


class TraceEnded(_OfTrace):
    """The root of a trace has ended, and none of its spans is open."""

    __slots__ = ()
    type: Literal["trace_ended"] = "trace_ended"


class LogEmitted:
    """A log record."""

    __slots__ = ("record",)
    __match_args__ = ("record",)
    type: Literal["log"] = "log"

    def __init__(self, record: LogRecord) -> None:
        self.record = record

    def __repr__(self) -> str:
        return f"LogEmitted({self.record!r})"


if TYPE_CHECKING:
    TelemetryEvent: TypeAlias = (
        SpanStarted | SpanUpdated | SpanEnded | SpanDropped | TraceStarted | TraceEnded | LogEmitted
    )
else:
    TelemetryEvent = (
        SpanStarted | SpanUpdated | SpanEnded | SpanDropped | TraceStarted | TraceEnded | LogEmitted
    )

EVENTS: dict[str, Callable[[Any], object]] = {
    event.type: event
    for event in (
        TraceStarted,
        SpanStarted,
        SpanUpdated,
        SpanEnded,
        SpanDropped,
        TraceEnded,
        LogEmitted,
    )
}
"""The kinds of events by their names, which are those in the names of methods: ``on_span_ended``."""
