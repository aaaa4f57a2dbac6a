"""The reference: `opentelemetry-sdk` with its batch processor and the stock OTLP/HTTP exporter."""

from __future__ import annotations

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased

from subjects.opentelemetry_api import ApiSubject


class NullExporter(SpanExporter):
    """Counts the spans and lets them go."""

    count = 0

    def export(self, spans):
        self.count += len(spans)
        return SpanExportResult.SUCCESS


class Subject(ApiSubject):
    def __init__(self, setup) -> None:
        self.null = exporter = NullExporter()
        if setup.export == "otlp":
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

            exporter = OTLPSpanExporter(endpoint=setup.sink + "/v1/traces")
        self.processor = BatchSpanProcessor(exporter)
        sampler = ParentBased(ALWAYS_ON if setup.sampled else ALWAYS_OFF)
        self.provider = TracerProvider(sampler=sampler, resource=Resource.create({"service.name": "bench"}))
        self.provider.add_span_processor(self.processor)
        self.tracer = self.provider.get_tracer("bench")

    def flush(self) -> None:
        self.provider.force_flush()

    def stop(self) -> dict:
        self.provider.shutdown()
        return {"exported": self.null.count}
