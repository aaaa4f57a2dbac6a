// What is current goes where the work goes: tasks, groups, actors, and not into detached tasks.

import Foundation
import PolyspanShims
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@testable import Polyspan

/// Runs every piece of a task on whichever of its threads a generator of numbers names: seldom the one before.
@available(macOS 15, iOS 18, tvOS 18, watchOS 11, visionOS 2, *)
private final class Hopping: TaskExecutor {
    private struct State {
        var jobs: [[UnownedJob]]
        var random: UInt64 = 1
        var isStopped = false
    }

    private let state: Locked<State>
    private let ready: [DispatchSemaphore]

    init(threads: Int) {
        state = Locked(State(jobs: Array(repeating: [], count: threads)))
        ready = (0..<threads).map { _ in DispatchSemaphore(value: 0) }
        for number in 0..<threads {
            Thread { [self] in
                Thread.current.threadDictionary["hopping"] = number
                while work(number) {}
            }.start()
        }
    }

    /// The number of the thread that this runs on; nil on any other.
    static var thread: Int? { Thread.current.threadDictionary["hopping"] as? Int }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let number = state.with { state in
            state.random = state.random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = Int(state.random >> 33) % state.jobs.count
            state.jobs[number].append(job)
            return number
        }
        ready[number].signal()
    }

    private func work(_ number: Int) -> Bool {
        ready[number].wait()
        guard let job = state.with({ $0.jobs[number].isEmpty ? nil : $0.jobs[number].removeFirst() }) else {
            return !state.with { $0.isStopped }
        }
        job.runSynchronously(on: asUnownedTaskExecutor())
        return true
    }

    /// Lets the threads go.
    func stop() {
        state.with { $0.isStopped = true }
        ready.forEach { $0.signal() }
    }
}

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
        @available(macOS 15, iOS 18, tvOS 18, watchOS 11, visionOS 2, *)
        @Test func contextSurvivesAnotherThreadAfterEverySuspension() async throws {
            let hopping = Hopping(threads: 5)
            let changes = Locked(0)
            defer { hopping.stop() }
            try await withEngine { engine, memory in
                await withTaskExecutorPreference(hopping) {
                    await engine.withSpan("root") { root in
                        for round in 0..<100 {
                            let before = Hopping.thread
                            try? await Task.sleep(nanoseconds: 100_000)
                            #expect(Hopping.thread != nil)
                            if Hopping.thread != before { changes.with { $0 += 1 } }
                            #expect(currentSpan === root)
                            engine.withSpan("sync") { span in
                                #expect(currentSpan === span)
                                engine.withSpan("below") { _ in #expect(currentSpan !== span) }
                                #expect(currentSpan === span)
                            }
                            await engine.withSpan("async \(round)") { span in
                                let before = Hopping.thread
                                try? await Task.sleep(nanoseconds: 100_000)
                                if Hopping.thread != before { changes.with { $0 += 1 } }
                                #expect(currentSpan === span)
                                engine.withSpan("below") { _ in }
                            }
                            #expect(currentSpan === root)
                        }
                        await withTaskGroup(of: Void.self) { group in
                            for number in 0..<20 {
                                group.addTask {
                                    await engine.withSpan("child") { child in
                                        for _ in 0..<10 {
                                            await Task.yield()
                                            #expect(currentSpan === child)
                                            engine.withSpan("grandchild") { $0.set("number", number) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
                // Of two hundred: some did not suspend, and how many came back elsewhere is the scheduler's.
                let changed: Int = changes.with { $0 }
                #expect(changed > 0)
                let spans = try engine.flushed(memory)
                let wanted: Int = 1 + 100 * 4 + 20 * 11
                #expect(spans.count == wanted)
                let names = Dictionary(uniqueKeysWithValues: spans.map { ($0.spanId, $0.name) })
                let above = ["sync": "root", "child": "root", "grandchild": "child"]
                for span in spans {
                    let parent = span.parentSpanId.flatMap { names[$0] }
                    if let expected = above[span.name] { #expect(parent == expected) }
                    if span.name.hasPrefix("async") { #expect(parent == "root") }
                    let isBelow: Bool = parent == "sync" || parent?.hasPrefix("async") == true
                    if span.name == "below" { #expect(isBelow) }
                }
            }
        }

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

        #if os(Linux)
        /// Two hundred locks, each at the moment when another thread comes while its owner takes it again and again.
        @Test func aLockWithAnOwnerLetsOneIn() {
            polyspan_owners_begin()
            let lock = UnsafeMutablePointer<polyspan_owned_lock>.allocate(capacity: 1)
            let count = UnsafeMutablePointer<Int>.allocate(capacity: 1)
            // Rounds that have begun, and that the other thread is through with.
            let (begun, done) = (Locked(0), Locked(0))
            defer {
                lock.deallocate()
                count.deallocate()
            }
            count.initialize(to: 0)
            /// The lock is all that keeps the steps together.
            func add() {
                let isOwner = polyspan_owned_take(lock)
                let before = count.pointee
                for step in 0..<8 { count.pointee = before + step }
                count.pointee = before + 1
                polyspan_owned_give(lock, isOwner)
            }
            nonisolated(unsafe) let comes: () -> Void = {
                for round in 1...200 {
                    while begun.with({ $0 }) < round { sched_yield() }
                    for _ in 0..<20 { add() }
                    done.with { $0 = round }
                }
            }
            Thread { comes() }.start()
            var own = 0
            for round in 1...200 {
                lock.initialize(to: polyspan_owned_lock())
                lock.pointee.owner = polyspan_me()
                begun.with { $0 = round }
                repeat {
                    add()
                    own += 1
                } while done.with({ $0 }) < round
            }
            #expect(count.pointee == own + 4000)
        }
        #endif

        /// A span of `withSpan` has an owner, its thread, which takes its lock without an atomic operation until others come.
        @Test func othersSetWhatAThreadOwns() throws {
            polyspan_owners_begin()
            try withEngine(["attribute_count_limit": 10_000]) { engine, memory in
                for _ in 0..<15 {
                    // After a lock that others took there are no owners for a while.
                    for _ in 0..<300 { withSpan("alone") { $0.set("n", 1) } }
                    #if os(Linux)
                    #expect(polyspan_owner() != 0)
                    #endif
                    withSpan("shared") { root in
                        let others = DispatchGroup()
                        for other in 0..<2 {
                            DispatchQueue.global().async(group: others) {
                                for step in 0..<50 {
                                    root.set("other \(other) \(step)", step)
                                    if step % 10 == 0 { startSpan("child", parent: root).end() }
                                }
                            }
                        }
                        var turns = 0
                        repeat {
                            root.set("own \(turns % 50)", turns)
                            if turns < 50, turns % 10 == 0 { withSpan("child") { $0.set("turn", turns) } }
                            turns += 1
                        } while turns < 50 || turns < 5000 && others.wait(timeout: .now()) == .timedOut
                        others.wait()
                    }
                    try engine.flush(timeout: 30)
                }
                let spans = try engine.flushed(memory)
                let shared = spans.filter { $0.name == "shared" }
                #expect(shared.count == 15)
                #expect(shared.allSatisfy { $0.attributes.count == 150 })
                #expect(spans.filter { $0.name == "child" }.count == 15 * 15)
                #expect(spans.count == 15 * 316)
                #expect(engine.recorder.openCount == 0)
                #expect(engine.stats().addsUp)
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

        /// Each starts inside one that others end, and lets go of those above, meanwhile.
        @Test func chainsEndWhileTheyGrow() async throws {
            try await withEngine { engine, memory in
                for round in 0..<100 {
                    let root = engine.startSpan("root")
                    let chain = Locked<[Span]>([root])
                    await withTaskGroup(of: Void.self) { group in
                        for task in 0..<4 {
                            group.addTask {
                                for step in 0..<25 {
                                    let parent = chain.with { $0[(task * 7 + step) % $0.count] }
                                    let span = engine.startSpan("next", parent: parent)
                                    let ended = chain.with { spans -> Span? in
                                        spans.append(span)
                                        return spans.count > 4 ? spans.remove(at: 1) : nil
                                    }
                                    ended?.end()
                                    if step % 10 == 9 { parent.endTree() }
                                }
                            }
                        }
                    }
                    root.endTree()
                    for span in chain.with({ $0 }) { span.end() }
                    if round % 20 == 19 { try await engine.flush(timeout: 30) }
                }
                #expect(engine.recorder.openCount == 0)
                try #expect(engine.flushed(memory).count == 100 * 101)
                #expect(engine.stats().addsUp)
            }
        }

        @Test func cancellingATaskCancelsItsRequest() async throws {
            let receiver = try Receiver()
            defer { receiver.stop() }
            let request = URLRequest(url: URL(string: "\(receiver.endpoint)/silent")!)
            let asking = Task { try await URLSession.shared.tracedData(for: request) }
            while receiver.requests.isEmpty { try await Task.sleep(nanoseconds: 1_000_000) }
            asking.cancel()
            switch await asking.result {
            case .success: Issue.record("an answer that nobody gave")
            case .failure(let error): #expect((error as? URLError)?.code == .cancelled)
            }
            // Before it has begun.
            let early = Task { () -> Bool in
                while !Task.isCancelled { await Task.yield() }
                do {
                    _ = try await URLSession.shared.tracedData(for: request)
                    return false
                } catch {
                    return (error as? URLError)?.code == .cancelled
                }
            }
            early.cancel()
            #expect(await early.value)
        }
    }
}
