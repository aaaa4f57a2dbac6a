// `tests/vectors/semantics.json`: what spans are called on the wire.

import Foundation
import Testing

@testable import Polyspan

/// The number of a kind on the wire is one more.
private let kinds = ["internal", "server", "client", "producer", "consumer"]

/// A kind by its name.
func kind(_ name: Json) -> SpanKind? {
    name.string.flatMap(kinds.firstIndex).flatMap { SpanKind(rawValue: UInt8($0 + 1)) }
}

/// JSON has one kind of number.
private func plain(_ value: Value) -> Value {
    switch value {
    case .int(let number): .double(Double(number))
    case .array(let items): .array(items.map(plain))
    case .map(let map): .map(Attributes(map.dictionary.mapValues(plain)))
    default: value
    }
}

extension EngineTests {
    @Suite struct SemanticsTests {
        @Test(arguments: ["genai", "openinference"])
        func namesOnTheWireAreThoseOfEveryLanguage(_ semantics: String) throws {
            Polyspan.setLogger { _ in }
            let path = FileManager.default.temporaryDirectory
                .appendingPathComponent("polyspan-\(semantics)-\(hexDigits(randomWord())).jsonl")
            defer { try? FileManager.default.removeItem(at: path) }
            let cases = vectors("semantics.json")["cases"]!.list.filter {
                $0["stepped"] == nil && $0["everywhere"] == nil && $0[semantics] != nil
            }
            let exporter: Attributes = ["type": "file", "path": .text(path.path), "semantics": .text(semantics)]
            let engine = try Polyspan.start(
                service: "x", Options(name: "wire", exporters: [.described(exporter)], redaction: false))
            let start: UInt64 = 1_767_225_600_000_000_000
            for (place, entry) in cases.enumerated() { record(engine, entry, start, start + 1_000_000_000 + UInt64(place)) }
            try engine.shutdown(timeout: 30)
            let spans = try sent(path)
            try #require(spans.count == cases.count)
            for (entry, span) in zip(cases, spans) { compare(entry, entry[semantics]!, span) }
        }

        private func record(_ engine: Engine, _ entry: Json, _ start: UInt64, _ end: UInt64) {
            let span = engine.startSpan(
                entry["name"]!.string!, type: entry["type"]?.string.flatMap { SpanType($0) } ?? .generic,
                kind: entry["kind"].flatMap(kind), input: entry["input"]?.plain,
                options: SpanOptions(tags: entry["tags"]?.list.map { $0.string! }, startTime: Clock.date(start), root: true))
            if let output = entry["output"] { span.update(output: output.plain) }
            if let metadata = entry["metadata"]?.plain.map { span.update(metadata: metadata) }
            if let attributes = entry["attributes"]?.plain.map { span.set(attributes) }
            if let status = entry["status"] { span.status(.error, status["message"]?.string) }
            span.end(nanos: end)
        }

        /// The spans of a file of OTLP in JSON, by their end: the timer and the shutdown hand in without a common order.
        private func sent(_ path: URL) throws -> [Json] {
            var spans: [Json] = []
            for line in try String(contentsOf: path, encoding: .utf8).split(separator: "\n") {
                for resource in json(String(line))["resourceSpans"]!.list {
                    for scope in resource["scopeSpans"]!.list { spans += scope["spans"]!.list }
                }
            }
            func end(_ span: Json) -> UInt64 { UInt64(span["endTimeUnixNano"]!.string!)! }
            return spans.sorted { end($0) < end($1) }
        }

        private func compare(_ entry: Json, _ expected: Json, _ span: Json) {
            let name = entry["case"]!.string!
            #expect(span["name"]?.string == expected["name"]!.string, "\(name)")
            let kind: String? = span["kind"]?.int.map { kinds[$0 - 1] }
            #expect(kind == expected["kind"]!.string, "\(name)")
            let found = Value.map(attributes(span["attributes"]))
            #expect(plain(found) == plain(expected["attributes"]!.plain), "\(name)")
        }

        private func attributes(_ list: Json?) -> Attributes {
            Attributes((list?.list ?? []).map { .init(key: $0["key"]!.string!, value: wire($0["value"]!)) })
        }

        private func wire(_ given: Json) -> Value {
            guard let (kind, item) = given.fields.first else { return .null }
            switch kind {
            case "intValue": return .int(Int64(item.string ?? "") ?? 0)
            case "arrayValue": return .array((item["values"]?.list ?? []).map(wire))
            case "kvlistValue": return .map(attributes(item["values"]))
            default: return item.plain
            }
        }
    }
}
