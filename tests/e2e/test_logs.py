"""Log records of a program through the real Collector, beside its spans."""

from __future__ import annotations

import logging
from typing import Any

import polyspan
from otelcol import Collector


def _attributes(of: dict[str, Any]) -> dict[str, Any]:
    return {entry["key"]: entry["value"] for entry in of["attributes"]}


def test_records_arrive_with_their_trace(collector: Collector) -> None:
    engine = polyspan.init("logs e2e", endpoint=collector.endpoint, replace=True, log_level="debug")
    logger = logging.Logger("billing")
    logger.addHandler(polyspan.LogHandler())
    with polyspan.context(session_id="s-42"), polyspan.span("charge") as span:
        logger.debug({"cents": 7, "cards": ["visa", None]}, extra={"attempt": 2, "raw": b"\x00\xff"})
        try:
            raise ValueError("no such card")
        except ValueError:
            logger.exception("charging failed")
    logger.warning("outside")
    engine.shutdown(30)
    assert engine.stats().adds_up()
    requests = collector.stop_and_read_logs()
    assert [found.name for found in collector.spans()] == ["charge"]

    resources = [resource for request in requests for resource in request["resourceLogs"]]
    assert all(
        _attributes(resource["resource"])["service.name"] == {"stringValue": "logs e2e"}
        for resource in resources
    )
    scopes = [scope for resource in resources for scope in resource["scopeLogs"]]
    assert {scope["scope"]["name"] for scope in scopes} == {"billing"}
    first, second, third = (record for scope in scopes for record in scope["logRecords"])
    assert (first["severityNumber"], first["severityText"]) == (5, "DEBUG")
    assert first["body"]["kvlistValue"]["values"] == [
        {"key": "cents", "value": {"intValue": "7"}},
        {"key": "cards", "value": {"arrayValue": {"values": [{"stringValue": "visa"}, {}]}}},
    ]
    attributes = _attributes(first)
    assert attributes["attempt"] == {"intValue": "2"}
    assert attributes["raw"] == {"bytesValue": "AP8="}
    assert attributes["session.id"] == {"stringValue": "s-42"}
    for record in (first, second):
        assert (record["traceId"], record["spanId"], record["flags"] & 1) == (span.trace_id, span.span_id, 1)
        assert 0 < int(record["timeUnixNano"]) <= int(record["observedTimeUnixNano"])
    assert second["body"] == {"stringValue": "charging failed"}
    assert _attributes(second)["exception.type"] == {"stringValue": "ValueError"}
    assert third["severityNumber"] == 13 and not third.get("traceId") and not third.get("spanId")
    assert "session.id" not in _attributes(third)
