// Libraries that are instrumented with swift-distributed-tracing record through the engine.

import Foundation
import Polyspan
import Testing
import Tracing

@testable import PolyspanTracing

private struct Failure: Error {}

private struct Headers: Injector, Extractor {
    func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }
    func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
}

/// One engine for all tests, since a process has one instrumentation.
private let memory: MemoryExporter = {
    let memory = MemoryExporter()
    _ = try? Polyspan.start(service: "tests", Options(exporters: [.memory(memory)]))
    InstrumentationSystem.bootstrap(PolyspanTracer())
    return memory
}()

private func recorded() throws -> [SpanRecord] {
    try Polyspan.flush(timeout: 30)
    return memory.take()
}

@Suite(.serialized) struct TracerTests {
    init() { _ = memory }

    @Test func spansOfBothKindsNest() async throws {
        await InstrumentationSystem.tracer.withAnySpan("outer", ofKind: .server) { outer in
            outer.attributes["http.route"] = "/orders"
            outer.attributes["count"] = 7
            outer.attributes["tags"] = ["a", "b"]
            await Task.yield()
            ServiceContext.current?.polyspan?.run { inOurs("ours") {} }
            outer.addEvent(SpanEvent(name: "chunk", attributes: ["n": 1]))
            InstrumentationSystem.tracer.withAnySpan("inner") { inner in
                inner.operationName = "renamed"
                inner.setStatus(.init(code: .ok))
            }
        }
        let spans = try recorded()
        try #require(spans.map(\.name) == ["ours", "renamed", "outer"])
        let outer = spans[2]
        #expect(outer.kind == "server")
        #expect(outer.attributes.dictionary == ["http.route": "/orders", "count": 7, "tags": ["a", "b"]])
        #expect(outer.events.first?["name"] == "chunk")
        #expect(spans[0].parentSpanId == outer.spanId)
        #expect(spans[1].parentSpanId == outer.spanId)
        #expect(spans[1].status == "ok")
        #expect(Set(spans.map(\.traceId)).count == 1)
    }

    @Test func theirsStandInsideOurs() throws {
        inOurs("ours") { InstrumentationSystem.tracer.withAnySpan("theirs") { _ in } }
        let spans = try recorded()
        try #require(spans.map(\.name) == ["theirs", "ours"])
        #expect(spans[0].parentSpanId == spans[1].spanId)
    }

    @Test func errorsAreRecorded() throws {
        #expect(throws: Failure.self) {
            try InstrumentationSystem.tracer.withAnySpan("fails") { _ in throw Failure() }
        }
        let span = try #require(try recorded().first)
        #expect(span.events.first?["name"] == "exception")
        #expect(span.events.first?["attributes"]?["exception.type"]?.text?.hasSuffix("Failure") == true)
    }

    @Test func contextTravels() throws {
        var carrier: [String: String] = [:]
        let client = InstrumentationSystem.tracer.startAnySpan("client", ofKind: .client)
        InstrumentationSystem.tracer.inject(client.context, into: &carrier, using: Headers())
        #expect(carrier["traceparent"]?.hasPrefix("00-") == true)
        var context = ServiceContext.topLevel
        InstrumentationSystem.tracer.extract(carrier, into: &context, using: Headers())
        let server = InstrumentationSystem.tracer.startAnySpan("server", context: context, ofKind: .server)
        server.addLink(SpanLink(context: client.context, attributes: [:]))
        server.end()
        client.end()
        let spans = try recorded()
        try #require(spans.map(\.name) == ["server", "client"])
        #expect(spans[0].parentSpanId == spans[1].spanId)
        #expect(spans[0].parentIsRemote)
        #expect(spans[0].links.first?["spanId"]?.text == spans[1].spanId)
    }
}
