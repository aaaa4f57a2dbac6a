"""Everything a span can hold arrives at a real Collector as it was recorded, whatever the interface."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import every_value
import pytest
from otelcol import running
from otlp_json import Event, Link, Scope, Span
from recorded import HAS_IS_REMOTE, IS_REMOTE, Programs, as_sent, assert_same_spans, exactly

PROGRAM = Path(every_value.__file__)

OWN = Scope("polyspan", version("polyspan"))
LIBRARY = Scope("library", "1.2", {"part": 7}, "https://example.com/1")
SAMPLED_RANDOM = 3


class Ran(NamedTuple):
    """One run of the program."""

    received: list[Span]
    recorded: list[Span]

    def span(self, name: str) -> Span:
        """What arrived under that name."""
        [span] = [span for span in self.received if span.name == name]
        return span


@pytest.fixture(scope="module")
def ran(otelcol_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with running(otelcol_binary, tmp_path_factory.mktemp("collector")) as collector:
        programs = Programs(collector.endpoint, tmp_path_factory.mktemp("recorded"))
        programs.run(PROGRAM)
        records = programs.recorded()
        recorded = [as_sent(record, [OWN, LIBRARY], every_value.RESOURCE_SCHEMA) for record in records]
        yield Ran(collector.stop(), recorded)


def test_every_span_arrives_as_it_was_recorded(ran: Ran) -> None:
    names = [
        *("continued", "instant", "chat", "too much", "outer", "inner", "innermost", "timed"),
        *(f"kind {kind}" for kind in ("internal", "server", "client", "producer", "consumer")),
    ]
    assert sorted(span.name for span in ran.recorded) == sorted(names)
    assert_same_spans(ran.received, ran.recorded)


def test_every_value_is_what_the_program_set(ran: Ran) -> None:
    span = ran.span("continued")
    own = {
        "polyspan.input": '[1,"two",null,3.0,[true]]',
        "polyspan.output": "ünï\u2028code \U0001f600",
        "polyspan.metadata.tier": "gold",
        "polyspan.metadata.n": "[1,2]",
    }
    assert exactly(span.attributes) == exactly(every_value.VALUES | own)


def test_the_caller_s_trace_goes_on(ran: Ran) -> None:
    span = ran.span("continued")
    assert (span.trace_id, span.parent_span_id) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert (span.trace_state, span.kind, span.status) == (
        *("vendor=1,ot=th:8;rv:9123456789abcd", "server", "ok"),
    )
    assert span.flags == SAMPLED_RANDOM | HAS_IS_REMOTE | IS_REMOTE
    instant = ran.span("instant")
    assert (instant.trace_id, instant.parent_span_id) == (span.trace_id, span.span_id)
    assert (instant.trace_state, instant.flags) == (span.trace_state, SAMPLED_RANDOM | HAS_IS_REMOTE)
    assert instant.start == instant.end
    assert instant.attributes == {"polyspan.span.type": "model_chunk", "polyspan.output": "token"}


def test_events_and_links_are_what_the_program_added(ran: Ran) -> None:
    span = ran.span("continued")
    assert [(event.name, event.attributes) for event in span.events] == [
        ("chunk", {"n": 1, "list": ["a", "b"]}),
        ("no attributes", {}),
    ]
    flags = 1 | HAS_IS_REMOTE | IS_REMOTE
    assert span.links == [Link("1" * 32, "2" * 16, "a=b", {"why": "retry"}, flags)]
    outer = ran.span("outer")
    reached, raised = outer.events
    assert reached == Event("reached", 1_700_000_000_000_000_000, {"at": 3})
    assert (raised.name, raised.attributes["exception.type"], raised.attributes["extra"]) == (
        *("exception", "KeyError", True),
    )
    assert outer.links == [
        Link(f"{0x1111:032x}", f"{0x2222:016x}", "x=y", {"n": 1}, flags),
        Link(f"{0x3333:032x}", f"{0x4444:016x}", "", {}, HAS_IS_REMOTE),
    ]


def test_kinds_statuses_and_scopes(ran: Ran) -> None:
    for kind in ("internal", "server", "client", "producer", "consumer"):
        span = ran.span(f"kind {kind}")
        assert (span.kind, span.status, span.scope, span.parent_span_id) == (kind, "unset", OWN, "")
        assert span.attributes == {"polyspan.tags": ["a", "b"]}
    outer = ran.span("outer")
    assert (outer.kind, outer.status, outer.status_message, outer.scope) == (
        *("producer", "error", "broken", LIBRARY),
    )
    inner, innermost, timed = ran.span("inner"), ran.span("innermost"), ran.span("timed")
    assert (inner.scope, inner.parent_span_id) == (OWN, outer.span_id)
    assert (innermost.scope, innermost.parent_span_id) == (LIBRARY, inner.span_id)
    assert (timed.start, timed.end) == (1_700_000_000_000_000_001, 1_700_000_000_000_000_002)
    failing = ran.span("chat")
    assert (failing.status, failing.status_message) == ("error", "no such thing: \u2603")


def test_what_is_over_a_limit_is_counted(ran: Ran) -> None:
    span = ran.span("too much")
    assert (len(span.attributes), len(span.events), len(span.links)) == (128, 128, 128)
    assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (12, 2, 2)


def test_the_resource_is_what_was_configured(ran: Ran) -> None:
    described = {
        "service.name": "every-value",
        "telemetry.sdk.name": "polyspan",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": version("polyspan"),
    }
    for span in ran.received:
        assert exactly(span.resource) == exactly(described | every_value.RESOURCE)
        assert span.resource_schema_url == every_value.RESOURCE_SCHEMA
