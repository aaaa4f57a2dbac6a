"""Writes what follows from the table of span types: `python/polyspan/spans.py`, `core/src/spans/types.rs` and the
table in `docs/ai-spans.md`. A test compares them with the table.

    python bindings-python/tools/spans.py

The table is that of the core, as `tests/vectors/semantics.json` has it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "vectors" / "semantics.json"
# The longest line that the formatter leaves alone.
LINE = 110
MODULE = ROOT / "bindings-python" / "python" / "polyspan" / "spans.py"
DOCUMENT = ROOT / "docs" / "ai-spans.md"
RUST = ROOT / "core" / "src" / "spans" / "types.rs"
BEGIN, END = "<!-- The table of span types begins. -->\n", "<!-- The table of span types ends. -->\n"

# What the values of attributes are in Python, and in the documentation.
FORMS = {
    "Text": ("str", "text"),
    "Integer": ("int", "integer"),
    "Number": ("float", "number"),
    "Truth": ("bool", "true or false"),
    "Texts": ("str | Sequence[str]", "texts"),
    "Time": ("datetime | int | str", "time"),
    "Any": ("object", "anything"),
    "Provider": ("str", "text"),
    "Usage": ("Usage | Mapping[str, object]", "token counts"),
    "UsageBelow": ("Usage | Mapping[str, object]", "token counts"),
    "Parameters": ("Mapping[str, object]", "map"),
    "Tools": ("Sequence[object] | Mapping[str, object]", "tools"),
    "Instructions": ("str | Sequence[object]", "text or parts"),
    "FirstOutput": ("datetime | int | str", "time"),
}

HEAD = '''"""Spans by their type: for each a function that starts one, with its attributes as typed arguments, and a
``TypedDict`` of these attributes for ``span.update(attributes=...)``.

``polyspan.tool("search", tool_call_id="c1", input=query)`` is ``polyspan.span("search", type="tool", ...)`` with
arguments that an editor completes and a type checker knows. What the attributes are called on the wire stands in
``docs/ai-spans.md``.

Written by ``tools/spans.py`` from the table of span types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from ._polyspan import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from typing_extensions import Unpack

    from ._polyspan import Span, _Kind, _Pairs, _Parent, _Time

__all__ = [
%(names)s
]


class SpanOptions(TypedDict, total=False):
    """What every span takes besides its attributes; see :func:`polyspan.span` and :func:`polyspan.context`."""

    kind: _Kind
    attributes: _Pairs
    """further attributes"""
    input: object
    metadata: _Pairs
    tags: Iterable[str]
    parent: _Parent
    links: Iterable[_Parent | tuple[_Parent, _Pairs]]
    start_time: _Time
    root: bool
    trace_id: str
    session_id: str
    user_id: str
    organization_id: str
    thread_id: str
    run_id: str
    request_id: str
    resource_id: str
    environment: str
    entity_type: str
    entity_id: str
    entity_name: str
    hide_input: bool
    hide_output: bool
    internal: bool
    internal_spans: str | Iterable[str]
    request_context: Mapping[str, object]
    request_context_keys: Iterable[str]


_OPTIONS = frozenset(SpanOptions.__annotations__)


class TokenDetails(TypedDict, total=False):
    """What the tokens of the input or output are."""

    text: int
    image: int
    audio: int
    cache_read: int
    cache_write: int
    cache_write_5m: int
    cache_write_1h: int
    reasoning: int


class Usage(TypedDict, total=False):
    """Token counts of a call. The names that providers and libraries use are understood as well."""

    input_tokens: int
    """tokens of the input, cached ones included"""
    output_tokens: int
    """tokens of the output, reasoning included"""
    total_tokens: int
    input_details: TokenDetails
    output_details: TokenDetails


def _start(span_type: str, name: str, given: dict[str, Any]) -> Span:
    options = {key: given.pop(key) for key in _OPTIONS.intersection(given)}
    more = options.pop("attributes", None)
    if isinstance(more, dict):
        # Known from the start, as samplers want it.
        given, more = given | more, None
    current = span(name, type=span_type, attributes=given, **options)
    if more is not None:
        current.update(attributes=more)
    return current
'''

TYPE = '''

class %(title)sAttributes(TypedDict, total=False):
    """Attributes of spans of type ``%(type)s``."""

%(attributes)s


class _%(title)sGiven(%(title)sAttributes, SpanOptions, total=False):
    pass


%(signature)s
    """%(about)s."""
    return _start("%(type)s", name, given)  # type: ignore[arg-type]
'''


def title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def signature(span_type: str) -> str:
    given = f'name: str = "{span_type}", /, **given: Unpack[_{title(span_type)}Given]'
    line = f"def {span_type}({given}) -> Span:"
    return line if len(line) <= LINE else f"def {span_type}(\n    {given}\n) -> Span:"


def module(types: list[dict[str, Any]]) -> str:
    names = ["SpanOptions", "TokenDetails", "Usage"]
    for each in types:
        names += [f"{title(each['type'])}Attributes", each["type"]]
    out = HEAD % {"names": "\n".join(f'    "{name}",' for name in sorted(names))}
    for each in types:
        attributes = [
            f'    {one["name"]}: {FORMS[one["form"]][0]}\n    """{one["about"].replace("`", "``")}"""'
            for one in each["attributes"]
        ]
        out += TYPE % {
            "type": each["type"],
            "title": title(each["type"]),
            "signature": signature(each["type"]),
            "about": each["about"],
            "attributes": "\n".join(attributes),
        }
    return out


RUST_HEAD = """//! The struct of every span type. Written by `bindings-python/tools/spans.py` from the table of span types.

use super::*;
"""

# What the methods of attributes take in Rust; any value where it is not said.
RUST_FORMS = {
    "Text": "Text",
    "Provider": "Text",
    "Integer": "Integer",
    "Number": "Number",
    "Truth": "Truth",
    "Texts": "Texts",
    "Time": "Time",
    "FirstOutput": "Time",
}


def rust(types: list[dict[str, Any]]) -> str:
    out = RUST_HEAD
    for each in types:
        out += f"\nspan_type! {{\n    /// {each['about']}.\n    {title(each['type'])} {{\n"
        for one in each["attributes"]:
            about = one["about"][0].upper() + one["about"][1:]
            form = RUST_FORMS.get(one["form"], "Any")
            out += f"        /// {about}.\n        {one['name']}: {form},\n"
        out += "    }\n}\n"
    names = "".join(f"    ({title(each['type'])}::TYPE, {title(each['type'])}::NAMES),\n" for each in types)
    return out + RUST_EACH % names


RUST_EACH = """
/// Every type with the names of its attributes.
#[cfg(test)]
pub(super) const EVERY: &[(SpanType, &[&str])] = &[
%s];
"""


def table(types: list[dict[str, Any]]) -> str:
    out = "\n| Type | What it stands for | Operation | Kind | OpenInference |\n|---|---|---|---|---|\n"
    for each in types:
        other = ", ".join(f"`{alias}`" for alias in each["aliases"])
        about = each["about"] + (f" (also {other})" if other else "")
        operation = f"`{each['operation']}`" if each["operation"] else ""
        out += f"| [`{each['type']}`](#{each['type']}) | {about} | {operation} | {each['kind']} "
        out += f"| {each['openinference']} |\n"
    for each in types:
        out += f"\n#### `{each['type']}`\n\n| Attribute | Value | What it says | On the wire |\n|---|---|---|---|\n"
        for one in each["attributes"]:
            out += f"| `{one['name']}` | {FORMS[one['form']][1]} | {one['about']} | {wire(one)} |\n"
    return out + "\n"


def wire(attribute: dict[str, Any]) -> str:
    match attribute["form"]:
        case "Usage":
            return "`gen_ai.usage.*`"
        case "UsageBelow":
            return f"`{attribute['key']}.*`"
        case "Parameters":
            return f"each by its name; others `{attribute['key']}`"
        case _:
            return f"`{attribute['key']}`"


def rendered() -> dict[Path, str]:
    """What the files are to hold."""
    types = json.loads(TABLE.read_text())["types"]
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    return {MODULE: module(types), RUST: rust(types), DOCUMENT: before + BEGIN + table(types) + END + after}


if __name__ == "__main__":
    for path, text in rendered().items():
        path.write_text(text)
