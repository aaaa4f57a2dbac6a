"""Forks, children and exits: every span of every process is delivered once, and nothing waits for long.

Each program here runs in an interpreter of its own and sends to a small HTTP receiver in this process.
"""

from __future__ import annotations

import os
import signal

import pytest
from conftest import Run
from receiving import Receiver

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_leaving_delivers_what_is_left(run_python: Run, receiver: Receiver) -> None:
    run_python(
        """
        import polyspan
        polyspan.init("x")
        with polyspan.span("ended"):
            pass
        open_span = polyspan.span("left open")
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert receiver.names()["ended"] == 1


def test_leaving_by_an_exception_and_by_exit(run_python: Run, receiver: Receiver) -> None:
    for leave in ("raise SystemExit(3)", "raise RuntimeError", "import sys; sys.exit(3)"):
        done = run_python(
            f"""
            import polyspan
            polyspan.init("x")
            with polyspan.span({leave!r}):
                {leave}
            """,
            check=False,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        )
        assert done.returncode in (1, 3)
        assert receiver.names()[leave] == 1


@pytest.mark.parametrize("handled", [True, False])
def test_leaving_by_a_signal(run_python: Run, receiver: Receiver, handled: bool) -> None:
    done = run_python(
        f"""
        import os, signal, polyspan
        polyspan.init("x", handle_sigterm={handled})
        polyspan.span("ended").end()
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
        """,
        check=False,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert done.returncode == -signal.SIGTERM
    assert receiver.names()["ended"] == handled


def test_a_signal_that_the_application_handles_is_left_to_it(run_python: Run, receiver: Receiver) -> None:
    run_python(
        """
        import os, signal, sys, polyspan
        handler = lambda *_: sys.exit(0)
        signal.signal(signal.SIGTERM, handler)
        polyspan.init("x")
        assert signal.getsignal(signal.SIGTERM) is handler
        polyspan.span("ended").end()
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert receiver.names() == {"ended": 1}


@pytest.mark.parametrize("collector", ["dead", "hanging"])
def test_leaving_does_not_wait_for_a_collector(run_python: Run, receiver: Receiver, collector: str) -> None:
    # The receiver never answers: the program ends at all only if it keeps its bound.
    receiver.hang.set()
    done = run_python(
        """
        import atexit, polyspan
        # Registered before the engine's own handler, so that it runs after it.
        atexit.register(lambda: print(engine.stats().adds_up(), engine.stats()))
        engine = polyspan.init("x", exit_timeout=0.5)
        polyspan.span("x").end()
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint if collector == "hanging" else "http://127.0.0.1:9",
    )
    assert done.stdout.startswith("True Stats(ended=1, exported=0, on_disk=0, dropped={'")


@forks
def test_a_fork_records_on_both_sides(run_python: Run, receiver: Receiver) -> None:
    run_python(
        """
        import os, sys, polyspan
        polyspan.init("x")
        polyspan.span("before").end()
        crossing = polyspan.span("crossing")
        with polyspan.span("around"):
            if os.fork() == 0:
                polyspan.span("child").end()
                crossing.end()
                assert polyspan.stats().dropped == {"forked_child": 1}, polyspan.stats()
                assert polyspan.stats().ended == 2
                sys.exit(0)
        os.wait()
        crossing.end()
        polyspan.span("after").end()
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    names = receiver.names()
    # What was open at the fork belongs to the parent; the child's copy of it is counted and dropped.
    assert names == {"before": 1, "child": 1, "crossing": 1, "around": 1, "after": 1}
    by_name = {span.name: span for span in receiver.spans}
    assert by_name["child"].parent_span_id == by_name["around"].span_id


@forks
def test_a_fork_of_a_fork(run_python: Run, receiver: Receiver) -> None:
    run_python(
        """
        import os, sys, polyspan
        polyspan.init("x")
        for depth in range(3):
            polyspan.span(f"depth {depth}").end()
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                sys.exit(0)
        polyspan.span("depth 3").end()
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert receiver.names() == {f"depth {depth}": 1 for depth in range(4)}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_multiprocessing(run_python: Run, receiver: Receiver, method: str, when: str) -> None:
    init = 'polyspan.init("x")'
    run_python(
        f"""
        {"import multiprocessing" if when == "before" else ""}
        import polyspan
        {init}
        polyspan.span("at import").end()
        import multiprocessing

        def work(number):
            with polyspan.span("work"):
                pass

        if __name__ == "__main__":
            context = multiprocessing.get_context({method!r})
            processes = [context.Process(target=work, args=(n,)) for n in range(3)]
            for process in processes:
                process.start()
            for process in processes:
                process.join()
                assert process.exitcode == 0
            with context.Pool(2) as pool:
                pool.map(work, range(4))
                pool.close()
                pool.join()
        """,
        timeout=120,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert receiver.names()["work"] == 7


@forks
def test_a_process_pool_continues_the_trace(run_python: Run, receiver: Receiver) -> None:
    run_python(
        """
        from concurrent.futures import ProcessPoolExecutor
        import polyspan

        def work(number):
            with polyspan.span(f"work {number}"):
                return number

        if __name__ == "__main__":
            polyspan.init("x")
            with ProcessPoolExecutor(2) as pool:
                executor = polyspan.ContextExecutor(pool)
                with polyspan.span("parent"):
                    futures = [executor.submit(work, 0), executor.submit(work, 1)]
                    assert [future.result() for future in futures] == [0, 1]
                    assert list(executor.map(work, range(2, 4))) == [2, 3]
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert receiver.names() == {"parent": 1} | {f"work {n}": 1 for n in range(4)}
    by_name = {span.name: span for span in receiver.spans}
    parent = by_name.pop("parent")
    assert {span.parent_span_id for span in by_name.values()} == {parent.span_id}


def test_threads_that_outlive_the_main_thread(run_python: Run, receiver: Receiver) -> None:
    run_python(
        """
        import threading, polyspan
        polyspan.init("x")

        def daemon():
            while True:
                with polyspan.span("daemon"):
                    pass

        threading.Thread(target=daemon, daemon=True).start()
        started = threading.Event()

        def late():
            threading.main_thread().join()
            polyspan.span("late").end()

        threading.Thread(target=late).start()
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert receiver.names()["late"] == 1


def test_another_interpreter_in_the_same_process_is_refused(run_python: Run) -> None:
    done = run_python(
        """
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _interpreters as interpreters
        import polyspan
        polyspan.init("x", exporters=[])
        other = interpreters.create()
        try:
            failed = interpreters.run_string(other, "import polyspan")
        except Exception as error:
            failed = error
        print("refused" if failed else "imported")
        polyspan.span("still works").end()
        assert polyspan.stats().ended == 1
        """
    )
    assert done.stdout.strip() == "refused"


def test_nothing_happens_at_import(run_python: Run) -> None:
    run_python(
        """
        import os, sys, threading
        before = set(sys.modules)
        import polyspan
        assert threading.active_count() == 1
        assert len(os.listdir("/proc/self/task")) == 1
        heavy = {"asyncio", "typing", "inspect", "logging", "re", "enum", "opentelemetry", "concurrent"}
        assert not heavy & (set(sys.modules) - before), heavy & (set(sys.modules) - before)
        """
    )
