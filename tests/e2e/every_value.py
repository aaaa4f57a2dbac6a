"""A program that records everything a span can hold, through both interfaces, for `test_every_value.py`."""

from __future__ import annotations

import math

import polyspan as ps
from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from polyspan.opentelemetry import TracerProvider

RESOURCE = {"host.id": "h-1", "process.pid": 7}
RESOURCE_SCHEMA = "https://example.com/2"
LIBRARY = ("library", "1.2", "https://example.com/1", {"part": 7})
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"
VALUES = {
    "text": "ünï\u2028code \U0001f600",
    "empty": "",
    "yes": True,
    "no": False,
    "zero": 0,
    "most": 2**63 - 1,
    "least": -(2**63),
    "half": 0.5,
    "whole": 129.0,
    "tiny": 5e-324,
    "minus zero": -0.0,
    "infinite": -math.inf,
    "not a number": math.nan,
    "raw": bytes(range(256)),
    "list": [1, "two", None, 3.0, [True]],
    "map": {"inner": {"deeper": [{"deepest": b"\x00"}]}},
    "nothing": None,
    "long": "x" * 20_000,
}


def own() -> None:
    """Polyspan's interface."""
    headers = {"traceparent": CALLER, "tracestate": "vendor=1,ot=th:8;rv:9123456789abcd"}
    with ps.span("continued", kind="server", parent=ps.extract(headers), attributes=VALUES) as span:
        span.update(input=VALUES["list"], output=VALUES["text"], metadata={"tier": "gold", "n": [1, 2]})
        span.event("chunk", {"n": 1, "list": ["a", "b"]})
        span.event("no attributes")
        span.link(ps.SpanContext("1" * 32, "2" * 16, trace_state="a=b"), {"why": "retry"})
        span.status("ok")
        ps.event("instant", type="model_chunk", output="token")
    for kind in ("internal", "server", "client", "producer", "consumer"):
        ps.span(f"kind {kind}", kind=kind, root=True, tags=["a", "b"]).end()
    try:
        with ps.span("failing", type="model_generation"):
            raise ValueError("no such thing: \u2603")
    except ValueError:
        pass
    with ps.span("too much", attributes={f"key {n}": n for n in range(140)}) as span:
        for n in range(130):
            span.event(f"event {n}")
            span.link(ps.SpanContext("1" * 32, f"{n + 1:016x}"))


def api() -> None:
    """The OpenTelemetry API."""
    name, library_version, schema_url, attributes = LIBRARY
    tracer = trace.get_tracer(name, library_version, schema_url=schema_url, attributes=attributes)
    state = TraceState([("x", "y")])
    linked = SpanContext(0x1111, 0x2222, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    links = [Link(linked, {"n": 1}), Link(SpanContext(0x3333, 0x4444, is_remote=False))]
    with tracer.start_as_current_span("outer", kind=SpanKind.PRODUCER, links=links) as span:
        span.set_attributes({"one": 1, "many": ("a", "b"), "numbers": [1.5, 2.5], "bytes": b"\xff"})
        span.add_event("reached", {"at": 3}, timestamp=1_700_000_000_000_000_000)
        span.record_exception(KeyError("k"), {"extra": True})
        span.set_status(Status(StatusCode.ERROR, "broken"))
        with ps.span("inner"), tracer.start_as_current_span("innermost"):
            pass
    tracer.start_span("timed", start_time=1_700_000_000_000_000_001).end(1_700_000_000_000_000_002)


if __name__ == "__main__":
    ps.init("every-value", resource=RESOURCE, resource_schema_url=RESOURCE_SCHEMA)
    trace.set_tracer_provider(TracerProvider())
    own()
    api()
    ps.flush(timeout=10)
