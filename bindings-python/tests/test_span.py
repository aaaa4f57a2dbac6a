"""A span of Polyspan's own API: what is set on it, and how it ends."""

from __future__ import annotations

import gc
from datetime import datetime, timezone

import polyspan
import pytest
from conftest import Recorded


def test_everything_that_is_set_is_recorded(recorded: Recorded) -> None:
    with polyspan.span(
        "answer", type="agent", kind="server", attributes={"a": 1, "b": "x"}, input={"q": "why"}, tags=["t"]
    ) as span:
        assert span.is_recording
        span.set("c", 2.5)
        span.set({"d": True, "e": None})
        span.set("a", 2)
        span.update(output=["because"], metadata={"tier": "gold"}, attributes={"f": b"\x00"}, tags=["u"])
        span.event("seen", {"n": 1})
        span.rename("answered")
        span.status("ok")
    record = recorded.one()
    assert (record.name, record.type, record.kind) == ("answered", "agent", "server")
    assert record.attributes == {"a": 2, "b": "x", "c": 2.5, "d": True, "e": None, "f": b"\x00"}
    assert (record.input, record.output) == ({"q": "why"}, ("because",))
    assert (record.metadata, record.tags) == ({"tier": "gold"}, ("t", "u"))
    assert record.status == "ok"
    [(name, time, attributes, dropped)] = record.events
    assert (name, attributes, dropped) == ("seen", {"n": 1}, 0)
    assert record.start_time <= time <= record.end_time


def test_children_have_their_parent_and_its_trace(recorded: Recorded) -> None:
    with polyspan.span("outer") as outer, polyspan.span("inner") as inner:
        assert polyspan.current_span() is inner
        assert inner.trace_id == outer.trace_id
    inner_record, outer_record = recorded.spans()
    assert inner_record.parent_span_id == outer.span_id
    assert outer_record.parent_span_id is None
    assert not polyspan.current_span().is_recording


def test_a_span_without_with_is_not_current_and_ends_by_hand(recorded: Recorded) -> None:
    span = polyspan.span("manual")
    assert not polyspan.current_span().is_recording
    assert recorded.spans() == []
    span.end()
    span.end()
    span.set("late", 1)
    assert not span.is_recording
    assert recorded.one().attributes == {}
    assert recorded.engine.stats().ended_twice == 1


def test_a_parent_can_be_given_by_hand(recorded: Recorded) -> None:
    parent = polyspan.span("parent")
    for number, given in enumerate((parent, parent.context, traceparent(parent))):
        polyspan.span(f"child {number}", parent=given).end()
    with parent:
        polyspan.span("root", root=True).end()
    *children, root, _ = recorded.spans()
    assert [child.parent_span_id for child in children] == [parent.span_id] * 3
    assert root.parent_span_id is None


def traceparent(span: polyspan.Span) -> str:
    return f"00-{span.trace_id}-{span.span_id}-01"


def test_an_exception_is_recorded_and_passes_untouched(recorded: Recorded) -> None:
    error = ValueError("no")
    with pytest.raises(ValueError, match="no") as caught, polyspan.span("fails"):
        raise error
    assert caught.value is error
    record = recorded.one()
    assert (record.status, record.status_message) == ("error", "no")
    assert record.attributes == {"error.type": "ValueError"}
    [(name, _, attributes, _)] = record.events
    assert name == "exception"
    assert attributes["exception.type"] == "ValueError"
    assert attributes["exception.message"] == "no"
    assert "raise error" in attributes["exception.stacktrace"]


def test_error_ends_the_span_unless_told_otherwise(recorded: Recorded) -> None:
    class OwnError(Exception):
        pass

    span = polyspan.span("ends")
    span.error(OwnError("bad"))
    assert not span.is_recording
    with polyspan.span("goes on") as span:
        span.error(OwnError("bad"), end=False)
        assert span.is_recording
        span.record_exception(KeyError("k"), {"attempt": 2}, escaped=True)
    ends, goes_on = recorded.spans()
    assert ends.attributes["error.type"] == f"{__name__}.{OwnError.__qualname__}"
    assert [event[2].get("attempt") for event in goes_on.events] == [None, 2]
    assert goes_on.events[1][2]["exception.escaped"] == "true"


def test_a_clean_exit_and_a_closed_generator_are_no_errors(recorded: Recorded) -> None:
    for error in (SystemExit(0), SystemExit(), GeneratorExit()):
        with pytest.raises(type(error)), polyspan.span("leaves"):
            raise error
    with pytest.raises(SystemExit), polyspan.span("fails"):
        raise SystemExit(3)
    assert [span.status for span in recorded.spans()] == ["unset"] * 3 + ["error"]


def test_times_can_be_given(recorded: Recorded) -> None:
    start = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)
    span = polyspan.span("then", start_time=start)
    span.event("between", time=1_767_323_046_000_000_000)
    span.end(1_767_323_047_000_000_000)
    record = recorded.one()
    assert record.start_time == 1_767_323_045_000_678_000
    assert record.events[0][1] == 1_767_323_046_000_000_000
    assert record.end_time == 1_767_323_047_000_000_000


def test_links(recorded: Recorded) -> None:
    first, second = polyspan.span("first"), polyspan.span("second")
    with polyspan.span("linked", links=[first, (second.context, {"why": "retry"})]) as span:
        span.link(traceparent(first), {"n": 1})
    links = recorded.one().links
    assert [link[0].span_id for link in links] == [first.span_id, second.span_id, first.span_id]
    assert [link[1] for link in links] == [{}, {"why": "retry"}, {"n": 1}]


def test_metadata_given_at_the_start_is_inherited(recorded: Recorded) -> None:
    with polyspan.span("outer", metadata={"tenant": "a", "tier": "gold"}):
        with polyspan.span("child wins", metadata={"tier": "free"}):
            polyspan.span("grandchild").end()
        polyspan.span("child").end()
    grandchild, winner, child, _ = recorded.spans()
    assert child.metadata == {"tenant": "a", "tier": "gold"}
    assert winner.metadata == grandchild.metadata == {"tenant": "a", "tier": "free"}


def test_an_event_stands_for_an_instant(recorded: Recorded) -> None:
    with polyspan.span("outer") as outer:
        polyspan.event("signal", type="agent_signal", attributes={"a": 1}, input="i", output="o")
        polyspan.event("then", time=1_000_000_000)
    signal, then, _ = recorded.spans()
    assert signal.is_event and signal.start_time == signal.end_time
    assert (signal.type, signal.attributes, signal.input, signal.output) == (
        "agent_signal",
        {"a": 1},
        "i",
        "o",
    )
    assert signal.parent_span_id == outer.span_id
    assert then.start_time == then.end_time == 1_000_000_000


def test_ending_a_tree(recorded: Recorded) -> None:
    root = polyspan.span("root")
    middle = polyspan.span("middle", parent=root)
    leaf = polyspan.span("leaf", parent=middle)
    orphan = polyspan.span("orphan", parent=middle)
    middle.end()
    late = polyspan.span("late", parent=middle)
    beside = polyspan.span("beside")
    ended = polyspan.span("ended", parent=leaf)
    ended.end()
    assert [record.name for record in recorded.spans()] == ["middle", "ended"]
    root.end_tree()
    assert not any(span.is_recording for span in (root, leaf, orphan, late))
    assert beside.is_recording
    closed = recorded.spans()[2:]
    assert {record.name for record in closed} == {"root", "leaf", "orphan", "late"}
    assert closed[-1].name == "root"
    assert len({record.end_time for record in closed}) == 1
    # The parent on the wire is what it was at the start.
    assert recorded.span("late").parent_span_id == middle.span_id


def test_long_chains_of_open_spans(recorded: Recorded) -> None:
    at = polyspan.span("first")
    for _ in range(20_000):
        at = polyspan.span("next", parent=at)
    at.end()
    del at
    assert len(recorded.spans()) == 20_001


def test_a_long_line_of_spans_is_forgotten(recorded: Recorded) -> None:
    at = polyspan.span("first")
    for _ in range(1000):
        following = polyspan.span("next", parent=at)
        at.end()
        at = following
    living = [kept for kept in gc.get_objects() if isinstance(kept, polyspan.Span)]
    assert len(living) < 10
    at.end()


def test_identity_and_text(recorded: Recorded) -> None:
    with polyspan.span("a") as span:
        assert polyspan.current_span() == span
        assert len({span, polyspan.current_span()}) == 1
    context = span.context
    assert (context.trace_id, context.span_id) == (span.trace_id, span.span_id)
    assert context == span.context
    assert context.is_valid and context.is_sampled and not context.is_remote
    assert context.trace_flags == 3
    assert span.span_id in repr(span) and span.span_id in repr(context)


def test_a_span_that_nobody_ends_ends_when_it_is_forgotten(recorded: Recorded) -> None:
    polyspan.span("forgotten")
    assert recorded.one().name == "forgotten"
