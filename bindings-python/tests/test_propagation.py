"""Context to and from carriers of every kind."""

from __future__ import annotations

import email.message
import os
from collections.abc import Iterator, MutableMapping
from http.client import HTTPMessage
from typing import Any

import polyspan
import pytest
from conftest import Recorded
from polyspan import extract, inject, span

TRACE, SPAN = "ab" * 16, "cd" * 8
PARENT = f"00-{TRACE}-{SPAN}-01"


class MultiDict:
    """Several values a name, as in multidict, werkzeug, Django, grpc.aio and httpx."""

    def __init__(self, method: str, *pairs: tuple[str, Any]) -> None:
        self._pairs = list(pairs)
        setattr(self, method, self._all)

    def _all(self, key: str) -> list[Any]:
        found = [value for name, value in self._pairs if name.lower() == key]
        if not found:
            raise KeyError(key)
        return found


class Headers(MutableMapping[str, str]):
    """Names compared without case, as in requests."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, str]] = {}

    def __getitem__(self, key: str) -> str:
        return self.held[key.lower()][1]

    def __setitem__(self, key: str, value: str) -> None:
        self.held[key.lower()] = (key, value)

    def __delitem__(self, key: str) -> None:
        del self.held[key.lower()]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.held.values())

    def __len__(self) -> int:
        return len(self.held)


def http_message() -> HTTPMessage:
    message = HTTPMessage()
    message["Traceparent"] = PARENT
    return message


@pytest.mark.parametrize(
    "carrier",
    [
        {"traceparent": PARENT},
        {"Traceparent": PARENT},
        {"TRACEPARENT": PARENT.encode()},
        {b"traceparent": PARENT.encode()},
        {"traceparent": [PARENT]},
        {"HTTP_TRACEPARENT": PARENT, "wsgi.version": (1, 0)},
        [("traceparent", PARENT)],
        [(b"traceparent", PARENT.encode())],
        (("traceparent", PARENT),),
        [("traceparent", PARENT.encode(), "never indexed")],
        iter([("other", 1), ("traceparent", PARENT)]),
        MultiDict("getall", ("traceparent", PARENT)),
        MultiDict("getlist", ("traceparent", PARENT)),
        MultiDict("get_all", ("traceparent", PARENT)),
        MultiDict("get_list", ("traceparent", PARENT)),
        http_message(),
    ],
)
def test_any_carrier_is_read(carrier: Any) -> None:
    context = extract(carrier).span_context
    assert context is not None
    assert (context.trace_id, context.span_id) == (TRACE, SPAN)
    assert context.is_remote and context.is_sampled


@pytest.mark.parametrize(
    "carrier",
    [
        None,
        {},
        [],
        "text",
        7,
        object(),
        {"traceparent": "00-zz"},
        {"traceparent": None},
        {"traceparent": 7},
        {1: 2},
        [1, 2],
        [("traceparent",)],
        {"traceparent": "\udce9"},
        MultiDict("getall"),
    ],
)
def test_what_cannot_be_read_holds_nothing(carrier: Any) -> None:
    context = extract(carrier)
    assert context.span_context is None
    assert context.baggage == {}


def test_a_carrier_that_raises_holds_nothing() -> None:
    class Hostile:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

        def __iter__(self) -> Any:
            raise RuntimeError

    assert extract(Hostile()).span_context is None
    with span("x"):
        inject(Hostile())


def test_functions_and_getter_objects() -> None:
    held = {"traceparent": PARENT, "baggage": "k=v"}

    class Getter:
        def get(self, carrier: dict[str, str], key: str) -> list[str] | None:
            return [carrier[key]] if key in carrier else None

    for getter in (lambda carrier, key: carrier.get(key), Getter()):
        context = extract(held, getter=getter)
        assert context.span_context is not None and context.baggage == {"k": "v"}


def test_carriers_are_written_in_their_own_manner(recorded: Recorded) -> None:
    with span("x") as current, polyspan.context(baggage={"k": "v w"}):
        wanted = f"00-{current.trace_id}-{current.span_id}-03"
        assert inject({}) == {"traceparent": wanted, "baggage": "k=v%20w"}
        assert inject({"Traceparent": "old", "other": "1"})["traceparent"] == wanted
        assert "Traceparent" not in inject({"Traceparent": "old"})
        assert inject({"x": ["1"]})["traceparent"] == [wanted]
        assert inject({b"x": b"1"})[b"traceparent"] == wanted.encode()
        pairs: list[Any] = [("traceparent", "old"), ("x", "1")]
        assert inject(pairs) is pairs
        assert pairs == [("x", "1"), ("traceparent", wanted), ("baggage", "k=v%20w")]
        assert inject([(b"x", b"1")])[1] == (b"traceparent", wanted.encode())
        assert inject([("x", b"1")])[1] == ("traceparent", wanted.encode())
        metadata: Any = (("x", "1"),)
        assert inject(metadata) == (("x", "1"), ("traceparent", wanted), ("baggage", "k=v%20w"))
        headers = inject(Headers())
        assert headers["Traceparent"] == wanted
        message = email.message.Message()
        message["traceparent"] = "old"
        assert inject(message).get_all("traceparent") == [wanted]
        written: list[tuple[str, str]] = []
        inject(written, setter=lambda carrier, key, value: carrier.append((key, value)))
        assert written[0] == ("traceparent", wanted)


def test_the_environment_is_a_carrier(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", PARENT)
    monkeypatch.setenv("BAGGAGE", "k=v")
    context = extract(os.environ)
    assert context.span_context is not None and context.span_context.span_id == SPAN
    assert context.baggage == {"k": "v"}
    with span("x", parent=context) as current:
        inject(os.environ)
    assert os.environ["TRACEPARENT"] == f"00-{TRACE}-{current.span_id}-01"


def test_baggage_travels_with_the_parent(recorded: Recorded) -> None:
    with span("job", parent=extract({"traceparent": PARENT, "baggage": "a=1;p=q,b=2"})):
        assert polyspan.baggage() == {"a": "1;p=q", "b": "2"}
        with polyspan.context(baggage={"b": "3", "c": "x;y z"}):
            assert inject({})["baggage"] == "a=1;p=q,b=3,c=x%3By%20z"
    assert polyspan.baggage() == {}
    record = recorded.one()
    assert (record.trace_id, record.parent_span_id, record.parent_is_remote) == (TRACE, SPAN, True)


def test_baggage_alone_is_a_parent_too(recorded: Recorded) -> None:
    with span("root", parent=extract({"baggage": "k=v"})):
        assert polyspan.baggage() == {"k": "v"}
    assert recorded.one().parent_span_id is None


def test_the_vendor_list_travels(recorded: Recorded) -> None:
    with span("x", parent=extract({"traceparent": PARENT, "tracestate": "a=1,b=2"})) as current:
        assert current.context.trace_state == "a=1,b=2"
        assert inject({})["tracestate"] == "a=1,b=2"
    assert recorded.one().context.trace_state == "a=1,b=2"


def test_another_context_than_the_current_one(recorded: Recorded) -> None:
    first = span("first")
    with span("second"):
        assert inject({}, context=first)["traceparent"].split("-")[2] == first.span_id
        assert inject({}, context=extract({"baggage": "k=v"})) == {"baggage": "k=v"}


def test_nothing_is_written_where_nothing_is_current() -> None:
    assert inject({"kept": "1"}) == {"kept": "1"}


def test_propagation_goes_on_where_nothing_records() -> None:
    with span("inert", parent=extract({"traceparent": PARENT})):
        assert inject({})["traceparent"] == PARENT
    engine = polyspan.init("off", disabled=True, replace=True)
    try:
        with span("disabled", parent=extract({"traceparent": PARENT})) as current:
            assert not current.is_recording
            trace, parent = inject({})["traceparent"].split("-")[1:3]
        assert trace == TRACE and parent == current.span_id
    finally:
        engine.shutdown(5)


def test_formats_can_be_chosen() -> None:
    engine = polyspan.init("formats", exporters=[], replace=True, propagators=["baggage"])
    try:
        with span("x"), polyspan.context(baggage={"k": "v"}):
            assert inject({}) == {"baggage": "k=v"}
    finally:
        engine.shutdown(5)
