// Polyspan by its own interface.

import Foundation
import Polyspan

struct PolyspanSubject: Subject {
    let engine: Engine

    init(_ setup: Setup) throws {
        var options = Options(sampler: .text(setup.isSampled ? "parentbased_always_on" : "parentbased_always_off"))
        if setup.export == "otlp" { options.endpoint = setup.sink } else { options.exporters = [] }
        engine = try Polyspan.start(service: "bench", options)
    }

    private func set(_ span: Span, _ facts: Facts) {
        span.set("agent.request", facts.request)
        span.set("agent.component", facts.component)
        span.set("agent.region", facts.region)
        span.set("agent.attempt", facts.attempt)
        span.set("agent.score", facts.score)
        span.set("agent.cached", facts.cached)
    }

    private func set(_ span: Span, _ model: Model) {
        span.event("first_token", ["position": .int(Int64(model.position)), "finish": .text(model.finish)])
        span.event("usage", ["tokens": .int(Int64(model.tokens)), "unit": .text(model.unit)])
        span.update(output: model.output)
    }

    func trace(_ turn: Turn) {
        withSpan("agent run", type: .agent) { agent in
            set(agent, turn.agent)
            withSpan("plan", type: .modelGeneration, kind: .client, input: turn.planModel.input) { plan in
                set(plan, turn.plan)
                set(plan, turn.planModel)
                withSpan("lookup", type: .tool) { lookup in
                    set(lookup, turn.lookup)
                    withSpan("query", type: .ragQuery, kind: .client) { set($0, turn.query) }
                }
            }
            withSpan("answer", type: .modelGeneration, kind: .client, input: turn.answerModel.input) { answer in
                set(answer, turn.answer)
                set(answer, turn.answerModel)
            }
            withSpan("recall", type: .memoryLookup) { set($0, turn.recall) }
            withSpan("notify", type: .tool) { set($0, turn.notify) }
            withSpan("calendar", type: .mcpTool, kind: .client) { set($0, turn.calendar) }
        }
    }

    func flush() throws { try engine.flush(timeout: 30) }

    func stop() throws -> Account {
        try engine.shutdown(timeout: 30)
        let stats = engine.stats()
        return Account(
            ended: stats.ended, exported: stats.exporters.isEmpty ? stats.accepted : stats.exported,
            left_out: stats.unsampled, dropped: stats.dropped.values.reduce(0, +))
    }
}
