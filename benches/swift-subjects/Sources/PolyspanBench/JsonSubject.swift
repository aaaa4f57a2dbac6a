// What who has no tracing library writes: a value for each span, and a line of JSON when it ends.

import Foundation

final class JsonSubject: Subject {
    private enum Value: Encodable {
        case text(String)
        case int(Int)
        case double(Double)
        case bool(Bool)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .int(let int): try container.encode(int)
            case .double(let double): try container.encode(double)
            case .bool(let bool): try container.encode(bool)
            }
        }
    }

    private struct Event: Encodable {
        let name: String
        let time: UInt64
        let attributes: [String: Value]
    }

    private struct Record: Encodable {
        let trace, id: UInt64
        let parent: UInt64?
        let name, type, kind: String
        let start: UInt64
        var end: UInt64 = 0
        var attributes: [String: Value]
        var input, output: String?
        var events: [Event] = []
    }

    private let encoder = JSONEncoder()
    private let isSampled: Bool
    private var lines = Data()
    private var ended: Int64 = 0

    init(_ setup: Setup) {
        isSampled = setup.isSampled
    }

    private func now() -> UInt64 { clock_gettime_nanos(CLOCK_REALTIME) }

    private func span(
        _ name: String, _ type: String, _ kind: String, _ parent: (trace: UInt64, id: UInt64)?, _ facts: Facts,
        _ model: Model? = nil, _ body: ((trace: UInt64, id: UInt64)) -> Void = { _ in }
    ) {
        let trace = parent?.trace ?? UInt64.random(in: 1...UInt64.max)
        var record = Record(
            trace: trace, id: UInt64.random(in: 1...UInt64.max), parent: parent?.id, name: name, type: type, kind: kind,
            start: now(),
            attributes: [
                "agent.request": .text(facts.request), "agent.component": .text(facts.component),
                "agent.region": .text(facts.region), "agent.attempt": .int(facts.attempt),
                "agent.score": .double(facts.score), "agent.cached": .bool(facts.cached),
            ])
        if let model {
            record.input = model.input
            record.output = model.output
            record.events = [
                Event(
                    name: "first_token", time: now(),
                    attributes: ["position": .int(model.position), "finish": .text(model.finish)]),
                Event(name: "usage", time: now(), attributes: ["tokens": .int(model.tokens), "unit": .text(model.unit)]),
            ]
        }
        body((trace, record.id))
        record.end = now()
        if let line = try? encoder.encode(record) { lines.append(line) }
        if lines.count > 1 << 20 { lines.removeAll(keepingCapacity: true) }
        ended += 1
    }

    func trace(_ turn: Turn) {
        guard isSampled else { return }
        span("agent run", "agent", "internal", nil, turn.agent) { agent in
            span("plan", "model_generation", "client", agent, turn.plan, turn.planModel) { plan in
                span("lookup", "tool", "internal", plan, turn.lookup) { lookup in
                    span("query", "rag_query", "client", lookup, turn.query)
                }
            }
            span("answer", "model_generation", "client", agent, turn.answer, turn.answerModel)
            span("recall", "memory_lookup", "internal", agent, turn.recall)
            span("notify", "tool", "internal", agent, turn.notify)
            span("calendar", "mcp_tool", "client", agent, turn.calendar)
        }
    }

    func flush() {}
    func stop() -> Account { Account(ended: ended, exported: ended, left_out: 0, dropped: 0) }
}
