"""`tests/vectors/inheritance.json`: what spans inherit, which are left out, and what travels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polyspan
import pytest
from polyspan import Engine, MemoryExporter, SpanRecord

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "tests" / "vectors" / "inheritance.json").read_text()
)
IDS = {
    "session_id": "session.id",
    "user_id": "user.id",
    "organization_id": "polyspan.organization.id",
    "thread_id": "gen_ai.conversation.id",
    "run_id": "polyspan.run.id",
    "request_id": "polyspan.request.id",
    "resource_id": "polyspan.resource.id",
    "environment": "deployment.environment.name",
    "entity_type": "polyspan.entity.type",
    "entity_id": "polyspan.entity.id",
    "entity_name": "polyspan.entity.name",
}


def run(engine: Engine, steps: list[dict[str, Any]]) -> None:
    for step in steps:
        inside = step.get("inside", [])
        if "context" in step:
            with polyspan.context(**step["context"]):
                run(engine, inside)
        elif "extract" in step:
            with polyspan.context(parent=polyspan.extract(step["extract"])):
                run(engine, inside)
        elif "inject" in step:
            carrier = polyspan.inject({})
            assert ("traceparent" in carrier) == step["traceparent"]
            carrier.pop("traceparent", None)
            assert carrier == step["inject"]
        else:
            with engine.span(step["span"], **step.get("with", {})):
                run(engine, inside)


def told(span: SpanRecord, names: dict[str, str]) -> dict[str, Any]:
    attributes = dict(span.attributes)
    ids = {name: attributes.pop(key) for name, key in IDS.items() if key in attributes}
    parent = span.parent_span_id
    told = {
        "parent": names.get(parent, parent) if parent else None,
        "ids": ids,
        "attributes": attributes,
        "metadata": span.metadata,
        "tags": span.tags,
    }
    # Lists come back as tuples.
    read: dict[str, Any] = json.loads(json.dumps(told))
    return read


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS["cases"]])
def test_inheritance(case: dict[str, Any]) -> None:
    exporter = MemoryExporter()
    engine = polyspan.init("tests", exporter=exporter, replace=True, **case["options"])
    run(engine, case["steps"])
    engine.flush(30)
    stats = engine.stats()
    engine.shutdown(30)
    assert stats.adds_up() and stats.panics == 0
    left_out = case.get("left_out", {"internal": 0, "excluded": 0})
    assert {"internal": stats.internal, "excluded": stats.excluded} == left_out
    names = {span.span_id: span.name for span in exporter.spans}
    empty: dict[str, Any] = {"parent": None, "ids": {}, "attributes": {}, "metadata": {}, "tags": []}
    expected = {name: empty | span for name, span in case["spans"].items()}
    for span in expected.values():
        span.pop("hides", None)
    assert {span.name: told(span, names) for span in exporter.spans} == expected
    assert len({span.trace_id for span in exporter.spans}) == case.get("traces", 1)
