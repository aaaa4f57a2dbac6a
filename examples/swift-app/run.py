"""Runs the example: the parcel service, the support agent in Python, and the app, whose network this is.

    python run.py COMMAND...

COMMAND starts the app; the address of the agent is added to it. All programs inherit the environment, so
`OTEL_EXPORTER_OTLP_ENDPOINT` decides where the spans go. `cargo xtask demo --swift` runs this with a
receiver.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from urllib.parse import urlsplit

PYTHON_AGENT = Path(__file__).parent.parent / "python-agent"
# A cold start under load takes its time; what hangs is ended.
READY_WITHIN = 120.0
STOPPED_WITHIN = 30.0
VISITED_WITHIN = 300.0


class Network:
    """Passes connections on to one address while it is up, and refuses them while it is down."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._is_up = True
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, is_up: bool) -> None:
        with self._lock:
            self._is_up = is_up
            if not is_up:
                for one in self._open:
                    with suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.set(False)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client:
            with self._lock:
                if not self._is_up:
                    return
            with suppress(OSError), socket.create_connection(self._target) as server:
                with self._lock:
                    if not self._is_up:
                        return
                    self._open |= {client, server}
                back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
                back.start()
                self._pass(client, server)
                back.join()
                with self._lock:
                    self._open -= {client, server}

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextmanager
def program(command: list[str], folder: Path) -> Iterator[str]:
    """A server that says its address in its first line; the rest of its output is passed on."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    found: Queue[str] = Queue()

    def read() -> None:
        assert process.stdout is not None
        found.put(process.stdout.readline().strip())
        for line in process.stdout:
            print(line, end="", flush=True)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        try:
            where = found.get(timeout=READY_WITHIN)
        except Empty:
            where = ""
        if not where:
            raise RuntimeError(f"{command[-1]} did not say its address")
        yield where
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOPPED_WITHIN)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(STOPPED_WITHIN)


def visit(command: list[str], desk: str) -> int:
    """Runs the app; both of its ways lead through a network that goes away when it says so."""
    networks = [Network(desk)]
    environment = dict(os.environ)
    endpoint = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if endpoint:
        networks.append(Network(endpoint))
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = networks[-1].address
    app = subprocess.Popen(
        [*command, networks[0].address],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )

    def end() -> None:
        with suppress(ProcessLookupError):
            os.killpg(app.pid, signal.SIGKILL)

    late = threading.Timer(VISITED_WITHIN, end)
    late.start()
    try:
        assert app.stdin is not None and app.stdout is not None
        for line in app.stdout:
            print(line, end="", flush=True)
            if line.startswith("network: "):
                for network in networks:
                    network.set(line.split()[1] == "up")
                app.stdin.write("done\n")
                app.stdin.flush()
        return app.wait()
    finally:
        late.cancel()
        end()
        app.wait()
        for network in networks:
            network.close()


def main() -> int:
    python = sys.executable
    with (
        program([python, "service.py"], PYTHON_AGENT) as service,
        program([python, "desk.py", service], PYTHON_AGENT) as desk,
    ):
        return visit(sys.argv[1:], desk)


if __name__ == "__main__":
    sys.exit(main())
