"""Metrics of a program's spans through the real Collector."""

from __future__ import annotations

from typing import Any

import polyspan
from otelcol import Collector

# 2026-01-01, so that durations are exact.
START = 1_767_225_600_000_000_000


def _labels(of: dict[str, Any]) -> dict[str, Any]:
    return {entry["key"]: next(iter(entry["value"].values())) for entry in of["attributes"]}


def _metrics(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (resource,) = request["resourceMetrics"]
    assert _labels(resource["resource"])["service.name"] == "metrics e2e"
    (scope,) = resource["scopeMetrics"]
    assert scope["scope"]["name"] == "polyspan"
    return {metric["name"]: metric for metric in scope["metrics"]}


def test_metrics_arrive_as_they_were_counted(collector: Collector) -> None:
    engine = polyspan.init(
        "metrics e2e",
        endpoint=collector.endpoint,
        compression="gzip",
        replace=True,
        sampler=0.0,
        metrics={"prices": {"gpt-5": {"input": 2, "output": 8}}},
    )
    for seconds in (1, 3):
        span = polyspan.span("left out", type="agent", start_time=START)
        span.end(START + seconds * 1_000_000_000)
    engine.flush(30)
    engine.shutdown(30)
    engine = polyspan.init(
        "metrics e2e",
        name="sampled",
        endpoint=collector.endpoint,
        metrics={"temporality": "delta", "prices": {"gpt-5": {"input": 2, "output": 8}}},
    )
    call = engine.span(
        "ask",
        type="model_inference",
        start_time=START,
        attributes={"model": "gpt-5", "provider": "openai", "input_tokens": 1000, "output_tokens": 500},
    )
    call.error(TimeoutError("too slow"), end=False)
    call.end(START + 2_000_000_000)
    engine.shutdown(30)
    assert engine.stats().adds_up() and engine.stats().metrics["dropped"] == {}
    requests = collector.stop_and_read_metrics()
    assert [found.name for found in collector.spans()] == ["chat gpt-5"]

    # The first engine was flushed, and counts from its start: it says the same twice.
    first, second, last = (_metrics(request) for request in requests)
    for metrics in (first, second):
        calls = metrics["traces.span.metrics.calls"]["sum"]
        assert calls["isMonotonic"] and calls["aggregationTemporality"] == 2
        (point,) = calls["dataPoints"]
        assert point["asInt"] == "2" and int(point["startTimeUnixNano"]) < int(point["timeUnixNano"])
        assert _labels(point) == {
            "span.name": "left out",
            "span.kind": "SPAN_KIND_INTERNAL",
            "status.code": "STATUS_CODE_UNSET",
            "polyspan.span.type": "agent",
        }
        (duration,) = metrics["traces.span.metrics.duration"]["histogram"]["dataPoints"]
        assert (duration["count"], duration["sum"], duration["min"], duration["max"]) == ("2", 4, 1, 3)
        assert sum(map(int, duration["bucketCounts"])) == 2
        assert len(duration["bucketCounts"]) == len(duration["explicitBounds"]) + 1
        assert "gen_ai.invoke_agent.duration" not in metrics
        started = metrics["otel.sdk.span.started"]["sum"]["dataPoints"]
        assert {_labels(point)["otel.span.sampling_result"]: point["asInt"] for point in started} == {
            "RECORD_AND_SAMPLE": "0",
            "DROP": "2",
        }

    model = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
    }
    usage = last["gen_ai.client.token.usage"]
    assert usage["unit"] == "{token}" and usage["histogram"]["aggregationTemporality"] == 1
    tokens = {_labels(point)["gen_ai.token.type"]: point["sum"] for point in usage["histogram"]["dataPoints"]}
    assert tokens == {"input": 1000, "output": 500}
    (duration,) = last["gen_ai.client.inference.duration"]["histogram"]["dataPoints"]
    assert _labels(duration) == model | {"error.type": "TimeoutError"} and duration["sum"] == 2
    (cost,) = last["polyspan.gen_ai.client.cost"]["sum"]["dataPoints"]
    assert _labels(cost) == model and round(cost["asDouble"], 9) == 0.006
    assert last["polyspan.gen_ai.client.cost"]["unit"] == "{USD}"
