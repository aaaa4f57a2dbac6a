"""Spans by their type: the functions and their types are what the table says, and record what it means."""

from __future__ import annotations

import importlib.util
import json
import typing
from pathlib import Path
from typing import Any

import polyspan
import pytest
from conftest import Recorded
from polyspan import Engine, spans

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "semantics.json").read_text())
TYPES = [each["type"] for each in VECTORS["types"]]


def test_files_made_from_the_table_are_fresh() -> None:
    script = ROOT / "bindings-python" / "tools" / "spans.py"
    spec = importlib.util.spec_from_file_location("spans_writer", script)
    assert spec is not None and spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    for path, text in writer.rendered().items():
        assert path.read_text() == text, f"run {script.relative_to(ROOT)}: {path.relative_to(ROOT)} is stale"


def test_every_type_has_a_function() -> None:
    for name in TYPES:
        assert getattr(polyspan, name) is getattr(spans, name)
        assert name in dir(polyspan)
    assert polyspan.spans is spans


@pytest.mark.parametrize("each", VECTORS["types"], ids=TYPES)
def test_the_attributes_of_a_type(each: dict[str, Any], recorded: Recorded) -> None:
    title = "".join(part.capitalize() for part in each["type"].split("_"))
    attributes = getattr(spans, f"{title}Attributes")
    names = {one["name"] for one in each["attributes"]}
    assert set(attributes.__annotations__) == names
    assert not names & set(spans.SpanOptions.__annotations__), "an attribute hides an option"
    with getattr(polyspan, each["type"])("named", input=1, session_id="s", **dict.fromkeys(names, "x")):
        pass
    span = recorded.one()
    assert (span.name, span.type, span.input) == ("named", each["type"], 1)
    assert span.attributes == dict.fromkeys(names, "x") | {"session.id": "s"}


def test_a_span_of_a_type_needs_no_name(recorded: Recorded) -> None:
    with polyspan.model_generation(model="gpt-5", attributes={"app.page": 1}) as current:
        current.update(attributes=spans.ModelGenerationAttributes(usage={"input_tokens": 3}))
        current.end(output="Hello", attributes=spans.ModelGenerationAttributes(finish_reason="stop"))
    span = recorded.one()
    assert (span.name, span.output) == ("model_generation", "Hello")
    assert span.attributes == {
        "model": "gpt-5",
        "app.page": 1,
        "usage": {"input_tokens": 3},
        "finish_reason": "stop",
    }


def test_the_names_of_types_are_completed() -> None:
    stub = (ROOT / "bindings-python" / "python" / "polyspan" / "_polyspan.pyi").read_text()
    listed = stub.partition("_SpanTypeName: TypeAlias = Literal[")[2].partition("]")[0]
    assert [name.strip().strip('",') for name in listed.split(",") if name.strip()] == ["generic", *TYPES]


@pytest.mark.parametrize(
    "alias", [alias for each in VECTORS["types"] for alias in (*each["aliases"], each["type"].upper())]
)
def test_other_names_of_types(alias: str, recorded: Recorded) -> None:
    before = recorded.engine.stats().altered
    with polyspan.span("x", type=alias):
        pass
    expected = [
        each["type"] for each in VECTORS["types"] if alias in (*each["aliases"], each["type"].upper())
    ]
    assert [recorded.one().type] == expected
    assert recorded.engine.stats().altered == before


def value(wire: dict[str, Any]) -> Any:
    """What an OTLP value in JSON holds."""
    if not wire:
        return None
    [(kind, held)] = wire.items()
    if kind == "intValue":
        return int(held)
    return [value(item) for item in held["values"]] if kind == "arrayValue" else held


def one_span(path: Path) -> dict[str, Any]:
    [request] = [json.loads(line) for line in path.read_text().splitlines()]
    [resource] = request["resourceSpans"]
    [scope] = resource["scopeSpans"]
    span: dict[str, Any]
    [span] = scope["spans"]
    return span


KINDS = ["", "internal", "server", "client", "producer", "consumer"]


@pytest.fixture
def exported(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> typing.Iterator[tuple[Engine, Path]]:
    if case.get("everywhere"):
        monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http,gen_ai_latest_experimental")
    exporters = [
        {"type": "file", "path": str(tmp_path / name), "semantics": name}
        for name in ("genai", "openinference")
    ]
    engine = polyspan.init("tests", exporters=exporters, replace=True)
    yield engine, tmp_path
    engine.shutdown(30)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["case"]) for case in VECTORS["cases"] if not case.get("stepped")]
)
def test_names_on_the_wire(case: dict[str, Any], exported: tuple[Engine, Path]) -> None:
    engine, folder = exported
    given = {
        key: case[key] for key in ("type", "kind", "attributes", "input", "metadata", "tags") if key in case
    }
    started = 1_767_225_600_000_000_000
    span = engine.span(case["name"], start_time=started, root=True, **given)
    if case.get("status") == "error":
        span.status("error")
    if "output" in case:
        span.update(output=case["output"])
    span.end(started + 1_000_000_000)
    engine.flush(30)
    for dialect in ("genai", "openinference"):
        wire = one_span(folder / dialect)
        attributes = {item["key"]: value(item["value"]) for item in wire["attributes"]}
        expected = case[dialect]
        assert attributes == expected["attributes"], dialect
        assert (wire["name"], KINDS[wire["kind"]]) == (expected["name"], expected["kind"]), dialect
