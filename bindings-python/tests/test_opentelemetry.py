"""The OpenTelemetry API over native spans, held against what its documentation says.

All this holds with the API package alone; what needs the SDK beside it is in `test_opentelemetry_sdk.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import polyspan
import pytest
from conftest import Recorded
from opentelemetry import baggage, context, trace
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from polyspan import current_span
from polyspan.opentelemetry import Span, Tracer, TracerProvider
from provided import REMOTE, Provided, provided


@pytest.fixture
def otel() -> Iterator[Provided]:
    fixture = provided()
    yield fixture
    fixture.provider.shutdown()


def test_the_classes_are_those_of_the_api(otel: Provided) -> None:
    assert isinstance(otel.provider, trace.TracerProvider)
    assert isinstance(otel.tracer, Tracer) and isinstance(otel.tracer, trace.Tracer)
    with otel.tracer.start_as_current_span("x") as span:
        assert isinstance(span, Span) and isinstance(span, trace.Span)
        assert trace.get_current_span() is span
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_span_and_all_its_methods(otel: Provided) -> None:
    with otel.tracer.start_as_current_span(
        "first",
        kind=SpanKind.CLIENT,
        attributes={"a": 1, "list": ["x", "y"]},
        links=[Link(REMOTE, {"n": 1})],
        start_time=1_000_000_000,
    ) as span:
        span.set_attribute("b", True)
        span.set_attributes({"c": 1.5, "a": 2})
        span.add_event("event", {"k": "v"}, timestamp=1_500_000_000)
        span.add_link(REMOTE, {"n": 2})
        span.update_name("renamed")
        span.set_status(StatusCode.ERROR, "bad")
        assert span.is_recording()
        span.end(2_000_000_000)
        assert not span.is_recording()
        span.set_attribute("late", 1)
    record = otel.one()
    assert (record.name, record.kind, record.scope) == ("renamed", "client", ("lib", "1.0"))
    assert record.attributes == {"a": 2, "list": ("x", "y"), "b": True, "c": 1.5}
    assert (record.start_time, record.end_time) == (1_000_000_000, 2_000_000_000)
    assert record.events == [("event", 1_500_000_000, {"k": "v"}, 0)]
    assert [(link[0].span_id, link[1]) for link in record.links] == [
        (f"{0x1234:016x}", {"n": 1}),
        (f"{0x1234:016x}", {"n": 2}),
    ]
    assert (record.status, record.status_message) == ("error", "bad")


def test_what_a_span_says_of_itself(otel: Provided) -> None:
    parent = trace.set_span_in_context(trace.NonRecordingSpan(REMOTE))
    span = otel.tracer.start_span("x", context=parent, kind=SpanKind.SERVER, attributes={"a": (1, 2)})
    assert isinstance(span, Span)
    assert (span.name, span.kind, span.attributes) == ("x", SpanKind.SERVER, {"a": (1, 2)})
    assert span.parent == REMOTE and span.parent is not None and span.parent.is_remote
    assert span.context == span.get_span_context()
    assert span.context.trace_id == 0xABCD and not span.context.is_remote
    span.add_event("e", {"k": 1})
    assert [(event.name, event.attributes) for event in span.events] == [("e", {"k": 1})]
    assert span.status.status_code is StatusCode.UNSET
    assert span.instrumentation_scope.name == "lib"
    assert span.end_time is None and span.start_time is not None
    span.end()


@pytest.mark.parametrize(
    ("steps", "code", "message"),
    [
        ([(StatusCode.OK, None)], "ok", ""),
        ([(StatusCode.ERROR, "why")], "error", "why"),
        ([(StatusCode.OK, "ignored")], "ok", ""),
        ([(StatusCode.OK, None), (StatusCode.ERROR, "late")], "ok", ""),
        ([(StatusCode.ERROR, "first"), (StatusCode.ERROR, "second")], "error", "second"),
        ([(StatusCode.ERROR, "first"), (StatusCode.OK, None)], "ok", ""),
        ([(StatusCode.ERROR, "kept"), (StatusCode.UNSET, None)], "error", "kept"),
        ([(Status(StatusCode.ERROR, "object"), None)], "error", "object"),
    ],
)
def test_the_rules_of_the_status(otel: Provided, steps: list[Any], code: str, message: str) -> None:
    with otel.tracer.start_as_current_span("x") as span:
        for status, description in steps:
            span.set_status(status, description)
    record = otel.one()
    assert (record.status, record.status_message) == (code, message)


def test_exceptions_as_the_api_documents_them(otel: Provided) -> None:
    with pytest.raises(ValueError, match="boom"), otel.tracer.start_as_current_span("both"):
        raise ValueError("boom")
    with (
        pytest.raises(ValueError, match="boom"),
        otel.tracer.start_as_current_span("neither", record_exception=False, set_status_on_exception=False),
    ):
        raise ValueError("boom")
    with pytest.raises(KeyboardInterrupt), otel.tracer.start_as_current_span("no error"):
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="boom"), otel.tracer.start_span("by itself"):
        raise ValueError("boom")
    both, neither, no_error, by_itself = otel.spans()
    for record in (both, by_itself):
        assert (record.status, record.status_message) == ("error", "ValueError: boom")
        [(name, _, attributes, _)] = record.events
        assert name == "exception"
        assert attributes["exception.type"] == "ValueError"
        assert attributes["exception.message"] == "boom"
        assert "test_exceptions_as_the_api_documents_them" in attributes["exception.stacktrace"]
        assert attributes["exception.escaped"] == "False"
    for record in (neither, no_error):
        assert (record.status, record.events) == ("unset", [])


def test_record_exception_takes_what_the_sdk_takes(otel: Provided) -> None:
    with otel.tracer.start_as_current_span("x") as span:
        span.record_exception(
            KeyError("k"), {"exception.message": "own", "extra": 1}, timestamp=5, escaped=True
        )
    [(_, time, attributes, _)] = otel.one().events
    assert time == 5
    assert (attributes["exception.message"], attributes["extra"]) == ("own", 1)
    assert attributes["exception.escaped"] == "True"


def test_end_on_exit_and_use_span(otel: Provided) -> None:
    with otel.tracer.start_as_current_span("kept", end_on_exit=False) as span:
        pass
    assert span.is_recording()
    with pytest.raises(ValueError, match="x"), trace.use_span(span, end_on_exit=True):
        assert trace.get_current_span() is span
        raise ValueError("x")
    assert otel.one().status_message == "ValueError: x"


def test_as_a_decorator_of_both_kinds_of_functions(otel: Provided) -> None:
    @otel.tracer.start_as_current_span("plain")
    def plain(n: int) -> int:
        """Doc."""
        assert trace.get_current_span().is_recording()
        return n

    @otel.tracer.start_as_current_span("coroutine")
    async def coroutine(n: int) -> int:
        await asyncio.sleep(0)
        otel.tracer.start_span("inside").end()
        return n

    assert (plain(1), plain(2), asyncio.run(coroutine(3))) == (1, 2, 3)
    assert plain.__doc__ == "Doc."
    first, second, inside, outer = otel.spans()
    assert first.name == second.name == "plain" and first.span_id != second.span_id
    assert inside.parent_span_id == outer.span_id


def test_parents(otel: Provided) -> None:
    remote = trace.set_span_in_context(trace.NonRecordingSpan(REMOTE))
    with otel.tracer.start_as_current_span("outer"):
        otel.tracer.start_span("of the current one").end()
        otel.tracer.start_span("of the given one", context=remote).end()
        otel.tracer.start_span("root", context=context.Context()).end()
        unsampled = SpanContext(0xEF, 0x1, is_remote=True)
        dropped = otel.tracer.start_span(
            "dropped", context=trace.set_span_in_context(trace.NonRecordingSpan(unsampled))
        )
    assert not dropped.is_recording()
    assert dropped.get_span_context().trace_id == 0xEF
    assert not dropped.get_span_context().trace_flags.sampled
    current, given, root, outer = otel.spans()
    assert current.parent_span_id == outer.span_id
    assert (given.trace_id, given.parent_span_id) == (f"{0xABCD:032x}", f"{0x1234:016x}")
    assert given.parent_is_remote
    assert root.parent_span_id is None and root.trace_id != outer.trace_id


def test_spans_of_both_apis_nest_in_each_other(otel: Provided) -> None:
    with otel.tracer.start_as_current_span("1 otel") as first:
        assert current_span() == first
        with polyspan.span("2 own") as second:
            assert trace.get_current_span() == second
            assert trace.get_current_span().get_span_context().span_id == int(second.span_id, 16)
            with otel.tracer.start_as_current_span("3 otel"):
                polyspan.span("4 own").end()
            with trace.use_span(trace.get_current_span()):
                assert current_span() == second
                current_span().set("through", "own")
                trace.get_current_span().set_attribute("otel", 1)
            assert current_span() is second
        assert trace.get_current_span() is first
    ids = {record.name: record.span_id for record in otel.spans()}
    parents = {record.name: record.parent_span_id for record in otel.spans()}
    assert parents == {
        "1 otel": None,
        "2 own": ids["1 otel"],
        "3 otel": ids["2 own"],
        "4 own": ids["3 otel"],
    }
    assert otel.span("2 own").attributes == {"through": "own", "otel": 1}


def test_own_spans_take_parents_of_the_other_api(otel: Provided) -> None:
    span = otel.tracer.start_span("otel")
    given = [
        span,
        span.get_span_context(),
        trace.set_span_in_context(span),
        trace.NonRecordingSpan(span.get_span_context()),
    ]
    for number, parent in enumerate(given):
        polyspan.span(f"child {number}", parent=parent, kind=SpanKind.PRODUCER, links=[span]).end()
    span.end()
    children = otel.spans()[:-1]
    expected = f"{span.get_span_context().span_id:016x}"
    assert [child.parent_span_id for child in children] == [expected] * 4
    assert {child.kind for child in children} == {"producer"}
    assert [child.links[0][0].span_id for child in children] == [expected] * 4


def test_context_and_baggage_are_one(otel: Provided) -> None:
    token = context.attach(baggage.set_baggage("a", "1"))
    with polyspan.span("own"), polyspan.context(baggage={"b": "2"}, session_id="s"):
        assert baggage.get_all() == {"a": "1", "b": "2"}
        inner = context.attach(context.set_value("key", "value", baggage.set_baggage("c", "3")))
        assert polyspan.baggage() == {"a": "1", "b": "2", "c": "3"}
        assert current_span().is_recording
        otel.tracer.start_span("inside").end()
        with polyspan.span("deeper"):
            assert context.get_value("key") == "value"
            assert polyspan.inject({})["baggage"] == "a=1,b=2,c=3"
        context.detach(inner)
        assert polyspan.baggage() == {"a": "1", "b": "2"}
    context.detach(token)
    assert polyspan.baggage() == {} and not context.get_current()
    assert otel.span("inside").attributes == {"session.id": "s"}


def test_detaching_elsewhere_is_no_error(otel: Provided, caplog: pytest.LogCaptureFixture) -> None:
    async def steps() -> Any:
        with otel.tracer.start_as_current_span("generator"):
            token = context.attach(context.set_value("k", 1))
            yield 1
            context.detach(token)

    async def main() -> None:
        generator = steps()
        await asyncio.create_task(anext(generator))
        with otel.tracer.start_as_current_span("other") as other:
            with pytest.raises(StopAsyncIteration):
                await asyncio.create_task(anext(generator))
            assert trace.get_current_span() is other

    asyncio.run(main())
    assert not [entry for entry in caplog.records if "detach" in entry.message]
    context.detach("garbage")  # type: ignore[arg-type]
    assert [entry for entry in caplog.records if "detach" in entry.message]


def test_suppressed_instrumentation_is_seen(otel: Provided) -> None:
    from opentelemetry.instrumentation.utils import is_instrumentation_enabled, suppress_instrumentation

    with polyspan.span("own"):
        assert is_instrumentation_enabled()
        with suppress_instrumentation(), polyspan.span("inner"):
            assert not is_instrumentation_enabled()
        assert is_instrumentation_enabled()


def test_own_spans_record_where_instrumentation_is_suppressed(otel: Provided) -> None:
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    @polyspan.traced
    def step() -> None:
        polyspan.span("below").end()

    with suppress_instrumentation(), polyspan.span("asked for") as span:
        assert span.is_recording
        step()
    below, traced, above = otel.spans()
    assert (below.name, above.name) == ("below", "asked for")
    assert (below.parent_span_id, traced.parent_span_id) == (traced.span_id, above.span_id)


def test_tracers_are_shared(otel: Provided) -> None:
    assert otel.provider.get_tracer("lib", "1.0") is otel.tracer
    other = otel.provider.get_tracer("lib", "2.0", "https://schema", {"k": "v"})
    assert other is not otel.tracer
    other.start_span("x").end()
    assert otel.one().scope == ("lib", "2.0")


def test_a_provider_uses_the_engine_that_runs(recorded: Recorded) -> None:
    provider = TracerProvider()
    assert provider.engine == recorded.engine
    provider.get_tracer("x").start_span("x").end()
    assert recorded.one().scope == ("x", "")


def test_an_engine_can_be_given(recorded: Recorded) -> None:
    exporter = polyspan.MemoryExporter()
    other = polyspan.init("other", name="other", exporter=exporter)
    TracerProvider(engine=other).get_tracer("x").start_span("x").end()
    other.shutdown(30)
    assert [record.name for record in exporter.spans] == ["x"]
    polyspan.init("tests", exporter=recorded.exporter)


def test_everything_can_be_disabled_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    fixture = provided()
    with fixture.tracer.start_as_current_span("x") as span:
        assert not span.is_recording()
    fixture.provider.shutdown()


@pytest.mark.parametrize("wrong", [None, 7, object(), "x", [1], "\ud800"])
def test_wrong_arguments_never_raise(otel: Provided, wrong: Any) -> None:
    with otel.tracer.start_as_current_span(
        wrong,
        kind=wrong,
        attributes=wrong,
        links=wrong,
        start_time=wrong,
        record_exception=wrong,
        set_status_on_exception=wrong,
        end_on_exit=True,
    ) as span:
        span.set_attribute(wrong, wrong)
        span.set_attributes(wrong)
        span.add_event(wrong, wrong, wrong)
        span.add_link(wrong, wrong)
        span.update_name(wrong)
        span.set_status(wrong, wrong)
        span.record_exception(wrong, wrong, wrong)
        span.end(wrong)
    otel.provider.get_tracer(wrong, wrong, wrong, wrong).start_span("y").end()
    assert len(otel.spans()) == 2
