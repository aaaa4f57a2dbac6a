"""Fixtures: an engine of each test's own that keeps its spans in memory, and programs run beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polyspan
import pytest
from polyspan import MemoryExporter, SpanRecord
from receiving import Receiver


class Recorded:
    """What the engine of a test recorded."""

    def __init__(self, engine: polyspan.Engine, exporter: MemoryExporter) -> None:
        self.engine = engine
        self.exporter = exporter

    def spans(self) -> list[SpanRecord]:
        self.engine.flush(30)
        return self.exporter.spans

    def span(self, name: str) -> SpanRecord:
        found = [span for span in self.spans() if span.name == name]
        assert len(found) == 1, f"{len(found)} spans are called {name!r}"
        return found[0]

    def one(self) -> SpanRecord:
        spans = self.spans()
        assert len(spans) == 1, [span.name for span in spans]
        return spans[0]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    exporter = MemoryExporter()
    engine = polyspan.init("tests", exporter=exporter, replace=True)
    yield Recorded(engine, exporter)
    engine.shutdown(30)
    assert engine.stats().adds_up()
    assert engine.stats().panics == 0


Started = Callable[..., polyspan.Engine]


def stop(engines: list[polyspan.Engine]) -> None:
    """Stops engines at the end of a test: whatever became of their spans, all of them are counted."""
    for engine in engines:
        engine.shutdown(30)
        assert engine.stats().adds_up(), engine.stats()
        assert engine.stats().panics == 0


@pytest.fixture
def started(request: pytest.FixtureRequest) -> Started:
    """Starts an engine of the test's own, which is stopped at its end."""
    engines: list[polyspan.Engine] = []

    def start(*exporters: Any, **options: Any) -> polyspan.Engine:
        options.setdefault("schedule_delay", 0.01)
        engine = polyspan.init("tests", exporters=list(exporters), replace=True, **options)
        engines.append(engine)
        return engine

    request.addfinalizer(lambda: stop(engines))
    return start


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run_python(tmp_path: Path) -> Run:
    """Runs a program in an interpreter of its own, without the environment's `OTEL_*` variables."""

    def run(
        program: str, *, timeout: float = 60, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(program))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        done = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=tmp_path,
            env=environment | variables,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run
