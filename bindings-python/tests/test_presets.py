"""Presets of OTLP receivers: what a product's own variables make of the requests that are sent."""

from __future__ import annotations

from typing import Any

import polyspan
import pytest
from receiving import Receiver
from test_vectors import cases


@pytest.mark.parametrize("case", cases("presets.json"))
def test_the_requests_of_a_preset(
    case: dict[str, Any], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in case["env"].items():
        monkeypatch.setenv(name, value)
    given = case["exporter"]
    if "says" in case:
        with pytest.raises(polyspan.PolyspanError) as raised:
            polyspan.init("tests", name="presets", exporter=given)
        assert raised.value.code == "invalid_option"
        assert all(part in str(raised.value) for part in case["says"])
        return
    # The receiver stands where the product would; everything else is the preset's.
    described = dict(given) if isinstance(given, dict) else {"type": "otlp", "preset": given}
    described["endpoint"] = receiver.endpoint
    engine = polyspan.init("tests", name="presets", exporter=described, replace=True)
    try:
        polyspan.set_default("presets")
        engine.span("sent", attributes={"k": 1}).end()
        assert polyspan.log("info", "sent too") == ("logs" in case)
        engine.flush(30)
    finally:
        engine.shutdown(30)
    assert receiver.names() == {"sent": 1}
    assert [record.body.string_value for record in receiver.logs] == ["sent too"] * ("logs" in case)
    assert len(receiver.headers) == 1 + ("logs" in case)
    for headers in receiver.headers:
        for name, value in case["headers"].items():
            assert headers[name.lower()] == value
        assert not {"x-secret"} & headers.keys()
