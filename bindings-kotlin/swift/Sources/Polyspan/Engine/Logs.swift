// Log records: recording one as part of the current span.

import Foundation
import PolyspanNative

/// How serious something is.
public enum LogLevel: String, Sendable {
    case trace, debug, info, warn, error, fatal

    /// As OpenTelemetry numbers it.
    var severity: Int32 {
        switch self {
        case .trace: 1
        case .debug: 5
        case .info: 9
        case .warn: 13
        case .error: 17
        case .fatal: 21
        }
    }
}

extension Polyspan {
    /// Records something in the log, as part of the current span and with what that inherits. It never throws: what cannot be
    /// recorded is left out and counted.
    ///
    /// - Parameters:
    ///   - error: adds an exception with its type and message.
    ///   - logger: the instrumentation scope.
    ///   - eventName: makes it an event of that class.
    ///   - time: when it happened; now by default.
    ///   - span: what it belongs to instead of the current span.
    /// - Returns: false where it is not kept: below the level, without an exporter of log records, or before `start`.
    @discardableResult
    public static func log(
        _ level: LogLevel, _ body: Any?, attributes: Attributes = [:], error: (any Error)? = nil, logger: String? = nil,
        eventName: String? = nil, time: Date? = nil, span: (any SpanParent)? = nil
    ) -> Bool {
        let slot = Slot.current
        guard let recorder = Registry.recorder, slot?.span !== Span.muted else { return false }
        guard logEnabled(engine: recorder.engine, severity: level.severity) else { return false }
        var said: [(String, Any?)] = []
        if let eventName { said.append(("event_name", eventName)) }
        if let logger { said.append(("logger", logger)) }
        if let time, let nanos = Clock.nanos(time) { said.append(("time", Int64(bitPattern: nanos))) }
        var all = attributes
        if let error {
            let parts = ErrorParts(error)
            all["exception.type"] = .text(parts.type)
            all["exception.message"] = .text(parts.message)
        }
        said.append(("attributes", Value.map(all)))
        said.append(("body", body))
        // What is said stands in a map, and its attributes in one inside.
        var bounds = recorder.terms.bounds
        bounds.depth += 2
        let bytes = withScratch { out in
            var capture = Capture(bounds)
            capture.entries(count: said.count, depth: 0, entries: said, into: &out)
            recorder.add(capture.cuts)
            return out.data
        }
        let of = span?.asSpanContext ?? slot?.span?.context
        return recordLog(
            engine: recorder.engine, severity: level.severity, said: bytes, span: of?.data ?? Data(),
            around: slot?.around?.native)
    }

    /// Changes from which level on log records are kept, in every engine: the name of a level, or `none`.
    public static func setLogLevel(_ level: String) throws {
        try checked { try PolyspanNative.setLogLevel(engine: nil, name: level) }
    }
}
