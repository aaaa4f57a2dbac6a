// Memory over a long life: engines that come and go, and spans without end.

import Foundation
import Testing

@testable import Polyspan

/// Kilobytes of memory that this process holds, where the system tells.
private func resident() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") } ?? ""
    return Int(line.filter(\.isNumber)) ?? 0
}

/// How often, by a variable of the environment.
private func count(_ variable: String, otherwise: Int) -> Int {
    ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? otherwise
}

extension EngineTests {
    @Suite struct GrowthTests {
        private func pass(_ number: Int, keeping: Bool) throws {
            let memory = MemoryExporter(capacity: 10)
            let engine = try Polyspan.start(
                service: "growth", Options(name: "passing", replace: true, exporters: keeping ? [.memory(memory)] : []))
            engine.withSpan("work", input: "x") { span in
                span.set("number", number)
                engine.withSpan("inner") { _ in }
            }
            try engine.shutdown(timeout: 30)
            #expect(engine.stats().accepted == 2)
            if keeping { #expect(memory.spans.count == 2) }
        }

        /// `POLYSPAN_TEST_ENGINES` of them; 10,000 are asked for, a fifth of that without it.
        @Test func enginesComeAndGoWithoutGrowth() throws {
            Polyspan.setLogger { _ in }
            let rounds = count("POLYSPAN_TEST_ENGINES", otherwise: 2000)
            for number in 0..<500 { try pass(number, keeping: number % 5 == 0) }
            let before = resident()
            for number in 0..<rounds { try pass(number, keeping: number % 5 == 0) }
            let grown = resident() - before
            Swift.print("\(rounds) engines: \(before) KiB resident before, \(grown) more after")
            // Each engine has a pool and queues: one in twenty that stayed would show.
            #expect(grown < 16_000, "grown by \(grown) KiB")
            #expect(Registry.recorders.isEmpty)
        }

        private func record(_ engine: Engine, _ count: Int) throws {
            for number in 1...count {
                engine.withSpan("s") { span in
                    span.set("agent.request", "twenty characters ok").set("agent.attempt", number).set("agent.score", 0.5)
                }
                if number % 1000 == 0 { try engine.flush(timeout: 30) }
            }
        }

        /// Each round of a poller starts inside what the one before has left current.
        @Test func aSpanHoldsNoneBeforeItThatHasEnded() throws {
            let engine = try Polyspan.start(service: "growth", Options(name: "chain", exporters: []))
            defer { try? engine.shutdown(timeout: 30) }
            var last = engine.startSpan("first")
            weak var first = last
            for _ in 0..<3 {
                last.end()
                last = engine.startSpan("next", parent: last)
            }
            #expect(first == nil)
            #expect(last.isRecording)
            // Where each starts before the one before ends they hold each other, and go one after the other.
            for _ in 0..<50_000 {
                let next = engine.startSpan("next", parent: last)
                last.end()
                last = next
            }
            last.end()
        }

        /// As pollers that start the next round before they end the last, or the last but one.
        @Test(arguments: [1, 2, 5]) func norWhereSomeOfTheChainAreOpenAtOnce(_ open: Int) throws {
            let engine = try Polyspan.start(service: "growth", Options(name: "overlapping", exporters: []))
            defer { try? engine.shutdown(timeout: 30) }
            var chain = [engine.startSpan("first")]
            weak var first = chain[0]
            for _ in 0..<20 {
                chain.append(engine.startSpan("next", parent: chain.last))
                if chain.count > open { chain.removeFirst().end() }
            }
            #expect(first == nil)
            // What they were children of goes on as one trace.
            #expect(Set(chain.map(\.traceId)).count == 1)
            for span in chain { span.end() }
            #expect(engine.recorder.openCount == 0)
            #expect(engine.stats().ended == 21)
        }

        /// `POLYSPAN_TEST_SPANS` of them, 200,000 without it.
        @Test func memoryStaysFlatHoweverManySpansThereAre() throws {
            Polyspan.setLogger { _ in }
            let spans = count("POLYSPAN_TEST_SPANS", otherwise: 200_000)
            let engine = try Polyspan.start(service: "growth", Options(name: "spans", exporters: []))
            defer { try? engine.shutdown(timeout: 30) }
            // What queues and pools come to hold is there after these.
            try record(engine, 50_000)
            let before = resident()
            try record(engine, spans)
            let grown = resident() - before
            Swift.print("\(spans) spans: \(before) KiB resident before, \(grown) more after")
            #expect(grown < 32_000, "grown by \(grown) KiB")
            try engine.flush(timeout: 30)
            let stats = engine.stats()
            #expect(stats.addsUp)
            #expect(stats.ended == Int64(spans + 50_000))
            #expect(stats.accepted == stats.ended)
        }
    }
}
