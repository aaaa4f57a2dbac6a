"""The harness itself: what a sender puts into OTLP comes back through the real Collector unchanged.
The other tests of this folder compare through it, so an error here would hide theirs.
"""

from __future__ import annotations

import json
import math
import urllib.request

from otelcol import Collector
from otlp_json import Event, Link, Scope, Span, children

TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT = "b7ad6b7169203331"
CHILD = "00f067aa0ba902b7"
START = 1_700_000_000_000_000_001


def _send(collector: Collector, request: object) -> None:
    post = urllib.request.Request(
        f"{collector.endpoint}/v1/traces",
        data=json.dumps(request).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(post) as reply:
        assert reply.status == 200


def _request() -> dict[str, object]:
    attributes = {
        "text": {"stringValue": "ünï\u2028code"},
        "yes": {"boolValue": True},
        "big": {"intValue": "-9223372036854775808"},
        "half": {"doubleValue": 0.5},
        "infinite": {"doubleValue": "-Infinity"},
        "raw": {"bytesValue": "AAH/"},
        "list": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "two"}, {}]}},
        "map": {"kvlistValue": {"values": [{"key": "inner", "value": {"boolValue": False}}]}},
        "null": {},
    }
    root = {
        "traceId": TRACE,
        "spanId": ROOT,
        "traceState": "ot=th:8",
        "flags": 0x103,
        "name": "answer",
        "kind": 2,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 10),
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
        "droppedAttributesCount": 3,
        "events": [
            {
                "name": "chunk",
                "timeUnixNano": str(START + 2),
                "attributes": [{"key": "n", "value": {"intValue": "1"}}],
                "droppedAttributesCount": 1,
            }
        ],
        "droppedEventsCount": 2,
        "links": [{"traceId": TRACE[::-1], "spanId": CHILD, "traceState": "a=b", "flags": 1}],
        "droppedLinksCount": 1,
        "status": {"code": 2, "message": "broken"},
    }
    child = {
        "traceId": TRACE,
        "spanId": CHILD,
        "parentSpanId": ROOT,
        "name": "search",
        "kind": 1,
        "startTimeUnixNano": str(START + 1),
        "endTimeUnixNano": str(START + 9),
    }
    scope = {"name": "agent", "version": "1.2"}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "support"}}]}
    return {
        "resourceSpans": [
            {
                "resource": resource,
                "scopeSpans": [
                    {"scope": scope, "spans": [child, root], "schemaUrl": "https://example.com/1"}
                ],
            }
        ]
    }


def test_a_span_comes_back_as_it_was_sent(collector: Collector) -> None:
    _send(collector, _request())
    spans = collector.wait_for(lambda spans: len(spans) == 2)
    child, root = sorted(spans, key=lambda span: span.is_root)
    assert root == Span(
        trace_id=TRACE,
        span_id=ROOT,
        parent_span_id="",
        name="answer",
        kind="server",
        start=START,
        end=START + 10,
        attributes={
            "text": "ünï\u2028code",
            "yes": True,
            "big": -(2**63),
            "half": 0.5,
            "infinite": -math.inf,
            "raw": b"\x00\x01\xff",
            "list": [1, "two", None],
            "map": {"inner": False},
            "null": None,
        },
        events=[Event("chunk", START + 2, {"n": 1}, dropped_attributes=1)],
        links=[Link(TRACE[::-1], CHILD, "a=b", {}, flags=1)],
        status="error",
        status_message="broken",
        trace_state="ot=th:8",
        flags=0x103,
        dropped_attributes=3,
        dropped_events=2,
        dropped_links=1,
        scope=Scope("agent", "1.2", schema_url="https://example.com/1"),
        resource={"service.name": "support"},
    )
    assert (child.name, child.parent_span_id, child.status) == ("search", ROOT, "unset")
    assert [span.name for span in children(spans)[ROOT]] == ["search"]


def test_what_was_accepted_is_written_before_the_collector_stops(collector: Collector) -> None:
    for _ in range(20):
        _send(collector, _request())
    assert len(collector.stop()) == 40
