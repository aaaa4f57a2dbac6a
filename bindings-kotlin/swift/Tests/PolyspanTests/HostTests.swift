// The host stage: processors, the span filter and exporters in Swift, and the order of the stages by the vectors that every
// language replays.

import Foundation
import Testing

@testable import Polyspan

private struct Failure: Error {}

private func processor(_ name: String) -> SpanProcessor {
    SpanProcessor(name) { span in
        func append(_ word: String) {
            span.attributes["order"] = .text([span.attributes["order"]?.text, word].compactMap { $0 }.joined(separator: " "))
        }
        switch name {
        case "fails":
            span.attributes["half"] = true
            throw Failure()
        case "becomes_tool": span.type = "tool"
        case "first", "second": append(name)
        case "drops_health": return span.name != "GET /healthz"
        case "copies_password": span.attributes["length"] = .int(Int64(span.attributes["password"]?.text?.count ?? 0))
        case "counts_input": span.attributes["length"] = .int(Int64(span.input?.text?.count ?? 0))
        case "adds_password": span.attributes["password"] = "hunter2"
        case "adds_text": span.output = "abcdefghijklmnopqrstuvwxyz"
        default: Issue.record("no processor \(name)")
        }
        return true
    }
}

private func filter(_ name: String) -> @Sendable (FinishedSpan) throws -> Bool {
    { span in
        switch name {
        case "fails": throw Failure()
        case "keeps_redacted": span.attributes["password"] == "[REDACTED]"
        case "keeps_short": (span.output?.text?.count ?? 9) < 20
        default: span.name != "noise"
        }
    }
}

/// Keeps what it is given.
private final class Keeping: SpanExporter {
    let kept = Locked<[String]>([])
    let told = Locked<[String]>([])
    let events: [String]
    let fails: Bool
    var name: String { "keeping" }

    init(events: [String] = [], fails: Bool = false) {
        self.events = events
        self.fails = fails
    }

    var formatters: [@Sendable (FinishedSpan) throws -> Void] {
        [{ span in span.name = "\(span.name) formatted" }]
    }

    func export(_ spans: [FinishedSpan]) throws -> Int {
        // What it records itself goes nowhere.
        withSpan("inner") { #expect(!$0.isRecording) }
        if fails { throw Failure() }
        kept.with { $0 += spans.map(\.name) }
        return spans.filter { $0.name.hasPrefix("refused") }.count
    }

    func event(_ event: TelemetryEvent) throws { told.with { $0.append("\(event.kind) \(event.span?.name ?? "")") } }
    func flush() throws { told.with { $0.append("flush") } }
    func shutdown() throws { told.with { $0.append("shutdown") } }
}

extension EngineTests {
    @Suite struct HostTests {
        @Test(arguments: vectors("pipeline.json")["cases"]!.list)
        func stagesStandInTheirOrder(_ entry: Json) throws {
            var options = Options()
            options.processors = (entry["processors"]?.list ?? []).map { processor($0.string!) }
            options.spanFilter = entry["filter"].map { filter($0.string!) }
            try withEngine(entry["options"]?.plain.map ?? [:], options: options) { engine, memory in
                var opened: [Span] = []
                for given in entry["spans"]!.list {
                    let parent = given["parent"]?.int.map { opened[$0] }
                    let span = engine.startSpan(
                        given["name"]!.string!, type: given["type"]?.string.flatMap { SpanType($0) } ?? .generic,
                        attributes: given["attributes"]?.plain.map, input: given["input"].map(\.plain), parent: parent,
                        options: SpanOptions(
                            metadata: given["metadata"]?.plain.map, root: parent == nil,
                            isInternal: given["internal"]?.bool ?? false,
                            context: ContextOptions(
                                hideInput: given["hide_input"]?.bool ?? false,
                                hideOutput: given["hide_output"]?.bool ?? false)))
                    if let output = given["output"] { span.update(output: output.plain) }
                    opened.append(span)
                }
                for span in opened.reversed() { span.end() }
                try engine.shutdown(timeout: 30)
                let stats = engine.stats()
                #expect(stats.addsUp)
                let spans = memory.spans.sorted { $0.name < $1.name }
                let names = Dictionary(spans.map { ($0.spanId, $0.name) }) { first, _ in first }
                let expected = entry["exported"]!.list
                try #require(spans.map(\.name) == expected.map { $0["name"]!.string! })
                for (span, wanted) in zip(spans, expected) {
                    #expect(span.attributes.dictionary == wanted["attributes"]?.plain.map?.dictionary ?? [:])
                    #expect(span.metadata.dictionary == wanted["metadata"]?.plain.map?.dictionary ?? [:])
                    #expect(span.input == wanted["input"]?.plain)
                    #expect(span.output == wanted["output"]?.plain)
                    #expect(span.parentSpanId.flatMap { names[$0] } == wanted["parent"]?.string)
                    if let type = wanted["type"]?.string { #expect(span.type == type) }
                }
                if let calls = entry["calls"] {
                    let points = memory.metrics.filter { $0["name"] == "traces.span.metrics.calls" }
                    let counted = points.map { point -> (String, Double) in
                        let attributes = point["attributes"]?.map ?? [:]
                        let name = attributes["span.name"]?.text ?? ""
                        return ("\(name) \(attributes["polyspan.span.type"]?.text ?? "")", point["value"]?.double ?? 0)
                    }
                    let wanted = calls.fields.map { ($0.0, Double($0.1.int!)) }
                    #expect(Dictionary(uniqueKeysWithValues: counted) == Dictionary(uniqueKeysWithValues: wanted))
                }
                for (name, count) in entry["counts"]?.fields ?? [] {
                    #expect(stats.all[camel(name)]?.int == Int64(count.int!), "\(name)")
                }
            }
        }

        @Test func exportersOfTheApplicationGetBatches() throws {
            let keeping = Keeping()
            try withEngine(options: Options(exporters: [.custom(keeping)])) { engine, memory in
                for number in 0..<10 { engine.withSpan(number == 3 ? "refused" : "span \(number)") { _ in } }
                try engine.flush()
                #expect(keeping.kept.with { $0.count } == 10)
                #expect(keeping.kept.with { $0.contains("span 7 formatted") })
                #expect(memory.spans.allSatisfy { !$0.name.hasSuffix("formatted") })
                let stats = engine.stats()
                #expect(stats.exporters["keeping"]?.exported == 9)
                #expect(stats.exporters["keeping"]?.dropped.values.reduce(0, +) == 1)
                #expect(stats.addsUp)
                try engine.shutdown()
                #expect(keeping.told.with { $0.last } == "shutdown")
            }
        }

        @Test func exportersFollowOpenSpans() throws {
            let keeping = Keeping(events: ["span_started", "span_updated", "span_ended", "trace_ended"])
            try withEngine(options: Options(exporters: [.custom(keeping)])) { engine, _ in
                engine.withSpan("work", input: "in") { $0.update(output: "out") }
                try engine.flush()
                let told = keeping.told.with { $0 }
                #expect(told.contains("span_started work formatted"))
                #expect(told.contains("span_updated work formatted"))
                #expect(told.contains("span_ended work formatted"))
                #expect(engine.stats().addsUp)
            }
        }

        @Test func theSameObjectsAreTheSameOptions() throws {
            Polyspan.setLogger { _ in }
            let (keeping, memory) = (Keeping(), MemoryExporter())
            var options = Options(
                name: "same", exporters: [.custom(keeping), .memory(memory)],
                processors: [SpanProcessor("nothing") { _ in true }])
            let engine = try Polyspan.start(service: "tests", options)
            defer { try? engine.shutdown(timeout: 30) }
            for _ in 0..<3 {
                let again = try Polyspan.start(service: "tests", options)
                #expect(again.recorder === engine.recorder)
                again.withSpan("work") { _ in }
                try again.flush(timeout: 30)
            }
            #expect(keeping.kept.with { $0 } == ["work formatted", "work formatted", "work formatted"])
            func refuses(_ options: Options) {
                #expect { try Polyspan.start(service: "tests", options) } throws: { error in
                    (error as? PolyspanError)?.code == "already_initialized"
                }
            }
            let given = options
            options.exporters = [.custom(Keeping()), .memory(memory)]
            refuses(options)
            options = given
            options.processors = [SpanProcessor("nothing") { _ in true }]
            refuses(options)
            options = given
            options.spanFilter = { _ in true }
            refuses(options)
            try #expect(Polyspan.start(service: "tests", given).recorder === engine.recorder)
        }

        @Test func exportersThatFailLoseTheirSpansAlone() throws {
            let keeping = Keeping(fails: true)
            try withEngine(options: Options(exporters: [.custom(keeping)])) { engine, memory in
                engine.withSpan("work") { _ in }
                try? engine.flush()
                #expect(memory.spans.count == 1)
                #expect(engine.stats().exporters["keeping"]?.dropped == ["host_failed": 1])
                #expect(engine.stats().addsUp)
            }
        }
    }
}
