// Code of the application in the pipeline: what it can be, and running it over the spans of a job.

import Foundation

/// Changes spans, or leaves them out. Called on the one thread of the host stage, before redaction.
public struct SpanProcessor: Sendable {
    let name: String
    let process: @Sendable (FinishedSpan) throws -> Bool
    let flush: @Sendable () throws -> Void
    let shutdown: @Sendable () throws -> Void
    /// Copies of a processor are the same one: closures cannot be compared.
    let origin = Origin()

    final class Origin: Sendable {}

    /// - Parameters:
    ///   - name: what it is called in messages.
    ///   - process: changes the span; false leaves it out. Where it throws, the span goes on as it is by then, and
    ///     `hostErrors` counts it.
    ///   - flush: at the end of a flush.
    ///   - shutdown: when nothing comes any more.
    public init(
        _ name: String, flush: @escaping @Sendable () throws -> Void = {},
        shutdown: @escaping @Sendable () throws -> Void = {}, process: @escaping @Sendable (FinishedSpan) throws -> Bool
    ) {
        self.name = name
        self.process = process
        self.flush = flush
        self.shutdown = shutdown
    }
}

/// An exporter of your own. Called on the one thread of the host stage, with spans that were redacted and limited.
public protocol SpanExporter: Sendable {
    /// What it is called in `stats()`.
    var name: String { get }
    /// Functions that change its copy of each span before it gets it.
    var formatters: [@Sendable (FinishedSpan) throws -> Void] { get }
    /// Takes a batch. Returns how many of it were refused; where it throws, all are counted as lost.
    func export(_ spans: [FinishedSpan]) throws -> Int
    /// The kinds of events that it wants as they happen: of `span_started`, `span_updated`, `span_ended`, `span_dropped`,
    /// `trace_started`, `trace_ended`, `log`.
    var events: [String] { get }
    func event(_ event: TelemetryEvent) throws
    /// At the end of a flush, after everything before it was exported.
    func flush() throws
    /// Once, when nothing comes any more.
    func shutdown() throws
}

extension SpanExporter {
    public var name: String { String(describing: Self.self) }
    public var formatters: [@Sendable (FinishedSpan) throws -> Void] { [] }
    public var events: [String] { [] }
    public func event(_ event: TelemetryEvent) throws {}
    public func flush() throws {}
    public func shutdown() throws {}
}

/// What became of the records of a job.
struct Answer {
    enum Verdict: UInt8 {
        case drop, keep, change
    }

    var verdicts = Data()
    /// Each with its length before it.
    var changes = Data()
    var failures: Int32 = 0

    mutating func add(_ span: FinishedSpan, isKept: Bool = true, mayChange: Bool = true) {
        guard isKept else { return verdicts.append(Verdict.drop.rawValue) }
        guard mayChange, let change = span.changes else { return verdicts.append(Verdict.keep.rawValue) }
        verdicts.append(Verdict.change.rawValue)
        withUnsafeBytes(of: UInt32(change.count).littleEndian) { changes.append(contentsOf: $0) }
        changes.append(change)
    }
}

/// How an export went.
struct Delivery {
    var rejected: Int32 = 0
    var failed: Int32 = 0
    var failures: Int32 = 0
}

/// What the host stage calls for one place in the pipeline.
enum Handler: Sendable {
    case processors([SpanProcessor])
    case filter(@Sendable (FinishedSpan) throws -> Bool)
    case exporter(any SpanExporter)

    /// The objects by which the same option is known again; none for closures and structs, which are others each time.
    private var objects: [AnyObject] {
        switch self {
        case .processors(let chain): chain.map(\.origin)
        case .filter: []
        case .exporter(let exporter): type(of: exporter) is AnyClass ? [exporter as AnyObject] : []
        }
    }

    func isSame(as other: Handler) -> Bool {
        let (own, others) = (objects, other.objects)
        return !own.isEmpty && own.elementsEqual(others, by: ===)
    }

    /// Processors, or the filter, over the spans of a job.
    func judge(_ events: [TelemetryEvent]) -> Answer {
        var answer = Answer()
        for span in events.compactMap(\.span) {
            switch self {
            case .processors(let chain):
                var isKept = true
                for processor in chain where isKept {
                    do {
                        isKept = try processor.process(span)
                    } catch {
                        answer.failures += 1
                        failed(processor.name, error)
                    }
                }
                answer.add(span, isKept: isKept)
            case .filter(let keeps):
                var isKept = true
                do {
                    isKept = try keeps(span)
                } catch {
                    answer.failures += 1
                    failed("spanFilter", error)
                }
                answer.add(span, isKept: isKept, mayChange: false)
            case .exporter: answer.add(span, mayChange: false)
            }
        }
        return answer
    }

    /// An exporter over the events of a job. `records` gives them anew where a formatter failed half-way.
    func deliver(_ records: () -> [TelemetryEvent]) -> Delivery {
        guard case .exporter(let exporter) = self else { return Delivery() }
        var delivery = Delivery()
        var events = records()
        for at in events.indices {
            guard let span = events[at].span else { continue }
            do {
                for format in exporter.formatters { try format(span) }
            } catch {
                delivery.failures += 1
                failed(exporter.name, error)
                events[at] = records()[at]
            }
        }
        var spans: [FinishedSpan] = []
        for event in events {
            let kind = event.kind
            if exporter.events.contains(kind) {
                do {
                    try exporter.event(event)
                } catch {
                    failed(exporter.name, error)
                    if kind == "span_ended" || kind == "log" { delivery.failed += 1 } else { delivery.failures += 1 }
                    if kind == "span_ended" { continue }
                }
            }
            if case .spanEnded(let span) = event { spans.append(span) }
        }
        guard !spans.isEmpty else { return delivery }
        do {
            delivery.rejected = Int32(clamping: try exporter.export(spans))
        } catch {
            failed(exporter.name, error)
            delivery.failed += Int32(clamping: spans.count)
        }
        return delivery
    }

    /// At the end of a flush, or of everything.
    func settle(_ task: String) {
        func run(_ name: String, _ body: () throws -> Void) {
            do { try body() } catch { failed(name, error) }
        }
        switch self {
        case .processors(let chain):
            for processor in chain {
                run(processor.name) { try task == "flush" ? processor.flush() : processor.shutdown() }
            }
        case .exporter(let exporter): run(exporter.name) { try task == "flush" ? exporter.flush() : exporter.shutdown() }
        case .filter: break
        }
    }

    private func failed(_ what: String, _ error: any Error) {
        let parts = ErrorParts(error)
        Log.sayOnce("host \(what) \(parts.type)", "\(what) threw \(parts.type): \(parts.message)")
    }
}

extension TelemetryEvent {
    var kind: String {
        switch self {
        case .spanStarted: "span_started"
        case .spanUpdated: "span_updated"
        case .spanEnded: "span_ended"
        case .spanDropped: "span_dropped"
        case .traceStarted: "trace_started"
        case .traceEnded: "trace_ended"
        case .log: "log"
        }
    }
}
