"""Measures Polyspan beside its peers and prints one table (`benches/README.md` says how to read it).

    cargo xtask bench [--quick] [--list] [--only PREFIX ...] [--subjects NAME ...] [--json FILE]

Standard library only. It builds the programs, makes the Python and Node environments in the cache folder,
starts the sink, and runs every subject in processes of its own, the peers in turn within each repeat.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

from kotlin_programs import KotlinPrograms
from measures import Row, Run, records_nothing
from node_packages import NodePackages
from rows import ROWS, RUNS
from table import table

ROOT = Path(__file__).resolve().parent.parent
PYTHON_SUBJECTS = ROOT / "benches" / "python"
NODE_SUBJECTS = ROOT / "benches" / "node"
PAGE = ROOT / "benches" / "workload.json"
WARM_UP_TRACES = 256
OURS = ("polyspan", "polyspan_plain", "polyspan_api", "polyspan_beside")
# What each part of the build is measured with.
PROGRAMS = {"peers": ("bench-subject", "bench-sink"), "ours": ("bench-subject", "bench-sink", "bench-stages")}


class BenchError(Exception):
    """A step could not be done; its text is for the user."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def call(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    if subprocess.run(command, cwd=cwd, env=env, stdout=sys.stderr).returncode != 0:
        raise BenchError(f"`{' '.join(map(str, command))}` failed")


# --- What is run -----------------------------------------------------------------------------------------


def target_directory() -> Path:
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    return Path(json.loads(metadata.stdout)["target_directory"])


def build_rust(with_ours: bool) -> dict[str, Path]:
    """Builds peers and engine apart: what one asks of a shared dependency must not change the other."""
    programs = {}
    target = target_directory()
    kept = target / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    for part in ("peers", "ours") if with_ours else ("peers",):
        say(f"building the Rust programs ({part})")
        features = ["--no-default-features", f"--features={part}"]
        call("cargo", "build", "--profile=bench", "-p=polyspan-benches", *features)
        for name in PROGRAMS[part]:
            programs[f"{name}:{part}"] = shutil.copy2(target / "release" / name, kept / f"{name}-{part}")
    return programs


def cache_directory() -> Path:
    if folder := os.environ.get("POLYSPAN_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "polyspan"


def build_python(with_ours: bool) -> Path:
    """The environment with the peers, made once for a set of versions; our package is built into it anew."""
    requirements = PYTHON_SUBJECTS / "requirements.txt"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    key = hashlib.sha256(requirements.read_bytes() + sys.executable.encode()).hexdigest()[:12]
    place = cache_directory() / f"bench-python-{version}-{key}"
    python = place / "bin" / "python"
    if not (place / "complete").exists():
        say(f"making the Python environment in {place}")
        venv.create(place, with_pip=True, clear=True)
        call(python, "-m", "pip", "install", "--quiet", "--requirement", requirements)
        (place / "complete").touch()
    if with_ours:
        say("building the Python package")
        wheels = target_directory() / "bench" / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        package = ROOT / "bindings-python"
        call(python, "-m", "maturin", "build", "--quiet", "--release", "--out", wheels, cwd=package)
        install = [python, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps"]
        call(*install, *wheels.glob("*.whl"))
    call(python, "-m", "unittest", "--quiet", "test_shape", cwd=PYTHON_SUBJECTS)
    return python


def build_node(subjects: set[str]) -> NodePackages:
    """The peers' packages, and ours where it is among the subjects."""
    packages = NodePackages(ROOT, cache_directory(), target_directory(), call)
    packages.install(subjects)
    if ours := tuple(name for name in OURS if name in subjects):
        packages.build_ours(ours)
    return packages


def build_swift() -> list[str]:
    """The words that start the Swift program; `cargo xtask` has the toolchain, or makes it."""
    say("building the Swift program")
    command = ["cargo", "xtask", "swift-bench"]
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if ended.returncode != 0:
        raise BenchError(f"`{' '.join(command)}` failed")
    return json.loads(ended.stdout.splitlines()[-1])


def build_kotlin() -> KotlinPrograms:
    """Our artifact, and the programs that record with it and with the reference."""
    say("building the Kotlin programs")
    programs = KotlinPrograms(ROOT, cache_directory(), target_directory(), call)
    programs.build()
    return programs


class Sink:
    """The receiver, a process of its own; it ends when this one does."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def ask(self, path: str, body: bytes | None = None) -> dict:
        request = urllib.request.Request(self.address + path, data=body)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


@contextlib.contextmanager
def dead_collector() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1/traces"


# --- One subject, once -----------------------------------------------------------------------------------


class Bench:
    """Runs subjects and keeps their results by run and subject."""

    def __init__(
        self,
        programs: dict[str, Path],
        python: Path | None,
        node: NodePackages | None,
        swift: list[str],
        kotlin: KotlinPrograms | None,
        sink: Sink,
        dead: str,
        quick: bool,
    ) -> None:
        self.programs, self.python, self.node = programs, python, node
        self.swift, self.kotlin = swift, kotlin
        self.sink, self.dead, self.quick = sink, dead, quick
        self.results: dict[str, dict[str, list[dict]]] = {}
        self.losses: list[str] = []

    def command(self, run: Run, subject: str) -> list[str]:
        rate = 0.0
        if run.after:
            flat = next(row for row in ROWS if row.run == run.after)
            rate = 1.5 * (self.median(flat, "opentelemetry") or 0.0)
        places = {"otlp": f"{self.sink.address}/v1/traces", "dead": self.dead, "rate": f"{rate:.0f}"}
        words = run.arguments.format(**places).split() + (run.brief.split() if self.quick else [])
        if run.language == "rust":
            part = "ours" if subject in OURS else "peers"
            named = [subject] if run.program == "bench-subject" else []
            return [self.programs[f"{run.program}:{part}"], *named, *words]
        if run.language == "kotlin":
            return self.kotlin.command(subject, words)
        if run.language == "node":
            return ["node", NODE_SUBJECTS / "subject.cjs", subject, *words, "--sink", self.sink.address]
        if run.language == "swift":
            return [*self.swift, subject, *words, "--sink", self.sink.address]
        return [self.python, PYTHON_SUBJECTS / "subject.py", subject, *words, "--sink", self.sink.address]

    def once(self, run: Run, subject: str) -> None:
        if run.program == "installed":
            self.results.setdefault(run.key, {}).setdefault(subject, []).append(self.node.sizes[subject])
            return
        self.sink.ask("/reset", b"")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "DD_"))}
        if run.language == "node":
            # A server without any library has no packages.
            clean["BENCH_MODULES"] = str(self.node.folders.get(subject, ROOT))
        clean["BENCH_PAGE"] = str(PAGE)
        command = self.command(run, subject)
        ended = subprocess.run(command, env=clean, capture_output=True, text=True, timeout=900)
        if ended.returncode != 0:
            raise BenchError(f"{run.key}, {subject}: {ended.stderr.strip()[-2000:]}")
        result = json.loads(ended.stdout.splitlines()[-1])
        result["sink"] = self.sink.ask("/count")
        self.complete(run, subject, result)
        self.results.setdefault(run.key, {}).setdefault(subject, []).append(result)

    def complete(self, run: Run, subject: str, result: dict) -> None:
        """Adds what follows from the subject's figures and the sink's, and checks that nothing is missing."""
        if "spans_with_warm_up" not in result:
            return
        recorded = result["spans_with_warm_up"]
        result["warm_up_spans"] = recorded - result["spans"]
        spans_per_trace = result["warm_up_spans"] // result.get("warm_up_traces", WARM_UP_TRACES)
        sink = result["sink"]
        at_sink = sink["spans"] - sink["repeated"] or sink["agent_traces"] * spans_per_trace
        by_itself = (result.get("account") or {}).get("exported")
        result["delivered"] = at_sink or by_itself or 0
        if run.lossless and not records_nothing(result) and result["delivered"] != recorded:
            self.losses.append(f"{run.key}, {subject}: {result['delivered']} of {recorded} spans arrived")

    def median(self, row: Row, subject: str) -> float | None:
        results = self.results.get(row.run, {}).get(subject, [])
        values = [value for value in map(row.value, results) if value is not None]
        if not values:
            return None
        value = statistics.median(values)
        if row.bare:
            bare = [row.value(result) for result in self.results.get(row.run, {}).get(row.bare, [])]
            return value - statistics.median(bare) if bare and subject != row.bare else None
        if row.less:
            less = [row.value(result) for result in self.results.get(row.run, {}).get(row.less, [])]
            return value - statistics.median(less) if less and subject == row.ours else None
        if row.over:
            base = [row.value(result) for result in self.results.get(row.over, {}).get(subject, [])]
            return value / statistics.median(base) if base else None
        return value


def needed_runs(rows: list[Row]) -> list[Run]:
    """The runs that these rows read, and those that they are measured against, in the order of the list."""
    keys = {row.run for row in rows} | {row.over for row in rows}
    keys |= {run.after for run in RUNS if run.key in keys}
    return [run for run in RUNS if run.key in keys]


def machine() -> str:
    processors = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in processors if line.startswith("model name")), "?")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{os.cpu_count()} x {model}, Python {sys.version.split()[0]}, load {load}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures Polyspan beside its peers and prints one table.")
    parser.add_argument(
        "--quick", action="store_true", help="every run once and short: that it works, not how fast"
    )
    parser.add_argument("--list", action="store_true", help="list the rows and stop")
    parser.add_argument("--only", nargs="+", metavar="PREFIX", help="rows whose key begins so")
    parser.add_argument("--subjects", nargs="+", metavar="NAME", help="measure these subjects only")
    parser.add_argument("--repeats", type=int, help="repeats of every run instead of its own number")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every single result")
    options = parser.parse_args()
    rows = [row for row in ROWS if not options.only or row.key.startswith(tuple(options.only))]
    if not rows:
        raise BenchError(f"no row's key begins with {' or '.join(options.only)}; --list shows them")
    if options.list:
        print("\n".join(f"{row.key:22} {row.title}" for row in rows))
        return
    runs = needed_runs(rows)
    chosen = options.subjects
    wanted = {run.key: [name for name in run.subjects if not chosen or name in chosen] for run in runs}
    languages = {run.language for run in runs if wanted[run.key]}
    has_ours = {run.language for run in runs if set(wanted[run.key]) & set(OURS)}
    programs = build_rust("rust" in has_ours)
    python = build_python("python" in has_ours) if "python" in languages else None
    of_node = {name for run in runs if run.language == "node" for name in wanted[run.key]}
    node = build_node(of_node) if of_node else None
    swift = build_swift() if "swift" in languages else []
    kotlin = build_kotlin() if "kotlin" in languages else None
    before = machine()
    sink = Sink(programs["bench-sink:peers"])
    try:
        with dead_collector() as dead:
            bench = Bench(programs, python, node, swift, kotlin, sink, dead, options.quick)
            for run in runs:
                repeats = 1 if options.quick else options.repeats or run.repeats
                for repeat in range(repeats):
                    say(f"{run.key}: {repeat + 1} of {repeats}")
                    for subject in wanted[run.key]:
                        bench.once(run, subject)
    except KeyboardInterrupt:
        say("stopped; the table has what was measured until now")
    finally:
        sink.close()
    if options.json:
        options.json.write_text(json.dumps({"machine": before, "results": bench.results}, indent=1))
    print(table(bench.median, rows))
    print(f"\n{'A short run: no figure of it counts. ' if options.quick else ''}{before}.")
    for loss in bench.losses:
        print(f"- Not everything arrived where it should: {loss}.")


if __name__ == "__main__":
    try:
        main()
    except BenchError as failure:
        sys.exit(f"bench: {failure}")
