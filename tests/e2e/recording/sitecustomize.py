"""Makes a Polyspan program keep what it recorded, beside sending it.

`recorded.py` puts this folder on a program's PYTHONPATH, so that Python runs this file before the program,
which itself is not changed. The engine gets a second exporter, the one that keeps records in memory and knows
nothing of OTLP; each flush of the program writes what is in there to a file in `POLYSPAN_RECORDED`.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import polyspan

_FIELDS = (
    *("name", "kind", "type", "trace_id", "span_id", "parent_span_id", "parent_is_remote"),
    *("start_time", "end_time", "status", "status_message", "attributes", "events"),
    *("input", "output", "metadata", "tags", "resource", "scope", "is_event"),
    *("dropped_attributes", "dropped_events", "dropped_links"),
)

_memory = polyspan.MemoryExporter()
_init, _flush = polyspan.init, polyspan.flush


def _init_and_keep(*arguments: Any, **options: Any) -> polyspan.Engine:
    return _init(*arguments, exporters=["otlp", _memory], **options)


def _flush_and_write(*arguments: Any, **options: Any) -> None:
    _flush(*arguments, **options)
    program = Path(os.environ["POLYSPAN_RECORDED"]) / f"{os.getpid()}"
    unfinished = program.with_suffix(".unfinished")
    unfinished.write_bytes(pickle.dumps([_plain(record) for record in _memory.spans]))
    unfinished.rename(program.with_suffix(".pickle"))


def _plain(record: polyspan.SpanRecord) -> dict[str, Any]:
    plain = {field: getattr(record, field) for field in _FIELDS}
    plain["context"] = _context(record.context)
    plain["links"] = [(_context(context), attributes, lost) for context, attributes, lost in record.links]
    return plain


def _context(context: polyspan.SpanContext) -> dict[str, Any]:
    fields = ("trace_id", "span_id", "trace_flags", "trace_state", "is_remote")
    return {field: getattr(context, field) for field in fields}


polyspan.init = _init_and_keep
polyspan.flush = _flush_and_write
