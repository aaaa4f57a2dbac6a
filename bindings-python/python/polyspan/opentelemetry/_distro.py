"""What ``opentelemetry-instrument`` loads for ``OTEL_PYTHON_DISTRO=polyspan``.

Needs ``opentelemetry-instrumentation``. Where Polyspan is the only distribution installed, nothing has to be
set.
"""

from __future__ import annotations

import os

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined, unused-ignore]

from ._provider import register

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Configurator", "Distro"]


class Distro(BaseDistro):  # type: ignore[misc, unused-ignore]
    """Chooses Polyspan's configurator unless the environment says otherwise."""

    def _configure(self, **_: Any) -> None:
        os.environ.setdefault("OTEL_PYTHON_CONFIGURATOR", "polyspan")


class Configurator:
    """Sets the global tracer provider from the ``OTEL_*`` environment."""

    def configure(self, auto_instrumentation_version: str | None = None, **_: Any) -> None:
        options: dict[str, Any] = {}
        if auto_instrumentation_version:
            options["resource"] = {"telemetry.auto.version": auto_instrumentation_version}
        register(**options)
