"""What is measured, and the figure each row must reach: the one place to change a row or a target.

`run.py` reads it. A `Run` is one way of driving subjects; a `Row` reads one value out of a run's results.
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

    With `less` it is our figure alone, less that of this other subject in the same run.
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
    note: str = ""


def field(name: str, scale: float = 1.0) -> Callable[[dict], float | None]:
    """Reads a number of the result; a subject that does not report it has no figure."""
    return lambda result: None if result.get(name) is None else result[name] / scale


def process_cpu_per_span(scale: float = 1.0) -> Callable[[dict], float | None]:
    """The process's CPU time over the spans that arrived.

    One that a library drops has cost it next to nothing, and a library that drops many would seem cheap.
    """

    def value(result: dict) -> float | None:
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


RUST = ("polyspan", "opentelemetry", "fastrace")
RUST_PLAIN = ("polyspan", "polyspan_plain", "opentelemetry", "fastrace")
PYTHON = ("polyspan", "opentelemetry", "ddtrace")
NODE = ("polyspan", "polyspan_api", "opentelemetry")
SWIFT = ("polyspan", "json")
KOTLIN = ("polyspan", "opentelemetry")
NODE_PEERS = ("sdk_trace3", "ddtrace", "sentry", "mastra")
PYTHON_ALL = ("polyspan", "polyspan_api", "polyspan_beside", "opentelemetry", "ddtrace")

RUNS = (
    Run("rust-calls", "rust", "bursts --apart", RUST_PLAIN, brief="--traces 2560"),
    Run("rust-unsampled", "rust", "bursts --apart --unsampled", RUST, brief="--traces 2560", lossless=False),
    Run("rust-otlp", "rust", "bursts --traces 12800 --otlp {otlp}", RUST_PLAIN, brief="--traces 2560"),
    Run(
        "rust-gzip",
        "rust",
        "bursts --traces 6400 --pause-us 30000 --gzip --otlp {otlp}",
        RUST,
        brief="--traces 1280",
    ),
    Run("rust-one", "rust", "bursts", RUST, brief="--traces 2560"),
    Run("rust-two", "rust", "bursts --callers 2", RUST, brief="--traces 2560"),
    Run("rust-flat", "rust", "flat-out --otlp {otlp}", RUST, brief="--seconds 2", lossless=False),
    Run(
        "rust-paced",
        "rust",
        "rate --spans-per-second {rate} --otlp {otlp}",
        RUST,
        brief="--seconds 2",
        lossless=False,
        after="rust-flat",
    ),
    Run(
        "rust-dead",
        "rust",
        "flat-out --seconds 10 --otlp {dead}",
        ("polyspan",),
        brief="--seconds 2",
        lossless=False,
    ),
    Run("rust-stages", "rust", "64 2000", ("polyspan",), brief="4 50", program="bench-stages"),
    Run("python-calls", "python", "bursts", PYTHON_ALL, brief="--traces 320"),
    Run("python-one", "python", "one --traces 8000 --burst 64", PYTHON_ALL, brief="--traces 1280"),
    Run("python-unsampled", "python", "bursts --unsampled", PYTHON_ALL, brief="--traces 320", lossless=False),
    Run("python-values", "python", "values", ("polyspan", "orjson"), brief="--traces 320", lossless=False),
    Run("python-otlp", "python", "bursts --export otlp", PYTHON_ALL, brief="--traces 320"),
    Run("python-import", "python", "import --export otlp", PYTHON, repeats=15, lossless=False),
    Run("node-calls", "node", "bursts --traces 4000", NODE + NODE_PEERS, brief="--traces 320"),
    Run(
        "node-unsampled",
        "node",
        "bursts --traces 4000 --unsampled",
        NODE + NODE_PEERS,
        brief="--traces 320",
        lossless=False,
    ),
    Run("node-otlp", "node", "bursts --traces 4000 --export otlp", NODE + NODE_PEERS, brief="--traces 320"),
    Run(
        "node-pauses",
        "node",
        "pauses --traces 25000 --pause-us 2000 --export otlp",
        NODE,
        brief="--traces 320",
        lossless=False,
    ),
    Run("node-import", "node", "import --export otlp", NODE + NODE_PEERS, repeats=15, lossless=False),
    Run("node-installed", "node", "", ("polyspan", "opentelemetry", *NODE_PEERS), 1, program="installed"),
    Run("swift-calls", "swift", "bursts --traces 8000", SWIFT, brief="--traces 320"),
    Run(
        "swift-unsampled",
        "swift",
        "bursts --traces 8000 --unsampled",
        ("polyspan",),
        brief="--traces 320",
        lossless=False,
    ),
    Run("swift-otlp", "swift", "bursts --traces 8000 --export otlp", ("polyspan",), brief="--traces 320"),
    Run("kotlin-calls", "kotlin", "bursts", KOTLIN, brief="--traces 320 --warm 2000", lossless=False),
    Run(
        "kotlin-two",
        "kotlin",
        "bursts --callers 2",
        KOTLIN,
        brief="--traces 320 --warm 2000",
        lossless=False,
    ),
    Run(
        "kotlin-unsampled",
        "kotlin",
        "bursts --unsampled",
        KOTLIN,
        brief="--traces 320 --warm 2000",
        lossless=False,
    ),
    Run(
        "kotlin-process",
        "kotlin",
        "process --traces 25024 --burst 32 --otlp {otlp}",
        KOTLIN,
        brief="--traces 640",
    ),
    Run(
        "kotlin-gzip",
        "kotlin",
        "process --traces 25024 --burst 32 --pause-us 20000 --gzip --otlp {otlp}",
        KOTLIN,
        brief="--traces 640",
    ),
    Run("kotlin-first", "kotlin", "first", KOTLIN, repeats=15, lossless=False),
)

ROWS = (
    Row(
        "rust-call",
        "Rust, calling thread per span",
        "rust-calls",
        field("call_cpu_ns"),
        "ns",
        targets=(
            Target("at most", 0.5, "opentelemetry"),
            Target("at most", 0.6, "fastrace"),
            Target("at most", 1.1, "polyspan_plain"),
        ),
    ),
    Row("rust-call-wall", "the same by the wall clock", "rust-calls", field("call_wall_ns"), "ns"),
    Row(
        "rust-call-plain",
        "Rust, calling thread per span, redaction and limits off",
        "rust-calls",
        field("call_cpu_ns"),
        "ns",
        ours="polyspan_plain",
    ),
    Row(
        "rust-unsampled",
        "Rust, unsampled span",
        "rust-unsampled",
        field("call_cpu_ns"),
        "ns",
        targets=(Target("at most", 1.0, "fastrace"),),
    ),
    Row(
        "rust-process",
        "Rust, whole process CPU per span that arrived over OTLP/HTTP",
        "rust-otlp",
        process_cpu_per_span(),
        "ns",
        targets=(Target("at most", 0.3, "opentelemetry"),),
    ),
    Row(
        "rust-process-plain",
        "the same with redaction and limits off",
        "rust-otlp",
        process_cpu_per_span(),
        "ns",
        ours="polyspan_plain",
        targets=(Target("at most", 0.3, "opentelemetry"),),
    ),
    Row(
        "rust-process-added",
        "what redaction and limits add",
        "rust-otlp",
        process_cpu_per_span(),
        "ns",
        less="polyspan_plain",
        targets=(Target("at most", 1000.0),),
    ),
    Row(
        "rust-gzip",
        "Rust, whole process CPU per span that arrived with gzip",
        "rust-gzip",
        process_cpu_per_span(),
        "ns",
        targets=(Target("at most", 0.2, "opentelemetry"),),
    ),
    Row(
        "rust-gzip-bytes",
        "bytes on the wire per span with gzip",
        "rust-gzip",
        lambda result: result["sink"]["wire_bytes"] / result["sink"]["spans"],
        "B",
        targets=(Target("at most", 1.15, "opentelemetry"),),
    ),
    Row(
        "rust-two-threads",
        "Rust, each of two threads' own CPU per span over that of one",
        "rust-two",
        field("call_cpu_ns"),
        "",
        targets=(Target("at most", 1.15),),
        over="rust-one",
    ),
    Row(
        "rust-flat-delivered",
        "Rust, flat out for 20 s: spans delivered per second",
        "rust-flat",
        delivered_per_second,
        "/s",
        targets=(Target("at least", 3.0, "opentelemetry"),),
    ),
    Row(
        "rust-flat-complete",
        "share of the delivered traces that are complete",
        "rust-flat",
        lambda result: result["sink"]["complete_traces"] / result["sink"]["traces"],
        "",
        targets=(Target("at least", 0.9),),
    ),
    Row(
        "rust-flat-lost",
        "share of the spans lost",
        "rust-flat",
        lambda result: lost(result) / result["spans_with_warm_up"],
        "",
    ),
    Row(
        "rust-flat-memory",
        "memory over that of the bare program, at its peak",
        "rust-flat",
        lambda result: (result["peak_rss_kib"] - result["rss_before_kib"]) / MIB,
        "MiB",
        targets=(Target("at most", 40.0),),
        note="32 MiB of spans by default, and the engine's own code, stacks and connection",
    ),
    Row(
        "rust-flat-counted",
        "spans of which the library cannot say what became",
        "rust-flat",
        unaccounted,
        "",
        targets=(Target("at most", 0.0),),
    ),
    Row(
        "rust-paced",
        "Rust, held at 1.5 times what the reference delivers: spans lost",
        "rust-paced",
        lost,
        "",
        targets=(Target("at most", 0.0),),
    ),
    Row(
        "rust-dead-memory",
        "Rust, flat out towards a collector that never answers: memory over that of the bare program",
        "rust-dead",
        lambda result: (result["peak_rss_kib"] - result["rss_before_kib"]) / MIB,
        "MiB",
        targets=(Target("at most", 40.0),),
        note="as above",
    ),
    Row(
        "stages-clean",
        "Redaction of text without a secret",
        "rust-stages",
        field("clean_mb_per_second"),
        "MB/s",
        targets=(Target("at least", 1000.0),),
    ),
    Row(
        "stages-dense",
        "Redaction of text full of secrets",
        "rust-stages",
        field("dense_mb_per_second"),
        "MB/s",
        targets=(Target("at least", 150.0),),
    ),
    Row(
        "stages-json",
        "export thread, a span with input and output of 12.5 KB nested JSON each",
        "rust-stages",
        field("json_on_us"),
        "us",
        targets=(Target("at most", 60.0),),
    ),
    Row(
        "stages-json-plain",
        "the same with redaction and limits off",
        "rust-stages",
        field("json_off_us"),
        "us",
        note="limits that nothing reaches are looked at all the same",
    ),
    Row(
        "python-call",
        "Python, calling thread per span, the whole trace",
        "python-calls",
        field("call_cpu_ns", 1e3),
        "us",
        targets=(Target("at most", 1 / 15, "opentelemetry"),),
    ),
    Row(
        "python-call-api",
        "the same through the OpenTelemetry API",
        "python-calls",
        field("call_cpu_ns", 1e3),
        "us",
        ours="polyspan_api",
        targets=(Target("at most", 1 / 8, "opentelemetry"),),
    ),
    Row(
        "python-call-beside",
        "the same by our own API with the OpenTelemetry API loaded and our provider set",
        "python-calls",
        field("call_cpu_ns", 1e3),
        "us",
        ours="polyspan_beside",
        targets=(Target("at most", 1 / 12, "opentelemetry"),),
    ),
    Row(
        "python-one",
        "Python, calling thread, one span by `with` and six attributes",
        "python-one",
        field("call_cpu_ns", 1e3),
        "us",
        targets=(Target("at most", 1 / 15, "opentelemetry"),),
    ),
    Row(
        "python-one-api",
        "the same through the OpenTelemetry API",
        "python-one",
        field("call_cpu_ns", 1e3),
        "us",
        ours="polyspan_api",
        targets=(Target("at most", 1 / 8, "opentelemetry"),),
    ),
    Row(
        "python-one-beside",
        "the same by our own API with the OpenTelemetry API loaded and our provider set",
        "python-one",
        field("call_cpu_ns", 1e3),
        "us",
        ours="polyspan_beside",
        targets=(Target("at most", 1 / 12, "opentelemetry"),),
    ),
    Row(
        "python-unsampled",
        "Python, unsampled span",
        "python-unsampled",
        field("call_cpu_ns", 1e3),
        "us",
        targets=(Target("at most", 1 / 12, "opentelemetry"),),
    ),
    Row(
        "python-values",
        "Python, input and output of 12.5 KB JSON each, calling thread",
        "python-values",
        field("call_cpu_ns", 1e3),
        "us",
        reference="orjson",
        targets=(Target("at most", 1.5, "orjson"),),
        note="the peer is `orjson.dumps` of both values, without a span",
    ),
    Row(
        "python-process",
        "Python, whole process CPU per span that arrived",
        "python-otlp",
        process_cpu_per_span(1e3),
        "us",
        targets=(Target("at most", 1 / 20, "opentelemetry"),),
    ),
    Row(
        "python-import",
        "Python, import to first span",
        "python-import",
        field("import_ms"),
        "ms",
        targets=(Target("at most", 15.0),),
    ),
    Row(
        "node-call",
        "Node.js, calling thread per span, the whole trace",
        "node-calls",
        field("call_cpu_ns"),
        "ns",
        targets=(Target("at most", 0.4, "opentelemetry"),),
    ),
    Row(
        "node-call-api",
        "the same through the OpenTelemetry API",
        "node-calls",
        field("call_cpu_ns"),
        "ns",
        ours="polyspan_api",
        targets=(Target("at most", 0.6, "opentelemetry"),),
    ),
    Row(
        "node-unsampled",
        "Node.js, unsampled span",
        "node-unsampled",
        field("call_cpu_ns"),
        "ns",
        targets=(Target("at most", 0.2, "opentelemetry"),),
    ),
    Row(
        "node-process",
        "Node.js, whole process CPU per span that arrived over OTLP/HTTP",
        "node-otlp",
        process_cpu_per_span(),
        "ns",
        targets=(Target("at most", 1 / 6, "opentelemetry"),),
    ),
    Row(
        "node-pause",
        "Node.js, longest pause of the main thread while 200,000 spans are exported",
        "node-pauses",
        field("pause_ms"),
        "ms",
        targets=(Target("at most", 2.0),),
        note="CPU time of one trace, or of one turn of the event loop between",
    ),
    Row(
        "node-import",
        "Node.js, import to first span",
        "node-import",
        field("import_ms"),
        "ms",
        targets=(Target("at most", 15.0),),
    ),
    Row(
        "node-installed",
        "Node.js, what `npm install` brings",
        "node-installed",
        field("installed_mb"),
        "MB",
        targets=(Target("at most", 8.0),),
    ),
    Row(
        "node-installed-files",
        "the same in files",
        "node-installed",
        field("installed_files"),
        "",
        targets=(Target("at most", 40.0),),
    ),
    Row(
        "swift-call",
        "Swift, calling thread per span",
        "swift-calls",
        field("call_cpu_ns"),
        "ns",
        reference="json",
        targets=(Target("at most", 700.0),),
        note="the peer is a JSON encoder of the same span, which sends nothing",
    ),
    Row(
        "swift-unsampled",
        "Swift, unsampled span",
        "swift-unsampled",
        field("call_cpu_ns"),
        "ns",
        targets=(Target("at most", 100.0),),
    ),
    Row(
        "swift-process",
        "Swift, whole process CPU per span that arrived over OTLP/HTTP",
        "swift-otlp",
        process_cpu_per_span(),
        "ns",
    ),
    Row(
        "kotlin-call",
        "Kotlin on the JVM, calling thread per span, the whole trace, warm",
        "kotlin-calls",
        field("call_cpu_ns"),
        "ns",
        targets=(Target("at most", 0.85, "opentelemetry"),),
    ),
    Row(
        "kotlin-unsampled",
        "Kotlin, unsampled span",
        "kotlin-unsampled",
        field("call_cpu_ns"),
        "ns",
        targets=(Target("at most", 0.25, "opentelemetry"),),
    ),
    Row(
        "kotlin-two-threads",
        "Kotlin, each of two threads' own CPU per span over that of one",
        "kotlin-two",
        field("call_cpu_ns"),
        "",
        targets=(Target("at most", 1.15),),
        over="kotlin-calls",
    ),
    Row(
        "kotlin-two-lost",
        "spans that two threads lost",
        "kotlin-two",
        field("lost"),
        "",
        targets=(Target("at most", 0.0),),
    ),
    Row(
        "kotlin-process",
        "Kotlin, whole process CPU per span that arrived, the start of the JVM included",
        "kotlin-process",
        process_cpu_per_span(1e3),
        "us",
        targets=(Target("at most", 1 / 3, "opentelemetry"),),
    ),
    Row(
        "kotlin-gzip",
        "the same with gzip",
        "kotlin-gzip",
        process_cpu_per_span(1e3),
        "us",
        targets=(Target("at most", 1 / 6, "opentelemetry"),),
    ),
    Row(
        "kotlin-first",
        "Kotlin, `main` to first span",
        "kotlin-first",
        field("first_ms"),
        "ms",
        targets=(Target("at most", 1 / 3, "opentelemetry"),),
    ),
)
