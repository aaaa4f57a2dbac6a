"""The main job of the Kotlin example: what somebody does in an app is one trace with the spans of the
services that it calls, also where a call fails and the network goes away for a while.

Run it with `cargo xtask test kotlin-app`, which builds the app.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from otelcol import Collector
from otlp_json import Span

RUN = Path(__file__).parents[2] / "examples/kotlin-app/run.py"
ENDED_WITHIN = 400.0

pytestmark = pytest.mark.timeout(600)


def _run(collector: Collector, log: Path) -> str:
    """Runs the example to its end; what it said."""
    classes = os.environ.get("POLYSPAN_KOTLIN_APP")
    if not classes:
        pytest.fail("POLYSPAN_KOTLIN_APP is not set: use `cargo xtask test kotlin-app`")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, str(RUN), "java", "-XX:+UseSerialGC", "-cp", classes, "AppKt"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**kept, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        process.wait(ENDED_WITHIN)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    said = log.read_text()
    assert process.returncode == 0, said
    return said


def _program(span: Span) -> str:
    return str(span.resource["service.name"])


def test_one_trace_with_the_services(collector: Collector, tmp_path: Path) -> None:
    said = _run(collector, tmp_path / "run.log")
    for program in ("parcel-app", "support-agent", "parcel-service"):
        counts = re.search(rf"{program}: (\d+) ended / (\d+) exported / 0 dropped", said)
        assert counts and counts[1] == counts[2], said
    spans = collector.stop()
    by_id = {span.span_id: span for span in spans}
    assert len({span.trace_id for span in spans}) == 1
    (root,) = [span for span in spans if span.is_root]
    assert (_program(root), root.name) == ("parcel-app", "where is my parcel")
    assert [event.name for event in root.events] == ["offline", "online"]
    # Nothing hangs in the air.
    assert all(span.parent_span_id in by_id for span in spans if span is not root)

    own = sorted((span for span in spans if _program(span) == "parcel-app"), key=lambda span: span.start)
    steps = [span for span in own if span.parent_span_id == root.span_id]
    assert [(step.name, step.status) for step in steps] == [
        ("invoke_agent ask the desk", "unset"),
        ("execute_tool look up order", "error"),
        ("execute_tool look up order", "error"),
        ("execute_tool look up order", "unset"),
    ]
    calls = [next(span for span in own if span.parent_span_id == step.span_id) for step in steps]
    below = [{_program(span) for span in spans if span.parent_span_id == call.span_id} for call in calls]
    # Without a network nobody heard of the third one.
    assert below == [{"support-agent"}, {"parcel-service"}, set(), {"parcel-service"}]
    answers = [call.attributes.get("http.response.status_code") for call in calls]
    assert answers == [200, 404, None, 200]
    assert [event.name for event in calls[2].events] == ["exception"]
    assert re.search(r"offline: delivered false, [1-9]\d* spans wait, 0 dropped", said), said
    assert "back: " in said and "rain jacket" in said
