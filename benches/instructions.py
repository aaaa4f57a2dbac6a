"""Counts instructions per span with valgrind, of the calling thread and of the others: figures that load does
not move.

    python3 benches/instructions.py [--subjects NAME ...] [--functions N] [--otlp] [--pause-us N]

Each subject records twice, the second time for longer, and the difference is what the further spans cost;
`--functions` also lists where they are spent. With `--otlp` the sampled spans are posted to a receiver.
Valgrind runs one thread at a time: on a busy machine bursts need longer pauses, or spans are left out.
Instructions are not time: no cache miss is in them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from run import OURS, BenchError, Sink, build_rust

SHORT, LONG = 1280, 3840
SPANS_PER_TRACE = 8


def profiles(program: Path, words: list[str], traces: int, folder: Path) -> list[Path]:
    """The profiles of one run's threads, the main one's first."""
    out = folder / f"callgrind-{traces}"
    for old in folder.glob(f"{out.name}*"):
        old.unlink()
    command = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={out}"]
    ended = subprocess.run(
        [*command, program, *words, "--traces", str(traces)], capture_output=True, text=True
    )
    if ended.returncode != 0:
        raise BenchError(ended.stderr[-2000:])
    account = json.loads(ended.stdout)["account"]
    if account["dropped"] or (account["left_out"] and "--unsampled" not in words):
        raise BenchError(
            f"spans were lost or left out, so each would seem cheaper (a longer pause helps): {account}"
        )
    return sorted(folder.glob(f"{out.name}-*"))


def by_function(profile: Path) -> Counter[str]:
    """Instructions of each function, its own only, wherever it was inlined."""
    command = ["callgrind_annotate", "--auto=no", "--threshold=100", profile]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    counts: Counter[str] = Counter()
    for line in text.splitlines():
        if found := re.match(r"\s*([\d,]+) \([^)]*\)\s+\S+?:(.+?)(?: \[.*\])?$", line):
            counts[found[2]] += int(found[1].replace(",", ""))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description="Counts instructions per span with valgrind.")
    parser.add_argument("--subjects", nargs="+", default=["polyspan", "opentelemetry", "fastrace"])
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="list the N dearest functions")
    parser.add_argument("--otlp", action="store_true", help="post the sampled spans over OTLP/HTTP")
    parser.add_argument(
        "--pause-us", default="3000", metavar="N", help="the pause after each burst (default: 3000)"
    )
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        raise BenchError("valgrind is not installed")
    programs = build_rust(bool(set(options.subjects) & set(OURS)))
    print("| instructions per span | sampled | unsampled | other threads, sampled |\n|---|---:|---:|---:|")
    details = []
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(Sink(programs["bench-sink:peers"])) as sink,
    ):
        otlp = ["--otlp", sink.address] if options.otlp else []
        for subject in options.subjects:
            program = programs[f"bench-subject:{'ours' if subject in OURS else 'peers'}"]
            figures = []
            for switches in (otlp, ["--unsampled"]):
                words = [subject, "bursts", *switches, "--pause-us", options.pause_us]
                short, long = (
                    [by_function(thread) for thread in profiles(program, words, traces, Path(folder))]
                    for traces in (SHORT, LONG)
                )
                spans = (LONG - SHORT) * SPANS_PER_TRACE
                label = subject if switches == otlp else f"{subject} unsampled"
                for name, before, after in (
                    ("", short[0], long[0]),
                    (" (other threads)", sum(short[1:], Counter()), sum(long[1:], Counter())),
                ):
                    figures.append((after.total() - before.total()) / spans)
                    after.subtract(before)
                    details += [
                        f"{label}{name}: {count / spans:7.1f}  {function}"
                        for function, count in after.most_common(options.functions)
                    ]
            print(f"| {subject} | {figures[0]:,.0f} | {figures[2]:,.0f} | {figures[1]:,.0f} |")
    if details:
        print("\n" + "\n".join(details))


if __name__ == "__main__":
    try:
        main()
    except BenchError as failure:
        sys.exit(f"instructions: {failure}")
