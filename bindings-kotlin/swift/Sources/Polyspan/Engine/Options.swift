// The options of an engine (docs/configuration.md). What is nil comes from `OTEL_*`, then from the defaults.

import Foundation

/// Where spans go.
public enum ExporterOption: Sendable {
    /// One of the engine's own by its name, or a preset: `console`, `otlp`, `none`, `langfuse` and the like.
    case named(String)
    /// One of the engine's own with its options: `["type": "otlp", "endpoint": "https://..."]`.
    case described(Attributes)
    /// Keeps finished spans in memory, for tests.
    case memory(MemoryExporter)
    /// Code of your own.
    case custom(any SpanExporter)
}

/// The options of an engine.
public struct Options: Sendable {
    /// The name under which it runs; `default` by default.
    public var name: String?
    /// Replaces a running engine of that name, which drains first.
    public var replace: Bool?
    /// Attributes of the resource, merged by key.
    public var resource: Attributes?
    /// A name, a ratio, or a map: see "Samplers" in docs/configuration.md.
    public var sampler: Value?
    /// Asked for roots instead: what it answers becomes of the trace.
    public var decide: (@Sendable (SpanAbout) -> SamplingDecision)?
    public var propagators: [String]?
    public var exporters: [ExporterOption]?
    public var processors: [SpanProcessor]
    /// Keeps a span where it is true.
    public var spanFilter: (@Sendable (FinishedSpan) throws -> Bool)?
    /// Base URL of an OTLP receiver, to which `v1/traces` is added.
    public var endpoint: String?
    public var headers: [String: String]?
    /// `gzip` or `none`.
    public var compression: String?
    /// `genai` or `openinference`.
    public var semantics: String?
    /// True, false, a style, or a map.
    public var redaction: Value?
    /// A preset or a map.
    public var limits: Value?
    public var environment: String?
    public var userId: String?
    /// Metadata of every span that neither inherits nor is given another value of the key; 64 KiB in all.
    public var metadata: Attributes?
    /// Tags of every trace, besides those that it is given.
    public var tags: [String]?
    /// Which ids travel to other processes: true, or a list of their names.
    public var propagateContext: Value?
    public var hideInput: Bool?
    public var hideOutput: Bool?
    /// How spans are gathered before they are sent.
    public var batching: Batching?
    /// Gives every trace the id of the session in which it began, where nothing else does.
    public var sessions: Sessions?
    /// Any other option under its name in docs/configuration.md: `["memory_budget": 4194304]`. Goes before those above.
    public var more: Attributes

    public init(
        name: String? = nil, replace: Bool? = nil, resource: Attributes? = nil, sampler: Value? = nil,
        decide: (@Sendable (SpanAbout) -> SamplingDecision)? = nil, propagators: [String]? = nil,
        exporters: [ExporterOption]? = nil, processors: [SpanProcessor] = [],
        spanFilter: (@Sendable (FinishedSpan) throws -> Bool)? = nil, endpoint: String? = nil,
        headers: [String: String]? = nil, compression: String? = nil, semantics: String? = nil, redaction: Value? = nil,
        limits: Value? = nil, environment: String? = nil, userId: String? = nil, metadata: Attributes? = nil,
        tags: [String]? = nil, propagateContext: Value? = nil, hideInput: Bool? = nil, hideOutput: Bool? = nil,
        batching: Batching? = nil, sessions: Sessions? = nil, more: Attributes = [:]
    ) {
        self.name = name
        self.replace = replace
        self.resource = resource
        self.sampler = sampler
        self.decide = decide
        self.propagators = propagators
        self.exporters = exporters
        self.processors = processors
        self.spanFilter = spanFilter
        self.endpoint = endpoint
        self.headers = headers
        self.compression = compression
        self.semantics = semantics
        self.redaction = redaction
        self.limits = limits
        self.environment = environment
        self.userId = userId
        self.metadata = metadata
        self.tags = tags
        self.propagateContext = propagateContext
        self.hideInput = hideInput
        self.hideOutput = hideOutput
        self.batching = batching
        self.sessions = sessions
        self.more = more
    }

    /// What is data, under the engine's names.
    func data(service: String?) -> Attributes {
        var data = Attributes()
        func put(_ name: String, _ value: Value?) { if let value { data[name] = value } }
        put("service", service.map { .text($0) })
        put("name", name.map { .text($0) })
        put("replace", replace.map { .bool($0) })
        put("resource", resource.map { .map($0) })
        put("sampler", sampler)
        put("propagators", propagators.map { .array($0.map { .text($0) }) })
        if let exporters {
            put(
                "exporters",
                .array(
                    exporters.compactMap { exporter in
                        switch exporter {
                        case .named(let name): .text(name)
                        case .described(let options): .map(options)
                        default: nil
                        }
                    }))
        }
        put("endpoint", endpoint.map { .text($0) })
        put("headers", headers.map { .map(Attributes($0.mapValues { .text($0) })) })
        put("compression", compression.map { .text($0) })
        put("semantics", semantics.map { .text($0) })
        put("redaction", redaction)
        put("limits", limits)
        put("environment", environment.map { .text($0) })
        put("user_id", userId.map { .text($0) })
        put("metadata", metadata.map { .map($0) })
        put("tags", tags.map { .array($0.map { .text($0) }) })
        put("propagate_context", propagateContext)
        put("hide_input", hideInput.map { .bool($0) })
        put("hide_output", hideOutput.map { .bool($0) })
        for entry in batching?.options.entries ?? [] { data[entry.key] = entry.value }
        for entry in more.entries { data[entry.key] = entry.value }
        return data
    }
}

/// How spans are gathered before they are sent: what a host knows of battery and network becomes plain numbers here.
public struct Batching: Sendable {
    /// How long a span waits for others, in seconds.
    public var interval: TimeInterval?
    /// Spans of one request.
    public var spans: Int?
    /// Bytes of one request before compression.
    public var bytes: Int?
    /// Bytes of finished spans until they are delivered, for the whole process: how much a time without network keeps.
    public var memory: Int?

    public init(interval: TimeInterval? = nil, spans: Int? = nil, bytes: Int? = nil, memory: Int? = nil) {
        self.interval = interval
        self.spans = spans
        self.bytes = bytes
        self.memory = memory
    }

    /// For a device on battery: few and large requests.
    public static let battery = Batching(interval: 60, spans: 2048, bytes: 4 << 20, memory: 8 << 20)
    /// For a network that is paid by the byte: the same, rarer.
    public static let metered = Batching(interval: 300, spans: 4096, bytes: 4 << 20, memory: 8 << 20)

    var options: Attributes {
        var options = Attributes()
        if let interval { options["schedule_delay"] = .double(interval) }
        if let spans { options["max_batch_spans"] = .int(Int64(spans)) }
        if let bytes { options["max_batch_bytes"] = .int(Int64(bytes)) }
        if let memory { options["memory_budget"] = .int(Int64(memory)) }
        return options
    }
}
