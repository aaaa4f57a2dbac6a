"""What the provider adds where the SDK is installed: its classes, arguments, processors and samplers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polyspan
import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from conftest import Recorded, Run
from opentelemetry import trace
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanKind, StatusCode
from polyspan.opentelemetry import Span, Tracer, TracerProvider
from provided import REMOTE, Provided, provided
from receiving import Receiver


@pytest.fixture
def otel() -> Iterator[Provided]:
    fixture = provided()
    yield fixture
    fixture.provider.shutdown()


def test_the_classes_are_what_vendors_look_for(otel: Provided) -> None:
    provider: Any = otel.provider
    tracer: Any = otel.tracer
    assert isinstance(provider, sdk.TracerProvider)
    assert {Tracer, sdk.Tracer, trace.Tracer} <= set(type(tracer).__mro__)
    with otel.tracer.start_as_current_span("x") as span:
        assert isinstance(span, Span)
        assert isinstance(span, trace.Span) and isinstance(span, sdk.Span)
        assert isinstance(span, sdk.ReadableSpan)
        assert trace.get_current_span() is span
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_span_has_what_the_sdk_s_spans_have(otel: Provided) -> None:
    with otel.tracer.start_as_current_span("x") as span:
        assert isinstance(span, Span)
        assert span.resource.attributes["telemetry.sdk.language"] == "python"
        assert '"name": "x"' in span.to_json()


def test_processors_get_the_sdk_s_own_objects(otel: Provided) -> None:
    exporter = InMemorySpanExporter()
    seen: list[Any] = []

    class Processor(sdk.SpanProcessor):
        def on_start(self, span: sdk.Span, parent_context: Any = None) -> None:
            seen.append((span, parent_context))
            span.set_attribute("from", "on_start")

        def _on_ending(self, span: sdk.Span) -> None:
            span.set_attribute("late", "on_ending")

        def on_end(self, span: sdk.ReadableSpan) -> None:
            seen.append(span)

    otel.provider.add_span_processor(Processor())
    otel.provider.add_span_processor(SimpleSpanProcessor(exporter))
    parent = trace.set_span_in_context(trace.NonRecordingSpan(REMOTE))
    span = otel.tracer.start_span("x", context=parent, attributes={"a": 1}, links=[Link(REMOTE, {"l": 1})])
    span.add_event("e", {"k": "v"})
    span.set_status(StatusCode.ERROR, "bad")
    span.end()
    assert seen[0] == (span, parent)
    [readable] = exporter.get_finished_spans()
    assert type(readable) is sdk.ReadableSpan and readable is seen[1]
    assert readable.attributes == {"a": 1, "from": "on_start", "late": "on_ending"}
    assert readable.parent == REMOTE
    assert readable.context == span.get_span_context()
    assert [(event.name, event.attributes) for event in readable.events] == [("e", {"k": "v"})]
    assert [(link.context, link.attributes) for link in readable.links] == [(REMOTE, {"l": 1})]
    assert (readable.status.status_code, readable.status.description) == (StatusCode.ERROR, "bad")
    assert readable.instrumentation_scope is not None and readable.instrumentation_scope.name == "lib"
    assert readable.start_time is not None and readable.end_time is not None
    assert readable.start_time <= readable.end_time
    record = otel.one()
    assert (record.start_time, record.end_time) == (readable.start_time, readable.end_time)
    assert record.attributes == readable.attributes
    assert dict(readable.resource.attributes) == record.resource


def test_a_failing_processor_hurts_nobody(otel: Provided) -> None:
    class Broken(sdk.SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            raise RuntimeError

        def on_end(self, span: Any) -> None:
            raise RuntimeError

    otel.provider.add_span_processor(Broken())
    with otel.tracer.start_as_current_span("x"):
        pass
    assert otel.one().name == "x"


def test_processors_are_flushed_and_shut_down() -> None:
    calls: list[str] = []

    class Exporter(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

        def shutdown(self) -> None:
            calls.append("shutdown")

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            calls.append("flush")
            return True

    fixture = provided()
    fixture.provider.add_span_processor(SimpleSpanProcessor(Exporter()))
    assert fixture.provider.force_flush()
    fixture.provider.shutdown()
    assert "shutdown" in calls
    fixture.tracer.start_span("late").end()
    assert fixture.engine.stats().dropped == {"already_shutdown": 1}


class Ids(IdGenerator):
    def generate_trace_id(self) -> int:
        return 0x77

    def generate_span_id(self) -> int:
        return 0x88


def test_the_engine_and_processors_are_flushed_at_the_same_time(receiver: Receiver) -> None:
    receiver.hang.set()
    asked: list[int] = []

    class Processor(sdk.SpanProcessor):
        def force_flush(self, timeout_millis: int = 30000) -> bool:
            asked.append(timeout_millis)
            # The engine is sending already, and done only once this processor is.
            assert receiver.held.wait(30)
            receiver.release()
            return True

    provider = TracerProvider(
        exporters=[{"type": "otlp_http", "endpoint": receiver.endpoint}], name="together", schedule_delay=3600
    )
    provider.add_span_processor(Processor())
    provider.get_tracer("tests").start_span("x").end()
    assert provider.force_flush(60_000)
    assert len(asked) == 1 and 0 < asked[0] <= 60_000
    provider.shutdown()


def test_a_processor_without_time_left_is_not_asked() -> None:
    class Processor(sdk.SpanProcessor):
        def force_flush(self, timeout_millis: int = 30000) -> bool:
            raise AssertionError

    fixture = provided()
    fixture.provider.add_span_processor(Processor())
    assert not fixture.provider.force_flush(0)
    fixture.provider.shutdown()


@pytest.mark.parametrize("several", ["in turn", "at once"])
def test_processors_that_raise_keep_nobody_from_stopping(
    several: str, caplog: pytest.LogCaptureFixture
) -> None:
    stopped: list[str] = []

    class Broken(sdk.SpanProcessor):
        def shutdown(self) -> None:
            raise RuntimeError("cannot stop")

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            raise RuntimeError("cannot flush")

    class Sound(sdk.SpanProcessor):
        def shutdown(self) -> None:
            stopped.append("sound")

        def force_flush(self, timeout_millis: int = 30000) -> bool:
            stopped.append("flushed")
            return True

    active: Any = sdk.ConcurrentMultiSpanProcessor() if several == "at once" else None
    fixture = provided(active_span_processor=active)
    for processor in (Broken(), Sound()):
        fixture.provider.add_span_processor(processor)
    assert not fixture.provider.force_flush()
    assert not fixture.provider.force_flush()
    fixture.provider.shutdown()
    if active is not None:
        active._executor.shutdown(wait=True)
    assert stopped == ["flushed", "flushed", "sound"]
    said = [record.message for record in caplog.records if record.name == "polyspan"]
    assert said == [f"a span processor raised when it was {when}" for when in ("flushed", "shut down")]
    fixture.tracer.start_span("late").end()
    assert fixture.engine.stats().dropped == {"already_shutdown": 1}


@pytest.mark.parametrize("limit", ["ATTRIBUTE_COUNT", "SPAN_ATTRIBUTE_COUNT", "LINK_ATTRIBUTE_COUNT"])
@pytest.mark.parametrize("value", ["-3", "many"])
def test_a_limit_that_is_none_in_the_environment_is_said_and_not_used(
    run_python: Run, limit: str, value: str
) -> None:
    variable = f"OTEL_{limit}_LIMIT"
    done = run_python(
        f"""
        import os
        from polyspan import MemoryExporter
        from polyspan.opentelemetry import TracerProvider

        exporter = MemoryExporter()
        provider = TracerProvider(exporter=exporter)
        attributes = {{f"k{{number}}": number for number in range(200)}}
        provider.get_tracer("x").start_span("x", attributes=attributes).end()
        provider.shutdown()
        print(len(exporter.spans[0].attributes), os.environ[{variable!r}])
        """,
        **{variable: value},
    )
    assert done.stdout == f"128 {value}\n"
    assert variable in done.stderr and "128" in done.stderr


def test_the_constructor_s_arguments() -> None:
    processor: Any = sdk.SynchronousMultiSpanProcessor()  # type: ignore[no-untyped-call]
    exporter = InMemorySpanExporter()
    processor.add_span_processor(SimpleSpanProcessor(exporter))
    fixture = provided(
        sampler=sampling.ALWAYS_ON,
        resource=Resource({"service.name": "mine", "n": 1}),
        shutdown_on_exit=False,
        active_span_processor=processor,
        id_generator=Ids(),
        span_limits=sdk.SpanLimits(max_span_attributes=2, max_events=1, max_span_attribute_length=3),
    )
    with fixture.tracer.start_as_current_span("x", attributes={"a": "12345"}) as span:
        for number in range(5):
            span.set_attribute(f"k{number}", number)
            span.add_event(f"e{number}")
    record = fixture.one()
    assert (record.trace_id, record.span_id) == (f"{0x77:032x}", f"{0x88:016x}")
    assert (record.resource["service.name"], record.resource["n"]) == ("mine", 1)
    assert len(record.attributes) == 2 and record.attributes["a"] == "123"
    assert len(record.events) == 1
    assert (record.dropped_attributes, record.dropped_events) == (4, 4)
    assert len(exporter.get_finished_spans()) == 1
    assert fixture.provider.sampler is sampling.ALWAYS_ON
    fixture.provider.shutdown()


def test_samplers_of_the_sdk(otel: Provided) -> None:
    asked: list[Any] = []

    class Own(sampling.Sampler):
        def should_sample(
            self,
            parent_context: Any,
            trace_id: int,
            name: str,
            kind: Any = None,
            attributes: Any = None,
            links: Any = None,
            trace_state: Any = None,
        ) -> sampling.SamplingResult:
            asked.append((parent_context, name, kind, attributes, links))
            decision = sampling.Decision.DROP if "drop" in name else sampling.Decision.RECORD_AND_SAMPLE
            if "broken" in name:
                raise RuntimeError
            state = trace.TraceState([("own", "1")])
            return sampling.SamplingResult(decision, {"added": 1, **(attributes or {})}, state)

        def get_description(self) -> str:
            return "Own"

    fixture = provided(sampler=Own())
    given = {"a": 1}
    with fixture.tracer.start_as_current_span("keep", kind=SpanKind.SERVER, attributes=given) as span:
        assert span.get_span_context().trace_state == {"own": "1"}
        child = fixture.tracer.start_span("drop")
        assert not child.is_recording()
        polyspan.span("broken").end()
    assert asked[0] == (None, "keep", SpanKind.SERVER, given, None)
    assert [entry[1] for entry in asked] == ["keep", "drop", "broken"]
    assert fixture.span("keep").attributes == {"added": 1, "a": 1}
    assert fixture.span("broken").parent_span_id == fixture.span("keep").span_id
    fixture.provider.shutdown()
    off = provided(sampler=sampling.TraceIdRatioBased(0))
    off.tracer.start_span("x").end()
    assert off.spans() == [] and off.engine.stats().unsampled == 1
    off.provider.shutdown()


def test_tracers_can_be_disabled(otel: Provided) -> None:
    otel.provider._set_tracer_configurator(tracer_configurator=sdk._disable_tracer_configurator)  # type: ignore[attr-defined]
    with otel.tracer.start_as_current_span("off") as span:
        assert not span.is_recording()
    assert otel.spans() == []


def test_the_resource_is_the_engine_s(recorded: Recorded) -> None:
    assert TracerProvider().resource.attributes["service.name"] == "tests"


@pytest.mark.parametrize("raw", [False, True])
def test_span_processors_get_no_secrets_unless_asked(raw: bool) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(
        name=f"processors {raw}", exporters=[], attribute_count_limit=2, raw_processors=raw
    )
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with provider.get_tracer("tests").start_as_current_span("login") as span:
        span.set_attribute("password", "hunter2")
        span.set_attribute("user.name", "ada")
        span.set_attribute("third", "one too many")
    (seen,) = kept.get_finished_spans()
    provider.shutdown()
    assert seen.attributes is not None and seen.name == "login" and seen.end_time
    assert seen.attributes["user.name"] == "ada"
    assert (seen.attributes["password"] == "hunter2") is raw
    assert ("third" in seen.attributes) is raw


def test_a_provider_that_could_not_be_made_leaves_quietly(run_python: Run) -> None:
    done = run_python(
        """
        from polyspan import PolyspanError
        from polyspan.opentelemetry import TracerProvider

        try:
            TracerProvider(sampler="nonsense")
        except PolyspanError as error:
            print(error.code)
        """
    )
    assert (done.stdout, done.stderr) == ("invalid_option\n", "")
