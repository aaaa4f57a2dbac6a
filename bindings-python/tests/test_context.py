"""What is current: across blocks, generators, tasks and threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor

import polyspan
from conftest import Recorded
from polyspan import ContextExecutor, copy_context, current_span, propagate, span


def test_everything_inside_a_context_inherits_it(recorded: Recorded) -> None:
    with polyspan.context(session_id="s", user_id="u", tags=["beta"], metadata={"tier": "gold"}):
        with span("root"), polyspan.context(user_id="other", attributes={"extra": 1}):
            span("child").end()
        span("second root", metadata={"tier": "free"}).end()
    span("outside").end()
    child, root, second, outside = recorded.spans()
    assert root.attributes == {"session.id": "s", "user.id": "u"}
    assert child.attributes == {"session.id": "s", "user.id": "other", "extra": 1}
    assert (root.tags, child.tags) == (("beta",), ())
    assert (child.metadata, second.metadata) == ({"tier": "gold"}, {"tier": "free"})
    assert (outside.attributes, outside.metadata, outside.tags) == ({}, {}, ())


def test_a_context_manager_can_be_entered_again(recorded: Recorded) -> None:
    again = polyspan.context(session_id="s")
    with again:
        with again:
            span("inner").end()
        span("outer").end()
    span("outside").end()
    assert [record.attributes.get("session.id") for record in recorded.spans()] == ["s", "s", None]


def test_a_parent_for_everything_inside(recorded: Recorded) -> None:
    remote = polyspan.extract({"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
    with polyspan.context(parent=remote, session_id="s"):
        assert current_span().span_id == "cd" * 8
        span("inside").end()
    inside = recorded.one()
    assert (inside.trace_id, inside.parent_span_id) == ("ab" * 16, "cd" * 8)
    assert inside.parent_is_remote
    assert inside.attributes == {"session.id": "s"}


def half_way() -> Generator[int]:
    with span("inner"):
        yield 1
        yield 2


def test_a_generator_left_half_way_is_repaired_by_the_block_around_it(recorded: Recorded) -> None:
    with span("outer") as outer:
        generator = half_way()
        next(generator)
        # An ordinary generator shares the context of its caller; nothing can hide its span here.
        assert current_span() != outer
    assert not current_span().is_recording
    with span("later") as later:
        generator.close()
        assert current_span() is later
    assert not current_span().is_recording


def test_an_async_generator_finished_by_another_task_disturbs_nobody(recorded: Recorded) -> None:
    async def numbers() -> AsyncGenerator[int]:
        with span("inner"):
            yield 1
            yield 2

    async def main() -> None:
        generator = numbers()

        async def first_step() -> int:
            return await anext(generator)

        await asyncio.create_task(first_step())
        with span("other") as other:
            await generator.aclose()
            assert current_span() is other
        assert not current_span().is_recording

    asyncio.run(main())
    assert sorted(record.name for record in recorded.spans()) == ["inner", "other"]


def test_blocks_left_in_the_wrong_order_end_where_they_began(recorded: Recorded) -> None:
    first, second = span("first"), span("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not current_span().is_recording
    second.__exit__(None, None, None)
    assert not current_span().is_recording


def test_tasks_have_each_their_own(recorded: Recorded) -> None:
    async def worker(name: str) -> None:
        with span(name) as own:
            for _ in range(5):
                await asyncio.sleep(0)
                assert current_span() is own
                span(f"{name} child").end()

    async def main() -> None:
        with span("root"):
            await asyncio.gather(*(worker(f"worker {number}") for number in range(4)))

    asyncio.run(main())
    by_id = {record.span_id: record.name for record in recorded.spans()}
    children = [record for record in recorded.spans() if record.name.endswith("child")]
    assert len(children) == 20
    assert all(by_id[record.parent_span_id or ""] == record.name[: -len(" child")] for record in children)


def test_threads_start_empty_and_take_the_context_along_when_asked(recorded: Recorded) -> None:
    seen: dict[str, str] = {}

    def look(name: str) -> None:
        seen[name] = current_span().span_id

    with span("root") as root:
        threads = [
            threading.Thread(target=look, args=("plain",)),
            threading.Thread(target=propagate(look), args=("propagated",)),
            threading.Thread(target=copy_context().run, args=(look, "copied")),
        ]
        # A thread of a newer interpreter may inherit the context of who starts it.
        threads[0] = threading.Thread(target=contextvars.Context().run, args=(look, "plain"))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert seen == {"plain": "0" * 16, "propagated": root.span_id, "copied": root.span_id}


def test_an_executor_takes_the_context_along(recorded: Recorded) -> None:
    with ThreadPoolExecutor(2) as pool:
        executor = ContextExecutor(pool)

        def work(number: int) -> str:
            with span(f"task {number}") as own:
                return own.span_id

        with span("first") as first:
            ids = [executor.submit(work, 0).result(), *executor.map(work, (1, 2))]
        with span("second"):
            executor.submit(work, 3).result()
    by_id = {record.span_id: record for record in recorded.spans()}
    assert [by_id[span_id].parent_span_id for span_id in ids] == [first.span_id] * 3
    assert recorded.span("task 3").parent_span_id == recorded.span("second").span_id


def test_entering_without_leaving_cannot_grow_forever(recorded: Recorded) -> None:
    def enter() -> None:
        for _ in range(25_000):
            polyspan.context(session_id="s").__enter__()

    contextvars.Context().run(enter)
    assert not current_span().is_recording
