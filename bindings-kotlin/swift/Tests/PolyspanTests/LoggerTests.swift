// Code of the application that Polyspan calls in passing, the logger and the clock of sessions, may record spans itself:
// nothing is locked while it runs.

import Foundation
import Testing

@testable import Polyspan

/// One attribute that fills a frame, so that the end of its span hands the frame in and says what there is to say.
private let large = String(repeating: "x", count: 60_000)

/// Runs `work` on a thread of its own. What hangs would keep every later test from ending.
private func comesBack(_ work: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    Thread {
        work()
        done.signal()
    }.start()
    guard done.wait(timeout: .now() + 30) == .success else { fatalError("code of the application ran under a lock") }
}

/// A logger that does something when a line is said, once.
private final class Busy: Sendable {
    private let work = Locked<(@Sendable () -> Void)?>(nil)
    private let heard = Locked(false)
    private let done = Locked(false)

    /// Starts an engine with it, so that no line is said to another.
    func start(_ more: Attributes = [:], exporters others: [ExporterOption] = []) throws -> (Engine, MemoryExporter) {
        Polyspan.setLogger { [self] _ in
            let work = taken()
            if let work {
                work()
                done.with { $0 = true }
            }
            heard.with { $0 = true }
        }
        let memory = MemoryExporter()
        let options = Options(replace: true, exporters: [.memory(memory)] + others, more: more)
        return (try Polyspan.start(service: "tests", options), memory)
    }

    func give(_ given: @escaping @Sendable () -> Void) { work.with { $0 = given } }

    private func taken() -> (@Sendable () -> Void)? {
        work.with { work in
            defer { work = nil }
            return work
        }
    }

    /// Whether it did what it was given: not where the line came before that, from a timer.
    func hasWorked(_ engine: Engine) -> Bool {
        wait(for: heard, engine)
        if taken() != nil { return false }
        wait(for: done, engine)
        return true
    }

    private func wait(for flag: Locked<Bool>, _ engine: Engine) {
        let deadline = Date().addingTimeInterval(30)
        while !flag.with({ $0 }), Date() < deadline {
            // Hands in what there is, which says what there is.
            _ = engine.stats()
            Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(flag.with { $0 })
    }
}

/// Refuses whatever it gets, of which the engine has a line, once in the life of the process for each name.
private struct Refusing: SpanExporter {
    struct Refused: Error {}
    var name: String { "refusing" }
    func export(_ spans: [FinishedSpan]) throws -> Int { throw Refused() }
}

extension EngineTests {
    @Suite struct LoggerTests {
        @Test func theLoggerMayTouchTheSpanThatEnds() throws {
            let busy = Busy()
            let (engine, memory) = try busy.start(exporters: [.custom(Refusing())])
            defer { try? engine.shutdown(timeout: 30) }
            // The line waits until spans are handed in again.
            engine.withSpan("refused") { _ in }
            try engine.flush(timeout: 30)
            let span = engine.startSpan("ends")
            busy.give {
                span.set("late", 1).event("late").end()
                for _ in 0..<3 { engine.withSpan("in the logger") { $0.set("large", large) } }
            }
            comesBack { span.set("large", large).end() }
            let ended = busy.hasWorked(engine) ? 1 : 0
            let names = try engine.flushed(memory).map(\.name)
            #expect(names.filter { $0 == "in the logger" }.count == ended * 3)
            #expect(names.filter { $0 == "ends" }.count == 1)
            #expect(engine.stats().endedTwice == ended)
            #expect(engine.stats().addsUp)
        }

        @Test func theLoggerMayTouchTheTreeThatEnds() throws {
            let busy = Busy()
            let (engine, memory) = try busy.start(["metrics": ["prices": ["known": ["input": 1]]]])
            defer { try? engine.shutdown(timeout: 30) }
            // Without a price for its model the engine has a line, which waits until spans are handed in again.
            let asked: Attributes = .modelInference(model: "unknown", inputTokens: 7)
            engine.withSpan("ask", type: .modelInference, attributes: asked) { _ in }
            try engine.flush(timeout: 30)
            let top = engine.startSpan("top")
            let below = (0..<4).map { _ in engine.startSpan("below", parent: top).set("large", large) }
            busy.give {
                below.forEach { $0.set("late", 1).end() }
                engine.startSpan("in the logger", parent: top).set("large", large).end()
            }
            comesBack { top.endTree() }
            let ended = busy.hasWorked(engine) ? 1 : 0
            let names = try engine.flushed(memory).map(\.name)
            #expect(names.filter { $0 == "below" }.count == 4)
            #expect(names.filter { $0 == "in the logger" }.count == ended)
            #expect(names.filter { $0 == "top" }.count == 1)
            #expect(!below.contains { $0.isRecording })
            #expect(engine.stats().addsUp)
        }

        @Test func treesOfManyFramesEndAtOneMoment() throws {
            try withEngine { engine, memory in
                let top = engine.startSpan("top")
                let below = (0..<1500).map { _ in engine.startSpan("below", parent: top) }
                top.endTree()
                let spans = try engine.flushed(memory)
                #expect(spans.count == below.count + 1)
                // One that started later, by a clock that was set in between, ends as it starts.
                #expect(Set(spans.filter { $0.startTime < $0.endTime }.map(\.endTime)).count == 1)
                #expect(engine.stats().addsUp)
            }
        }

        @Test func theClockOfSessionsMayAskForTheSession() throws {
            let asks = Locked(true)
            let found = Locked<Sessions?>(nil)
            let inner = Locked("")
            let sessions = Sessions(now: {
                // Once: what it asks for asks the clock.
                let asksNow = asks.with { asks in
                    defer { asks = false }
                    return asks
                }
                if asksNow, let sessions = found.with({ $0 }) {
                    let id = sessions.current
                    inner.with { $0 = id }
                }
                return Date(timeIntervalSince1970: 1_000_000)
            })
            found.with { $0 = sessions }
            comesBack { _ = sessions.current }
            #expect(inner.with { $0 } == sessions.current)
            try withEngine(options: Options(sessions: sessions)) { engine, memory in
                asks.with { $0 = true }
                comesBack { engine.withSpan("work") { _ in } }
                try #expect(engine.flushed(memory).first?.attributes["session.id"]?.text == sessions.current)
            }
            found.with { $0 = nil }
        }
    }
}
