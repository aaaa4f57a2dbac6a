"""The agent as a service: questions come in by HTTP, and continue the trace of whoever asks.

    python desk.py SERVICE_URL

`examples/nextjs-agent` asks it. It prints its address first and, when it is told to stop, the counts of its
spans.
"""

from __future__ import annotations

import socket
import sys

import polyspan
import uvicorn
from agent import serve
from ending import counting
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from polyspan.opentelemetry import TracerProvider
from pydantic import BaseModel
from pydantic_ai import Agent


class Question(BaseModel):
    question: str


app = FastAPI(title="support", lifespan=counting("support-agent"))


@app.post("/questions")
async def answer(asked: Question) -> dict[str, str]:
    return {"answer": await serve(asked.question, sys.argv[1])}


def main() -> None:
    polyspan.init(service="support-agent")  # OTEL_* honoured; with no endpoint, a tree in the console
    trace.set_tracer_provider(TracerProvider())
    FastAPIInstrumentor.instrument_app(app)
    HTTPXClientInstrumentor().instrument()
    Agent.instrument_all()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        print(f"http://{host}:{port}", flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
