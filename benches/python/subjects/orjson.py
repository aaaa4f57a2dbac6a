"""The JSON encoder that costs least: what values are at least worth, without a span around them."""

from __future__ import annotations

import orjson


class Subject:
    def __init__(self, setup) -> None:
        pass

    def values(self, value: dict) -> None:
        orjson.dumps(value)
        orjson.dumps(value)

    def flush(self) -> None:
        pass

    def stop(self) -> dict:
        return {}
