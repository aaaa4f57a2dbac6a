// Having the engine start a span: for samplers that are asked, hidden types, metadata, remote parents, request contexts.

import Foundation
import PolyspanNative
import PolyspanShims

/// Has the engine start a span, or the one that is chosen for it: it is described as the body of an event, and goes on as
/// what the engine has written of it.
func askEngine(
    _ given: borrowing Described, _ parent: Span?, _ around: Surroundings?, _ asked: Recorder, selects: Bool = false
) -> Span {
    // Known before: a start that the engine has told of is followed by an end. Of a selector's choice nothing is known.
    if !selects, !asked.opens() { return tooMany(given, parent, around, asked) }
    defer { if !selects { asked.closed() } }
    // A selector is told of it, too.
    let withContent = selects || asked.terms.readsContent
    let withInput = asked.terms.showsStarts && asked.terms.io
    let started = PolyspanNative.startSpan(
        engine: selects ? nil : asked.engine,
        described: described(given, asked, withContent: withContent, withInput: withInput),
        parent: parent.map { SpanContext(trace: $0.trace, id: $0.seenId, isRemote: $0.isRemote).data } ?? Data(),
        around: around?.native,
        request: given.options?.context?.requestContext.map(wholeValue) ?? Data(),
        traceId: parent == nil ? given.options?.traceId : nil)
    guard let slot = started.slot, let identity = SpanContext(data: started.context) else {
        return startsNowhere(parent, around)
    }
    var inner = started.ambient.map { Surroundings($0, hasSession: around?.hasSession == true) } ?? around
    guard let recorder = slot == asked.terms.slot ? asked : Registry.recorder(slot: UInt16(truncatingIfNeeded: slot)) else {
        // An engine that another language of this process runs: it has counted the start, and nobody here can hand it the end.
        return .standing(trace: identity.trace.unsampled, id: identity.id, around: inner)
    }
    var session: String?
    if selects, let sessions = sessionsAsked(recorder, parent, around) {
        inner = sessions.surroundings(inside: inner)
        session = sessions.current
    }
    guard let written = started.body, written.count >= Head.size else {
        // The engine has counted its start.
        return quiet(
            given.name, given.type, given.kind, startTime: given.options?.startTime, identity.trace, id: identity.id, inner,
            recorder, isCounted: true)
    }
    guard let body = takeBody(recorder) else {
        recorder.count(.unsampled)
        return .standing(trace: identity.trace, id: identity.id, recorder: recorder, around: inner)
    }
    body.pointee.body.raw(written)
    let trace = shared(identity.trace, with: parent)
    let above = parent?.openAbove
    let ownId = UInt64(bigEndian: body.word(Head.spanId, UInt64.self).littleEndian)
    recorder.opened()
    let span = Span(
        trace: trace, id: ownId, seenId: identity.id, recorder: recorder, parent: above, around: inner, isRemote: false,
        body: body)
    body.set(span.moment(given.options?.startTime) ?? Clock.now(), at: Head.start)
    span.list(below: above)
    fill(span, given, hasContent: withContent, hasInput: withInput)
    if let session { span.set("session.id", session) }
    return span
}

/// What stands for a span that does not record since too many are open: of its parent's trace, or of one of its own.
private func tooMany(
    _ given: borrowing Described, _ parent: Span?, _ around: Surroundings?, _ recorder: Recorder
) -> Span {
    recorder.count(.openLimit)
    let ids = given.options?.traceId.flatMap { idWords($0, digits: 32) }
    let trace =
        parent?.trace.unsampled
        ?? Trace(high: ids?.0 ?? randomWord(), low: ids?.1 ?? randomWord() | 1, flags: ids == nil ? 2 : 0, state: "")
    return quiet(
        given.name, given.type, given.kind, startTime: given.options?.startTime, trace, id: randomSpanId(), around, recorder,
        isCounted: false)
}

/// The body of an event that says what is known of a span which is to start.
private func described(_ given: borrowing Described, _ recorder: Recorder, withContent: Bool, withInput: Bool) -> Data {
    withScratch { out in
        guard out.reserve(Head.size) else { return Data() }
        out.end.initializeMemory(as: UInt8.self, repeating: 0, count: Head.size)
        out.at = UInt32(Head.size)
        var flags: UInt16 = 0
        if given.kind != nil { flags |= RecordFlag.kindGiven }
        if given.options?.isInternal == true { flags |= RecordFlag.internal }
        if given.isInstant { flags |= RecordFlag.event }
        if let start = given.options?.startTime.flatMap(Clock.nanos) { out.set(start, at: Head.start) }
        out.set(given.kind?.rawValue ?? 1, at: Head.kind)
        out.set(given.type.number, at: Head.type)
        out.set(flags, at: Head.recordFlags)
        out.put(Field.name)
        _ = out.key(given.name)
        var cuts = Cuts()
        func put(_ tag: UInt8, _ attributes: Attributes?) {
            for entry in attributes?.entries ?? [] where !entry.key.isEmpty {
                out.put(tag)
                _ = out.key(entry.key)
                capture(entry.value)
            }
        }
        func capture(_ value: Any?) {
            var capture = Capture(recorder.terms.bounds)
            capture.value(value, into: &out)
            cuts.altered += capture.cuts.altered
            cuts.limited += capture.cuts.limited
        }
        if withContent {
            put(Field.attribute, given.attributes)
            for (target, attributes) in given.options?.links ?? [] {
                guard let to = target.asSpanContext else { continue }
                Span.standing().linkField(to, attributes, recorder, into: &out)
            }
        }
        put(Field.metadata, given.options?.metadata)
        if withInput, let input = given.input {
            out.put(Field.input)
            capture(input)
        }
        recorder.add(cuts)
        return out.data
    }
}

/// The trace of the parent where it is the same in everything, so that `endTree` finds the span.
private func shared(_ trace: Trace, with parent: Span?) -> Trace {
    guard let known = parent?.trace, known.open != nil, known.high == trace.high, known.low == trace.low,
        known.flags == trace.flags, known.state == trace.state
    else { return trace }
    return known
}
