"""A support agent, traced from end to end: pydantic-ai's own OpenTelemetry instrumentation, the stock one of
`httpx`, and Polyspan's interface, all in one trace.

    python agent.py SERVICE_URL

`run.py` starts the service and this program. It needs no network and no key: `model.py` plays the model.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import polyspan as ps
from model import support_model
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from polyspan.opentelemetry import TracerProvider
from pydantic_ai import Agent, ModelRetry, RunContext

QUESTION = "Where is my order 1007, and could I still send it back?"


@dataclass
class Desk:
    """What the tools work with."""

    service: httpx.AsyncClient

    @ps.traced(type="tool")
    async def scans(self, order_id: str) -> AsyncIterator[dict[str, str]]:
        """A parcel's scans, one by one: one span from the first to the last, whoever takes them."""
        answer = await self.service.get(f"/orders/{order_id}/scans")
        for scan in answer.raise_for_status().json():
            yield scan


agent = Agent(
    support_model,
    name="support",
    deps_type=Desk,
    instructions="Help customers with their parcels. Look an order up before you speak about it.",
)


@agent.tool(retries=2)
async def look_up_order(run: RunContext[Desk], order_id: str) -> dict[str, str | float]:
    """Finds an order by its id, such as A-1000."""
    answer = await run.deps.service.get(f"/orders/{order_id}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise ModelRetry(f"there is no order {order_id!r}; ids look like A-1000")
    return answer.raise_for_status().json()


@agent.tool
async def track_parcel(run: RunContext[Desk], order_id: str) -> str:
    """Says where a parcel is."""
    seen = [f"{scan['what']} in {scan['where']}" async for scan in run.deps.scans(order_id)]
    return ", ".join(seen)


@agent.tool_plain
def refund_policy(amount: float) -> str:
    """Says whether an amount can be refunded."""
    with ps.span("read policy", type="memory_lookup", input={"amount": amount}) as span:
        text = f"{amount:.2f} can be refunded within 30 days."
        span.update(output=text, metadata={"policy": "2026-01"})
    return text


async def serve(question: str, service_url: str) -> str:
    async with httpx.AsyncClient(base_url=service_url) as service:
        with (
            ps.context(session_id="session-42", user_id="customer-7", tags=["example"]),
            ps.span("answer customer", type="workflow", input=question) as span,
        ):
            run = await agent.run(question, deps=Desk(service))
            span.update(output=run.output)
            return run.output


def main() -> None:
    ps.init(service="support-agent")  # OTEL_* honoured; with no endpoint, a tree in the console
    trace.set_tracer_provider(TracerProvider())
    HTTPXClientInstrumentor().instrument()
    Agent.instrument_all()
    print(asyncio.run(serve(QUESTION, sys.argv[1])))
    ps.flush(timeout=5)
    stats = ps.stats()
    dropped = sum(stats.dropped.values())
    print(f"support-agent: {stats.ended} ended / {stats.exported} exported / {dropped} dropped")


if __name__ == "__main__":
    main()
