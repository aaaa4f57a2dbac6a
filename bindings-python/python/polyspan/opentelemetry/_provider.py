"""The tracer provider: the SDK's where that is installed, with spans recorded and exported natively."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from opentelemetry import trace as api
from opentelemetry.baggage import _BAGGAGE_KEY
from opentelemetry.context.context import Context
from opentelemetry.trace.propagation import _SPAN_KEY

from .. import _polyspan as native
from ._context import install
from ._sdk import HAS_SDK, ProviderBase, sdk
from ._span import Span
from ._tracer import Tracer

if HAS_SDK:
    from ._processors import flush, shut_down

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits, SpanProcessor
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.sdk.trace.sampling import Sampler

    from .._polyspan import Engine

__all__ = ["TracerProvider", "register"]

_logger = logging.getLogger("polyspan")

native._connect_otel(
    {
        "span_key": _SPAN_KEY,
        "baggage_key": _BAGGAGE_KEY,
        "context": Context,
        "span": Span,
        "span_context": api.SpanContext,
        "trace_flags": api.TraceFlags,
        "trace_state": api.TraceState,
        "empty_trace_state": api.DEFAULT_TRACE_STATE,
        "kinds": list(api.SpanKind),
        "statuses": list(api.StatusCode),
        "non_recording": api.NonRecordingSpan,
    }
)


class _Scope:
    """An instrumentation scope, where there is no SDK to have a class for it."""

    __slots__ = ("attributes", "name", "schema_url", "version")

    def __init__(self, name: str, version: str | None, schema_url: str | None, attributes: Any) -> None:
        self.name = name
        self.version = version
        self.schema_url = schema_url
        self.attributes = attributes

    def _key(self) -> tuple[Any, ...]:
        return (self.name, self.version, self.schema_url, repr(self.attributes))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Scope) and other._key() == self._key()

    def __hash__(self) -> int:
        return hash(self._key())


class TracerProvider(ProviderBase):
    """Makes tracers whose spans are recorded and exported by a Polyspan engine.

    The positional arguments are those of the SDK's provider and need ``opentelemetry-sdk``, but for
    ``resource``, which may be a mapping of attributes. ``engine`` or the ``options`` of ``polyspan.init``
    choose the engine; with neither, and no ``sampler``, ``resource`` or ``span_limits``, the default one is
    used if one runs. Otherwise one is started, which exports to ``OTEL_EXPORTER_OTLP_ENDPOINT`` or
    ``http://localhost:4318`` as the specification says; ``exporters=[]`` leaves exporting to the span
    processors. These get spans redacted and limited as the engine exports them; ``raw_processors`` gives them
    what was recorded.
    """

    # Where the SDK is installed, its provider sets these.
    _active_span_processor: Any
    _resource: Any
    _tracers: dict[Any, Tracer]

    def __init__(
        self,
        sampler: Sampler | None = None,
        resource: Resource | Mapping[str, Any] | None = None,
        shutdown_on_exit: bool = True,
        active_span_processor: Any = None,
        id_generator: IdGenerator | None = None,
        span_limits: SpanLimits | None = None,
        *,
        meter_provider: Any = None,
        engine: Engine | None = None,
        raw_processors: bool = False,
        _tracer_configurator: Any = None,
        **options: Any,
    ) -> None:
        self._engine = engine
        # Whether span processors get spans at their end as they were recorded, secrets included.
        self.raw_processors = raw_processors
        if isinstance(resource, Mapping):
            options["resource"] = resource
            resource = None
        if HAS_SDK:
            super().__init__(  # type: ignore[call-arg]
                sampler,
                resource,
                shutdown_on_exit,
                active_span_processor,
                id_generator,
                # Its own would read the environment, and raise where it cannot: the engine has read it.
                span_limits or sdk._UnsetLimits,
                meter_provider=meter_provider,
                **_configured(_tracer_configurator),
            )
        else:
            self._tracers = {}
            self._tracers_lock = threading.Lock()
            self._disabled = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
            self._atexit_handler = atexit.register(self.shutdown) if shutdown_on_exit else None
            self.sampler = sampler
            self.id_generator = id_generator
        if sampler is not None:
            options["sampler"] = _described(sampler)
        if span_limits is not None:
            options.update(_limits(span_limits))
        if engine is None and resource is None and not options:
            with suppress(native.PolyspanError):
                self._engine = native.engine()
        if self._engine is None:
            self._engine = self._start_engine(options)
        if HAS_SDK:
            # What processors see is what the engine exports.
            self._resource = type(self._resource)(self._engine.resource, self._resource.schema_url)
        install()

    def _start_engine(self, options: dict[str, Any]) -> Engine:
        options.setdefault("name", "opentelemetry")
        if HAS_SDK:
            detected = {key: value for key, value in self._resource.attributes.items() if _is_own(key, value)}
            options["resource"] = detected | dict(options.get("resource", ()))
            if self._resource.schema_url:
                options.setdefault("resource_schema_url", self._resource.schema_url)
        return native._init_provider(options)

    @property
    def engine(self) -> Engine:
        """The engine that records and exports the spans."""
        assert self._engine is not None
        return self._engine

    @property
    def resource(self) -> Any:
        """The resource of the engine, as the SDK's class where that is installed."""
        if not HAS_SDK:
            return self.engine.resource
        return super().resource  # type: ignore[misc]

    def _own_ids(self) -> IdGenerator | None:
        """The id generator, unless it is the random one that the engine has too."""
        if self.id_generator is None or type(self.id_generator).__name__ == "RandomIdGenerator":
            return None
        return self.id_generator

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> api.Tracer:
        """A tracer for an instrumentation scope; the same one for the same arguments."""
        if self._disabled:
            return api.NoOpTracer()
        name = _text(instrumenting_module_name)
        if not name:
            _logger.error("get_tracer called with missing module name.")
        scope, info = _scope(
            name,
            _text(instrumenting_library_version),
            _text(schema_url) or None,
            attributes if isinstance(attributes, Mapping) else None,
        )
        with self._tracers_lock:
            tracer = self._tracers.get(scope)
            if tracer is None:
                tracer = self._tracers[scope] = Tracer(self, scope, info)
                configure = getattr(self, "_apply_tracer_configurator", None)
                if configure is not None:
                    tracer._set_tracer_config(configure(scope))
        return tracer

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        """Have a span processor told of every span of a tracer; it gets the SDK's own objects.

        Spans of Polyspan's own API are not among them: an exporter or processor of the engine gets those too.
        """
        if not HAS_SDK:
            raise native.PolyspanError(
                "invalid_option", "add_span_processor: span processors need the package opentelemetry-sdk"
            )
        super().add_span_processor(span_processor)  # type: ignore[misc]

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Deliver every span that has ended: the engine and the span processors, at the same time.

        False when the timeout came first, or a span processor failed.
        """
        timeout = timeout_millis / 1000
        deadline = time.monotonic() + timeout
        flushed = True

        def processors() -> None:
            nonlocal flushed
            if HAS_SDK:
                flushed = flush(self._active_span_processor, deadline)

        try:
            self.engine._flush_beside(timeout, processors)
        except native.PolyspanError:
            return False
        return flushed

    def shutdown(self) -> None:
        """Deliver what is left and stop: the span processors, and the engine whatever they do."""
        if self._atexit_handler is not None:
            atexit.unregister(self._atexit_handler)
            self._atexit_handler = None
        try:
            if HAS_SDK:
                shut_down(self._active_span_processor)
        finally:
            # None where what was given could not be used.
            if self._engine is not None:
                try:
                    self._engine.shutdown()
                except native.PolyspanError as error:
                    _logger.warning("%s", error)


def _configured(configurator: Any) -> dict[str, Any]:
    """The argument that older SDKs do not know, only where it is given."""
    return {} if configurator is None else {"_tracer_configurator": configurator}


def _text(given: object) -> str:
    """A text as it can be sent; what is none was not given."""
    return given.encode("utf-8", "replace").decode() if isinstance(given, str) else ""


def _scope(name: str, version: str, schema_url: str | None, attributes: Any) -> tuple[Any, Any]:
    if not HAS_SDK:
        return _Scope(name, version, schema_url, attributes), None
    import warnings

    from opentelemetry.sdk.util.instrumentation import InstrumentationInfo, InstrumentationScope

    with warnings.catch_warnings():
        # The SDK deprecates the class and keeps on handing out its objects.
        warnings.simplefilter("ignore", DeprecationWarning)
        info = InstrumentationInfo(name, version, schema_url)
    return InstrumentationScope(name, version, schema_url, attributes), info


def _is_own(key: str, value: object) -> bool:
    """Whether an attribute of a resource speaks of the process, and not of an SDK that is not at work."""
    if key == "service.name":
        return not str(value).startswith("unknown_service")
    return not key.startswith("telemetry.sdk.")


def _limits(limits: SpanLimits) -> dict[str, Any]:
    names = {
        "attribute_count_limit": limits.max_span_attributes,
        "attribute_value_length_limit": limits.max_span_attribute_length,
        "event_count_limit": limits.max_events,
        "link_count_limit": limits.max_links,
        "event_attribute_count_limit": limits.max_event_attributes,
        "link_attribute_count_limit": limits.max_link_attributes,
    }
    return {name: limit for name, limit in names.items() if limit is not None}


def _described(sampler: Sampler) -> Any:
    """The engine's own sampler for one of the SDK's constant ones; others are asked for every span."""
    if HAS_SDK:
        from opentelemetry.sdk.trace import sampling

        if sampler in (sampling.ALWAYS_ON, sampling.ALWAYS_OFF):
            return "always_on" if sampler is sampling.ALWAYS_ON else "always_off"
        if sampler is sampling.DEFAULT_ON:
            return "parentbased_always_on"
        if sampler is sampling.DEFAULT_OFF:
            return "parentbased_always_off"
    return sampler


def register(**options: Any) -> TracerProvider:
    """Make a tracer provider with these ``options`` and set it as the global one.

    Returns the provider that is in place: an earlier one if the API has one already.
    """
    provider = TracerProvider(**options)
    api.set_tracer_provider(provider)
    present = api.get_tracer_provider()
    return present if isinstance(present, TracerProvider) else provider
