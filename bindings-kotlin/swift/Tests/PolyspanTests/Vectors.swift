// Reading the vectors that every language replays (tests/vectors/README.md).

import Foundation
import Testing

@testable import Polyspan

/// Plain data of many forms, in the order of the file.
indirect enum Json: Sendable, CustomStringConvertible, CustomTestStringConvertible {
    case null
    case bool(Bool)
    case number(String)
    case text(String)
    case list([Json])
    case object([(String, Json)])

    var description: String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .number(let number): number
        case .text(let text): "\"\(text)\""
        case .list(let items): "[\(items.map(\.description).joined(separator: ", "))]"
        case .object(let fields): "{\(fields.map { "\($0): \($1)" }.joined(separator: ", "))}"
        }
    }

    /// What a failing test prints.
    var testDescription: String { self["name"]?.string ?? String(description.prefix(80)) }

    subscript(_ name: String) -> Json? {
        guard case .object(let fields) = self else { return nil }
        return fields.last { $0.0 == name }?.1
    }

    subscript(_ index: Int) -> Json { list[index] }

    var list: [Json] { if case .list(let items) = self { items } else { [] } }
    var fields: [(String, Json)] { if case .object(let fields) = self { fields } else { [] } }
    var string: String? { if case .text(let text) = self { text } else { nil } }
    var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    var isNull: Bool { if case .null = self { true } else { false } }

    var int: Int? { if case .number(let number) = self { Int(number) } else { nil } }

    /// Plain JSON as a value.
    var plain: Value {
        switch self {
        case .null: .null
        case .bool(let bool): .bool(bool)
        case .number(let number): Int64(number).map { .int($0) } ?? .double(Double(number) ?? .nan)
        case .text(let text): .text(text)
        case .list(let items): .array(items.map(\.plain))
        case .object(let fields): .map(Attributes(fields.map { .init(key: $0, value: $1.plain) }))
        }
    }
}

/// Read once: other tests set variables of the environment.
private let folder =
    ProcessInfo.processInfo.environment["POLYSPAN_VECTORS"]
    ?? URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../tests/vectors").standardized.path

/// A file of `tests/vectors`.
func vectors(_ file: String) -> Json {
    guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else {
        fatalError("\(folder)/\(file) cannot be read")
    }
    var parser = JsonParser(Array(data))
    return parser.value()
}

/// A line of JSON.
func json(_ line: String) -> Json {
    var parser = JsonParser(Array(line.utf8))
    return parser.value()
}

/// Reads JSON in the order it is written, which Foundation does not keep.
private struct JsonParser {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func skip() {
        while at < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[at]) { at += 1 }
    }

    mutating func value() -> Json {
        skip()
        defer { skip() }
        switch bytes[at] {
        case UInt8(ascii: "{"):
            var fields: [(String, Json)] = []
            at += 1
            skip()
            while bytes[at] != UInt8(ascii: "}") {
                let name = text()
                skip()
                at += 1
                fields.append((name, value()))
                if bytes[at] == UInt8(ascii: ",") { at += 1 }
                skip()
            }
            at += 1
            return .object(fields)
        case UInt8(ascii: "["):
            var items: [Json] = []
            at += 1
            skip()
            while bytes[at] != UInt8(ascii: "]") {
                items.append(value())
                if bytes[at] == UInt8(ascii: ",") { at += 1 }
                skip()
            }
            at += 1
            return .list(items)
        case UInt8(ascii: "\""): return .text(text())
        case UInt8(ascii: "t"):
            at += 4
            return .bool(true)
        case UInt8(ascii: "f"):
            at += 5
            return .bool(false)
        case UInt8(ascii: "n"):
            at += 4
            return .null
        default:
            let start = at
            while at < bytes.count, "+-.eE0123456789".utf8.contains(bytes[at]) { at += 1 }
            return .number(String(decoding: bytes[start..<at], as: UTF8.self))
        }
    }

    /// Foundation unescapes it.
    private mutating func text() -> String {
        let start = at
        at += 1
        var isPlain = true
        while bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] == UInt8(ascii: "\\") {
                isPlain = false
                at += 1
            }
            at += 1
        }
        at += 1
        if isPlain { return String(decoding: bytes[(start + 1)..<(at - 1)], as: UTF8.self) }
        let literal = Data([UInt8(ascii: "[")] + bytes[start..<at] + [UInt8(ascii: "]")])
        return (try? JSONDecoder().decode([String].self, from: literal))?.first ?? "?"
    }
}

/// Text, bytes that may be none, or pieces to be repeated.
func text(_ form: Json) -> String {
    if let text = form.string { return text }
    if let hex = form["hex"]?.string { return String(decoding: bytes(ofHex: hex), as: UTF8.self) }
    return (form["repeat"]?.list ?? []).map { String(repeating: $0[0].string ?? "", count: $0[1].int ?? 0) }.joined()
}

func bytes(ofHex hex: String) -> Data {
    var data = Data()
    var high: UInt8?
    for digit in hex.utf8 {
        let value = digit >= 0x61 ? digit - 0x57 : digit >= 0x41 ? digit - 0x37 : digit - 0x30
        if let first = high {
            data.append(first << 4 | value)
            high = nil
        } else {
            high = value
        }
    }
    return data
}

func hex(_ data: some Sequence<UInt8>) -> String {
    data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// A value as `otlp.json` and `limits.json` write them.
func value(_ form: Json) -> Value {
    switch form {
    case .object(let fields):
        guard let (kind, given) = fields.first else { return .null }
        switch kind {
        case "int": return .int(Int64(given.string ?? "") ?? 0)
        case "double": return .double(double(given))
        case "bytes": return .bytes(bytes(ofHex: given.string ?? ""))
        case "array": return .array(given.list.map(value))
        case "map": return .map(map(given))
        case "repeat": return .text(text(form))
        case "array_of":
            let items = Array(repeating: value(given[0]), count: given[1].int ?? 0)
            return .array(items + (form["then"].map { [value($0)] } ?? []))
        case "map_of":
            let item = value(given[0])
            let entries = (0..<(given[1].int ?? 0)).map { Attributes.Entry(key: "k\($0)", value: item) }
            let last = form["then"].map { [Attributes.Entry(key: text($0[0]), value: value($0[1]))] } ?? []
            return .map(Attributes(entries + last))
        case "nested": return (0..<(given.int ?? 0)).reduce(.text("x")) { inner, _ in .array([inner]) }
        default: return .null
        }
    default: return form.plain
    }
}

private func double(_ form: Json) -> Double {
    switch form {
    case .text("NaN"): .nan
    case .text("Infinity"): .infinity
    case .text("-Infinity"): -.infinity
    case .text(let text): Double(text) ?? .nan
    case .number(let number): Double(number) ?? .nan
    default: .nan
    }
}

/// A list of keys and values.
func map(_ entries: Json) -> Attributes {
    Attributes(entries.list.map { Attributes.Entry(key: text($0[0]), value: value($0[1])) })
}

/// A name of another language's as Swift spells it.
func camel(_ name: String) -> String {
    let words = name.split(separator: "_")
    return words.enumerated().map { $0 == 0 ? String($1) : $1.prefix(1).uppercased() + $1.dropFirst() }.joined()
}
