"""What an exporter's ``export_event`` is told: one class for each kind of event, told apart by ``type``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ._polyspan import FinishedSpan

__all__ = ["EVENTS", "SpanEnded", "TelemetryEvent"]


class SpanEnded:
    """A span ended."""

    __slots__ = ("span",)
    __match_args__ = ("span",)
    type: Literal["span_ended"] = "span_ended"

    def __init__(self, span: FinishedSpan) -> None:
        self.span = span

    def __repr__(self) -> str:
        return f"SpanEnded({self.span!r})"


TelemetryEvent = SpanEnded
"""Any of them."""

EVENTS: tuple[str, ...] = ("span_ended",)
"""The kinds of events, as in the names of methods: ``on_span_ended``."""
