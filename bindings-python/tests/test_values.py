"""What becomes of any object that is put into a span, and what it may cost."""

from __future__ import annotations

import json
from collections import OrderedDict, namedtuple
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import polyspan
import pytest
from conftest import Recorded
from polyspan import MemoryExporter

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "tests/vectors/limits.json").read_text())


def given(form: Any) -> Any:
    """A value as `tests/vectors/README.md` writes it; lists for arrays."""
    if not isinstance(form, dict):
        return form
    then = [given(form["then"])] if "array_of" in form and "then" in form else []
    if "array_of" in form:
        value, count = form["array_of"]
        return [given(value)] * count + then
    if "map_of" in form:
        value, count = form["map_of"]
        entries = {f"k{place}": given(value) for place in range(count)}
        return entries | ({form["then"][0]: given(form["then"][1])} if "then" in form else {})
    [(tag, content)] = form.items()
    readers: dict[str, Any] = {
        "int": int,
        "bytes": bytes.fromhex,
        "repeat": lambda pieces: "".join(text * count for text, count in pieces),
        "array": lambda items: [given(item) for item in items],
        "map": lambda entries: {key: given(value) for key, value in entries},
    }
    return readers[tag](content)


def lists(value: Any) -> Any:
    """What a record holds, with lists instead of tuples."""
    if isinstance(value, tuple):
        return [lists(item) for item in value]
    if isinstance(value, dict):
        return {key: lists(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]])
def test_limits(case: dict[str, Any]) -> None:
    exporter = MemoryExporter()
    engine = polyspan.init("vectors", exporter=exporter, replace=True, **case["options"])
    what = case["span"]
    with polyspan.span("limited") as span:
        for key, value in what.get("attributes", []):
            span.set(key, given(value))
        span.update(metadata={key: given(value) for key, value in what.get("metadata", [])})
        for event in what.get("events", []):
            span.event(event["name"], {key: given(value) for key, value in event["attributes"]})
        if "input" in what:
            span.update(input=given(what["input"]))
        if "output" in what:
            span.update(output=given(what["output"]))
        if "status_message" in what:
            span.status("error", given(what["status_message"]))
    engine.flush(30)
    [record] = exporter.spans
    assert engine.stats().limited == case.get("limited", engine.stats().limited)
    engine.shutdown(30)
    if "kept" not in case:
        stays = case.get("stays", {})
        assert all(
            lists(record.attributes[key]) == given(value) for key, value in stays.get("attributes", [])
        )
        assert "input" not in stays or lists(record.input) == given(stays["input"])
        return
    kept = case["kept"]
    assert lists(record.attributes) == {key: given(value) for key, value in kept.get("attributes", [])}
    assert lists(record.metadata) == {key: given(value) for key, value in kept.get("metadata", [])}
    assert lists(record.input) == given(kept.get("input"))
    assert lists(record.output) == given(kept.get("output"))
    assert record.status_message == kept.get("status_message", "")
    assert record.dropped_attributes == kept.get("dropped_attributes", 0)
    assert record.dropped_events == kept.get("dropped_events", 0)
    events = [(name, lists(attributes)) for name, _, attributes, _ in record.events]
    expected = kept.get("events", [])
    assert events == [(e["name"], {key: given(value) for key, value in e["attributes"]}) for e in expected]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS["errors"]])
def test_limits_that_cannot_be_used(case: dict[str, Any]) -> None:
    with pytest.raises(polyspan.PolyspanError) as caught:
        polyspan.init("vectors", replace=True, exporter="none", **case["options"])
    assert caught.value.code == "invalid_option"
    assert f"{case['option']}: " in str(caught.value)


def shown(recorded: Recorded, value: Any) -> Any:
    """What an exporter gets of it, the same as input, output, attribute, metadata and of an event."""
    with polyspan.span("x", input=value, attributes={"a": value}) as span:
        span.update(output=value, metadata={"m": value})
        span.event("e", {"c": value})
    record = recorded.one()
    found = [record.input, record.output, record.attributes["a"], record.metadata["m"]]
    assert all(other == record.input for other in [*found, record.events[0][2]["c"]])
    return lists(record.input)


class Own:
    def __polyspan__(self) -> object:
        return {"shown": True}


class OwnFails:
    def __polyspan__(self) -> object:
        raise RuntimeError


class OwnIsItself:
    def __polyspan__(self) -> object:
        return self


class Lazy:
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@dataclass
class Half:
    good: int = 1
    bad: int = field(default=2)

    def __getattribute__(self, name: str) -> Any:
        if name == "bad":
            raise ValueError
        return object.__getattribute__(self, name)


Two = namedtuple("Two", ["one", "two"])


class Words(str):
    pass


class Many(list):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[Any]:
        raise AssertionError("a list is read in place")


class Keyed(dict):  # type: ignore[type-arg]
    def items(self) -> Any:
        raise AssertionError("a dictionary is read in place")


async def coroutine() -> None: ...


@pytest.mark.parametrize(
    ("value", "form"),
    [
        pytest.param(timedelta(days=1, hours=2, seconds=3.5), "P1DT2H3.5S", id="timedelta"),
        pytest.param(timedelta(0), "PT0S", id="no time"),
        pytest.param(timedelta(minutes=-90), "-PT1H30M", id="negative"),
        pytest.param(time(12, 30), "12:30:00", id="time"),
        pytest.param(Words("w"), "w", id="str"),
        pytest.param(Many([1, 2]), [1, 2], id="list"),
        pytest.param(Keyed(a=1), {"a": 1}, id="dict"),
        pytest.param(OrderedDict(a=1), {"a": 1}, id="ordered"),
        pytest.param(Two(1, 2), {"one": 1, "two": 2}, id="namedtuple"),
        pytest.param(frozenset([1]), [1], id="frozenset"),
        pytest.param({"a": 1}.items(), [["a", 1]], id="view"),
        pytest.param((number for number in range(1)), "[generator]", id="generator"),
        pytest.param(iter([1]), "[list_iterator]", id="iterator"),
        pytest.param(len, "len", id="function"),
        pytest.param(Own(), {"shown": True}, id="own form"),
        pytest.param(OwnFails(), "[__polyspan__ failed: RuntimeError]", id="own form fails"),
        pytest.param(OwnIsItself(), "[Circular]", id="own form is itself"),
        pytest.param(Half(), {"good": 1, "bad": "<unreadable, ValueError>"}, id="a field that raises"),
        pytest.param([Lazy()], [f"<{__name__}.Lazy>"], id="everything raises"),
    ],
)
def test_a_value_has_a_form(recorded: Recorded, value: Any, form: Any) -> None:
    assert shown(recorded, value) == form


def test_a_coroutine_is_left_alone(recorded: Recorded) -> None:
    waiting = coroutine()
    assert shown(recorded, waiting) == "[coroutine]"
    waiting.close()


def test_an_iterator_is_not_used_up(recorded: Recorded) -> None:
    numbers = iter(range(3))
    generator = (number for number in range(3))
    polyspan.span("x", input=[numbers, generator]).end()
    assert list(numbers) == list(generator) == [0, 1, 2]


def test_an_exception_with_its_cause(recorded: Recorded) -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError("outer") from inner
    except ValueError as error:
        form = shown(recorded, error)
    assert (form["name"], form["message"]) == ("ValueError", "outer")
    assert "raise ValueError" in form["stack"]
    assert form["cause"]["name"] == "KeyError"


def test_keys_that_come_again(recorded: Recorded) -> None:
    """Keys are known again by their objects, in whatever order, also beyond those that are remembered."""
    keys = [f"key{number}" for number in range(40)]
    orders = [keys, keys[::-1], keys[::3], keys[20:] + keys[:20], keys[:5], [str(key) + "!" for key in keys]]
    value = [{key: [place, key] for key in order} for place, order in enumerate(orders)]
    assert shown(recorded, value) == value


def test_a_dictionary_that_changes_while_it_is_read(recorded: Recorded) -> None:
    class Meddles:
        def __polyspan__(self) -> str:
            # Its key goes with the entry, and what is read next stands where it was.
            whole.pop("".join(["a", "b"]), None)
            whole["later"] = {"".join(["x", "y"]): 1}
            return "meddled"

    whole: dict[str, Any] = {"first": 1, "".join(["a", "b"]): Meddles(), "last": {"first": 2}}
    polyspan.span("x", input=[whole, {"first": 3, "ab": 4}]).end()
    form = lists(recorded.one().input)
    assert form[0]["first"] == 1 and form[0]["ab"] == "meddled"
    assert form[1] == {"first": 3, "ab": 4}


def test_values_that_contain_themselves(recorded: Recorded) -> None:
    inner: dict[str, Any] = {"n": 1}
    cyclic: list[Any] = [inner, inner]
    inner["up"] = cyclic
    assert shown(recorded, cyclic) == [{"n": 1, "up": "[Circular]"}, {"n": 1, "up": "[Circular]"}]


class Counting(Sequence[Any]):
    """A long sequence that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, place: Any) -> Any:
        self.asked += 1
        return place


class CountingMap(Mapping[str, Any]):
    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        return 10**9

    def __iter__(self) -> Iterator[str]:
        return map(str, range(10**9))

    def __getitem__(self, key: str) -> Any:
        self.asked += 1
        return key


def test_a_long_collection_costs_what_is_kept(recorded: Recorded) -> None:
    sequence, mapping = Counting(), CountingMap()
    with polyspan.span("x", input=sequence) as span:
        span.update(output=mapping)
    record = recorded.one()
    assert record.input[-1] == f"[…{10**9 - 50} more items]"
    assert record.output["__truncated"] == f"{10**9 - 50} more keys omitted"
    assert sequence.asked <= 60
    assert mapping.asked <= 110


def test_what_is_not_recorded_is_not_looked_at(recorded: Recorded) -> None:
    polyspan.init("tests", exporter=recorded.exporter, replace=True, include_io=False)
    sequence = Counting()
    with polyspan.span("x", input=sequence) as span:
        span.update(output=sequence)
    assert sequence.asked == 0
    polyspan.shutdown(30)


@pytest.mark.parametrize("make", [lambda: "é" * 20_000_000, lambda: b"x" * 50_000_000], ids=["text", "bytes"])
def test_a_large_value_is_not_copied(recorded: Recorded, make: Any) -> None:
    large = make()
    before = memory_peak()
    with polyspan.span("x", input=large) as span:
        span.set("a", large)
    assert memory_peak() - before < 16 * 1024
    recorded.one()


def memory_peak() -> int:
    """KiB that this process has held at most."""
    resource = pytest.importorskip("resource")
    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak


def test_numpy(recorded: Recorded) -> None:
    numpy = pytest.importorskip("numpy")
    large = numpy.zeros((5000, 5000))
    form = shown(recorded, {"scalar": numpy.int64(7), "float": numpy.float64(0.5), "array": large})
    assert (form["scalar"], form["float"]) == (7, 0.5)
    array = form["array"]
    assert (array["shape"], array["dtype"]) == ([5000, 5000], "float64")
    assert array["values"] == [0.0] * 50


def test_pandas(recorded: Recorded) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": range(1000), "b": ["x"] * 1000})
    form = shown(recorded, {"frame": frame, "series": frame["a"], "at": pandas.Timestamp("2026-01-02")})
    assert (form["frame"]["shape"], form["frame"]["columns"]) == ([1000, 2], ["a", "b"])
    assert form["frame"]["rows"][:2] == [{"a": 0, "b": "x"}, {"a": 1, "b": "x"}]
    assert len(form["frame"]["rows"]) == 50
    assert form["series"]["values"][:3] == [0, 1, 2]
    assert form["at"] == "2026-01-02T00:00:00"


def test_pydantic(recorded: Recorded) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        name: str

        @pydantic.field_serializer("name")  # type: ignore[untyped-decorator]
        def fails(self, _: str) -> str:
            raise RuntimeError

    assert shown(recorded, Model(name="n")) == {"name": "n"}


def test_attrs(recorded: Recorded) -> None:
    attrs = pytest.importorskip("attrs")
    made = attrs.make_class("Made", ["one", "two"])
    assert shown(recorded, made(1, [2])) == {"one": 1, "two": [2]}


class Endless(Sequence[int]):
    """Counts what is read of it."""

    def __init__(self) -> None:
        self.read = 0

    def __len__(self) -> int:
        return 10**9

    def __getitem__(self, place: Any) -> Any:
        self.read += 1
        return place


def test_every_value_is_read_within_the_bounds_of_its_engine() -> None:
    memory = MemoryExporter()
    engine = polyspan.init("tests", exporter=memory, limits={"array_items": 10}, replace=True)
    values = [Endless() for _ in range(7)]
    with (
        polyspan.context(metadata={"a": values[0]}, attributes={"b": values[1]}),
        polyspan.span("work", metadata={"c": values[2]}, request_context={"d": values[3]}) as span,
    ):
        span.event("e", {"e": values[4]})
        polyspan.log("info", values[5], attributes={"f": values[6]})
    engine.shutdown(30)
    assert [value.read for value in values if value.read > 30] == []
    (record,) = memory.spans
    assert record.metadata["a"] == record.metadata["c"] == (*range(10), "[…999999990 more items]")
    assert record.attributes["b"] == record.metadata["a"]
    assert memory.logs[0].body == memory.logs[0].attributes["f"] == record.metadata["a"]
