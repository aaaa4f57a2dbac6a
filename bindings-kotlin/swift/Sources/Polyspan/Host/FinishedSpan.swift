// A span as the application's code in the host stage sees it: typed, and changeable.

import Foundation

/// A span on its way out. Processors and formatters may change everything but its identity; exporters and filters have a copy
/// of their own, so that what they change changes nothing. It is for the call it is given to.
public final class FinishedSpan {
    private var told: Attributes
    /// Fields that were set.
    private var touched: Set<String> = []

    init(_ told: Value) {
        self.told = told.map ?? Attributes()
    }

    private func text(_ name: String) -> String { told[name]?.text ?? "" }
    private func number(_ name: String) -> Int64 { told[name]?.int ?? 0 }
    private func isSet(_ flag: UInt16) -> Bool { UInt16(truncatingIfNeeded: number("flags")) & flag != 0 }

    private func put(_ name: String, _ value: Value?) {
        told[name] = value
        touched.insert(name)
    }

    /// The span id as 16 lower-case hex digits.
    public var id: String { text("spanId") }
    /// The trace id as 32 lower-case hex digits.
    public var traceId: String { text("traceId") }
    /// The parent's span id; nil for a root.
    public var parentId: String? { told["parentSpanId"]?.text }

    public var name: String {
        get { text("name") }
        set { put("name", .text(newValue)) }
    }

    /// The name of its type, such as `tool`.
    public var type: String {
        get { text("type") }
        set { put("type", .text(newValue)) }
    }

    /// `internal`, `server`, `client`, `producer` or `consumer`.
    public var kind: String {
        get { text("kind") }
        set { put("kind", .text(newValue)) }
    }

    /// `unset`, `ok` or `error`.
    public var status: String {
        get { text("status") }
        set { put("status", .text(newValue)) }
    }

    public var statusMessage: String {
        get { text("statusMessage") }
        set { put("statusMessage", .text(newValue)) }
    }

    /// Nanoseconds since the Unix epoch.
    public var startTime: Int64 {
        get { number("startTime") }
        set { put("startTime", .int(newValue)) }
    }

    public var endTime: Int64 {
        get { number("endTime") }
        set { put("endTime", .int(newValue)) }
    }

    public var attributes: Attributes {
        get { told["attributes"]?.map ?? Attributes() }
        set { put("attributes", .map(newValue)) }
    }

    public var metadata: Attributes {
        get { told["metadata"]?.map ?? Attributes() }
        set { put("metadata", .map(newValue)) }
    }

    public var tags: [String] {
        get { (told["tags"]?.array ?? []).compactMap(\.text) }
        set { put("tags", .array(newValue.map { .text($0) })) }
    }

    /// Nil where none was recorded.
    public var input: Value? {
        get { told["hasInput"]?.bool == true || touched.contains("input") ? told["input"] : nil }
        set { put("input", newValue) }
    }

    public var output: Value? {
        get { told["hasOutput"]?.bool == true || touched.contains("output") ? told["output"] : nil }
        set { put("output", newValue) }
    }

    /// Maps of `name`, `time` (nanoseconds since the Unix epoch), `attributes`.
    public var events: [Value] { told["events"]?.array ?? [] }
    /// Maps of `traceId`, `spanId`, `traceFlags`, `traceState`, `isRemote`, `attributes`.
    public var links: [Value] { told["links"]?.array ?? [] }
    /// The attributes of the process that recorded it.
    public var resource: Attributes { told["resource"]?.map ?? Attributes() }
    /// The instrumentation scope.
    public var scope: String { text("scope") }
    /// Whether it has no parent at all, or none in this process.
    public var isRoot: Bool { isSet(RecordFlag.root) }
    public var isLocalRoot: Bool { isSet(RecordFlag.localRoot) }
    /// Whether it stands for an instant, or is internal to a framework.
    public var isEvent: Bool { isSet(RecordFlag.event) }
    public var isInternal: Bool { isSet(RecordFlag.internal) }

    /// The fields that were set, as they cross; nil where there are none.
    var changes: Data? {
        guard !touched.isEmpty else { return nil }
        var changes = Attributes()
        for name in touched.sorted() {
            let isSlot = name == "input" || name == "output"
            changes[name] = isSlot ? .array(told[name].map { [$0] } ?? []) : told[name]
        }
        return wholeValue(.map(changes))
    }
}

/// Something that an exporter is told besides finished spans.
public enum TelemetryEvent {
    case spanStarted(FinishedSpan)
    case spanUpdated(FinishedSpan)
    case spanEnded(FinishedSpan)
    /// A map of `spanId`, `traceId`, `type`, and the reason as `statusMessage`.
    case spanDropped(Value)
    /// A map of `traceId`, `name` and, at the end, counts.
    case traceStarted(Value)
    case traceEnded(Value)
    /// A map of `body`, `severity`, `severityText`, `time`, `traceId`, `spanId`, `attributes`.
    case log(Value)

    /// The kinds by the numbers that the engine has for them.
    static let kinds = ["span_ended", "span_started", "span_updated", "span_dropped", "trace_started", "trace_ended", "log"]

    /// The records of a job, in their order.
    static func all(in bytes: Data) -> [TelemetryEvent] {
        bytes.withUnsafeBytes { bytes in
            var reader = ValueReader(bytes)
            var told: [TelemetryEvent] = []
            while reader.at < bytes.count, let kind: UInt8 = reader.number(), let length: UInt32 = reader.number(),
                let record = reader.take(Int(length))
            {
                var inner = ValueReader(record)
                told.append(event(kind, inner.value() ?? .null))
            }
            return told
        }
    }

    private static func event(_ kind: UInt8, _ told: Value) -> TelemetryEvent {
        switch kind {
        case 1: .spanStarted(FinishedSpan(told))
        case 2: .spanUpdated(FinishedSpan(told))
        case 3: .spanDropped(told)
        case 4: .traceStarted(told)
        case 5: .traceEnded(told)
        case 6: .log(told)
        default: .spanEnded(FinishedSpan(told))
        }
    }

    /// Of a job that is about spans alone.
    var span: FinishedSpan? {
        switch self {
        case .spanStarted(let span), .spanUpdated(let span), .spanEnded(let span): span
        default: nil
        }
    }
}
