"""`tests/vectors/pipeline.json`: the order of the stages between a span's end and the exporters."""

from __future__ import annotations

from typing import Any

import polyspan
import pytest
from polyspan import FinishedSpan, MemoryExporter
from test_vectors import cases


def fails(span: FinishedSpan) -> FinishedSpan:
    span.attributes["half"] = True
    raise ValueError("half-way")


def becomes_tool(span: FinishedSpan) -> FinishedSpan:
    span.type = "tool"
    return span


def first(span: FinishedSpan) -> FinishedSpan:
    span.attributes["order"] = f"{span.attributes.get('order', '')} first".strip()
    return span


def second(span: FinishedSpan) -> FinishedSpan:
    span.attributes["order"] = f"{span.attributes.get('order', '')} second".strip()
    return span


def drops_health(span: FinishedSpan) -> FinishedSpan | None:
    return None if span.name == "GET /healthz" else span


def copies_password(span: FinishedSpan) -> FinishedSpan:
    span.attributes["length"] = len(span.attributes.get("password", ""))
    return span


def counts_input(span: FinishedSpan) -> FinishedSpan:
    span.attributes["length"] = len(span.input or "")
    return span


def adds_password(span: FinishedSpan) -> FinishedSpan:
    span.attributes["password"] = "hunter2"
    return span


def adds_text(span: FinishedSpan) -> FinishedSpan:
    span.output = "abcdefghijklmnopqrstuvwxyz"
    return span


PROCESSORS = {
    processor.__name__: processor
    for processor in (
        fails,
        becomes_tool,
        first,
        second,
        drops_health,
        copies_password,
        counts_input,
        adds_password,
        adds_text,
    )
}
FILTERS = {
    "fails": lambda span: 1 / 0,
    "keeps_redacted": lambda span: span.attributes.get("password") == "[REDACTED]",
    "keeps_short": lambda span: len(span.output) < 20,
    "no_noise": lambda span: span.name != "noise",
}


@pytest.mark.parametrize("case", cases("pipeline.json"))
def test_the_way_of_spans(case: dict[str, Any]) -> None:
    memory = MemoryExporter()
    options = dict(case.get("options", {}))
    if "processors" in case:
        options["processors"] = [PROCESSORS[name] for name in case["processors"]]
    if "filter" in case:
        options["span_filter"] = FILTERS[case["filter"]]
    engine = polyspan.init("vectors", exporter=memory, replace=True, **options)
    opened: list[polyspan.Span] = []
    for given in case["spans"]:
        fields = {key: value for key, value in given.items() if key not in ("name", "output", "parent")}
        if "parent" in given:
            fields["parent"] = opened[given["parent"]]
        else:
            fields["root"] = True
        span = polyspan.span(given["name"], **fields)
        if "output" in given:
            span.update(output=given["output"])
        opened.append(span)
    for span in reversed(opened):
        span.end()
    engine.shutdown(30)
    stats = engine.stats()
    assert stats.adds_up()

    spans = sorted(memory.spans, key=lambda span: span.name)
    names = {span.context.span_id: span.name for span in spans}
    found = [
        {
            "name": span.name,
            "attributes": span.attributes,
            "metadata": span.metadata,
            "input": span.input,
            "output": span.output,
            "parent": names.get(span.parent_span_id or ""),
        }
        for span in spans
    ]
    absent: dict[str, Any] = {"attributes": {}, "metadata": {}, "input": None, "output": None, "parent": None}
    assert found == [
        absent | {key: value for key, value in wanted.items() if key != "type"} for wanted in case["exported"]
    ]
    for record, wanted in zip(spans, case["exported"], strict=True):
        assert record.type == wanted.get("type", record.type)
    if "calls" in case:
        assert {
            f"{point.attributes['span.name']} {point.attributes['polyspan.span.type']}": point.value
            for point in memory.metrics
            if point.name == "traces.span.metrics.calls"
        } == case["calls"]
    for name, count in case.get("counts", {}).items():
        assert getattr(stats, name) == count, name
