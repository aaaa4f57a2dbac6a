"""Spans that are not sampled: what is inside follows, costs nothing, and is counted all the same."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from typing import Any

import polyspan
import pytest
from polyspan import MemoryExporter


@pytest.fixture
def engine() -> Iterator[polyspan.Engine]:
    engine = polyspan.init("tests", exporter=MemoryExporter(), sampler="parentbased_always_off", replace=True)
    yield engine
    engine.shutdown(30)
    assert engine.stats().adds_up()


def test_children_share_the_context_of_their_parent(engine: polyspan.Engine) -> None:
    with polyspan.span("outer") as outer:
        with polyspan.span("inner", type="tool", attributes={"a": object()}, input="x") as inner:
            assert not inner.is_recording
            assert inner.context == outer.context
            assert polyspan.inject({})["traceparent"].endswith("-02")
            inner.update(output=1)
            with polyspan.span("innermost"):
                assert polyspan.current_span() == outer
        inner.end()
        assert polyspan.current_span() is outer
    assert not polyspan.current_span().context.is_valid
    stats = engine.stats()
    assert (stats.ended, stats.unsampled, stats.ended_twice) == (3, 3, 0)


def test_a_child_used_elsewhere_still_keeps_what_is_inside_unsampled(engine: polyspan.Engine) -> None:
    found: list[bool] = []
    with polyspan.span("outer") as outer:
        child = polyspan.span("child")

        def work() -> None:
            with child:
                found.append(polyspan.current_span() == outer)
                with polyspan.span("inside") as inside:
                    found.append(inside.trace_id == outer.trace_id)
            found.append(not polyspan.current_span().context.is_valid)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert polyspan.current_span() is outer
    assert found == [True, True, True]


def test_tasks_that_outlive_the_parent_leave_nothing_behind(engine: polyspan.Engine) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def late() -> None:
            with polyspan.span("late"):
                await go.wait()
            assert polyspan.current_span() is outer

        with polyspan.span("outer") as outer:
            task = asyncio.create_task(late())
            await asyncio.sleep(0)
        assert not polyspan.current_span().context.is_valid
        go.set()
        await task
        assert not polyspan.current_span().context.is_valid

    asyncio.run(main())
    assert engine.stats().unsampled == 2


def test_a_failure_goes_through(engine: polyspan.Engine) -> None:
    with pytest.raises(KeyError), polyspan.span("outer"), polyspan.span("inner"):
        raise KeyError("k")
    assert engine.stats().unsampled == 2


def test_what_is_given_by_hand_is_not_taken_for_a_child(engine: polyspan.Engine) -> None:
    with polyspan.span("outer") as outer:
        with polyspan.span("other", root=True) as other:
            assert other.trace_id != outer.trace_id
        with polyspan.span("marked", metadata={"k": "v"}) as marked:
            assert marked.context != outer.context


def test_calls_are_told_apart_by_what_they_give_each_time(engine: polyspan.Engine) -> None:
    more: dict[str, Any] = {"name": "made up", "type": "tool"}
    with polyspan.span("outer") as outer:
        for _ in range(3):
            assert polyspan.span("plain", type="tool", kind="client").context == outer.context
            assert polyspan.span("bare").context == outer.context
            assert engine.span("of the engine", attributes={"a": 1}).context == outer.context
            assert polyspan.span(**more).context == outer.context
            assert polyspan.span("here", type="tool", parent=None).context == outer.context
            assert polyspan.span("rooted", type="tool", root=True).trace_id != outer.trace_id
            assert polyspan.span("of a session", type="tool", session_id="s").context != outer.context
            with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
                polyspan.span("wrong", type="tool", colour="red")  # type: ignore[call-arg]
            with pytest.raises(TypeError, match="multiple values for argument 'name'"):
                polyspan.span("twice", **more)
            with pytest.raises(TypeError, match="missing 1 required positional argument: 'name'"):
                polyspan.span(type="tool")  # type: ignore[call-arg]


def test_nothing_is_left_to_the_garbage_collector(engine: polyspan.Engine) -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            with polyspan.span("outer"), polyspan.span("inner"):
                pass
        assert gc.collect() == 0
    finally:
        gc.enable()
