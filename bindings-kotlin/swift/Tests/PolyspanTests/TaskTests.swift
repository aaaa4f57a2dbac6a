// What is current goes where the work goes: tasks, groups, actors, and not into detached tasks.

import Foundation
import Testing

@testable import Polyspan

private actor Counter {
    var spans: [String] = []

    func record(_ engine: Engine) async {
        await engine.withSpan("in actor") { span in
            spans.append(span.spanId)
            await Task.yield()
        }
    }
}

extension EngineTests {
    @Suite struct TaskTests {
        @Test func contextSurvivesEverySuspension() async throws {
            try await withEngine { engine, memory in
                await engine.withSpan("root") { root in
                    for _ in 0..<50 {
                        await Task.yield()
                        #expect(currentSpan === root)
                    }
                    await withTaskGroup(of: Void.self) { group in
                        for number in 0..<20 {
                            group.addTask {
                                await engine.withSpan("child") { child in
                                    await Task.yield()
                                    try? await Task.sleep(nanoseconds: UInt64(number % 3) * 100_000)
                                    #expect(currentSpan === child)
                                    child.set("number", number)
                                    engine.withSpan("grandchild") { _ in #expect(currentTraceId == root.traceId) }
                                    #expect(currentSpan === child)
                                }
                            }
                        }
                    }
                    async let one: Void = engine.withSpan("let one") { _ in await Task.yield() }
                    async let two: Void = engine.withSpan("let two") { _ in await Task.yield() }
                    _ = await (one, two)
                    await Task { engine.withSpan("in task") { _ in } }.value
                    await Counter().record(engine)
                    await Task.detached {
                        #expect(currentTraceId == nil)
                        engine.withSpan("detached") { _ in }
                    }.value
                    let context = TraceContext.current
                    await Task.detached { context.run { engine.withSpan("carried") { _ in } } }.value
                    #expect(currentSpan === root)
                }
                let spans = try engine.flushed(memory)
                #expect(spans.count == 47)
                let root = try #require(spans.first { $0.name == "root" })
                let detached = try #require(spans.first { $0.name == "detached" })
                #expect(detached.parentSpanId == nil)
                for span in spans where span.name != "root" && span.name != "detached" {
                    #expect(span.traceId == root.traceId)
                    if span.name != "grandchild" { #expect(span.parentSpanId == root.spanId, "\(span.name)") }
                }
                let children = Set(spans.filter { $0.name == "child" }.map(\.spanId))
                #expect(spans.filter { $0.name == "grandchild" }.allSatisfy { children.contains($0.parentSpanId ?? "") })
            }
        }

        @Test func errorsOfTasksEndTheirSpans() async throws {
            struct Failure: Error {}
            try await withEngine { engine, memory in
                await #expect(throws: Failure.self) {
                    try await engine.withSpan("root") { _ in
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            group.addTask {
                                try await engine.withSpan("fails") { _ in
                                    await Task.yield()
                                    throw Failure()
                                }
                            }
                            try await group.waitForAll()
                        }
                    }
                }
                try #expect(engine.flushed(memory).map(\.status) == ["error", "error"])
            }
        }

        @Test func tenThousandSpansAtOnce() async throws {
            try await withEngine { engine, memory in
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<100 {
                        group.addTask {
                            for round in 0..<50 {
                                await engine.withSpan("outer") { outer in
                                    outer.set("number", number).set("round", round)
                                    if round % 10 == 0 { await Task.yield() }
                                    engine.withSpan("inner", input: "round \(round)") { $0.set("text", "of \(number)") }
                                }
                            }
                        }
                    }
                }
                let spans = try engine.flushed(memory)
                #expect(spans.count == 10_000)
                #expect(Set(spans.map(\.spanId)).count == 10_000)
                #expect(Set(spans.map(\.traceId)).count == 5_000)
                let stats = engine.stats()
                #expect(stats.ended == 10_000)
                #expect(stats.addsUp)
                #expect(engine.recorder.openCount == 0)
            }
        }

        @Test func oneSpanFromManyThreads() async throws {
            try await withEngine(["attribute_count_limit": 10_000]) { engine, memory in
                let span = engine.startSpan("shared")
                await withTaskGroup(of: Void.self) { group in
                    for task in 0..<20 {
                        group.addTask { for round in 0..<100 { span.set("\(task) \(round)", round).update(output: round) } }
                    }
                }
                span.end()
                let record = try #require(try engine.flushed(memory).first)
                #expect(record.attributes.count == 2000)
            }
        }

        @Test func treesEndWhileTheirSpansDo() async throws {
            try await withEngine { engine, memory in
                for _ in 0..<200 {
                    let root = engine.startSpan("root")
                    await withTaskGroup(of: Void.self) { group in
                        for _ in 0..<8 {
                            group.addTask {
                                let child = engine.startSpan("child", parent: root)
                                engine.startSpan("grandchild", parent: child).end()
                                child.end()
                            }
                        }
                        group.addTask { root.endTree() }
                    }
                }
                let spans = try engine.flushed(memory)
                #expect(spans.filter { $0.name == "root" }.count == 200)
                #expect(engine.stats().addsUp)
                #expect(engine.recorder.openCount == 0)
            }
        }
    }
}
