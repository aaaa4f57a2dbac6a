// `tests/vectors/metrics.json`: what spans count.

import Foundation
import Testing

@testable import Polyspan

/// JSON has one kind of number, and sums are sums of fractions.
private func rounded(_ value: Value) -> Value {
    switch value {
    case .int(let number): .int(number * 1_000_000_000)
    case .double(let number): .int(Int64((number * 1e9).rounded()))
    case .array(let items): .array(items.map(rounded))
    case .map(let map): .map(Attributes(map.dictionary.mapValues(rounded)))
    default: value
    }
}

extension EngineTests {
    @Suite struct MetricsTests {
        private let start = UInt64(vectors("metrics.json")["start"]!.string!)!

        @Test(arguments: vectors("metrics.json")["cases"]!.list)
        func spansCountAsInEveryLanguage(_ entry: Json) throws {
            let options = Attributes(["metrics": true]).merging(entry["options"]?.plain.map ?? [:])
            try withEngine(options) { engine, memory in
                let given = entry["spans"]!.list
                record(engine, given)
                let exported = try engine.flushed(memory)
                compare(entry, memory.metrics)
                let counted = engine.stats().all["metrics"]?.map ?? [:]
                let overflowed: Int64 = counted["overflowed"]?.int ?? 0
                let missed: Attributes = counted["missed"]?.map ?? [:]
                #expect(counted["spans"]?.int == Int64(given.count))
                #expect(overflowed == Int64(entry["overflowed"]?.int ?? 0))
                #expect(missed.isEmpty)
                let wanted: Int = entry["exported"]?.int ?? given.count
                #expect(exported.count == wanted)
                #expect(engine.stats().addsUp)
            }
        }

        private func record(_ engine: Engine, _ spans: [Json]) {
            var started: [Int: Span] = [:]
            func begin(_ place: Int) -> Span {
                if let known = started[place] { return known }
                let given = spans[place]
                let parent = given["parent"]?.int.map(begin)
                let span = engine.startSpan(
                    given["name"]!.string!, type: given["type"]?.string.flatMap { SpanType($0) } ?? .generic,
                    kind: given["kind"].flatMap(kind), parent: parent,
                    options: SpanOptions(
                        startTime: Clock.date(start), root: parent == nil, isInternal: given["internal"]?.bool ?? false))
                started[place] = span
                return span
            }
            for (place, given) in spans.enumerated() {
                let span = begin(place)
                if let attributes = given["attributes"]?.plain.map { span.set(attributes) }
                if let metadata = given["metadata"]?.plain.map { span.update(metadata: metadata) }
                if let status = given["status"]?.string { span.status(status == "ok" ? .ok : .error) }
                if let name = given["renamed"]?.string { span.rename(name) }
                span.end(nanos: start + UInt64((given["seconds"]!.plain.double! * 1e9).rounded()))
            }
        }

        private func compare(_ entry: Json, _ points: [Value]) {
            let wanted = entry["points"]!.list
            for name in Set(wanted.map { $0["metric"]!.string! }) {
                let expected = wanted.filter { $0["metric"]!.string == name }
                let found = points.filter { $0["name"]?.text == name }.map { shown($0, expected) }
                #expect(Set(found.map(rounded)) == Set(expected.map { rounded($0.plain) }), "\(name)")
                #expect(found.count == expected.count, "\(name)")
            }
            let names = Set(points.map { $0["name"]?.text })
            for absent in entry["absent"]?.list ?? [] { #expect(!names.contains(absent.string)) }
            for (name, unit) in entry["unit"]?.fields ?? [] {
                #expect(points.first { $0["name"]?.text == name }?["unit"]?.text == unit.string)
            }
        }

        /// A data point as the vectors have it, with as much of a histogram as is expected.
        private func shown(_ point: Value, _ expected: [Json]) -> Value {
            var found: Attributes = ["metric": point["name"] ?? .null, "labels": point["attributes"] ?? .null]
            guard let count = point["count"], count != .null else {
                found["value"] = point["value"]
                return .map(found)
            }
            (found["count"], found["sum"]) = (count, point["value"])
            let labels = rounded(point["attributes"] ?? .null)
            if expected.contains(where: { $0["buckets"] != nil && rounded($0["labels"]!.plain) == labels }) {
                (found["buckets"], found["bounds"]) = (point["buckets"], point["bounds"])
            }
            return .map(found)
        }

        @Test func withoutTheOptionThereAreNone() throws {
            try withEngine { engine, memory in
                engine.withSpan("work") { _ in }
                _ = try engine.flushed(memory)
                #expect(memory.metrics.isEmpty)
            }
        }
    }
}
