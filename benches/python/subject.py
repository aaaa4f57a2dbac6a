"""Records the workload with one library, in a process of its own, and prints what it cost as a line of JSON.

`benches/run.py` calls it, with the peers in turn:

    subject.py SUBJECT bursts|one|values|import [--sink URL] [--export null|otlp] [--unsampled]
               [--traces N] [--burst N] [--pause-us N]
"""

from __future__ import annotations

# Little is imported here: what this file has loaded, a subject's import to first span no longer pays for.
import sys
import time

WARM_UP = 256
SWITCHES = ("unsampled",)


class Setup:
    """The words of the command line."""

    def __init__(self, words: list[str]) -> None:
        options = {}
        left = iter(words)
        for word in left:
            name = word.removeprefix("--")
            options[name] = "" if name in SWITCHES else next(left)
        self.sink = options.get("sink", "")
        self.export = options.get("export", "null")
        self.sampled = "unsampled" not in options
        self.traces = int(options.get("traces", 2000))
        self.burst = int(options.get("burst", 16))
        self.pause = int(options.get("pause-us", 5000)) / 1e6


class FirstFacts:
    """What the first span of the import row carries."""

    request = component = region = "twenty characters ok"
    attempt, score, cached = 1, 0.5, True


def load(name: str):
    return __import__(f"subjects.{name}", fromlist=["Subject"]).Subject


def import_to_first_span(name: str, setup: Setup) -> dict:
    """From before the library is imported to after the first span has ended."""
    started = time.perf_counter_ns()
    subject = load(name)(setup)
    subject.one(FirstFacts)
    return {"spans": 1, "import_ms": (time.perf_counter_ns() - started) / 1e6}


def bursts(name: str, setup: Setup, what: str) -> dict:
    """Bursts with a pause after each, so that nothing is dropped; the caller's time is read around each."""
    import resource
    from itertools import cycle, islice

    import workload

    subject = load(name)(setup)
    turns = workload.turns()
    if what == "one":
        record, data, spans_each = subject.one, cycle([turn.agent for turn in turns]), 1
    elif what == "values":
        record, data, spans_each = subject.values, cycle([workload.conversation()]), 1
    else:
        record, data, spans_each = subject.trace, cycle(turns), workload.SPANS_PER_TRACE
    for datum in islice(data, WARM_UP):
        record(datum)
    subject.flush()

    def process_ns() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return (usage.ru_utime + usage.ru_stime) * 1e9

    before = process_ns()
    cpu = wall = done = 0
    while done < setup.traces:
        batch = list(islice(data, setup.burst))
        cpu_started, wall_started = time.thread_time_ns(), time.perf_counter_ns()
        for datum in batch:
            record(datum)
        wall += time.perf_counter_ns() - wall_started
        cpu += time.thread_time_ns() - cpu_started
        done += setup.burst
        time.sleep(setup.pause)
    subject.flush()
    process = process_ns() - before
    account = subject.stop()
    spans = done * spans_each
    return {
        "spans": spans,
        "spans_with_warm_up": spans + WARM_UP * spans_each,
        "call_cpu_ns": cpu / spans,
        "call_wall_ns": wall / spans,
        "process_cpu_ns": process / spans,
        "account": account,
    }


def main() -> None:
    name, drive, *words = sys.argv[1:]
    setup = Setup(words)
    result = import_to_first_span(name, setup) if drive == "import" else bursts(name, setup, drive)
    import json

    print(json.dumps(result))


main()
