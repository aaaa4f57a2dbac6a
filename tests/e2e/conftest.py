"""Fixtures of the end-to-end tests. Run them with `cargo xtask test e2e`, which builds what they need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from otelcol import Collector, running


@pytest.fixture(scope="session")
def otelcol_binary() -> Path:
    """The built Collector. Its absence is a failure, never a skip."""
    path = os.environ.get("POLYSPAN_OTELCOL")
    if not path:
        pytest.fail("POLYSPAN_OTELCOL is not set: set it to what `cargo xtask collector` prints")
    if not Path(path).is_file():
        pytest.fail(f"POLYSPAN_OTELCOL names no file: {path}")
    return Path(path)


@pytest.fixture
def collector(otelcol_binary: Path, tmp_path: Path) -> Iterator[Collector]:
    """A real OpenTelemetry Collector of this test alone, ready to receive."""
    folder = tmp_path / "collector"
    folder.mkdir()
    with running(otelcol_binary, folder) as collector:
        yield collector
