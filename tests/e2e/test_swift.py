"""The main job of the Swift example: what the user of an app does is one trace, through the app, the agent in
Python that it calls and the service that one calls; also while the network is away.

Run it with `cargo xtask test swift`, which builds what it needs.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from otelcol import Collector
from otlp_json import Span, children

RUN = Path(__file__).parents[2] / "examples/swift-app/run.py"
VISITED_WITHIN = 400.0

pytestmark = pytest.mark.timeout(600)

# Each line a span of the app, below the one that stands further left, in the order they started.
EXPECTED = """
internal unset visit
  internal unset tap ask
    client unset POST /questions
  internal unset tap rate
    client error PUT /questions
  internal unset read saved answer
  internal error refresh
    client error GET /openapi.json
  internal unset refresh
    client unset GET /openapi.json
"""


def test_a_visit_is_one_trace(collector: Collector, tmp_path: Path) -> None:
    app = os.environ.get("POLYSPAN_SWIFT_APP")
    if not app:
        pytest.fail("POLYSPAN_SWIFT_APP is not set: use `cargo xtask test swift`")
    said = _visit(json.loads(app), collector.endpoint, tmp_path / "log")
    for program in ("parcel-app", "support-agent", "parcel-service"):
        counts = re.search(rf"{program}: (\d+) ended / (\d+) exported / 0 dropped", said)
        assert counts and counts[1] == counts[2], said
    # What was recorded without a network was kept until it came back.
    assert "offline: kept some" in said, said
    spans = collector.stop()
    [root] = [span for span in spans if span.name == "visit"]
    assert root.is_root
    assert {span.trace_id for span in spans} == {root.trace_id}
    ids = [span.span_id for span in spans]
    assert len(ids) == len(set(ids))
    assert {span.parent_span_id for span in spans} <= {"", *ids}
    own = [span for span in spans if _service(span) == "parcel-app"]
    assert _drawn(own, root) == EXPECTED.strip()
    assert len({span.attributes["session.id"] for span in own}) == 1
    _check_servers(spans)
    named = {span.name: span for span in own}
    assert "walking boots" in str(named["tap ask"].attributes["polyspan.output"])
    assert [event.name for event in root.events] == ["network lost", "network back"]
    refused = named["PUT /questions"].attributes
    assert (refused["http.response.status_code"], refused["error.type"]) == (405, "405")


def _check_servers(spans: list[Span]) -> None:
    """Each answered request of the app has the server's span below it, and that one's agent its own calls."""
    below = children(spans)
    answered = [span for span in spans if _service(span) == "parcel-app" and span.kind == "client"]
    served: Counter[str] = Counter()
    for request in answered:
        for span in below.get(request.span_id, []):
            assert (_service(span), span.kind) == ("support-agent", "server")
            served[request.name] += 1
    assert served == {"POST /questions": 1, "PUT /questions": 1, "GET /openapi.json": 1}
    assert {"parcel-service", "support-agent", "parcel-app"} == {_service(span) for span in spans}


def _service(span: Span) -> str:
    return str(span.resource["service.name"])


def _drawn(spans: list[Span], root: Span) -> str:
    below = children(spans)

    def lines(span: Span, depth: int) -> list[str]:
        own = f"{'  ' * depth}{span.kind} {span.status} {span.name}"
        inner = sorted(below.get(span.span_id, []), key=lambda child: child.start)
        return [own, *(line for child in inner for line in lines(child, depth + 1))]

    return "\n".join(lines(root, 0))


def _visit(app: list[str], endpoint: str, log: Path) -> str:
    """Runs the example; it and all that it has started are gone afterwards."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(RUN), *app],
            env={**kept, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        process.wait(VISITED_WITHIN)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    said = log.read_text()
    assert process.returncode == 0, said
    return said
