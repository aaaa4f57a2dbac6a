"""The SDK where it is installed, and what stands in for its classes where it is not."""

from __future__ import annotations

from opentelemetry import trace as api

TYPE_CHECKING = False


def _loaded() -> object:
    """The SDK's module of traces; None where it is not installed.

    It reads a limit from the environment while it loads, and raises where that is no number. The engine warns
    of such a variable and uses the default, so the SDK is loaded without.
    """
    from importlib import import_module

    try:
        return import_module("opentelemetry.sdk.trace")
    except ImportError:
        return None
    except ValueError:
        import os

        limits = [name for name in os.environ if name.startswith("OTEL_") and name.endswith("_LIMIT")]
        hidden = {name: os.environ.pop(name) for name in limits}
        try:
            return import_module("opentelemetry.sdk.trace")
        finally:
            os.environ.update(hidden)


if TYPE_CHECKING:
    from opentelemetry.sdk import trace as sdk

    # What holds with and without the SDK.
    SpanBase = api.Span
    TracerBase = api.Tracer
    ProviderBase = api.TracerProvider
    HAS_SDK: bool
else:
    sdk = _loaded()
    HAS_SDK = sdk is not None
    SpanBase = sdk.Span if HAS_SDK else api.Span
    TracerBase = sdk.Tracer if HAS_SDK else api.Tracer
    ProviderBase = sdk.TracerProvider if HAS_SDK else api.TracerProvider

__all__ = ["HAS_SDK", "ProviderBase", "SpanBase", "TracerBase", "sdk"]
