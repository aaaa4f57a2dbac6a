"""Several engines in one process: which one a trace goes to, and that it stays whole there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import polyspan
import pytest
from conftest import Recorded
from polyspan import MemoryExporter
from receiving import Receiver

Started = Callable[..., Recorded]


@pytest.fixture
def started() -> Iterator[Started]:
    running: list[polyspan.Engine] = []

    def start(name: str, **options: Any) -> Recorded:
        exporter = MemoryExporter()
        engine = polyspan.init(name, name=name, exporter=exporter, **options)
        running.append(engine)
        return Recorded(engine, exporter)

    yield start
    polyspan.set_selector(None)
    for engine in running:
        engine.shutdown(30)
        assert engine.stats().adds_up()


def names(recorded: Recorded) -> set[str]:
    return {span.name for span in recorded.spans()}


def test_the_first_one_is_the_default_until_another_is_chosen(started: Started) -> None:
    first, second = started("first"), started("second")
    assert [engine.name for engine in polyspan.engines()] == ["first", "second"]
    polyspan.span("one").end()
    polyspan.engine("second").span("two").end()
    polyspan.set_default("second")
    polyspan.span("three").end()
    assert (names(first), names(second)) == ({"one"}, {"two", "three"})
    second.engine.shutdown(30)
    polyspan.span("four").end()
    assert names(first) == {"one", "four"}
    with pytest.raises(polyspan.PolyspanError) as raised:
        polyspan.set_default("nobody")
    assert raised.value.code == "not_running" and "nobody" in str(raised.value)


def test_a_selector_sees_the_request_and_what_the_root_was_given(started: Started) -> None:
    common, acme = started("common"), started("acme")
    seen: list[dict[str, Any]] = []

    def choose(root: dict[str, Any]) -> str | None:
        seen.append(root)
        return (root["request_context"] or {}).get("tenant")

    polyspan.set_selector(choose)
    with (
        polyspan.context(request_context={"tenant": "acme"}),
        polyspan.span("root", type="agent", attributes={"a": 1}),
        polyspan.span("child"),
    ):
        polyspan.event("instant")
    polyspan.span("other").end()
    assert names(acme) == {"root", "child", "instant"}
    assert names(common) == {"other"}
    assert [root["name"] for root in seen] == ["root", "other"]
    assert (seen[0]["type"], seen[0]["attributes"]) == ("agent", {"a": 1})


def test_children_follow_a_parent_of_another_engine(started: Started) -> None:
    common, other = started("common"), started("other")
    with other.engine.span("root") as root:
        with polyspan.span("inside"):
            polyspan.span("deeper").end()
        polyspan.span("by hand", parent=root).end()
        polyspan.span("own trace", root=True).end()
        common.engine.span("asked for").end()
    assert names(other) == {"root", "inside", "deeper", "by hand"}
    assert names(common) == {"own trace", "asked for"}


def test_children_of_an_unsampled_span_of_another_engine(started: Started) -> None:
    common, silent = started("common"), started("silent", sampler="parentbased_always_off")
    with silent.engine.span("root"), polyspan.span("child"):
        pass
    assert common.engine.stats().ended == 0
    assert silent.engine.stats().unsampled == 2


@pytest.mark.parametrize("answer", ["nobody", 7, None])
def test_an_answer_that_names_no_engine_means_the_default(started: Started, answer: Any) -> None:
    common = started("common")
    started("other")
    polyspan.set_selector(lambda root: answer)
    polyspan.span("one").end()
    assert names(common) == {"one"}


def test_a_selector_that_raises_means_the_default(started: Started) -> None:
    common = started("common")

    def choose(root: dict[str, Any]) -> str:
        raise RuntimeError("no")

    polyspan.set_selector(choose)
    polyspan.span("one").end()
    assert names(common) == {"one"}


def test_a_selector_may_record_spans_itself(started: Started) -> None:
    common, acme = started("common"), started("acme")
    inner: list[bool] = []

    def choose(root: dict[str, Any]) -> str:
        # As an HTTP client does that asks where the tenant is.
        with polyspan.span("request", root=True) as request:
            inner.append(request.is_recording)
            with polyspan.span("connect") as connect:
                inner.append(connect.is_recording)
        return "acme"

    polyspan.set_selector(choose)
    polyspan.span("one").end()
    polyspan.span("two").end()
    assert inner == [False] * 4
    assert (names(common), names(acme)) == (set(), {"one", "two"})
    assert common.engine.stats().unsampled == 4


def test_a_sampler_may_record_spans_itself(started: Started) -> None:
    inner: list[bool] = []

    def decide(root: dict[str, Any]) -> bool:
        with polyspan.span("request", root=True) as request:
            inner.append(request.is_recording)
        return bool(root["name"] == "wanted")

    asked = started("asked", sampler=decide)
    polyspan.span("wanted").end()
    polyspan.span("unwanted").end()
    assert inner == [False, False]
    assert names(asked) == {"wanted"}
    stats = asked.engine.stats()
    assert (stats.ended, stats.unsampled) == (4, 3)


@pytest.mark.parametrize(
    "unusable",
    [
        {"exporter": {"type": "file", "path": "/nowhere/at/all/spans.jsonl"}},
        {"exporter": {"type": "otlp_http", "endpoint": "https://x", "certificate": "/nowhere/at/all.pem"}},
        {"exporter": "nothing of that name"},
        {"limits": "nonsense"},
    ],
)
def test_what_cannot_be_started_replaces_nothing(started: Started, unusable: dict[str, Any]) -> None:
    running = started("running")
    with pytest.raises(polyspan.PolyspanError):
        polyspan.init("running", name="running", replace=True, **unusable)
    with polyspan.span("still recorded") as span:
        assert span.is_recording
    assert polyspan.engines() == [running.engine]
    assert names(running) == {"still recorded"}


def test_spans_are_recorded_while_an_engine_is_replaced(started: Started) -> None:
    release = threading.Event()
    draining = threading.Event()

    class Slow:
        def export(self, spans: list[polyspan.FinishedSpan]) -> None:
            draining.set()
            release.wait()

    old = polyspan.init("replaced", name="replaced", exporters=[Slow()], schedule_delay=0.01)
    polyspan.span("of the old one").end()
    assert draining.wait(60)
    exporter = MemoryExporter()
    new: list[polyspan.Engine] = []

    def replace() -> None:
        options: Any = {"exporter": exporter, "replace": True, "exit_timeout": 30}
        new.append(polyspan.init("replaced", name="replaced", **options))

    replacing = threading.Thread(target=replace)
    replacing.start()
    try:
        begun = time.monotonic()
        while polyspan.engine("replaced") == old:
            assert time.monotonic() - begun < 60
            time.sleep(0.001)
        for _ in range(100):
            with polyspan.engine("replaced").span("meanwhile") as span:
                assert span.is_recording
    finally:
        release.set()
        replacing.join(60)
    new[0].flush(30)
    assert len(exporter.spans) == 100
    assert old.stats().exported == 1
    new[0].shutdown(30)


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(polyspan.PolyspanError) as raised:
        polyspan.set_selector("acme")  # type: ignore[arg-type]
    assert raised.value.code == "invalid_option" and "selector" in str(raised.value)


class Own:
    def export(self, spans: object) -> None:
        """Takes them."""


def test_exporters_of_one_name_are_counted_each(receiver: Receiver) -> None:
    preset = {"type": "otlp_http", "preset": "Langfuse", "endpoint": receiver.endpoint}
    langfuse = preset | {"headers": {"Authorization": "Basic x"}}
    otlp = {"type": "otlp_http", "endpoint": receiver.endpoint}
    memory = [MemoryExporter(), MemoryExporter()]
    engine = polyspan.init(
        "many",
        name="many",
        exporters=[langfuse, langfuse, otlp, *memory, otlp, Own(), Own()],
        logs_exporter="none",
    )
    engine.span("one").end()
    engine.flush(30)
    stats = engine.stats()
    engine.shutdown(30)
    names = {"langfuse", "langfuse#2", "otlp_http", "otlp_http#2", "memory", "memory#2", "Own", "Own#2"}
    assert set(stats.exporters) == names
    assert {counts["accepted"] for counts in stats.exporters.values()} == {1}
    assert len(receiver.spans) == 4


@pytest.mark.parametrize("name", ["\ud800", 5])
def test_a_name_that_is_none_is_no_engine_s(name: Any) -> None:
    for find in (polyspan.engine, polyspan.set_default):
        with pytest.raises(polyspan.PolyspanError) as raised:
            find(name)
        assert raised.value.code == "not_running"


def test_what_a_flush_leaves_says_how_it_is_counted(receiver: Receiver) -> None:
    receiver.hang.set()
    otlp = {"type": "otlp_http", "endpoint": receiver.endpoint}
    engine = polyspan.init("slow", name="slow", exporters=[otlp, otlp], exit_timeout=0)
    engine.span("one").end()
    with pytest.raises(polyspan.PolyspanError):
        engine.flush(0)
    # Both exporters have it, as one of them is sending it.
    assert receiver.held.wait(30)
    with pytest.raises(polyspan.PolyspanError) as raised:
        engine.flush(0.0123456)
    assert "within 0.012 s leaves 2 spans, log records or data points (over 2 exporters)" in str(raised.value)
    receiver.release()
    engine.shutdown(30)


def test_frames_of_pages_are_counted_as_in_other_languages(started: Started) -> None:
    engine = started("web").engine
    engine.span("one").end()
    # Its own spans are none of them.
    assert engine.stats().relay == {"frames": 0, "spans": 0, "refused": {}}
