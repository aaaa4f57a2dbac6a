"""The host stage: processors, filters and exporters written in Python, run by one thread of their own.

The engine leaves batches as jobs; the thread pulls them, calls the application's code, and answers. Loaded by
``init`` where it is given such code. Nothing here raises, and nothing the application's code does can hold up
anything but itself: while a call does not return, another thread takes over what else there is to do.

Functions and coroutines are kept apart, because a function that hangs must not stop an event loop: functions
have one thread, if they occur at all, and each asynchronous exporter, filter or chain has a thread with a
loop of its own.
"""

from __future__ import annotations

import inspect
import sys
import threading

from ._error import PolyspanError
from ._events import EVENTS
from ._polyspan import _host_warn, _HostWorker

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any

    from ._polyspan import FinishedSpan, _HostJob

__all__ = ["plan_exporter", "plan_filter", "plan_formatters", "plan_processors", "serve", "start"]

# While a coroutine runs, its event loop looks for further jobs after such a time, first and at the most.
_FIRST_LOOK, _LAST_LOOK = 0.001, 0.1

# Events about a span as it is, which formatters change.
_OF_SPANS = ("span_started", "span_updated", "span_ended")


def start(event_loop: int | None) -> None:
    """Start a thread that pulls jobs of coroutines, for the loop of that number, or of functions."""
    name = "polyspan-host" if event_loop is None else "polyspan-host-async"
    threading.Thread(target=serve, args=(event_loop,), name=name, daemon=True).start()


def serve(event_loop: int | None) -> None:
    """Pull jobs until told to leave."""
    worker = _HostWorker(event_loop)
    try:
        if worker.has_left:
            return
        _suppress_instrumentation()
        if event_loop is not None:
            _serve_coroutines(worker)
        else:
            while not worker.has_left:
                job = worker.next()
                if job is not None:
                    _run_to_end(job.target.run(job))
                # The frame of a thread that waits must not keep what it worked on alive.
                job = None
    finally:
        worker.leave()


def _serve_coroutines(worker: _HostWorker) -> None:
    import asyncio

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    look = _FIRST_LOOK
    # A loop refers to its tasks weakly.
    running: set[asyncio.Task[None]] = set()
    try:
        while not worker.has_left:
            busy = asyncio.all_tasks(loop)
            job = worker.next(0 if busy else None)
            if job is not None:
                task = loop.create_task(job.target.run(job))
                running.add(task)
                task.add_done_callback(running.discard)
                look = _FIRST_LOOK
            elif busy and not worker.has_left:
                loop.run_until_complete(_first_of(busy, look))
                look = min(2 * look, _LAST_LOOK)
            job = None
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()


async def _first_of(tasks: set[asyncio.Task[Any]], within: float) -> None:
    import asyncio

    await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)


def _suppress_instrumentation() -> None:
    """What an exporter does itself, such as sending a request, is not to be traced."""
    if "opentelemetry.context" in sys.modules:
        from opentelemetry import context

        keys = [getattr(context, name, None) for name in dir(context) if name.startswith("_SUPPRESS_")]
        for key in filter(None, keys):
            context.attach(context.set_value(key, True))


def _run_to_end(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()


class Handler:
    """Calls the application's code, or awaits it, and keeps what it raises to itself."""

    __slots__ = ("at_once", "awaits", "events", "name", "objects")

    def __init__(self, name: str, functions: list[Callable[..., Any]], objects: list[Any]) -> None:
        self.name = name
        self.awaits = any(map(_is_async, functions))
        self.at_once = False
        # The kinds of events that it is told of.
        self.events: list[str] = []
        # What the option was given: the same objects are the same option.
        self.objects = objects

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function of the application. Raises what it raises, but for what would end the thread."""
        try:
            result = function(*arguments)
            if not hasattr(result, "__await__"):
                return result
            if self.awaits:
                return await result
            return _await_here(result)
        except Exception:
            raise
        except BaseException as error:
            if self.awaits and type(error).__name__ in ("CancelledError", "GeneratorExit"):
                raise
            raise RuntimeError(f"{type(error).__name__} raised") from error

    async def format(
        self, formatters: list[Callable[[FinishedSpan], Any]], job: _HostJob
    ) -> tuple[list[FinishedSpan], int]:
        """The spans of a job as formatters make them, and how many could not be formatted."""
        spans = job.spans()
        unformatted = [at for at, span in enumerate(spans) if not await self.formatted(formatters, span)]
        if unformatted:
            # Whatever was changed until then.
            originals = job.spans()
            for at in unformatted:
                spans[at] = originals[at]
        return spans, len(unformatted)

    async def formatted(self, formatters: list[Callable[[FinishedSpan], Any]], span: FinishedSpan) -> bool:
        """Have formatters change a span. False if one raised."""
        for formatter in formatters:
            try:
                _formatted_span(await self.call(formatter, span), span)
            except Exception as error:
                self.warn(_name_of(formatter), error)
                return False
        return True

    def warn(self, what: str, error: BaseException) -> None:
        """Say once that a function of the application failed."""
        kind = f"{self.name} {what} {type(error).__name__}"
        _host_warn(kind, f"{self.name}: {what} raised {_described(error)}")


def _await_here(awaitable: Any) -> Any:
    """What a function returned that did not look like a coroutine's."""
    import asyncio

    async def result() -> Any:
        return await awaitable

    return asyncio.run(result())


def _described(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


def _is_async(function: Any) -> bool:
    while hasattr(function, "func") and hasattr(function, "keywords"):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )


class Processors(Handler):
    """A chain that changes spans, or leaves them out."""

    __slots__ = ("chain", "finals")

    def __init__(self, processors: list[Any]) -> None:
        # For each its name and what it does.
        self.chain: list[tuple[str, Callable[[FinishedSpan], Any]]] = []
        self.finals: dict[str, list[Callable[[], Any]]] = {"flush": [], "shutdown": []}
        functions: list[Callable[..., Any]] = []
        for at, processor in enumerate(processors):
            process = getattr(processor, "process", processor)
            if isinstance(processor, type) or not callable(process):
                expected = "a function of a span, or an object with process(span)"
                raise _unusable(f"processors[{at}]", processor, expected)
            self.chain.append((_name_of(processor), process))
            functions.append(process)
            for name, finals in self.finals.items():
                function = getattr(processor, name, None)
                if callable(function):
                    finals.append(function)
                    functions.append(function)
        super().__init__("processors", functions, processors)

    async def run(self, job: _HostJob) -> None:
        if job.task == "process":
            await self._process(job)
            return
        for function in self.finals.get(job.task, ()):
            try:
                await self.call(function)
            except Exception as error:
                self.warn(job.task, error)
        job.done()

    async def _process(self, job: _HostJob) -> None:
        results: list[FinishedSpan | None] = []
        failures = 0
        for span in job.spans():
            now: FinishedSpan | None = span
            for name, process in self.chain:
                try:
                    now = _same(await self.call(process, span), span)
                except Exception as error:
                    failures += 1
                    self.warn(name, error)
                    now = span
                if now is None:
                    break
            results.append(now)
        refused = job.judge(results, failures)
        if refused is not None:
            _host_warn("processors result", f"processors: a span goes on as it was: {refused}")


def _same(result: Any, span: FinishedSpan) -> FinishedSpan | None:
    """What a processor returned: the span it was given, or nothing."""
    if result is None or result is span:
        return result
    raise TypeError(f"the span it was given or None is expected, not {type(result).__name__}")


class Formatters(Handler):
    """A chain before one of the engine's own exporters."""

    __slots__ = ("chain",)

    def __init__(self, formatters: list[Any]) -> None:
        for at, formatter in enumerate(formatters):
            if isinstance(formatter, type) or not callable(formatter):
                raise _unusable(f"formatters[{at}]", formatter, "a function of a span")
        super().__init__("formatters", formatters, formatters)
        self.chain = formatters

    async def run(self, job: _HostJob) -> None:
        if job.task != "format":
            job.done()
            return
        spans, failures = await self.format(self.chain, job)
        refused = job.judge(spans, failures)
        if refused is not None:
            _host_warn("formatters result", f"formatters: a span goes on as it was: {refused}")


class Filter(Handler):
    """Decides which spans are kept."""

    __slots__ = ("decide",)

    def __init__(self, decide: Callable[[FinishedSpan], Any]) -> None:
        super().__init__("span_filter", [decide], [decide])
        self.decide = decide

    async def run(self, job: _HostJob) -> None:
        kept = []
        failures = 0
        for span in job.spans():
            keep = True
            try:
                keep = bool(await self.call(self.decide, span))
            except Exception as error:
                failures += 1
                self.warn(_name_of(self.decide), error)
            kept.append(keep)
        job.filter(kept, failures)


class Exporter(Handler):
    """Hands spans to an exporter of the application's, in whichever forms it takes them."""

    __slots__ = (
        "_turn",
        "export",
        "export_event",
        "flush",
        "formatters",
        "on",
        "shutdown",
        "wants_ended",
    )

    def __init__(self, exporter: Any, methods: dict[str, Callable[..., Any]]) -> None:
        self.formatters = _formatters_of(exporter)
        super().__init__(_name_of(exporter), [*methods.values(), *self.formatters], [exporter])
        # Batches may wait for more spans, events may not.
        self.at_once = bool(methods.keys() - {"export", "flush", "shutdown"})
        self.export = methods.get("export")
        self.export_event = methods.get("export_event")
        self.flush = methods.get("flush")
        self.shutdown = methods.get("shutdown")
        self.on = {event: methods[f"on_{event}"] for event in EVENTS if f"on_{event}" in methods}
        self.events = list(EVENTS if self.export_event is not None else self.on)
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self.wants_ended = self.export is not None or "span_ended" in self.events

    async def run(self, job: _HostJob) -> None:
        if not self.awaits:
            await self._run(job)
            return
        # Log records come in jobs of their own: calls of one exporter follow each other all the same.
        import asyncio

        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = (loop, asyncio.Lock())
        async with self._turn[1]:
            await self._run(job)

    async def _run(self, job: _HostJob) -> None:
        if job.task == "export":
            await self._deliver(job)
            return
        function = self.flush if job.task == "flush" else self.shutdown
        if function is not None:
            try:
                await self.call(function)
            except Exception as error:
                self.warn(job.task, error)
        job.done()

    async def _deliver(self, job: _HostJob) -> None:
        told = job.told(self.wants_ended)
        failures = await self._format_all(told, job)
        spans: list[Any] = []
        failed = []
        failed_logs = 0
        for kind, subject in told:
            fine = await self._tell(kind, subject)
            if kind == "span_ended":
                spans.append(subject)
                failed.append(not fine)
            elif kind == "log":
                failed_logs += not fine
            else:
                failures += not fine
        rejected = 0
        if self.export is not None and spans:
            try:
                if await self.call(self.export, spans) is False:
                    rejected = len(spans) - sum(failed)
            except Exception as error:
                failed = [True] * len(spans)
                self.warn("export", error)
        job.delivered(rejected, sum(failed) + failed_logs, failures)

    async def _format_all(self, told: list[tuple[str, Any]], job: _HostJob) -> int:
        """Put what formatters make of spans in their place. How many could not be formatted."""
        unformatted = [
            at
            for at, (kind, subject) in enumerate(told if self.formatters else ())
            if kind in _OF_SPANS and not await self.formatted(self.formatters, subject)
        ]
        if unformatted:
            # Whatever was changed until then.
            originals = job.told(self.wants_ended)
            for at in unformatted:
                told[at] = originals[at]
        return len(unformatted)

    async def _tell(self, kind: str, subject: Any) -> bool:
        """Tell of one event. False if any function for it raised."""
        fine = True
        on = self.on.get(kind)
        if on is not None:
            try:
                await self.call(on, subject)
            except Exception as error:
                fine = False
                self.warn(f"on_{kind}", error)
        if self.export_event is not None:
            try:
                await self.call(self.export_event, EVENTS[kind](subject))
            except Exception as error:
                fine = False
                self.warn("export_event", error)
        return fine


def _formatters_of(exporter: Any) -> list[Callable[[FinishedSpan], Any]]:
    formatters = getattr(exporter, "formatters", ())
    listed = list(formatters) if isinstance(formatters, (list, tuple)) else [formatters]
    for at, formatter in enumerate(listed):
        if isinstance(formatter, type) or not callable(formatter):
            raise _unusable(f"{_name_of(exporter)}.formatters[{at}]", formatter, "a function of a span")
    return listed


def _formatted_span(result: Any, span: FinishedSpan) -> None:
    if result is not span:
        raise TypeError(f"the span it was given is expected, not {type(result).__name__}")


def _name_of(exporter: Any) -> str:
    name = getattr(exporter, "name", None)
    if isinstance(name, str) and name:
        return name
    return exporter.__name__ if inspect.isroutine(exporter) else type(exporter).__name__


def plan_exporter(exporter: Any) -> Exporter | None:
    """Who hands spans to that object; ``None`` if it has no method that takes any."""
    names = ["export", "export_event", "flush", "shutdown", *(f"on_{event}" for event in EVENTS)]
    found = {name: getattr(exporter, name, None) for name in names}
    methods = {name: method for name, method in found.items() if callable(method)}
    if isinstance(exporter, type) or not methods.keys() - {"flush", "shutdown"}:
        return None
    return Exporter(exporter, methods)


def plan_processors(processors: Any) -> Processors:
    """Who runs the option ``processors``: a list, or one alone."""
    listed = list(processors) if isinstance(processors, (list, tuple)) else [processors]
    return Processors(listed)


def plan_formatters(formatters: Any) -> Formatters:
    """Who runs the ``formatters`` of one of the engine's own exporters: a list, or one alone."""
    return Formatters(list(formatters) if isinstance(formatters, (list, tuple)) else [formatters])


def plan_filter(decide: Any) -> Filter:
    """Who runs the option ``span_filter``."""
    if isinstance(decide, type) or not callable(decide):
        raise _unusable("span_filter", decide, "a function of a span")
    return Filter(decide)


def _unusable(option: str, found: Any, expected: str) -> PolyspanError:
    return PolyspanError("invalid_option", f"{option}: {found!r} is not usable; expected {expected}")
