// Samplers, by the vectors and as functions.

import Foundation
import Testing

@testable import Polyspan

/// What is null is not given at all.
private func thatAreGiven() -> [Json] {
    vectors("sampling.json")["invalid"]!.list.filter { !$0["sampler"]!.isNull }
}

/// A sampler whose clock stands still for a test: a thousand times slower, with as much at once.
private func slowed(_ given: Value) -> Value {
    guard var map = given.map else { return given }
    guard map["type"] == "rate_limited" else {
        return .map(Attributes(map.map { Attributes.Entry(key: $0.key, value: slowed($0.value)) }))
    }
    let rate = map["per_second"]
    map["burst"] = map["burst"] ?? rate
    map["per_second"] = .double((rate?.double ?? 0) / 1000)
    return .map(map)
}

extension EngineTests {
    @Suite struct SamplingTests {
        @Test(arguments: vectors("sampling.json")["cases"]!.list)
        func decisionsAreThoseOfEveryLanguage(_ entry: Json) throws {
            let given = entry["input"]!
            var parent: SpanContext?
            if let above = given["parent"], !above.isNull {
                parent = SpanContext(
                    traceId: given["trace_id"]!.string!, spanId: above["span_id"]!.string!,
                    traceFlags: above["sampled"]?.bool == true ? 1 : 0, traceState: above["tracestate"]?.string ?? "",
                    isRemote: above["remote"]?.bool ?? false)
                // A root is given its trace id by itself.
                if parent == nil { return }
            }
            try withEngine(["sampler": entry["sampler"]!.plain]) { engine, _ in
                let context = ContextOptions(requestContext: given["request_context"].flatMap { $0.isNull ? nil : $0.plain })
                let kinds = ["internal", "server", "client", "producer", "consumer"]
                let kind = given["kind"]?.string.flatMap(kinds.firstIndex).flatMap { SpanKind(rawValue: UInt8($0 + 1)) }
                let span = withTraceContext(context) {
                    engine.startSpan(
                        given["span_name"]?.string ?? "span",
                        type: given["span_type"]?.string.flatMap { SpanType($0) } ?? .generic, kind: kind,
                        attributes: given["attributes"]?.plain.map, parent: parent,
                        options: SpanOptions(traceId: given["trace_id"]?.string))
                }
                let expected = entry["expected"]!
                #expect(span.isRecording == (expected["decision"]!.string != "drop"))
                #expect(span.context.isSampled == (expected["decision"]!.string == "record_and_sample"))
                #expect(span.context.traceState == expected["tracestate"]!.string)
                span.end()
                let stats = engine.stats()
                #expect(stats.addsUp)
                #expect(stats.ended == 1)
            }
        }

        /// A program does not choose what time it is: what is asked at one moment can be asked here.
        @Test(arguments: vectors("sampling.json")["sequences"]!.list)
        func samplersThatAreAskedInTurn(_ sequence: Json) throws {
            let steps = sequence["steps"]!.list
            let moment = steps.prefix { $0["now_nanos"]!.int == steps[0]["now_nanos"]!.int }
            try withEngine(["sampler": slowed(sequence["sampler"]!.plain)]) { engine, _ in
                for (at, step) in moment.enumerated() {
                    let parent = step["parent"].flatMap { above in
                        SpanContext(
                            traceId: "0123456789abcdef0180000000000000", spanId: above["span_id"]!.string!,
                            traceFlags: above["sampled"]!.bool! ? 1 : 0, traceState: above["tracestate"]!.string!,
                            isRemote: above["remote"]!.bool!)
                    }
                    let span = engine.startSpan("span", parent: parent)
                    let expected = step["expected"]!
                    #expect(span.context.isSampled == (expected["decision"]!.string == "record_and_sample"), "step \(at)")
                    #expect(span.context.traceState == expected["tracestate"]!.string, "step \(at)")
                    span.end()
                }
                #expect(engine.stats().ended == moment.count)
                #expect(engine.stats().addsUp)
            }
        }

        @Test(arguments: thatAreGiven())
        func samplersThatAreNoneAreRefused(_ entry: Json) {
            refuses(["sampler": entry["sampler"]!.plain], entry["names"]!.string!)
        }

        @Test func aParentThatIsDroppedIsTheOneInside() throws {
            var options = Options()
            options.decide = { $0.name == "dropped" ? .drop : .sample }
            try withEngine(options: options) { engine, memory in
                let dropped = engine.startSpan("dropped")
                engine.withSpan("kept") { kept in
                    withSpan("inside", parent: dropped) { inside in
                        #expect(!inside.isRecording)
                        #expect(currentSpan.traceId == dropped.traceId)
                        withSpan("below", input: "x") { below in
                            below.set("a", "b").set("c", 1).update(output: "y")
                            #expect(!below.isRecording)
                            #expect(below.traceId == dropped.traceId)
                        }
                    }
                    #expect(currentSpan === kept)
                }
                dropped.run { withSpan("below again") { #expect(!$0.isRecording) } }
                dropped.end()
                try #expect(engine.flushed(memory).map(\.name) == ["kept"])
                let stats = engine.stats()
                #expect(stats.addsUp)
                #expect(stats.unsampled == 4)
                #expect(stats.ended == 5)
            }
        }

        @Test func whatDecidesMayRecordAndIsNotAskedAboutThat() throws {
            let asked = Locked(0)
            @Sendable func record() {
                asked.with { $0 += 1 }
                #expect(Polyspan.baggage == ["tenant": "acme"])
                withSpan("inside") { span in #expect(!span.isRecording) }
            }
            let options = Options(decide: { _ in
                record()
                return .sample
            })
            try withEngine(options: options) { engine, memory in
                Polyspan.setSelector { _ in
                    record()
                    return nil
                }
                defer { Polyspan.setSelector(nil) }
                withTraceContext(ContextOptions(baggage: ["tenant": "acme"])) {
                    withSpan("work") { span in #expect(currentSpan === span) }
                }
                try #expect(engine.flushed(memory).map(\.name) == ["work"])
                #expect(asked.with { $0 } == 2)
                #expect(engine.stats().addsUp)
            }
        }

        @Test func whatIsAroundASpanGoesAlongInATraceThatIsNotSampled() async throws {
            func sent() -> String? { Polyspan.headers()["baggage"] }
            try await withEngine(["sampler": 0.0]) { engine, _ in
                await engine.withSpan("root") { root in
                    withTraceContext(ContextOptions(baggage: ["tenant": "acme"])) {
                        withSpan("child") { child in
                            #expect(child.traceId == root.traceId)
                            #expect(sent() == "tenant=acme")
                            withSpan("grandchild") { _ in #expect(sent() == "tenant=acme") }
                            withTraceContext(ContextOptions(baggage: ["tier": "gold"])) {
                                withSpan("grandchild", type: .tool, input: 1) { _ in #expect(sent() == "tenant=acme,tier=gold") }
                            }
                            #expect(sent() == "tenant=acme")
                        }
                        startSpan("manual").run { #expect(sent() == "tenant=acme") }
                    }
                    await withTraceContext(ContextOptions(baggage: ["tenant": "acme"])) {
                        await withSpan("child") { _ in
                            await Task.yield()
                            #expect(sent() == "tenant=acme")
                        }
                        await startSpan("manual").run {
                            await Task.yield()
                            #expect(sent() == "tenant=acme")
                        }
                        withSpan("child") { _ in #expect(sent() == "tenant=acme") }
                        await Task { withSpan("child") { _ in #expect(sent() == "tenant=acme") } }.value
                    }
                    withSpan("later") { _ in #expect(sent() == nil) }
                }
                let stats = engine.stats()
                #expect([stats.started, stats.ended, stats.unsampled] == [10, 10, 10])
            }
        }

        @Test func aFunctionDecidesAboutRoots() throws {
            let asked = Locked<[String]>([])
            var options = Options()
            options.decide = { about in
                asked.with { $0.append("\(about.name) \(about.type) \(about.attributes["a"]?.int ?? 0)") }
                return about.name == "dropped" ? .drop : about.name == "only" ? .record : .sample
            }
            try withEngine(options: options) { engine, memory in
                engine.withSpan("sampled", type: .tool, attributes: ["a": 1]) { _ in engine.withSpan("child") { _ in } }
                engine.withSpan("dropped") { span in #expect(!span.isRecording) }
                engine.withSpan("only") { span in #expect(span.isRecording && !span.context.isSampled) }
                try #expect(engine.flushed(memory).map(\.name).sorted() == ["child", "sampled"])
                #expect(asked.with { $0 } == ["sampled tool 1", "dropped generic 0", "only generic 0"])
                #expect(engine.stats().addsUp)
            }
        }
    }
}
