"""Flushing and shutting down the SDK's span processors, each for itself; the provider calls it."""

from __future__ import annotations

import logging
import time

from opentelemetry.sdk.trace import SynchronousMultiSpanProcessor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["flush", "shut_down"]

_logger = logging.getLogger("polyspan")
# The classes of processors that have raised, and when: said once.
_said: set[tuple[type, str]] = set()


def _each(active: Any) -> tuple[Any, ...]:
    """The processors behind the active one, where it only calls them in turn."""
    if isinstance(active, SynchronousMultiSpanProcessor):
        return active._span_processors
    return (active,)


def flush(active: Any, deadline: float) -> bool:
    """Flush the processors until ``deadline``, on the monotonic clock in seconds.

    False where one could not or raised, or where its turn came too late. What is raised is logged.
    """
    flushed = True
    for processor in _each(active):
        left = int((deadline - time.monotonic()) * 1000)
        if left <= 0:
            return False
        try:
            flushed = processor.force_flush(left) is not False and flushed
        except Exception:
            _say(processor, "flushed")
            flushed = False
    return flushed


def shut_down(active: Any) -> None:
    """Shut down the processors; one that raises is logged and keeps no other from it."""
    for processor in _each(active):
        try:
            processor.shutdown()
        except Exception:
            _say(processor, "shut down")


def _say(processor: Any, when: str) -> None:
    """Log the exception at hand."""
    key = (type(processor), when)
    if key not in _said:
        _said.add(key)
        _logger.warning("a span processor raised when it was %s", when, exc_info=True)
