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

/// All that is given of a span which starts.
struct Described {
    var name: String
    var type: SpanType
    var kind: SpanKind?
    var attributes: Attributes?
    var input: Any?
    var options: SpanOptions?
    /// It stands for an instant.
    var isInstant = false
}
