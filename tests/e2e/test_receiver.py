"""The harness around the scripted receiver: steps are met in order, and more can be added while it runs.
What the receiver does to each request is tested where it lives, in Rust.
"""

from __future__ import annotations

import urllib.error
import urllib.request

from conftest import StartReceiver
from receiver import Receiver


def _post_empty(receiver: Receiver) -> int:
    """Sends an ExportTraceServiceRequest without a span, which is a body without a byte."""
    post = urllib.request.Request(
        f"{receiver.endpoint}/v1/traces", data=b"", headers={"content-type": "application/x-protobuf"}
    )
    try:
        with urllib.request.urlopen(post) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_steps_are_met_in_order(start_receiver: StartReceiver) -> None:
    receiver = start_receiver({"reply": {"status": 503}}, then={"reply": {"status": 429}})
    receiver.push("ok", {"reply": {"status": 400}})
    assert receiver.arrivals() == {}  # answered only after the steps were taken in
    assert [_post_empty(receiver) for _ in range(4)] == [503, 200, 400, 429]
    assert [request["number"] for request in receiver.requests(4)] == [0, 1, 2, 3]
    assert receiver.spans() == []


def test_receivers_are_independent(start_receiver: StartReceiver) -> None:
    dead, alive = start_receiver(then={"reply": {"status": 503}}), start_receiver()
    assert (_post_empty(dead), _post_empty(alive)) == (503, 200)
    assert len(alive.requests(1)) == 1
