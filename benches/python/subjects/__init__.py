"""The programs under measurement: one module per tracing library, each recording the same trace as its own
documentation recommends. A module has a class `Subject(setup)` with `trace(turn)` (eight spans),
`one(facts)` (a single span with six attributes), `flush()` and `stop()`, which returns what the
library itself can say of its spans: `ended`, `exported`, `dropped`, where it can.
"""
