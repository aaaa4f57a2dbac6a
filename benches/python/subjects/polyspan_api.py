"""Polyspan behind the OpenTelemetry API."""

from __future__ import annotations

from polyspan.opentelemetry import TracerProvider

from subjects.opentelemetry_api import ApiSubject
from subjects.polyspan import start, stop


class Subject(ApiSubject):
    def __init__(self, setup) -> None:
        self.engine = start(setup)
        self.tracer = TracerProvider().get_tracer("bench")

    def flush(self) -> None:
        self.engine.flush(timeout=30)

    def stop(self) -> dict:
        return stop(self.engine)
