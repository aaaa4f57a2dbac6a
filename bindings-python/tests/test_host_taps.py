"""Processors and span filters written in Python: what they change, what they leave out, what they raise."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import polyspan
import pytest
from conftest import Run, stop
from polyspan import FinishedSpan, MemoryExporter, PolyspanError, SpanEvent, SpanLink, SpanRecord

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


class Tapped:
    """An engine with taps, and what it exports."""

    def __init__(self, **options: Any) -> None:
        self.memory = MemoryExporter(capacity=1_000_000)
        self.engine = polyspan.init("tests", exporter=self.memory, replace=True, **options)

    def spans(self) -> list[SpanRecord]:
        self.engine.flush(30)
        return self.memory.spans

    def one(self) -> SpanRecord:
        (span,) = self.spans()
        return span

    def names(self) -> list[str]:
        return [span.name for span in self.spans()]


Tap = Callable[..., Tapped]


@pytest.fixture
def tapped(request: pytest.FixtureRequest) -> Tap:
    engines: list[polyspan.Engine] = []

    def start(**options: Any) -> Tapped:
        tapped = Tapped(**options)
        engines.append(tapped.engine)
        return tapped

    request.addfinalizer(lambda: stop(engines))
    return start


def test_a_processor_changes_what_is_exported(tapped: Tap) -> None:
    class Changing:
        def process(self, span: FinishedSpan) -> FinishedSpan:
            span.name = span.name.upper()
            span.type = "tool"
            span.kind = "client"
            span.attributes["added"] = {"nested": [1, 2.5, None, b"bytes"]}
            del span.attributes["removed"]
            span.metadata["tier"] = "gold"
            span.input["question"].append("more")
            span.output = None
            span.tags.append("seen")
            span.events[0].attributes["n"] = 2
            span.events.append(SpanEvent("second", {"late": True}, time=7))
            span.links.append(SpanLink(span.context, {"self": True}))
            span.status = "error"
            span.status_message = "made so"
            span.end_time = span.start_time + 5
            return span

    run = tapped(processors=[Changing()])
    with polyspan.span("quiet", input={"question": ["why"]}, attributes={"kept": 1, "removed": 2}) as span:
        span.update(output="reply")
        span.event("first", {"n": 1})
    seen = run.one()
    assert (seen.name, seen.type, seen.kind, seen.tags) == ("QUIET", "tool", "client", ("seen",))
    assert seen.attributes["kept"] == 1 and "removed" not in seen.attributes
    assert seen.attributes["added"] == {"nested": (1, 2.5, None, b"bytes")}
    assert seen.metadata == {"tier": "gold"}
    assert (seen.input, seen.output) == ({"question": ("why", "more")}, None)
    assert [event[:3] for event in seen.events][1] == ("second", 7, {"late": True})
    assert seen.events[0][2] == {"n": 2}
    assert [(link[0].span_id, link[1]) for link in seen.links] == [(span.span_id, {"self": True})]
    assert (seen.status, seen.status_message) == ("error", "made so")
    assert seen.end_time - seen.start_time == 5
    assert (seen.span_id, seen.trace_id) == (span.span_id, span.trace_id)


def test_what_was_only_read_goes_on_as_it_was(tapped: Tap) -> None:
    def reading(span: FinishedSpan) -> FinishedSpan:
        # Every part is made, and nothing changed.
        assert str(span.to_dict())
        for part in ("attributes", "metadata", "tags", "events", "links", "input", "output", "error"):
            getattr(span, part)
        return span

    plain, read = tapped(), tapped(name="read", processors=reading)

    def records(engine: polyspan.Engine) -> None:
        with engine.span(
            "same",
            type="agent",
            attributes={"a": [1, "two", 3.0, True, None], "big": 2**80},
            input=[{"role": "user", "content": "x"}],
            metadata={"m": {"n": ()}},
            tags=["t"],
        ) as span:
            span.event("e", {"k": "v"})
            span.link(span, {"l": 1})
            span.update(output={"nothing": None})

    records(plain.engine)
    records(read.engine)
    kept = ["name", "type", "attributes", "input", "output", "metadata", "tags", "status", "scope"]
    one, other = plain.one(), read.one()
    assert [getattr(one, name) for name in kept] == [getattr(other, name) for name in kept]
    assert len(other.events) == 1 and len(other.links) == 1
    assert plain.engine.stats().altered == read.engine.stats().altered


def test_a_chain_runs_in_its_order_until_a_span_is_left_out(tapped: Tap) -> None:
    seen: list[str] = []

    def first(span: FinishedSpan) -> FinishedSpan | None:
        seen.append(f"first {span.name}")
        span.name += "!"
        return None if span.name == "noise!" else span

    class Second:
        async def process(self, span: FinishedSpan) -> FinishedSpan:
            await asyncio.sleep(0)
            seen.append(f"second {span.name}")
            return span

    run = tapped(processors=[first, Second()])
    polyspan.span("noise").end()
    polyspan.span("signal").end()
    assert run.names() == ["signal!"]
    assert seen == ["first noise", "first signal", "second signal!"]
    stats = run.engine.stats()
    assert (stats.ended, stats.filtered, stats.accepted) == (2, 1, 1)
    assert "filtered=1" in repr(stats)


def test_a_filter_keeps_or_leaves_out(tapped: Tap) -> None:
    run = tapped(span_filter=lambda span: span.type != "tool" or span.error is not None)
    polyspan.span("kept").end()
    polyspan.span("left out", type="tool").end()
    with pytest.raises(ValueError), polyspan.span("failed", type="tool"):
        raise ValueError
    assert run.names() == ["kept", "failed"]
    assert run.engine.stats().filtered == 1


def test_what_raises_is_counted_and_said_once(tapped: Tap, caplog: pytest.LogCaptureFixture) -> None:
    class Fragile:
        name = "fragile"

        def process(self, span: FinishedSpan) -> FinishedSpan:
            span.attributes["before"] = True
            raise ValueError(f"not {span.name}")

    def wrong(span: FinishedSpan) -> Any:
        return "a text"

    def after(span: FinishedSpan) -> FinishedSpan:
        span.attributes["after"] = True
        return span

    def picky(span: FinishedSpan) -> bool:
        raise KeyError("no such span")

    run = tapped(processors=[Fragile(), wrong, after], span_filter=picky)
    with caplog.at_level(logging.WARNING, "polyspan"):
        for _ in range(3):
            polyspan.span("kept").end()
        spans = run.spans()
    assert [span.attributes for span in spans] == [{"before": True, "after": True}] * 3
    assert run.engine.stats().host_errors == 9
    said = [line for line in caplog.messages if "raised" in line]
    assert said == [
        "processors: fragile raised ValueError: not kept",
        "processors: wrong raised TypeError: the span it was given or None is expected, not str",
        "span_filter: picky raised KeyError: 'no such span'",
    ]


def test_what_cannot_be_recorded_leaves_the_span_as_it_was(
    tapped: Tap, caplog: pytest.LogCaptureFixture
) -> None:
    def spoiling(span: FinishedSpan) -> FinishedSpan:
        span.name = "spoiled"
        span.events.append("no event")  # type: ignore[arg-type]
        return span

    run = tapped(processors=spoiling)
    with caplog.at_level(logging.WARNING, "polyspan"):
        polyspan.span("as it was").end()
        assert run.names() == ["as it was"]
    assert "events of a span are SpanEvent objects" in caplog.text
    assert run.engine.stats().host_errors == 1


@pytest.mark.parametrize(
    ("field", "value"), [("type", "nonsense"), ("kind", "nonsense"), ("status", "fine"), ("start_time", -1)]
)
def test_a_field_says_what_it_does_not_take(tapped: Tap, field: str, value: object) -> None:
    refused: list[str] = []

    def setting(span: FinishedSpan) -> FinishedSpan:
        with pytest.raises((ValueError, OverflowError)) as raised:
            setattr(span, field, value)
        refused.append(str(raised.value))
        return span

    run = tapped(processors=setting)
    polyspan.span("same").end()
    assert run.names() == ["same"]
    assert len(refused) == 1 and run.engine.stats().host_errors == 0


def test_limits_hold_for_what_a_processor_adds(tapped: Tap) -> None:
    def growing(span: FinishedSpan) -> FinishedSpan:
        span.attributes.update({f"key {n}": "x" * 1000 for n in range(500)})
        return span

    run = tapped(processors=growing, attribute_count_limit=10, attribute_value_length_limit=20)
    polyspan.span("grown").end()
    seen = run.one()
    assert len(seen.attributes) == 10 and seen.dropped_attributes == 490
    assert all(len(value) == 20 for value in seen.attributes.values())


def test_processors_are_flushed_and_stopped(tapped: Tap) -> None:
    calls: list[str] = []

    class Holding:
        def process(self, span: FinishedSpan) -> FinishedSpan:
            calls.append("process")
            return span

        async def flush(self) -> None:
            calls.append("flush")

        def shutdown(self) -> None:
            calls.append("shutdown")

    run = tapped(processors=[Holding()])
    polyspan.span("x").end()
    assert run.names() == ["x"]
    run.engine.shutdown(30)
    assert calls == ["process", "flush", "flush", "shutdown"]


def test_a_hundred_thousand_spans_are_counted_exactly(tapped: Tap) -> None:
    def sorting(span: FinishedSpan) -> FinishedSpan | None:
        number = span.attributes["number"]
        if number % 4 == 0:
            return None
        if number % 4 == 1:
            span.attributes["number"] = -number
        return span

    run = tapped(processors=sorting, max_queue_spans=200_000)
    spans = 100_000
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.01):
            assert run.engine.stats().adds_up()

    watching = threading.Thread(target=watch)
    watching.start()
    for number in range(spans):
        polyspan.span("one", attributes={"number": number}).end()
        # No faster than the processor can follow.
        if number % 5000 == 4999:
            run.engine.flush(60)
    stop.set()
    watching.join()
    numbers = [span.attributes["number"] for span in run.spans()]
    expected = [-n if n % 4 == 1 else n for n in range(spans) if n % 4]
    assert numbers == expected
    stats = run.engine.stats()
    assert (stats.ended, stats.filtered, stats.exported) == (spans, spans // 4, 3 * spans // 4)
    assert stats.dropped == {}


def test_one_that_hangs_holds_up_no_deadline(tapped: Tap) -> None:
    reached, release = threading.Event(), threading.Event()

    def hanging(span: FinishedSpan) -> FinishedSpan:
        reached.set()
        release.wait()
        return span

    run = tapped(processors=hanging)
    polyspan.span("stuck").end()
    assert reached.wait(60)
    with pytest.raises(PolyspanError, match="not known to be delivered"):
        run.engine.flush(0.05)
    with pytest.raises(PolyspanError, match="not known to be delivered"):
        run.engine.shutdown(0.1)
    assert run.engine.stats().dropped == {"shutdown": 1}
    release.set()


def test_a_shutdown_waits_for_what_is_in_hand(tapped: Tap) -> None:
    reached, release = threading.Event(), threading.Event()

    def slow(span: FinishedSpan) -> FinishedSpan:
        reached.set()
        release.wait()
        return span

    run = tapped(processors=slow)
    polyspan.span("in hand").end()
    assert reached.wait(60)
    stopping = threading.Thread(target=run.engine.shutdown, args=(60,))
    stopping.start()
    release.set()
    stopping.join()
    assert [span.name for span in run.memory.spans] == ["in hand"]
    assert run.engine.stats().dropped == {}


def test_the_same_functions_are_the_same_options() -> None:
    def keep(span: FinishedSpan) -> FinishedSpan:
        return span

    def all_of_them(span: FinishedSpan) -> bool:
        return True

    engine = polyspan.init("tests", exporters=[], processors=[keep], span_filter=all_of_them)
    assert polyspan.init("tests", exporters=[], processors=[keep], span_filter=all_of_them) == engine
    with pytest.raises(PolyspanError, match="other options"):
        polyspan.init("tests", exporters=[], processors=[keep])
    engine.shutdown(30)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"processors": [lambda span: span, 7]}, r"processors\[1\]: 7"),
        ({"processors": "upper"}, r"processors\[0\]"),
        ({"processors": [FinishedSpan]}, r"processors\[0\]"),
        ({"span_filter": "tool"}, "span_filter: 'tool'"),
    ],
)
def test_what_cannot_run_is_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(PolyspanError, match=named) as raised:
        polyspan.init("tests", exporters=[], **options)
    assert raised.value.code == "invalid_option"


def test_leaving_takes_what_waits_through_both(run_python: Run) -> None:
    done = run_python(
        """
        import polyspan

        class Printing:
            def export(self, spans):
                print([span.name for span in spans], flush=True)

        def process(span):
            span.name = span.name.upper()
            return span

        def kept(span):
            return span.name != "NO"

        polyspan.init("x", exporters=[Printing()], processors=[process], span_filter=kept)
        polyspan.span("no").end()
        polyspan.span("yes").end()
        """
    )
    assert done.stdout == "['YES']\n" and not done.stderr


@pytest.mark.parametrize("tap", ["processors", "span_filter"])
def test_leaving_does_not_wait_for_one_that_hangs(run_python: Run, tap: str) -> None:
    done = run_python(
        f"""
        import atexit, time, polyspan
        atexit.register(lambda: print(engine.stats().adds_up(), engine.stats().dropped))
        engine = polyspan.init("x", exporters=[], {tap}=lambda span: time.sleep(1e6), exit_timeout=0.5)
        polyspan.span("x").end()
        """
    )
    assert done.stdout == "True {'shutdown': 1}\n"
    assert "Fatal" not in done.stderr and "Traceback" not in done.stderr


@forks
def test_a_forked_child_has_taps_of_its_own(run_python: Run) -> None:
    run_python(
        """
        import os, polyspan

        def process(span):
            span.attributes["by"] = os.getpid()
            return span

        memory = polyspan.MemoryExporter()
        polyspan.init("x", exporter=memory, processors=[process])
        polyspan.span("before").end()
        polyspan.flush(30)
        child = os.fork()
        polyspan.span("after").end()
        polyspan.flush(30)
        assert [span.attributes["by"] for span in memory.spans if span.name == "after"] == [os.getpid()]
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """
    )
