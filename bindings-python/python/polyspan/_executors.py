"""Taking the current context along to other threads and processes."""

from __future__ import annotations

import contextvars
import functools
from concurrent.futures import Executor, Future

from ._polyspan import context, extract, inject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, ParamSpec, TypeVar

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

__all__ = ["ContextExecutor", "copy_context", "propagate"]


def copy_context() -> contextvars.Context:
    """A copy of the current context, the current span included; ``copy.run(function)`` runs in it."""
    return contextvars.copy_context()


def propagate(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function bound to the context that is current now, for a thread or callback to call later.

    Each call runs in a copy of its own, so that it may be called many times and by several threads at once.
    """
    captured = contextvars.copy_context()

    @functools.wraps(function)
    def bound(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        return captured.copy().run(function, *args, **kwargs)

    return bound


class ContextExecutor(Executor):
    """An executor whose tasks run in the context of whoever submits them.

    Wraps any executor. A process pool gets the current span and baggage by value, as over a network, since a
    context cannot be sent to another process.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]:
        if _is_process_pool(self._executor):
            return self._executor.submit(_run_remotely, inject({}), fn, args, kwargs)
        run: Any = contextvars.copy_context().run
        return self._executor.submit(run, fn, *args, **kwargs)

    def map(
        self,
        fn: Callable[..., _R],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **options: Any,
    ) -> Iterator[_R]:
        if _is_process_pool(self._executor):
            task = functools.partial(_run_one_remotely, inject({}), fn)
            return self._executor.map(task, *iterables, timeout=timeout, chunksize=chunksize, **options)
        return self._executor.map(propagate(fn), *iterables, timeout=timeout, chunksize=chunksize, **options)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait, cancel_futures=cancel_futures)


def _is_process_pool(executor: Executor) -> bool:
    return any(base.__name__ == "ProcessPoolExecutor" for base in executor.__class__.__mro__)


def _run_remotely(
    carrier: dict[str, str], fn: Callable[..., _R], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _R:
    with context(parent=extract(carrier)):
        return fn(*args, **kwargs)


def _run_one_remotely(carrier: dict[str, str], fn: Callable[..., _R], *args: Any) -> _R:
    return _run_remotely(carrier, fn, args, {})
