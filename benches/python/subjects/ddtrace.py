"""`ddtrace`, sending to the sink as if it were Datadog's agent.

Its public API has no span events, so its model spans carry none; it encodes a trace on the thread that
finishes it, so there is no exporter to leave out.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # `typing` itself would count in the import row
if TYPE_CHECKING:
    from workload import Facts, ModelFacts, Turn


class Subject:
    def __init__(self, setup) -> None:
        os.environ.update(
            DD_TRACE_AGENT_URL=setup.sink,
            DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
            DD_REMOTE_CONFIGURATION_ENABLED="false",
            DD_TRACE_STARTUP_LOGS="false",
            DD_SERVICE="bench",
        )
        if not setup.sampled:
            os.environ["DD_TRACE_SAMPLING_RULES"] = json.dumps([{"sample_rate": 0.0}])
        from ddtrace.trace import tracer

        self.tracer = tracer

    @staticmethod
    def fill(span, facts: Facts) -> None:
        span.set_tag("agent.request", facts.request)
        span.set_tag("agent.component", facts.component)
        span.set_tag("agent.region", facts.region)
        span.set_metric("agent.attempt", facts.attempt)
        span.set_metric("agent.score", facts.score)
        span.set_tag("agent.cached", facts.cached)

    @staticmethod
    def model(span, facts: ModelFacts) -> None:
        span.set_tag("input.value", facts.input)
        span.set_tag("output.value", facts.output)

    def trace(self, turn: Turn) -> None:
        span, fill = self.tracer.trace, self.fill
        with span("agent run") as agent:
            fill(agent, turn.agent)
            with span("plan") as plan:
                fill(plan, turn.plan)
                self.model(plan, turn.plan_model)
                with span("lookup") as lookup:
                    fill(lookup, turn.lookup)
                    with span("query") as query:
                        fill(query, turn.query)
            with span("answer") as answer:
                fill(answer, turn.answer)
                self.model(answer, turn.answer_model)
            with span("recall") as recall:
                fill(recall, turn.recall)
            with span("notify") as notify:
                fill(notify, turn.notify)
            with span("calendar") as calendar:
                fill(calendar, turn.calendar)

    def one(self, facts: Facts) -> None:
        with self.tracer.trace("agent run") as span:
            self.fill(span, facts)

    def flush(self) -> None:
        self.tracer.flush()

    def stop(self) -> dict:
        self.tracer.shutdown()
        return {}
