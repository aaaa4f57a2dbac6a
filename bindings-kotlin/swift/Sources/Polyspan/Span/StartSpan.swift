// Starting spans. Most are decided here, from what the engine has handed out ahead; about the others the engine is asked
// (`AskEngine.swift`).

import Foundation
import PolyspanShims

/// Starts a span of which nothing else is known than this, inside what is current: the way of nearly all of them.
@usableFromInline
func start(plain name: String, _ type: SpanType, _ kind: SpanKind?) -> Span {
    let begun = Slot.here { parent, around -> Span? in
        guard let known = parent.sharedRecorder else { return nil }
        return known._withUnsafeGuaranteedRef { recorder in
            if parent.dropsChildren, !recorder.isStopped { return follower(of: parent, recorder) }
            return start(plain: name, type, kind, inside: parent, around, recorder)
        }
    }
    if let begun = begun ?? startRoot(name, type, kind) { return begun }
    return start(
        Described(name: name, type: type, kind: kind, attributes: nil, input: nil, options: nil), parent: nil, recorder: nil)
}

@inline(never)
private func start(
    plain name: String, _ type: SpanType, _ kind: SpanKind?, inside parent: Span, _ around: Unmanaged<Surroundings>?,
    _ recorder: Recorder
) -> Span? {
    if around == nil, let begun = beginInside(name, type, kind, parent, recorder) { return begun }
    return startInside(name, type, kind, hasAttributes: false, parent, around?.takeUnretainedValue(), recorder)
}

/// Inside a span of the same engine that records and is open, where nothing is inherited: what is left of `startInside` and
/// `begin` then. Nil where it is not so.
@inline(__always)
private func beginInside(_ name: String, _ type: SpanType, _ kind: SpanKind?, _ parent: Span, _ recorder: Recorder) -> Span? {
    guard let above = parent.written, polyspan_is_open(above), recorder.beginsPlainly, recorder.terms.inheritsPlainly,
        !recorder.isStopped
    else { return nil }
    return parent.sharedTrace._withUnsafeGuaranteedRef { trace in
        guard trace.isPlain, trace.isSampled, let open = trace.open, recorder.opens() else { return nil }
        guard let body = takeBody(recorder) else {
            recorder.closed()
            return nil
        }
        body.pointee.lock.owner = polyspan_owner()
        let id = randomSpanId()
        let span = Span(inside: parent, id: id, around: nil, body: body)
        let flags = kind == nil ? 0 : RecordFlag.kindGiven
        body.begin(trace: trace, id: id, parentId: parent.seenId, start: Clock.now(), flags: flags)
        if type.number != 0 { body.set(type.number, at: Head.type) }
        if let kind { body.set(kind.rawValue, at: Head.kind) }
        body.named(name, recorder)
        polyspan_list(open, body, above)
        return span
    }
}

/// A new trace of the default engine, where nothing is current and nothing has to be asked; nil where it is not so.
private func startRoot(_ name: String, _ type: SpanType, _ kind: SpanKind?) -> Span? {
    guard Slot.current == nil, !Registry.selects, let recorder = Registry.recorder, !recorder.isStopped,
        recorder.sessions == nil, recorder.terms.hidesNothing, !recorder.inherited(nil).asks, let root = recorder.nextRoot()
    else { return nil }
    root.trace.open?.pointee.lock.owner = polyspan_owner()
    return begin(
        name, type, kind, isInstant: false, startTime: nil, root.trace, records: root.records, nil, nil, recorder, isOwned: true)
}

/// Starts a span of that engine, or of the parent's, or of the default one.
func start(_ given: borrowing Described, parent chosen: (any SpanParent)?, recorder own: Recorder?) -> Span {
    let slot = Slot.current
    if chosen == nil, !given.hasOptions, !given.isInstant, let slot, let parent = slot.span, let recorder = parent.recorder,
        own == nil || own === recorder
    {
        let begun = startInside(
            given.name, given.type, given.kind, hasAttributes: given.attributes != nil, parent, slot.around, recorder)
        if let begun {
            if begun.isRecording { fill(begun, given, hasContent: false) }
            return begun
        }
    }
    return start(given, slot, chosen, own)
}

/// Inside another span of the same engine, with nothing to be decided; nil where it is not so.
@inline(__always)
private func startInside(
    _ name: String, _ type: SpanType, _ kind: SpanKind?, hasAttributes: Bool, _ parent: Span, _ around: Surroundings?,
    _ recorder: Recorder
) -> Span? {
    guard recorder.terms.inheritsPlainly, !recorder.isStopped, !parent.isRemote else { return nil }
    return parent.sharedTrace._withUnsafeGuaranteedRef { trace in
        guard trace.isPlain else { return nil }
        if !trace.isSampled, !recorder.terms.countsUnsampled { return follower(of: parent, around, recorder) }
        if trace.isSampled {
            if recorder.terms.readsContent, hasAttributes { return nil }
            if let around, recorder.inherited(around).asks { return nil }
        }
        return begin(
            name, type, kind, isInstant: false, startTime: nil, trace, records: trace.isSampled, parent, around, recorder)
    }
}

private func start(
    _ given: borrowing Described, _ slot: Slot?, _ chosen: (any SpanParent)?, _ own: Recorder?
) -> Span {
    if slot?.span === Span.muted { return Span.muted }
    var parent = slot?.span
    var around = slot?.around
    let options = given.options
    if let chosen {
        let context = chosenParent(chosen, slot: slot)
        parent = context.span
        around = context.around
    } else if options?.root == true {
        parent = nil
    }
    if let found = parent, !found.trace.isValid { parent = nil }
    let known = own ?? parent?.recorder
    let selects = known == nil && Registry.selects
    guard !selects, let recorder = known ?? Registry.recorder, !recorder.isStopped || own != nil else {
        return startElsewhere(given, parent, around, selects: selects)
    }
    let inherited = options?.context?.added
    if inherited?["session_id"] == nil, let sessions = sessionsAsked(recorder, parent, around) {
        around = sessions.surroundings(inside: around)
    }
    let asks = options?.metadata != nil || options?.isInternal == true || inherited?["request_context"] != nil
    if let parent, !parent.trace.isSampled, !parent.isRemote, !asks, inherited == nil, chosen == nil,
        follows(recorder, parent)
    {
        if !recorder.terms.countsUnsampled { return follower(of: parent, around, recorder) }
        if let counted = begin(given, parent, around, recorder) { return counted }
    }
    if let inherited, !inherited.isEmpty { around = .inside(around, adding: inherited, place: "span") }
    if asks || mustAsk(recorder, given, parent, around) { return askEngine(given, parent, around, recorder) }
    return begin(given, parent, around, recorder) ?? askEngine(given, parent, around, recorder)
}

/// What gives a span its session: where it is the first of its trace here, and nobody has said which session it is.
func sessionsAsked(_ recorder: Recorder, _ parent: Span?, _ around: Surroundings?) -> Sessions? {
    guard parent?.isRemote != false, around?.hasSession != true else { return nil }
    return recorder.sessions
}

/// Whether the children of a span that is not sampled are certain not to be sampled either.
private func follows(_ recorder: Recorder, _ parent: Span) -> Bool {
    switch recorder.terms.localParent {
    case .inherit: true
    case .drop: parent.trace.state.isEmpty
    default: false
    }
}

/// What stands for children of a span that is not sampled: they share its ids and keep nothing.
@inline(__always)
private func follower(of parent: Span, _ recorder: Recorder) -> Span {
    recorder.countFollower()
    guard let body = parent.body else { return parent }
    guard let known = polyspan_follower(body) else { return firstFollower(of: parent, body, recorder) }
    return Unmanaged<Span>.fromOpaque(known).takeUnretainedValue()
}

/// The same where more may be around than around the parent, baggage for example, which travels all the same.
private func follower(of parent: Span, _ around: Surroundings?, _ recorder: Recorder) -> Span {
    if parent.around === around { return follower(of: parent, recorder) }
    recorder.countFollower()
    return .standing(
        trace: parent.trace, id: parent.seenId, recorder: recorder, around: around, dropsChildren: parent.dropsChildren)
}

@inline(never)
private func firstFollower(of parent: Span, _ body: Body, _ recorder: Recorder) -> Span {
    let follower = Span.standing(
        trace: parent.trace, id: parent.seenId, recorder: recorder, around: parent.around, standsForCurrent: true)
    let own = Unmanaged.passRetained(follower).toOpaque()
    guard let known = polyspan_follow(body, own), known != own else { return follower }
    Unmanaged<Span>.fromOpaque(own).release()
    return Unmanaged<Span>.fromOpaque(known).takeUnretainedValue()
}

/// Whether the engine has to be asked about a span.
private func mustAsk(_ recorder: Recorder, _ given: borrowing Described, _ parent: Span?, _ around: Surroundings?) -> Bool {
    let terms = recorder.terms
    if !terms.hidesNothing || recorder.inherited(around).asks { return true }
    if terms.readsContent, given.attributes != nil || given.options?.links.isEmpty == false { return true }
    guard let parent else { return !terms.drawsRoots || recorder.isPressed || given.options?.traceId != nil }
    if parent.isRemote || parent.trace.flags > 3 { return true }
    switch terms.localParent {
    case .inherit: return false
    case .sample: return !parent.trace.state.isEmpty || !parent.trace.isSampled
    case .drop: return !parent.trace.state.isEmpty || parent.trace.isSampled
    case .ask: return true
    }
}

/// A span whose engine is not known here, or which the application's selector chooses.
private func startElsewhere(
    _ given: borrowing Described, _ parent: Span?, _ around: Surroundings?, selects: Bool
) -> Span {
    guard let recorder = Registry.recorder else { return startsNowhere(parent, around) }
    var around = around
    if let inherited = given.options?.context?.added, !inherited.isEmpty {
        around = .inside(around, adding: inherited, place: "span")
    }
    return askEngine(given, parent, around, recorder, selects: selects)
}

/// Before `start`: it stands for its parent, so that context still travels.
func startsNowhere(_ parent: Span?, _ around: Surroundings?) -> Span {
    Log.sayOnce("no engine", "spans are not recorded before `Polyspan.start`")
    guard let parent else { return .standing(around: around) }
    return .standing(trace: parent.trace, id: parent.seenId, around: around, isRemote: parent.isRemote)
}

/// Starts a span about which everything is known here; nil where nothing is known about new traces.
private func begin(_ given: borrowing Described, _ parent: Span?, _ around: Surroundings?, _ recorder: Recorder) -> Span? {
    let trace: Trace
    let records: Bool
    if let parent {
        trace = parent.trace
        records = trace.isSampled
    } else {
        guard let root = recorder.nextRoot() else { return nil }
        trace = root.trace
        records = root.records
    }
    let begun = begin(
        given.name, given.type, given.kind, isInstant: given.isInstant, startTime: given.options?.startTime, trace,
        records: records, parent, around, recorder)
    if begun.isRecording { fill(begun, given, hasContent: false) }
    return begun
}

/// The same without what can be set later as well.
///
/// - Parameters:
///   - isOwned: whether this thread is most likely the only one that sees it while it is open.
private func begin(
    _ name: String, _ type: SpanType, _ kind: SpanKind?, isInstant: Bool, startTime: Date?, _ trace: Trace,
    records isSampled: Bool, _ parent: Span?, _ around: Surroundings?, _ recorder: Recorder, isOwned: Bool = false
) -> Span {
    var records = isSampled
    let isRefused = records && !recorder.opens()
    if isRefused { records = false }
    let id = randomSpanId()
    if !records {
        let own = isRefused ? trace.unsampled : trace
        if isRefused { recorder.count(.openLimit) }
        return quiet(name, type, kind, startTime: startTime, own, id: id, around, recorder, isCounted: false)
    }
    guard let body = takeBody(recorder) else {
        recorder.closed()
        recorder.countFollower()
        return .standing(trace: trace.unsampled, id: id, recorder: recorder, around: around)
    }
    if isOwned { body.pointee.lock.owner = polyspan_owner() }
    let beginning = around == nil && recorder.beginsPlainly ? nil : recorder.inherited(around)
    var flags = beginning?.flags ?? 0
    if parent == nil { flags |= RecordFlag.root | RecordFlag.localRoot }
    if isInstant { flags |= RecordFlag.event }
    if kind != nil { flags |= RecordFlag.kindGiven }
    let span: Span
    let above = parent?.openAbove
    if let parent, above === parent, parent.sharedRecorder?.toOpaque() == Unmanaged.passUnretained(recorder).toOpaque() {
        span = Span(inside: parent, id: id, around: around, body: body)
    } else {
        span = Span(
            trace: trace, id: id, seenId: id, recorder: recorder, parent: above, around: around, isRemote: false, body: body)
    }
    let start = startTime == nil ? Clock.now() : span.moment(startTime) ?? Clock.now()
    body.begin(trace: trace, id: id, parentId: parent?.seenId ?? 0, start: start, flags: flags)
    if type.number != 0 { body.set(type.number, at: Head.type) }
    if let kind { body.set(kind.rawValue, at: Head.kind) }
    body.named(name, recorder)
    if !trace.isPlain, !trace.state.isEmpty {
        body.pointee.body.put(Field.traceState)
        body.pointee.body.sized(trace.state)
    }
    if let beginning {
        if !beginning.fields.isEmpty { body.pointee.body.raw(beginning.fields) }
        if parent == nil, !beginning.tags.isEmpty { body.pointee.body.raw(beginning.tags) }
    }
    span.list(below: above)
    return span
}

/// What is given at the start and can be set later as well.
func fill(_ span: Span, _ given: borrowing Described, hasContent: Bool, hasInput: Bool = false) {
    if let attributes = given.attributes, !hasContent { span.set(attributes) }
    if let input = given.input, !hasInput { span.slot(Field.input, input) }
    guard let options = given.options else { return }
    if let tags = options.tags { span.tags(tags) }
    if !hasContent { for (target, attributes) in options.links { span.link(target, attributes) } }
}

/// A span that does not record. Where none inside will, and nobody counts them one by one, it stands for them all: each has
/// ended when it starts. Elsewhere it counts its end, and keeps what metrics count of it, where they do.
///
/// - Parameters:
///   - isCounted: whether its start was counted.
func quiet(
    _ name: String, _ type: SpanType, _ kind: SpanKind?, startTime: Date?, _ trace: Trace, id: UInt64,
    _ around: Surroundings?, _ recorder: Recorder, isCounted: Bool
) -> Span {
    let counts = recorder.terms.countsUnsampled
    let stands = recorder.terms.inheritsPlainly && !counts && trace.isPlain && !trace.isSampled
    guard !stands, let body = takeBody(recorder) else {
        if isCounted { recorder.count(.unsampled) } else { recorder.countFollower() }
        return .standing(trace: trace, id: id, recorder: recorder, around: around, dropsChildren: stands)
    }
    // Metrics count its start and end by what is handed in for it.
    if !isCounted, !counts { recorder.count(.notRecording) }
    let span = Span(
        trace: trace, id: id, seenId: id, recorder: recorder, parent: nil, around: around, isRemote: false, body: body,
        isQuiet: true)
    body.pointee.state = SpanState.quiet
    guard counts else { return span }
    let start = span.moment(startTime) ?? Clock.now()
    body.begin(trace: trace, id: id, parentId: 0, start: start, flags: kind == nil ? 0 : RecordFlag.kindGiven)
    body.set(type.number, at: Head.type)
    if let kind { body.set(kind.rawValue, at: Head.kind) }
    _ = body.pointee.body.key(name)
    return span
}

/// Memory for a span of that engine; nil where there is none.
@inline(__always)
func takeBody(_ recorder: Recorder) -> Body? {
    polyspan_span_take(recorder.terms.textLimit, recorder.terms.spanLimit)
}
