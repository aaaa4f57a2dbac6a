// Random values and spans: the core reads them as they were given, and writes the same bytes.

import Foundation
import PolyspanNative
import PolyspanShims
import Testing

@testable import Polyspan

/// Pseudo-random numbers that a failing run shows again.
private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
}

private let pieces = [
    "", "a", "zürich", "😀", "\u{2028}", String(repeating: "x", count: 40), String(repeating: "ß", count: 30), "key.of.something",
    "\0", "gen_ai.request.model", "error.type",
]

private func word(_ random: inout Random) -> String { pieces[random.below(pieces.count)] + pieces[random.below(pieces.count)] }

private func anything(_ random: inout Random, depth: Int = 0) -> Value {
    switch random.below(depth > 3 ? 8 : 11) {
    case 0: return .null
    case 1: return .bool(random.below(2) == 0)
    case 2: return .int(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
    case 3: return .double(Double(bitPattern: random.next() & ~(0x7ff << 52) | UInt64(random.below(2047)) << 52))
    case 4: return .double([0, -0.0, .infinity, -.infinity, 1e300, .leastNonzeroMagnitude][random.below(6)])
    case 5: return .bytes(Data(word(&random).utf8))
    case 8, 9: return .array((0..<random.below(5)).map { _ in anything(&random, depth: depth + 1) })
    case 10: return .map(pairs(&random, depth: depth + 1))
    default: return .text(word(&random))
    }
}

private func pairs(_ random: inout Random, depth: Int = 0) -> Attributes {
    Attributes((0..<random.below(5)).map { .init(key: "\(word(&random))\($0)", value: anything(&random, depth: depth)) })
}

private final class Listening: RootSampler {
    let heard = Locked(Data())

    func decide(about: Data) throws -> Int32 {
        heard.with { $0 = about }
        return 0
    }
}

extension EngineTests {
    @Suite struct DifferentialTests {
        @Test func theCoreReadsRandomValuesAndWritesTheSameBytes() throws {
            let listening = Listening()
            let options = NativeOptions(language: "swift")
            try options.data(options: wholeValue(["service": "x", "name": "differential", "exporters": []]))
            options.sampler(sampler: listening)
            let engine = try initEngine(options: options, provider: false)
            defer { try? engine.shutdown(seconds: 30) }
            var random = Random(state: 20_261_121)
            let traceId = "0af7651916cd43dd8448eb211c80319c"
            for round in 0..<5000 {
                let given = anything(&random)
                let described = withScratch { out in
                    _ = out.reserve(Head.size)
                    out.end.initializeMemory(as: UInt8.self, repeating: 0, count: Head.size)
                    out.at = UInt32(Head.size)
                    out.put(Field.name)
                    _ = out.key("span")
                    out.put(Field.attribute)
                    _ = out.key("k")
                    out.raw(wholeValue(given))
                    return out.data
                }
                _ = PolyspanNative.startSpan(
                    engine: engine, described: described, parent: Data(), around: nil, request: Data(), traceId: traceId)
                let expected = wholeValue([
                    "name": "span", "type": "generic", "kind": "internal", "traceId": .text(traceId),
                    "attributes": ["k": given], "metadata": [:], "requestContext": nil, "parent": nil,
                ])
                let heard = listening.heard.with { $0 }
                try #require(heard == expected, "round \(round): \(given)")
                #expect(ValueReader.read(wholeValue(given)) == given)
            }
        }

        @Test func randomSpansArriveAsTheyWereRecorded() throws {
            var random = Random(state: 6)
            try withEngine(["redaction": false, "limits": ["depth": 63]]) { engine, memory in
                for _ in 0..<40 {
                    var expected:
                        [String: (name: String, attributes: Attributes, metadata: Attributes, input: Value, events: Int)] =
                            [:]
                    for _ in 0..<100 {
                        let (name, attributes, metadata) = (word(&random), pairs(&random), pairs(&random))
                        let input = anything(&random)
                        let span = engine.startSpan(name, attributes: attributes, input: input)
                        span.update(metadata: metadata)
                        let events = random.below(3)
                        for _ in 0..<events { span.event(word(&random), pairs(&random)) }
                        if random.below(4) == 0 { span.update(input: anything(&random)).update(output: "x").update(input: input) }
                        if random.below(8) == 0 { span.link(engine.startSpan("linked").context, pairs(&random)) }
                        span.end()
                        expected[span.spanId] = (name, attributes, metadata, input, events)
                    }
                    let found = try engine.flushed(memory)
                    try #require(found.count == expected.count)
                    for record in found {
                        let given = try #require(expected[record.spanId])
                        #expect(record.name == given.name)
                        #expect(record.attributes == given.attributes)
                        #expect(record.metadata == given.metadata)
                        #expect(record.input == given.input)
                        #expect(record.events.count == given.events)
                    }
                }
                let stats = engine.stats()
                #expect(stats.addsUp)
                #expect(stats.dropped.isEmpty)
            }
        }
    }
}
