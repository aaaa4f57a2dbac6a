// The identity of a span: what travels between processes.

import Foundation

/// What a span can be the child of, or linked to: a `Span`, a `SpanContext`, a `TraceContext`, or the text of a `traceparent`.
public protocol SpanParent: Sendable {
    var asSpanContext: SpanContext? { get }
}

/// Bytes of a `tracestate` at most.
private let longestState = 8192

/// The identity of a span.
public struct SpanContext: Sendable, SpanParent {
    let trace: Trace
    let id: UInt64
    /// Whether the span lives in another process.
    public let isRemote: Bool

    init(trace: Trace, id: UInt64, isRemote: Bool) {
        self.trace = trace
        self.id = id
        self.isRemote = isRemote
    }

    /// One of another process, from ids of 1 to 32 and 1 to 16 hex digits; nil where they are none.
    public init?(traceId: String, spanId: String, traceFlags: UInt8 = 1, traceState: String = "", isRemote: Bool = true) {
        guard let (high, low) = idWords(traceId, digits: 32), let (_, id) = idWords(spanId, digits: 16) else { return nil }
        // No header is so long; it would be kept, and written, for each span.
        let isUsable =
            traceState.utf8.count <= longestState && traceState.utf8.allSatisfy { (0x20...0x7e).contains($0) || $0 == 9 }
        let state = isUsable ? traceState : ""
        self.init(trace: Trace(high: high, low: low, flags: traceFlags & 3, state: state), id: id, isRemote: isRemote)
    }

    /// The trace id as 32 lower-case hex digits.
    public var traceId: String { trace.id }
    /// The span id as 16 lower-case hex digits.
    public var spanId: String { hexDigits(id) }
    /// The flag byte of W3C Trace Context: 1 is sampled, 2 is random.
    public var traceFlags: UInt8 { trace.flags & 3 }
    /// The `tracestate` header; empty when there is none.
    public var traceState: String { trace.state }
    public var isSampled: Bool { trace.isSampled }
    /// Whether both ids are other than zero.
    public var isValid: Bool { trace.isValid && id != 0 }

    public var asSpanContext: SpanContext? { self }

    /// As bytes cross: ids, flags, whether it is remote, tracestate.
    var data: Data {
        var data = Data(capacity: 26 + trace.state.utf8.count)
        for word in [trace.high, trace.low, id] { withUnsafeBytes(of: word.bigEndian) { data.append(contentsOf: $0) } }
        data.append(trace.flags)
        data.append(isRemote ? 1 : 0)
        data.append(contentsOf: trace.state.utf8)
        return data
    }

    /// The context of such bytes.
    init?(data: Data) {
        guard data.count >= 26 else { return nil }
        self = data.withUnsafeBytes { bytes in
            func word(_ at: Int) -> UInt64 { UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }
            let state = String(decoding: bytes[26...], as: UTF8.self)
            let trace = Trace(high: word(0), low: word(8), flags: bytes[24], state: state)
            return SpanContext(trace: trace, id: word(16), isRemote: bytes[25] == 1)
        }
    }
}

extension SpanContext: Equatable {
    public static func == (left: SpanContext, right: SpanContext) -> Bool {
        left.trace.high == right.trace.high && left.trace.low == right.trace.low && left.id == right.id
            && left.traceFlags == right.traceFlags && left.traceState == right.traceState && left.isRemote == right.isRemote
    }
}

extension String: SpanParent {
    /// What a `traceparent` names.
    public var asSpanContext: SpanContext? {
        carried(engine: nil, names: ["traceparent"], values: [self])?.context
    }
}
