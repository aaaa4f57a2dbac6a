"""The decorators: :func:`traced` for functions of every kind, :func:`instrument` for whole classes.

A generator runs in steps, each in the context of whoever asked for it. Its span is the current one during a
step and at no other time, so that a generator left half-way, or finished by another task, disturbs nobody.
"""

from __future__ import annotations

import functools
from types import AsyncGeneratorType, CoroutineType, FunctionType, GeneratorType

from ._polyspan import _activate, _swap, span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeVar, overload

    from ._polyspan import Engine, Span, _Kind, _SpanType

    _T = TypeVar("_T", bound=Callable[..., Any])

__all__ = ["instrument", "traced"]

# Flags of code objects, as documented for the inspect module, which takes long to import.
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200

# Yielded items kept as the output of a generator.
_KEPT_ITEMS = 1000


if TYPE_CHECKING:

    @overload
    def traced(target: _T, /) -> _T: ...
    @overload
    def traced(
        *,
        name: str | None = None,
        type: _SpanType | None = None,
        kind: _Kind | None = None,
        attributes: Mapping[str, object] | None = None,
        metadata: Mapping[str, object] | None = None,
        tags: Iterable[str] | None = None,
        capture_input: bool = True,
        capture_output: bool = True,
        internal: bool = False,
        hide_input: bool = False,
        hide_output: bool = False,
        engine: Engine | None = None,
    ) -> Callable[[_T], _T]: ...


def traced(
    target: Any = None,
    /,
    *,
    name: str | None = None,
    type: _SpanType | None = None,
    kind: _Kind | None = None,
    attributes: Mapping[str, object] | None = None,
    metadata: Mapping[str, object] | None = None,
    tags: Iterable[str] | None = None,
    capture_input: bool = True,
    capture_output: bool = True,
    internal: bool = False,
    hide_input: bool = False,
    hide_output: bool = False,
    engine: Engine | None = None,
) -> Any:
    """Record every call of a function as a span.

    Works bare and with arguments, on functions, coroutine functions, generators, async generators, methods
    and, by way of :func:`instrument`, classes. The signature stays; ``__wrapped__`` is the function itself.

    Args:
        name: the span's name; by default the function's qualified name.
        type: the span type, for example ``"tool"`` or ``"agent"``; ``"generic"`` by default.
        kind: the span kind; ``"internal"`` by default.
        attributes, metadata, tags: set on every span.
        internal: the spans are internal to a framework, and hidden unless asked for.
        hide_input, hide_output: inputs or outputs of the span and everything inside stay in the process.
        capture_input: record the arguments by name as the span's input (without ``self`` and ``cls``).
        capture_output: record what the function returns, or what a generator yields, as its output.
        engine: the engine that records; by default the one that is current when the function is called.
    """
    options: dict[str, Any] = {
        key: value
        for key, value in (
            ("type", type),
            ("kind", kind),
            ("attributes", attributes),
            ("metadata", metadata),
            ("tags", tags),
            ("internal", internal or None),
            ("hide_input", hide_input or None),
            ("hide_output", hide_output or None),
        )
        if value is not None
    }
    start = span if engine is None else engine.span

    def decorate(function: Any) -> Any:
        if isinstance(function, _CLASS):
            return _instrumented(function, options, capture_input, capture_output, start, name, None, ())
        return _wrapped(function, name, options, capture_input, capture_output, start)

    return decorate if target is None else decorate(target)


def instrument(
    target: Any = None,
    /,
    *,
    name: str | None = None,
    methods: Iterable[str] | None = None,
    exclude: Iterable[str] = (),
    type: _SpanType | None = None,
    kind: _Kind | None = None,
    attributes: Mapping[str, object] | None = None,
    metadata: Mapping[str, object] | None = None,
    tags: Iterable[str] | None = None,
    capture_input: bool = True,
    capture_output: bool = True,
    internal: bool = False,
    hide_input: bool = False,
    hide_output: bool = False,
    engine: Engine | None = None,
) -> Any:
    """Record every call of a class's public methods as a span named ``Class.method``.

    Args:
        name: stands for the class's name in the spans' names.
        methods: only these methods, private ones among them if named; by default all public ones and
            ``__call__`` that the class itself defines.
        exclude: methods left alone.

    The others are those of :func:`traced`.
    """
    options: dict[str, Any] = {
        key: value
        for key, value in (
            ("type", type),
            ("kind", kind),
            ("attributes", attributes),
            ("metadata", metadata),
            ("tags", tags),
            ("internal", internal or None),
            ("hide_input", hide_input or None),
            ("hide_output", hide_output or None),
        )
        if value is not None
    }
    start = span if engine is None else engine.span

    def decorate(cls: Any) -> Any:
        if not isinstance(cls, _CLASS):
            raise _unfit("instrument", cls, "a class")
        chosen = None if methods is None else frozenset(methods)
        return _instrumented(
            cls, options, capture_input, capture_output, start, name, chosen, frozenset(exclude)
        )

    return decorate if target is None else decorate(target)


_CLASS = type


def _unfit(decorator: str, given: object, expected: str) -> TypeError:
    got = given.__class__.__qualname__
    return TypeError(f"{decorator} expects {expected}, and options by keyword; got an object of type {got}")


def _instrumented(
    cls: Any,
    options: dict[str, Any],
    capture_input: bool,
    capture_output: bool,
    start: Callable[..., Span],
    name: str | None,
    methods: frozenset[str] | None,
    exclude: Iterable[str],
) -> Any:
    prefix = name or cls.__qualname__
    for attribute, member in list(vars(cls).items()):
        public = attribute == "__call__" or not attribute.startswith("_")
        if attribute in exclude or not (public if methods is None else attribute in methods):
            continue
        holder = member.__class__ if isinstance(member, (staticmethod, classmethod)) else None
        function = member.__func__ if holder else member
        if not isinstance(function, FunctionType):
            continue
        wrapper = _wrapped(function, f"{prefix}.{attribute}", options, capture_input, capture_output, start)
        setattr(cls, attribute, holder(wrapper) if holder else wrapper)
    return cls


def _wrapped(
    function: Any,
    name: str | None,
    options: dict[str, Any],
    capture_input: bool,
    capture_output: bool,
    start: Callable[..., Span],
) -> Any:
    if isinstance(function, (staticmethod, classmethod)):
        inner = _wrapped(function.__func__, name, options, capture_input, capture_output, start)
        return function.__class__(inner)
    if not callable(function):
        raise _unfit("traced", function, "a function or class")
    label = name or getattr(function, "__qualname__", None) or function.__class__.__qualname__
    arguments = _argument_names(function) if capture_input else None
    flags = _code_flags(function)
    wrapper: Any

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Span:
        current = start(label, **options)
        if arguments is not None and current.is_recording:
            current.update(input=_named(arguments, args, kwargs))
        return current

    if flags & _ASYNC_GENERATOR:

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            steps = _AsyncSteps(begin(args, kwargs), function(*args, **kwargs), capture_output)
            sent: Any = None
            resume: Callable[[Any], Any] = steps.asend
            while True:
                try:
                    item = await resume(sent)
                except StopAsyncIteration:
                    return
                try:
                    sent, resume = (yield item), steps.asend
                except GeneratorExit:
                    await steps.aclose()
                    raise
                except BaseException as error:
                    sent, resume = error, steps.athrow

    elif flags & _COROUTINE:

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with start(label, **options) as current:
                if arguments is not None and current.is_recording:
                    current.update(input=_named(arguments, args, kwargs))
                result = await function(*args, **kwargs)
                if capture_output:
                    current._set(output=result)
                return result

    elif flags & _GENERATOR:

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            steps = _Steps(begin(args, kwargs), function(*args, **kwargs), capture_output)
            return (yield from steps)

    else:

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            current = start(label, **options)
            with current:
                if arguments is not None and current.is_recording:
                    current.update(input=_named(arguments, args, kwargs))
                result = function(*args, **kwargs)
                if result.__class__ in _LATER:
                    current._keep_open()
                elif capture_output:
                    current._set(output=result)
            if result.__class__ in _LATER:
                return _LATER[result.__class__](current, result, capture_output)
            return result

    functools.update_wrapper(wrapper, function)
    # For with_trace_id.
    wrapper.__polyspan__ = (begin, function, flags, capture_output)
    return wrapper


def _code_flags(function: Any) -> int:
    while not hasattr(function, "__code__"):
        inner = getattr(function, "func", None) or getattr(function, "__func__", None)
        if inner is None:
            # An object that can be called: its class says what kind of function it is.
            inner = vars(function.__class__).get("__call__")
            return _code_flags(inner) if isinstance(inner, FunctionType) else 0
        function = inner
    return int(function.__code__.co_flags)


def _argument_names(function: Any) -> tuple[tuple[str, ...], int]:
    """The names of the positional parameters, and how many to leave out at the front (``self``, ``cls``)."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ((), 0)
    names = code.co_varnames[: code.co_argcount]
    return (names, 1 if names and names[0] in ("self", "cls") else 0)


def _named(
    arguments: tuple[tuple[str, ...], int], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    names, skipped = arguments
    named = dict(zip(names[skipped:], args[skipped:], strict=False))
    if len(args) > len(names):
        named["args"] = args[len(names) :]
    named.update(kwargs)
    return named


def _joined(items: list[Any]) -> Any:
    """What a generator yielded: a stream of text as one text."""
    return "".join(items) if items and all(isinstance(item, str) for item in items) else items


class _Steps:
    """A generator whose span is current while it runs."""

    __slots__ = ("_generator", "_inner", "_items", "_span")

    def __init__(self, current: Span, generator: Any, capture_output: bool) -> None:
        self._span = current
        self._generator = generator
        self._items: list[Any] | None = [] if capture_output and current.is_recording else None
        # What is current inside; the body may leave spans of its own open from one step to the next.
        outer = _activate(current)
        self._inner = _swap(outer)

    def __iter__(self) -> _Steps:
        return self

    def __next__(self) -> Any:
        return self._step(self._generator.__next__)

    def send(self, value: Any) -> Any:
        return self._step(self._generator.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._generator.throw, *error)

    def close(self) -> None:
        outer = _swap(self._inner)
        try:
            self._generator.close()
        except BaseException as error:
            self._span.error(error)
            raise
        else:
            self._finish()
        finally:
            _swap(outer)

    def _step(self, resume: Callable[..., Any], *value: Any) -> Any:
        outer = _swap(self._inner)
        try:
            item = resume(*value)
        except StopIteration as stop:
            if stop.value is not None and self._items is not None:
                self._items = None
                self._span._set(output=stop.value)
            self._finish()
            raise
        except BaseException as error:
            self._span.error(error)
            raise
        finally:
            self._inner = _swap(outer)
        if self._items is not None and len(self._items) < _KEPT_ITEMS:
            self._items.append(item)
        return item

    def _finish(self) -> None:
        if self._items is not None:
            self._span._set(output=_joined(self._items))
        self._span.end()


class _AsyncSteps:
    """An async generator whose span is current while it runs."""

    __slots__ = ("_generator", "_inner", "_items", "_span")

    def __init__(self, current: Span, generator: Any, capture_output: bool) -> None:
        self._span = current
        self._generator = generator
        self._items: list[Any] | None = [] if capture_output and current.is_recording else None
        outer = _activate(current)
        self._inner = _swap(outer)

    def __aiter__(self) -> _AsyncSteps:
        return self

    async def __anext__(self) -> Any:
        return await self._step(self._generator.asend, None)

    async def asend(self, value: Any) -> Any:
        return await self._step(self._generator.asend, value)

    async def athrow(self, *error: Any) -> Any:
        return await self._step(self._generator.athrow, *error)

    async def aclose(self) -> None:
        outer = _swap(self._inner)
        try:
            await self._generator.aclose()
        except BaseException as error:
            self._span.error(error)
            raise
        else:
            self._finish()
        finally:
            _swap(outer)

    async def _step(self, resume: Callable[..., Any], *value: Any) -> Any:
        outer = _swap(self._inner)
        try:
            item = await resume(*value)
        except StopAsyncIteration:
            self._finish()
            raise
        except BaseException as error:
            self._span.error(error)
            raise
        finally:
            self._inner = _swap(outer)
        if self._items is not None and len(self._items) < _KEPT_ITEMS:
            self._items.append(item)
        return item

    def _finish(self) -> None:
        if self._items is not None:
            self._span._set(output=_joined(self._items))
        self._span.end()


async def _awaited(current: Span, awaitable: Any, capture_output: bool) -> Any:
    """A coroutine that a plain function returned: the span goes on until it is done."""
    with current:
        result = await awaitable
        if capture_output:
            current._set(output=result)
        return result


# What a plain function may return that is still to run.
_LATER: dict[type, Callable[[Span, Any, bool], Any]] = {
    CoroutineType: _awaited,
    GeneratorType: _Steps,
    AsyncGeneratorType: _AsyncSteps,
}
