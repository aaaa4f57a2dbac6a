"""Runs the example: starts the service, lets the agent work, stops the service, passes on what they print.

    python run.py

Both programs inherit the environment, so `OTEL_EXPORTER_OTLP_ENDPOINT` decides where the spans go; without it
each says so and prints its own as a tree. `cargo xtask demo` runs this with a receiver.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    service = subprocess.Popen([sys.executable, HERE / "service.py"], stdout=subprocess.PIPE, text=True)
    assert service.stdout is not None
    address = service.stdout.readline().strip()
    try:
        agent = subprocess.run([sys.executable, HERE / "agent.py", address], timeout=120)
    finally:
        service.terminate()
        said, _ = service.communicate(timeout=30)
        print(said, end="")
    return agent.returncode


if __name__ == "__main__":
    sys.exit(main())
