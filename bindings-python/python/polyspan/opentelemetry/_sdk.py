"""The SDK where it is installed, and what stands in for its classes where it is not."""

from __future__ import annotations

from opentelemetry import trace as api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from opentelemetry.sdk import trace as sdk

    # What holds with and without the SDK.
    SpanBase = api.Span
    TracerBase = api.Tracer
    ProviderBase = api.TracerProvider
    HAS_SDK: bool
else:
    try:
        from opentelemetry.sdk import trace as sdk
    except ImportError:
        sdk = None
    HAS_SDK = sdk is not None
    SpanBase = sdk.Span if HAS_SDK else api.Span
    TracerBase = sdk.Tracer if HAS_SDK else api.Tracer
    ProviderBase = sdk.TracerProvider if HAS_SDK else api.TracerProvider

__all__ = ["HAS_SDK", "ProviderBase", "SpanBase", "TracerBase", "sdk"]
