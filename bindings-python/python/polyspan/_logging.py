"""The handler that brings records of ``logging`` to the engine. Loaded when first used."""

from __future__ import annotations

import logging
import threading

from ._polyspan import _emit_log, _log_enabled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["LogHandler", "install"]

# What every record has; anything else came with ``extra``.
_USUAL = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "asctime",
    "message",
    "taskName",
}

# The engine's own lines: sending them would say something about sending them.
_OWN = "polyspan"

_inside = threading.local()


class LogHandler(logging.Handler):
    """Sends log records to where the engine sends log records, as part of the current trace.

    ``level`` is the handler's own threshold, beside the engine's (``init(log_level=...)``,
    ``set_log_level``). It may be added before ``init`` is called; records go to the default engine
    of the moment.
    It never raises, and never records what is logged while it is at work.
    """

    def __init__(self, level: int | str = logging.NOTSET) -> None:
        super().__init__(level)

    def createLock(self) -> None:  # noqa: N802
        """The engine needs none, and a lock held while another thread forks is one more thing to go wrong."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Record it unless a filter of this handler objects."""
        try:
            kept: Any = self.filter(record)
            if kept:
                self.emit(record if kept is True else kept)
            return bool(kept)
        except Exception:
            return False

    def emit(self, record: logging.LogRecord) -> None:
        """Record it."""
        if getattr(_inside, "busy", False) or not _log_enabled(record.levelno):
            return
        if record.name == _OWN or record.name.startswith(_OWN + "."):
            return
        _inside.busy = True
        try:
            _emit_log(
                record.name,
                record.levelno,
                record.levelname,
                _body(record),
                int(record.created * 1e9),
                _attributes(record),
                _error(record),
            )
        except Exception:
            # Whatever is wrong with the record, logging it is no reason to fail.
            return
        finally:
            _inside.busy = False


def _body(record: logging.LogRecord) -> object:
    if not record.args and isinstance(record.msg, (dict, list, tuple)):
        return record.msg
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg!s} {record.args!r}"


def _attributes(record: logging.LogRecord) -> dict[str, object]:
    attributes: dict[str, object] = {
        "code.file.path": record.pathname,
        "code.function.name": record.funcName,
        "code.line.number": record.lineno,
    }
    if record.stack_info:
        attributes["code.stacktrace"] = record.stack_info
    for key, value in record.__dict__.items():
        if key not in _USUAL:
            attributes[key] = value
    return attributes


def _error(record: logging.LogRecord) -> object:
    # ``exc_info`` may be the truth value that the caller gave, where a record was made by hand.
    found = record.exc_info
    return found[1] if isinstance(found, tuple) and len(found) > 1 else None


def install() -> None:
    """Add a handler to the root logger, unless it has one."""
    root = logging.getLogger()
    if not any(isinstance(handler, LogHandler) for handler in root.handlers):
        root.addHandler(LogHandler())
