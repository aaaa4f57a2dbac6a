"""Stock instrumentation packages, the distribution, and a machine without the SDK."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import polyspan
import pytest
from conftest import Run
from polyspan.opentelemetry import TracerProvider
from receiving import Receiver

SERVICE = """
    import json, sys, threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    class Echo(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *_):
            pass
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
"""


@pytest.mark.parametrize("client", ["requests", "httpx"])
def test_http_clients_carry_the_trace(run_python: Run, client: str) -> None:
    instrumentor = {"requests": "RequestsInstrumentor", "httpx": "HTTPXClientInstrumentor"}[client]
    done = run_python(
        textwrap.dedent(SERVICE)
        + textwrap.dedent(
            f"""
            import {client}, polyspan
            from opentelemetry import trace
            from opentelemetry.instrumentation.{client} import {instrumentor}
            from polyspan.opentelemetry import TracerProvider
            memory = polyspan.MemoryExporter()
            provider = TracerProvider(exporter=memory)
            trace.set_tracer_provider(provider)
            {instrumentor}().instrument()
            with polyspan.span("own") as own, polyspan.context(baggage={{"k": "v"}}):
                headers = {client}.get(url).json()
            provider.force_flush()
            get, own_record = memory.spans
            print(json.dumps({{
                "traceparent": headers["traceparent"], "baggage": headers["baggage"],
                "trace": own.trace_id, "parent": get.parent_span_id, "own": own.span_id,
                "span": get.span_id, "kind": get.kind, "name": get.name,
                "status": get.attributes.get("http.status_code"), "scope": get.scope[0],
            }}))
            """
        )
    )
    seen = json.loads(done.stdout)
    assert seen["traceparent"] == f"00-{seen['trace']}-{seen['span']}-03"
    assert seen["baggage"] == "k=v"
    assert seen["parent"] == seen["own"]
    assert (seen["kind"], seen["name"], seen["status"]) == ("client", "GET", 200)
    assert seen["scope"] == f"opentelemetry.instrumentation.{client}"


def test_opentelemetry_instrument_picks_polyspan_up(tmp_path: Path, receiver: Receiver) -> None:
    program = """
        import requests
        from opentelemetry import trace
        with trace.get_tracer("app").start_as_current_span("work"):
            requests.head("http://127.0.0.1:9/", timeout=1)
    """
    (tmp_path / "app.py").write_text(textwrap.dedent(program))
    variables = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    variables |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_SERVICE_NAME": "instrumented",
        "OTEL_PYTHON_DISTRO": "polyspan",
    }
    command = Path(sys.executable).with_name("opentelemetry-instrument")
    done = subprocess.run(
        [str(command), sys.executable, "app.py"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Connection refused" in done.stderr, done.stderr
    assert "Failed to auto initialize" not in done.stderr
    names = receiver.names()
    assert names["work"] == 1 and names["HEAD"] == 1
    resource = {entry.key: entry.value.string_value for entry in receiver.resources[0].attributes}
    assert resource["service.name"] == "instrumented"
    assert resource["telemetry.sdk.name"] == "polyspan"
    assert resource["telemetry.auto.version"]


def test_the_global_provider_by_the_environment(run_python: Run) -> None:
    run_python(
        """
        from opentelemetry import context, trace
        from polyspan.opentelemetry import RuntimeContext, TracerProvider
        assert isinstance(context._RUNTIME_CONTEXT, RuntimeContext)
        assert isinstance(trace.get_tracer_provider(), TracerProvider)
        """,
        OTEL_PYTHON_TRACER_PROVIDER="polyspan",
        OTEL_PYTHON_CONTEXT="polyspan",
        OTEL_TRACES_EXPORTER="none",
    )


WITHOUT_SDK = """
    import sys
    class Hidden:
        def find_spec(self, name, path=None, target=None):
            if name == "opentelemetry.sdk" or name.startswith("opentelemetry.sdk."):
                raise ModuleNotFoundError(name)
    sys.meta_path.insert(0, Hidden())
    import polyspan
    from opentelemetry import baggage, context, trace
    from polyspan.opentelemetry import Span, TracerProvider, register
"""


def test_the_api_package_alone_is_enough(run_python: Run) -> None:
    run_python(
        textwrap.dedent(WITHOUT_SDK)
        + textwrap.dedent(
            """
            memory = polyspan.MemoryExporter()
            provider = register(exporter=memory, service="alone")
            assert trace.get_tracer_provider() is provider
            tracer = trace.get_tracer("lib", "1", attributes={"k": "v"})
            assert tracer is trace.get_tracer("lib", "1", attributes={"k": "v"})
            try:
                with tracer.start_as_current_span("outer", kind=trace.SpanKind.SERVER) as outer:
                    assert isinstance(outer, trace.Span) and isinstance(outer, Span)
                    assert (outer.name, outer.kind) == ("outer", trace.SpanKind.SERVER)
                    outer.add_event("e", {"a": 1})
                    assert [event.name for event in outer.events] == ["e"]
                    assert outer.resource["service.name"] == "alone"
                    with polyspan.span("own"):
                        tracer.start_span("inner").end()
                    raise ValueError("x")
            except ValueError:
                pass
            try:
                provider.add_span_processor(object())
            except polyspan.PolyspanError as error:
                assert "opentelemetry-sdk" in str(error)
            else:
                raise AssertionError
            assert provider.force_flush()
            inner, own, outer = memory.spans
            assert inner.parent_span_id == own.span_id and own.parent_span_id == outer.span_id
            assert outer.status_message == "ValueError: x"
            assert "opentelemetry.sdk" not in sys.modules
            provider.shutdown()
            """
        )
    )


def test_the_own_api_needs_no_opentelemetry(run_python: Run) -> None:
    run_python(
        """
        import sys
        sys.modules["opentelemetry"] = None
        import polyspan
        memory = polyspan.MemoryExporter()
        polyspan.init("x", exporter=memory)
        with polyspan.context(session_id="s", baggage={"k": "v"}), polyspan.span("x"):
            assert polyspan.inject({})["baggage"] == "k=v"
        polyspan.flush()
        assert memory.spans[0].attributes == {"session.id": "s"}
        """
    )


def test_loading_the_api_later_keeps_what_is_current(run_python: Run) -> None:
    run_python(
        """
        import polyspan
        polyspan.init("x", exporters=[])
        with polyspan.context(baggage={"k": "v"}), polyspan.span("own") as own:
            from opentelemetry import baggage, trace
            from polyspan.opentelemetry import TracerProvider
            TracerProvider()
            assert baggage.get_all() == {"k": "v"}
            assert trace.get_current_span() == own
        """
    )


def test_what_the_api_had_attached_before_stays(run_python: Run) -> None:
    run_python(
        """
        from opentelemetry import baggage, context, trace
        token = context.attach(baggage.set_baggage("k", "v"))
        import polyspan
        from polyspan.opentelemetry import TracerProvider
        TracerProvider(exporters=[])
        assert polyspan.baggage() == {"k": "v"}
        context.detach(token)
        """
    )


@pytest.mark.skipif(importlib.util.find_spec("pydantic_ai") is None, reason="the example's framework")
def test_an_agent_framework_reports_through_the_provider() -> None:
    from pydantic_ai import Agent
    from pydantic_ai.models.instrumented import InstrumentationSettings
    from pydantic_ai.models.test import TestModel

    memory = polyspan.MemoryExporter()
    provider: Any = TracerProvider(exporter=memory, replace=True)
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
    agent = Agent(TestModel(), name="helper")

    @agent.tool_plain
    def lookup(query: str) -> str:
        with polyspan.span("inside the tool", type="tool"):
            return query

    with polyspan.span("request"):
        # Not `run_sync`: it leaves its event loop to whichever test collects garbage next.
        asyncio.run(agent.run("hello"))
    Agent.instrument_all(False)
    provider.force_flush()
    records = {record.name: record for record in memory.spans}
    by_id = {record.span_id: record for record in memory.spans}
    inside = records["inside the tool"]
    chain = []
    at: Any = inside
    while at is not None:
        chain.append(at.name)
        at = by_id.get(at.parent_span_id or "")
    assert chain[-1] == "request"
    assert any("helper" in name or "agent" in name for name in chain[1:-1])
    assert len({record.trace_id for record in memory.spans}) == 1
    provider.shutdown()
