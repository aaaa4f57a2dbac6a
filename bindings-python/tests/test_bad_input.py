"""What does not belong there: recording never raises, counts what it leaves out, and bounds what it keeps."""

from __future__ import annotations

import dataclasses
import decimal
import enum
import logging
import math
import pathlib
import signal
import tracemalloc
import uuid
from collections import OrderedDict, UserDict, deque, namedtuple
from datetime import date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import polyspan
import pytest
from conftest import Recorded


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Point:
    x: int
    y: Any = None


class Plain:
    def __init__(self) -> None:
        self.shown = 1
        self._hidden = 2


class Silent:
    __slots__ = ()


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Undecided:
    def __bool__(self) -> bool:
        raise RuntimeError("neither")


class Texted:
    def __str__(self) -> str:
        return "as text"


Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize(
    ("given", "recorded_as"),
    [
        (None, None),
        (True, True),
        (-(2**63), -(2**63)),
        (2**63, str(2**63)),
        pytest.param(2**20000, "<int of 20001 bits>", id="huge"),
        (1.5, 1.5),
        (math.inf, math.inf),
        ("é", "é"),
        ("lone \ud800 surrogate", "lone � surrogate"),
        ("pair \ud83d\ude00", "pair 😀"),
        (b"\x00\xff", b"\x00\xff"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        ([1, "a", None], (1, "a", None)),
        ((1, (2, 3)), (1, (2, 3))),
        ({1}, (1,)),
        (range(3), (0, 1, 2)),
        (deque([1]), (1,)),
        ({"k": {"n": 1}}, {"k": {"n": 1}}),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}),
        (OrderedDict(a=1), {"a": 1}),
        (UserDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Point(1, Point(2)), {"x": 1, "y": {"x": 2, "y": None}}),
        (Pair(1, 2), {"left": 1, "right": 2}),
        (Colour.RED, "red"),
        (Level.LOW, 1),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02T00:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (timedelta(seconds=90), "PT1M30S"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (ValueError("bad"), {"name": "ValueError", "message": "bad", "stack": "ValueError: bad\n"}),
        (Plain(), {"shown": 1}),
        (Texted(), "as text"),
        (math.sqrt, "math.sqrt"),
        (Point, f"{__name__}.Point"),
        (Unprintable(), f"<{__name__}.Unprintable: unprintable, RuntimeError>"),
        (Silent(), f"<{__name__}.Silent>"),
    ],
)
def test_any_object_has_a_form(recorded: Recorded, given: Any, recorded_as: Any) -> None:
    with polyspan.span("x", attributes={"a": given}, input=given) as span:
        span.set("b", given)
        span.update(output=given, metadata={"m": given})
        span.event("e", {"c": given})
    record = recorded.one()
    found = [record.attributes["a"], record.attributes["b"], record.output, record.metadata["m"]]
    found.append(record.events[0][2]["c"])
    assert found == [recorded_as] * 5
    assert record.input == recorded_as


def test_not_a_number_is_kept(recorded: Recorded) -> None:
    polyspan.span("x", attributes={"a": math.nan}).end()
    assert math.isnan(recorded.one().attributes["a"])


def test_cyclic_and_deep_values_end(recorded: Recorded) -> None:
    cyclic: dict[str, Any] = {"n": 1}
    cyclic["self"] = cyclic
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    polyspan.span("x", attributes={"cyclic": cyclic, "deep": deep}).end()
    attributes = recorded.one().attributes
    assert attributes["cyclic"] == {"n": 1, "self": "[Circular]"}
    depth = 0
    at = attributes["deep"]
    while isinstance(at, tuple):
        at, depth = at[0], depth + 1
    assert at == "[MaxDepth]" and depth == 9


def test_large_values_cost_what_is_kept(recorded: Recorded) -> None:
    text = "é" * 10_000_000
    with polyspan.span("x") as span:
        span.set("text", text)
        span.set("bytes", bytes(50_000_000))
        span.set("list", list(range(1_000_000)))
        span.set("lines", ["x" * 1000] * 100_000)
    attributes = recorded.one().attributes
    assert attributes["text"].startswith("éé") and attributes["text"].endswith("[truncated]")
    assert len(attributes["text"].encode()) < 1_100_000
    assert attributes["bytes"] == "[bytes length=50000000]"
    assert attributes["list"] == (*range(50), "[…999950 more items]")
    assert attributes["lines"][49:] == ("x" * 1000, "[…99950 more items]")


class SaidError(Exception):
    """One that says its argument, as most do."""


@pytest.mark.parametrize("argument", ["x" * 40_000_000, b"x" * 40_000_000], ids=["text", "bytes"])
def test_a_large_exception_costs_what_is_kept(recorded: Recorded, argument: str | bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(SaidError) as caught, polyspan.span("x"):
            raise SaidError(argument) from LookupError("the cause")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.args == (argument,)
    record = recorded.one()
    [(_, _, attributes, _)] = record.events
    assert attributes["exception.type"].endswith("SaidError")
    assert "xxxx" in attributes["exception.message"] and "xxxx" in record.status_message
    stack = attributes["exception.stacktrace"]
    assert "LookupError: the cause" in stack and "test_bad_input.py" in stack
    # Formatting all of it takes as much again, and four times that of bytes.
    assert peak < 20_000_000


def test_a_dictionary_that_changes_while_it_is_read(recorded: Recorded) -> None:
    changing: dict[str, Any] = {}

    class Grows:
        def __str__(self) -> str:
            changing[f"new {len(changing)}"] = 1
            return "grew"

    changing.update(a=1, b=Grows(), c=Grows())
    polyspan.span("x", attributes=changing).end()
    assert recorded.one().attributes == {"a": 1, "b": "grew", "c": "grew"}


def test_an_object_that_sets_on_the_span_being_set(recorded: Recorded) -> None:
    with polyspan.span("x") as span:

        class Recursive:
            def __str__(self) -> str:
                span.set("inner", 1)
                return "outer"

        span.set("outer", Recursive())
    assert recorded.one().attributes == {"inner": 1, "outer": "outer"}


@pytest.mark.parametrize("wrong", [7, object(), 1.5, b"x", [1], {"a"}, Unprintable(), Undecided(), "\ud800"])
def test_arguments_of_a_wrong_type_never_raise(recorded: Recorded, wrong: Any) -> None:
    with polyspan.span(
        wrong,
        type=wrong,
        kind=wrong,
        attributes=wrong,
        input=wrong,
        metadata=wrong,
        tags=wrong,
        parent=wrong,
        links=wrong,
        start_time=wrong,
        root=wrong,
    ) as span:
        span.set(wrong, wrong)
        span.update(metadata=wrong, attributes=wrong, tags=wrong, unknown=wrong)  # type: ignore[call-arg]
        span.event(wrong, wrong, time=wrong)
        span.link(wrong, wrong)
        span.record_exception(wrong, wrong)
        span.error(wrong, end=False)
        span.status(wrong, wrong)
        span.rename(wrong)
        polyspan.inject(wrong, setter=wrong, context=wrong)
        polyspan.extract(wrong, getter=wrong)
    with polyspan.context(session_id=wrong, tags=wrong, metadata=wrong, baggage=wrong, parent=wrong):
        pass
    assert recorded.one().type == "generic"
    assert recorded.engine.stats().altered > 0


@pytest.mark.parametrize(
    ("root", "is_root"), [(None, False), (0, False), ("yes", True), (Undecided(), False)]
)
def test_a_root_is_asked_for_by_truth(recorded: Recorded, root: Any, is_root: bool) -> None:
    with polyspan.span("outer") as outer:
        polyspan.span("inner", root=root).end()
    assert (recorded.span("inner").trace_id != outer.context.trace_id) is is_root


def test_keys_that_are_empty_or_no_text(recorded: Recorded) -> None:
    keys: dict[Any, Any] = {"": 1, "ok": 2, 3: 4}
    with polyspan.span("x", attributes=keys) as span:
        span.set("", 1)
        span.event("e", {"": 1, "ok": 2})
    record = recorded.one()
    assert record.attributes == {"ok": 2, "3": 4}
    assert record.events[0][2] == {"ok": 2}
    assert recorded.engine.stats().altered >= 3


def test_what_is_left_out_is_said_once(run_python: Any) -> None:
    done = run_python(
        """
        import logging, polyspan
        logging.basicConfig(format="%(name)s: %(message)s")
        polyspan.init("x", exporters=[])
        for _ in range(3):
            polyspan.span("x", kind="sideways").end()
        """
    )
    assert done.stderr.count("polyspan: span:") == 1


def test_a_million_open_spans(recorded: Recorded) -> None:
    engine = polyspan.init("tests", exporters=[], replace=True)
    spans = [polyspan.span("x", root=True) for _ in range(1_000_000)]
    # As many as `open_spans` has by default, and what each thread may open before it looks again.
    recording = sum(span.is_recording for span in spans)
    assert 100_000 <= recording < 110_000
    assert engine.stats().open_limit == 1_000_000 - recording
    for span in spans:
        span.end()
    engine.shutdown(30)
    stats = engine.stats()
    assert (stats.ended, stats.unsampled) == (1_000_000, 1_000_000 - recording)
    assert stats.adds_up()


def test_an_end_before_the_start(recorded: Recorded) -> None:
    span = polyspan.span("x", start_time=2_000_000_000)
    span.end(1_000_000_000)
    record = recorded.one()
    assert record.end_time == record.start_time == 2_000_000_000


def test_a_wish_to_stop_is_not_swallowed(recorded: Recorded) -> None:
    class Interrupted:
        def __str__(self) -> str:
            raise KeyboardInterrupt

    # A process that was started in the background ignores the signal, and Python then leaves it so.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            polyspan.span("x", attributes={"a": Interrupted()}).end()
            # The interpreter looks for signals between any two steps.
            for _ in range(1000):
                pass
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"endpoint": "not a url"}, "endpoint"),
        ({"endpoint": 7}, "endpoint"),
        ({"headers": "a=b"}, "headers"),
        ({"headers": {"a": 1}}, "headers"),
        ({"sampler": "sometimes"}, "sampler"),
        ({"sampler": 2}, "sampler"),
        ({"exporter": "pigeon"}, "exporter"),
        ({"exporters": [{"type": "file"}]}, "path"),
        ({"exporters": "console"}, "exporters"),
        ({"certificate": "/nowhere.pem", "endpoint": "https://localhost:1"}, "certificate"),
        ({"max_queue_spans": -1}, "max_queue_spans"),
        ({"max_queue_spans": 1.5}, "max_queue_spans"),
        ({"timeout": "soon"}, "timeout"),
        ({"schedule_delay": -1}, "schedule_delay"),
        ({"propagators": ["pigeon"]}, "propagators"),
        ({"no_such_option": 1}, "no_such_option"),
        ({"name": ""}, "name"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(polyspan.PolyspanError) as caught:
        polyspan.init("x", **options)
    assert caught.value.code == "invalid_option"
    assert named in str(caught.value)


def test_starting_twice(recorded: Recorded) -> None:
    assert polyspan.init("tests", exporter=recorded.exporter) == recorded.engine
    with pytest.raises(polyspan.PolyspanError) as caught:
        polyspan.init("other service")
    assert caught.value.code == "already_initialized"


def test_without_an_engine() -> None:
    with polyspan.span("x", attributes={"a": 1}) as span:
        assert not span.is_recording
        assert not span.context.is_valid
    assert polyspan.stats().ended == 0
    polyspan.flush()
    polyspan.shutdown()
    with pytest.raises(polyspan.PolyspanError) as caught:
        polyspan.engine("nobody")
    assert caught.value.code == "not_running"


def test_a_timeout_that_is_none(recorded: Recorded) -> None:
    for wrong in (-1, "soon", "soon" * 1000, math.nan, 1e300, object()):
        with pytest.raises(polyspan.PolyspanError, match="timeout") as caught:
            recorded.engine.flush(wrong)  # type: ignore[arg-type]
        assert len(str(caught.value)) < 250
    recorded.engine.flush(timedelta(seconds=5))


def test_the_logger_is_only_used_by_threads_of_python(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "polyspan"):
        polyspan.span("x", kind="upside down").end()
    assert all(entry.name == "polyspan" for entry in caplog.records)
