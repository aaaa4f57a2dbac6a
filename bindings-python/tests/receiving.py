"""A small OTLP receiver in the test's own process, which keeps the spans it is sent."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP with protobuf; while `hang` is set it never answers."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[Any] = []
        self.logs: list[Any] = []
        # Of each request.
        self.metrics: list[list[Any]] = []
        # Of each request, names in lower case.
        self.headers: list[dict[str, str]] = []
        self.hang = threading.Event()
        # That it has a request and does not answer.
        self.held = threading.Event()
        self._arrived = threading.Condition()
        self._released = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, request: ExportTraceServiceRequest) -> None:
        if self.hang.is_set():
            self.held.set()
            self._released.wait()
        with self._arrived:
            for resource in request.resource_spans:
                self.resources.append(resource.resource)
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
            self._arrived.notify_all()

    def take_logs(self, request: ExportLogsServiceRequest) -> None:
        with self._arrived:
            for resource in request.resource_logs:
                for scope in resource.scope_logs:
                    self.logs.extend(scope.log_records)
            self._arrived.notify_all()

    def take_metrics(self, request: ExportMetricsServiceRequest) -> None:
        scopes = [scope for resource in request.resource_metrics for scope in resource.scope_metrics]
        with self._arrived:
            self.metrics.append([metric for scope in scopes for metric in scope.metrics])
            self._arrived.notify_all()

    def wait_for(self, count: int, within: float = 60) -> None:
        """Until so many spans have arrived."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self.spans) >= count, within)
        assert enough, f"only {len(self.spans)} of {count} spans arrived within {within:.0f} s"

    def names(self) -> Counter[str]:
        """How many spans of each name arrived, each of them once."""
        ids = [span.span_id for span in self.spans]
        assert len(ids) == len(set(ids)), "a span arrived twice, or two have the same id"
        return Counter(span.name for span in self.spans)

    def release(self) -> None:
        """Answers what it held back."""
        self.hang.clear()
        self._released.set()

    def close(self) -> None:
        self._released.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path.endswith("/v1/logs"):
            self.server.take_logs(ExportLogsServiceRequest.FromString(body))
        elif self.path.endswith("/v1/metrics"):
            self.server.take_metrics(ExportMetricsServiceRequest.FromString(body))
        else:
            self.server.take(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""
