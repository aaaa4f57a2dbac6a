// What is current in a task: a span, and what spans inside inherit.

import Foundation
import PolyspanShims

/// What a task has. A struct, so that reading it allocates nothing.
struct Slot: Sendable {
    let span: Span?
    let around: Surroundings?

    /// What goes along into tasks. No optional: the runtime takes one in and out by way of its type, which is slower.
    @TaskLocal static var held = Slot(span: nil, around: nil)

    /// Nil where nothing is current.
    static var current: Slot? {
        let held = held
        return held.span == nil && held.around == nil ? nil : held
    }

    /// Runs `body`, which does not wait, with this current: in the task local, and where this thread finds it for a tenth of
    /// the price until `body` has ended.
    @inline(__always)
    static func with<R>(_ span: Span?, _ around: Surroundings?, _ body: () throws -> R) rethrows -> R {
        guard let here = polyspan_here_get() else {
            return try $held.withValue(Slot(span: span, around: around), operation: body)
        }
        let before = here.pointee
        here.pointee = polyspan_here(span: address(span), around: address(around), task: polyspan_task())
        defer { here.pointee = before }
        return try $held.withValue(Slot(span: span, around: around), operation: body)
    }

    /// What is current, where code that does not wait has made it so and this is that code.
    @inline(__always)
    static func here<R>(_ read: (Span, Unmanaged<Surroundings>?) -> R?) -> R? {
        guard let here = polyspan_here_get()?.pointee, let span = here.span, here.task == polyspan_task() else { return nil }
        let around = here.around.map { Unmanaged<Surroundings>.fromOpaque($0) }
        return Unmanaged<Span>.fromOpaque(span)._withUnsafeGuaranteedRef { read($0, around) }
    }
}

@inline(__always)
private func address(_ object: (some AnyObject)?) -> UnsafeMutableRawPointer? {
    object.map { Unmanaged.passUnretained($0).toOpaque() }
}

/// An immutable context: a span, often one of another process, and what spans inside inherit.
public struct TraceContext: Sendable, SpanParent {
    let span: Span?
    let around: Surroundings?

    init(span: Span?, around: Surroundings?) {
        self.span = span
        self.around = around
    }

    /// What is current here.
    public static var current: TraceContext {
        let slot = Slot.current
        return TraceContext(span: slot?.span, around: slot?.around)
    }

    /// The span context; nil where there is no span.
    public var spanContext: SpanContext? { span?.context }
    public var asSpanContext: SpanContext? { span?.context }

    /// The baggage; properties stand behind the value.
    public var baggage: [String: String] { around?.baggage ?? [:] }

    /// Runs `body` with this context current: what a callback that leaves the task needs.
    public func run<R>(_ body: () throws -> R) rethrows -> R {
        try Slot.with(span, around, body)
    }

    /// The same for a body that waits.
    public func run<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
    ) async rethrows -> R {
        try await Slot.$held.withValue(Slot(span: span, around: around), operation: body)
    }

    /// This context with more around it.
    func adding(_ options: ContextOptions) -> TraceContext {
        let added = options.added
        if added.isEmpty { return self }
        return TraceContext(span: span, around: .inside(around, adding: added, place: "context"))
    }
}

private func given(_ options: ContextOptions, _ parent: (any SpanParent)?) -> TraceContext {
    var outer = TraceContext.current
    if let parent {
        let chosen = chosenParent(parent, slot: Slot.current)
        outer = TraceContext(span: chosen.span ?? outer.span, around: chosen.around)
    }
    return outer.adding(options)
}

/// Runs `body` with more around it: ids, tags, metadata, attributes or baggage for everything inside, or another parent.
public func withTraceContext<R>(
    _ options: ContextOptions = ContextOptions(), parent: (any SpanParent)? = nil, _ body: () throws -> R
) rethrows -> R {
    try given(options, parent).run(body)
}

/// The same for a body that waits.
public func withTraceContext<R>(
    _ options: ContextOptions = ContextOptions(), parent: (any SpanParent)? = nil,
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R
) async rethrows -> R {
    try await given(options, parent).run(body)
}

/// The parent that was given, with what spans inside it inherit.
func chosenParent(_ given: any SpanParent, slot: Slot?) -> TraceContext {
    if let span = given as? Span { return TraceContext(span: span, around: span.around ?? slot?.around) }
    if let context = given as? TraceContext { return TraceContext(span: context.span, around: context.around ?? slot?.around) }
    guard let found = given.asSpanContext else {
        Log.refuse("parent")
        return TraceContext(span: slot?.span, around: slot?.around)
    }
    let span = Span.standing(trace: found.trace, id: found.id, around: slot?.around, isRemote: found.isRemote)
    return TraceContext(span: span, around: slot?.around)
}
