"""Holds the subjects to `workload.json`: one trace goes through the API and is compared with it."""

from __future__ import annotations

import json
import unittest

import workload
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from subjects.opentelemetry_api import ApiSubject


def page() -> dict:
    page = json.loads(workload.PAGE.read_text())
    model_keys = {"input.value", "output.value"}
    events = {name: set(keys) for name, keys in page["model"]["events"].items()}
    return {
        span["name"]: (
            span["parent"],
            span["kind"],
            set(page["attributes"]) | (model_keys if span.get("model") else set()),
            events if span.get("model") else {},
        )
        for span in page["spans"]
    }


class Shape(unittest.TestCase):
    def test_opentelemetry_api_records_the_page(self) -> None:
        memory, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(memory))
        subject = ApiSubject()
        subject.tracer = provider.get_tracer("bench")
        subject.trace(workload.turns()[0])
        spans = memory.get_finished_spans()
        names = {span.context.span_id: span.name for span in spans}
        recorded = {
            span.name: (
                span.parent and names[span.parent.span_id],
                span.kind.name.lower(),
                set(span.attributes),
                {event.name: set(event.attributes) for event in span.events},
            )
            for span in spans
        }
        self.assertEqual(recorded, page())

    def test_texts_have_the_lengths_of_the_page_and_differ_between_turns(self) -> None:
        first, second, *_ = workload.turns()
        self.assertEqual((len(first.plan.request), len(first.plan_model.input)), (20, 1000))
        self.assertNotEqual(first.plan_model.input, second.plan_model.input)


if __name__ == "__main__":
    unittest.main()
