"""Runs the real OpenTelemetry Collector on free loopback ports, for the end-to-end tests.

`conftest.py` makes one for each test that asks for it. What it received is read back from its file
exporter with `otlp_json`.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from otlp_json import Span, read_spans

READY_WITHIN = 30.0
STOPPED_WITHIN = 15.0
POLL_EVERY = 0.02


class CollectorError(AssertionError):
    """The Collector did not do its part; holds its log."""


class Collector:
    """A running Collector that writes what it receives to a file."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.grpc_port, self.http_port, self._health_port = _free_ports(3)
        self.output = folder / "received.jsonl"
        self._logs = folder / "logs.jsonl"
        self._metrics = folder / "metrics.jsonl"
        self._log = folder / "collector.log"
        self._folder = folder
        config = folder / "collector.json"
        config.write_text(json.dumps(self._configuration()))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(binary), "--config", str(config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    @property
    def endpoint(self) -> str:
        """The base URL for `OTEL_EXPORTER_OTLP_ENDPOINT` with a protocol over HTTP."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _configuration(self) -> dict[str, object]:
        return {
            "receivers": {
                "otlp": {
                    "protocols": {
                        "grpc": {"endpoint": f"127.0.0.1:{self.grpc_port}"},
                        "http": {"endpoint": f"127.0.0.1:{self.http_port}"},
                    }
                }
            },
            "exporters": {
                "file": {"path": str(self.output), "flush_interval": "50ms"},
                "file/logs": {"path": str(self._logs), "flush_interval": "50ms"},
                "file/metrics": {"path": str(self._metrics), "flush_interval": "50ms"},
                "debug": {"verbosity": "basic"},
            },
            "extensions": {"health_check": {"endpoint": f"127.0.0.1:{self._health_port}"}},
            "service": {
                "extensions": ["health_check"],
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {
                    "traces": {"receivers": ["otlp"], "exporters": ["file", "debug"]},
                    "logs": {"receivers": ["otlp"], "exporters": ["file/logs", "debug"]},
                    "metrics": {"receivers": ["otlp"], "exporters": ["file/metrics", "debug"]},
                },
            },
        }

    def wait_until_ready(self) -> None:
        """Returns once the Collector accepts requests."""
        health = f"http://127.0.0.1:{self._health_port}/"
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise CollectorError(f"the Collector stopped at its start:\n{self.log}")
            with suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(health) as reply:
                if reply.status == 200:
                    return
            time.sleep(POLL_EVERY)
        raise CollectorError(f"the Collector was not ready after {READY_WITHIN:.0f} s:\n{self.log}")

    def spans(self) -> list[Span]:
        """All spans whose line is complete in the file by now."""
        return read_spans(self.output) if self.output.exists() else []

    def wait_for(self, enough: Callable[[list[Span]], bool], *, within: float = 20.0) -> list[Span]:
        """The received spans, as soon as `enough` holds for them."""
        deadline = time.monotonic() + within
        while True:
            spans = self.spans()
            if enough(spans):
                return spans
            if time.monotonic() > deadline:
                names = [span.name for span in spans]
                raise CollectorError(f"after {within:.0f} s the Collector has only {names}:\n{self.log}")
            time.sleep(POLL_EVERY)

    def stop_and_read_logs(self) -> list[dict[str, Any]]:
        """Ends the Collector and returns what it received of log records: a request each."""
        self.stop()
        text = self._logs.read_text(encoding="utf-8") if self._logs.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def stop_and_read_metrics(self) -> list[dict[str, Any]]:
        """Ends the Collector and returns what it received of metrics: a request each."""
        self.stop()
        text = self._metrics.read_text(encoding="utf-8") if self._metrics.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def stop(self) -> list[Span]:
        """Ends the Collector, which writes what it still holds, and returns all spans."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise CollectorError(f"the Collector ran on for {STOPPED_WITHIN:.0f} s:\n{self.log}") from None
        if code != 0:
            raise CollectorError(f"the Collector ended with exit code {code}:\n{self.log}")
        return self.spans()

    def kill(self) -> None:
        """Ends the Collector without letting it write; also after a failed start."""
        self._process.kill()
        self._process.wait()


@contextmanager
def running(binary: Path, folder: Path) -> Iterator[Collector]:
    """A Collector that is ready, and gone afterwards."""
    collector = Collector(binary, folder)
    try:
        collector.wait_until_ready()
        yield collector
    finally:
        collector.kill()


def _free_ports(count: int) -> list[int]:
    # Held open together, so that they differ.
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in sockets]
    for server in sockets:
        server.close()
    return ports
