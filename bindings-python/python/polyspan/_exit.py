"""Leaving a process without losing spans: at exit, and in children that leave without exit handlers.

The engine calls :func:`arm` when it starts and with the first span of a forked child; nothing is set up
before.
"""

from __future__ import annotations

import atexit
import os
import sys

from ._polyspan import _exit_flush, _forked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Runs after the finalizers of other packages, which may still record spans.
_FINALIZER_PRIORITY = -100

_installed = False
_armed_in = 0


def arm() -> None:
    """Make sure that this process flushes when it ends."""
    global _installed, _armed_in
    if not _installed:
        _installed = True
        atexit.register(_exit_flush)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_forked)
    if _armed_in == os.getpid():
        return
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None and not _armed_in:
        # A child forgets its finalizers before it runs what these callbacks register.
        util.register_after_fork(arm, _arm_again)
    _armed_in = os.getpid()
    _arm_child()


def _arm_again(_: object) -> None:
    global _armed_in
    _armed_in = 0
    _forked()


def _arm_child() -> None:
    process: Any = sys.modules.get("multiprocessing.process")
    util: Any = sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _exit_flush, exitpriority=_FINALIZER_PRIORITY)
    process = sys.modules.get("billiard.process")
    if process is None or process.current_process()._parent_pid is None:
        return
    if util is not None:
        # billiard shares the registry of multiprocessing.
        util.Finalize(None, _exit_flush, exitpriority=_FINALIZER_PRIORITY)
    pool: Any = sys.modules.get("billiard.pool")
    if pool is not None:
        _flush_before_exit(pool.Worker)


def _flush_before_exit(worker: Any) -> None:
    """A pool worker of billiard (and so of Celery) ends in ``os._exit``, past every finalizer."""
    leave = worker._do_exit
    if getattr(leave, "_polyspan", False):
        return

    def _do_exit(self: Any, pid: int, exitcode: Any, exc: Any = None) -> Any:
        on_exit = self.on_exit

        def flush_last(pid: int, exitcode: Any) -> None:
            try:
                if on_exit is not None:
                    on_exit(pid, exitcode)
            finally:
                _exit_flush()

        self.on_exit = flush_last
        return leave(self, pid, exitcode, exc)

    _do_exit._polyspan = True  # type: ignore[attr-defined]
    worker._do_exit = _do_exit
