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

/// A dictionary has no order and says no name twice.
private func ofOneEntry() -> [Json] {
    vectors("baggage.json")["inject"]!.list.filter { $0["entries"]!.list.count == 1 }
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

        @Test(arguments: ofOneEntry())
        func baggageIsWritten(_ entry: Json) throws {
            // A text cannot say which part of it is a property that cannot be written.
            if (entry["refused"]?.int ?? 0) > 0, entry["entries"]!.list.contains(where: { $0.list.count > 2 && !text($0[2]).isEmpty }) { return }
            try withEngine { _, _ in
                withTraceContext(ContextOptions(baggage: joined(entry["entries"]!))) {
                    let written = entry["written"].flatMap { $0.isNull ? nil : text($0) }
                    #expect(Polyspan.headers()["baggage"] == written)
                }
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
                    found = Polyspan.extract(EnvironmentCarrier(Dictionary(pairs.map { ($0.name, $0.value) }) { _, last in last }))
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
