"""The main job: the example agent's whole trace arrives at a real Collector, complete, in order, unchanged.

Two expectations of different kinds are held against what the Collector wrote: the records that the example's
two processes kept of their spans decide about every value, and the tree written out here about what there has
to be at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from otelcol import running
from otlp_json import Scope, Span, children
from recorded import Programs, as_sent, assert_in_order, assert_same_spans, exactly

EXAMPLE = Path(__file__).parents[2] / "examples/python-agent/run.py"

OWN = Scope("polyspan", version("polyspan"))
FRAMEWORK = Scope("pydantic-ai", version("pydantic-ai-slim"))
_HTTP = "https://opentelemetry.io/schemas/1.11.0"
CALLS = Scope(
    "opentelemetry.instrumentation.httpx",
    version("opentelemetry-instrumentation-httpx"),
    schema_url=_HTTP,
)
ROUTES = Scope(
    "opentelemetry.instrumentation.fastapi",
    version("opentelemetry-instrumentation-fastapi"),
    schema_url=_HTTP,
)
STORE = Scope("parcels")
SCOPES = [OWN, FRAMEWORK, CALLS, ROUTES, STORE]

QUESTION = "Where is my order 1007, and could I still send it back?"
POLICY = "129.00 can be refunded within 30 days."
SEEN = "packed in Leipzig, sorted in Hamburg, held in Oslo"
REPLY = f"Your walking boots: {SEEN}. {POLICY}"
NO_ORDER = "there is no order '1007'; ids look like A-1000"


class Node(NamedTuple):
    """A span that has to be there, and what stands under it in order of start."""

    service: str
    scope: Scope
    name: str
    kind: str
    # Attributes it must have at least; all of them are compared with the records.
    attributes: dict[str, Any]
    under: tuple[Node, ...] = ()
    status: str = "unset"


def _call(order: str, path: str, status: int) -> Node:
    """An HTTP call of the agent, and what the service does about it."""
    route = path.replace(order, "{order_id}")
    found = int(order == "A-1007")
    send = f"GET {route} http send"

    def service(scope: Scope, name: str, kind: str, attributes: dict[str, Any], *under: Node) -> Node:
        return Node("parcel-service", scope, name, kind, attributes, under)

    store = {
        "db.system.name": "memory",
        "db.query.text": "SELECT * FROM orders WHERE id = $1",
        "db.response.returned_rows": found,
    }
    start = {"asgi.event.type": "http.response.start", "http.status_code": status}
    body = {"asgi.event.type": "http.response.body"}
    request = {"http.method": "GET", "http.status_code": status}
    return Node(
        "support-agent",
        CALLS,
        "GET",
        "client",
        {**request, "session.id": "session-42"},
        (
            service(
                ROUTES,
                f"GET {route}",
                "server",
                {**request, "http.route": route, "http.target": path},
                service(STORE, "SELECT orders", "client", store),
                service(ROUTES, send, "internal", start),
                service(ROUTES, send, "internal", body),
            ),
        ),
        status="error" if status >= 400 else "unset",
    )


def _own(name: str, attributes: dict[str, Any], *under: Node) -> Node:
    return Node("support-agent", OWN, name, "internal", attributes, under)


def _chat() -> Node:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "offline-support"}
    return Node("support-agent", FRAMEWORK, "chat offline-support", "client", attributes)


def _tool(name: str, arguments: str, result: str, *under: Node, status: str = "unset") -> Node:
    attributes = {
        "session.id": "session-42",
        "user.id": "customer-7",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.arguments": arguments,
        "gen_ai.tool.call.result": result,
    }
    return Node("support-agent", FRAMEWORK, f"execute_tool {name}", "internal", attributes, under, status)


_FOUND = '{"item":"walking boots","price":129.0,"carrier":"northern"}'
_SCANS = (
    '[{"what":"packed","where":"Leipzig"},{"what":"sorted","where":"Hamburg"},{"what":"held","where":"Oslo"}]'
)
TREE = _own(
    "invoke_workflow answer customer",
    {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "answer customer",
        "session.id": "session-42",
        "user.id": "customer-7",
        "polyspan.span.type": "workflow",
        "polyspan.input": QUESTION,
        "polyspan.output": REPLY,
        "polyspan.tags": ["example"],
    },
    Node(
        "support-agent",
        FRAMEWORK,
        "invoke_agent support",
        "internal",
        {"session.id": "session-42", "gen_ai.agent.name": "support", "final_result": REPLY},
        (
            _chat(),
            _tool(
                "look_up_order",
                '{"order_id":"1007"}',
                NO_ORDER,
                _call("1007", "/orders/1007", 404),
                status="error",
            ),
            _chat(),
            _tool("look_up_order", '{"order_id":"A-1007"}', _FOUND, _call("A-1007", "/orders/A-1007", 200)),
            _chat(),
            # The model asks for both at once.
            _tool(
                "track_parcel",
                '{"order_id":"A-1007"}',
                SEEN,
                _own(
                    "execute_tool Desk.scans",
                    {
                        "session.id": "session-42",
                        "polyspan.span.type": "tool",
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.name": "Desk.scans",
                        "gen_ai.tool.call.arguments": '{"order_id":"A-1007"}',
                        "gen_ai.tool.call.result": _SCANS,
                    },
                    _call("A-1007", "/orders/A-1007/scans", 200),
                ),
            ),
            _tool(
                "refund_policy",
                '{"amount":129.0}',
                POLICY,
                Node(
                    *("support-agent", OWN, "search_memory", "client"),
                    {
                        "session.id": "session-42",
                        "polyspan.span.type": "memory_lookup",
                        "gen_ai.operation.name": "search_memory",
                        "polyspan.span.name": "read policy",
                        "polyspan.input": '{"amount":129.0}',
                        "polyspan.output": POLICY,
                        "polyspan.metadata.policy": "2026-01",
                    },
                ),
            ),
            _chat(),
        ),
    ),
)


class Ran(NamedTuple):
    """One run of the example."""

    printed: str
    received: list[Span]
    recorded: list[Span]


@pytest.fixture(scope="module")
def ran(otelcol_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with running(otelcol_binary, tmp_path_factory.mktemp("collector")) as collector:
        programs = Programs(collector.endpoint, tmp_path_factory.mktemp("recorded"))
        printed = programs.run(EXAMPLE)
        recorded = [as_sent(record, SCOPES) for record in programs.recorded()]
        yield Ran(printed, collector.stop(), recorded)


def test_the_agent_answers_and_nothing_is_lost(ran: Ran) -> None:
    assert ran.printed.splitlines() == [
        REPLY,
        "support-agent: 15 ended / 15 exported / 0 dropped",
        "parcel-service: 12 ended / 12 exported / 0 dropped",
    ]


def test_every_value_of_every_span_arrives(ran: Ran) -> None:
    assert Counter(span.resource["service.name"] for span in ran.recorded) == {
        "support-agent": 15,
        "parcel-service": 12,
    }
    assert_same_spans(ran.received, ran.recorded)


def test_the_trace_is_the_tree_that_the_agent_ran(ran: Ran) -> None:
    assert len({span.trace_id for span in ran.received}) == 1
    assert_in_order(ran.received)
    by_parent = children(ran.received)
    seen = []

    def compare(expected: Node, span: Span) -> None:
        seen.append(span.span_id)
        assert (span.resource["service.name"], span.scope, span.name, span.kind, span.status) == (
            *(expected.service, expected.scope, expected.name, expected.kind, expected.status),
        )
        held = {key: span.attributes.get(key) for key in expected.attributes}
        assert exactly(held) == exactly(expected.attributes)
        under = by_parent.get(span.span_id, [])
        assert [child.name for child in under] == [child.name for child in expected.under]
        for node, child in zip(expected.under, under, strict=True):
            compare(node, child)

    [root] = by_parent[""]
    compare(TREE, root)
    assert sorted(seen) == sorted(span.span_id for span in ran.received)


def test_each_step_of_the_agent_begins_after_the_one_before(ran: Ran) -> None:
    by_parent = children(ran.received)
    [root] = by_parent[""]
    [agent] = by_parent[root.span_id]
    steps = by_parent[agent.span_id]
    assert len(steps) == 8
    for number, (before, after) in enumerate(pairwise(steps)):
        together = {before.name, after.name} == {"execute_tool track_parcel", "execute_tool refund_policy"}
        assert together or before.end <= after.start, number
    both = steps[5:7]
    assert max(step.end for step in both) <= steps[7].start


def test_the_failing_tool_says_what_failed(ran: Ran) -> None:
    with_events = [span for span in ran.received if span.events]
    [failing] = with_events
    [event] = failing.events
    assert failing.name == "execute_tool look_up_order"
    assert event.name == "exception"
    assert event.attributes["exception.type"] == "pydantic_ai.exceptions.ToolRetryError"
    assert event.attributes["exception.message"] == NO_ORDER
    stack = event.attributes["exception.stacktrace"]
    assert "raise ModelRetry(" in stack
    assert stack.endswith(f"pydantic_ai.exceptions.ToolRetryError: {NO_ORDER}\n")


def test_the_session_is_on_every_span_of_the_agent_and_stays_there(ran: Ran) -> None:
    for span in ran.received:
        of_agent = span.resource["service.name"] == "support-agent"
        held = (span.attributes.get("session.id"), span.attributes.get("user.id"))
        assert held == (("session-42", "customer-7") if of_agent else (None, None)), span.name


def test_resources_say_who_they_are(ran: Ran) -> None:
    for span in ran.received:
        service = span.resource["service.name"]
        assert service in ("support-agent", "parcel-service")
        assert span.resource == {
            "service.name": service,
            "telemetry.sdk.name": "polyspan",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.version": version("polyspan"),
        }
