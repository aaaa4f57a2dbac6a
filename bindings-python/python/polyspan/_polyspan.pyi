"""Types of the native module. The package ``polyspan`` gives its public names."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from os import PathLike
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar, final, overload

from typing_extensions import Self, disjoint_base

from ._error import PolyspanError as PolyspanError
from ._events import TelemetryEvent
from ._options import Metrics, Redaction, RedactionStyle

__version__: str

_C = TypeVar("_C")

# Names of span types, and others that they go by; unknown ones are recorded as "generic" and counted.
_SpanTypeName: TypeAlias = Literal[
    "generic",
    "agent",
    "workflow",
    "workflow_step",
    "workflow_conditional",
    "workflow_conditional_eval",
    "workflow_parallel",
    "workflow_loop",
    "workflow_sleep",
    "workflow_wait_event",
    "model_generation",
    "model_step",
    "model_inference",
    "model_chunk",
    "tool",
    "mcp_tool",
    "provider_tool",
    "client_tool",
    "mcp_server_request",
    "processor",
    "memory_lookup",
    "memory_update",
    "memory_operation",
    "rag_query",
    "rag_ingestion",
    "rag_embedding",
    "rag_vector_operation",
    "rag_action",
    "embedding_generation",
    "scorer_run",
    "scorer_step",
    "evaluation",
    "mapping",
    "workspace_action",
    "skill_action",
    "graph_action",
    "classifier_evaluation",
    "agent_signal",
]
_SpanType: TypeAlias = _SpanTypeName | str
# Names of span kinds, or members of the OpenTelemetry API's `SpanKind`.
_Kind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"] | Any
# Attributes, metadata, baggage: a mapping or pairs.
_Pairs: TypeAlias = Mapping[str, object] | Iterable[tuple[str, object]]
# What names a span: a span or span context of either API, a context, the text of a `traceparent` header.
_Parent: TypeAlias = Span | SpanContext | Context | str | Any
# Nanoseconds since the Unix epoch, or a `datetime`.
_Time: TypeAlias = int | datetime
# _Seconds.
_Seconds: TypeAlias = float | timedelta
_Exporter: TypeAlias = (
    str
    | MemoryExporter
    | Mapping[str, object]
    | _ExportsSpans
    | _ExportsEvents
    | _OnSpanStarted
    | _OnSpanUpdated
    | _OnSpanEnded
    | _OnSpanDropped
    | _OnTraceStarted
    | _OnTraceEnded
    | _OnLog
)
# A name, or a level of `logging`.
_LogLevel: TypeAlias = (
    Literal["trace", "debug", "info", "warn", "warning", "error", "fatal", "critical", "none"] | int
)
_Sampler: TypeAlias = str | float | Mapping[str, object] | Callable[[dict[str, Any]], object] | Any

# An exporter of the application's own has one of these at least; each may be a coroutine function.
class _ExportsSpans(Protocol):
    def export(self, spans: list[FinishedSpan], /) -> object: ...

class _ExportsEvents(Protocol):
    def export_event(self, event: TelemetryEvent, /) -> object: ...

class _OnSpanStarted(Protocol):
    def on_span_started(self, span: FinishedSpan, /) -> object: ...

class _OnSpanUpdated(Protocol):
    def on_span_updated(self, span: FinishedSpan, /) -> object: ...

class _OnSpanEnded(Protocol):
    def on_span_ended(self, span: FinishedSpan, /) -> object: ...

class _OnSpanDropped(Protocol):
    def on_span_dropped(self, span: DroppedSpan, /) -> object: ...

class _OnTraceStarted(Protocol):
    def on_trace_started(self, trace: TraceInfo, /) -> object: ...

class _OnLog(Protocol):
    def on_log(self, record: LogRecord, /) -> object: ...

class _OnTraceEnded(Protocol):
    def on_trace_ended(self, trace: TraceInfo, /) -> object: ...

class _ProcessesSpans(Protocol):
    def process(self, span: FinishedSpan, /) -> _Processed: ...

_Processed: TypeAlias = FinishedSpan | Awaitable[FinishedSpan | None] | None
_Processor: TypeAlias = Callable[[FinishedSpan], _Processed] | _ProcessesSpans

@final
class Span:
    @property
    def trace_id(self) -> str: ...
    @property
    def span_id(self) -> str: ...
    @property
    def is_recording(self) -> bool: ...
    @property
    def context(self) -> SpanContext: ...
    @overload
    def set(self, key: str, value: object, /) -> None: ...
    @overload
    def set(self, key: Mapping[str, object], /) -> None: ...
    def update(
        self,
        *,
        name: str = ...,
        input: object = ...,
        output: object = ...,
        metadata: _Pairs = ...,
        attributes: _Pairs = ...,
        tags: Iterable[str] = ...,
    ) -> None: ...
    def event(self, name: str, /, attributes: _Pairs | None = None, *, time: _Time | None = None) -> None: ...
    def link(self, target: _Parent, /, attributes: _Pairs | None = None) -> None: ...
    def error(
        self,
        error: BaseException | str,
        /,
        *,
        end: bool = True,
        id: str | None = None,
        domain: str | None = None,
        category: str | None = None,
        details: object = None,
        metadata: _Pairs | None = None,
    ) -> None: ...
    def record_exception(
        self, error: BaseException, /, attributes: _Pairs | None = None, *, escaped: bool = False
    ) -> None: ...
    def status(self, code: Literal["ok", "error", "unset"], /, message: str | None = None) -> None: ...
    def rename(self, name: str, /) -> None: ...
    def end(
        self,
        time: _Time | None = None,
        *,
        name: str = ...,
        input: object = ...,
        output: object = ...,
        metadata: _Pairs = ...,
        attributes: _Pairs = ...,
        tags: Iterable[str] = ...,
    ) -> None: ...
    def end_tree(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        _class: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> Literal[False]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def _keep_open(self) -> None: ...
    def _set(self, **fields: object) -> None: ...
    def _read(self) -> SpanRecord | None: ...

@final
class SpanContext:
    def __new__(
        cls,
        trace_id: str,
        span_id: str,
        *,
        trace_flags: int = 1,
        trace_state: str = "",
        is_remote: bool = True,
    ) -> Self: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def span_id(self) -> str: ...
    @property
    def trace_flags(self) -> int: ...
    @property
    def trace_state(self) -> str: ...
    @property
    def is_sampled(self) -> bool: ...
    @property
    def is_remote(self) -> bool: ...
    @property
    def is_valid(self) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Context:
    @property
    def span_context(self) -> SpanContext | None: ...
    @property
    def baggage(self) -> dict[str, Any]: ...

@final
class SpanRecord:
    @property
    def context(self) -> SpanContext: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def span_id(self) -> str: ...
    @property
    def parent_span_id(self) -> str | None: ...
    @property
    def parent_is_remote(self) -> bool: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def start_time(self) -> int: ...
    @property
    def end_time(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def status_message(self) -> str: ...
    @property
    def attributes(self) -> dict[str, Any]: ...
    @property
    def events(self) -> list[tuple[str, int, dict[str, Any], int]]: ...
    @property
    def links(self) -> list[tuple[SpanContext, dict[str, Any], int]]: ...
    @property
    def dropped_attributes(self) -> int: ...
    @property
    def dropped_events(self) -> int: ...
    @property
    def dropped_links(self) -> int: ...
    @property
    def input(self) -> Any: ...
    @property
    def output(self) -> Any: ...
    @property
    def metadata(self) -> dict[str, Any]: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def resource(self) -> dict[str, Any]: ...
    @property
    def scope(self) -> tuple[str, str]: ...
    @property
    def is_event(self) -> bool: ...

@final
class LogRecord:
    @property
    def body(self) -> Any: ...
    @property
    def severity(self) -> int: ...
    @property
    def severity_text(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def trace_id(self) -> str | None: ...
    @property
    def span_id(self) -> str | None: ...
    @property
    def event_name(self) -> str: ...
    @property
    def attributes(self) -> dict[str, Any]: ...
    @property
    def metadata(self) -> dict[str, Any]: ...
    @property
    def logger(self) -> str: ...
    @property
    def resource(self) -> dict[str, Any]: ...

@final
class MetricPoint:
    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def temporality(self) -> str: ...
    @property
    def attributes(self) -> dict[str, Any]: ...
    @property
    def value(self) -> Any: ...
    @property
    def count(self) -> int | None: ...
    @property
    def min(self) -> float | None: ...
    @property
    def max(self) -> float | None: ...
    @property
    def bounds(self) -> list[float]: ...
    @property
    def buckets(self) -> list[int]: ...
    @property
    def start_time(self) -> int: ...
    @property
    def time(self) -> int: ...
    @property
    def resource(self) -> dict[str, Any]: ...

@final
class FinishedSpan:
    @property
    def id(self) -> str: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def context(self) -> SpanContext: ...
    name: str
    type: str
    kind: str
    start_time: int
    @property
    def end_time(self) -> int | None: ...
    @end_time.setter
    def end_time(self, value: int) -> None: ...
    @property
    def duration(self) -> int | None: ...
    status: str
    status_message: str
    @property
    def error(self) -> SpanError | None: ...
    @property
    def attributes(self) -> dict[str, Any]: ...
    @attributes.setter
    def attributes(self, value: _Pairs) -> None: ...
    @property
    def metadata(self) -> dict[str, Any]: ...
    @metadata.setter
    def metadata(self, value: _Pairs) -> None: ...
    @property
    def tags(self) -> list[str]: ...
    @tags.setter
    def tags(self, value: Iterable[str]) -> None: ...
    @property
    def events(self) -> list[SpanEvent]: ...
    @events.setter
    def events(self, value: Iterable[SpanEvent]) -> None: ...
    @property
    def links(self) -> list[SpanLink]: ...
    @links.setter
    def links(self, value: Iterable[SpanLink]) -> None: ...
    input: Any
    output: Any
    @property
    def resource(self) -> dict[str, Any]: ...
    @property
    def scope(self) -> tuple[str, str]: ...
    @property
    def is_root(self) -> bool: ...
    @property
    def is_local_root(self) -> bool: ...
    @property
    def is_event(self) -> bool: ...
    @property
    def is_internal(self) -> bool: ...
    @property
    def dropped(self) -> tuple[int, int, int]: ...
    def to_dict(self) -> dict[str, Any]: ...

@final
class DroppedSpan:
    @property
    def id(self) -> str: ...
    @property
    def trace_id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def type(self) -> str: ...
    @property
    def start_time(self) -> int: ...
    @property
    def reason(self) -> str: ...

@final
class TraceInfo:
    @property
    def id(self) -> str: ...
    @property
    def root_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def start_time(self) -> int: ...
    @property
    def end_time(self) -> int | None: ...
    @property
    def status(self) -> str: ...
    @property
    def span_count(self) -> int: ...
    @property
    def dropped_count(self) -> int: ...

@final
class SpanEvent:
    def __new__(
        cls, name: str, /, attributes: _Pairs | None = None, *, time: _Time | None = None
    ) -> Self: ...
    name: str
    time: int
    @property
    def attributes(self) -> dict[str, Any]: ...
    @attributes.setter
    def attributes(self, value: _Pairs) -> None: ...

@final
class SpanLink:
    def __new__(cls, target: _Parent, /, attributes: _Pairs | None = None) -> Self: ...
    @property
    def context(self) -> SpanContext: ...
    @property
    def attributes(self) -> dict[str, Any]: ...
    @attributes.setter
    def attributes(self, value: _Pairs) -> None: ...

@final
class SpanError:
    @property
    def type(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def stack(self) -> str: ...

@final
class Stats:
    @property
    def started(self) -> int: ...
    @property
    def ended(self) -> int: ...
    @property
    def pending(self) -> int: ...
    @property
    def unsampled(self) -> int: ...
    @property
    def internal(self) -> int: ...
    @property
    def excluded(self) -> int: ...
    @property
    def shed(self) -> int: ...
    @property
    def open_limit(self) -> int: ...
    @property
    def filtered(self) -> int: ...
    @property
    def host_errors(self) -> int: ...
    @property
    def events_dropped(self) -> int: ...
    @property
    def accepted(self) -> int: ...
    @property
    def exported(self) -> int: ...
    @property
    def on_disk(self) -> int: ...
    @property
    def dropped(self) -> dict[str, int]: ...
    @property
    def ended_twice(self) -> int: ...
    @property
    def altered(self) -> int: ...
    @property
    def limited(self) -> int: ...
    @property
    def redacted(self) -> int: ...
    @property
    def redaction_failures(self) -> int: ...
    @property
    def panics(self) -> int: ...
    @property
    def exporters(self) -> dict[str, dict[str, Any]]: ...
    @property
    def logs(self) -> dict[str, Any]: ...
    @property
    def metrics(self) -> dict[str, Any]: ...
    @property
    def relay(self) -> dict[str, Any]: ...
    def adds_up(self) -> bool: ...

@final
class MemoryExporter:
    def __new__(cls, *, capacity: int = 100000) -> Self: ...
    @property
    def spans(self) -> list[SpanRecord]: ...
    @property
    def logs(self) -> list[LogRecord]: ...
    @property
    def metrics(self) -> list[MetricPoint]: ...
    def clear(self) -> None: ...

@final
class Engine:
    @property
    def name(self) -> str: ...
    @property
    def resource(self) -> dict[str, Any]: ...
    def span(
        self,
        name: str,
        *,
        type: _SpanType | None = None,
        kind: _Kind | None = None,
        attributes: _Pairs | None = None,
        input: object = None,
        metadata: _Pairs | None = None,
        tags: Iterable[str] | None = None,
        parent: _Parent | None = None,
        links: Iterable[_Parent | tuple[_Parent, _Pairs]] | None = None,
        start_time: _Time | None = None,
        root: bool = False,
        trace_id: str | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        organization_id: str | None = None,
        thread_id: str | None = None,
        run_id: str | None = None,
        request_id: str | None = None,
        resource_id: str | None = None,
        environment: str | None = None,
        entity_type: str | None = None,
        entity_id: str | None = None,
        entity_name: str | None = None,
        hide_input: bool | None = None,
        hide_output: bool | None = None,
        internal_spans: str | Iterable[str] | None = None,
        request_context: Mapping[str, object] | None = None,
        request_context_keys: Iterable[str] | None = None,
        internal: bool | None = None,
    ) -> Span: ...
    def flush(self, timeout: _Seconds | None = None) -> None: ...
    def shutdown(self, timeout: _Seconds | None = None) -> None: ...
    def _flush_beside(self, timeout: _Seconds, beside: Callable[[], None]) -> None: ...
    def set_log_level(self, level: _LogLevel) -> None: ...
    def stats(self) -> Stats: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

class _Limits(TypedDict, total=False):
    preset: Literal["default", "compact"]
    string_length: int
    depth: int
    array_items: int
    object_keys: int
    span_bytes: int
    attributes: int
    events: int
    links: int
    event_attributes: int
    link_attributes: int
    maxStringLength: int
    maxDepth: int
    maxArrayLength: int
    maxObjectKeys: int

def init(
    service: str | None = None,
    *,
    name: str = ...,
    replace: bool = ...,
    disabled: bool = ...,
    resource: Mapping[str, object] = ...,
    resource_schema_url: str = ...,
    sampler: _Sampler = ...,
    propagators: str | Sequence[str] = ...,
    exporter: _Exporter = ...,
    exporters: Sequence[_Exporter] = ...,
    endpoint: str = ...,
    traces_endpoint: str = ...,
    headers: Mapping[str, str] = ...,
    timeout: _Seconds = ...,
    compression: Literal["gzip", "none"] = ...,
    gzip_level: int = ...,
    certificate: str | PathLike[str] = ...,
    client_key: str | PathLike[str] = ...,
    client_certificate: str | PathLike[str] = ...,
    retry: Mapping[str, object] = ...,
    max_queue_spans: int = ...,
    max_batch_spans: int = ...,
    max_batch_bytes: int = ...,
    schedule_delay: _Seconds = ...,
    export_timeout: _Seconds = ...,
    attribute_count_limit: int = ...,
    attribute_value_length_limit: int = ...,
    event_count_limit: int = ...,
    link_count_limit: int = ...,
    event_attribute_count_limit: int = ...,
    link_attribute_count_limit: int = ...,
    limits: Literal["default", "compact"] | _Limits = ...,
    serialization_options: Mapping[str, int] = ...,
    max_data_size: int = ...,
    include_io: bool = ...,
    exclude_fields: Sequence[str] = ...,
    memory_budget: int = ...,
    open_spans: int = ...,
    open_span_bytes: int = ...,
    capture_value_bytes: int = ...,
    capture_span_bytes: int = ...,
    redaction: bool | RedactionStyle | Redaction = ...,
    hide_input: bool = ...,
    hide_output: bool = ...,
    exit_timeout: _Seconds = ...,
    handle_sigterm: bool = ...,
    logs: bool = ...,
    log_level: _LogLevel = ...,
    logs_exporter: str
    | MemoryExporter
    | _OnLog
    | _ExportsEvents
    | Mapping[str, object]
    | Sequence[str | Mapping[str, object]] = ...,
    logs_endpoint: str = ...,
    metrics: bool | Metrics = ...,
    metrics_exporter: str
    | MemoryExporter
    | Mapping[str, object]
    | Sequence[str | Mapping[str, object]] = ...,
    metrics_endpoint: str = ...,
    diagnostic_level: Literal["none", "error", "warn", "info", "debug"] = ...,
    processors: _Processor | Sequence[_Processor] = ...,
    span_filter: Callable[[FinishedSpan], object] = ...,
    environment: str = ...,
    session_id: str = ...,
    default_session_id: str = ...,
    user_id: str = ...,
    organization_id: str = ...,
    thread_id: str = ...,
    run_id: str = ...,
    request_id: str = ...,
    resource_id: str = ...,
    metadata: Mapping[str, object] = ...,
    tags: Sequence[str] = ...,
    request_context_keys: Sequence[str] = ...,
    propagate_context: bool | Sequence[str] = ...,
    internal_spans: str | Sequence[str] = ...,
    include_internal_spans: bool = ...,
    exclude_span_types: Sequence[_SpanType] = ...,
    semantics: Literal["genai", "openinference"] = ...,
) -> Engine: ...
def engine(name: str | None = None) -> Engine: ...
def engines() -> list[Engine]: ...
def set_default(name: str) -> None: ...
def set_selector(selector: Callable[[dict[str, Any]], str | None] | None, /) -> None: ...
def flush(timeout: _Seconds | None = None) -> None: ...
def shutdown(timeout: _Seconds | None = None) -> None: ...
def set_log_level(level: _LogLevel) -> None: ...
def log(
    level: _LogLevel,
    body: object,
    /,
    *,
    attributes: _Pairs | None = None,
    error: BaseException | None = None,
    logger: str | None = None,
    event_name: str | None = None,
    time: _Time | None = None,
    span: _Parent | None = None,
) -> bool: ...
def stats() -> Stats: ...
def span(
    name: str,
    *,
    type: _SpanType | None = None,
    kind: _Kind | None = None,
    attributes: _Pairs | None = None,
    input: object = None,
    metadata: _Pairs | None = None,
    tags: Iterable[str] | None = None,
    parent: _Parent | None = None,
    links: Iterable[_Parent | tuple[_Parent, _Pairs]] | None = None,
    start_time: _Time | None = None,
    root: bool = False,
    trace_id: str | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    organization_id: str | None = None,
    thread_id: str | None = None,
    run_id: str | None = None,
    request_id: str | None = None,
    resource_id: str | None = None,
    environment: str | None = None,
    entity_type: str | None = None,
    entity_id: str | None = None,
    entity_name: str | None = None,
    hide_input: bool | None = None,
    hide_output: bool | None = None,
    internal_spans: str | Iterable[str] | None = None,
    request_context: Mapping[str, object] | None = None,
    request_context_keys: Iterable[str] | None = None,
    internal: bool | None = None,
) -> Span: ...
def event(
    name: str,
    *,
    type: _SpanType | None = None,
    kind: _Kind | None = None,
    attributes: _Pairs | None = None,
    input: object = None,
    output: object = None,
    metadata: _Pairs | None = None,
    parent: _Parent | None = None,
    time: _Time | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    organization_id: str | None = None,
    thread_id: str | None = None,
    run_id: str | None = None,
    request_id: str | None = None,
    resource_id: str | None = None,
    environment: str | None = None,
    entity_type: str | None = None,
    entity_id: str | None = None,
    entity_name: str | None = None,
    hide_input: bool | None = None,
    hide_output: bool | None = None,
    internal_spans: str | Iterable[str] | None = None,
    request_context: Mapping[str, object] | None = None,
    request_context_keys: Iterable[str] | None = None,
    internal: bool | None = None,
) -> None: ...
def current_span() -> Span: ...
def current_trace_id() -> str | None: ...
def context(
    *,
    tags: Iterable[str] | None = None,
    metadata: _Pairs | None = None,
    attributes: _Pairs | None = None,
    baggage: _Pairs | None = None,
    parent: _Parent | None = None,
    session_id: str | None = None,
    user_id: str | None = None,
    organization_id: str | None = None,
    thread_id: str | None = None,
    run_id: str | None = None,
    request_id: str | None = None,
    resource_id: str | None = None,
    environment: str | None = None,
    entity_type: str | None = None,
    entity_id: str | None = None,
    entity_name: str | None = None,
    hide_input: bool = False,
    hide_output: bool = False,
    internal_spans: str | Iterable[str] | None = None,
    request_context: Mapping[str, object] | None = None,
    request_context_keys: Iterable[str] | None = None,
) -> _ContextScope: ...
def baggage() -> dict[str, Any]: ...
@overload
def inject(
    carrier: dict[str, str],
    *,
    setter: Callable[[dict[str, str], str, str], object] | Any = None,
    context: _Parent | None = None,
) -> dict[str, str]: ...
@overload
def inject(
    carrier: _C,
    *,
    setter: Callable[[_C, str, str], object] | Any = None,
    context: _Parent | None = None,
) -> _C: ...
def extract(carrier: _C, *, getter: Callable[[_C, str], object] | Any = None) -> Context: ...

# What follows is the package's own business.

@final
class _HostWorker:
    def __new__(cls, event_loop: int | None = None) -> Self: ...
    @property
    def has_left(self) -> bool: ...
    def next(self, timeout: float | None = None) -> _HostJob | None: ...
    def leave(self) -> None: ...

@final
class _HostJob:
    @property
    def task(self) -> str: ...
    @property
    def target(self) -> Any: ...
    def spans(self) -> list[FinishedSpan]: ...
    def told(self, ended: bool) -> list[tuple[str, Any]]: ...
    def judge(self, spans: Sequence[FinishedSpan | None], failures: int) -> str | None: ...
    def filter(self, kept: Sequence[bool], failures: int) -> None: ...
    def done(self) -> None: ...
    def delivered(self, rejected: int, failed: int, failures: int) -> None: ...

@final
class _Ambient: ...

@final
class _ContextScope:
    def __enter__(self) -> Context: ...
    def __exit__(self, *_error: object) -> Literal[False]: ...

@final
class _Token: ...

class _RuntimeContext:
    def __new__(cls) -> Self: ...
    def get_current(self) -> Any: ...
    def attach(self, context: Any) -> Any: ...
    def detach(self, token: Any) -> None: ...

@disjoint_base
class _OtelSpan:
    def __new__(cls, *_arguments: object, **_options: object) -> Self: ...
    def get_span_context(self) -> Any: ...
    def is_recording(self) -> bool: ...
    def set_attribute(self, key: str, value: Any) -> None: ...
    def set_attributes(self, attributes: Mapping[str, Any]) -> None: ...
    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None: ...
    def add_link(self, context: Any, attributes: Any = None) -> None: ...
    def update_name(self, name: str) -> None: ...
    def set_status(self, status: Any, description: str | None = None) -> None: ...
    def record_exception(
        self,
        exception: BaseException,
        attributes: Any = None,
        timestamp: int | None = None,
        escaped: bool | None = None,
    ) -> None: ...
    def end(self, end_time: int | None = None) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        _class: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> None: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def _read(self) -> SpanRecord: ...
    def _read_shown(self) -> SpanRecord: ...
    def _kind_name(self) -> str: ...
    def _parent_context(self) -> Any: ...
    @property
    def _tracer(self) -> Any: ...

@disjoint_base
class _OtelTracer:
    def __new__(
        cls,
        engine: Engine,
        name: str,
        version: str,
        schema_url: str,
        attributes: Any,
        provider: Any = None,
        ids: Any = None,
    ) -> Self: ...
    def start_span(
        self,
        name: str,
        context: Any = None,
        kind: Any = None,
        attributes: Any = None,
        links: Any = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Any: ...
    def start_as_current_span(
        self,
        name: str,
        context: Any = None,
        kind: Any = None,
        attributes: Any = None,
        links: Any = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> _SpanScope: ...
    def _set_enabled(self, enabled: bool) -> None: ...
    def _is_enabled(self) -> bool: ...

@final
class _SpanScope:
    def __enter__(self) -> Any: ...
    def __exit__(
        self,
        _class: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> Literal[False]: ...
    def __call__(self, function: _C, /) -> _C: ...
    def _again(self) -> _SpanScope: ...

def _activate(span: Span) -> Any: ...
def _swap(value: Any) -> Any: ...
def _connect_otel(names: dict[str, Any]) -> None: ...
def _otel_span_context(context: SpanContext) -> Any: ...
def _init_provider(options: dict[str, Any]) -> Engine: ...
def _log_enabled(level: int) -> bool: ...
def _emit_log(
    logger: str,
    level: int,
    level_name: str,
    body: object,
    time: int | None,
    attributes: _Pairs,
    error: object,
) -> bool: ...
def _host_warn(kind: str, message: str) -> None: ...
def _forked() -> None: ...
def _exit_flush() -> None: ...
