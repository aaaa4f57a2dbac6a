"""``@tracer.start_as_current_span(...)``: the decorator form, for plain and coroutine functions."""

from __future__ import annotations

import functools
import inspect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .._polyspan import _SpanScope

    _F = TypeVar("_F", bound=Callable[..., Any])

__all__ = ["decorate"]


def decorate(scope: _SpanScope, function: _F) -> _F:
    """Wrap a function so that each call, awaited to its end, runs in a span of its own."""
    wrapper: Any
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with scope._again():
                return await function(*args, **kwargs)

    else:

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with scope._again():
                return function(*args, **kwargs)

    return wrapper  # type: ignore[no-any-return]
