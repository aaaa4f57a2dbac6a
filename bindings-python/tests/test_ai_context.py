"""What the application sees of a trace: its id, what samplers are told, hidden spans, errors in full."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import polyspan
import pytest
from conftest import Recorded
from polyspan import MemoryExporter, current_trace_id, traced, with_trace_id


@traced(type="agent")
def answer(question: str, *, loud: bool = False) -> str:
    return question.upper() if loud else question


@traced(type="agent")
async def answer_later(question: str) -> str:
    await asyncio.sleep(0)
    return question + (current_trace_id() or "")


@traced
def words(text: str) -> Iterator[str]:
    yield from text.split()


@traced
async def words_later(text: str) -> AsyncIterator[str]:
    for word in text.split():
        yield word


@polyspan.instrument
class Agent:
    name = "support"

    def run(self, question: str) -> str:
        return f"{self.name}: {question}"


def test_the_trace_id_comes_back_with_the_result(recorded: Recorded) -> None:
    result, trace_id = with_trace_id(answer, "why", loud=True)
    span = recorded.one()
    assert (result, trace_id) == ("WHY", span.trace_id)
    assert (span.input, span.output, span.type) == ({"question": "why", "loud": True}, "WHY", "agent")


def test_the_trace_id_of_a_coroutine(recorded: Recorded) -> None:
    result, trace_id = asyncio.run(with_trace_id(answer_later, "why"))
    assert trace_id == recorded.one().trace_id
    assert result == f"why{trace_id}"


def test_the_trace_id_of_a_method(recorded: Recorded) -> None:
    result, trace_id = with_trace_id(Agent().run, "why")
    assert (result, trace_id) == ("support: why", recorded.one().trace_id)


def test_the_trace_id_of_a_generator_is_known_at_once(recorded: Recorded) -> None:
    steps, trace_id = with_trace_id(words, "a b")
    assert trace_id is not None and recorded.spans() == []
    assert list(steps) == ["a", "b"]
    assert recorded.one().trace_id == trace_id

    async def collect() -> tuple[list[str], str | None]:
        steps, trace_id = with_trace_id(words_later, "c d")
        return [word async for word in steps], trace_id

    found, trace_id = asyncio.run(collect())
    assert found == ["c", "d"]
    assert [span.trace_id for span in recorded.spans() if span.name == "words_later"] == [trace_id]


def test_a_failure_goes_through(recorded: Recorded) -> None:
    @traced
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        with_trace_id(fail)
    assert recorded.one().status == "error"


def test_only_traced_functions_have_one() -> None:
    with pytest.raises(TypeError, match="is not traced"):
        with_trace_id(len, "abc")


def test_nobody_finds_a_trace_that_is_not_sampled() -> None:
    engine = polyspan.init("tests", exporter=MemoryExporter(), sampler="always_off", replace=True)
    try:
        assert current_trace_id() is None
        with polyspan.span("x"):
            assert current_trace_id() is None
        assert with_trace_id(answer, "why") == ("why", None)
        assert asyncio.run(with_trace_id(answer_later, "why")) == ("why", None)
    finally:
        engine.shutdown(30)


def test_the_current_trace_id(recorded: Recorded) -> None:
    assert current_trace_id() is None
    with polyspan.span("x") as span:
        assert current_trace_id() == span.trace_id
    with polyspan.context(parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        assert current_trace_id() == "0af7651916cd43dd8448eb211c80319c"


def test_hidden_spans_show_the_ids_of_who_stands_in() -> None:
    exporter = MemoryExporter()
    engine = polyspan.init("tests", exporter=exporter, exclude_span_types=["workflow"], replace=True)
    with polyspan.span("root") as root, polyspan.workflow("hidden") as hidden:
        assert hidden.is_recording
        assert (hidden.trace_id, hidden.span_id) == (root.trace_id, root.span_id)
        carrier = polyspan.inject({})
        assert carrier["traceparent"].split("-")[2] == root.span_id
    with polyspan.workflow("hidden root") as hidden:
        assert hidden.span_id == "0" * 16 and current_trace_id() == hidden.trace_id
        below = polyspan.extract(polyspan.inject({})).span_context
        assert below is not None and below.trace_id == hidden.trace_id and below.is_sampled
    engine.shutdown(30)
    assert [span.name for span in exporter.spans] == ["root"]
    assert engine.stats().excluded == 2 and engine.stats().adds_up()
    assert "excluded=2" in repr(engine.stats())


def test_spans_of_the_opentelemetry_api_go_over_hidden_ones() -> None:
    pytest.importorskip("opentelemetry")
    from polyspan.opentelemetry import TracerProvider

    exporter = MemoryExporter()
    provider = TracerProvider(exporter=exporter, exclude_span_types=["workflow"], replace=True)
    tracer = provider.get_tracer("lib")
    engine = polyspan.engine()
    with (
        polyspan.context(session_id="s"),
        polyspan.workflow("hidden"),
        polyspan.workflow("hidden too"),
        tracer.start_as_current_span("top"),
        polyspan.workflow("hidden again"),
        tracer.start_as_current_span("below"),
    ):
        pass
    engine.shutdown(30)
    by_name = {span.name: span for span in exporter.spans}
    assert set(by_name) == {"top", "below"}
    assert by_name["top"].parent_span_id is None
    assert by_name["below"].parent_span_id == by_name["top"].span_id
    assert by_name["top"].trace_id == by_name["below"].trace_id
    assert by_name["below"].attributes["session.id"] == "s"


def test_a_sampler_is_told_what_is_known() -> None:
    asked: list[dict[str, Any]] = []

    def sampler(about: dict[str, Any]) -> bool:
        asked.append(about)
        return bool(about["metadata"].get("tier") == "premium" or about["attributes"].get("user.id") == "u")

    exporter = MemoryExporter()
    engine = polyspan.init(
        "tests", exporter=exporter, sampler=sampler, replace=True, metadata={"tier": "free", "region": "eu"}
    )
    with (
        polyspan.context(metadata={"tier": "premium"}, request_context={"tenant": {"id": "t"}}),
        polyspan.tool("kept", attributes={"model": "x"}, kind="client", metadata={"own": 1}),
    ):
        pass
    with polyspan.span("dropped", session_id="s"):
        pass
    with polyspan.span(
        "kept too", user_id="u", parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    ):
        pass
    engine.shutdown(30)
    assert [span.name for span in exporter.spans] == ["kept"]
    first, second = asked
    assert (first["name"], first["type"], first["kind"]) == ("kept", "tool", "client")
    assert first["metadata"] == {"region": "eu", "tier": "premium", "own": 1}
    assert first["request_context"] == {"tenant": {"id": "t"}}
    assert first["attributes"] == {"model": "x"}
    assert first["parent"] is None and len(first["trace_id"]) == 32
    assert second["attributes"] == {"session.id": "s"} and second["request_context"] is None


def test_an_error_in_full(recorded: Recorded) -> None:
    with polyspan.tool("x") as current:
        current.error(
            KeyError("order"),
            end=False,
            id="ORDER_MISSING",
            domain="shop",
            category="user",
            details={"order": 7},
            metadata={"retryable": False},
        )
    span = recorded.one()
    assert (span.status, span.status_message, span.metadata) == ("error", "'order'", {"retryable": False})
    assert span.attributes == {
        "error.type": "ORDER_MISSING",
        "polyspan.error.id": "ORDER_MISSING",
        "polyspan.error.domain": "shop",
        "polyspan.error.category": "user",
        "polyspan.error.details": {"order": 7},
    }
    [(name, _, attributes, _)] = span.events
    assert (name, attributes["exception.type"]) == ("exception", "KeyError")
    assert "KeyError: 'order'" in attributes["exception.stacktrace"]


def test_an_unknown_argument_is_said_as_python_says_it(recorded: Recorded) -> None:
    for call in (polyspan.span, polyspan.event):
        with pytest.raises(TypeError, match="unexpected keyword argument 'sesion_id'"):
            call("x", sesion_id="s")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"context\(\) got an unexpected keyword argument 'sesion_id'"):
        polyspan.context(sesion_id="s")  # type: ignore[call-arg]


def test_an_event_span_inherits(recorded: Recorded) -> None:
    with polyspan.span("root", session_id="s", metadata={"a": 1}):
        polyspan.event("signal", type="agent_signal", output={"x": 1}, user_id="u")
    event = recorded.span("signal")
    assert event.is_event and event.start_time == event.end_time
    assert (event.output, event.metadata) == ({"x": 1}, {"a": 1})
    assert event.attributes == {"session.id": "s", "user.id": "u"}


def test_requests_below_a_generation_carry_the_usage(tmp_path: Any) -> None:
    import json

    path = tmp_path / "spans"
    engine = polyspan.init("tests", exporter={"type": "file", "path": str(path)}, replace=True)
    usage = {"input_tokens": 3, "output_tokens": 1}
    with (
        polyspan.model_generation("whole", model="m", usage=usage),
        polyspan.model_step("step: 0", usage=usage),
        polyspan.model_inference("request", model="m", usage=usage),
    ):
        pass
    engine.shutdown(30)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    spans = [
        span for line in lines for scope in line["resourceSpans"][0]["scopeSpans"] for span in scope["spans"]
    ]
    keys = {span["name"]: {item["key"] for item in span["attributes"]} for span in spans}
    assert set(keys) == {"chat m", "step: 0", "whole"}
    assert "gen_ai.usage.input_tokens" in keys["chat m"]
    for name in ("step: 0", "whole"):
        assert not any(key.startswith("gen_ai.usage.") for key in keys[name])
        assert "gen_ai.operation.name" not in keys[name]
