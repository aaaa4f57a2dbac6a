"""Prints rows as a table: ours, the peers, the ratio, the target and whether it is met. `run.py` calls it."""

from __future__ import annotations

from collections.abc import Callable

from measures import Row, Target
from rows import RUNS

# A subject's median for a row, or nothing.
Median = Callable[[Row, str], float | None]
NO_FIGURE = "-"


def figure(value: float | None) -> str:
    if value is None:
        return NO_FIGURE
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def fraction(factor: float) -> str:
    return f"1/{1 / factor:.0f}" if 0 < factor < 0.2 else f"{factor:g}"


def against(median: Median, row: Row, target: Target) -> tuple[str, bool | None]:
    """How the target reads, and whether it is met."""
    text = f"{target.sense} {fraction(target.factor)}" + (f" of {target.of}" if target.of else "")
    ours = median(row, row.ours)
    limit = target.factor
    if target.of:
        peer = median(row, target.of)
        if peer is None:
            return text, None
        limit *= peer
    if ours is None:
        return text, None
    return text, ours <= limit if target.sense == "at most" else ours >= limit


def table(median: Median, rows: list[Row]) -> str:
    lines = [
        "| measure | unit | ours | reference | fastrace / ddtrace | ratio | target | met? |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    languages = {run.key: run.language for run in RUNS}
    for row in rows:
        third = "fastrace" if languages[row.run] == "rust" else "ddtrace"
        ours, reference, peer = (median(row, subject) for subject in (row.ours, row.reference, third))
        ratios = [
            figure(ours / other) if ours is not None and other else NO_FIGURE for other in (reference, peer)
        ]
        judged = [against(median, row, target) for target in row.targets]
        verdicts = ["not measured" if met is None else "yes" if met else "**no**" for _, met in judged]
        cells = (
            row.title,
            row.unit,
            *map(figure, (ours, reference, peer)),
            " · ".join(ratios),
            "; ".join(text for text, _ in judged),
            "; ".join(verdicts),
        )
        lines.append("| " + " | ".join(cells) + " |")
    notes = [f"- {row.title}: {row.note}." for row in rows if row.note]
    return "\n".join([*lines, "", *notes, *also_shown(median, rows)])


# Peers without a column of their own.
ALSO = {
    "none": "without tracing",
    "sdk_trace3": "OpenTelemetry sdk-trace 3",
    "sentry": "Sentry",
    "mastra": "Mastra",
}


def also_shown(median: Median, rows: list[Row]) -> list[str]:
    """A line for each row that one of these was measured in too."""
    lines = []
    for row in rows:
        found = {name: median(row, subject) for subject, name in ALSO.items()}
        told = [
            f"{name} {figure(value)} {row.unit}".strip() for name, value in found.items() if value is not None
        ]
        if told:
            lines.append(f"- {row.title}, also: {', '.join(told)}.")
    return lines
