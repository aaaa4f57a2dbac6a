// The workload with a library that does nothing but look at what it is given: what the closures, the literals and the data
// cost, which no library can take away. `polyspan` less this is what Polyspan takes. Unsampled, it does not even look.

import Foundation

/// Stands for a span, with calls of the same shape: whether anything is kept is known in the caller, and keeping it is a call.
private final class Nothing: Sendable {
    private let reads: Bool

    init(reads: Bool) { self.reads = reads }

    @inline(__always)
    func inside(_ name: String, _ body: (Nothing) throws -> Void) rethrows { try body(self) }

    @inline(__always)
    func inside(_ name: String, input: String, _ body: (Nothing) throws -> Void) rethrows {
        if reads { read(input) }
        try body(self)
    }

    @inline(__always)
    func set(_ key: String, _ value: String) {
        if reads { read(value) }
    }

    @inline(__always)
    func set(_ key: String, _ value: Int) {
        if reads { add(value) }
    }

    @inline(__always)
    func set(_ key: String, _ value: Double) {
        if reads { add(Int(value)) }
    }

    @inline(__always)
    func set(_ key: String, _ value: Bool) {
        if reads { add(value ? 1 : 0) }
    }

    @inline(__always)
    func event(_ name: String, _ attributes: @autoclosure () -> KeyValuePairs<String, Given>) {
        if reads { read(attributes()) }
    }

    @inline(__always)
    func output(_ text: String) {
        if reads { read(text) }
    }

    @inline(never)
    private func read(_ attributes: KeyValuePairs<String, Given>) {
        for (_, value) in attributes {
            switch value {
            case .text(let text): read(text)
            case .int(let number): add(Int(number))
            }
        }
    }

    @inline(never)
    private func add(_ number: Int) { sum.pointee &+= number }

    /// Looks at a byte of every cache line, as copying does.
    @inline(never)
    private func read(_ text: String) {
        let read = text.utf8.withContiguousStorageIfAvailable { bytes in
            stride(from: 0, to: bytes.count, by: 64).reduce(0) { $0 &+ Int(bytes[$1]) }
        }
        sum.pointee &+= read ?? 0
    }
}

private enum Given {
    case text(String)
    case int(Int64)
}

/// What was read, so that reading it is not left out.
private nonisolated(unsafe) let sum = counter()

private func counter() -> UnsafeMutablePointer<Int> {
    let counter = UnsafeMutablePointer<Int>.allocate(capacity: 1)
    counter.initialize(to: 0)
    return counter
}

struct NothingSubject: Subject {
    private let nothing: Nothing
    private let traces = counter()

    init(_ setup: Setup) {
        nothing = Nothing(reads: setup.isSampled)
    }

    private func set(_ span: Nothing, _ facts: Facts) {
        span.set("agent.request", facts.request)
        span.set("agent.component", facts.component)
        span.set("agent.region", facts.region)
        span.set("agent.attempt", facts.attempt)
        span.set("agent.score", facts.score)
        span.set("agent.cached", facts.cached)
    }

    private func set(_ span: Nothing, _ model: Model) {
        span.event("first_token", ["position": .int(Int64(model.position)), "finish": .text(model.finish)])
        span.event("usage", ["tokens": .int(Int64(model.tokens)), "unit": .text(model.unit)])
        span.output(model.output)
    }

    func trace(_ turn: Turn) {
        traces.pointee += 1
        nothing.inside("agent run") { agent in
            set(agent, turn.agent)
            agent.inside("plan", input: turn.planModel.input) { plan in
                set(plan, turn.plan)
                set(plan, turn.planModel)
                plan.inside("lookup") { lookup in
                    set(lookup, turn.lookup)
                    lookup.inside("query") { set($0, turn.query) }
                }
            }
            agent.inside("answer", input: turn.answerModel.input) { answer in
                set(answer, turn.answer)
                set(answer, turn.answerModel)
            }
            agent.inside("recall") { set($0, turn.recall) }
            agent.inside("notify") { set($0, turn.notify) }
            agent.inside("calendar") { set($0, turn.calendar) }
        }
    }

    func flush() {}

    func stop() -> Account {
        let ended = Int64(traces.pointee * spansPerTrace)
        return Account(ended: ended, exported: ended, left_out: 0, dropped: 0)
    }
}
