"""Types of options that are mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

__all__ = ["Redaction", "RedactionStyle"]

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
