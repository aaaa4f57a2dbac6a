// The tracer of swift-distributed-tracing over the engine. What is current stands in that API's `ServiceContext`; where that
// says nothing, in Polyspan's own task local, so that both kinds of spans nest in each other.

import Foundation
import Polyspan
import Tracing

/// Where a service context keeps what is current.
private enum CurrentKey: ServiceContextKey {
    typealias Value = TraceContext
    static let nameOverride: String? = "polyspan"
}

extension ServiceContext {
    /// What is current for Polyspan in this context.
    public var polyspan: TraceContext? {
        get { self[CurrentKey.self] }
        set { self[CurrentKey.self] = newValue }
    }
}

/// A tracer for `InstrumentationSystem.bootstrap`.
public struct PolyspanTracer: Tracer {
    public typealias Span = PolyspanTracingSpan

    public init() {}

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: Tracing.SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> PolyspanTracingSpan {
        var context = context()
        let start = Date(nanoseconds: instant().nanosecondsSinceEpoch)
        let span = startEngineSpan(operationName, kind: EngineSpanKind(kind), parent: context.polyspan, start: start)
        context.polyspan = span.run { TraceContext.current }
        return PolyspanTracingSpan(span, operationName, context)
    }

    public func forceFlush() {
        // Whoever wants to know of failures flushes by Polyspan itself.
        try? Polyspan.flush(timeout: 5)
    }

    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        context.polyspan = Polyspan.extract(Extracting(carrier: carrier, extractor: extractor))
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        for (name, value) in Polyspan.headers(context: context.polyspan) {
            injector.inject(value, forKey: name, into: &carrier)
        }
    }
}

/// A carrier that is read through an extractor.
private struct Extracting<Extract: Extractor>: EngineCarrier {
    let carrier: Extract.Carrier
    let extractor: Extract

    func values(of name: String) -> [String] { extractor.extract(key: name, from: carrier).map { [$0] } ?? [] }
    mutating func set(_ name: String, to value: String) {}
}
