"""The examples of the guides do what the guides say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import Run

GUIDES = [
    "ai-spans.md",
    "configuration.md",
    "context.md",
    "host-stage.md",
    "limits.md",
    "logs.md",
    "metrics.md",
    "privacy.md",
    "python-opentelemetry.md",
    "../README.md",
]
DOCS = Path(__file__).parents[2] / "docs"


def examples() -> Iterator[object]:
    for guide in GUIDES:
        text = (DOCS / guide).read_text(encoding="utf-8")
        for number, example in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.M | re.S), 1):
            needs_sdk = "opentelemetry.sdk" in example and find_spec("opentelemetry.sdk") is None
            lacking = pytest.mark.skipif(needs_sdk, reason="opentelemetry-sdk is not installed")
            yield pytest.param(example, id=f"{guide}-{number}", marks=lacking)


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_runs(run_python: Run, example: str) -> None:
    printed = run_python(example).stdout.splitlines()
    # What stands behind a line that prints is what it prints.
    for line in re.findall(r"^print\(.*\)  # (.*)$", example, re.M):
        assert line in printed
