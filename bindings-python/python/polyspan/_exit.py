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


def arm(handle_sigterm: bool = False) -> None:
    """Make sure that this process flushes when it ends, also by a SIGTERM that nobody else handles."""
    global _installed, _armed_in
    if handle_sigterm:
        _handle_sigterm()
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


def _handle_sigterm() -> None:
    """Flush before the default action, which ends the process past every exit handler."""
    # The module signal takes long to import; this is what it is made of.
    import _signal  # type: ignore[import-not-found]

    def terminate(signum: int, _: object) -> None:
        _exit_flush()
        _signal.signal(signum, _signal.SIG_DFL)
        os.kill(os.getpid(), signum)

    if _signal.getsignal(_signal.SIGTERM) != _signal.SIG_DFL:
        return
    # contextlib takes long to import too.
    try:  # noqa: SIM105
        _signal.signal(_signal.SIGTERM, terminate)
    except ValueError:
        # Only the main thread may do so.
        pass


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
