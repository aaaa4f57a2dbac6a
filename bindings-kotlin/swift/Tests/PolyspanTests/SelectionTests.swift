// `tests/vectors/selection.json`: which of several engines a trace goes to.

import Foundation
import Testing

@testable import Polyspan

private struct Failure: Error {}

extension EngineTests {
    @Suite struct SelectionTests {
        @Test(arguments: vectors("selection.json")["cases"]!.list)
        func aTraceGoesWhereTheVectorsSay(_ entry: Json) throws {
            Polyspan.setLogger { _ in }
            var engines: [(name: String, engine: Engine, memory: MemoryExporter)] = []
            defer {
                Polyspan.setSelector(nil)
                for (_, engine, _) in engines { try? engine.shutdown(timeout: 30) }
            }
            for name in entry["engines"]!.list.map({ $0.string! }) {
                let memory = MemoryExporter()
                let engine = try Polyspan.start(service: "tests", Options(name: name, exporters: [.memory(memory)]))
                engines.append((name, engine, memory))
            }
            func named(_ name: Json) -> Engine { engines.first { $0.name == name.string }!.engine }
            let asked = Locked<[String]>([])
            if let name = entry["default"]?.string { try Polyspan.setDefault(name) }
            if let given = entry["selector"] {
                Polyspan.setSelector { root in
                    asked.with { $0.append(root.name) }
                    if given["fails"] != nil { throw Failure() }
                    return switch given["reads"]?.string {
                    case "request_context": root.requestContext["tenant"]?.text
                    case "type": root.type
                    case "name": root.name
                    case "attributes": root.attributes["tenant"]?.text
                    default: given["answer"]?.string
                    }
                }
            }
            for name in entry["stopped"]?.list ?? [] { try named(name).shutdown(timeout: 30) }

            func play(_ steps: [Json]) {
                for step in steps {
                    let inside = step["inside"]?.list ?? []
                    guard let name = step["span"]?.string else {
                        withTraceContext(ContextOptions(requestContext: step["context"]!.plain)) { play(inside) }
                        continue
                    }
                    let type = step["type"]?.string.flatMap { SpanType($0) } ?? .generic
                    let attributes = step["attributes"]?.plain.map
                    let options = SpanOptions(root: step["root"]?.bool ?? false)
                    if let engine = step["engine"].map(named) {
                        engine.withSpan(name, type: type, attributes: attributes, options: options) { _ in play(inside) }
                    } else {
                        withSpan(name, type: type, attributes: attributes, options: options) { _ in play(inside) }
                    }
                }
            }
            play(entry["spans"]!.list)

            for (name, engine, memory) in engines {
                try engine.shutdown(timeout: 30)
                let expected = Set((entry["goes"]![name]?.list ?? []).map { $0.string! })
                #expect(Set(memory.spans.map(\.name)) == expected, "\(name)")
                #expect(engine.stats().addsUp)
            }
            if let wanted = entry["asked"] { #expect(asked.with { $0 } == wanted.list.map { $0.string! }) }
        }

        @Test func whatIsGivenComesAlongToTheEngineThatIsChosen() throws {
            try withEngine { first, _ in
                let memory = MemoryExporter()
                let sessions = Sessions()
                let second = try Polyspan.start(
                    service: "tests", Options(name: "second", exporters: [.memory(memory)], sessions: sessions))
                defer {
                    Polyspan.setSelector(nil)
                    try? second.shutdown(timeout: 30)
                }
                Polyspan.setSelector { _ in "second" }
                let options = SpanOptions(metadata: ["m": "x"], tags: ["t"])
                withSpan("root", attributes: ["a": 1], input: "in", options: options) { span in
                    span.set("b", 2).update(output: "out")
                    withSpan("child") { _ in }
                }
                let incoming = ["traceparent": "00-\(String(repeating: "1", count: 32))-\(String(repeating: "2", count: 16))-01"]
                withTraceContext(parent: Polyspan.extract(incoming)) { withSpan("continued") { _ in } }
                let spans = try second.flushed(memory)
                #expect(spans.map(\.name) == ["child", "root", "continued"])
                let root = spans[1]
                #expect(root.attributes.dictionary == ["a": 1, "b": 2, "session.id": .text(sessions.current)])
                #expect(spans[0].attributes["session.id"]?.text == sessions.current)
                #expect(root.metadata == ["m": "x"])
                #expect(root.tags == ["t"])
                #expect(root.input == "in")
                #expect(root.output == "out")
                #expect(spans[2].parentSpanId == String(repeating: "2", count: 16))
                #expect(first.stats().ended == 0)
            }
        }
    }
}
