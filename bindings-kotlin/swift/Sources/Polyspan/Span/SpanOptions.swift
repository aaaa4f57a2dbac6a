// What a span can be given when it starts, besides what most are.

import Foundation

/// The options of a span that most have nothing of.
public struct SpanOptions: Sendable {
    /// For this span and everything inside.
    public var metadata: Attributes?
    /// Tags of the trace; only its first span in this process carries them.
    public var tags: [String]?
    public var links: [(any SpanParent, Attributes)]
    /// When it started; now by default.
    public var startTime: Date?
    /// Begins a new trace, whatever is current.
    public var root: Bool
    /// The trace id of a root, as 1 to 32 hex digits. A bad one is replaced by a random one.
    public var traceId: String?
    /// The span is internal to a framework, and hidden unless asked for.
    public var isInternal: Bool
    /// What holds for the span and everything inside.
    public var context: ContextOptions?

    public init(
        metadata: Attributes? = nil, tags: [String]? = nil, links: [(any SpanParent, Attributes)] = [],
        startTime: Date? = nil, root: Bool = false, traceId: String? = nil, isInternal: Bool = false,
        context: ContextOptions? = nil
    ) {
        self.metadata = metadata
        self.tags = tags
        self.links = links
        self.startTime = startTime
        self.root = root
        self.traceId = traceId
        self.isInternal = isInternal
        self.context = context
    }
}

/// All that is given of a span which starts; lent, since a copy would cost more than some spans.
struct Described: ~Copyable {
    let name: String
    let type: SpanType
    let kind: SpanKind?
    let attributes: Attributes?
    let input: Any?
    private let seldom: Seldom?
    /// It stands for an instant.
    var isInstant = false

    /// Options are large, and most spans have none.
    private final class Seldom {
        let options: SpanOptions
        init(_ options: SpanOptions) { self.options = options }
    }

    init(name: String, type: SpanType, kind: SpanKind?, attributes: Attributes?, input: Any?, options: SpanOptions?) {
        self.name = name
        self.type = type
        self.kind = kind
        self.attributes = attributes
        self.input = input
        seldom = options.map(Seldom.init)
    }

    var options: SpanOptions? { seldom?.options }
    var hasOptions: Bool { seldom != nil }
}
