"""What a run, a row and a target are, and how a figure is read out of a run's results.

`rows.py` makes the table of them; `run.py` and `table.py` read that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MIB = 1024.0


@dataclass(frozen=True)
class Run:
    """One way of driving subjects.

    `arguments` go to the subject's program; `{otlp}`, `{dead}` and `{rate}` stand for the sink's address, an
    address where nothing ever answers, and 1.5 times what the reference delivered in the run `after`.
    `program` is the one that a Rust run starts; with `installed` nothing runs, and packages are weighed.
    `repeats` is at least five where a row has a target; `brief` replaces arguments in a short run.
    """

    key: str
    language: str
    arguments: str
    subjects: tuple[str, ...]
    repeats: int = 5
    brief: str = ""
    lossless: bool = True
    after: str = ""
    program: str = "bench-subject"


@dataclass(frozen=True)
class Target:
    """`at most` or `at least` a `factor`, of a peer's figure or absolute."""

    sense: str
    factor: float
    of: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the table: `value` of each subject's result, divided by that of the run `over` if given.

    With `less` it is our figure alone, less that of this other subject in the same run. With `bare` every
    figure is less that of this subject, which records nothing: what the program takes without a library.
    """

    key: str
    title: str
    run: str
    value: Callable[[dict], float | None]
    unit: str
    ours: str = "polyspan"
    reference: str = "opentelemetry"
    targets: tuple[Target, ...] = ()
    over: str = ""
    less: str = ""
    bare: str = ""
    note: str = ""


def field(name: str, scale: float = 1.0) -> Callable[[dict], float | None]:
    """Reads a number of the result; a subject that does not report it has no figure."""
    return lambda result: None if result.get(name) is None else result[name] / scale


def quotient(above: str, below: str) -> Callable[[dict], float | None]:
    """One number of the result over another one."""
    return lambda result: result[above] / result[below]


def records_nothing(result: dict) -> bool:
    """Whether the subject is the program without any library."""
    return "account" in result and result["account"] is None


def process_cpu_per_span(scale: float = 1.0) -> Callable[[dict], float | None]:
    """The process's CPU time over the spans that arrived.

    One that a library drops has cost it next to nothing, and a library that drops many would seem cheap.
    """

    def value(result: dict) -> float | None:
        if records_nothing(result):
            return result["process_cpu_ns"] / scale
        arrived = result["delivered"] - result["warm_up_spans"]
        return result["process_cpu_ns"] * result["spans"] / arrived / scale if arrived > 0 else None

    return value


def delivered_per_second(result: dict) -> float:
    """Spans the sink received, over the time from the first span to the end of the flush."""
    return (result["sink"]["spans"] - result["warm_up_spans"]) / result["total_seconds"]


def lost(result: dict) -> float:
    """Spans recorded and not received."""
    return result["spans_with_warm_up"] - result["delivered"]


def unaccounted(result: dict) -> float | None:
    """Spans missing from the library's own count: never seen to end, or neither exported nor dropped."""
    account = result.get("account") or {}
    if account.get("ended") is None:
        return None
    settled = account["exported"] + account["left_out"] + account["dropped"]
    return abs(account["ended"] - settled) + abs(account["ended"] - result["spans_with_warm_up"])
