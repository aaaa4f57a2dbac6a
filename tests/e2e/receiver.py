"""Runs the scripted OTLP receiver of `tests/receiver`, which misbehaves on demand, for tests of faults.

Its program prints one JSON object a line and takes steps and commands on its standard input.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from otlp_json import Span, spans_of_request

# What happens to a request, as `tests/receiver/src/script.rs` says: "ok", {"reply": {"status": 503}}, ...
Step = str | dict[str, Any]


class Receiver:
    """A running receiver: the first requests meet `steps`, those after them `then`."""

    def __init__(self, binary: Path, steps: list[Step], then: Step) -> None:
        script = json.dumps({"steps": steps, "then": then})
        self._process = subprocess.Popen(
            [str(binary), script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lines: list[dict[str, Any]] = []
        self._grown = threading.Condition()
        self._ended = False
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()
        self.endpoint: str = self._wait("listening", lambda found: bool(found), 30.0)[0]["endpoint"]

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            with self._grown:
                self._lines.append(json.loads(line))
                self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()

    def _of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self._lines if line["event"] == event]

    def _wait(
        self, event: str, enough: Callable[[list[dict[str, Any]]], bool], within: float
    ) -> list[dict[str, Any]]:
        with self._grown:
            self._grown.wait_for(lambda: self._ended or enough(self._of(event)), within)
            found = self._of(event)
        if not enough(found):
            raise AssertionError(f"the receiver printed only {len(found)} {event!r} within {within:.0f} s")
        return found

    def push(self, *steps: Step) -> None:
        """Adds steps behind the others; request number n meets step n, so do it before they are used up."""
        self._write(json.dumps(steps))

    def requests(self, count: int = 0, *, within: float = 20.0) -> list[dict[str, Any]]:
        """What arrived, a dict for each request, once there are at least `count` of them."""
        return self._wait("request", lambda found: len(found) >= count, within)

    def spans(self, count: int = 0, *, within: float = 20.0) -> list[Span]:
        """The spans that were accepted, once there are at least `count` of them."""
        requests = self._wait("request", lambda found: len(_accepted(found)) >= count, within)
        return _accepted(requests)

    def arrivals(self) -> dict[str, int]:
        """How often each span, by its id, was accepted."""
        before = len(self._of("summary"))
        self._write("summary")
        summary = self._wait("summary", lambda found: len(found) > before, 20.0)[-1]
        if summary["violations"]:
            raise AssertionError(f"requests that no OTLP client should send: {summary['violations']}")
        arrivals: dict[str, int] = summary["arrivals"]
        return arrivals

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def _accepted(requests: list[dict[str, Any]]) -> list[Span]:
    spans: list[Span] = []
    for request in requests:
        all_spans = spans_of_request(request["request"] or {})
        # A partial refusal concerns the first ones.
        spans += all_spans[len(all_spans) - request["accepted"] :]
    return spans


@contextmanager
def receiving(binary: Path, steps: list[Step], then: Step) -> Iterator[Receiver]:
    """A receiver that is listening, and gone afterwards."""
    receiver = Receiver(binary, steps, then)
    try:
        yield receiver
    finally:
        receiver.kill()
