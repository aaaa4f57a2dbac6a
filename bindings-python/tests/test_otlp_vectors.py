"""`tests/vectors/otlp.json`, recorded through Python's interface and read as a receiver gets it."""

from __future__ import annotations

import copy
from typing import Any

import polyspan
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from receiving import Receiver
from test_vectors import cases

# What only a record can say: a program does not choose how much was left out.
UNSAYABLE = {"dropped_attributes", "dropped_events", "dropped_links"}


def value(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    ((tag, content),) = given.items()
    if tag == "int":
        return int(content)
    if tag == "double":
        return float(content)
    if tag == "bytes":
        return bytes.fromhex(content)
    if tag == "repeat":
        return "".join(piece * count for piece, count in content)
    if tag == "array":
        return [value(item) for item in content]
    return {key: value(item) for key, item in content}


def values(entries: list[Any]) -> dict[str, Any]:
    return {key: value(item) for key, item in entries}


def remote(trace_id: str, span_id: str, given: dict[str, Any]) -> Any:
    """The context of a span of another process."""
    traceparent = f"00-{trace_id}-{span_id}-{given.get('flags', 1):02x}"
    return polyspan.extract({"traceparent": traceparent, "tracestate": given.get("tracestate", "")})


def is_sayable(given: dict[str, Any]) -> bool:
    # A program has no say in flags, and its scope is ours.
    return not given.keys() & UNSAYABLE and given["start"] != "0" and not given.get("scope")


def reduced(given: dict[str, Any], expected: Any) -> None:
    """Takes out of both what Python's interface cannot say, or takes for a mistake."""
    for parts, wanted in (("events", expected.events), ("links", expected.links)):
        for at in reversed(range(len(given.get(parts, [])))):
            part = given[parts][at]
            if part.keys() & UNSAYABLE or part.get("time") == "0":
                del given[parts][at], wanted[at]
    for at in reversed(range(len(given.get("attributes", [])))):
        if not given["attributes"][at][0]:
            del given["attributes"][at], expected.attributes[at]


def record(given: dict[str, Any]) -> None:
    links = [
        (remote(link["trace_id"], link["span_id"], link).span_context, values(link.get("attributes", [])))
        for link in given.get("links", [])
    ]
    above = {"root": True, "trace_id": given["trace_id"]}
    if given.get("parent_remote"):
        above = {"parent": remote(given["trace_id"], given["parent_span_id"], given)}
    span = polyspan.span(
        given["name"],
        type=given.get("type"),
        kind=given.get("kind"),
        attributes=values(given.get("attributes", [])),
        metadata=values(given.get("metadata", [])),
        tags=given.get("tags"),
        links=links,
        start_time=int(given["start"]),
        **above,
    )
    for part in ("input", "output"):
        if part in given:
            span.update(**{part: value(given[part])})
    for event in given.get("events", []):
        span.event(event["name"], values(event.get("attributes", [])), time=int(event["time"]))
    if "status" in given:
        span.status(given["status"], given.get("status_message"))
    span.end(int(given["end"]))


@pytest.mark.parametrize("case", cases("otlp.json"))
def test_a_receiver_reads_what_was_recorded(case: dict[str, Any], receiver: Receiver) -> None:
    request = ExportTraceServiceRequest.FromString(bytes.fromhex(case["hex"]))
    wanted = [span for scope in request.resource_spans[0].scope_spans for span in scope.spans]
    by_id = {span.span_id.hex(): span for span in wanted}
    sayable = [given for given in copy.deepcopy(case["spans"]) if is_sayable(given)]
    if not sayable:
        pytest.skip("Python's interface cannot say this")

    engine = polyspan.init(
        "tests", endpoint=receiver.endpoint, redaction=False, replace=True, limits={"depth": 63}
    )
    for given in sayable:
        reduced(given, by_id[given["span_id"]])
        record(given)
    engine.shutdown(30)
    assert engine.stats().adds_up()

    arrived = {span.name: span for span in receiver.spans}
    assert len(arrived) == len(sayable)
    for given in sayable:
        expected = by_id[given["span_id"]]
        found = arrived[expected.name]
        # Drawn by the engine; and which parents are remote is told by other vectors.
        found.span_id = expected.span_id
        if not given.get("parent_remote"):
            found.parent_span_id = expected.parent_span_id
        found.flags = expected.flags
        # A threshold that contradicts the random value is erased by the sampler.
        expected.trace_state = expected.trace_state.replace("th:8;", "")
        for link, other in zip(found.links, expected.links, strict=True):
            link.flags = other.flags
        assert found == expected, given["name"]
