"""Writes `SpanType.kt`, `TypedSpans.kt` and `StaticKeys.kt` from the core's tables, as `tests/vectors` pins them.

    python3 bindings-kotlin/kotlin/tools/tables.py

A test compares the first and the last with the vectors (`FrameTest`).
"""

# ruff: noqa: E501 (lines of Kotlin)

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "bindings-kotlin/kotlin/src/main/kotlin/dev/polyspan"
FORMS = {
    "Text": "String",
    "Integer": "Long",
    "Number": "Number",
    "Truth": "Boolean",
    "Texts": "Any",
    "Time": "Any",
    "Any": "Any",
    "Provider": "String",
    "Usage": "Map<String, *>",
    "UsageBelow": "Map<String, *>",
    "Parameters": "Map<String, *>",
    "Tools": "Any",
    "Instructions": "Any",
    "FirstOutput": "Any",
}


def title(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def camel(name: str) -> str:
    return title(name)[:1].lower() + title(name)[1:]


def span_types(types: list[dict]) -> str:
    out = """// Span types: the table of `core/src/kinds.rs`, as `tests/vectors/semantics.json` pins it.
//
// Written by `tools/tables.py`.

package dev.polyspan

/** What a span stands for. Each type has its conventions on the wire (docs/ai-spans.md). */
public enum class SpanType(
    internal val number: Int,
    /** Its name in every language, such as `model_generation`. */
    public val wireName: String,
    private val aliases: Array<String> = emptyArray(),
) {
    /** Any operation. */
    Generic(0, "generic"),
"""
    for kind in types:
        aliases = ", ".join(f'"{alias}"' for alias in kind["aliases"])
        more = f", arrayOf({aliases})" if aliases else ""
        out += f"""
    /** {kind["about"]}. */
    {title(kind["type"])}({kind["number"]}, "{kind["type"]}"{more}),
"""
    return (
        out
        + """    ;

    public companion object {
        private val names = entries.flatMap { type -> (type.aliases.toList() + type.wireName).map { it to type } }.toMap()

        /** The type of that name, by any of its names; `null` if it is none. */
        @JvmStatic
        public fun of(name: String?): SpanType? = names[name]
    }
}
"""
    )


def typed(types: list[dict]) -> str:
    out = """// Spans by their type: for each a function that records one, and its attributes with their types.
//
// `tool("search", { toolCallId = "c1" }) { }` is `span("search", type = SpanType.Tool) { }` with attributes that an
// editor completes and the compiler knows. What these are called on the wire stands in `docs/ai-spans.md`.
//
// Written by `tools/tables.py` from the table of span types.

@file:Suppress("ktlint:standard:max-line-length")

package dev.polyspan
"""
    for kind in types:
        name = title(kind["type"])
        out += f"\n/** Attributes of spans of type `{kind['type']}`. */\npublic class {name}Attributes : TypedAttributes() {{\n"
        parts = []
        for attribute in kind["attributes"]:
            key = camel(attribute["name"])
            form = FORMS[attribute["form"]]
            parts.append(
                f"    /** {attribute['about'][:1].upper() + attribute['about'][1:]}. */\n    public var {key}: {form}? by given\n"
            )
        out += "\n".join(parts) + "}\n"
        out += f"""
/** Records what `body` does as a span: {kind["about"][:1].lower() + kind["about"][1:]}. */
@JvmSynthetic
public inline fun <R> {camel(kind["type"])}(
    name: String,
    attributes: {name}Attributes.() -> Unit = {{}},
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = typedSpan(name, SpanType.{name}, {name}Attributes().apply(attributes), options, body)
"""
    return out


def static_keys(keys: list[str]) -> str:
    lines = "".join(f'        "{key}",\n' for key in keys)
    return f"""// Static keys: the table of `core/src/frame/keys.rs`, as `tests/vectors/frame.json` pins it; the position is the id.
//
// Written by `tools/tables.py`.

package dev.polyspan.internal

internal val STATIC_KEYS: Array<String> =
    arrayOf(
{lines}    )
"""


def main() -> None:
    vectors = ROOT / "tests/vectors"
    types = json.loads((vectors / "semantics.json").read_text())["types"]
    keys = json.loads((vectors / "frame.json").read_text())["static_keys"]
    (SOURCES / "SpanType.kt").write_text(span_types(types))
    (SOURCES / "TypedSpans.kt").write_text(typed(types))
    (SOURCES / "internal/StaticKeys.kt").write_text(static_keys(keys))


if __name__ == "__main__":
    main()
