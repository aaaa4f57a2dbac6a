// Spans as an application uses them, and the bytes of their head.

import Foundation
import PolyspanShims
import Testing

@testable import Polyspan

private struct Failure: Error, CustomStringConvertible {
    var description: String { "it broke" }
}

extension EngineTests {
    @Suite struct SpanTests {
        @Test func theHeadIsThatOfTheSpecification() throws {
            try withEngine { engine, memory in
                let start = Date(timeIntervalSince1970: 1_700_000_000)
                let span = engine.startSpan(
                    "work", type: .ragVectorOperation, kind: .consumer, options: SpanOptions(startTime: start))
                let body = try #require(span.body)
                let head = Data(body.pointee.body.written.prefix(64))
                #expect(hex(head[0..<16]) == span.traceId)
                #expect(hex(head[16..<24]) == span.spanId)
                #expect(head[24..<32].allSatisfy { $0 == 0 })
                #expect(body.word(Head.start, UInt64.self) == 1_700_000_000_000_000_000)
                // Sampled and random, consumer, unset, the type, root and local root and a kind that was given.
                #expect(Array(head[48..<56]) == [3, 5, 0, 0, 26, 0, 3, 1])
                span.end(at: start.addingTimeInterval(0.25))
                let record = try #require(try engine.flushed(memory).first)
                #expect(record.endTime - record.startTime == 250_000_000)
                #expect(record.kind == "consumer")
                #expect(record.type == "rag_vector_operation")
            }
        }

        @Test func everythingThatIsSetArrives() throws {
            try withEngine { engine, memory in
                let other = engine.startSpan("other")
                engine.withSpan("root", attributes: ["a": 1], input: "in", options: SpanOptions(tags: ["beta"])) { span in
                    span.set("b", 2.5).set("c", true).set("d", "text").set("e", ["x": [1, nil]] as [String: Any])
                    span.set("a", 7)
                    span.event("chunk", ["n": 1])
                    span.link(other, ["why": "retry"])
                    span.update(name: "renamed", output: ["answer": 42], metadata: ["tier": "gold"])
                    span.status(.ok)
                    span.status(.error, "too late")
                }
                other.end()
                let records = try engine.flushed(memory)
                let record = try #require(records.first { $0.name == "renamed" })
                #expect(record.attributes.dictionary == ["a": 7, "b": 2.5, "c": true, "d": "text", "e": ["x": [1, nil]]])
                #expect(record.input == "in")
                #expect(record.output == ["answer": 42])
                #expect(record.metadata == ["tier": "gold"])
                #expect(record.tags == ["beta"])
                #expect(record.status == "ok")
                #expect(record.events.first?["attributes"] == ["n": 1])
                #expect(record.links.first?["spanId"]?.text == other.spanId)
                #expect(record.links.first?["attributes"] == ["why": "retry"])
            }
        }

        @Test func errorsAreRecordedAndThrownOn() throws {
            try withEngine { engine, memory in
                #expect(throws: Failure.self) { try engine.withSpan("fails") { _ in throw Failure() } }
                let record = try #require(try engine.flushed(memory).first)
                #expect(record.status == "error")
                #expect(record.all["statusMessage"] == "it broke")
                #expect(record.attributes["error.type"]?.text?.hasSuffix("Failure") == true)
                #expect(record.events.first?["name"] == "exception")
                #expect(record.events.first?["attributes"]?["exception.message"] == "it broke")
            }
        }

        @Test func theInputIsReplacedAndNotKeptTwice() throws {
            try withEngine { engine, memory in
                let span = engine.startSpan("long", input: "first")
                for round in 0..<10_000 {
                    span.update(input: "input \(round)", output: String(repeating: "x", count: round % 50))
                }
                #expect(span.body!.pointee.body.at < 1024)
                span.set("after", 1).update(output: "last").end()
                let record = try #require(try engine.flushed(memory).first)
                #expect(record.input == "input 9999")
                #expect(record.output == "last")
                #expect(record.attributes["after"] == 1)
            }
        }

        @Test func attributesThatAreReplacedMakeRoom() throws {
            try withEngine(["capture_span_bytes": 4096]) { engine, memory in
                let span = engine.startSpan("busy")
                for round in 0..<1000 { span.set("same", "round \(round) of very many").set("other", round) }
                span.end()
                let record = try #require(try engine.flushed(memory).first)
                #expect(record.attributes["same"] == "round 999 of very many")
                #expect(record.attributes["other"] == 999)
                #expect(record.droppedAttributes == 0)
            }
        }

        @Test func whatHasNoRoomIsCounted() throws {
            try withEngine(["capture_span_bytes": 4096]) { engine, memory in
                let span = engine.startSpan("large")
                for key in 0..<100 { span.set("key \(key)", String(repeating: "x", count: 100)) }
                span.end()
                let record = try #require(try engine.flushed(memory).first)
                #expect(record.attributes.count + record.droppedAttributes == 100)
                #expect(record.droppedAttributes > 60)
                #expect(engine.stats().altered >= 60)
            }
        }

        @Test func theFirstEndCounts() throws {
            try withEngine { engine, memory in
                let span = engine.startSpan("once")
                span.end()
                span.end()
                span.set("late", 1).update(output: "late").event("late").error(Failure())
                let records = try engine.flushed(memory)
                #expect(records.count == 1)
                #expect(records[0].attributes.isEmpty)
                #expect(records[0].output == nil)
                // `error` ends it a third time.
                #expect(engine.stats().endedTwice == 2)
            }
        }

        @Test func aTreeEndsAtOnce() throws {
            try withEngine { engine, memory in
                let root = engine.startSpan("root")
                let child = engine.startSpan("child", parent: root)
                let grandchild = engine.startSpan("grandchild", parent: child)
                let sibling = engine.startSpan("sibling", parent: root)
                child.end()
                let dropped = engine.startSpan("abandoned", parent: child)
                _ = dropped
                child.endTree()
                #expect(!grandchild.isRecording)
                #expect(sibling.isRecording)
                root.endTree()
                let records = try engine.flushed(memory)
                #expect(Set(records.map(\.name)) == ["root", "child", "grandchild", "sibling", "abandoned"])
                #expect(engine.stats().addsUp)
                // `child` was ended by hand before.
                #expect(engine.stats().endedTwice == 1)
            }
        }

        @Test func aTreeEndsWithWhatWasBelowEndedSpans() throws {
            try withEngine { engine, memory in
                let root = engine.startSpan("root")
                let (a, other) = (engine.startSpan("a", parent: root), engine.startSpan("other"))
                let b = engine.startSpan("b", parent: a)
                let c = engine.startSpan("c", parent: b)
                a.end()
                b.end()
                let d = engine.startSpan("d", parent: b)
                root.endTree()
                #expect(!c.isRecording)
                #expect(!d.isRecording)
                #expect(other.isRecording)
                try #expect(Set(engine.flushed(memory).map(\.name)) == ["a", "b", "c", "d", "root"])
            }
        }

        @Test func unsampledSpansAreCounted() throws {
            try withEngine(["sampler": "always_off"]) { engine, memory in
                engine.withSpan("root") { root in
                    #expect(!root.isRecording)
                    engine.withSpan("child") { child in
                        #expect(child.traceId == root.traceId)
                        #expect(Polyspan.headers()["traceparent"]?.hasSuffix("-02") == true)
                        engine.withSpan("grandchild") { _ in }
                    }
                }
                try #expect(engine.flushed(memory).isEmpty)
                let stats = engine.stats()
                #expect(stats.ended == 3)
                #expect(stats.unsampled == 3)
                #expect(stats.started == 3)
                #expect(stats.addsUp)
            }
        }

        @Test func metricsCountUnsampledSpans() throws {
            try withEngine(["sampler": "always_off", "metrics": true]) { engine, memory in
                engine.withSpan("root") { _ in engine.withSpan("child", type: .tool) { $0.status(.error) } }
                try engine.flush()
                let stats = engine.stats()
                #expect(stats.ended == 2)
                #expect(stats.unsampled == 2)
                #expect(stats.all["metrics"]?["spans"] == 2)
                #expect(stats.addsUp)
            }
        }

        @Test func tooManyOpenSpansDoNotRecord() throws {
            try withEngine(["open_spans": 3]) { engine, memory in
                var spans = (0..<5).map { engine.startSpan("span \($0)") }
                #expect(spans.filter(\.isRecording).count == 3)
                for span in spans { span.end() }
                try #expect(engine.flushed(memory).count == 3)
                #expect(engine.stats().openLimit == 2)
                // A span that has ended gives its place back, before it is handed in.
                for _ in 0..<20 {
                    let span = engine.startSpan("one after the other")
                    #expect(span.isRecording)
                    span.end()
                }
                // So does one that nobody ends.
                spans = (0..<3).map { engine.startSpan("forgotten \($0)") }
                spans = []
                #expect(engine.startSpan("again").isRecording)
                #expect(engine.stats().addsUp)
            }
        }

        @Test func tooManyOpenSpansDoNotRecordWhereTheEngineIsAsked() throws {
            let options = Options(decide: { _ in .sample })
            try withEngine(["open_spans": 3], options: options) { engine, memory in
                let spans = (0..<5).map { engine.startSpan("span \($0)", options: SpanOptions(metadata: ["n": 1])) }
                #expect(spans.filter(\.isRecording).count == 3)
                #expect(spans.allSatisfy { $0.context.isValid })
                for span in spans { span.end() }
                #expect(engine.recorder.openCount == 0)
                try #expect(engine.flushed(memory).count == 3)
                #expect(engine.stats().openLimit == 2)
                #expect(engine.stats().started == 5)
                #expect(engine.stats().addsUp)
            }
        }

        @Test func instantsBeginAndEndAtOnce() throws {
            try withEngine { engine, memory in
                recordEvent("tap", attributes: ["button": "buy"], output: "done")
                let record = try #require(try engine.flushed(memory).first)
                #expect(record.startTime == record.endTime)
                #expect(record.flags & Int(RecordFlag.event) != 0)
                #expect(record.output == "done")
            }
        }

        @Test func withoutAnEngineNothingIsRecorded() throws {
            Polyspan.setLogger { _ in }
            let result = withSpan("nothing") { span -> Int in
                #expect(!span.isRecording)
                span.set("a", 1).error(Failure())
                return 7
            }
            #expect(result == 7)
            #expect(Polyspan.stats().ended == 0)
            #expect(throws: PolyspanError.self) { try Polyspan.engine() }
        }

        @Test func misuseAfterShutdownCounts() throws {
            Polyspan.setLogger { _ in }
            let memory = MemoryExporter()
            let engine = try Polyspan.start(service: "tests", Options(replace: true, exporters: [.memory(memory)]))
            let open = engine.startSpan("open")
            try engine.shutdown()
            open.set("a", 1)
            open.end()
            engine.withSpan("late") { $0.set("a", 1) }
            engine.withSpan("later") { _ in }
            try engine.shutdown()
            let stats = engine.stats()
            #expect(stats.addsUp)
            #expect(stats.ended == 3)
            #expect(stats.dropped.values.reduce(0, +) + stats.unsampled == 3)
            #expect(memory.spans.isEmpty)
        }

        @Test func startsAtOnceGiveTheSameEngine() throws {
            Polyspan.setLogger { _ in }
            for round in 0..<20 {
                let memory = MemoryExporter()
                let started = Locked<[Engine]>([])
                DispatchQueue.concurrentPerform(iterations: 8) { _ in
                    let options = Options(name: "at once \(round)", exporters: [.memory(memory)])
                    guard let engine = try? Polyspan.start(service: "tests", options) else { return }
                    engine.withSpan("outer") { _ in withSpan("inner") { _ in } }
                    started.with { $0.append(engine) }
                }
                let engines = started.with { $0 }
                try #require(engines.count == 8)
                #expect(Set(engines.map { ObjectIdentifier($0.recorder) }).count == 1)
                // Any of them hands in what all have recorded.
                try #expect(engines[0].flushed(memory).count == 16)
                try engines[0].shutdown(timeout: 30)
            }
        }

        @Test func theSameOptionsGiveTheSameEngine() throws {
            try withEngine { engine, memory in
                #expect(throws: PolyspanError.self) { try Polyspan.start(service: "another") }
                try #expect(Polyspan.engine().name == engine.name)
                try #expect(Polyspan.engine("default").recorder === engine.recorder)
                #expect(engine.resource["service.name"] == "tests")
                #expect(engine.resource["telemetry.sdk.language"] == "swift")
            }
        }
    }
}
