"""Fixtures of the end-to-end tests. Run them with `cargo xtask test e2e`, which builds what they need."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from otelcol import Collector, running
from receiver import Receiver, Step, receiving


def _program(variable: str, how: str) -> Path:
    """A built program. Its absence is a failure, never a skip."""
    path = os.environ.get(variable)
    if not path:
        pytest.fail(f"{variable} is not set: use `cargo xtask test e2e`, or {how}")
    if not Path(path).is_file():
        pytest.fail(f"{variable} names no file: {path}")
    return Path(path)


@pytest.fixture(scope="session")
def otelcol_binary() -> Path:
    return _program("POLYSPAN_OTELCOL", "set it to what `cargo xtask collector` prints")


@pytest.fixture(scope="session")
def receiver_binary() -> Path:
    return _program("POLYSPAN_TEST_RECEIVER", "build polyspan-test-receiver and set it to the program")


@pytest.fixture
def collector(otelcol_binary: Path, tmp_path: Path) -> Iterator[Collector]:
    """A real OpenTelemetry Collector of this test alone, ready to receive."""
    folder = tmp_path / "collector"
    folder.mkdir()
    with running(otelcol_binary, folder) as collector:
        yield collector


class StartReceiver(Protocol):
    def __call__(self, *steps: Step, then: Step = "ok") -> Receiver: ...


@pytest.fixture
def start_receiver(receiver_binary: Path) -> Iterator[StartReceiver]:
    """Starts a scripted receiver that meets the first requests with these steps, those after with `then`."""
    with ExitStack() as running:

        def start(*steps: Step, then: Step = "ok") -> Receiver:
            return running.enter_context(receiving(receiver_binary, list(steps), then))

        yield start
