// `inject`, `extract` and ids, by the vectors.

import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

@testable import Polyspan

private func headers(_ pairs: Json) -> HeaderList {
    HeaderList(pairs.list.map { (name: text($0[0]), value: text($0[1])) })
}

/// Bytes that are no UTF-8 cannot stand in a text of Swift.
private func isText(_ pairs: Json) -> Bool {
    pairs.list.allSatisfy { pair in
        pair.list.allSatisfy { form in
            form["hex"]?.string.map { String(data: bytes(ofHex: $0), encoding: .utf8) != nil } ?? true
        }
    }
}

/// What an application cannot do to a list.
private func withoutSteps() -> [Json] {
    vectors("tracestate.json")["cases"]!.list.filter { ($0["steps"]?.list ?? []).isEmpty }
}

/// A carrier of the application's own.
private final class Functions: Carrier {
    let held = Locked<[String: String]>([:])

    func values(of name: String) -> [String] { held.with { $0[name] }.map { [$0] } ?? [] }
    func set(_ name: String, to value: String) { held.with { $0[name] = value } }
}

extension EngineTests {
    @Suite struct PropagationTests {
        @Test(arguments: vectors("ids.json")["cases"]!.list)
        func idsAreReadAsInEveryLanguage(_ entry: Json) throws {
            let given = text(entry["text"]!)
            let isFine = entry["error"]?.isNull ?? true
            if entry["kind"]!.string == "span" {
                let found = SpanContext(traceId: "1", spanId: given)
                #expect((found != nil) == isFine)
                if isFine { #expect(found?.spanId == entry["id"]!.string) }
                return
            }
            try withEngine { engine, _ in
                let span = engine.startSpan("x", options: SpanOptions(traceId: given))
                #expect(span.traceId.count == 32)
                #expect(span.context.isValid)
                if isFine { #expect(span.traceId == entry["id"]!.string) }
                span.end()
            }
        }

        @Test func aStateThatNoHeaderHasIsNotKept() throws {
            func state(_ bytes: Int) -> String? {
                SpanContext(traceId: "1", spanId: "1", traceState: "a=" + String(repeating: "x", count: bytes - 2))?.traceState
            }
            #expect(state(8192)?.utf8.count == 8192)
            #expect(state(8193) == "")
        }

        @Test(arguments: vectors("traceparent.json")["cases"]!.list)
        func traceparentIsReadAndWritten(_ entry: Json) throws {
            guard isText(entry["headers"]!) else { return }
            try withEngine { _, _ in
                let found = Polyspan.extract(headers(entry["headers"]!))
                guard let span = entry["span"], !span.isNull else {
                    #expect(found.spanContext == nil)
                    return
                }
                #expect(found.spanContext?.traceId == span["trace_id"]!.string)
                #expect(found.spanContext?.spanId == span["span_id"]!.string)
                #expect(found.spanContext.map { Int($0.traceFlags) } == span["flags"]!.int)
                let written = entry["written"].flatMap { $0.isNull ? nil : text($0) }
                #expect(Polyspan.headers(context: found)["traceparent"] == written)
            }
        }

        @Test(arguments: withoutSteps())
        func tracestateIsReadAndWritten(_ entry: Json) throws {
            guard isText(entry["headers"]!) else { return }
            try withEngine { _, _ in
                let found = Polyspan.extract(headers(entry["headers"]!))
                #expect((found.spanContext != nil) == entry["found"]!.bool)
                guard let context = found.spanContext else { return }
                let members = context.traceState.split(separator: ",").map(String.init)
                #expect(members == entry["members"]!.list.map { "\(text($0[0]))=\(text($0[1]))" })
                let written = entry["written"].flatMap { $0.isNull ? nil : text($0) }
                #expect(Polyspan.headers(context: found)["tracestate"] == written)
            }
        }

        private func joined(_ entries: Json) -> [String: String] {
            Dictionary(
                entries.list.map { entry in
                    let properties = entry.list.count > 2 ? text(entry[2]) : ""
                    return (text(entry[0]), properties.isEmpty ? text(entry[1]) : "\(text(entry[1]));\(properties)")
                }
            ) { _, last in last }
        }

        @Test(arguments: vectors("baggage.json")["extract"]!.list)
        func baggageIsRead(_ entry: Json) throws {
            guard isText(entry["headers"]!) else { return }
            try withEngine { _, _ in
                let found = Polyspan.extract(headers(entry["headers"]!))
                #expect(found.baggage == joined(entry["entries"]!))
                let written = entry["written"].flatMap { $0.isNull ? nil : text($0) }
                #expect(Polyspan.headers(context: found)["baggage"] == written)
            }
        }

        @Test(arguments: vectors("baggage.json")["inject"]!.list)
        func baggageIsWritten(_ entry: Json) throws {
            let given = entry["entries"]!.list.map { Baggage.Entry(text($0[0]), text($0[1]), properties: text($0[2])) }
            let written = entry["written"].flatMap { $0.isNull ? nil : text($0) }
            try withEngine { _, _ in
                withTraceContext(ContextOptions(baggage: Baggage(given))) {
                    #expect(Polyspan.headers()["baggage"] == written)
                }
            }
        }

        @Test func baggageOfADictionaryGoesByName() throws {
            try withEngine { _, _ in
                let found = withTraceContext(ContextOptions(baggage: Baggage(["b": "2;p=1", "a": "1"]))) {
                    withTraceContext(ContextOptions(baggage: ["c": "3"])) { Polyspan.headers()["baggage"] }
                }
                #expect(found == "a=1,b=2;p=1,c=3")
                #expect(Polyspan.baggage.isEmpty)
            }
        }

        @Test(arguments: vectors("carriers.json")["extract"]!.list)
        func carriersAreRead(_ entry: Json) throws {
            guard isText(entry["entries"]!) else { return }
            try withEngine { _, _ in
                let pairs = headers(entry["entries"]!).pairs
                let found: TraceContext
                switch entry["kind"]!.string {
                case "map", "functions":
                    found = Polyspan.extract(Dictionary(pairs.map { ($0.name, $0.value) }) { _, last in last })
                case "environment":
                    found = Polyspan.extract(
                        EnvironmentCarrier(Dictionary(pairs.map { ($0.name, $0.value) }) { _, last in last }))
                case "multi_map":
                    found = Polyspan.extract(
                        MultiHeaders(
                            Dictionary(entry["entries"]!.list.map { (text($0[0]), $0[1].list.map(text)) }) { _, last in last }))
                default: found = Polyspan.extract(HeaderList(pairs))
                }
                if entry["span"]?.isNull ?? true {
                    #expect(found.spanContext == nil)
                } else {
                    let span = entry["span"]!
                    #expect(found.spanContext?.traceId == span["trace_id"]!.string)
                    #expect(found.spanContext?.spanId == span["span_id"]!.string)
                    #expect(found.spanContext?.traceState == span["tracestate"]?.string ?? "")
                }
                #expect(found.baggage == joined(entry["baggage"]!))
            }
        }

        @Test(arguments: vectors("carriers.json")["inject"]!.list)
        func carriersAreWritten(_ entry: Json) throws {
            var incoming: [String: String] = [:]
            if let span = entry["span"], !span.isNull {
                let flags = hex([UInt8(span["flags"]!.int!)])
                incoming["traceparent"] = "00-\(span["trace_id"]!.string!)-\(span["span_id"]!.string!)-\(flags)"
                incoming["tracestate"] = span["tracestate"]?.string
            }
            let carried = Baggage(entry["baggage"]!.list.map { .init(text($0[0]), text($0[1])) })
            let (before, after) = (entry["before"]!, entry["after"]!)
            func texts(_ pairs: Json) -> [String: String] {
                Dictionary(uniqueKeysWithValues: pairs.list.map { (text($0[0]), text($0[1])) })
            }
            func lists(_ pairs: Json) -> [String: [String]] {
                Dictionary(uniqueKeysWithValues: pairs.list.map { (text($0[0]), $0[1].list.map(text)) })
            }
            func written<C: Carrier>(_ carrier: C) -> C {
                withTraceContext(ContextOptions(baggage: carried), parent: Polyspan.extract(incoming)) {
                    var carrier = carrier
                    Polyspan.inject(&carrier)
                    return carrier
                }
            }
            try withEngine { _, _ in
                switch entry["kind"]!.string {
                case "map": #expect(written(texts(before)) == texts(after))
                case "multi_map": #expect(written(MultiHeaders(lists(before))).values == lists(after))
                case "pairs":
                    let found = written(headers(before)).pairs
                    #expect(found.map { [$0.name, $0.value] } == after.list.map { [text($0[0]), text($0[1])] })
                case "environment": #expect(written(EnvironmentCarrier(texts(before))).variables == texts(after))
                case "functions": #expect(written(Functions()).held.with { $0 } == texts(after))
                case let kind: Issue.record("no carrier \(kind ?? "")")
                }
            }
        }

        @Test(arguments: vectors("carriers.json")["variables"]!.list)
        func variablesStandForFields(_ entry: Json) {
            #expect(EnvironmentCarrier.variable(entry["field"]!.string!) == entry["variable"]!.string)
        }

        @Test func requestsCarryTheSpan() throws {
            try withEngine { engine, _ in
                var request = URLRequest(url: URL(string: "http://localhost/")!)
                let span = engine.startSpan("x")
                Polyspan.inject(&request, context: span)
                #expect(request.value(forHTTPHeaderField: "traceparent") == "00-\(span.traceId)-\(span.spanId)-03")
                #expect(Polyspan.extract(request).spanContext?.spanId == span.spanId)
                span.end()
            }
        }
    }
}
