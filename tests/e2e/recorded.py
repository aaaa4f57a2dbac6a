"""What programs recorded, by their own account, and how it has to look when it arrived as OTLP.

The account comes from the memory exporter (`recording/sitecustomize.py`), which shares no code with the
encoder of OTLP; the rules by which one becomes the other are written down here once more.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from otlp_json import Event, Link, Scope, Span, Value

RECORDING = Path(__file__).parent / "recording"

# opentelemetry-proto, SpanFlags: besides the trace flags of W3C, whether the parent's process is known and
# whether it is another one.
HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200


class Programs:
    """Runs Python programs that send to an endpoint and keep what they send."""

    def __init__(self, endpoint: str, folder: Path) -> None:
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        self._environment = kept | {
            "PYTHONPATH": str(RECORDING),
            "POLYSPAN_RECORDED": str(folder),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        }

    def run(self, program: Path) -> str:
        """Runs a program to its end, successfully, and returns what it printed."""
        done = subprocess.run(
            [sys.executable, str(program)],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == "", done.stderr
        return done.stdout

    def recorded(self) -> list[dict[str, Any]]:
        """The records of all processes."""
        files = sorted(self._folder.glob("*.pickle"))
        return [_listed(record) for file in files for record in pickle.loads(file.read_bytes())]


def _listed(value: Any) -> Any:
    """Arrays as lists, whichever sequence stands for them."""
    match value:
        case dict():
            return {key: _listed(item) for key, item in value.items()}
        case list() | tuple():
            return [_listed(item) for item in value]
    return value


def as_sent(record: dict[str, Any], scopes: Iterable[Scope], resource_schema_url: str = "") -> Span:
    """The span that OTLP has to carry for a record. `scopes` are the only ones that may occur."""
    remote = IS_REMOTE if record["parent_is_remote"] else 0
    [scope] = [scope for scope in scopes if (scope.name, scope.version) == tuple(record["scope"])]
    return Span(
        trace_id=record["trace_id"],
        span_id=record["span_id"],
        parent_span_id=record["parent_span_id"] or "",
        name=_name(record),
        kind=CLIENTS.get(record["type"], record["kind"]),
        start=record["start_time"],
        end=record["end_time"],
        attributes=_attributes(record),
        events=[
            Event(name, time, attributes, dropped_attributes=lost)
            for name, time, attributes, lost in record["events"]
        ],
        links=[_link(*link) for link in record["links"]],
        status=record["status"],
        status_message=record["status_message"],
        trace_state=record["context"]["trace_state"],
        flags=record["context"]["trace_flags"] | HAS_IS_REMOTE | remote,
        dropped_attributes=record["dropped_attributes"],
        dropped_events=record["dropped_events"],
        dropped_links=record["dropped_links"],
        scope=scope,
        resource=record["resource"],
        resource_schema_url=resource_schema_url,
    )


# Of the types that the programs use: the operation of the GenAI conventions, the attribute that holds the
# span's name and stands in the name on the wire too, and what input and output are called.
OPERATIONS = {
    "workflow": ("invoke_workflow", "gen_ai.workflow.name", "polyspan.input", "polyspan.output"),
    "tool": (
        *("execute_tool", "gen_ai.tool.name"),
        *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    ),
    "memory_lookup": ("search_memory", "", "polyspan.input", "polyspan.output"),
    "model_generation": ("chat", "", "polyspan.input", "polyspan.output"),
}
# Spans of these types that were started without a kind are requests.
CLIENTS = {"memory_lookup": "client", "model_generation": "client"}


def _name(record: dict[str, Any]) -> str:
    operation, named, *_ = OPERATIONS.get(record["type"], ("", "name"))
    return " ".join(part for part in (operation, record["name"] if named else "") if part)


def _attributes(record: dict[str, Any]) -> dict[str, Value]:
    """Polyspan's own fields become attributes: scalars as they are, structures as JSON text."""
    own: dict[str, Value] = {}
    operation, named, *slots = OPERATIONS.get(record["type"], ("", "", "polyspan.input", "polyspan.output"))
    if record["type"] != "generic":
        own["polyspan.span.type"] = record["type"]
    if operation:
        own["gen_ai.operation.name"] = operation
        own[named or "polyspan.span.name"] = record["name"]
        raised = [attributes for name, _, attributes, _ in record["events"] if name == "exception"]
        if raised and "error.type" not in record["attributes"]:
            own["error.type"] = raised[-1]["exception.type"]
    for field, slot in zip(("input", "output"), slots, strict=True):
        if record[field] is not None:
            own[slot] = _plain(record[field])
    for key, value in record["metadata"].items():
        own[f"polyspan.metadata.{key}"] = _plain(value)
    if record["tags"]:
        own["polyspan.tags"] = list(record["tags"])
    attributes: dict[str, Value] = record["attributes"]
    assert not own.keys() & attributes.keys()
    return attributes | own


def _plain(value: Value) -> Value:
    if isinstance(value, (list, dict)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return value


def _link(context: dict[str, Any], attributes: dict[str, Value], lost: int) -> Link:
    return Link(
        trace_id=context["trace_id"],
        span_id=context["span_id"],
        trace_state=context["trace_state"],
        attributes=attributes,
        flags=context["trace_flags"] | HAS_IS_REMOTE | (IS_REMOTE if context["is_remote"] else 0),
        dropped_attributes=lost,
    )


def exactly(value: object) -> object:
    """The same, so that `==` also compares types (to Python 1, 1.0 and True are equal) and NaN to itself."""
    match value:
        case float():
            return ("float", repr(value))
        case dict():
            return ("dict", {key: exactly(item) for key, item in value.items()})
        case list():
            return ("list", [exactly(item) for item in value])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return (type(value).__name__, {field.name: exactly(getattr(value, field.name)) for field in fields})
    return (type(value).__name__, value)


def assert_same_spans(received: list[Span], expected: list[Span]) -> None:
    """Every span arrived once, each as expected to the last value."""
    by_id = {span.span_id: span for span in received}
    assert len(by_id) == len(received), "a span arrived twice"
    assert sorted((span.span_id, span.name) for span in received) == sorted(
        (span.span_id, span.name) for span in expected
    )
    for span in expected:
        arrived = by_id[span.span_id]
        for field in dataclasses.fields(Span):
            got, wanted = getattr(arrived, field.name), getattr(span, field.name)
            assert exactly(got) == exactly(wanted), f"{span.name}: {field.name}: {got!r} != {wanted!r}"


def assert_in_order(spans: list[Span]) -> None:
    """Spans lie within their parents, as structured code runs them, and events within their spans.

    A parent in another process goes on while the child ends, so there only the start counts.
    """
    by_id = {span.span_id: span for span in spans}
    for span in spans:
        times = [span.start, *(event.time for event in span.events), span.end]
        assert times == sorted(times), span
        parent = by_id.get(span.parent_span_id)
        if parent is not None:
            assert parent.trace_id == span.trace_id
            assert parent.start <= span.start <= parent.end, (parent, span)
            assert span.flags & IS_REMOTE or span.end <= parent.end, (parent, span)
