"""Runs the example: the parcel service, the support agent in Python, the application, and a visit with a
browser.

    python run.py FOLDER COMMAND...

COMMAND starts the application in FOLDER, where it was built, for example
`node node_modules/next/dist/bin/next start -p 0`. All programs inherit the environment, so
`OTEL_EXPORTER_OTLP_ENDPOINT` decides where the spans go. `cargo xtask demo --next` runs this with a receiver;
SCREENSHOT names a file for a picture of the page, and with STAY everything runs on until the standard input
ends.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue

HERE = Path(__file__).parent
PYTHON_AGENT = HERE.parent / "python-agent"
# A cold start under load takes its time; what hangs is ended.
READY_WITHIN = 120.0
STOPPED_WITHIN = 30.0
VISITED_WITHIN = 400.0


@contextmanager
def program(
    command: list[str], address: str, folder: Path, environment: dict[str, str] | None = None
) -> Iterator[str]:
    """A program that says its address in a line matching `address`; the rest of its output is passed on."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    found: Queue[str] = Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            match = re.search(address, line)
            if match:
                found.put(match[1])
            else:
                print(line, end="", flush=True)
        found.put("")

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        try:
            where = found.get(timeout=READY_WITHIN)
        except Empty:
            where = ""
        if not where:
            raise RuntimeError(f"{command[0]} did not say its address")
        yield where
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            print(f"{command[0]} does not stop", file=sys.stderr)
        # What it has started, such as the workers of a build.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(STOPPED_WITHIN)


def main() -> int:
    folder, command = Path(sys.argv[1]).resolve(), sys.argv[2:]
    python = sys.executable
    plain = r"^(http://\S+)$"
    with (
        program([python, "service.py"], plain, PYTHON_AGENT) as service,
        program([python, "desk.py", service], plain, PYTHON_AGENT) as desk,
        program(
            command,
            r"Local:\s+(http://\S+)",
            folder,
            {"COLLEAGUE_URL": desk, "OTEL_SERVICE_NAME": "parcel-desk", "PORT": "0", "HOSTNAME": "localhost"},
        ) as application,
    ):
        visit = ["node", str(Path(os.environ.get("VISIT", folder / "visit.mjs")).resolve()), application]
        if "SCREENSHOT" in os.environ:
            visit.append(os.environ["SCREENSHOT"])
        return subprocess.run(visit, timeout=VISITED_WITHIN).returncode


if __name__ == "__main__":
    sys.exit(main())
