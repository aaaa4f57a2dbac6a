// Names of Polyspan's that the tracing API has too. Here it is not imported, so that they are clear; a module that has a type
// of its own name cannot be named in front of them.

import Foundation
import Polyspan

typealias EngineSpan = Span
typealias EngineSpanKind = SpanKind
typealias EngineCarrier = Carrier

func startEngineSpan(_ name: String, kind: EngineSpanKind, parent: TraceContext?, start: Date) -> EngineSpan {
    startSpan(name, kind: kind, parent: parent, options: SpanOptions(startTime: start))
}
