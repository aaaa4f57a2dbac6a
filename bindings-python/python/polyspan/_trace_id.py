"""Handing the trace id back to whoever calls a traced function: :func:`with_trace_id`."""

from __future__ import annotations

from ._traced import _ASYNC_GENERATOR, _COROUTINE, _GENERATOR, _LATER, _AsyncSteps, _Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from typing import Any, ParamSpec, TypeVar, overload

    from ._polyspan import Span

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

__all__ = ["with_trace_id"]


if TYPE_CHECKING:

    @overload
    def with_trace_id(  # type: ignore[overload-overlap]  # a coroutine function is a function too
        function: Callable[_P, Coroutine[Any, Any, _R]], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Coroutine[Any, Any, tuple[_R, str | None]]: ...
    @overload
    def with_trace_id(
        function: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> tuple[_R, str | None]: ...


def with_trace_id(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call a traced function; return its result and the id of the trace that the call is recorded in.

    The id is 32 lower-case hex digits, to be shown to a user or written to a log; ``None`` where the trace is
    not sampled, since nobody will find it then. A coroutine function is awaited: ``answer, trace_id = await
    with_trace_id(agent, question)``. Of a generator the id is known at once, before its first step.
    """
    bound = getattr(function, "__self__", None)
    parts = getattr(getattr(function, "__func__", function), "__polyspan__", None)
    if parts is None:
        raise TypeError(f"with_trace_id: {function!r} is not traced; decorate it with traced or instrument")
    begin, inner, flags, capture_output = parts
    if bound is not None:
        args = (bound, *args)
    if flags & _COROUTINE:
        return _awaited(begin, inner, args, kwargs, capture_output)
    current: Span = begin(args, kwargs)
    if flags & _ASYNC_GENERATOR:
        return _stepping(_AsyncSteps(current, inner(*args, **kwargs), capture_output)), _id_of(current)
    if flags & _GENERATOR:
        return _Steps(current, inner(*args, **kwargs), capture_output), _id_of(current)
    with current:
        result = inner(*args, **kwargs)
        if result.__class__ in _LATER:
            current._keep_open()
        elif capture_output:
            current.update(output=result)
    if result.__class__ in _LATER:
        result = _LATER[result.__class__](current, result, capture_output)
    return result, _id_of(current)


def _id_of(span: Span) -> str | None:
    return span.trace_id if span.context.is_sampled else None


async def _awaited(
    begin: Callable[..., Span], function: Any, args: Any, kwargs: Any, capture_output: bool
) -> Any:
    with begin(args, kwargs) as current:
        result = await function(*args, **kwargs)
        if capture_output:
            current.update(output=result)
        return result, _id_of(current)


async def _stepping(steps: _AsyncSteps) -> AsyncGenerator[Any, None]:
    """The steps as an async generator, which is closed where its reader stops."""
    try:
        async for item in steps:
            yield item
    except GeneratorExit:
        await steps.aclose()
        raise
