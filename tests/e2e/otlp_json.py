"""Reads OTLP/JSON (one request a line, as the Collector's file exporter and Polyspan's write it) into
span objects that tests can compare with what a program says it recorded.

A member that is not read here is an error, so that nothing a sender puts on the wire goes unchecked.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Enum numbers of opentelemetry/proto/trace/v1/trace.proto.
KINDS = {0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
STATUSES = {0: "unset", 1: "ok", 2: "error"}

# An attribute value: None, bool, int, float, str, bytes, list or dict of these.
Value = Any


@dataclass(frozen=True)
class Event:
    name: str
    time: int
    attributes: dict[str, Value]
    dropped_attributes: int = 0


@dataclass(frozen=True)
class Link:
    trace_id: str
    span_id: str
    trace_state: str
    attributes: dict[str, Value]
    flags: int = 0
    dropped_attributes: int = 0


@dataclass(frozen=True)
class Scope:
    name: str = ""
    version: str = ""
    attributes: dict[str, Value] = field(default_factory=dict)
    schema_url: str = ""


@dataclass(frozen=True)
class Span:
    """One span as received: ids in lower-case hex ("" for a root's parent), times in Unix nanoseconds."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: str
    start: int
    end: int
    attributes: dict[str, Value]
    events: list[Event]
    links: list[Link]
    status: str
    status_message: str
    trace_state: str
    flags: int
    dropped_attributes: int
    dropped_events: int
    dropped_links: int
    scope: Scope
    resource: dict[str, Value]
    resource_schema_url: str = ""

    @property
    def is_root(self) -> bool:
        return self.parent_span_id == ""


def read_spans(path: Path) -> list[Span]:
    """All spans of the file, in its order. A last line that is still being written is left out."""
    # Not splitlines(): a value may hold U+2028 as it is.
    complete, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [span for line in complete.split("\n") if line for span in spans_of_request(_loads(line))]


def _loads(line: str) -> Any:
    # The Collector writes the double -0.0 as `-0`, whose sign an integer would lose.
    return json.loads(line, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))


def spans_of_request(request: Mapping[str, Any]) -> list[Span]:
    """The spans of one ExportTraceServiceRequest in OTLP/JSON."""
    _only(request, "resourceSpans")
    spans = []
    for resource_spans in request.get("resourceSpans", ()):
        _only(resource_spans, "resource", "scopeSpans", "schemaUrl")
        resource = resource_spans.get("resource", {})
        _only(resource, "attributes")
        for scope_spans in resource_spans.get("scopeSpans", ()):
            _only(scope_spans, "scope", "spans", "schemaUrl")
            spans += [
                _span(
                    span,
                    _scope(scope_spans),
                    attributes(resource.get("attributes", ())),
                    resource_spans.get("schemaUrl", ""),
                )
                for span in scope_spans.get("spans", ())
            ]
    return spans


def attributes(pairs: Iterable[Mapping[str, Any]]) -> dict[str, Value]:
    """A list of KeyValue as a dict. A key that stands twice is an error: the sender had to merge it."""
    merged: dict[str, Value] = {}
    for pair in pairs:
        _only(pair, "key", "value")
        key = pair.get("key", "")
        if key in merged:
            raise AssertionError(f"attribute {key!r} stands twice")
        merged[key] = value(pair.get("value", {}))
    return merged


def value(any_value: Mapping[str, Any]) -> Value:
    """An AnyValue of OTLP/JSON as a Python value. 64-bit integers are strings there, bytes base64."""
    if not any_value:
        return None
    [(kind, held)] = any_value.items()
    match kind:
        case "stringValue" | "boolValue":
            return held
        case "intValue":
            return int(held)
        case "doubleValue":
            return float(held)  # "NaN" and "Infinity" are strings in JSON
        case "bytesValue":
            return base64.b64decode(held)
        case "arrayValue":
            _only(held, "values")
            return [value(item) for item in held.get("values", ())]
        case "kvlistValue":
            _only(held, "values")
            return attributes(held.get("values", ()))
    raise AssertionError(f"unknown kind of value {kind!r}")


def children(spans: Iterable[Span]) -> dict[str, list[Span]]:
    """Spans by the id of their parent, each list in order of start."""
    by_parent: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        by_parent.setdefault(span.parent_span_id, []).append(span)
    return by_parent


def _only(message: Mapping[str, Any], *members: str) -> None:
    unknown = message.keys() - set(members)
    if unknown:
        raise AssertionError(f"members that are not read: {sorted(unknown)}")


def _scope(scope_spans: Mapping[str, Any]) -> Scope:
    scope = scope_spans.get("scope", {})
    _only(scope, "name", "version", "attributes")
    return Scope(
        name=scope.get("name", ""),
        version=scope.get("version", ""),
        attributes=attributes(scope.get("attributes", ())),
        schema_url=scope_spans.get("schemaUrl", ""),
    )


def _span(
    span: Mapping[str, Any], scope: Scope, resource: dict[str, Value], resource_schema_url: str
) -> Span:
    _only(
        span,
        *("traceId", "spanId", "parentSpanId", "traceState", "flags", "name", "kind"),
        *("startTimeUnixNano", "endTimeUnixNano", "attributes", "droppedAttributesCount"),
        *("events", "droppedEventsCount", "links", "droppedLinksCount", "status"),
    )
    status = span.get("status", {})
    _only(status, "code", "message")
    return Span(
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_span_id=span.get("parentSpanId", ""),
        name=span.get("name", ""),
        kind=KINDS[span.get("kind", 0)],
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        attributes=attributes(span.get("attributes", ())),
        events=[_event(event) for event in span.get("events", ())],
        links=[_link(link) for link in span.get("links", ())],
        status=STATUSES[status.get("code", 0)],
        status_message=status.get("message", ""),
        trace_state=span.get("traceState", ""),
        flags=span.get("flags", 0),
        dropped_attributes=span.get("droppedAttributesCount", 0),
        dropped_events=span.get("droppedEventsCount", 0),
        dropped_links=span.get("droppedLinksCount", 0),
        scope=scope,
        resource=resource,
        resource_schema_url=resource_schema_url,
    )


def _event(event: Mapping[str, Any]) -> Event:
    _only(event, "name", "timeUnixNano", "attributes", "droppedAttributesCount")
    return Event(
        name=event.get("name", ""),
        time=int(event["timeUnixNano"]),
        attributes=attributes(event.get("attributes", ())),
        dropped_attributes=event.get("droppedAttributesCount", 0),
    )


def _link(link: Mapping[str, Any]) -> Link:
    _only(link, "traceId", "spanId", "traceState", "flags", "attributes", "droppedAttributesCount")
    return Link(
        trace_id=link["traceId"],
        span_id=link["spanId"],
        trace_state=link.get("traceState", ""),
        attributes=attributes(link.get("attributes", ())),
        flags=link.get("flags", 0),
        dropped_attributes=link.get("droppedAttributesCount", 0),
    )
