"""A provider of the OpenTelemetry API whose spans stay in memory, for the tests of both its halves."""

from __future__ import annotations

from typing import Any

import polyspan
from conftest import Recorded
from opentelemetry.trace import SpanContext, TraceFlags
from polyspan.opentelemetry import TracerProvider

REMOTE = SpanContext(0xABCD, 0x1234, is_remote=True, trace_flags=TraceFlags(1))


class Provided(Recorded):
    """A provider with its engine, what it recorded, and a tracer."""

    def __init__(self, provider: TracerProvider, exporter: polyspan.MemoryExporter) -> None:
        super().__init__(provider.engine, exporter)
        self.provider = provider
        self.tracer = provider.get_tracer("lib", "1.0")


def provided(**arguments: Any) -> Provided:
    """A provider with an engine of its own. Its caller shuts it down."""
    exporter = polyspan.MemoryExporter()
    return Provided(TracerProvider(exporter=exporter, replace=True, **arguments), exporter)
