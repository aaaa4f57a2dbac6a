"""Ctrl-C while a flush or shutdown waits for a destination that does not answer."""

from __future__ import annotations

import os

import pytest
from conftest import Run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of a console are sent otherwise there")


@pytest.mark.parametrize(
    "call", ["polyspan.flush(3600)", "polyspan.shutdown(3600)", "engine.flush(3600)", "engine.shutdown(3600)"]
)
def test_ctrl_c_ends_the_waiting(run_python: Run, call: str) -> None:
    # Where it does not, the program is killed and the test fails.
    done = run_python(
        f"""
        import os, signal, socket, threading
        import polyspan

        # Whatever a shell starts in the background ignores it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        silent = socket.create_server(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{{silent.getsockname()[1]}}"
        engine = polyspan.init(
            "x", exporter={{"type": "otlp_http", "endpoint": endpoint}}, schedule_delay=3600, exit_timeout=0.1
        )
        polyspan.span("x").end()

        def press():
            # Only what waits below has the span sent.
            silent.accept()
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=press, daemon=True).start()
        try:
            {call}
        except KeyboardInterrupt:
            print("interrupted")
        """,
        timeout=120,
    )
    assert done.stdout == "interrupted\n"
