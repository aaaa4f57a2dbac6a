"""Writes Sources/Polyspan/Span/SpanTypes.swift from the table of span types, which is the core's
(tests/vectors/semantics.json, as for the other languages). A test compares the two.

    python3 scripts/span-types.py
"""

import json
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
TABLE = PACKAGE.parent.parent / "tests" / "vectors" / "semantics.json"
SOURCE = PACKAGE / "Sources" / "Polyspan" / "Span" / "SpanTypes.swift"

# What the values of attributes are in Swift.
FORMS = {
    "Text": "String",
    "Integer": "Int",
    "Number": "Double",
    "Truth": "Bool",
    "Time": "Date",
    "Provider": "String",
}

HEAD = """\
// The types of spans, and their attributes as an editor completes them and the compiler knows them:
// `withSpan("search", type: .tool, attributes: .tool(toolCallId: "c1"))`. What the attributes are called on
// the wire stands in `docs/ai-spans.md`.
//
// Written by `scripts/span-types.py` from the table of span types.

import Foundation
import PolyspanNative

/// What a span stands for.
public struct SpanType: Sendable, Hashable {
    let number: UInt16

    init(number: UInt16) {
        self.number = number
    }

    /// By any of its names; nil for text that is none.
    public init?(_ name: String) {
        guard let number = PolyspanNative.spanType(name: name) else { return nil }
        self.number = UInt16(truncatingIfNeeded: number)
    }

    /// No type in particular.
    public static let generic = SpanType(number: 0)
"""


def camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), name)


def rendered() -> str:
    types = json.loads(TABLE.read_text())["types"]
    parts = [HEAD]
    for one in types:
        if one["type"] != "generic":
            parts.append(f"    /// {one['about']}.\n")
            parts.append(f"    public static let {camel(one['type'])} = SpanType(number: {one['number']})\n")
    parts.append("}\n\nextension Attributes {\n")
    functions = []
    for one in types:
        if not one["attributes"]:
            continue
        known = [(a["name"], FORMS.get(a["form"], "Any"), a["about"]) for a in one["attributes"]]
        doc = "".join(f"    ///   - {camel(name)}: {about}\n" for name, _, about in known)
        parameters = ",\n".join(f"        {camel(name)}: {form}? = nil" for name, form, _ in known)
        body = "".join(f'        found.add("{name}", {camel(name)})\n' for name, _, _ in known)
        functions.append(
            f"    /// {one['about']}.\n    ///\n    /// - Parameters:\n{doc}"
            f"    public static func {camel(one['type'])}(\n{parameters}\n    ) -> Attributes {{\n"
            f"        var found = Attributes()\n{body}        return found\n    }}\n"
        )
    parts.append("\n".join(functions))
    parts.append("\n    private mutating func add(_ name: String, _ value: Any?) {\n")
    parts.append("        if let value { pairs.append((name, Value(value))) }\n    }\n}\n")
    return "".join(parts)


if __name__ == "__main__":
    SOURCE.write_text(rendered())
