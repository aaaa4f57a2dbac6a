"""The trace in the words of the OpenTelemetry API; the provider behind it is the subclass's affair."""

from __future__ import annotations

from opentelemetry.trace import SpanKind, Tracer

TYPE_CHECKING = False  # `typing` itself would count in the import row
if TYPE_CHECKING:
    from workload import Facts, ModelFacts, Turn

INTERNAL, CLIENT = SpanKind.INTERNAL, SpanKind.CLIENT


def attributes(facts: Facts) -> dict[str, str | int | float | bool]:
    return {
        "agent.request": facts.request,
        "agent.component": facts.component,
        "agent.region": facts.region,
        "agent.attempt": facts.attempt,
        "agent.score": facts.score,
        "agent.cached": facts.cached,
    }


def model(span, facts: ModelFacts) -> None:
    span.set_attribute("input.value", facts.input)
    span.add_event("first_token", {"position": facts.position, "finish": facts.finish})
    span.add_event("usage", {"tokens": facts.tokens, "unit": facts.unit})
    span.set_attribute("output.value", facts.output)


class ApiSubject:
    """Records through `tracer`, which a subclass sets."""

    tracer: Tracer

    def trace(self, turn: Turn) -> None:
        span = self.tracer.start_as_current_span
        with span("agent run", kind=INTERNAL, attributes=attributes(turn.agent)):
            with span("plan", kind=CLIENT, attributes=attributes(turn.plan)) as plan:
                model(plan, turn.plan_model)
                with (
                    span("lookup", kind=INTERNAL, attributes=attributes(turn.lookup)),
                    span("query", kind=CLIENT, attributes=attributes(turn.query)),
                ):
                    pass
            with span("answer", kind=CLIENT, attributes=attributes(turn.answer)) as answer:
                model(answer, turn.answer_model)
            with span("recall", kind=INTERNAL, attributes=attributes(turn.recall)):
                pass
            with span("notify", kind=INTERNAL, attributes=attributes(turn.notify)):
                pass
            with span("calendar", kind=CLIENT, attributes=attributes(turn.calendar)):
                pass

    def one(self, facts: Facts) -> None:
        with self.tracer.start_as_current_span("agent run", kind=INTERNAL, attributes=attributes(facts)):
            pass
