"""The decorators, over every kind of function."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import polyspan
import pytest
from conftest import Recorded
from polyspan import current_span, instrument, span, traced


def test_a_function_bare_and_with_arguments(recorded: Recorded) -> None:
    @traced
    def plain(a: int, b: int = 2, *rest: int, **more: int) -> int:
        """Adds."""
        return a + b

    @traced(name="named", type="tool", kind="client", attributes={"x": 1}, metadata={"m": 1}, tags=["t"])
    def described(query: str) -> list[str]:
        return [query]

    assert plain(1, 3, 5, c=7) == 4
    assert described("q") == ["q"]
    first, second = recorded.spans()
    assert first.name.endswith("plain") and first.type == "generic"
    assert first.input == {"a": 1, "b": 3, "args": (5,), "c": 7}
    assert first.output == 4
    assert (second.name, second.type, second.kind) == ("named", "tool", "client")
    assert (second.attributes, second.metadata, second.tags) == ({"x": 1}, {"m": 1}, ("t",))
    assert (second.input, second.output) == ({"query": "q"}, ("q",))
    assert plain.__doc__ == "Adds."
    assert plain.__wrapped__(1, 1) == 2  # type: ignore[attr-defined]
    assert list(inspect.signature(plain).parameters) == ["a", "b", "rest", "more"]


def test_input_and_output_can_be_left_out(recorded: Recorded) -> None:
    @traced(capture_input=False, capture_output=False)
    def secret(password: str) -> str:
        return password

    secret("hunter2")
    record = recorded.one()
    assert record.input is None and record.output is None


@pytest.mark.parametrize("wrong", [5, "search", object()])
def test_what_is_no_function_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(TypeError, match="traced expects a function or class"):
        traced(wrong)
    with pytest.raises(TypeError, match="instrument expects a class"):
        instrument(wrong)


def test_failures_are_recorded_and_raised(recorded: Recorded) -> None:
    @traced
    def fails() -> None:
        raise LookupError("nothing")

    with pytest.raises(LookupError, match="nothing"):
        fails()
    assert recorded.one().status_message == "nothing"


def test_a_coroutine_function(recorded: Recorded) -> None:
    @traced
    async def double(n: int) -> int:
        await asyncio.sleep(0)
        span("inside").end()
        return 2 * n

    assert inspect.iscoroutinefunction(double)
    assert asyncio.run(double(4)) == 8
    inside, outer = recorded.spans()
    assert inside.parent_span_id == outer.span_id
    assert (outer.input, outer.output) == ({"n": 4}, 8)


def test_a_cancelled_coroutine(recorded: Recorded) -> None:
    @traced
    async def waits() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert recorded.one().attributes["error.type"] == "asyncio.exceptions.CancelledError"


def test_a_generator_is_current_only_while_it_runs(recorded: Recorded) -> None:
    seen: list[polyspan.Span] = []

    @traced
    def words(count: int) -> Iterator[str]:
        for number in range(count):
            seen.append(current_span())
            with span("step"):
                yield f"word {number} "

    assert inspect.isgeneratorfunction(words)
    with span("outer") as outer:
        collected = []
        for word in words(2):
            assert current_span() is outer
            collected.append(word)
    own = recorded.span(f"{words.__qualname__}")
    assert {one.span_id for one in seen} == {own.span_id}
    assert own.output == "word 0 word 1 "
    assert own.parent_span_id == outer.span_id
    steps = [record for record in recorded.spans() if record.name == "step"]
    assert [step.parent_span_id for step in steps] == [own.span_id] * 2


def test_a_generator_takes_what_is_sent_and_returns(recorded: Recorded) -> None:
    @traced
    def adder() -> Generator[int, int, str]:
        total = 0
        while total < 10:
            try:
                total += yield total
            except KeyError:
                total += 5
        return "done"

    generator = adder()
    assert next(generator) == 0
    assert generator.send(3) == 3
    assert generator.throw(KeyError()) == 8
    with pytest.raises(StopIteration, match="done"):
        generator.send(4)
    assert recorded.one().output == "done"


def test_a_generator_left_half_way(recorded: Recorded) -> None:
    @traced
    def endless() -> Iterator[int]:
        with span("inner"):
            yield from range(1000)

    with span("outer") as outer:
        for number in endless():
            if number == 2:
                break
        assert current_span() is outer
    own = recorded.span(endless.__qualname__)
    assert own.status == "unset"
    assert own.output == (0, 1, 2)
    assert recorded.span("inner").parent_span_id == own.span_id


def test_a_failing_generator(recorded: Recorded) -> None:
    @traced
    def breaks() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(breaks())
    assert recorded.one().status_message == "gone"


def test_an_async_generator(recorded: Recorded) -> None:
    @traced
    async def numbers(count: int) -> AsyncIterator[int]:
        for number in range(count):
            span(f"inside {number}").end()
            yield number

    async def main() -> None:
        assert inspect.isasyncgenfunction(numbers)
        with span("outer") as outer:
            collected = []
            async for number in numbers(3):
                assert current_span() is outer
                collected.append(number)
            assert collected == [0, 1, 2]

    asyncio.run(main())
    own = recorded.span(numbers.__qualname__)
    assert own.output == (0, 1, 2)
    assert recorded.span("inside 2").parent_span_id == own.span_id


def test_an_async_generator_closed_by_the_loop(recorded: Recorded) -> None:
    @traced
    async def endless() -> AsyncIterator[int]:
        with span("inner"):
            while True:
                yield 1

    async def closes() -> None:
        async with contextlib.aclosing(endless()) as numbers:  # type: ignore[type-var]
            async for _ in numbers:
                break
        assert not current_span().is_recording

    async def leaves_it_to_the_loop() -> None:
        async for _ in endless():
            break
        assert not current_span().is_recording

    asyncio.run(closes())
    assert [record.status for record in recorded.spans()] == ["unset", "unset"]
    asyncio.run(leaves_it_to_the_loop())
    names = [record.name for record in recorded.spans()]
    assert sorted(names) == sorted([endless.__qualname__, "inner"] * 2)


def test_what_a_plain_function_returns_to_be_run_later(recorded: Recorded) -> None:
    async def inner() -> int:
        span("during").end()
        return 1

    @traced(name="coroutine")
    def passes_on() -> object:
        return inner()

    @traced(name="generator")
    def makes() -> object:
        return (number for number in range(2))

    assert asyncio.run(passes_on()) == 1  # type: ignore[arg-type]
    assert list(makes()) == [0, 1]  # type: ignore[call-overload]
    during, coroutine, generator = recorded.spans()
    assert during.parent_span_id == coroutine.span_id
    assert (coroutine.output, generator.output) == (1, (0, 1))


def test_classes(recorded: Recorded) -> None:
    @instrument(type="agent", exclude=["skipped"])
    class Agent:
        greeting = "hi"

        def run(self, task: str) -> str:
            return self._private(task)

        def _private(self, task: str) -> str:
            return task.upper()

        def skipped(self) -> None:
            pass

        @staticmethod
        def static(n: int) -> int:
            return n

        @classmethod
        def make(cls, n: int) -> int:
            return n

        async def think(self) -> str:
            return "hm"

        def __call__(self, n: int) -> int:
            return n

    agent = Agent()
    assert agent.run("task") == "TASK"
    agent.skipped()
    assert (Agent.static(1), Agent.make(2), asyncio.run(agent.think()), agent(3)) == (1, 2, "hm", 3)
    records = recorded.spans()
    prefix = Agent.__qualname__
    names = [record.name for record in records]
    assert names == [f"{prefix}.{name}" for name in ("run", "static", "make", "think", "__call__")]
    assert all(record.type == "agent" for record in records)
    assert [record.input for record in records] == [{"task": "task"}, {"n": 1}, {"n": 2}, {}, {"n": 3}]


def test_traced_on_a_class_and_on_methods(recorded: Recorded) -> None:
    @traced
    class Whole:
        def work(self) -> None:
            pass

    class Parts:
        @traced
        @staticmethod
        def first() -> None:
            pass

        @traced(name="second")
        @classmethod
        def second(cls) -> None:
            pass

    Whole().work()
    Parts.first()
    Parts().second()
    assert [record.name for record in recorded.spans()] == [
        f"{Whole.__qualname__}.work",
        Parts.first.__qualname__,
        "second",
    ]


def test_partials_and_objects_that_can_be_called(recorded: Recorded) -> None:
    async def add(a: int, b: int) -> int:
        return a + b

    class Tool:
        async def __call__(self, n: int) -> int:
            return n

    assert asyncio.run(traced(functools.partial(add, 1))(2)) == 3
    assert asyncio.run(traced(Tool())(4)) == 4
    assert [record.output for record in recorded.spans()] == [3, 4]


def test_what_was_decorated_before_init_works_once_it_runs() -> None:
    @traced
    def early() -> None:
        pass

    early()
    exporter = polyspan.MemoryExporter()
    engine = polyspan.init("late", exporter=exporter, replace=True)
    early()
    engine.shutdown(30)
    assert [record.name for record in exporter.spans] == [early.__qualname__]


def test_a_chosen_engine(recorded: Recorded) -> None:
    exporter = polyspan.MemoryExporter()
    other = polyspan.init("other", name="other", exporter=exporter)
    polyspan.init("tests", exporter=recorded.exporter)

    @traced(engine=other)
    def elsewhere() -> None:
        pass

    elsewhere()
    other.shutdown(30)
    assert [record.name for record in exporter.spans] == [elsewhere.__qualname__]
    assert recorded.spans() == []
