"""Redaction as a Python program meets it, beyond what the vectors show."""

from __future__ import annotations

import traceback

import polyspan
import pytest
from conftest import Recorded, Run
from polyspan import MemoryExporter, inject, span

SECRET = "hunter2-hunter2"


def test_exceptions_are_redacted(recorded: Recorded) -> None:
    def connect(dsn: str) -> None:
        raise ConnectionError(f"cannot connect with password={SECRET} to {dsn}")

    with pytest.raises(ConnectionError), span("job"):
        connect(f"postgres://bob:{SECRET}@db/app")
    record = recorded.one()
    assert "password=[REDACTED]" in record.status_message
    assert "postgres://bob:[REDACTED]@db/app" in str(record.events[0][2]["exception.message"])
    assert SECRET not in str([record.status_message, *(event[2] for event in record.events)])


def test_traces_of_calls_are_redacted(recorded: Recorded) -> None:
    try:
        int(f"password={SECRET}")
    except ValueError:
        with span("job") as started:
            started.set("stack", traceback.format_exc())
    assert SECRET not in str(recorded.one().attributes["stack"])


def test_baggage_is_redacted_where_it_leaves(recorded: Recorded) -> None:
    with polyspan.context(baggage={"tier": "gold", "api_key": SECRET, "note": f"password={SECRET}"}):
        header = inject({})["baggage"]
        assert polyspan.baggage()["api_key"] == SECRET, "the application keeps its own"
    assert header.startswith("tier=gold,api_key=[REDACTED],note=password%3D[REDACTED]")


def test_the_resource_and_scopes_are_redacted() -> None:
    exporter = MemoryExporter()
    engine = polyspan.init(
        "x",
        name="resource",
        exporter=exporter,
        resource={"db.password": SECRET, "process.command_args": ["app", "--token", SECRET], "host": "h"},
    )
    assert engine.resource["db.password"] == "[REDACTED]"
    assert list(engine.resource["process.command_args"]) == ["app", "--token", "[REDACTED]"]
    assert engine.resource["host"] == "h"
    engine.shutdown(5)


def test_inputs_and_outputs_are_hidden() -> None:
    exporter = MemoryExporter()
    engine = polyspan.init("x", name="hidden", exporter=exporter, hide_input=True, redaction=False)
    with engine.span("a", input="question", attributes={"gen_ai.input.messages": "[]", "k": 1}) as started:
        started.update(output="answer")
    engine.shutdown(5)
    other = MemoryExporter()
    engine = polyspan.init("x", name="hidden", exporter=other, hide_output=True)
    with engine.span("a", input="question", attributes={"gen_ai.output.messages": "[]"}) as started:
        started.update(output="answer")
    engine.shutdown(5)
    assert (exporter.spans[0].input, exporter.spans[0].output) == (None, "answer")
    assert exporter.spans[0].attributes == {"k": 1}
    assert (other.spans[0].input, other.spans[0].output, other.spans[0].attributes) == ("question", None, {})


def test_what_was_replaced_is_counted(recorded: Recorded) -> None:
    with span("a", attributes={"password": "x", "token": "y", "tokens_used": 3}):
        pass
    recorded.one()
    counted = recorded.engine.stats()
    assert (counted.redacted, counted.redaction_failures) == (2, 0)


def test_lines_of_the_log_are_redacted(run_python: Run) -> None:
    program = """
        import logging
        import polyspan
        logging.basicConfig()
        polyspan.init("x", exporters=[])
    """
    done = run_python(program, OTEL_TRACES_SAMPLER=f"password={SECRET}")
    assert "OTEL_TRACES_SAMPLER" in done.stderr
    assert "password=[REDACTED]" in done.stderr and SECRET not in done.stderr


def test_a_session_that_has_the_form_of_a_secret_does_not_travel() -> None:
    engine = polyspan.init("tests", exporter=polyspan.MemoryExporter(), propagate_context=True, replace=True)
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
    with polyspan.context(session_id="s-42", user_id="u-7"):
        plain = polyspan.inject({})
    with polyspan.context(session_id=token):
        secret = polyspan.inject({})
    engine.shutdown(30)
    assert plain["x-polyspan-session-id"] == "s-42" and "u-7" in plain["baggage"]
    assert secret["x-polyspan-session-id"] == "[REDACTED]"
    assert token not in str(secret) and "REDACTED" in secret["baggage"]
