// `tests/vectors/inheritance.json`: what spans inherit, which are left out, and what travels.

import Foundation
import Testing

@testable import Polyspan

private let ids = [
    "session_id": "session.id", "user_id": "user.id", "organization_id": "polyspan.organization.id",
    "thread_id": "gen_ai.conversation.id", "run_id": "polyspan.run.id", "request_id": "polyspan.request.id",
    "resource_id": "polyspan.resource.id", "environment": "deployment.environment.name",
    "entity_type": "polyspan.entity.type", "entity_id": "polyspan.entity.id", "entity_name": "polyspan.entity.name",
]

private func texts(_ form: Json?) -> [String]? {
    guard let form, !form.isNull else { return nil }
    return form.string.map { [$0] } ?? form.list.compactMap(\.string)
}

/// Everything that holds inside, as an application gives it.
private func context(_ given: Json) -> ContextOptions {
    var options = ContextOptions()
    let ids: [String: WritableKeyPath<ContextOptions, String?>] = [
        "session_id": \.sessionId, "user_id": \.userId, "organization_id": \.organizationId, "thread_id": \.threadId,
        "run_id": \.runId, "request_id": \.requestId, "resource_id": \.resourceId, "environment": \.environment,
        "entity_type": \.entityType, "entity_id": \.entityId, "entity_name": \.entityName,
    ]
    for (name, path) in ids { options[keyPath: path] = given[name]?.string }
    options.hideInput = given["hide_input"]?.bool ?? false
    options.hideOutput = given["hide_output"]?.bool ?? false
    options.internalSpans = texts(given["internal_spans"])
    options.requestContext = given["request_context"].map(\.plain)
    options.requestContextKeys = texts(given["request_context_keys"])
    options.baggage = given["baggage"].map { Baggage($0.fields.map { .init($0.0, $0.1.string!) }) }
    return options
}

extension EngineTests {
    @Suite struct InheritanceTests {
        @Test(arguments: vectors("inheritance.json")["cases"]!.list)
        func everythingIsInheritedAsInEveryLanguage(_ entry: Json) throws {
            try withEngine(entry["options"]!.plain.map!) { engine, memory in
                run(engine, entry["steps"]!.list)
                let spans = try engine.flushed(memory)
                let stats = engine.stats()
                #expect(stats.addsUp)
                #expect(stats.panics == 0)
                #expect(stats.internal == entry["left_out"]?["internal"]?.int ?? 0)
                #expect(stats.excluded == entry["left_out"]?["excluded"]?.int ?? 0)
                #expect(Set(spans.map(\.traceId)).count == entry["traces"]?.int ?? 1)
                let names = Dictionary(spans.map { ($0.spanId, $0.name) }) { first, _ in first }
                #expect(Set(spans.map(\.name)) == Set(entry["spans"]!.fields.map(\.0)))
                for span in spans {
                    guard let expected = entry["spans"]![span.name] else { continue }
                    let parent = span.parentSpanId.map { names[$0] ?? $0 }
                    #expect(parent == expected["parent"]?.string, "\(span.name)")
                    var attributes = span.attributes.dictionary
                    for (name, key) in ids {
                        #expect(attributes[key]?.text == expected["ids"]?[name]?.string, "\(span.name) \(name)")
                        attributes[key] = nil
                    }
                    #expect(attributes == expected["attributes"]?.plain.map?.dictionary ?? [:], "\(span.name)")
                    #expect(span.metadata.dictionary == expected["metadata"]?.plain.map?.dictionary ?? [:], "\(span.name)")
                    #expect(span.tags == texts(expected["tags"]) ?? [], "\(span.name)")
                }
            }
        }

        private func run(_ engine: Engine, _ steps: [Json]) {
            for step in steps {
                let inside = step["inside"]?.list ?? []
                if let given = step["context"] {
                    var options = context(given)
                    options.tags = texts(given["tags"])
                    options.metadata = given["metadata"]?.plain.map
                    options.attributes = given["attributes"]?.plain.map
                    withTraceContext(options) { run(engine, inside) }
                } else if let carried = step["extract"] {
                    let headers = Dictionary(uniqueKeysWithValues: carried.fields.map { ($0.0, $0.1.string!) })
                    withTraceContext(parent: Polyspan.extract(headers)) { run(engine, inside) }
                } else if let injected = step["inject"] {
                    var headers = Polyspan.headers()
                    #expect((headers.removeValue(forKey: "traceparent") != nil) == step["traceparent"]!.bool)
                    #expect(headers == Dictionary(uniqueKeysWithValues: injected.fields.map { ($0.0, $0.1.string!) }))
                } else {
                    let given = step["with"] ?? .object([])
                    let options = SpanOptions(
                        metadata: given["metadata"]?.plain.map, tags: texts(given["tags"]),
                        root: given["root"]?.bool ?? false, isInternal: given["internal"]?.bool ?? false,
                        context: context(given))
                    engine.withSpan(
                        step["span"]!.string!, type: given["type"]?.string.flatMap { SpanType($0) } ?? .generic,
                        attributes: given["attributes"]?.plain.map, input: given["input"].map(\.plain), options: options
                    ) { span in
                        if let output = given["output"] { span.update(output: output.plain) }
                        run(engine, inside)
                    }
                }
            }
        }
    }
}
