"""Real servers that fork, with stock instrumentation: every request's spans arrive exactly once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from receiving import Receiver

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

FLASK = """
    from flask import Flask
    from opentelemetry import trace
    from opentelemetry.instrumentation.flask import FlaskInstrumentor
    from polyspan.opentelemetry import TracerProvider
    trace.set_tracer_provider(TracerProvider())
    app = Flask(__name__)
    FlaskInstrumentor().instrument_app(app)
    @app.get("/work/<int:number>")
    def work(number):
        with trace.get_tracer("app").start_as_current_span(f"work {number}"):
            return str(number)
"""

FASTAPI = """
    import fastapi
    from opentelemetry import trace
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from polyspan.opentelemetry import TracerProvider
    trace.set_tracer_provider(TracerProvider())
    app = fastapi.FastAPI()
    FastAPIInstrumentor.instrument_app(app, exclude_spans=["send", "receive"])
    @app.get("/work/{number}")
    async def work(number: int):
        with trace.get_tracer("app").start_as_current_span(f"work {number}"):
            return number
"""


def environment(receiver: Receiver) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return kept | {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_SERVICE_NAME": "app"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until_listening(port: int, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("the server does not listen")


@pytest.mark.parametrize(
    ("program", "worker"), [(FLASK, "gthread"), (FLASK, "sync"), (FASTAPI, "uvicorn.workers.UvicornWorker")]
)
@pytest.mark.parametrize("preload", [True, False])
def test_gunicorn_with_four_workers(
    tmp_path: Path, receiver: Receiver, program: str, worker: str, preload: bool
) -> None:
    (tmp_path / "application.py").write_text(textwrap.dedent(program))
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--workers=4", f"--worker-class={worker}"]
    command += [f"--bind=127.0.0.1:{port}", "--log-level=error", "--threads=4"]
    server = subprocess.Popen(
        [*command, *(["--preload"] if preload else []), "application:app"],
        cwd=tmp_path,
        env=environment(receiver),
        text=True,
        stderr=subprocess.PIPE,
    )
    try:
        until_listening(port, server)

        def fetch(number: int) -> None:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/work/{number}", timeout=30) as answer:
                assert answer.read() == str(number).encode()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(fetch, range(400)))
        if "uvicorn" in worker and preload:
            # These workers die by the signal, past every exit handler, as their server wants it: only what
            # the timer has sent by then arrives.
            receiver.wait_for(800)
    finally:
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate(timeout=60)
    assert server.returncode == 0, errors
    names = receiver.names()
    assert {name: count for name, count in names.items() if name.startswith("work")} == {
        f"work {number}": 1 for number in range(400)
    }
    requests = {span.span_id: span for span in receiver.spans if span.name.startswith("GET ")}
    inside = [span for span in receiver.spans if span.name.startswith("work")]
    assert len(requests) == 400
    assert Counter(span.parent_span_id for span in inside) == Counter(list(requests))
    assert all(requests[span.parent_span_id].trace_id == span.trace_id for span in inside)


CELERY = """
    import celery, polyspan
    polyspan.init()
    app = celery.Celery("tasks", broker="filesystem://")
    app.conf.update(
        broker_transport_options={"data_folder_in": "queue", "data_folder_out": "queue"},
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=False,
    )
    @app.task(name="work")
    def work(number):
        with polyspan.span(f"work {number}"):
            pass
"""


def test_celery_workers_that_do_one_task_each(tmp_path: Path, receiver: Receiver) -> None:
    pytest.importorskip("celery", reason="celery is in tests/requirements.txt")
    (tmp_path / "tasks.py").write_text(textwrap.dedent(CELERY))
    (tmp_path / "queue").mkdir()
    # What a child leaves behind must have been sent when it is gone, not by a timer.
    variables = environment(receiver) | {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}
    count = 6
    send = f"import tasks\nfor number in range({count}): tasks.work.delay(number)"
    subprocess.run([sys.executable, "-c", send], cwd=tmp_path, env=variables, check=True)
    worker = subprocess.Popen(
        [
            *[sys.executable, "-m", "celery", "-A", "tasks", "worker", "--pool=prefork", "--concurrency=2"],
            *["--max-tasks-per-child=1", "--loglevel=error", "--without-gossip", "--without-mingle"],
        ],
        cwd=tmp_path,
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        receiver.wait_for(count)
    finally:
        worker.send_signal(signal.SIGTERM)
        _, errors = worker.communicate(timeout=60)
    assert receiver.names() == {f"work {number}": 1 for number in range(count)}, errors
