// Engines that come and go, sessions, logs, and the life of an app.

import Foundation
import Testing

@testable import Polyspan

extension EngineTests {
    @Suite struct LifeTests {
        @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/self/maps")))
        func theLibraryIsTheOneThatWasLinked() throws {
            let folder = try #require(ProcessInfo.processInfo.environment["POLYSPAN_LIBRARY_FOLDER"])
            let maps = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/maps")).readToEnd() ?? Data()
            let lines = String(decoding: maps, as: UTF8.self).split(separator: "\n")
            let loaded = Set(lines.compactMap { $0.split(separator: " ").last }.filter { $0.contains("polyspan_uniffi") })
            #expect(loaded == ["\(folder)/libpolyspan_uniffi.so"])
        }

        @Test func engineIsReplaced() throws {
            try withEngine { first, firstMemory in
                let open = first.startSpan("open")
                let memory = MemoryExporter()
                let second = try Polyspan.start(service: "other", Options(replace: true, exporters: [.memory(memory)]))
                second.withSpan("to the second") { _ in }
                withSpan("to the default") { _ in }
                open.end()
                try #expect(second.flushed(memory).map(\.name).sorted() == ["to the default", "to the second"])
                try second.shutdown()
                #expect(first.stats().addsUp)
            }
        }

        @Test func severalEnginesAtOnce() throws {
            try withEngine { first, firstMemory in
                let memory = MemoryExporter()
                let second = try Polyspan.start(service: "b", Options(name: "second", exporters: [.memory(memory)]))
                second.withSpan("outer") { _ in withSpan("inner") { _ in } }
                withSpan("own") { _ in }
                try #expect(second.flushed(memory).map(\.name).sorted() == ["inner", "outer"])
                try #expect(first.flushed(firstMemory).map(\.name) == ["own"])
                try Polyspan.setDefault("second")
                withSpan("chosen") { _ in }
                try #expect(second.flushed(memory).map(\.name) == ["chosen"])
                try second.shutdown()
            }
        }

        /// The timer that hands in goes on while there is something, and starts again after there was nothing.
        @Test(.timeLimit(.minutes(1)), arguments: ["always_on", "always_off"])
        func spansAreHandedInWithoutAFlush(_ sampler: String) throws {
            try withEngine(options: Options(sampler: .text(sampler))) { engine, _ in
                // What the engine knows: our own count would hand in first.
                func handedIn() -> Int64? { ValueReader.read(engine.recorder.engine.stats())?.map?["ended"]?.int }
                var ended: Int64 = 0
                for _ in 0..<3 {
                    for _ in 0..<3 {
                        engine.withSpan("on and on") { _ in }
                        ended += 1
                        while handedIn() != ended { usleep(100) }
                    }
                    while engine.recorder.handsInByItself { usleep(100) }
                }
            }
        }

        @Test func sessionsChangeByInactivityAndAge() throws {
            let clock = Locked(Date(timeIntervalSince1970: 1_000_000))
            let sessions = Sessions(inactivity: 60, maxAge: 600, now: { clock.with { $0 } })
            func pass(_ seconds: Double) { clock.with { $0 += seconds } }
            let first = sessions.current
            pass(59)
            #expect(sessions.current == first)
            pass(60)
            let second = sessions.current
            #expect(second != first)
            for _ in 0..<11 {
                pass(50)
                #expect(sessions.current == second)
            }
            pass(50)
            #expect(sessions.current != second)
            let third = sessions.current
            pass(-5000)
            #expect(sessions.current == third)
            sessions.renew()
            #expect(sessions.current != third)
        }

        @Test func sessionsThatNeverEndAreRenewed() throws {
            let sessions = Sessions(inactivity: .infinity, maxAge: .infinity)
            let first = sessions.current
            #expect(first.count == 32)
            #expect(sessions.current == first)
            sessions.renew()
            #expect(sessions.current.count == 32)
            #expect(sessions.current != first)
        }

        @Test(arguments: [0, -1, Double.nan]) func sessionsOfNoTimeAreRefused(_ seconds: Double) {
            for (option, sessions) in [("inactivity", Sessions(inactivity: seconds)), ("maxAge", Sessions(maxAge: seconds))] {
                #expect {
                    try Polyspan.start(service: "tests", Options(name: "refused", exporters: [], sessions: sessions))
                } throws: { error in
                    guard let error = error as? PolyspanError else { return false }
                    return error.code == "invalid_option" && error.message.hasPrefix("sessions.\(option):")
                }
            }
            #expect(Registry.recorders.isEmpty)
        }

        @Test func startingAgainEndsNoSession() throws {
            Polyspan.setLogger { _ in }
            let memory = MemoryExporter()
            func start(_ sessions: Sessions?) throws -> Engine {
                try Polyspan.start(
                    service: "tests", Options(name: "again", exporters: [.memory(memory)], sessions: sessions))
            }
            let engine = try start(Sessions())
            defer { try? engine.shutdown(timeout: 30) }
            engine.withSpan("first") { _ in }
            for sessions in [Sessions(), nil] { try start(sessions).withSpan("again") { _ in } }
            #expect { try start(Sessions(inactivity: 60)) } throws: { error in
                (error as? PolyspanError)?.code == "already_initialized"
            }
            engine.withSpan("last") { _ in }
            let ids = try engine.flushed(memory).map { $0.attributes["session.id"]?.text }
            #expect(ids.count == 4)
            #expect(Set(ids).count == 1)
            #expect(ids[0]?.count == 32)
        }

        @Test func tracesCarryTheirSession() throws {
            let clock = Locked(Date(timeIntervalSince1970: 1_000_000))
            let sessions = Sessions(inactivity: 60, now: { clock.with { $0 } })
            try withEngine(options: Options(sessions: sessions)) { engine, memory in
                engine.withSpan("first") { _ in engine.withSpan("child") { _ in } }
                clock.with { $0 += 61 }
                engine.withSpan("second") { _ in }
                withTraceContext(ContextOptions(sessionId: "own")) { engine.withSpan("third") { _ in } }
                let ids = Dictionary(
                    uniqueKeysWithValues: try engine.flushed(memory).map { ($0.name, $0.attributes["session.id"]?.text ?? "") })
                #expect(ids["first"]?.count == 32)
                #expect(ids["child"] == ids["first"])
                #expect(ids["second"]?.count == 32)
                #expect(ids["second"] != ids["first"])
                #expect(ids["third"] == "own")
            }
        }

        @Test func logRecordsBelongToTheirSpan() throws {
            try withEngine { engine, memory in
                engine.withSpan("work") { span in
                    #expect(Polyspan.log(.warn, "the disk is filling", attributes: ["free": 7]))
                    #expect(!Polyspan.log(.debug, "too little"))
                }
                struct Failure: Error {}
                Polyspan.log(.error, ["a": 1], error: Failure(), eventName: "disk.full")
                try engine.flush()
                let logs = memory.logs
                #expect(logs.count == 2)
                #expect(logs[0]["body"] == "the disk is filling")
                #expect(logs[0]["severity"] == 13)
                #expect(logs[0]["attributes"]?["free"] == 7)
                #expect(logs[0]["spanId"]?.text == memory.spans[0].spanId)
                #expect(logs[1]["body"] == ["a": 1])
                #expect(logs[1]["attributes"]?["exception.type"]?.text?.hasSuffix("Failure") == true)
                #expect(engine.stats().addsUp)
            }
        }

        @Test(arguments: vectors("logs.json")["levels"]!.list)
        func levelsKeepWhatTheySay(_ entry: Json) throws {
            try withEngine { engine, _ in
                defer { try? Polyspan.setLogLevel("info") }
                if entry[1].string == "unknown" {
                    #expect(throws: PolyspanError.self) { try Polyspan.setLogLevel(entry[0].string!) }
                    return
                }
                try Polyspan.setLogLevel(entry[0].string!)
                for level in [LogLevel.trace, .debug, .info, .warn, .error, .fatal] {
                    let isKept = Int(level.severity) >= entry[1].int ?? 99
                    #expect(Polyspan.log(level, "x") == isKept, "\(level)")
                }
            }
        }

        @Test func theBackgroundWaitsNoLongerThanGranted() throws {
            try withEngine { engine, memory in
                engine.withSpan("tap") { _ in }
                #expect(Polyspan.didEnterBackground(granted: 30))
                #expect(memory.spans.count == 1)
                // What a system says that grants as much as is wanted.
                engine.withSpan("again") { _ in }
                #expect(Polyspan.didEnterBackground(granted: .greatestFiniteMagnitude))
                #expect(memory.spans.count == 2)
            }
        }

        @Test func flushKeepsItsDeadline() async throws {
            try await withEngine { engine, memory in
                engine.withSpan("work") { _ in }
                try await engine.flush(timeout: 30)
                #expect(memory.spans.count == 1)
                #expect(throws: PolyspanError.self) { try engine.flush(timeout: -1) }
            }
        }

        @Test func whatIsHeldStaysUntilItIsLetGo() throws {
            try withEngine(options: Options(batching: Batching(interval: 0.001))) { engine, memory in
                engine.hold(true)
                engine.withSpan("work") { _ in }
                // A flush sends it all the same.
                try #expect(engine.flushed(memory).count == 1)
                engine.withSpan("later") { _ in }
                engine.hold(false)
                try #expect(engine.flushed(memory).count == 1)
            }
        }

        @Test func whatIsHeldStaysHeldInTheBackground() throws {
            try withEngine { engine, memory in
                engine.hold(true)
                engine.withSpan("work") { _ in }
                #expect(!Polyspan.didEnterBackground(granted: 30))
                #expect(memory.spans.isEmpty)
                engine.hold(false)
                #expect(Polyspan.didEnterBackground(granted: 30))
                #expect(memory.spans.count == 1)
            }
        }

        @Test func batchingIsPlainConfiguration() throws {
            let options = Options(batching: Batching(interval: 60, spans: 100, bytes: 65536, memory: 4 << 20))
            try withEngine(options: options) { engine, memory in
                engine.withSpan("work") { _ in }
                try #expect(engine.flushed(memory).count == 1)
            }
            #expect(Batching.metered.options["schedule_delay"] == .double(300))
        }
    }
}
