"""The main job of the Next.js example: one click in a real browser is one trace, through the application,
its agent, the agent in Python and the service that one calls; whatever Next was built with and however it
runs.

Run it with `cargo xtask test next`, which installs and builds what it needs. What the Collector wrote is
compared with the trace written out here. Of Next's own internal steps only those are in it that something
stands below.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from otelcol import Collector, running
from otlp_json import Span, children

RUN = Path(__file__).parents[2] / "examples/nextjs-agent/run.py"
NEXT = ["node", "node_modules/next/dist/bin/next"]
BUILT_WITHIN = 600.0
VISITED_WITHIN = 450.0
STOPPED_WITHIN = 120.0

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def application() -> Path:
    folder = os.environ.get("POLYSPAN_NEXT_APP")
    if not folder:
        pytest.fail("POLYSPAN_NEXT_APP is not set: use `cargo xtask test next`")
    return Path(folder)


@contextmanager
def _program(
    command: list[str], folder: Path, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that writes to `log`; it and all that it has started are gone afterwards."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**kept, "NEXT_TELEMETRY_DISABLED": "1", **environment},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Also where it has ended: what it left behind would keep folders and ports.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _build(application: Path, bundler: str, log: Path) -> None:
    shutil.rmtree(application / ".next", ignore_errors=True)
    command = [*NEXT, "build", f"--{bundler}"]
    with _program(command, application, {"STANDALONE": "1"}, log) as process:
        process.communicate(timeout=BUILT_WITHIN)
        assert process.returncode == 0, log.read_text()


def _visit(collector: Collector, folder: Path, command: list[str], visit: Path, log: Path) -> list[Span]:
    """One click, and all that the Collector has of it."""
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "VISIT": str(visit), "STAY": "1"}
    run = [sys.executable, str(RUN), str(folder), *command]
    with _program(run, folder, environment, log) as process:

        def enough(spans: list[Span]) -> bool:
            assert process.poll() is None, log.read_text()
            return _is_complete(spans)

        # `next dev` ends its server without letting it finish.
        collector.wait_for(enough, within=VISITED_WITHIN)
        process.communicate(timeout=STOPPED_WITHIN)
        assert process.returncode == 0, log.read_text()
    said = log.read_text()
    assert '"relay":204' in said, said
    for program in ("support-agent", "parcel-service"):
        counts = re.search(rf"{program}: (\d+) ended / (\d+) exported / 0 dropped", said)
        assert counts and counts[1] == counts[2], said
    return collector.stop()


def _is_complete(spans: list[Span]) -> bool:
    """Whether everything has arrived that is to be expected."""
    names = Counter(span.name for span in spans)
    last = [
        "opening hours",
        "click button#ask",
        "ask the desk",
        "POST /api/agent",
        "invoke_agent parcel desk",
        "PUT",
    ]
    return all(names[name] for name in last) and {span.parent_span_id for span in spans} <= {
        "",
        *(span.span_id for span in spans),
    }


# The trace as it has to be: each line a span, below the one that stands further left, siblings by name.
EXPECTED = """
parcel-desk internal click button#ask
  parcel-desk internal ask the desk
    parcel-desk client POST
      parcel-desk server POST /api/agent
        parcel-desk internal executing api route (app) /api/agent
          parcel-desk internal invoke_agent parcel desk
            parcel-desk internal step 1
              parcel-desk client chat desk-1
              parcel-desk internal execute_tool askColleague
                parcel-desk client fetch POST http://HOST/questions
                  support-agent server POST /questions
                    support-agent internal POST /questions http receive
                    support-agent internal POST /questions http send
                    support-agent internal POST /questions http send
                    support-agent internal invoke_workflow answer customer
                      support-agent internal invoke_agent support
                        support-agent client chat offline-support
                        support-agent client chat offline-support
                        support-agent client chat offline-support
                        support-agent client chat offline-support
                        support-agent internal execute_tool look_up_order
                          support-agent client GET
                            parcel-service server GET /orders/{order_id}
                              parcel-service internal GET /orders/{order_id} http send
                              parcel-service internal GET /orders/{order_id} http send
                              parcel-service client SELECT orders
                        support-agent internal execute_tool look_up_order
                          support-agent client GET
                            parcel-service server GET /orders/{order_id}
                              parcel-service internal GET /orders/{order_id} http send
                              parcel-service internal GET /orders/{order_id} http send
                              parcel-service client SELECT orders
                        support-agent internal execute_tool refund_policy
                          support-agent client search_memory
                        support-agent internal execute_tool track_parcel
                          support-agent internal execute_tool Desk.scans
                            support-agent client GET
                              parcel-service server GET /orders/{order_id}/scans
                                parcel-service internal GET /orders/{order_id}/scans http send
                                parcel-service internal GET /orders/{order_id}/scans http send
                                parcel-service client SELECT orders
            parcel-desk internal step 2
              parcel-desk client chat desk-1
"""


def _drawn(trace: list[Span], root: Span) -> str:
    below = children(trace)

    def lines(span: Span, depth: int) -> Iterator[str]:
        name = re.sub(r"http://[\w.:\[\]]+:\d+", "http://HOST", span.name)
        yield f"{'  ' * depth}{span.resource['service.name']} {span.kind} {name}"
        for child in sorted(below.get(span.span_id, []), key=lambda child: child.name):
            if not _is_bare_step_of_next(child):
                yield from lines(child, depth + 1)

    def _is_bare_step_of_next(span: Span) -> bool:
        return (
            span.scope.name == "next.js"
            and span.kind == "internal"
            and all(_is_bare_step_of_next(child) for child in below.get(span.span_id, []))
        )

    return "\n".join(lines(root, 0))


def _check(spans: list[Span]) -> None:
    [click] = [span for span in spans if span.name == "click button#ask"]
    assert click.is_root
    trace = [span for span in spans if span.trace_id == click.trace_id]
    assert _drawn(trace, click) == EXPECTED.strip()
    # Nobody's parent is missing, and nothing came twice.
    ids = [span.span_id for span in trace]
    assert len(ids) == len(set(ids))
    assert {span.parent_span_id for span in trace} <= {"", *ids}
    named = {span.name: span for span in trace}
    for name in ("click button#ask", "ask the desk", "POST"):
        assert named[name].attributes["polyspan.relay.source"] == "browser"
    request = named["POST"].attributes
    assert request["http.response.status_code"] == 200
    assert str(request["url.full"]).endswith("/api/agent")
    assert [event.name for event in named["ask the desk"].events] == ["first words"]
    agent = named["invoke_agent parcel desk"]
    # Text streams on after the response has begun; the agent is below what handled the request all the same.
    assert agent.attributes["gen_ai.usage.output_tokens"] > 12
    assert "walking boots" in str(agent.attributes["gen_ai.output.messages"])
    # What the page did when it was left.
    [put] = [span for span in spans if span.name == "PUT" and span.scope.name == "polyspan"]
    assert (put.kind, put.status, put.attributes["http.response.status_code"]) == ("client", "error", 405)
    assert put.attributes["polyspan.relay.source"] == "browser"
    # The edge function continued the page's request; in development React has effects run twice.
    for hours in [span for span in spans if span.name == "opening hours"]:
        assert hours.attributes["polyspan.relay.source"] == "edge"
        assert hours.attributes["desk.days"] == 5
        [asked] = [span for span in spans if span.span_id == hours.parent_span_id]
        assert asked.attributes["polyspan.relay.source"] == "browser"


@contextmanager
def _collecting(binary: Path, folder: Path) -> Iterator[Collector]:
    folder.mkdir()
    with running(binary, folder) as collector:
        yield collector


@contextmanager
def _hidden(folder: Path, elsewhere: Path) -> Iterator[Path]:
    """The sources and everything they were built with are out of reach under the paths they had."""
    shutil.move(folder, elsewhere)
    try:
        yield elsewhere
    finally:
        shutil.move(elsewhere, folder)


@contextmanager
def _linked(application: Path) -> Iterator[None]:
    """The packages as pnpm installs them: each in a folder of its own beside links to what it needs, and the
    addon in a package for itself."""
    platform = subprocess.run(
        ["node", "-p", "process.platform + '-' + process.arch"], capture_output=True, text=True, check=True
    ).stdout.strip()
    addon_name = f"@polyspan/{platform}" + {"linux": "-gnu", "win32": "-msvc"}.get(sys.platform, "")
    modules = application / "node_modules"
    store = modules / ".pnpm"
    package = store / "polyspan@0/node_modules/polyspan"
    addon = store / "addon@0/node_modules" / addon_name
    api = store / "api@0/node_modules/@opentelemetry/api"
    moves = [
        (modules / "polyspan", package),
        (package / "polyspan.node", addon / "polyspan.node"),
        (modules / "@opentelemetry/api", api),
    ]
    links = [
        (modules / "polyspan", package),
        (package.parent / addon_name, addon),
        (modules / "@opentelemetry/api", api),
        (package.parent / "@opentelemetry/api", api),
    ]
    for source, target in moves:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)
    manifest = {"name": addon_name, "version": "0.1.0", "main": "polyspan.node"}
    (addon / "package.json").write_text(json.dumps(manifest))
    for link, target in links:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent), target_is_directory=True)
    try:
        yield
    finally:
        for link, _ in links:
            link.unlink()
        for source, target in reversed(moves):
            shutil.move(target, source)
        shutil.rmtree(store)


def _check_moved(application: Path, otelcol_binary: Path, folder: Path) -> None:
    """The standalone output somewhere else, with everything that it was made of out of reach."""
    standalone = folder / "standalone"
    shutil.copytree(application / ".next/standalone", standalone, symlinks=True)
    shutil.copytree(application / ".next/static", standalone / ".next/static")
    # Beside it, since renaming does not cross file systems.
    with (
        _hidden(application, application.with_name("hidden")) as hidden,
        _collecting(otelcol_binary, folder / "moved") as collector,
    ):
        command = ["node", "server.js"]
        _check(_visit(collector, standalone, command, hidden / "visit.mjs", folder / "moved.log"))


def test_the_guide_compiles(application: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/next.md").read_text()
    # What is left out of an example cannot be compiled.
    examples = [
        (kind, code)
        for kind, code in re.findall(r"^```(tsx?)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if " ... " not in code
    ]
    assert len(examples) >= 7
    guide = application / "guide"
    shutil.rmtree(guide, ignore_errors=True)
    guide.mkdir()
    try:
        for at, (kind, code) in enumerate(examples):
            (guide / f"example{at}.{kind}").write_text(code)
        # As `create-next-app` has it.
        settings = {"extends": "../tsconfig.json", "include": ["*.ts", "*.tsx"]}
        (guide / "tsconfig.json").write_text(json.dumps(settings))
        tsc = ["node", "node_modules/typescript/bin/tsc", "--project", "guide"]
        compiled = subprocess.run(tsc, cwd=application, capture_output=True, text=True, check=False)
        assert compiled.returncode == 0, compiled.stdout
    finally:
        shutil.rmtree(guide)


def test_next_dev(application: Path, otelcol_binary: Path, tmp_path: Path) -> None:
    shutil.rmtree(application / ".next", ignore_errors=True)
    with _collecting(otelcol_binary, tmp_path / "collector") as collector:
        command = [*NEXT, "dev", "-p", "0"]
        _check(_visit(collector, application, command, application / "visit.mjs", tmp_path / "log"))


@pytest.mark.parametrize("bundler", ["turbopack", "webpack"])
def test_next_build(bundler: str, application: Path, otelcol_binary: Path, tmp_path: Path) -> None:
    _build(application, bundler, tmp_path / "build.log")
    with _collecting(otelcol_binary, tmp_path / "start") as collector:
        command = [*NEXT, "start", "-p", "0"]
        _check(_visit(collector, application, command, application / "visit.mjs", tmp_path / "start.log"))

    _check_moved(application, otelcol_binary, tmp_path)


@pytest.mark.parametrize("bundler", ["turbopack", "webpack"])
def test_packages_behind_links(bundler: str, application: Path, otelcol_binary: Path, tmp_path: Path) -> None:
    with _linked(application):
        _build(application, bundler, tmp_path / "build.log")
        _check_moved(application, otelcol_binary, tmp_path)


def test_a_page_that_is_left(application: Path, tmp_path: Path) -> None:
    command = ["node", str(Path(__file__).with_name("leaving.mjs")), str(application)]
    log = tmp_path / "log"
    with _program(command, application, {}, log) as process:
        process.communicate(timeout=VISITED_WITHIN)
        assert process.returncode == 0, log.read_text()
    told = json.loads(log.read_text().splitlines()[-1])
    # There was no room for it then, and there was later.
    assert (told["refused"]["posted"], told["refused"]["pending"]) == (0, 1)
    assert (told["later"]["posted"], told["later"]["pending"], told["later"]["dropped"]) == (1, 0, {})
    assert sorted(told["arrived"]) == ["refused", "under way", "waiting"]


def test_a_page_that_is_acted_on(application: Path, tmp_path: Path) -> None:
    command = ["node", str(Path(__file__).with_name("acting.mjs")), str(application)]
    log = tmp_path / "log"
    with _program(command, application, {}, log) as process:
        process.communicate(timeout=VISITED_WITHIN)
        assert process.returncode == 0, log.read_text()
    told = json.loads(log.read_text().splitlines()[-1])
    # A click that submits is one trace, and over afterwards; nothing is a span that hands in others.
    assert sorted(map(tuple, told["spans"])) == [
        ("GET /plain", ""),
        ("GET /torn", ""),
        ("POST /form", ""),
        ("POST /silent", ""),
        ("click button#go", ""),
        ("later", ""),
        # By `sendBeacon`, to another origin.
        ("leaving", ""),
        ("ordered", "submit form#order"),
        ("submit form#order", "click button#go"),
    ]
    # Strangers are told nothing, so that the browser has nothing to ask them first either.
    assert told["strangers"] == [["GET", "/plain", ""], ["POST", "/silent", ""]]
    assert (told["counted"]["posted"], told["counted"]["pending"], told["whole"]) == (8, 0, True)
