"""Records of `logging` on their way through the engine."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polyspan
import pytest
from conftest import Recorded, Run
from polyspan import LogHandler, LogRecord
from receiving import Receiver

VECTORS = json.loads((Path(__file__).parents[2] / "tests/vectors/logs.json").read_text(encoding="utf-8"))


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """A logger of its own that takes everything and hands it to a handler."""
    logger = logging.Logger("app.billing")
    logger.addHandler(LogHandler())
    yield logger
    polyspan.set_log_level("info")


def logged(recorded: Recorded) -> list[LogRecord]:
    recorded.engine.flush(30)
    return recorded.exporter.logs


def test_a_record_says_what_was_logged(recorded: Recorded, log: logging.Logger) -> None:
    log.warning("%d of %s", 2, "three", extra={"attempt": 2, "tags": ["a"], "card": {"kind": "visa"}})
    (record,) = logged(recorded)
    assert record.body == "2 of three"
    assert (record.severity, record.severity_text, record.logger) == (13, "WARNING", "app.billing")
    attributes = record.attributes
    assert (attributes["attempt"], attributes["tags"], attributes["card"]) == (2, ("a",), {"kind": "visa"})
    assert attributes["code.function.name"] == "test_a_record_says_what_was_logged"
    assert attributes["code.file.path"] == __file__
    assert isinstance(attributes["code.line.number"], int)
    assert attributes.keys() == {
        "attempt", "tags", "card", "code.function.name", "code.file.path", "code.line.number",
    }  # fmt: skip
    assert record.resource["service.name"] == "tests"
    assert record.time > 1_700_000_000_000_000_000
    assert (record.trace_id, record.span_id) == (None, None)


def test_a_mapping_stays_one(recorded: Recorded, log: logging.Logger) -> None:
    log.info({"event": "charged", "cents": 7})
    log.info(ValueError("as text"))
    assert [record.body for record in logged(recorded)] == [{"event": "charged", "cents": 7}, "as text"]


def test_it_belongs_to_the_current_span_and_inherits(recorded: Recorded, log: logging.Logger) -> None:
    with polyspan.context(session_id="s-42", user_id="u-7", metadata={"tier": "gold"}):
        with polyspan.span("work") as span:
            log.error("inside")
        log.error("between")
    log.error("outside", extra={"session.id": "by hand"})
    inside, between, outside = logged(recorded)
    assert (inside.trace_id, inside.span_id) == (span.trace_id, span.span_id)
    assert (inside.attributes["session.id"], inside.attributes["user.id"]) == ("s-42", "u-7")
    assert inside.metadata == {"tier": "gold"}
    assert (between.trace_id, between.attributes["session.id"]) == (None, "s-42")
    assert outside.attributes["session.id"] == "by hand"


def test_secrets_do_not_leave(recorded: Recorded, log: logging.Logger) -> None:
    log.error("password=%s", "hunter2hunter2", extra={"api_key": "k-0123456789", "attempt": 2})
    (record,) = logged(recorded)
    assert record.body == "password=[REDACTED]"
    assert (record.attributes["api_key"], record.attributes["attempt"]) == ("[REDACTED]", 2)


def test_an_exception_is_described(recorded: Recorded, log: logging.Logger) -> None:
    try:
        raise KeyError("missing")
    except KeyError:
        log.exception("failed", stack_info=True)
    log.error("by hand", exc_info=True)
    first, second = logged(recorded)
    assert first.attributes["exception.type"] == "KeyError"
    assert first.attributes["exception.message"] == "'missing'"
    assert 'raise KeyError("missing")' in first.attributes["exception.stacktrace"]
    assert "log.exception" in first.attributes["code.stacktrace"]
    assert "exception.type" not in second.attributes


@pytest.mark.parametrize(("level", "severity"), VECTORS["python"])
def test_every_level_has_its_severity(recorded: Recorded, level: int, severity: int) -> None:
    recorded.engine.set_log_level("trace")
    LogHandler().handle(logging.LogRecord("app", level, __file__, 1, "m", (), None))
    (record,) = logged(recorded)
    assert record.severity == severity


@pytest.mark.parametrize(("name", "least"), VECTORS["levels"])
def test_names_of_levels(recorded: Recorded, name: str, least: Any) -> None:
    if least == "unknown":
        with pytest.raises(polyspan.PolyspanError) as raised:
            recorded.engine.set_log_level(name)  # type: ignore[arg-type]
        assert raised.value.code == "invalid_option"
        return
    recorded.engine.set_log_level(name)  # type: ignore[arg-type]
    for level in (5, 10, 20, 30, 40, 50):
        LogHandler().handle(logging.LogRecord("app", level, __file__, 1, "m", (), None))
    kept = [severity for severity in (1, 5, 9, 13, 17, 21) if least is not None and severity >= least]
    assert [record.severity for record in logged(recorded)] == kept


def test_the_level_changes_at_run_time(recorded: Recorded, log: logging.Logger) -> None:
    log.debug("1")
    polyspan.set_log_level("debug")
    log.debug("2")
    polyspan.set_log_level(logging.ERROR)
    log.warning("3")
    log.error("4")
    recorded.engine.set_log_level("none")
    log.critical("5")
    assert [record.body for record in logged(recorded)] == ["2", "4"]
    assert recorded.engine.stats().logs["emitted"] == 2


@pytest.mark.parametrize("level", [None, object(), 1.5j, "loud", [], {}])
def test_no_level(recorded: Recorded, level: Any) -> None:
    with pytest.raises(polyspan.PolyspanError, match=r"log_level: .* expected trace, debug, info"):
        polyspan.set_log_level(level)


class Hostile:
    """Raises or logs whatever one does with it."""

    def __init__(self, log: logging.Logger | None = None) -> None:
        self.log = log

    def __str__(self) -> str:
        if self.log is None:
            raise RuntimeError("no text")
        self.log.error("from within")
        return "text"

    __repr__ = __str__


def test_nothing_that_is_logged_raises_or_recurses(recorded: Recorded, log: logging.Logger) -> None:
    log.error("%s %s", "one")
    log.error("%s", Hostile())
    log.error(Hostile())
    log.error("extra", extra={"bad": Hostile(), "": 1, "talks": Hostile(log)})
    log.error("%s", Hostile(log))
    cyclic: list[object] = []
    cyclic.append(cyclic)
    log.error(cyclic)
    bodies = [record.body for record in logged(recorded)]
    assert "from within" not in bodies
    assert bodies[0] == "%s %s ('one',)"
    assert "extra" in bodies and "text" in bodies
    assert recorded.engine.stats().panics == 0


def test_the_engines_own_lines_stay_out(recorded: Recorded) -> None:
    handler = LogHandler()
    for name in ("polyspan", "polyspan.something", "polyspanner"):
        handler.handle(logging.LogRecord(name, 40, __file__, 1, "m", (), None))
    assert [record.logger for record in logged(recorded)] == ["polyspanner"]


def test_a_handler_has_a_level_and_filters_of_its_own(recorded: Recorded) -> None:
    logger = logging.Logger("app")
    handler = LogHandler("ERROR")
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    logger.addHandler(handler)
    logger.warning("too low")
    logger.error("a secret")
    logger.error("kept")
    assert [record.body for record in logged(recorded)] == ["kept"]


def test_threads_log_at_the_same_time(recorded: Recorded, log: logging.Logger) -> None:
    def work(thread: int) -> None:
        with polyspan.span(f"thread {thread}"):
            for number in range(200):
                log.info("%d %d", thread, number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = logged(recorded)
    assert len({record.body for record in records}) == 1600
    assert len({record.trace_id for record in records}) == 8
    counts = recorded.engine.stats().logs
    assert (counts["emitted"], counts["exported"], counts["dropped"]) == (1600, 1600, {})


def test_records_are_sent(receiver: Receiver, log: logging.Logger) -> None:
    engine = polyspan.init("logs", endpoint=receiver.endpoint, replace=True)
    with polyspan.span("work") as span:
        log.error("sent")
    engine.shutdown(30)
    (record,) = receiver.logs
    assert record.body.string_value == "sent"
    assert record.trace_id.hex() == span.trace_id
    assert receiver.names() == {"work": 1}
    assert engine.stats().adds_up()
    assert engine.stats().logs["exporters"]["otlp_http"]["exported"] == 1


def test_logs_of_init_and_what_was_there_before(run_python: Run) -> None:
    run_python("""
        import logging, polyspan
        logging.getLogger().addHandler(polyspan.LogHandler())
        logging.error("before init: nowhere")
        memory = polyspan.MemoryExporter()
        polyspan.init("a", logs=True, exporter=memory)
        polyspan.init("b", logs=True, exporter=memory, replace=True)
        assert sum(isinstance(h, polyspan.LogHandler) for h in logging.getLogger().handlers) == 1
        logging.error("once")
        polyspan.flush()
        assert [record.body for record in memory.logs] == ["once"], memory.logs
        polyspan.shutdown()
        logging.error("after: nowhere")
    """)


def test_what_is_logged_last_is_sent_at_exit(run_python: Run, tmp_path: Path) -> None:
    run_python("""
        import logging, polyspan
        polyspan.init("a", logs=True, exporter={"type": "file", "path": "out.jsonl"})
        logging.error("last words")
    """)
    (line,) = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    (record,) = json.loads(line)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert record["body"] == {"stringValue": "last words"}


@pytest.mark.parametrize(
    ("logger", "level"),
    [
        ("'debug'", "debug"),
        ("logging.getLogger('x')", "warn"),
        ("logging.DEBUG", "debug"),
        ("False", "none"),
        ("True", "info"),
    ],
)
def test_the_option_logger_of_old(run_python: Run, logger: str, level: str) -> None:
    done = run_python(f"""
        import logging, polyspan
        logging.basicConfig(format="%(name)s: %(message)s")
        memory = polyspan.MemoryExporter()
        polyspan.init("a", logger={logger}, exporter=memory)
        polyspan.init("a", logger={logger}, exporter=memory)
        handler = polyspan.LogHandler()
        for number in (5, 10, 20, 30, 40, 50):
            handler.handle(logging.LogRecord("app", number, "f", 1, "m", (), None))
        polyspan.flush()
        least = dict(debug=5, info=9, warn=13, none=99)[{level!r}]
        assert [r.severity for r in memory.logs] == [s for s in (1, 5, 9, 13, 17, 21) if s >= least]
    """)
    lines = [line for line in done.stderr.splitlines() if line.startswith("polyspan: ")]
    warned = f'polyspan: the option `logger` is deprecated; use `log_level`, here "{level}"'
    assert lines == [warned]


@pytest.mark.parametrize(
    ("options", "option"),
    [({"logs": "yes"}, "logs"), ({"log_level": "loud"}, "log_level"), ({"logger": object()}, "logger")],
)
def test_options_that_cannot_be_used(options: dict[str, Any], option: str) -> None:
    with pytest.raises(polyspan.PolyspanError, match=f"^{option}: ") as raised:
        polyspan.init("logs", replace=True, **options)
    assert raised.value.code == "invalid_option"


@pytest.mark.parametrize(
    ("variable", "option", "said"),
    [
        ("", "", ["OTEL_PROPAGATORS", "no exporter"]),
        ("warn", "", ["OTEL_PROPAGATORS"]),
        ("none", "", []),
        ("error", "", []),
        ("none", "diagnostic_level='info'", ["OTEL_PROPAGATORS", "no exporter"]),
    ],
)
def test_what_the_engine_says_about_itself(
    run_python: Run, variable: str, option: str, said: list[str]
) -> None:
    program = f"""
        import logging, polyspan
        logging.basicConfig(format="%(name)s: %(message)s")
        polyspan.init({option})
    """
    done = run_python(program, OTEL_LOG_LEVEL=variable, OTEL_PROPAGATORS="pigeon")
    lines = [line for line in done.stderr.splitlines() if line.startswith("polyspan: ")]
    assert len(lines) == len(said)
    assert all(any(word in line for line in lines) for word in said)


def test_an_exporters_own_lines_are_not_exported(run_python: Run) -> None:
    run_python("""
        import logging, polyspan
        log = logging.getLogger("exporter")

        class Talking:
            def export(self, spans):
                log.error("%d spans", len(spans))

        memory = polyspan.MemoryExporter()
        polyspan.init("a", logs=True, exporter=Talking(), logs_exporter=memory)
        with polyspan.span("work"):
            pass
        polyspan.flush()
        assert memory.logs == []
    """)


def test_a_record_without_logging(recorded: Recorded) -> None:
    with polyspan.context(session_id="s-42"), polyspan.span("charge") as span:
        assert polyspan.log(
            "warn",
            {"card": "visa", "password": "hunter2"},
            attributes={"attempt": 2},
            error=ValueError("refused"),
            logger="billing",
            event_name="card.refused",
            time=1_800_000_000_000_000_000,
        )
        assert not polyspan.log("debug", "below the level")
        assert not polyspan.log(logging.DEBUG, "below it too")
    assert polyspan.log("error", "afterwards", span=span)
    assert polyspan.log(logging.CRITICAL, "nobody's")
    first, second, third = logged(recorded)
    assert (first.body, first.severity, first.severity_text) == (
        {"card": "visa", "password": "[REDACTED]"},
        13,
        "WARN",
    )
    assert (first.trace_id, first.span_id) == (span.trace_id, span.span_id)
    assert (first.logger, first.event_name, first.time) == (
        "billing",
        "card.refused",
        1_800_000_000_000_000_000,
    )
    assert first.attributes["session.id"] == "s-42" and first.attributes["attempt"] == 2
    assert first.attributes["exception.type"] == "ValueError"
    assert (second.trace_id, second.span_id, second.severity) == (span.trace_id, span.span_id, 17)
    assert (third.trace_id, third.severity, third.event_name) == (None, 21, "")


def test_a_record_that_is_odd_is_kept_as_far_as_it_goes(recorded: Recorded) -> None:
    odd: Any = object()
    assert polyspan.log(odd, odd, attributes=odd, span=odd, time=odd)
    (record,) = logged(recorded)
    assert record.severity == 9 and record.body == "<object>"


class Both:
    """Takes spans and log records."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_log(self, record: LogRecord) -> None:
        self.calls.append(f"log {record.body} {record.attributes.get('token')}")

    def export(self, spans: list[polyspan.FinishedSpan]) -> None:
        self.calls += [f"span {span.name}" for span in spans]

    def flush(self) -> None:
        self.calls.append("flush")

    def shutdown(self) -> None:
        self.calls.append("shutdown")


def test_an_exporter_in_python_takes_log_records() -> None:
    exporter = Both()
    engine = polyspan.init("tests", exporters=[exporter], replace=True)
    with polyspan.span("work"):
        polyspan.log("info", "x" * 200_000, attributes={"token": "t0k3n"})
        polyspan.log("warn", "second")
    engine.flush(30)
    logs = engine.stats().logs
    assert (logs["emitted"], logs["accepted"], logs["exported"]) == (2, 2, 2)
    assert engine.stats().exported == 1
    engine.shutdown(30)
    first, second = [call for call in exporter.calls if call.startswith("log ")]
    assert first.endswith("…[truncated] [REDACTED]") and len(first) < 132_000
    assert second == "log second None"
    assert exporter.calls.count("span work") == 1
    assert exporter.calls[-1] == "shutdown" and exporter.calls.count("shutdown") == 1
    assert engine.stats().adds_up()


def test_an_exporter_of_log_records_alone() -> None:
    bodies: list[Any] = []

    class Logs:
        name = "only logs"

        async def on_log(self, record: LogRecord) -> None:
            bodies.append(record.body)
            if record.body == "odd":
                raise OSError("not that one")

    memory = polyspan.MemoryExporter()
    engine = polyspan.init("tests", exporter=memory, logs_exporter=Logs(), replace=True)
    for body in ("one", "odd", "two"):
        polyspan.log("info", body)
    engine.flush(30)
    assert bodies == ["one", "odd", "two"] and memory.logs == []
    logs = engine.stats().logs
    assert logs["exporters"]["only logs"]["dropped"] == {"host_failed": 1}
    assert logs["exported"] == 2
    engine.shutdown(30)
    assert engine.stats().adds_up()


def test_one_method_may_take_log_records_too() -> None:
    told: list[str] = []

    class Matching:
        def export_event(self, event: polyspan.TelemetryEvent) -> None:
            match event:
                case polyspan.LogEmitted(record):
                    told.append(f"{event.type} {record.body}")

    engine = polyspan.init("tests", exporters=[Matching()], replace=True)
    polyspan.log("info", "said")
    engine.shutdown(30)
    assert told == ["log said"]


def test_what_an_exporter_says_while_it_works_is_not_its_next_work() -> None:
    class Chatty:
        def on_log(self, record: LogRecord) -> None:
            assert not polyspan.log("error", "about a log record")

    engine = polyspan.init("tests", exporters=[Chatty()], replace=True)
    polyspan.log("info", "said")
    engine.flush(30)
    assert engine.stats().logs["emitted"] == 1 and engine.stats().logs["exported"] == 1
    engine.shutdown(30)


def test_calls_of_one_exporter_follow_each_other() -> None:
    inside: list[str] = []
    calls: list[str] = []

    class Waiting:
        async def note(self, what: str) -> None:
            inside.append(what)
            assert len(inside) == 1, inside
            await asyncio.sleep(0.002)
            calls.append(inside.pop())

        async def on_span_ended(self, span: polyspan.FinishedSpan) -> None:
            await self.note("span")

        async def on_log(self, record: LogRecord) -> None:
            await self.note("log")

        async def flush(self) -> None:
            await self.note("flush")

        async def shutdown(self) -> None:
            await self.note("shutdown")

    engine = polyspan.init("tests", exporters=[Waiting()], schedule_delay=0.001, replace=True)
    for _ in range(10):
        with polyspan.span("work"):
            polyspan.log("info", "said")
        engine.flush(30)
    engine.shutdown(30)
    assert (calls.count("span"), calls.count("log"), calls.count("shutdown")) == (10, 10, 1)
    assert calls[-1] == "shutdown"
    assert engine.stats().host_errors == 0 and engine.stats().adds_up()
