"""Polyspan by its own interface in a program that has set our provider for the OpenTelemetry API."""

from __future__ import annotations

from opentelemetry import trace
from polyspan.opentelemetry import TracerProvider

from subjects import polyspan


class Subject(polyspan.Subject):
    def __init__(self, setup) -> None:
        super().__init__(setup)
        trace.set_tracer_provider(TracerProvider())
