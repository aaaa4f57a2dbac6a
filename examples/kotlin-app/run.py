"""Runs the example: the parcel service, the support agent in Python, and the app that asks them.

    python run.py COMMAND...

COMMAND starts the app, for example `java -cp ... AppKt`; it is given the addresses of the agent and of the
service. All programs inherit the environment, so `OTEL_EXPORTER_OTLP_ENDPOINT` decides where the spans go.
`cargo xtask demo --kotlin` runs this with a receiver.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PYTHON_AGENT = HERE.parent / "python-agent"
sys.path.insert(0, str(HERE.parent / "nextjs-agent"))

from run import program  # noqa: E402  (the other example's, which starts programs that say their address)

VISITED_WITHIN = 300.0


def main() -> int:
    command = sys.argv[1:]
    python = sys.executable
    plain = r"^(http://\S+)$"
    with (
        program([python, "service.py"], plain, PYTHON_AGENT) as service,
        program([python, "desk.py", service], plain, PYTHON_AGENT) as desk,
    ):
        return subprocess.run([*command, desk, service], timeout=VISITED_WITHIN).returncode


if __name__ == "__main__":
    sys.exit(main())
