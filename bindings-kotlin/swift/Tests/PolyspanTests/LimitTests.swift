// What the engine makes of spans that Swift recorded: limits and redaction, by the vectors.

import Foundation
import Testing

@testable import Polyspan

/// What is null is not given at all.
private func redactionThatIsGiven() -> [Json] {
    vectors("redaction.json")["invalid"]!.list.filter { !$0["redaction"]!.isNull }
}

extension EngineTests {
    @Suite struct LimitTests {
        @Test(arguments: vectors("limits.json")["cases"]!.list)
        func limitsAreThoseOfEveryLanguage(_ entry: Json) throws {
            try withEngine(entry["options"]!.plain.map!) { engine, memory in
                let given = entry["span"]!
                let span = engine.startSpan("x", input: given["input"].map(value))
                span.set(map(given["attributes"] ?? .list([])))
                if let metadata = given["metadata"] { span.update(metadata: map(metadata)) }
                for event in given["events"]?.list ?? [] {
                    span.event(text(event["name"]!), map(event["attributes"] ?? .list([])))
                }
                if let message = given["status_message"] { span.status(.error, text(message)) }
                if let output = given["output"] { span.update(output: value(output)) }
                span.end()
                let spans = try engine.flushed(memory)
                let stats = engine.stats()
                #expect(stats.addsUp)
                if let limited = entry["limited"]?.int { #expect(stats.limited == limited) } else { #expect(stats.limited > 0) }
                let record = try #require(spans.first)
                #expect(spans.count == 1)
                guard let kept = entry["kept"] else { return }
                #expect(record.attributes.dictionary == map(kept["attributes"] ?? .list([])).dictionary)
                #expect(record.metadata.dictionary == map(kept["metadata"] ?? .list([])).dictionary)
                #expect(record.input == kept["input"].map(value))
                #expect(record.output == kept["output"].map(value))
                if let message = kept["status_message"] { #expect(record.all["statusMessage"]?.text == text(message)) }
                let events = (kept["events"]?.list ?? []).map { map($0["attributes"] ?? .list([])).dictionary }
                #expect(record.events.map { $0["attributes"]?.map?.dictionary ?? [:] } == events)
            }
        }

        @Test(arguments: vectors("limits.json")["errors"]!.list)
        func limitsThatAreNoneAreRefused(_ entry: Json) throws {
            refuses(entry["options"]!.plain.map!, entry["option"]!.string!)
        }

        @Test(arguments: ["redacted", "left"])
        func secretsStayInside(_ part: String) throws {
            try withEngine { engine, memory in
                // A null is no value of an attribute that was given.
                let given = vectors("redaction.json")[part]!.list.filter { ($0["text"] ?? $0["value"])?.isNull == false }
                try replay(given, engine, memory)
            }
        }

        @Test(arguments: vectors("redaction.json")["configured"]!.list)
        func redactionIsAsConfigured(_ entry: Json) throws {
            try withEngine(["redaction": entry["redaction"]!.plain]) { engine, memory in try replay([entry], engine, memory) }
        }

        @Test(arguments: redactionThatIsGiven())
        func redactionThatIsNoneIsRefused(_ entry: Json) {
            refuses(["redaction": entry["redaction"]!.plain], entry["names"]!.string!)
        }

        private func replay(_ entries: [Json], _ engine: Engine, _ memory: MemoryExporter) throws {
            let noted = entries.map { entry -> (Json, String, Value, Value) in
                let given = (entry["text"] ?? entry["value"])!.plain
                return (entry, entry["key"]?.string ?? "note", given, entry["expected"]?.plain ?? given)
            }
            var ids: [String] = []
            for (_, key, given, _) in noted {
                let pair = Attributes([.init(key: key, value: given)])
                let span = engine.startSpan(
                    "x", attributes: pair, input: Value.map(pair), options: SpanOptions(metadata: pair))
                span.event("y", pair).update(output: Value.array([given])).end()
                ids.append(span.spanId)
            }
            let records = Dictionary(uniqueKeysWithValues: try engine.flushed(memory).map { ($0.spanId, $0) })
            #expect(records.count == entries.count)
            for ((entry, key, _, expected), id) in zip(noted, ids) {
                let record = try #require(records[id])
                #expect(record.attributes[key] == expected, "\(entry)")
                #expect(record.metadata[key] == expected, "\(entry)")
                #expect(record.events.first?["attributes"]?[key] == expected, "\(entry)")
                #expect(record.input == .map(Attributes([.init(key: key, value: expected)])), "\(entry)")
                if entry["text"] != nil { #expect(record.output == .array([expected]), "\(entry)") }
            }
        }
    }
}
