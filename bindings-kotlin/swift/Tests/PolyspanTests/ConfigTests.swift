// `config_env.json`: what options and the environment make of an engine, as far as a program can see it: errors and
// warnings, what is sent where and how, what is recorded, kept and carried along.

import Foundation
import Testing

@testable import Polyspan

/// Those of a tracer provider are for languages with an OpenTelemetry API; what products' variables set stands in
/// `presets.json`, and would be sent to them.
private func thatCanBeSeen() -> [Json] {
    vectors("config_env.json")["cases"]!.list.filter { entry in
        let products = entry["env"]!.fields.contains { $0.0.hasSuffix("_KEY") || $0.0.hasSuffix("_TOKEN") }
        return entry["options"]!["provider"] == nil && (!products || entry["error"] != nil)
    }
}

/// Signals as `expect` and the counts name them.
private let signals = ["", "log_", "metric_"]

extension EngineTests {
    @Suite struct ConfigTests {
        /// Each of these is said once in the life of a process.
        private static let said = Locked<Set<String>>([])

        @Test(arguments: thatCanBeSeen())
        func theEnvironmentAndOptionsComeOut(_ vector: Json) throws {
            let receiver = try Receiver()
            defer { receiver.stop() }
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            defer { try? FileManager.default.removeItem(at: folder) }
            let entry = vector.moved(to: receiver.endpoint, folder.path)
            let lines = Locked<[String]>([])
            Polyspan.setLogger { line in lines.with { $0.append(line) } }
            defer { Polyspan.setLogger { _ in } }
            try withEnvironment(entry["env"]) {
                if let option = entry["error"]?.string {
                    refuses(entry["options"]!.plain.map!, option)
                } else {
                    try comesOut(entry, receiver)
                }
            }
            warned(entry, lines.with { $0 })
        }

        private func warned(_ entry: Json, _ lines: [String]) {
            #expect(!lines.contains { $0.contains("s3cret") })
            let warnings = entry["warnings"]!.list
            for warning in warnings {
                let (variable, fallback) = (warning["variable"]!.string!, warning["fallback"]!.string!)
                let isSaid = lines.contains { $0.contains("\(variable): ") && $0.hasSuffix("; \(fallback)") }
                let isNew = Self.said.with { $0.insert("\(variable) \(warning["value"]!)").inserted }
                if isNew { #expect(isSaid, "\(variable); \(fallback) in \(lines)") }
            }
            // And nothing else of variables.
            let ofVariables = lines.filter { $0.range(of: "^polyspan: OTEL_[A-Z_]+: ", options: .regularExpression) != nil }
            #expect(ofVariables.count <= warnings.count, "\(ofVariables)")
        }

        // --- What comes out -----------------------------------------------------------------------------------------

        private func comesOut(_ entry: Json, _ receiver: Receiver) throws {
            let expected = entry["expect"]!
            if let limits = expected["limits"] { try keeps(limits, entry) }
            if let level = expected["log_level"]?.string { try keepsLogs(from: level, entry) }
            let engine = try started(entry)
            // Those at the usual place have no receiver.
            defer { try? engine.shutdown(timeout: 0) }
            shows(engine, entry)
            if let sampler = expected["sampler"]?.string { samples(engine, sampler) }
            try sends(engine, expected, receiver)
            #expect(engine.stats().addsUp)
        }

        /// The engine of a case. What is not asked about goes nowhere.
        private func started(_ entry: Json) throws -> Engine {
            let expected = entry["expect"]!
            func asks(_ names: String...) -> Bool { names.contains { expected[$0] != nil } }
            let logs = asks("log_exporters", "log_endpoints")
            let spans = logs || asks("exporters", "console_fallback", "metric_exporters", "metric_endpoints")
            var given: Attributes = ["replace": true]
            if !spans { given["exporters"] = [] }
            if !logs { given["logs_exporter"] = "none" }
            for option in entry["options"]!.plain.map! { given[option.key] = option.value }
            return try Polyspan.start(Options(more: given))
        }

        private func withMemory(_ entry: Json, _ body: (Engine, MemoryExporter) throws -> Void) throws {
            let memory = MemoryExporter()
            let engine = try Polyspan.start(
                Options(replace: true, exporters: [.memory(memory)], more: entry["options"]!.plain.map!))
            defer { try? engine.shutdown(timeout: 30) }
            try body(engine, memory)
        }

        /// What an engine shows of itself.
        private func shows(_ engine: Engine, _ entry: Json) {
            let expected = entry["expect"]!
            if let name = expected["name"]?.string { #expect(engine.name == name) }
            let unnamed = engine.resource["service.name"]?.text ?? ""
            if expected["service"] != nil { #expect(unnamed.hasPrefix("unknown_service:") && unnamed.count > 16) }
            if var wanted = expected["resource"]?.plain.map {
                wanted["telemetry.sdk.language"] = "swift"
                if wanted["service.name"] == "unknown_service:vectors", unnamed.hasPrefix("unknown_service:") {
                    wanted["service.name"] = .text(unnamed)
                }
                var found = engine.resource.dictionary
                #expect(found.removeValue(forKey: "telemetry.sdk.version") == .text(Polyspan.version))
                #expect(found == wanted.dictionary)
            }
            if let isDisabled = expected["disabled"]?.bool { #expect(engine.startSpan("s").isRecording == !isDisabled) }
            let terms = engine.recorder.terms
            if let capture = expected["capture"] {
                #expect(terms.bounds.valueBytes == capture["value_bytes"]!.int)
                #expect(terms.spanBytes == capture["span_bytes"]!.int)
            }
            if let memory = expected["memory"] { #expect(Int(terms.openSpans) == memory["open_spans"]!.int) }
            if let exit = expected["exit_timeout_ms"]?.int { #expect(Int(terms.exitTimeout * 1000) == exit) }
            if let propagators = expected["propagators"] {
                let headers = withTraceContext(ContextOptions(baggage: ["tenant": "acme"])) {
                    engine.withSpan("caller") { _ in Polyspan.headers() }
                }
                let names = ["traceparent": "tracecontext", "baggage": "baggage"]
                #expect(Set(headers.keys.compactMap { names[$0] }) == Set(propagators.list.compactMap(\.string)))
            }
        }

        /// What a sampler that is described so says of a root at the edge, of one below it, and of children.
        private func samples(_ engine: Engine, _ description: String) {
            func inner(_ text: String, _ before: String, _ end: Character) -> String? {
                text.hasPrefix(before) ? String(text.dropFirst(before.count).prefix { $0 != end }) : nil
            }
            let root = inner(description, "ParentBased{root=", ",") ?? description
            let ratio = inner(root, "ProbabilitySampler{", "}").flatMap(Double.init)
            let isOff = root == "AlwaysOffSampler" || ratio == 0
            let threshold = ratio.map { UInt64(((1 - $0) * 0x1p56).rounded()) } ?? 0
            func digits(_ randomness: UInt64) -> String {
                let digits = String(randomness, radix: 16)
                return String(repeating: "0", count: max(0, 14 - digits.count)) + digits
            }
            func start(_ randomness: UInt64) -> SpanContext {
                let id = String(repeating: "1", count: 18) + digits(randomness)
                return engine.startSpan("root", options: SpanOptions(traceId: id)).context
            }
            let last: UInt64 = 1 << 56 - 1
            #expect(start(isOff ? last : threshold).isSampled == !isOff)
            if !isOff, threshold > 0 { #expect(!start(threshold - 1).isSampled) }
            let zeros = CharacterSet(charactersIn: "0")
            var shortest = digits(threshold)
            while shortest.count > 1, shortest.unicodeScalars.last.map(zeros.contains) == true { shortest.removeLast() }
            #expect(start(last).traceState == (ratio == nil || isOff ? "" : "ot=th:\(shortest)"))
            for flags: UInt8 in [0, 1] {
                let parent = SpanContext(
                    traceId: String(repeating: "1", count: 18) + digits(last), spanId: "2222222222222222", traceFlags: flags)
                let child = engine.startSpan("child", parent: parent).context
                #expect(child.isSampled == (description == root ? !isOff : flags == 1))
            }
        }

        /// How much of a span is kept, where each part of it is one longer than it may be.
        private func keeps(_ limits: Json, _ entry: Json) throws {
            func limit(_ name: String) -> Int { limits[name]!.int! }
            let length = limits["attribute_value_length"]?.int
            func many(_ count: Int) -> Attributes {
                let text = Value.text(String(repeating: "x", count: (length ?? 99) + 1))
                return Attributes((0...count).map { Attributes.Entry(key: "k\($0)", value: text) })
            }
            try withMemory(entry) { engine, memory in
                let linked = SpanContext(traceId: String(repeating: "1", count: 32), spanId: "2222222222222222")!
                let span = engine.startSpan("long", attributes: many(limit("attributes")))
                for at in 0...limit("events") { span.event("e", at == 0 ? many(limit("event_attributes")) : [:]) }
                for at in 0...limit("links") { span.link(linked, at == 0 ? many(limit("link_attributes")) : [:]) }
                span.end()
                let found = try #require(engine.flushed(memory).first)
                #expect(found.attributes.count == limit("attributes"))
                #expect(found.events.count == limit("events"))
                #expect(found.links.count == limit("links"))
                #expect(found.events.first?["attributes"]?.map?.count == limit("event_attributes"))
                #expect(found.links.first?["attributes"]?.map?.count == limit("link_attributes"))
                for one in found.attributes { #expect(one.value.text?.count == length ?? 100) }
            }
        }

        private func keepsLogs(from level: String, _ entry: Json) throws {
            let least = LogLevel(rawValue: level)?.severity ?? .max
            try withMemory(entry) { _, _ in
                for level in [LogLevel.trace, .debug, .info, .warn, .error, .fatal] {
                    #expect(Polyspan.log(level, "said") == (level.severity >= least), "\(level)")
                }
            }
        }

        // --- What is sent -------------------------------------------------------------------------------------------

        /// The exporters by their types, and what those that send were given.
        private func sends(_ engine: Engine, _ expected: Json, _ receiver: Receiver) throws {
            let stats = engine.stats().all
            for (signal, counts) in zip(signals, [.map(stats), stats["logs"], stats["metrics"]]) {
                guard let wanted = expected["\(signal)exporters"]?.list else { continue }
                // The second of a type has a number.
                let types = (counts?["exporters"]?.map ?? [:]).map { $0.key.prefix { $0 != "#" } }
                #expect(types.map { String($0) }.sorted() == wanted.map { $0["type"]!.string! }.sorted())
            }
            let otlp = signals.flatMap { signal -> [Json] in
                let exporters = expected["\(signal)exporters"]?.list.filter { $0["type"]!.string == "otlp_http" } ?? []
                let endpoints = expected["\(signal)endpoints"]?.list ?? []
                return exporters + endpoints.map { .object([("endpoint", $0)]) }
            }
            // Nobody listens at the usual place, nobody has certificates, and a millisecond is none to wait for.
            let isSendable = otlp.allSatisfy { one in
                one["endpoint"]!.string!.hasPrefix(receiver.endpoint) && one["certificate"]?.isNull != false
                    && one["timeout_ms"]?.int ?? 10_000 >= 1000
            }
            guard !otlp.isEmpty, isSendable else { return }
            engine.withSpan("sent") { _ in _ = Polyspan.log(.error, "sent too") }
            try engine.flush(timeout: 30)
            for one in otlp { #expect(isReceived(one, receiver), "\(one) among \(receiver.requests)") }
        }

        private func isReceived(_ wanted: Json, _ receiver: Receiver) -> Bool {
            let path = wanted["endpoint"]!.string!.dropFirst(receiver.endpoint.count)
            return receiver.requests.contains { request in
                guard request.path == path else { return false }
                guard let compression = wanted["compression"]?.string else { return true }
                // Requests have others whatever the options say.
                let standard = "^(host|user-agent|content-.*|accept.*|connection|trace(parent|state)|transfer-encoding)$"
                let own = request.headers.filter { $0.key.range(of: standard, options: .regularExpression) == nil }
                let headers = wanted["headers"]!.fields.map { ($0.0.lowercased(), $0.1.string ?? "") }
                return own == Dictionary(headers) { $1 }
                    && request.headers["content-encoding"] ?? "none" == compression
            }
        }
    }
}

extension Json {
    /// The same with that receiver in the place of every other one, and with that folder.
    fileprivate func moved(to endpoint: String, _ folder: String) -> Json {
        switch self {
        case .text(let text):
            let receivers = "^http(s://|://(?!localhost))[a-z.]+(:[0-9]+)?(?=[/?]|$)"
            let moved = text.replacingOccurrences(of: receivers, with: endpoint, options: .regularExpression)
            return .text(moved.hasPrefix("/tmp/") ? "\(folder)/\(moved.dropFirst(5))" : moved)
        case .list(let items): return .list(items.map { $0.moved(to: endpoint, folder) })
        case .object(let fields): return .object(fields.map { ($0.0, $0.1.moved(to: endpoint, folder)) })
        default: return self
        }
    }
}
