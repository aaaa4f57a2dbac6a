"""Polyspan by its own interface."""

from __future__ import annotations

import polyspan as ps

TYPE_CHECKING = False  # `typing` itself would count in the import row
if TYPE_CHECKING:
    from workload import Facts, ModelFacts, Turn


def attributes(facts: Facts) -> dict[str, str | int | float | bool]:
    return {
        "agent.request": facts.request,
        "agent.component": facts.component,
        "agent.region": facts.region,
        "agent.attempt": facts.attempt,
        "agent.score": facts.score,
        "agent.cached": facts.cached,
    }


def model(span: ps.Span, facts: ModelFacts) -> None:
    span.event("first_token", {"position": facts.position, "finish": facts.finish})
    span.event("usage", {"tokens": facts.tokens, "unit": facts.unit})
    span.update(output=facts.output)


def start(setup) -> ps.Engine:
    """Starts the default engine as the other subjects are started."""
    sampler = "parentbased_always_on" if setup.sampled else "parentbased_always_off"
    if setup.export == "otlp":
        return ps.init("bench", sampler=sampler, endpoint=setup.sink)
    return ps.init("bench", sampler=sampler, exporters=[])


def stop(engine: ps.Engine) -> dict:
    """The engine's own account; where no exporter is set, what one would have been given counts."""
    engine.shutdown(timeout=30)
    stats = engine.stats()
    exported = stats.exported if stats.exporters else stats.accepted
    dropped = sum(stats.dropped.values())
    return {"ended": stats.ended, "exported": exported, "left_out": stats.unsampled, "dropped": dropped}


class Subject:
    def __init__(self, setup) -> None:
        self.engine = start(setup)

    def trace(self, turn: Turn) -> None:
        span = ps.span
        with span("agent run", type="agent", attributes=attributes(turn.agent)):
            asked = turn.plan_model
            with span(
                "plan",
                type="model_generation",
                kind="client",
                input=asked.input,
                attributes=attributes(turn.plan),
            ) as plan:
                model(plan, asked)
                with (
                    span("lookup", type="tool", attributes=attributes(turn.lookup)),
                    span("query", type="rag_query", kind="client", attributes=attributes(turn.query)),
                ):
                    pass
            asked = turn.answer_model
            with span(
                "answer",
                type="model_generation",
                kind="client",
                input=asked.input,
                attributes=attributes(turn.answer),
            ) as answer:
                model(answer, asked)
            with span("recall", type="memory_lookup", attributes=attributes(turn.recall)):
                pass
            with span("notify", type="tool", attributes=attributes(turn.notify)):
                pass
            with span("calendar", type="mcp_tool", kind="client", attributes=attributes(turn.calendar)):
                pass

    def one(self, facts: Facts) -> None:
        with ps.span("agent run", attributes=attributes(facts)):
            pass

    def values(self, value: dict) -> None:
        with ps.span("call") as span:
            span.update(input=value, output=value)

    def flush(self) -> None:
        self.engine.flush(timeout=30)

    def stop(self) -> dict:
        return stop(self.engine)
