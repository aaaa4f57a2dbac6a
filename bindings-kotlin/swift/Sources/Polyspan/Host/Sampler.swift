// Functions of the application that decide about roots: whether they are sampled, and by which engine they are recorded.

import Foundation
import PolyspanNative

/// What is known of a span that is about to start a trace.
public struct SpanAbout: Sendable {
    /// Everything, under the names of every language.
    public let all: Attributes

    public var name: String { all["name"]?.text ?? "" }
    public var type: String { all["type"]?.text ?? "" }
    public var kind: String { all["kind"]?.text ?? "" }
    public var traceId: String? { all["traceId"]?.text }
    public var attributes: Attributes { all["attributes"]?.map ?? Attributes() }
    public var metadata: Attributes { all["metadata"]?.map ?? Attributes() }
    public var requestContext: Value { all["requestContext"] ?? .null }
    public var parent: SpanContext? { all["parent"]?.bytes.flatMap(SpanContext.init(data:)) }
}

/// What becomes of a trace.
public enum SamplingDecision: Int32, Sendable {
    case drop
    /// Recorded, and not exported.
    case record
    case sample
}

extension Polyspan {
    /// Asks `choose` for the engine of each trace whose root names none: that of its tenant, say. Nil asks nobody any more.
    /// Nil as an answer is the default engine, and so are a name that does not run and an error, which is said once. Spans
    /// inside follow the engine of the span above them.
    public static func setSelector(_ choose: (@Sendable (SpanAbout) throws -> String?)?) {
        PolyspanNative.setSelector(select: choose.map(Choosing.init))
        Registry.setSelects(choose != nil)
    }
}

/// Runs code that decides about a trace. What it records itself is not recorded: about that it would be asked again, without
/// end.
private func deciding<R>(_ decide: () throws -> R) rethrows -> R {
    try Slot.with(Span.muted, Slot.current?.around, decide)
}

final class Choosing: RootSelector {
    private let answer: @Sendable (SpanAbout) throws -> String?

    init(_ answer: @escaping @Sendable (SpanAbout) throws -> String?) {
        self.answer = answer
    }

    func choose(about: Data) throws -> String {
        do {
            return try deciding { try answer(SpanAbout(all: ValueReader.read(about)?.map ?? Attributes())) } ?? ""
        } catch {
            Log.sayOnce("selector", "the selector threw \(type(of: error)); the default engine is taken")
            return ""
        }
    }
}

final class Deciding: RootSampler {
    private let answer: @Sendable (SpanAbout) -> SamplingDecision

    init(_ answer: @escaping @Sendable (SpanAbout) -> SamplingDecision) {
        self.answer = answer
    }

    func decide(about: Data) throws -> Int32 {
        deciding { answer(SpanAbout(all: ValueReader.read(about)?.map ?? Attributes())) }.rawValue
    }
}
