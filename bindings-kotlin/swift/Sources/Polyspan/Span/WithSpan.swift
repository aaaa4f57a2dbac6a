// Recording what a function does as a span, which ends when the function has; and spans that are started and ended by hand.

import Foundation
import PolyspanShims

/// Whether it is worth making a span current: what stands for children of an unsampled span is what is current already.
@inline(__always)
private func changesWhatIsCurrent(_ span: Span) -> Bool {
    guard span.body == nil, let slot = Slot.current, let current = slot.span else { return true }
    if span === current { return false }
    return span.seenId != current.seenId || span.trace !== current.trace || span.around !== slot.around
}

/// Records what `body` does as a span, which is current inside and ends when the body has; an error that it throws is
/// recorded and thrown on.
///
/// - Parameters:
///   - type: what the span stands for.
///   - kind: its role in a request; by default what the type has, and `internal` for generic spans.
///   - input: any value; see `docs/swift.md`, "Values".
///   - parent: a span, span context, context or `traceparent` text, instead of the current span.
@discardableResult
public func withSpan<R>(
    _ name: String, type: SpanType = .generic, kind: SpanKind? = nil, attributes: Attributes? = nil, input: Any? = nil,
    parent: (any SpanParent)? = nil, options: SpanOptions? = nil, _ body: (Span) throws -> R
) rethrows -> R {
    let given = Described(name: name, type: type, kind: kind, attributes: attributes, input: input, options: options)
    return try inside(start(given, parent: parent, recorder: nil), body)
}

// Most spans are given no more than the next two take: what is left out of a call of the one above is handed over all the same.

/// The same without what is seldom given.
@inlinable @inline(__always)
@discardableResult
public func withSpan<R>(
    _ name: String, type: SpanType = .generic, kind: SpanKind? = nil, _ body: (Span) throws -> R
) rethrows -> R {
    try start(plain: name, type, kind).surround(body)
}

/// The same for an input that is a text.
@inlinable @inline(__always)
@discardableResult
public func withSpan<R>(
    _ name: String, type: SpanType = .generic, kind: SpanKind? = nil, input: String, _ body: (Span) throws -> R
) rethrows -> R {
    let span = start(plain: name, type, kind)
    if span.written != nil { span.put(input: input, shows: false) }
    return try span.surround(body)
}

/// The same for a body that waits; what is current goes with it into tasks, groups and actors.
@discardableResult
public func withSpan<R>(
    _ name: String, type: SpanType = .generic, kind: SpanKind? = nil, attributes: Attributes? = nil, input: Any? = nil,
    parent: (any SpanParent)? = nil, options: SpanOptions? = nil, isolation: isolated (any Actor)? = #isolation,
    _ body: (Span) async throws -> R
) async rethrows -> R {
    let given = Described(name: name, type: type, kind: kind, attributes: attributes, input: input, options: options)
    return try await inside(start(given, parent: parent, recorder: nil), body)
}

/// Starts a span that is not current; end it with `end`.
public func startSpan(
    _ name: String, type: SpanType = .generic, kind: SpanKind? = nil, attributes: Attributes? = nil, input: Any? = nil,
    parent: (any SpanParent)? = nil, options: SpanOptions? = nil
) -> Span {
    let given = Described(name: name, type: type, kind: kind, attributes: attributes, input: input, options: options)
    return start(given, parent: parent, recorder: nil)
}

/// Records a span that stands for an instant: it starts and ends now, or when `options` say that it started.
public func recordEvent(
    _ name: String, type: SpanType = .generic, attributes: Attributes? = nil, input: Any? = nil, output: Any? = nil,
    parent: (any SpanParent)? = nil, options: SpanOptions? = nil
) {
    var given = Described(name: name, type: type, kind: nil, attributes: attributes, input: input, options: options)
    given.isInstant = true
    let span = start(given, parent: parent, recorder: nil)
    span.update(output: output)
    span.end(nanos: span.body?.locked { $0.isOpen ? $0.word(Head.start, UInt64.self) : nil } ?? nil)
}

/// The current span; one that does not record where there is none.
public var currentSpan: Span { Slot.current?.span ?? .standing() }

/// The id of the current trace; nil where no span is current or the trace is not sampled.
public var currentTraceId: String? {
    guard let span = Slot.current?.span, span.trace.isSampled, span.trace.isValid else { return nil }
    return span.traceId
}

func inside<R>(_ span: Span, _ body: (Span) throws -> R) rethrows -> R {
    do {
        let result =
            changesWhatIsCurrent(span)
            ? try Slot.with(span, span.around) { try body(span) } : try body(span)
        span.end()
        return result
    } catch {
        span.error(error)
        throw error
    }
}

func inside<R>(
    _ span: Span, isolation: isolated (any Actor)? = #isolation, _ body: (Span) async throws -> R
) async rethrows -> R {
    do {
        let inner = changesWhatIsCurrent(span) ? Slot(span: span, around: span.around) : Slot.held
        let result = try await Slot.$held.withValue(inner) { try await body(span) }
        span.end()
        return result
    } catch {
        span.error(error)
        throw error
    }
}

extension Span {
    /// Runs `body` as what this span, which was just started, stands for; and ends it.
    @inlinable @inline(__always)
    func surround<R>(_ body: (Span) throws -> R) rethrows -> R {
        do {
            if written == nil, isAsGoodAsCurrent { return try body(self) }
            return try withUnsafeTemporaryAllocation(of: R.self, capacity: 1) { place in
                try enter { place.initializeElement(at: 0, to: try body(self)) }
                finish()
                return place.moveElement(from: 0)
            }
        } catch {
            self.error(error)
            throw error
        }
    }

    /// Whether it need not be made current: what is current stands for it, or is it.
    @inlinable @inline(__always)
    var isAsGoodAsCurrent: Bool {
        standsForCurrent || dropsChildren && polyspan_here_is(Unmanaged.passUnretained(self).toOpaque())
    }

    /// Not generic, so that it is compiled here.
    @usableFromInline
    func enter(_ body: () throws -> Void) rethrows {
        try Slot.with(self, around, body)
    }

    /// Runs `body` with this span current. The span stays open.
    public func run<R>(_ body: () throws -> R) rethrows -> R {
        try TraceContext(span: self, around: around).run(body)
    }

    /// The same for a body that waits.
    public func run<R>(isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R) async rethrows -> R {
        try await TraceContext(span: self, around: around).run(body)
    }
}
