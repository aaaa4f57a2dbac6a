"""The vectors that every language replays, as far as Python's interface shows what they are about."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import polyspan
import pytest
from conftest import Recorded
from polyspan import Engine, SpanContext, extract, inject, span

VECTORS = Path(__file__).resolve().parents[2] / "tests" / "vectors"


def cases(file: str, part: str = "cases") -> list[Any]:
    found = json.loads((VECTORS / file).read_text())[part]
    return [pytest.param(case, id=case.get("name", f"{number}")) for number, case in enumerate(found)]


def text(form: Any) -> Any:
    """Text, bytes that may be none, pieces to be repeated, or a list of these."""
    if isinstance(form, list):
        return [text(item) for item in form]
    if isinstance(form, dict):
        if "hex" in form:
            return bytes.fromhex(form["hex"])
        return "".join(piece * count for piece, count in form["repeat"])
    return form


def headers(pairs: list[Any]) -> list[tuple[Any, Any]]:
    return [(text(name), text(value)) for name, value in pairs]


@pytest.mark.parametrize("case", cases("ids.json"))
def test_ids(case: dict[str, Any], recorded: Recorded) -> None:
    given = text(case["text"])
    if case["kind"] == "span":
        context = SpanContext("1", given)
        assert context.is_valid == (case["error"] is None)
        assert case["error"] or context.span_id == case["id"]
        return
    with span("x", trace_id=given) as started:
        assert len(started.trace_id) == 32 and int(started.trace_id, 16)
    assert case["error"] or started.trace_id == case["id"]


@pytest.mark.parametrize("case", cases("traceparent.json"))
def test_traceparent(case: dict[str, Any]) -> None:
    context = extract(headers(case["headers"]))
    found = context.span_context
    if case["span"] is None:
        assert found is None
        return
    assert found is not None
    assert {"trace_id": found.trace_id, "span_id": found.span_id, "flags": found.trace_flags} == case["span"]
    assert inject({}, context=context).get("traceparent") == text(case["written"])


@pytest.mark.parametrize("case", cases("tracestate.json"))
def test_tracestate(case: dict[str, Any]) -> None:
    if case.get("steps"):
        pytest.skip("Python has no interface to change a vendor list")
    context = extract(headers(case["headers"]))
    found = context.span_context
    assert (found is not None) == case["found"]
    if found is not None:
        members = [member.split("=", 1) for member in found.trace_state.split(",") if member]
        assert members == [[text(key), text(value)] for key, value in case["members"]]
        assert inject({}, context=context).get("tracestate") == text(case["written"])


@pytest.mark.parametrize("case", cases("baggage.json", "extract"))
def test_baggage_is_read(case: dict[str, Any]) -> None:
    context = extract(headers(case["headers"]))
    entries = [(text(key), text(value), text(properties)) for key, value, properties in case["entries"]]
    # Properties stand behind the value, as the OpenTelemetry API for Python has it.
    joined = {key: f"{value};{properties}" if properties else value for key, value, properties in entries}
    assert context.baggage == joined
    assert inject({}, context=context).get("baggage") == text(case["written"])


@pytest.mark.parametrize("case", cases("baggage.json", "inject"))
def test_baggage_is_written(case: dict[str, Any]) -> None:
    entries = [(text(key), text(value), text(properties)) for key, value, properties in case["entries"]]
    given = {key: f"{value};{properties}" if properties else value for key, value, properties in entries}
    repeated = len(given) != len(entries)
    if repeated or any(properties and case["refused"] for _, _, properties in entries):
        pytest.skip("a dictionary of texts cannot say this")
    with polyspan.context(baggage=given):
        assert inject({}).get("baggage") == text(case["written"])


def carrier(kind: str, entries: list[Any]) -> Any:
    pairs = headers(entries)
    if kind == "pairs":
        return pairs
    return dict(pairs)


@pytest.mark.parametrize("case", cases("carriers.json", "extract"))
def test_carriers_are_read(case: dict[str, Any]) -> None:
    held = carrier(case["kind"], case["entries"])
    if case["kind"] == "environment":
        context = extract(held, getter=lambda carried, key: carried.get(key.upper().replace("-", "_")))
    elif case["kind"] == "functions":
        context = extract(held, getter=lambda carried, key: carried.get(key))
    else:
        context = extract(held)
    found = context.span_context
    if case["span"] is None:
        assert found is None
    else:
        assert found is not None
        assert (found.trace_id, found.span_id) == (case["span"]["trace_id"], case["span"]["span_id"])
        assert (found.trace_flags, found.trace_state) == (
            case["span"]["flags"],
            case["span"].get("tracestate", ""),
        )
    assert context.baggage == {text(name): text(value) for name, value in case["baggage"]}


@pytest.mark.parametrize("case", cases("carriers.json", "inject"))
def test_carriers_are_written(case: dict[str, Any]) -> None:
    if case["kind"] not in ("map", "multi_map", "pairs"):
        pytest.skip("written by what the application gives")
    incoming = {}
    if case["span"] is not None:
        flags = f"{case['span']['flags']:02x}"
        incoming["traceparent"] = f"00-{case['span']['trace_id']}-{case['span']['span_id']}-{flags}"
        incoming["tracestate"] = case["span"].get("tracestate", "")
    before = carrier(case["kind"], case["before"])
    after = carrier(case["kind"], case["after"])
    if case["kind"] == "multi_map" and not before:
        pytest.skip("an empty dictionary does not show that it holds lists")
    with polyspan.context(parent=extract(incoming), baggage=dict(headers(case["baggage"]))):
        assert inject(before) == after


@pytest.mark.parametrize("case", cases("sampling.json"))
def test_sampling(case: dict[str, Any]) -> None:
    given = case["input"]
    parent = given.get("parent")
    context = parent and SpanContext(
        given["trace_id"],
        parent["span_id"],
        trace_flags=int(parent["sampled"]),
        trace_state=parent["tracestate"],
        is_remote=parent["remote"],
    )
    if parent and not context.is_valid:
        pytest.skip("a root is given its trace id by itself")
    engine: Engine = polyspan.init("x", exporters=[], replace=True, sampler=case["sampler"])
    try:
        with polyspan.context(request_context=given.get("request_context")):
            started = span(
                given.get("span_name", "span"),
                kind=given.get("kind"),
                type=given.get("span_type"),
                attributes=given.get("attributes"),
                parent=context,
                trace_id=given["trace_id"],
            )
        assert started.is_recording == (case["expected"]["decision"] != "drop")
        assert started.context.is_sampled == (case["expected"]["decision"] == "record_and_sample")
        assert started.context.trace_state == case["expected"]["tracestate"]
        started.end()
    finally:
        engine.shutdown(5)


def slowed(given: Any) -> Any:
    """A sampler whose clock stands still for a test: a thousand times slower, with as much at once."""
    if not isinstance(given, dict):
        return given
    if given.get("type") != "rate_limited":
        return {name: slowed(part) for name, part in given.items()}
    rate = given["per_second"]
    return {**given, "per_second": rate / 1000, "burst": given.get("burst", rate)}


@pytest.mark.parametrize("case", cases("sampling.json", "sequences"))
def test_sampling_in_turn(case: dict[str, Any]) -> None:
    # A program does not choose what time it is; what is asked at one moment can be asked here.
    first = case["steps"][0]["now_nanos"]
    moment = itertools.takewhile(lambda step: step["now_nanos"] == first, case["steps"])
    engine: Engine = polyspan.init("x", exporters=[], replace=True, sampler=slowed(case["sampler"]))
    try:
        for step in moment:
            parent = step.get("parent")
            context = parent and SpanContext(
                "0123456789abcdef0180000000000000",
                parent["span_id"],
                trace_flags=int(parent["sampled"]),
                trace_state=parent["tracestate"],
                is_remote=parent["remote"],
            )
            started = span("span", parent=context)
            assert started.context.is_sampled == (step["expected"]["decision"] == "record_and_sample")
            assert started.context.trace_state == step["expected"]["tracestate"]
            started.end()
    finally:
        engine.shutdown(5)


@pytest.mark.parametrize("case", cases("sampling.json", "invalid"))
def test_samplers_that_are_refused(case: dict[str, Any]) -> None:
    if case["sampler"] is None:
        pytest.skip("None is an option that is not given")
    with pytest.raises(polyspan.PolyspanError) as caught:
        polyspan.init("x", exporters=[], sampler=case["sampler"])
    assert caught.value.code == "invalid_option"
    assert case["names"] in str(caught.value)


def test_a_function_decides_about_roots(recorded: Recorded) -> None:
    asked: list[dict[str, Any]] = []

    def decide(about: dict[str, Any]) -> object:
        asked.append(about)
        return {"sample": True, "drop": None, "only": "record", "broken": "?"}[about["name"]]

    exporter = polyspan.MemoryExporter()
    engine = polyspan.init("x", name="sampled", exporter=exporter, sampler=decide)
    with engine.span("sample", type="tool", kind="client", attributes={"a": 1}):
        engine.span("child").end()
    engine.span("drop").end()
    with engine.span("only") as only:
        assert only.is_recording and not only.context.is_sampled
    engine.span("broken").end()
    engine.shutdown(30)
    assert [record.name for record in exporter.spans] == ["child", "sample", "broken"]
    assert asked[0]["attributes"] == {"a": 1}
    assert (asked[0]["name"], asked[0]["type"], asked[0]["kind"]) == ("sample", "tool", "client")
    assert [about["name"] for about in asked] == ["sample", "drop", "only", "broken"]
    polyspan.init("tests", exporter=recorded.exporter)


def noted(case: dict[str, Any]) -> tuple[str, Any, Any]:
    """The name, the value under it, and what is to become of it."""
    given = case.get("text", case.get("value"))
    return case.get("key", "note"), given, case.get("expected", given)


def lists(value: Any) -> Any:
    """Arrays are tuples in attributes, as the OpenTelemetry API has them, and lists elsewhere."""
    if isinstance(value, dict):
        return {key: lists(item) for key, item in value.items()}
    return [lists(item) for item in value] if isinstance(value, (list, tuple)) else value


def replay_redaction(case: dict[str, Any], exporter: polyspan.MemoryExporter, engine: Engine) -> None:
    key, given, expected = noted(case)
    exporter.clear()
    with engine.span("x", attributes={key: given}, input={key: given}, metadata={key: given}) as started:
        started.event("y", {key: given})
        started.update(output=[given])
    engine.flush(30)
    record = exporter.spans[0]
    assert lists(record.attributes.get(key)) == expected
    assert lists(record.metadata.get(key)) == expected
    assert lists(record.input) == {key: expected}
    assert lists(record.events[0][2].get(key)) == expected
    if "text" in case:
        assert lists(record.output) == [expected]


@pytest.mark.parametrize("case", cases("redaction.json", "redacted") + cases("redaction.json", "left"))
def test_redaction(case: dict[str, Any], recorded: Recorded) -> None:
    replay_redaction(case, recorded.exporter, recorded.engine)


@pytest.mark.parametrize("case", cases("redaction.json", "configured"))
def test_redaction_as_configured(case: dict[str, Any]) -> None:
    exporter = polyspan.MemoryExporter()
    engine = polyspan.init("x", name="configured", exporter=exporter, redaction=case["redaction"])
    try:
        replay_redaction(case, exporter, engine)
    finally:
        engine.shutdown(30)


@pytest.mark.parametrize("case", cases("redaction.json", "invalid"))
def test_redaction_that_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(polyspan.PolyspanError) as caught:
        polyspan.init("x", name="refused", exporters=[], redaction=case["redaction"])
    assert caught.value.code == "invalid_option"
    assert f"{case['names']}:" in str(caught.value)
