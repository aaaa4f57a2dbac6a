// What spans inside a context inherit. Its content is the engine's; what follows from it for spans is asked once.

import Foundation
import PolyspanNative

/// Immutable and shared by all spans inside.
final class Surroundings: Sendable {
    let native: Ambient
    /// Whether a session was given, here or by who called; that of the app's own `Sessions` is none.
    let hasSession: Bool
    /// By the number of the engine.
    private let beginnings = Locked<[UInt16: Beginning]>([:])

    init(_ native: Ambient, hasSession: Bool) {
        self.native = native
        self.hasSession = hasSession
    }

    func beginning(for recorder: Recorder) -> Beginning {
        if let known = beginnings.with({ $0[recorder.terms.slot] }) { return known }
        let found = Beginning(recorder.engine.inherited(around: native))
        beginnings.with { $0[recorder.terms.slot] = found }
        return found
    }

    /// What is inherited inside `outer` once these are added; what cannot be used is counted.
    static func inside(_ outer: Surroundings?, adding options: Attributes, place: String) -> Surroundings {
        let found = surround(outer: outer?.native, added: wholeValue(.map(options)))
        if found.refused > 0 { Log.refuse(place) }
        return Surroundings(found.ambient, hasSession: options["session_id"] != nil || outer?.hasSession == true)
    }

    /// What is inherited in a trace of the app's own session.
    static func inside(_ outer: Surroundings?, session: String) -> Surroundings {
        let added = wholeValue(.map(["session_id": .text(session)]))
        return Surroundings(surround(outer: outer?.native, added: added).ambient, hasSession: false)
    }

    /// The baggage; properties stand behind the value.
    var baggage: [String: String] {
        let flat = native.baggage()
        var found: [String: String] = [:]
        for at in stride(from: 0, to: flat.count - 2, by: 3) {
            found[flat[at]] = flat[at + 2].isEmpty ? flat[at + 1] : "\(flat[at + 1]);\(flat[at + 2])"
        }
        return found
    }
}

/// What holds for everything inside a span or context: ids, and what is hidden. What is nil stays as it is outside.
public struct ContextOptions: Sendable {
    public var sessionId: String?
    public var userId: String?
    public var organizationId: String?
    public var threadId: String?
    public var runId: String?
    public var requestId: String?
    public var resourceId: String?
    public var environment: String?
    public var entityType: String?
    public var entityId: String?
    public var entityName: String?
    /// Inputs, or outputs, of everything inside do not leave the process.
    public var hideInput = false
    public var hideOutput = false
    /// Families of span types that are internal to a framework inside: `workflow`, `agent`, `tool`, `model`, `all`.
    public var internalSpans: [String]?
    /// What the application knows about the request: samplers see it, and roots take metadata out of it.
    public var requestContext: Value?
    /// Names or dotted paths of the request context that roots take as metadata.
    public var requestContextKeys: [String]?
    /// Tags of traces that begin inside.
    public var tags: [String]?
    public var metadata: Attributes?
    public var attributes: Attributes?
    public var baggage: Baggage?

    public init(
        sessionId: String? = nil, userId: String? = nil, organizationId: String? = nil, threadId: String? = nil,
        runId: String? = nil, requestId: String? = nil, resourceId: String? = nil, environment: String? = nil,
        entityType: String? = nil, entityId: String? = nil, entityName: String? = nil, hideInput: Bool = false,
        hideOutput: Bool = false, internalSpans: [String]? = nil, requestContext: Value? = nil,
        requestContextKeys: [String]? = nil, tags: [String]? = nil, metadata: Attributes? = nil,
        attributes: Attributes? = nil, baggage: Baggage? = nil
    ) {
        self.sessionId = sessionId
        self.userId = userId
        self.organizationId = organizationId
        self.threadId = threadId
        self.runId = runId
        self.requestId = requestId
        self.resourceId = resourceId
        self.environment = environment
        self.entityType = entityType
        self.entityId = entityId
        self.entityName = entityName
        self.hideInput = hideInput
        self.hideOutput = hideOutput
        self.internalSpans = internalSpans
        self.requestContext = requestContext
        self.requestContextKeys = requestContextKeys
        self.tags = tags
        self.metadata = metadata
        self.attributes = attributes
        self.baggage = baggage
    }

    /// As the engine reads it; empty where nothing is added.
    var added: Attributes {
        var added = Attributes()
        let ids = [
            ("session_id", sessionId), ("user_id", userId), ("organization_id", organizationId), ("thread_id", threadId),
            ("run_id", runId), ("request_id", requestId), ("resource_id", resourceId), ("environment", environment),
            ("entity_type", entityType), ("entity_id", entityId), ("entity_name", entityName),
        ]
        for (name, id) in ids { if let id { added[name] = .text(id) } }
        if hideInput { added["hide_input"] = true }
        if hideOutput { added["hide_output"] = true }
        if let internalSpans { added["internal_spans"] = .array(internalSpans.map { .text($0) }) }
        if let requestContext { added["request_context"] = requestContext }
        if let requestContextKeys { added["request_context_keys"] = .array(requestContextKeys.map { .text($0) }) }
        if let attributes { added["attributes"] = .map(attributes) }
        if let metadata { added["metadata"] = .map(metadata) }
        if let tags { added["tags"] = .array(tags.map { .text($0) }) }
        if let baggage { added["baggage"] = baggage.value }
        return added
    }
}
