"""The examples of the guides do what the guides say."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    "../README.md",
]
DOCS = Path(__file__).parents[2] / "docs"


def examples() -> Iterator[object]:
    for guide in GUIDES:
        text = (DOCS / guide).read_text(encoding="utf-8")
        for number, example in enumerate(re.findall(r"^```python\n(.*?)^```", text, re.M | re.S), 1):
            if guide == "../README.md" and "MemoryExporter" not in example:
                # Of what stands for the reader's own program and services.
                continue
            yield pytest.param(example, id=f"{guide}-{number}")


@pytest.mark.parametrize("example", list(examples()))
def test_an_example_runs(run_python: Run, example: str) -> None:
    printed = run_python(example).stdout.splitlines()
    # What stands behind a line that prints is what it prints.
    for line in re.findall(r"^print\(.*\)  # (.*)$", example, re.M):
        assert line in printed
