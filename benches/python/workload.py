"""The data of the workload (`benches/workload.json`): the texts a trace carries, made before the clock runs.

`subject.py` hands the turns to the subjects; `benches/rust/src/workload.rs` makes the same texts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

SPANS_PER_TRACE = 8
PAGE = Path(__file__).parent.parent / "workload.json"


@dataclass(slots=True)
class Facts:
    """What one span carries beside its name."""

    request: str
    component: str
    region: str
    attempt: int
    score: float
    cached: bool


@dataclass(slots=True)
class ModelFacts:
    """What a call of a model carries on top."""

    input: str
    output: str
    position: int
    finish: str
    tokens: int
    unit: str


@dataclass(slots=True)
class Turn:
    """The data of one trace, in the order of the page."""

    agent: Facts
    plan: Facts
    lookup: Facts
    query: Facts
    answer: Facts
    recall: Facts
    notify: Facts
    calendar: Facts
    plan_model: ModelFacts
    answer_model: ModelFacts


class _Words:
    """A linear congruential generator (Knuth's MMIX constants): the same texts in every run and language."""

    def __init__(self, seed: int, words: list[str]) -> None:
        self.state = seed
        self.words = words

    def next(self) -> int:
        self.state = (self.state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return self.state >> 33

    def text(self, length: int) -> str:
        text = ""
        while len(text) < length:
            text += self.words[self.next() % len(self.words)] + " "
        return text[:length]

    def facts(self) -> Facts:
        return Facts(
            request=self.text(20),
            component=self.text(20),
            region=self.text(20),
            attempt=self.next() % 100,
            score=self.next() % 10_000 / 10_000,
            cached=self.next() & 1 == 0,
        )

    def model(self) -> ModelFacts:
        return ModelFacts(
            input=self.text(1000),
            output=self.text(1000),
            position=self.next() % 1000,
            finish=self.text(20),
            tokens=self.next() % 5000,
            unit=self.text(20),
        )


def turns() -> list[Turn]:
    """The turns of the page; runs go round them."""
    text = json.loads(PAGE.read_text())["text"]
    words = _Words(text["seed"], text["words"])
    return [
        Turn(*(words.facts() for _ in range(SPANS_PER_TRACE)), words.model(), words.model())
        for _ in range(text["turns"])
    ]


def conversation() -> dict:
    """A conversation as models take it, of 12,500 bytes as JSON, in the shape of `bench-stages`."""
    text = turns()[0].plan_model.input
    spoken: list[dict] = []
    whole: dict = {}
    while len(json.dumps(whole, separators=(",", ":"))) < 12_500:
        number = len(spoken)
        spoken.append(
            {
                "role": "assistant" if number % 2 else "user",
                "content": [{"type": "text", "text": text[: 80 + number % 40]}],
                "usage": {"input_tokens": 17 * number, "output_tokens": 31, "cached": number % 3 == 0},
                "score": 0.25 * number,
                "stop": None,
            }
        )
        whole = {"model": "small-1", "messages": [spoken[at : at + 25] for at in range(0, len(spoken), 25)]}
    return whole
