// The memory exporter, for tests: finished spans as values.

import Foundation
import PolyspanNative

/// A finished span as it left the engine: redacted, limited, under the names that it was recorded with.
public struct SpanRecord: Sendable {
    /// Everything, under the names of every language.
    public let all: Attributes

    init(_ told: Value) {
        all = told.map ?? Attributes()
    }

    private func text(_ name: String) -> String { all[name]?.text ?? "" }
    private func number(_ name: String) -> Int64 { all[name]?.int ?? 0 }

    public var traceId: String { text("traceId") }
    public var spanId: String { text("spanId") }
    public var traceFlags: Int { Int(number("traceFlags")) }
    public var traceState: String { text("traceState") }
    public var parentSpanId: String? { all["parentSpanId"]?.text }
    public var parentIsRemote: Bool { all["parentIsRemote"]?.bool ?? false }
    public var name: String { text("name") }
    public var type: String { text("type") }
    public var kind: String { text("kind") }
    /// Flag bits (`docs/frame.md`).
    public var flags: Int { Int(number("flags")) }
    /// Nanoseconds since the Unix epoch.
    public var startTime: Int64 { number("startTime") }
    public var endTime: Int64 { number("endTime") }
    /// `unset`, `ok` or `error`.
    public var status: String { text("status") }
    public var statusMessage: String { text("statusMessage") }
    public var attributes: Attributes { all["attributes"]?.map ?? Attributes() }
    public var metadata: Attributes { all["metadata"]?.map ?? Attributes() }
    public var tags: [String] { (all["tags"]?.array ?? []).compactMap(\.text) }
    /// Nil where none was recorded.
    public var input: Value? { all["hasInput"]?.bool == true ? all["input"] : nil }
    public var output: Value? { all["hasOutput"]?.bool == true ? all["output"] : nil }
    /// Maps of `name`, `time`, `attributes`, `droppedAttributes`.
    public var events: [Value] { all["events"]?.array ?? [] }
    /// Maps of `traceId`, `spanId`, `traceFlags`, `traceState`, `isRemote`, `attributes`.
    public var links: [Value] { all["links"]?.array ?? [] }
    public var droppedAttributes: Int { Int(number("droppedAttributes")) }
    public var droppedEvents: Int { Int(number("droppedEvents")) }
    public var droppedLinks: Int { Int(number("droppedLinks")) }
    public var resource: Attributes { all["resource"]?.map ?? Attributes() }
}

/// Keeps finished spans in memory: `Options(exporters: [.memory(MemoryExporter())])`.
public final class MemoryExporter: Sendable {
    let native: NativeMemory

    /// One for at most `capacity` spans; later ones are dropped and counted as `queue_full`.
    public init(capacity: Int = 100_000) {
        native = NativeMemory(capacity: Int32(clamping: capacity))
    }

    private static func list(_ bytes: Data) -> [Value] { ValueReader.read(bytes)?.array ?? [] }

    /// The spans received so far, in the order they ended. Flush before.
    public var spans: [SpanRecord] { Self.list(native.spans(take: false)).map(SpanRecord.init) }

    /// Takes the spans out.
    public func take() -> [SpanRecord] { Self.list(native.spans(take: true)).map(SpanRecord.init) }

    /// The log records received so far, as maps.
    public var logs: [Value] { Self.list(native.logs(take: false)) }

    /// The data points of metrics received so far, as maps.
    public var metrics: [Value] { Self.list(native.metrics(take: false)) }

    /// Forgets all of them.
    public func clear() {
        _ = native.spans(take: true)
        _ = native.logs(take: true)
        _ = native.metrics(take: true)
    }
}
