"""Exporters written in Python: what they are given, what they raise, and that none disturbs another."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path
from typing import Any

import polyspan
import pytest
from conftest import Started
from polyspan import FinishedSpan, PolyspanError, SpanEnded, TelemetryEvent
from receiving import Receiver


class Keeping:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[FinishedSpan] = []
        self.calls: list[str] = []

    def export(self, spans: list[FinishedSpan]) -> None:
        self.spans += spans

    def flush(self) -> None:
        self.calls.append("flush")

    def shutdown(self) -> None:
        self.calls.append("shutdown")


def test_a_class_with_export_is_an_exporter(started: Started) -> None:
    exporter = Keeping()
    engine = started(exporter)
    with polyspan.span("outer", type="agent", input={"question": ["why"]}, tags=["beta"]) as outer:
        with polyspan.span("inner", metadata={"tier": "gold"}, kind="client") as inner:
            inner.event("thought", {"n": 1})
            inner.link(outer, {"because": True})
        outer.update(output="therefore")
        outer.set("attempt", 2)
    engine.flush(30)
    last, first = exporter.spans
    assert (first.name, first.type, first.kind) == ("outer", "agent", "internal")
    assert first.input == {"question": ["why"]} and first.output == "therefore"
    assert first.attributes == {"attempt": 2} and first.tags == ["beta"]
    assert first.is_root and first.is_local_root and not last.is_root
    assert (first.id, first.trace_id) == (outer.span_id, outer.trace_id)
    assert (last.parent_id, first.parent_id) == (first.id, None)
    assert last.metadata == {"tier": "gold"} and last.kind == "client"
    assert [(event.name, event.attributes) for event in last.events] == [("thought", {"n": 1})]
    assert [(link.context.span_id, link.attributes) for link in last.links] == [(first.id, {"because": True})]
    assert last.end_time is not None and last.duration == last.end_time - last.start_time
    assert first.resource["service.name"] == "tests" and first.scope[0] == "polyspan"
    assert (first.status, first.error, first.dropped) == ("unset", None, (0, 0, 0))
    assert first.to_dict()["input"] == {"question": ["why"]}
    assert engine.stats().exported == 2
    engine.shutdown(30)
    assert exporter.calls[-1] == "shutdown" and "flush" in exporter.calls


def test_what_went_wrong_is_there_to_read(started: Started) -> None:
    exporter = Keeping()
    engine = started(exporter)
    with pytest.raises(LookupError), polyspan.span("failing"):
        raise LookupError("no order 7")
    engine.flush(30)
    (span,) = exporter.spans
    assert span.status == "error" and span.error is not None
    assert (span.error.type, span.error.message) == ("LookupError", "no order 7")
    assert "raise LookupError" in span.error.stack


def test_methods_for_events_are_enough(started: Started) -> None:
    ended: list[str] = []

    class Listening:
        name = "listening"

        def on_span_ended(self, span: FinishedSpan) -> None:
            ended.append(span.name)

    class Matching:
        def export_event(self, event: TelemetryEvent) -> None:
            assert (event.type == "span_ended") == isinstance(event, SpanEnded)
            if event.type == "span_ended":
                ended.append(event.span.name + "!")

    engine = started(Listening(), Matching())
    polyspan.span("one").end()
    polyspan.span("two").end()
    engine.flush(30)
    assert sorted(ended) == ["one", "one!", "two", "two!"]
    assert list(engine.stats().exporters) == ["listening", "Matching"]


def test_coroutines_of_an_exporter_are_awaited_on_its_loop(started: Started) -> None:
    loops: dict[str, set[asyncio.AbstractEventLoop]] = {"first": set(), "second": set()}
    spans: list[str] = []
    both = threading.Event()

    class First:
        async def export(self, batch: list[FinishedSpan]) -> None:
            # Ends only if the other one runs meanwhile.
            loops["first"].add(asyncio.get_running_loop())
            while not both.is_set():
                await asyncio.sleep(0.01)
            spans.extend(span.name for span in batch)

        async def flush(self) -> None:
            await asyncio.sleep(0)
            loops["first"].add(asyncio.get_running_loop())
            spans.append("flushed")

    class Second:
        async def on_span_ended(self, span: FinishedSpan) -> None:
            loops["second"].add(asyncio.get_running_loop())
            both.set()

    engine = started(First(), Second())
    polyspan.span("awaited").end()
    engine.flush(30)
    assert spans == ["awaited", "flushed"]
    assert [len(own) for own in loops.values()] == [1, 1]
    assert not loops["first"] & loops["second"]
    assert engine.stats().exported == 1


def test_spans_and_log_records_of_an_exporter_share_its_loop(started: Started) -> None:
    loops: set[asyncio.AbstractEventLoop] = set()

    class Both:
        async def export(self, batch: list[FinishedSpan]) -> None:
            loops.add(asyncio.get_running_loop())

        async def on_log(self, log: Any) -> None:
            loops.add(asyncio.get_running_loop())

    both = Both()
    engine = started(both, logs_exporter=both)
    polyspan.span("span").end()
    engine.flush(30)
    polyspan.log("info", "record")
    engine.flush(30)
    assert len(loops) == 1
    assert engine.stats().logs["exported"] == 1


def test_one_that_blocks_its_event_loop_holds_up_no_other(started: Started) -> None:
    reached, release = threading.Event(), threading.Event()
    arrived = threading.Semaphore(0)

    class Blocking:
        async def export(self, batch: list[FinishedSpan]) -> None:
            reached.set()
            release.wait()

    class Healthy:
        async def export(self, batch: list[FinishedSpan]) -> None:
            await asyncio.sleep(0)
            for _ in batch:
                arrived.release()

    engine = started(Blocking(), Healthy())
    try:
        for _ in range(3):
            polyspan.span("delivered").end()
            assert arrived.acquire(timeout=60)
        assert reached.wait(60)
    finally:
        release.set()
    engine.flush(30)
    assert engine.stats().exporters["Healthy"]["exported"] == 3


def test_several_that_hang_hold_up_no_other(started: Started) -> None:
    release = threading.Event()
    arrived = threading.Semaphore(0)

    class Hanging:
        def __init__(self, name: str) -> None:
            self.name = name

        def export(self, batch: list[FinishedSpan]) -> None:
            release.wait()

    class Healthy:
        def export(self, batch: list[FinishedSpan]) -> None:
            for _ in batch:
                arrived.release()

    engine = started(*(Hanging(f"hanging {at}") for at in range(5)), Healthy())
    try:
        for _ in range(3):
            polyspan.span("delivered").end()
            assert arrived.acquire(timeout=60)
    finally:
        release.set()
    engine.flush(30)
    assert engine.stats().exporters["Healthy"]["exported"] == 3


def test_calls_of_one_exporter_follow_each_other(started: Started) -> None:
    inside = threading.Lock()
    overlapping: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    class Both:
        def export(self, batch: list[FinishedSpan]) -> None:
            with inside:
                begun.set()
                go_on.wait()

        def on_log(self, log: Any) -> None:
            if not inside.acquire(blocking=False):
                overlapping.append(log.body)
                return
            inside.release()

    both = Both()
    engine = started(both, logs_exporter=both)
    try:
        polyspan.span("held").end()
        assert begun.wait(60)
        polyspan.log("info", "meanwhile")
        # Time enough for another thread to be sent, if one were.
        time.sleep(0.5)
    finally:
        go_on.set()
    engine.flush(30)
    assert not overlapping
    assert engine.stats().logs["exported"] == 1


def test_an_awaitable_that_no_coroutine_function_returned(started: Started) -> None:
    spans: list[str] = []

    async def deliver(batch: list[FinishedSpan]) -> None:
        await asyncio.sleep(0)
        spans.extend(span.name for span in batch)

    class Odd:
        def export(self, batch: list[FinishedSpan]) -> Any:
            return deliver(batch)

    engine = started(Odd())
    polyspan.span("awaited").end()
    engine.flush(30)
    assert spans == ["awaited"]


def test_what_an_exporter_raises_is_counted_and_said_once(
    started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    class Raising:
        name = "raising exporter"

        def export(self, batch: list[FinishedSpan]) -> None:
            raise SystemExit(f"not {len(batch)} again")

        def flush(self) -> None:
            raise OSError("nothing to flush")

        async def shutdown(self) -> None:
            raise KeyboardInterrupt

    keeping = Keeping()
    engine = started(Raising(), keeping)
    with caplog.at_level(logging.WARNING, "polyspan"):
        for _ in range(3):
            polyspan.span("lost there").end()
            engine.flush(30)
        engine.shutdown(30)
    stats = engine.stats()
    assert stats.exporters["raising exporter"]["dropped"] == {"host_failed": 3}
    assert len(keeping.spans) == 3
    said = [line for line in caplog.messages if line.startswith("raising exporter: export raised")]
    assert said == ["raising exporter: export raised RuntimeError: SystemExit raised"]


def test_an_exporter_says_that_it_was_refused(started: Started) -> None:
    class Refused:
        def export(self, batch: list[FinishedSpan]) -> bool:
            return False

    engine = started(Refused())
    polyspan.span("refused").end()
    engine.flush(30)
    assert engine.stats().exporters["Refused"]["dropped"] == {"rejected": 1}


def test_one_span_that_cannot_be_delivered_costs_itself(started: Started) -> None:
    class Choosy:
        def on_span_ended(self, span: FinishedSpan) -> None:
            if span.name == "bad":
                raise ValueError(span.name)

    engine = started(Choosy())
    with polyspan.span("good"):
        polyspan.span("bad").end()
        polyspan.span("good").end()
    engine.flush(30)
    counts = engine.stats().exporters["Choosy"]
    assert (counts["exported"], counts["dropped"]) == (2, {"host_failed": 1})


@pytest.mark.parametrize("awaits", [False, True])
def test_one_that_hangs_holds_up_no_other(started: Started, awaits: bool) -> None:
    reached, release = threading.Event(), threading.Event()

    class Hanging:
        def export(self, batch: list[FinishedSpan]) -> None:
            reached.set()
            release.wait()

    class HangingAsync:
        async def export(self, batch: list[FinishedSpan]) -> None:
            reached.set()
            while not release.is_set():
                await asyncio.sleep(0.01)

    arrived = threading.Semaphore(0)

    class Healthy:
        def on_span_ended(self, span: FinishedSpan) -> None:
            arrived.release()

    engine = started(HangingAsync() if awaits else Hanging(), Healthy())
    polyspan.span("first").end()
    assert reached.wait(60)
    for _ in range(9):
        polyspan.span("later").end()
    for _ in range(10):
        assert arrived.acquire(timeout=60)
    with pytest.raises(PolyspanError, match="not known to be delivered"):
        engine.flush(0.05)
    assert engine.stats().adds_up()
    release.set()
    engine.flush(30)
    assert engine.stats().exported == 10


def test_an_exporter_records_nothing_itself(started: Started) -> None:
    inner: list[bool] = []

    class Recording:
        def on_span_ended(self, span: FinishedSpan) -> None:
            with polyspan.span("of the exporter") as own:
                inner.append(own.is_recording)

    engine = started(Recording())
    polyspan.span("outer").end()
    engine.flush(30)
    engine.flush(30)
    assert inner == [False]
    assert engine.stats().ended == 1


def test_formatters_change_what_one_exporter_gets(started: Started, caplog: pytest.LogCaptureFixture) -> None:
    def shout(span: FinishedSpan) -> FinishedSpan:
        span.name = span.name.upper()
        return span

    async def enrich(span: FinishedSpan) -> FinishedSpan:
        await asyncio.sleep(0)
        if span.name == "BAD":
            raise LookupError("nobody by that name")
        span.metadata["user"] = "Ada"
        return span

    class Formatted(Keeping):
        formatters = (shout, enrich)

    formatted, plain = Formatted(), Keeping()
    engine = started(formatted, plain)
    with caplog.at_level(logging.WARNING, "polyspan"):
        polyspan.span("good").end()
        polyspan.span("bad").end()
        engine.flush(30)
    # One that raises leaves the span as it was.
    assert [(span.name, span.metadata) for span in formatted.spans] == [
        ("GOOD", {"user": "Ada"}),
        ("bad", {}),
    ]
    assert [span.name for span in plain.spans] == ["good", "bad"]
    assert (engine.stats().host_errors, engine.stats().exported) == (1, 2)
    assert [line for line in caplog.messages if "enrich" in line] == [
        "Formatted: enrich raised LookupError: nobody by that name"
    ]


def test_formatters_stand_before_an_exporter_of_the_engine(
    started: Started, receiver: Receiver, tmp_path: Path
) -> None:
    async def shout(span: FinishedSpan) -> FinishedSpan:
        if span.name == "bad":
            raise LookupError(span.name)
        span.name = span.name.upper()
        span.attributes["password"] = "hunter2"
        return span

    file = tmp_path / "spans.jsonl"
    plain = Keeping()
    engine = started(
        {"type": "otlp_http", "endpoint": receiver.endpoint, "formatters": [shout]},
        {"type": "file", "path": str(file), "formatters": shout},
        plain,
    )
    for name in ("good", "bad"):
        polyspan.span(name).end()
    engine.flush(30)
    # What a formatter adds is redacted like everything else.
    assert receiver.names() == {"GOOD": 1, "bad": 1}
    assert "GOOD" in file.read_text() and "hunter2" not in file.read_text()
    assert [span.name for span in plain.spans] == ["good", "bad"]
    stats = engine.stats()
    assert (stats.exported, stats.host_errors, stats.dropped) == (2, 2, {})
    polyspan.span("last").end()
    engine.shutdown(30)
    assert receiver.names()["LAST"] == 1


def test_formatters_that_hang_cost_their_exporter_alone(started: Started, receiver: Receiver) -> None:
    release = threading.Event()

    def hanging(span: FinishedSpan) -> FinishedSpan:
        release.wait()
        return span

    described = {"type": "otlp_http", "endpoint": receiver.endpoint}
    memory = polyspan.MemoryExporter()
    engine = started({**described, "formatters": [hanging]}, memory)
    polyspan.span("stuck there").end()
    with pytest.raises(PolyspanError, match="not known to be delivered"):
        engine.shutdown(1)
    release.set()
    assert [span.name for span in memory.spans] == ["stuck there"]
    assert engine.stats().exporters["otlp_http"]["dropped"] == {"shutdown": 1}


def test_a_formatter_that_is_none_is_refused() -> None:
    class Formatted(Keeping):
        formatters = ("upper",)

    with pytest.raises(PolyspanError, match=r"Formatted.formatters\[0\]: 'upper'"):
        polyspan.init("tests", exporters=[Formatted()])


def test_the_same_exporter_is_the_same_option() -> None:
    exporter = Keeping()
    engine = polyspan.init("tests", exporters=[exporter])
    assert polyspan.init("tests", exporters=[exporter]) == engine
    with pytest.raises(PolyspanError, match="other options"):
        polyspan.init("tests", exporters=[Keeping()])
    engine.shutdown(30)


def test_what_is_no_exporter_is_refused() -> None:
    with pytest.raises(PolyspanError, match=r"exporters\[0\]"):
        polyspan.init("tests", exporters=[object()])  # type: ignore[list-item]
    with pytest.raises(PolyspanError, match="exporter: "):
        polyspan.init("tests", exporter=Keeping)  # type: ignore[arg-type]
