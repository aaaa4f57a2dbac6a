"""Exporters written in Python that follow spans while they are open."""

from __future__ import annotations

import os
import threading

import polyspan
import pytest
from conftest import Run, Started
from polyspan import DroppedSpan, FinishedSpan, TelemetryEvent, TraceInfo

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


class Following:
    """Keeps what it is told, as (kind, name of the span or trace)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.spans: list[FinishedSpan] = []
        self.names: dict[str, str] = {}
        self.traces: list[TraceInfo] = []

    def on_trace_started(self, trace: TraceInfo) -> None:
        self.told.append(("trace_started", trace.name))
        self.traces.append(trace)

    def on_span_started(self, span: FinishedSpan) -> None:
        self.names[span.id] = span.name
        self.told.append(("span_started", span.name))
        self.spans.append(span)

    def on_span_updated(self, span: FinishedSpan) -> None:
        self.told.append(("span_updated", span.name))
        self.spans.append(span)

    def on_span_ended(self, span: FinishedSpan) -> None:
        self.told.append(("span_ended", span.name))
        self.spans.append(span)

    def on_span_dropped(self, span: DroppedSpan) -> None:
        self.told.append((f"span_dropped: {span.reason}", self.names[span.id]))

    def on_trace_ended(self, trace: TraceInfo) -> None:
        self.told.append(("trace_ended", trace.name))
        self.traces.append(trace)


def test_a_trace_is_told_as_it_happens(started: Started) -> None:
    exporter = Following()
    engine = started(exporter)
    with polyspan.span("answer", type="agent", input="why", attributes={"n": 1}, tags=["beta"]) as answer:
        with polyspan.span("search", type="tool") as search:
            search.update(output=["a", "b"])
        answer.set("not shown by itself", True)
        answer.event("thought")
    engine.flush(30)
    assert exporter.told == [
        ("trace_started", "answer"),
        ("span_started", "answer"),
        ("span_started", "search"),
        ("span_updated", "search"),
        ("span_updated", "answer"),
        ("span_ended", "search"),
        ("span_ended", "answer"),
        ("trace_ended", "answer"),
    ] or exporter.told == [
        ("trace_started", "answer"),
        ("span_started", "answer"),
        ("span_started", "search"),
        ("span_updated", "search"),
        ("span_ended", "search"),
        ("span_updated", "answer"),
        ("span_ended", "answer"),
        ("trace_ended", "answer"),
    ]
    first = exporter.spans[0]
    assert (first.input, first.attributes, first.tags) == ("why", {"n": 1}, ["beta"])
    assert (first.end_time, first.duration, first.status) == (None, None, "unset")
    updated = next(span for span in exporter.spans if span.name == "search" and span.output)
    assert updated.output == ["a", "b"] and updated.end_time is None
    begun, over = exporter.traces
    assert (begun.id, begun.root_id, begun.type) == (answer.trace_id, answer.span_id, "agent")
    assert (begun.end_time, over.end_time) == (None, exporter.spans[-1].end_time)
    assert (over.span_count, over.dropped_count, over.status) == (2, 0, "unset")
    assert engine.stats().events_dropped == 0


def test_one_method_may_take_all_events(started: Started) -> None:
    told = []

    class Matching:
        async def export_event(self, event: TelemetryEvent) -> None:
            match event:
                case polyspan.SpanDropped(span):
                    told.append(span.reason)
                case polyspan.TraceStarted(trace) | polyspan.TraceEnded(trace):
                    told.append(f"{event.type} {trace.name}")
                case polyspan.SpanStarted(span) | polyspan.SpanUpdated(span) | polyspan.SpanEnded(span):
                    told.append(f"{event.type} {span.name}")

    engine = started(Matching())
    with polyspan.span("work") as span:
        span.error(ValueError("not yet"), end=False)
    engine.flush(30)
    assert told == [
        "trace_started work",
        "span_started work",
        "span_updated work",
        "span_ended work",
        "trace_ended work",
    ]
    assert repr(polyspan.SpanEnded(span)).startswith("SpanEnded(")  # type: ignore[arg-type]


def test_processors_filters_and_formatters_see_open_spans(started: Started) -> None:
    seen = []

    def process(span: FinishedSpan) -> FinishedSpan:
        span.attributes["open"] = span.end_time is None
        span.metadata["password"] = "hunter2"
        return span

    def keep(span: FinishedSpan) -> bool:
        return span.name != "noise"

    class Formatted:
        def __init__(self) -> None:
            self.formatters = [self.upper]

        def upper(self, span: FinishedSpan) -> FinishedSpan:
            span.name = span.name.upper()
            return span

        def on_span_started(self, span: FinishedSpan) -> None:
            seen.append(span)

        on_span_ended = on_span_started

    engine = started(Formatted(), processors=[process], span_filter=keep)
    polyspan.span("work").end()
    polyspan.span("noise").end()
    engine.flush(30)
    assert [(span.name, span.attributes, span.metadata) for span in seen] == [
        ("WORK", {"open": True}, {"password": "[REDACTED]"}),
        ("WORK", {"open": False}, {"password": "[REDACTED]"}),
    ]
    assert (engine.stats().filtered, engine.stats().ended) == (1, 2)


def test_what_is_left_out_at_its_end_is_dropped(started: Started) -> None:
    exporter = Following()
    engine = started(exporter, span_filter=lambda span: span.end_time is None or span.name != "noise")
    with polyspan.span("work"):
        polyspan.span("noise").end()
    engine.flush(30)
    assert ("span_dropped: filtered", "noise") in exporter.told
    assert exporter.told[-1] == ("trace_ended", "work")
    assert exporter.traces[-1].dropped_count == 1


def test_what_is_open_at_the_end_is_dropped(started: Started) -> None:
    exporter = Following()
    engine = started(exporter)
    span = polyspan.span("endless")
    engine.shutdown(30)
    assert exporter.told == [
        ("trace_started", "endless"),
        ("span_started", "endless"),
        ("span_dropped: shutdown", "endless"),
        ("trace_ended", "endless"),
    ]
    span.end()


def test_an_instrumented_function_is_shown_with_what_it_was_given(started: Started) -> None:
    exporter = Following()
    engine = started(exporter)

    @polyspan.traced
    def double(number: int) -> int:
        return 2 * number

    assert double(21) == 42
    engine.flush(30)
    shown = [kind for kind, _ in exporter.told if kind.startswith("span_")]
    assert shown == ["span_started", "span_updated", "span_ended"]
    assert [span.input for span in exporter.spans[1:]] == [{"number": 21}] * 2


def test_spans_of_the_opentelemetry_api_are_followed_too(started: Started) -> None:
    pytest.importorskip("opentelemetry.trace")
    from polyspan.opentelemetry import TracerProvider

    exporter = Following()
    provider = TracerProvider(exporters=[exporter], replace=True)
    with provider.get_tracer("library").start_as_current_span("request", attributes={"n": 1}):
        pass
    provider.shutdown()
    assert [kind for kind, _ in exporter.told] == [
        "trace_started",
        "span_started",
        "span_ended",
        "trace_ended",
    ]
    assert exporter.spans[0].attributes == {"n": 1}


def test_one_that_raises_is_told_the_rest(started: Started) -> None:
    class Raising(Following):
        def on_span_started(self, span: FinishedSpan) -> None:
            super().on_span_started(span)
            raise OSError("no room")

    exporter = Raising()
    engine = started(exporter)
    polyspan.span("work").end()
    engine.flush(30)
    assert [kind for kind, _ in exporter.told] == [
        "trace_started",
        "span_started",
        "span_ended",
        "trace_ended",
    ]
    assert (engine.stats().host_errors, engine.stats().exported) == (1, 1)


def test_threads_keep_the_order_of_each_span(started: Started) -> None:
    exporter = Following()
    engine = started(exporter, max_queue_spans=100_000)
    spans: list[polyspan.Span] = []

    def begin() -> None:
        for _ in range(200):
            span = polyspan.span("work")
            span.update(output=1)
            spans.append(span)

    def finish() -> None:
        for _ in range(400):
            while not spans:
                pass
            spans.pop().end()

    threads = [threading.Thread(target=target) for target in (begin, begin, finish)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    engine.flush(60)
    assert engine.stats().events_dropped == 0
    order: dict[str, list[bool]] = {}
    for span in exporter.spans:
        order.setdefault(span.id, []).append(span.end_time is not None)
    assert list(order.values()) == [[False, False, True]] * 400


@forks
def test_a_forked_child_drops_what_its_parent_started(run_python: Run) -> None:
    printed = run_python(
        """
        import os, sys
        import polyspan as ps

        class Following:
            def on_span_started(self, span):
                print(os.getpid() == parent, "started", span.name, flush=True)

            def on_span_ended(self, span):
                print(os.getpid() == parent, "ended", span.name, flush=True)

            def on_span_dropped(self, span):
                print(os.getpid() == parent, "dropped", span.id == outer.span_id, span.reason, flush=True)

        parent = os.getpid()
        ps.init("tests", exporters=[Following()])
        outer = ps.span("outer")
        ps.flush()
        child = os.fork()
        if child == 0:
            ps.span("inner", parent=outer).end()
            outer.end()
            ps.flush()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        outer.end()
        ps.flush()
        """
    ).stdout.splitlines()
    assert sorted(printed) == [
        "False dropped True forked_child",
        "False ended inner",
        "False started inner",
        "True ended outer",
        "True started outer",
    ]
