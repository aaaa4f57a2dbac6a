"""What the services of this example do when they are told to stop: they deliver, and print their counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import polyspan
from fastapi import FastAPI


def counting(service: str) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The `lifespan` of an application that prints the counts of its spans at its end, under that name."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        polyspan.flush(timeout=5)
        stats = polyspan.stats()
        dropped = sum(stats.dropped.values())
        print(f"{service}: {stats.ended} ended / {stats.exported} exported / {dropped} dropped", flush=True)

    return lifespan
