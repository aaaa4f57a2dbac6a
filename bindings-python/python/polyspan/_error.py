"""The one exception type of the package."""

from __future__ import annotations

__all__ = ["PolyspanError"]


class PolyspanError(Exception):
    """What ``init``, ``flush``, ``shutdown`` and file operations raise; recording spans never raises.

    ``code`` is the same in every language: ``invalid_option``, ``already_initialized``, ``not_running``,
    ``deadline_exceeded``, ``io`` or ``resource``.
    """

    code: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return f"{self.args[1]} [{self.code}]"
