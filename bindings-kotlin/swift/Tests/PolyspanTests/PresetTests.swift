// Presets of OTLP receivers: what a product's own variables make of the requests that are sent, by the vectors.

import Foundation
import Testing

@testable import Polyspan

extension EngineTests {
    @Suite struct PresetTests {
        @Test(arguments: vectors("presets.json")["cases"]!.list)
        func requestsAreThoseOfThePreset(_ entry: Json) throws {
            Polyspan.setLogger { _ in }
            try withEnvironment(entry["env"]) {
                if entry["says"] == nil { try sent(entry) } else { refused(entry) }
            }
        }

        private func exporter(_ given: Json) -> ExporterOption {
            given.string.map { .named($0) } ?? .described(given.plain.map!)
        }

        private func refused(_ entry: Json) {
            #expect {
                try Polyspan.start(service: "x", Options(name: "refused", exporters: [exporter(entry["exporter"]!)]))
            } throws: { error in
                guard let error = error as? PolyspanError else { return false }
                return error.code == "invalid_option"
                    && entry["says"]!.list.allSatisfy { error.message.contains($0.string!) }
            }
        }

        private func sent(_ entry: Json) throws {
            let receiver = try Receiver()
            defer { receiver.stop() }
            var described: Attributes = ["type": "otlp"]
            if let preset = entry["exporter"]!.string { described["preset"] = .text(preset) }
            for given in entry["exporter"]!.plain.map?.entries ?? [] { described[given.key] = given.value }
            described["endpoint"] = .text(receiver.endpoint)
            let engine = try Polyspan.start(
                service: "x", Options(name: "preset", exporters: [.described(described)]))
            defer { try? engine.shutdown(timeout: 30) }
            try Polyspan.setDefault("preset")
            engine.startSpan("sent").end()
            #expect(Polyspan.log(.info, "sent too") == (entry["logs"] != nil))
            try engine.flush(timeout: 30)
            #expect(engine.stats().exported == 1)
            let requests = receiver.requests
            let paths = entry["logs"] == nil ? ["/v1/traces"] : ["/v1/logs", "/v1/traces"]
            #expect(requests.map(\.path).sorted() == paths)
            for request in requests {
                for (name, value) in entry["headers"]?.fields ?? [] {
                    #expect(request.headers[name.lowercased()] == value.string, "\(name)")
                }
                #expect(request.headers["x-secret"] == nil)
            }
        }
    }
}
