"""`config_env.json`: what options and the environment make of an engine, as far as a program can see it:
errors and warnings, what is sent where and how, what is recorded, kept and carried along."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polyspan
import pytest
from polyspan import MemoryExporter, SpanContext, inject
from test_vectors import cases

SIGNALS = ("", "log_", "metric_")
LEVELS: tuple[Any, ...] = ("trace", "debug", "info", "warn", "error", "fatal")
LAST = (1 << 56) - 1
# Requests have these whatever the options say.
STANDARD = re.compile(r"host|user-agent|content-.*|accept.*|connection|trace(parent|state)|transfer-encoding")
# Each is said once in the life of a process.
SAID: set[tuple[str, str]] = set()


class Taking(ThreadingHTTPServer):
    """Keeps the path and headers of every request."""

    daemon_threads = True

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Taking

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((self.path, headers))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


@pytest.fixture(scope="module")
def server() -> Iterator[Taking]:
    server = Taking()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def taking(server: Taking) -> Taking:
    server.requests.clear()
    return server


def moved(form: Any, endpoint: str, folder: Path) -> Any:
    """The same with that receiver in the place of every other one, and with that folder."""
    if isinstance(form, dict):
        return {name: moved(part, endpoint, folder) for name, part in form.items()}
    if isinstance(form, list):
        return [moved(part, endpoint, folder) for part in form]
    if not isinstance(form, str):
        return form
    text = re.sub(r"^http(s://|://(?!localhost))[a-z.]+(:[0-9]+)?(?=[/?]|$)", endpoint, form)
    return f"{folder}/{text[5:]}" if text.startswith("/tmp/") else text


def that_can_be_seen() -> list[Any]:
    # What products' variables set is in `presets.json`, and would be sent to them; providers are apart.
    def seen(case: dict[str, Any]) -> bool:
        products = any(re.search(r"_KEY$|_TOKEN$", name) for name in case["env"])
        return "provider" not in case["options"] and (not products or "error" in case)

    return [one for one in cases("config_env.json") if seen(one.values[0])]


@pytest.mark.parametrize("vector", that_can_be_seen())
def test_what_the_environment_and_options_come_to(
    vector: dict[str, Any],
    taking: Taking,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    case = moved(vector, taking.endpoint, tmp_path)
    monkeypatch.delenv("PYTHON_ENV", raising=False)
    for name, value in case["env"].items():
        monkeypatch.setenv(name, value)
    if "error" in case:
        with pytest.raises(polyspan.PolyspanError) as raised:
            polyspan.init(**({"name": "refused"} | case["options"]))
        assert raised.value.code == "invalid_option"
        assert str(raised.value).startswith(f"{case['error']}: ") and "expected" in str(raised.value)
    else:
        comes_out(case, taking)
    warned(case["warnings"], [record.getMessage() for record in caplog.records if record.name == "polyspan"])


def warned(warnings: list[dict[str, str]], lines: list[str]) -> None:
    assert not any("s3cret" in line for line in lines)
    for warning in warnings:
        key = (warning["variable"], warning["value"])
        said = [f"{key[0]}: " in line and line.endswith(f"; {warning['fallback']}") for line in lines]
        assert any(said) or key in SAID, lines
        SAID.add(key)
    # And nothing else of variables.
    assert sum(bool(re.match(r"OTEL_\w+: ", line)) for line in lines) <= len(warnings), lines


def comes_out(case: dict[str, Any], taking: Taking) -> None:
    expected = case["expect"]
    if "limits" in expected:
        keeps(expected["limits"], case["options"])
    if "log_level" in expected:
        keeps_logs(expected["log_level"], case["options"])
    logs = "log_exporters" in expected or "log_endpoints" in expected
    spans = {"exporters", "console_fallback", "metric_exporters", "metric_endpoints"} & expected.keys()
    # What is not asked about goes nowhere.
    quiet: dict[str, Any] = {} if logs else {"logs_exporter": "none"}
    if not logs and not spans:
        quiet["exporters"] = []
    engine = polyspan.init(replace=True, **(quiet | case["options"]))
    try:
        shows(engine, expected)
        if "sampler" in expected:
            samples(engine, expected["sampler"])
        sends(engine, expected, taking)
        assert engine.stats().adds_up()
    finally:
        # Those at the usual place have no receiver.
        try:
            engine.shutdown(0)
        except polyspan.PolyspanError as error:
            assert error.code == "deadline_exceeded"


def shows(engine: polyspan.Engine, expected: dict[str, Any]) -> None:
    """What an engine shows of itself."""
    if "name" in expected:
        assert engine.name == expected["name"]
    unnamed = engine.resource["service.name"]
    if "service" in expected:
        assert unnamed.startswith("unknown_service:") and len(unnamed) > 16
    if "resource" in expected:
        wanted = expected["resource"] | {"telemetry.sdk.language": "python"}
        if wanted["service.name"] == "unknown_service:vectors":
            assert unnamed.startswith("unknown_service:")
            wanted["service.name"] = unnamed
        # What is a list comes back as a tuple.
        found = {key: list(one) if isinstance(one, tuple) else one for key, one in engine.resource.items()}
        assert found.pop("telemetry.sdk.version")
        assert found == wanted
    if "disabled" in expected:
        assert engine.span("recorded").is_recording == (not expected["disabled"])
    if "propagators" in expected:
        with polyspan.context(baggage={"tenant": "acme"}), engine.span("caller"):
            carried: dict[str, str] = inject({})
        names = {"traceparent": "tracecontext", "baggage": "baggage"}
        assert {names[field] for field in carried if field in names} == set(expected["propagators"])


def samples(engine: polyspan.Engine, description: str) -> None:
    """What a sampler that is described so says of a root at the edge, of one below it, and of children."""
    parted = re.match(r"ParentBased\{root=([^,]*),", description)
    root = parted[1] if parted else description
    ratio = re.match(r"ProbabilitySampler\{(.*)\}$", root)
    is_off = root == "AlwaysOffSampler" or (ratio is not None and float(ratio[1]) == 0)
    threshold = round((1 - float(ratio[1])) * (1 << 56)) if ratio else 0

    def start(randomness: int) -> SpanContext:
        started = engine.span("root", trace_id=f"{'1' * 18}{randomness:014x}")
        context = started.context
        started.end()
        return context

    assert start(LAST if is_off else threshold).is_sampled == (not is_off)
    if not is_off and threshold > 0:
        assert not start(threshold - 1).is_sampled
    shortest = f"{threshold:014x}".rstrip("0") or "0"
    assert start(LAST).trace_state == (f"ot=th:{shortest}" if ratio and not is_off else "")
    for flags in (0, 1):
        parent = SpanContext(f"{'1' * 18}{LAST:014x}", "2" * 16, trace_flags=flags, is_remote=True)
        child = engine.span("child", parent=parent)
        assert child.context.is_sampled == (flags == 1 if parted else not is_off)
        child.end()


def keeps(limits: dict[str, Any], options: dict[str, Any]) -> None:
    """How much of a span is kept, where each part of it is one longer than it may be."""
    length = limits["attribute_value_length"]

    def many(count: int) -> dict[str, str]:
        return {f"k{at}": "x" * ((length or 99) + 1) for at in range(count + 1)}

    exporter = MemoryExporter()
    engine = polyspan.init(exporter=exporter, replace=True, **options)
    try:
        started = engine.span("long", attributes=many(limits["attributes"]))
        for at in range(limits["events"] + 1):
            started.event("e", many(limits["event_attributes"]) if at == 0 else {})
        linked = SpanContext("1" * 32, "2" * 16)
        for at in range(limits["links"] + 1):
            started.link(linked, many(limits["link_attributes"]) if at == 0 else {})
        started.end()
        engine.flush(30)
    finally:
        engine.shutdown(30)
    (found,) = exporter.spans
    assert len(found.attributes) == limits["attributes"]
    assert (len(found.events), len(found.links)) == (limits["events"], limits["links"])
    assert len(found.events[0][2]) == limits["event_attributes"]
    assert len(found.links[0][1]) == limits["link_attributes"]
    assert {len(one) for one in found.attributes.values()} <= {length or 100}


def keeps_logs(least: str, options: dict[str, Any]) -> None:
    engine = polyspan.init(exporter=MemoryExporter(), replace=True, **options)
    try:
        first = LEVELS.index(least) if least in LEVELS else len(LEVELS)
        assert [polyspan.log(level, "said") for level in LEVELS] == [at >= first for at in range(len(LEVELS))]
    finally:
        engine.shutdown(30)


def sends(engine: polyspan.Engine, expected: dict[str, Any], taking: Taking) -> None:
    """The exporters by their types, and what those that send were given."""
    stats = engine.stats()
    counted = {"": stats.exporters, "log_": stats.logs["exporters"], "metric_": stats.metrics["exporters"]}
    for signal in SIGNALS:
        if (wanted := expected.get(f"{signal}exporters")) is not None:
            # The second of a type has a number.
            types = sorted(name.split("#")[0] for name in counted[signal])
            assert types == sorted(one["type"] for one in wanted)
    exporters = [one for signal in SIGNALS for one in expected.get(f"{signal}exporters") or []]
    endpoints = [one for signal in SIGNALS for one in expected.get(f"{signal}endpoints") or []]
    otlp = [one for one in exporters if one["type"] == "otlp_http"] + [{"endpoint": one} for one in endpoints]

    # Nobody listens at the usual place, nobody has certificates, and a millisecond is none to wait for.
    def is_sendable(one: dict[str, Any]) -> bool:
        in_time = one.get("timeout_ms", 10_000) >= 1000
        return in_time and one["endpoint"].startswith(taking.endpoint) and one.get("certificate") is None

    if not otlp or not all(map(is_sendable, otlp)):
        return
    with engine.span("sent"):
        polyspan.log("error", "sent too")
    engine.flush(30)
    received = []
    for path, headers in list(taking.requests):
        own = {name: value for name, value in headers.items() if not STANDARD.fullmatch(name)}
        received.append((path, headers.get("content-encoding", "none"), own))
    for one in otlp:
        path = one["endpoint"][len(taking.endpoint) :]
        found = [request for request in received if request[0] == path]
        assert found, (path, received)
        if "compression" in one:
            headers = {name.lower(): value for name, value in one["headers"].items()}
            assert (path, one["compression"], headers) in found, json.dumps(received)
