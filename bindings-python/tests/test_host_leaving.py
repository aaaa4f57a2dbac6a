"""Exporters written in Python when their program ends, forks, or has children."""

from __future__ import annotations

import os

import pytest
from conftest import Run

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def test_leaving_delivers_to_the_exporter(run_python: Run) -> None:
    done = run_python(
        """
        import polyspan

        class Printing:
            def export(self, spans):
                print("exported", [span.name for span in spans], flush=True)
            def flush(self):
                print("flushed", flush=True)
            def shutdown(self):
                print("stopped", flush=True)

        class Awaiting:
            async def export(self, spans):
                import asyncio
                await asyncio.sleep(0)
                print("awaited", [span.name for span in spans], flush=True)

        polyspan.init("x", exporters=[Printing(), Awaiting()])
        polyspan.span("last").end()
        """
    )
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("awaited")] == [
        "exported ['last']",
        "flushed",
        "stopped",
    ]
    assert "awaited ['last']" in lines and not done.stderr


@pytest.mark.parametrize("way", ["time.sleep(1e6)", "await asyncio.sleep(1e6)", "\nwhile True: pass"])
def test_leaving_does_not_wait_for_one_that_hangs(run_python: Run, way: str) -> None:
    # It never comes back: the program ends at all only if it keeps its bound.
    kind = "async def" if "await" in way else "def"
    way = way.replace("\n", "\n                ")
    done = run_python(
        f"""
        import asyncio, atexit, time, polyspan
        # Registered before the engine's own handler, so that it runs after it.
        atexit.register(lambda: print(engine.stats().adds_up(), engine.stats().exporters))

        class Hanging:
            {kind} export(self, spans):
                {way}

        class Healthy:
            def export(self, spans):
                print("delivered", len(spans), flush=True)

        engine = polyspan.init("x", exporters=[Hanging(), Healthy()], exit_timeout=1)
        polyspan.span("x").end()
        """
    )
    assert "delivered 1" in done.stdout
    assert "True {'Hanging': {'accepted': 1, 'pending': 0, 'exported': 0" in done.stdout
    assert "Fatal" not in done.stderr and "Traceback" not in done.stderr


@forks
def test_each_side_of_a_fork_has_a_thread_of_its_own(run_python: Run) -> None:
    done = run_python(
        """
        import os, sys, threading, polyspan

        class Printing:
            def export(self, spans):
                names = [span.name for span in spans]
                os.write(1, f"{os.getpid()} {threading.current_thread().name} {names}\\n".encode())

        polyspan.init("x", exporters=[Printing()])
        polyspan.span("before").end()
        polyspan.flush(30)
        with polyspan.span("around"):
            child = os.fork()
            if child == 0:
                polyspan.span("child").end()
                polyspan.flush(30)
                assert polyspan.stats().exported == 1, polyspan.stats()
                polyspan.span("child later").end()
                sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        polyspan.span("after").end()
        polyspan.flush(30)
        print(os.getpid(), child)
        """
    )
    lines = done.stdout.splitlines()
    parent, child = lines.pop().split()
    by_process: dict[str, list[str]] = {parent: [], child: []}
    for line in lines:
        process, thread, names = line.split(" ", 2)
        assert thread == "polyspan-host"
        by_process[process].append(names)
    assert by_process == {
        parent: ["['before']", "['around', 'after']"],
        child: ["['child']", "['child later']"],
    }


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(run_python: Run, method: str) -> None:
    done = run_python(
        f"""
        import multiprocessing, os, polyspan

        class Printing:
            def export(self, spans):
                os.write(1, "".join(span.name + "\\n" for span in spans).encode())

        polyspan.init("x", exporters=[Printing()])

        def work(number):
            with polyspan.span(f"work {{number}}"):
                pass

        if __name__ == "__main__":
            polyspan.span("main").end()
            context = multiprocessing.get_context({method!r})
            with context.Pool(2) as pool:
                pool.map(work, range(8))
                pool.close()
                pool.join()
        """,
        timeout=120,
    )
    assert sorted(set(done.stdout.split("\n"))) == ["", "main", *(f"work {n}" for n in range(8))]
