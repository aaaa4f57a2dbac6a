// The span as applications see it: what it is given is written into its body at once, which leaves when it ends. How, stands
// in `SpanBody.swift`; how it ends, in `SpanEnding.swift`. Nothing here throws, and any thread may use it.

import Foundation
import PolyspanShims

/// The role of a span in a request.
public enum SpanKind: UInt8, Sendable {
    case `internal` = 1
    case server, client, producer, consumer
}

/// How an operation went.
public enum SpanStatus: UInt8, Sendable {
    case unset, ok, error
}

/// An operation with a beginning and an end.
public final class Span: @unchecked Sendable {
    /// Kept by the parent where it has the same, which saves every span two reference counts; else by `own`.
    let sharedTrace: Unmanaged<Trace>
    let sharedRecorder: Unmanaged<Recorder>?
    var own: (trace: Trace, recorder: Recorder?)?
    let id: UInt64
    /// The id that others see: that of an ancestor where this span is hidden.
    let seenId: UInt64
    /// That it was started in, or the nearest above that was still open then, or when it ended; guarded by the trace's lock.
    var parent: Span?
    let around: Surroundings?
    let isRemote: Bool
    /// Nil where it stands for a span that is counted elsewhere or nowhere.
    let body: Body?
    /// Where goes what is set: the body of a span that records.
    @usableFromInline let written: Body?
    /// It is certain of its children that they do not record, nor are asked about.
    @usableFromInline let dropsChildren: Bool
    /// It was started inside what is current, and that is as good a parent: it need not be made current.
    @usableFromInline let standsForCurrent: Bool

    init(
        trace: Trace, id: UInt64, seenId: UInt64, recorder: Recorder?, parent: Span?, around: Surroundings?, isRemote: Bool,
        body: Body?, isQuiet: Bool = false, dropsChildren: Bool = false, standsForCurrent: Bool = false
    ) {
        sharedTrace = .passUnretained(trace)
        sharedRecorder = recorder.map { .passUnretained($0) }
        own = (trace, recorder)
        written = isQuiet ? nil : body
        self.id = id
        self.seenId = seenId
        self.parent = parent
        self.around = around
        self.isRemote = isRemote
        self.body = body
        self.dropsChildren = dropsChildren
        self.standsForCurrent = standsForCurrent
    }

    /// One of the same trace and engine as its parent.
    init(inside parent: Span, id: UInt64, around: Surroundings?, body: Body) {
        sharedTrace = parent.sharedTrace
        sharedRecorder = parent.sharedRecorder
        own = nil
        written = body
        self.id = id
        seenId = id
        self.parent = parent
        self.around = around
        isRemote = false
        self.body = body
        dropsChildren = false
        standsForCurrent = false
    }

    /// What stands for a span of another process, or for none; for those inside as well where it is certain of them.
    static func standing(
        trace: Trace = .none, id: UInt64 = 0, recorder: Recorder? = nil, around: Surroundings? = nil,
        isRemote: Bool = false, dropsChildren: Bool = false, standsForCurrent: Bool = false
    ) -> Span {
        Span(
            trace: trace, id: id, seenId: id, recorder: recorder, parent: nil, around: around, isRemote: isRemote, body: nil,
            dropsChildren: dropsChildren, standsForCurrent: standsForCurrent)
    }

    deinit {
        guard let body else { return }
        if body.pointee.is_listed, let open = trace.open { _ = polyspan_unlist(open, body) }
        if body.isOpen { recorder?.closed() }
        if let follower = body.pointee.follower { Unmanaged<Span>.fromOpaque(follower).release() }
        polyspan_span_give(body)
        // One after the other: a long chain that is let go of at once would take the stack.
        var above = parent
        parent = nil
        while above != nil, isKnownUniquelyReferenced(&above) { above = above?.letGo() }
    }

    private func letGo() -> Span? {
        defer { parent = nil }
        return parent
    }

    /// What is current while the host stage calls the application: what that records would be its own next work.
    static let muted = Span.standing()

    var trace: Trace { sharedTrace.takeUnretainedValue() }
    var recorder: Recorder? { sharedRecorder?.takeUnretainedValue() }

    // --- Identity -------------------------------------------------------------------------------------------------

    /// The trace id as 32 lower-case hex digits; all zeros where no engine runs.
    public var traceId: String { trace.id }
    /// The span id as 16 lower-case hex digits.
    public var spanId: String { hexDigits(seenId) }
    /// Whether what is set is kept: false when it is not sampled, has ended, or no engine runs.
    @inlinable public var isRecording: Bool {
        guard let written else { return false }
        return polyspan_is_open(written)
    }
    /// Its identity as others refer to it: a parent for other spans, a target for links.
    public var context: SpanContext { SpanContext(trace: trace, id: seenId, isRemote: isRemote) }

    // --- Setting things ---------------------------------------------------------------------------------------------

    @inline(__always)
    private func whenOpen(_ change: (Body, Recorder) -> Void) {
        guard let written, let sharedRecorder else { return }
        sharedRecorder._withUnsafeGuaranteedRef { recorder in
            written.locked { if $0.isOpen { change($0, recorder) } }
        }
    }

    // Each setter is inlined as far as the span it returns, which nobody needs to count who goes on without it; and so is
    // finding that it keeps nothing.

    /// Sets an attribute; the last value of a key counts.
    @inlinable @inline(__always)
    @discardableResult
    public func set(_ key: String, _ value: String) -> Span {
        if written != nil { put(key, value) }
        return self
    }

    @inlinable @inline(__always)
    @discardableResult
    public func set(_ key: String, _ value: Int) -> Span {
        if written != nil { put(key, value) }
        return self
    }

    @inlinable @inline(__always)
    @discardableResult
    public func set(_ key: String, _ value: Double) -> Span {
        if written != nil { put(key, value) }
        return self
    }

    @inlinable @inline(__always)
    @discardableResult
    public func set(_ key: String, _ value: Bool) -> Span {
        if written != nil { put(key, value) }
        return self
    }

    @usableFromInline
    func put(_ key: String, _ value: String) {
        guard let body = written else { return }
        // One after the other: a closure in which both are known would hold them.
        let length = value.utf8.count
        let place = key.utf8.withContiguousStorageIfAvailable { polyspan_open_text(body, $0.baseAddress, $0.count, length) }
        guard let place, let bytes = place.bytes else { return carefully(key, value) }
        let isCopied: Void? = value.utf8.withContiguousStorageIfAvailable {
            polyspan_copy(bytes, $0.baseAddress, $0.count)
        }
        if isCopied == nil { copy(value, to: bytes) }
        polyspan_close_text(body, place)
    }

    @inline(never)
    private func carefully(_ key: String, _ value: String) {
        whenOpen { body, recorder in body.text(recorder, key, value) }
    }

    /// A text that has no UTF-8 in one piece.
    @inline(never)
    private func copy(_ text: String, to place: UnsafeMutablePointer<UInt8>) {
        for (at, byte) in text.utf8.enumerated() { place[at] = byte }
    }

    @usableFromInline
    func put(_ key: String, _ value: Int) {
        number(key, Kind.int, UInt64(bitPattern: Int64(value)))
    }

    @usableFromInline
    func put(_ key: String, _ value: Double) {
        number(key, Kind.double, value.bitPattern)
    }

    @usableFromInline
    func put(_ key: String, _ value: Bool) {
        guard let body = written else { return }
        let isDone = key.utf8.withContiguousStorageIfAvailable { polyspan_set_bool(body, $0.baseAddress, $0.count, value) }
        if isDone == true { return }
        carefully(key) { body, recorder in body.attribute(recorder, key) { $0.bool(value) } }
    }

    @inline(__always)
    private func number(_ key: String, _ kind: UInt8, _ bits: UInt64) {
        guard let body = written else { return }
        let isDone = key.utf8.withContiguousStorageIfAvailable {
            polyspan_set_number(body, $0.baseAddress, $0.count, kind, bits)
        }
        if isDone == true { return }
        carefully(key) { body, recorder in
            body.attribute(recorder, key) { out in
                out.put(kind)
                out.put(bits)
            }
        }
    }

    /// What is too long, too large or in need of room.
    @inline(never)
    private func carefully(_ key: String, _ change: (Body, Recorder) -> Void) {
        whenOpen(change)
    }

    /// The same for any value: `Encodable`, collections, dates, data, errors; see `docs/swift.md`, "Values". Nil is null.
    @discardableResult
    public func set(_ key: String, _ value: Any?) -> Span {
        captured(value) { body, recorder, bytes in body.attribute(recorder, key) { $0.raw(bytes) } }
        return self
    }

    /// Sets all of these.
    @discardableResult
    public func set(_ attributes: Attributes) -> Span {
        for (key, value) in attributes.pairs {
            switch value {
            case .text(let text): set(key, text)
            case .int(let number): set(key, Int(number))
            case .double(let number): set(key, number)
            case .bool(let bool): set(key, bool)
            default: set(key, value as Any?)
            }
        }
        return self
    }

    /// Captures a value, which may run code of the application, before the span is locked.
    private func captured(_ value: Any?, _ put: (Body, Recorder, UnsafeRawBufferPointer) -> Void) {
        guard let body, let recorder, isRecording else { return }
        withScratch { out in
            var capture = Capture(recorder.terms.bounds)
            capture.value(value, into: &out)
            recorder.add(capture.cuts)
            body.locked { if $0.isOpen { put($0, recorder, out.written) } }
        }
    }

    /// Sets any of these: name, input and output are replaced, the others merged. What is nil stays; `Value.null` is a null.
    ///
    /// - Parameters:
    ///   - metadata: added to the metadata of this span; the last value of a key counts.
    ///   - tags: of the trace; only its first span in this process carries them.
    @discardableResult
    public func update(
        name: String? = nil, input: Any? = nil, output: Any? = nil, metadata: Attributes? = nil,
        attributes: Attributes? = nil, tags: [String]? = nil
    ) -> Span {
        if let name { rename(name) }
        if let input { slot(Field.input, input) }
        if let output { slot(Field.output, output) }
        if let metadata { self.metadata(metadata) }
        if let attributes { set(attributes) }
        if let tags { self.tags(tags) }
        shows()
        return self
    }

    /// Replaces the input, and shows it.
    @inlinable @inline(__always)
    @discardableResult
    public func update(input: String) -> Span {
        if written != nil { put(input: input, shows: true) }
        return self
    }

    /// Replaces the output, and shows it.
    @inlinable @inline(__always)
    @discardableResult
    public func update(output: String) -> Span {
        if written != nil { put(output: output) }
        return self
    }

    @usableFromInline
    func put(input: String, shows isShown: Bool) {
        slot(Field.input, text: input)
        if isShown { shows() }
    }

    @usableFromInline
    func put(output: String) {
        slot(Field.output, text: output)
        shows()
    }

    private func slot(_ tag: UInt8, text: String) {
        guard let body = written, let sharedRecorder else { return }
        guard sharedRecorder._withUnsafeGuaranteedRef({ $0.terms.io }) else { return }
        let isDone = text.utf8.withContiguousStorageIfAvailable { polyspan_set_slot(body, tag, $0.baseAddress, $0.count) }
        if isDone != true { slotCarefully(tag, text) }
    }

    /// One that replaces another, or is too long, too large or in need of room.
    @inline(never)
    private func slotCarefully(_ tag: UInt8, _ text: String) {
        whenOpen { body, recorder in
            if recorder.terms.io { body.slot(recorder, tag) { $0.cutText(text, recorder) } }
        }
    }

    func slot(_ tag: UInt8, _ value: Any) {
        guard let recorder, recorder.terms.io else { return }
        if let text = value as? String {
            slot(tag, text: text)
        } else {
            captured(value) { body, recorder, bytes in body.slot(recorder, tag) { $0.raw(bytes) } }
        }
    }

    func metadata(_ metadata: Attributes) {
        for entry in metadata.entries {
            if entry.key.isEmpty {
                recorder?.count(.altered)
                continue
            }
            captured(entry.value) { body, recorder, bytes in
                body.field(recorder, dropped: nil) { out in
                    out.put(Field.metadata)
                    if out.key(entry.key) { recorder.count(.altered) }
                    out.raw(bytes)
                }
            }
        }
    }

    func tags(_ tags: [String]) {
        whenOpen { body, recorder in
            guard body.isLocalRoot else {
                recorder.count(.altered, Int64(tags.count))
                return
            }
            for tag in tags {
                body.field(recorder, dropped: nil) { out in
                    out.put(Field.tag)
                    if out.key(tag) { recorder.count(.altered) }
                }
            }
        }
    }

    /// Adds an event that happens now, or at `time`. The attributes are made only where the span records.
    @inlinable @inline(__always)
    @discardableResult
    public func event(
        _ name: String, _ attributes: @autoclosure () -> Attributes = Attributes(), time: Date? = nil
    ) -> Span {
        if isRecording { put(event: name, attributes(), time) }
        return self
    }

    @usableFromInline
    func put(event name: String, _ attributes: Attributes, _ time: Date?) {
        event(name, attributes, nanos: moment(time) ?? Clock.now())
    }

    func event(_ name: String, _ attributes: Attributes, nanos: UInt64) {
        // Attributes are plain data: nothing of the application's runs while the span is locked.
        whenOpen { body, recorder in
            body.event(recorder, name, time: nanos) { pairs(attributes, recorder, into: &$0) }
        }
        shows()
    }

    /// Writes keys and values in turn; how many.
    private func pairs(_ attributes: Attributes, _ recorder: Recorder, into out: inout Buffer) -> Int {
        var count = 0
        // By their places: an iterator would hold the array.
        for at in attributes.pairs.indices {
            let (key, value) = attributes.pairs[at]
            guard !key.isEmpty, count < Int(UInt16.max) else {
                recorder.count(.altered)
                continue
            }
            if out.key(key) { recorder.count(.altered) }
            switch value {
            case .text(let text): out.cutText(text, recorder)
            case .int(let number): out.int(number)
            case .double(let number): out.double(number)
            case .bool(let bool): out.bool(bool)
            default:
                var capture = Capture(recorder.terms.bounds)
                capture.value(value, depth: 0, into: &out)
                recorder.add(capture.cuts)
            }
            count += 1
        }
        return count
    }

    /// Links to another span.
    @discardableResult
    public func link(_ target: any SpanParent, _ attributes: Attributes = [:]) -> Span {
        guard let body, let recorder, isRecording else { return self }
        guard let to = target.asSpanContext else {
            recorder.count(.altered)
            Log.refuse("link")
            return self
        }
        withScratch { out in
            linkField(to, attributes, recorder, into: &out)
            body.locked { body in
                if body.isOpen { body.field(recorder, dropped: .links) { $0.raw(out.written) } }
            }
        }
        return self
    }

    func linkField(_ to: SpanContext, _ attributes: Attributes, _ recorder: Recorder, into out: inout Buffer) {
        out.put(Field.link)
        let place = Int(out.at)
        out.put(UInt32(0))
        out.raw(to.data.prefix(24))
        out.put(to.traceFlags)
        out.put(UInt8(to.isRemote ? 1 : 0))
        out.sized(to.traceState)
        out.put(UInt32(0))
        let countAt = Int(out.at)
        out.put(UInt16(0))
        let count = pairs(attributes, recorder, into: &out)
        out.set(UInt16(count), at: countAt)
        out.set(UInt32(Int(out.at) - place - 4), at: place)
    }

    /// Records that the operation failed: the error with its type and message, and the status. Ends the span unless told
    /// otherwise.
    ///
    /// - Parameters:
    ///   - end: whether the span ends.
    ///   - id: names the error where its type says too little; becomes `error.type`.
    ///   - details: whatever else is known about it.
    @discardableResult
    public func error(
        _ error: any Error, end: Bool = true, id: String? = nil, domain: String? = nil, category: String? = nil,
        details: Any? = nil, metadata: Attributes? = nil
    ) -> Span {
        let parts = ErrorParts(error)
        exception(parts, [:], nanos: Clock.now())
        set("error.type", id ?? parts.type)
        if let id { set("polyspan.error.id", id) }
        if let domain { set("polyspan.error.domain", domain) }
        if let category { set("polyspan.error.category", category) }
        if let details { set("polyspan.error.details", details) }
        if let metadata { self.metadata(metadata) }
        status(.error, parts.message)
        if end { self.end() } else { shows() }
        return self
    }

    /// Records an error as an event and leaves the status alone.
    @discardableResult
    public func recordException(_ error: any Error, _ attributes: Attributes = [:], time: Date? = nil) -> Span {
        exception(ErrorParts(error), attributes, nanos: moment(time) ?? Clock.now())
        return self
    }

    private func exception(_ parts: ErrorParts, _ attributes: Attributes, nanos: UInt64) {
        var fields: Attributes = ["exception.type": .text(parts.type), "exception.message": .text(parts.message)]
        // What the caller gives replaces what was found.
        for entry in attributes.entries { fields[entry.key] = entry.value }
        event("exception", fields, nanos: nanos)
    }

    /// Sets the status, with a message for an error. `ok` is final.
    @discardableResult
    public func status(_ status: SpanStatus, _ message: String? = nil) -> Span {
        guard let body, let recorder, status != .unset else { return self }
        body.locked { body in
            if body.isOpen {
                body.status(recorder, status.rawValue, message)
            } else if body.pointee.state == SpanState.quiet, recorder.terms.countsUnsampled,
                body.word(Head.status, UInt8.self) != 1
            {
                body.set(status.rawValue, at: Head.status)
            }
        }
        return self
    }

    /// Replaces the name.
    @discardableResult
    public func rename(_ name: String) -> Span {
        guard let body, let recorder else { return self }
        body.locked { body in
            if body.isOpen {
                body.field(recorder, dropped: nil) { out in
                    out.put(Field.name)
                    if out.key(name) { recorder.count(.altered) }
                }
            } else if body.pointee.state == SpanState.quiet, recorder.terms.countsUnsampled {
                body.pointee.body.at = UInt32(Head.size)
                _ = body.pointee.body.key(name)
            }
        }
        return self
    }

    func moment(_ time: Date?) -> UInt64? {
        guard let time else { return nil }
        guard let nanos = Clock.nanos(time) else {
            recorder?.count(.altered)
            Log.refuse("time")
            return nil
        }
        return nanos
    }

    /// Shows what it is by now to who follows open spans.
    private func shows() {
        guard let body = written, let sharedRecorder,
            sharedRecorder._withUnsafeGuaranteedRef({ $0.terms.showsUpdates }), let recorder
        else { return }
        let full = body.locked { $0.isOpen ? recorder.take($0, kind: EventKind.updated) : nil }
        if let full { recorder.submit(full: full) }
    }
}

extension Span: SpanParent {
    public var asSpanContext: SpanContext? { context }
}
