// A span of swift-distributed-tracing over one of the engine's.

import Foundation
import Polyspan
import Tracing

/// A span as instrumented libraries use it.
public final class PolyspanTracingSpan: Tracing.Span, @unchecked Sendable {
    /// The engine's span.
    let span: EngineSpan
    public let context: ServiceContext
    private let lock = NSLock()
    private var name: String
    private var kept = SpanAttributes()

    init(_ span: EngineSpan, _ name: String, _ context: ServiceContext) {
        self.span = span
        self.name = name
        self.context = context
    }

    public var isRecording: Bool { span.isRecording }

    public var operationName: String {
        get { lock.withLock { name } }
        set {
            lock.withLock { name = newValue }
            span.rename(newValue)
        }
    }

    /// What was set through this API; each change goes to the engine's span at once.
    public var attributes: SpanAttributes {
        get { lock.withLock { kept } }
        set {
            lock.withLock { kept = newValue }
            newValue.forEach { key, value in span.set(key, Value(value)) }
        }
    }

    public func setStatus(_ status: Tracing.SpanStatus) {
        span.status(status.code == .ok ? .ok : .error, status.message)
    }

    public func addEvent(_ event: SpanEvent) {
        span.event(event.name, Attributes(event.attributes), time: Date(nanoseconds: event.nanosecondsSinceEpoch))
    }

    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        span.recordException(
            error, Attributes(attributes), time: Date(nanoseconds: instant().nanosecondsSinceEpoch))
    }

    public func addLink(_ link: SpanLink) {
        guard let target = link.context.polyspan else { return }
        span.link(target, Attributes(link.attributes))
    }

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        span.end(at: Date(nanoseconds: instant().nanosecondsSinceEpoch))
    }
}

extension Date {
    init(nanoseconds: UInt64) {
        self.init(timeIntervalSince1970: Double(nanoseconds / 1000) / 1_000_000)
    }
}

extension EngineSpanKind {
    init(_ kind: Tracing.SpanKind) {
        switch kind {
        case .server: self = .server
        case .client: self = .client
        case .producer: self = .producer
        case .consumer: self = .consumer
        case .internal: self = .internal
        }
    }
}

extension Attributes {
    init(_ attributes: SpanAttributes) {
        self.init()
        attributes.forEach { key, value in self[key] = Value(value) }
    }
}

extension Value {
    init(_ attribute: SpanAttribute) {
        switch attribute {
        case .int32(let number): self = .int(Int64(number))
        case .int64(let number): self = .int(number)
        case .int32Array(let numbers): self = .array(numbers.map { .int(Int64($0)) })
        case .int64Array(let numbers): self = .array(numbers.map { .int($0) })
        case .double(let number): self = .double(number)
        case .doubleArray(let numbers): self = .array(numbers.map { .double($0) })
        case .bool(let truth): self = .bool(truth)
        case .boolArray(let truths): self = .array(truths.map { .bool($0) })
        case .string(let text): self = .text(text)
        case .stringArray(let texts): self = .array(texts.map { .text($0) })
        case .stringConvertible(let value): self = .text(value.description)
        case .stringConvertibleArray(let values): self = .array(values.map { .text($0.description) })
        // The API asks for it: there may be more of them.
        default: self = .null
        }
    }
}
