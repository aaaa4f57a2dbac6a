"""Metrics of spans recorded in Python."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import polyspan
import pytest
from conftest import Run
from polyspan import Engine, MemoryExporter, MetricPoint, PolyspanError, Span
from receiving import Receiver

CALLS = "traces.span.metrics.calls"
VECTORS = json.loads((Path(__file__).parents[2] / "tests/vectors/metrics.json").read_text(encoding="utf-8"))
Start = Callable[..., tuple[Engine, MemoryExporter]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts engines with metrics, and stops them."""
    running: list[Engine] = []

    def begin(**options: Any) -> tuple[Engine, MemoryExporter]:
        memory = MemoryExporter()
        given: dict[str, Any] = {"exporter": memory, "metrics": True, "replace": True} | options
        engine = polyspan.init("tests", **given)
        running.append(engine)
        return engine, memory

    yield begin
    for engine in running:
        engine.shutdown(30)
        stats = engine.stats()
        assert stats.adds_up() and stats.panics == 0


def calls(memory: MemoryExporter) -> dict[tuple[str, bool], int]:
    """How often spans of each name ended, and whether they failed."""
    points = [point for point in memory.metrics if point.name == CALLS]
    return {
        (point.attributes["span.name"], point.attributes["status.code"] == "STATUS_CODE_ERROR"): point.value
        for point in points
    }


def shown(point: MetricPoint, expected: list[dict[str, Any]]) -> dict[str, Any]:
    """A data point as the vectors have it, with as much of a histogram as is expected."""
    found: dict[str, Any] = {"metric": point.name, "labels": point.attributes}
    if point.count is None:
        return found | {"value": round(point.value, 9)}
    found |= {"count": point.count, "sum": round(point.value, 9)}
    if any("buckets" in other for other in expected if other["labels"] == point.attributes):
        found |= {"buckets": point.buckets, "bounds": point.bounds}
    return found


def record(case: dict[str, Any], at: int) -> None:
    started: dict[int, Span] = {}

    def begin(place: int) -> Span:
        if place not in started:
            given = case["spans"][place]
            more: dict[str, Any] = {key: given[key] for key in ("type", "kind", "internal") if key in given}
            if "parent" in given:
                more["parent"] = begin(given["parent"])
            else:
                more["root"] = True
            started[place] = polyspan.span(given["name"], start_time=at, **more)
        return started[place]

    for place, given in enumerate(case["spans"]):
        span = begin(place)
        span.update(attributes=given.get("attributes", {}), metadata=given.get("metadata", {}))
        if "status" in given:
            span.status(given["status"])
        if "renamed" in given:
            span.rename(given["renamed"])
        span.end(at + round(given["seconds"] * 1e9))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]])
def test_vectors(case: dict[str, Any], start: Start) -> None:
    engine, memory = start(**case.get("options", {}))
    record(case, int(VECTORS["start"]))
    engine.flush(30)
    points = memory.metrics
    for name in {point["metric"] for point in case["points"]}:
        expected = [point for point in case["points"] if point["metric"] == name]
        found = [shown(point, expected) for point in points if point.name == name]
        key = lambda point: json.dumps(point, sort_keys=True)  # noqa: E731
        assert sorted(found, key=key) == sorted(expected, key=key)
    assert not {point.name for point in points} & set(case.get("absent", ()))
    units = {point.name: point.unit for point in points}
    assert {name: units[name] for name in case.get("unit", ())} == case.get("unit", {})
    counted = engine.stats().metrics
    assert (counted["spans"], counted["overflowed"]) == (len(case["spans"]), case.get("overflowed", 0))
    assert counted["missed"] == {} and len(memory.spans) == case.get("exported", len(case["spans"]))


def test_without_the_option_there_are_none() -> None:
    memory = MemoryExporter()
    engine = polyspan.init("tests", exporter=memory, replace=True)
    polyspan.span("work").end()
    engine.shutdown(30)
    assert memory.metrics == [] and engine.stats().metrics["collected"] == 0


def test_a_point_says_what_it_is(start: Start) -> None:
    engine, memory = start(metrics={"temporality": "delta", "interval": timedelta(minutes=5)})
    with polyspan.span("work"):
        pass
    engine.flush(30)
    duration = next(point for point in memory.metrics if point.name == "traces.span.metrics.duration")
    assert (duration.kind, duration.unit, duration.temporality) == ("histogram", "s", "delta")
    assert duration.count == 1 and duration.min == duration.max == duration.value
    assert len(duration.buckets) == len(duration.bounds) + 1 and sum(duration.buckets) == 1
    assert 0 < duration.start_time < duration.time
    assert duration.resource["service.name"] == "tests" and duration.description
    assert repr(duration).startswith("<MetricPoint traces.span.metrics.duration {")
    live = next(point for point in memory.metrics if point.name == "otel.sdk.span.live")
    assert (live.kind, live.value, live.count, live.buckets) == ("up_down_counter", 0, None, [])
    memory.clear()
    assert memory.metrics == []


def test_unsampled_spans_count_however_they_are_recorded(start: Start) -> None:
    engine, memory = start(sampler="parentbased_always_off")

    @polyspan.traced(name="works")
    def works() -> None:
        with polyspan.span("inside"):
            assert not polyspan.current_span().is_recording

    @polyspan.traced(name="fails")
    async def fails() -> None:
        raise ValueError

    with polyspan.span("outer") as outer:
        works()
        with pytest.raises(ValueError):
            asyncio.run(fails())
        inner = polyspan.span("inner")
        inner.update(name="renamed", attributes={"model": object()})
        inner.error(KeyError("k"))
        inner.end()
        outer.status("error", "nobody sees it")
    polyspan.event("instant")
    engine.flush(30)
    assert calls(memory) == {
        ("works", False): 1,
        ("inside", False): 1,
        ("fails", True): 1,
        ("renamed", True): 1,
        ("outer", True): 1,
        ("instant", False): 1,
    }
    stats = engine.stats()
    assert (stats.ended, stats.unsampled, stats.ended_twice) == (6, 6, 1)
    assert memory.spans == []


def test_unsampled_spans_of_the_opentelemetry_api_count(start: Start) -> None:
    pytest.importorskip("opentelemetry.trace")
    from opentelemetry.trace import StatusCode
    from polyspan.opentelemetry import TracerProvider

    memory = MemoryExporter()
    sampler: Any = "always_off"
    provider = TracerProvider(
        service="tests", name="otel metrics", exporter=memory, metrics=True, sampler=sampler
    )
    tracer = provider.get_tracer("lib")
    with tracer.start_as_current_span("outer"):
        inner = tracer.start_span("inner")
        inner.set_status(StatusCode.ERROR, "nobody sees it")
        inner.update_name("renamed")
        inner.end()
        with pytest.raises(ValueError), tracer.start_as_current_span("fails"):
            raise ValueError
    provider.force_flush()
    provider.shutdown()
    found = calls(memory)
    assert found[("outer", False)] == 1 and found[("renamed", True)] == 1 and found[("fails", True)] == 1


def test_metrics_go_where_spans_go(start: Start, receiver: Receiver) -> None:
    engine, _ = start(exporter="otlp", endpoint=receiver.endpoint, headers={"x-key": "k"})
    with polyspan.model_inference("ask", model="gpt-5", provider="openai") as span:
        span.set("input_tokens", 12)
    engine.flush(30)
    (metrics,) = receiver.metrics
    usage = next(metric for metric in metrics if metric.name == "gen_ai.client.token.usage")
    (point,) = usage.histogram.data_points
    labels = {label.key: label.value.string_value for label in point.attributes}
    assert labels == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.token.type": "input",
    }
    assert (point.count, point.sum) == (1, 12)
    assert all(headers["x-key"] == "k" for headers in receiver.headers)
    counted = engine.stats().metrics
    assert counted["exported"] == counted["collected"] > 0 and counted["dropped"] == {}
    assert set(counted["exporters"]) == {"otlp_http"} and counted["pending"] == 0


def test_an_exporter_of_their_own(start: Start) -> None:
    elsewhere = MemoryExporter()
    engine, memory = start(metrics_exporter=elsewhere)
    polyspan.span("work").end()
    engine.flush(30)
    assert calls(elsewhere) == {("work", False): 1} and memory.metrics == []
    assert len(memory.spans) == 1 and elsewhere.spans == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"metrics": 1}, "metrics"),
        ({"metrics": {"interval": "soon"}}, "metrics.interval"),
        ({"metrics": {"sample": 1}}, "metrics"),
        ({"metrics": {"prices": {"gpt-5": 1}}}, "metrics.prices.gpt-5"),
        ({"metrics": True, "metrics_exporter": "pigeon"}, "metrics_exporter"),
        ({"metrics": True, "metrics_endpoint": "nowhere"}, "metrics_endpoint"),
    ],
)
def test_what_cannot_be_used_is_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(PolyspanError) as caught:
        polyspan.init("tests", name="metrics of nobody", **options)
    assert caught.value.code == "invalid_option" and str(caught.value).startswith(f"{named}:")


def test_the_end_of_a_program_delivers_what_was_counted(run_python: Run, receiver: Receiver) -> None:
    program = """
        import polyspan
        polyspan.init("tests", sampler=0.0)
        for _ in range(100):
            with polyspan.span("outer"), polyspan.span("inner"):
                pass
    """
    run_python(program, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OTEL_METRICS_EXPORTER="otlp")
    metrics = receiver.metrics[-1]
    points = next(metric for metric in metrics if metric.name == CALLS).sum.data_points
    assert sorted(point.as_int for point in points) == [100, 100] and receiver.spans == []


def test_the_child_of_a_fork_counts_by_itself(run_python: Run) -> None:
    program = """
        import os
        import polyspan
        memory = polyspan.MemoryExporter()
        polyspan.init("tests", exporter=memory, metrics=True, sampler=0.0)
        def counted():
            polyspan.flush(30)
            return sum(point.value for point in memory.metrics if point.name == "traces.span.metrics.calls")
        polyspan.span("before").end()
        kept = polyspan.span("kept")
        assert counted() == 1
        memory.clear()
        child = os.fork()
        if child == 0:
            kept.end()
            polyspan.span("after").end()
            assert counted() == 1, memory.metrics
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        kept.end()
        assert counted() == 2, memory.metrics
    """
    run_python(program)
