"""What an engine is configured to have every trace carry: metadata and tags.

`test_inheritance.py` has what goes before them.
"""

from __future__ import annotations

import logging
from typing import Any

import polyspan
import pytest
from polyspan import MemoryExporter
from provided import REMOTE, provided


def test_spans_of_the_opentelemetry_api_carry_them() -> None:
    otel = provided(metadata={"region": "eu", "tier": "free"}, tags=("canary",))
    try:
        with otel.tracer.start_as_current_span("root"), polyspan.span("inner", metadata={"tier": "gold"}):
            otel.tracer.start_span("child").end()
        child, inner, root = otel.spans()
        assert (root.metadata, root.tags) == ({"region": "eu", "tier": "free"}, ("canary",))
        assert (inner.metadata, inner.tags) == ({"region": "eu", "tier": "gold"}, ())
        assert (child.metadata, child.tags) == (inner.metadata, ())
    finally:
        otel.engine.shutdown(30)


def test_a_span_of_another_process_brings_none() -> None:
    exporter = MemoryExporter()
    engine = polyspan.init(
        "tests", exporter=exporter, replace=True, metadata={"region": "eu"}, tags=["canary"]
    )
    try:
        engine.span("served", parent=REMOTE).end()
        engine.flush(30)
        (served,) = exporter.spans
        assert (served.metadata, served.tags) == ({"region": "eu"}, ("canary",))
    finally:
        engine.shutdown(30)


def test_log_records_carry_the_metadata() -> None:
    exporter = MemoryExporter()
    engine = polyspan.init(
        "tests", exporter=exporter, replace=True, session_id="s", metadata={"region": "eu"}, tags=["canary"]
    )
    logger = logging.getLogger("tests.defaults")
    handler = polyspan.LogHandler()
    logger.addHandler(handler)
    try:
        logger.error("full")
        engine.flush(30)
        (record,) = exporter.logs
        assert record.metadata == {"region": "eu"} and record.attributes["session.id"] == "s"
    finally:
        logger.removeHandler(handler)
        engine.shutdown(30)


@pytest.mark.parametrize(
    ("option", "given", "got", "expected"),
    [
        ("metadata", ["a"], "a list", "a map"),
        ("metadata", {"a": "x" * 70_000}, "70", "at most 65536 bytes together"),
        ("tags", "beta", "beta", "a list of texts"),
        ("tags", {"beta": True}, "a map", "a list of texts"),
        ("tags", ["beta", ""], "", "texts that are not empty"),
    ],
)
def test_what_cannot_be_carried_is_said(option: str, given: Any, got: str, expected: str) -> None:
    with pytest.raises(polyspan.PolyspanError) as raised:
        polyspan.init("tests", exporter=MemoryExporter(), replace=True, **{option: given})
    assert raised.value.code == "invalid_option"
    message = str(raised.value)
    assert message.startswith(f'{option}: "{got}') and f"; expected {expected} [" in message
