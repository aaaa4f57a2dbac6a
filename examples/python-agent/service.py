"""The parcel service the agent calls: a plain FastAPI program with the stock OpenTelemetry instrumentation.

`run.py` starts it in a process of its own. It prints its address first and, when it is told to stop, the
counts of its spans. Without the lines that name Polyspan it is a service like any other.
"""

from __future__ import annotations

import socket

import polyspan
import uvicorn
from ending import counting
from fastapi import FastAPI, HTTPException
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from polyspan.opentelemetry import TracerProvider

app = FastAPI(title="parcels", lifespan=counting("parcel-service"))
tracer = trace.get_tracer("parcels")

ORDERS = {
    "A-1007": {"item": "walking boots", "price": 129.0, "carrier": "northern"},
    "A-1008": {"item": "rain jacket", "price": 89.5, "carrier": "harbour"},
}
SCANS = {
    "A-1007": [
        {"what": "packed", "where": "Leipzig"},
        {"what": "sorted", "where": "Hamburg"},
        {"what": "held", "where": "Oslo"},
    ],
    "A-1008": [{"what": "packed", "where": "Leipzig"}],
}


def find(order_id: str) -> dict[str, str | float]:
    """Looks an order up as a database would, in a span of its own."""
    with tracer.start_as_current_span("SELECT orders", kind=trace.SpanKind.CLIENT) as span:
        span.set_attribute("db.system.name", "memory")
        span.set_attribute("db.query.text", "SELECT * FROM orders WHERE id = $1")
        order = ORDERS.get(order_id)
        span.set_attribute("db.response.returned_rows", int(order is not None))
    if order is None:
        raise HTTPException(404, f"no order {order_id!r}")
    return order


@app.get("/orders/{order_id}")
def order(order_id: str) -> dict[str, str | float]:
    return find(order_id)


@app.get("/orders/{order_id}/scans")
def scans(order_id: str) -> list[dict[str, str]]:
    find(order_id)
    return SCANS[order_id]


def main() -> None:
    polyspan.init(service="parcel-service")  # OTEL_* honoured; with no endpoint, a tree in the console
    trace.set_tracer_provider(TracerProvider())
    FastAPIInstrumentor.instrument_app(app)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        print(f"http://{host}:{port}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
