// A function of the application that decides about roots.

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

final class Deciding: RootSampler {
    private let answer: @Sendable (SpanAbout) -> SamplingDecision

    init(_ answer: @escaping @Sendable (SpanAbout) -> SamplingDecision) {
        self.answer = answer
    }

    func decide(about: Data) throws -> Int32 {
        answer(SpanAbout(all: ValueReader.read(about)?.map ?? Attributes())).rawValue
    }
}
