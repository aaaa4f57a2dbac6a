"""Types of options that are mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import Required

__all__ = ["Metrics", "Price", "Redaction", "RedactionStyle"]

RedactionStyle = Literal["full", "partial", "indexed"]
"""What stands where a secret was: ``[REDACTED]``, ``abc…xyz``, or ``[API_KEY_1]``."""


class Redaction(TypedDict, total=False):
    """How secrets are redacted; see `docs/privacy.md`."""

    enabled: bool
    """Whether they are. Default: true."""
    style: RedactionStyle
    """What stands in their place. Default: ``full``."""
    keys: Sequence[str]
    """Further names whose values are secrets, matched by their words."""
    patterns: Mapping[str, str] | Sequence[str]
    """Regular expressions whose matches are secrets, with names for the style ``indexed``."""
    personal: Sequence[Literal["email", "ip", "phone"]]
    """What is personal rather than secret and redacted too. Default: nothing."""
    allow_keys: Sequence[str]
    """Names whose values are left as they are."""
    allow_patterns: Sequence[str]
    """Regular expressions; a secret that one of them matches as a whole is left as it is."""


class Price(TypedDict, total=False):
    """What a million tokens of a model cost; see `docs/metrics.md`."""

    input: Required[float]
    """Tokens of the input that no other price is given for."""
    output: float
    """Tokens of the output, reasoning included. Default: 0."""
    cache_read: float
    """Input that was read from a cache. Default: as any input."""
    cache_write: float
    """Input that was written to a cache. Default: as any input."""


class Metrics(TypedDict, total=False):
    """Whether and how metrics are made of spans; see `docs/metrics.md`."""

    enabled: bool
    """Whether they are. Default: true."""
    interval: float | timedelta
    """How often they are exported, in seconds. Default: 60."""
    timeout: float | timedelta
    """How long an export may take while a flush waits for it, in seconds. Default: 30."""
    temporality: Literal["cumulative", "delta", "lowmemory"]
    """How they add up from export to export. Default: ``cumulative``, or what a preset asks for."""
    max_series: int
    """Series of spans, and of operations; what is more goes into one. Default: 1,000."""
    max_names: int
    """Names of spans that are told apart. Default: 200."""
    names: Literal["both", "latest", "released"]
    """Which names GenAI metrics have: of the conventions' last release, or newer ones. Default: both."""
    attributes: Sequence[str]
    """Keys of attributes and metadata that become labels too. Default: none."""
    prices: Mapping[str, Price]
    """What tokens cost, by model; names may hold ``*``. Default: unknown."""
    currency: str
    """In what. Default: ``USD``."""
