"""`tests/vectors/selection.json`: which of several engines a trace goes to."""

from __future__ import annotations

from typing import Any

import polyspan
import pytest
from polyspan import MemoryExporter
from test_vectors import cases


def selector(given: dict[str, Any], asked: list[str]) -> Any:
    def choose(root: dict[str, Any]) -> Any:
        asked.append(root["name"])
        if given.get("fails"):
            raise RuntimeError("no")
        part = given.get("reads")
        if part is None:
            return given["answer"]
        found = root[part] or {}
        return found if isinstance(found, str) else found.get("tenant")

    return choose


def play(steps: list[dict[str, Any]], engines: dict[str, polyspan.Engine]) -> None:
    for step in steps:
        inside = step.get("inside", [])
        if "span" not in step:
            with polyspan.context(request_context=step["context"]):
                play(inside, engines)
            continue
        starts: Any = engines[step["engine"]] if "engine" in step else polyspan
        fields = {key: step[key] for key in ("type", "root", "attributes") if key in step}
        with starts.span(step["span"], **fields):
            play(inside, engines)


@pytest.mark.parametrize("case", cases("selection.json"))
def test_which_engine_a_trace_goes_to(case: dict[str, Any]) -> None:
    kept = {name: MemoryExporter() for name in case["engines"]}
    engines = {name: polyspan.init(name, name=name, exporter=kept[name]) for name in case["engines"]}
    asked: list[str] = []
    try:
        if "default" in case:
            polyspan.set_default(case["default"])
        if "selector" in case:
            polyspan.set_selector(selector(case["selector"], asked))
        for name in case.get("stopped", []):
            engines[name].shutdown(30)
        play(case["spans"], engines)
    finally:
        polyspan.set_selector(None)
        for engine in engines.values():
            engine.shutdown(30)
    found = {
        name: sorted(span.name for span in memory.spans) for name, memory in kept.items() if memory.spans
    }
    assert found == {name: sorted(spans) for name, spans in case["goes"].items()}
    assert asked == case.get("asked", asked)
    assert all(engine.stats().adds_up() for engine in engines.values())
