// How spans end: one alone, or with all that are open below it; and what they hold of those above them.

import Foundation
import PolyspanShims

extension Span {
    /// Ends the span now, or at `time`. The first end counts.
    @inline(__always)
    public func end(at time: Date? = nil) {
        end(nanos: moment(time))
    }

    /// Ends it now.
    @usableFromInline
    func finish() { end(nanos: nil) }

    /// Sets the output, then ends the span.
    public func end(output: Any?, at time: Date? = nil) {
        update(output: output)
        end(at: time)
    }

    func end(nanos: UInt64?) {
        guard let body, let sharedRecorder else { return }
        sharedRecorder._withUnsafeGuaranteedRef { end(body, $0, nanos) }
    }

    @inline(__always)
    private func end(_ body: Body, _ recorder: Recorder, _ nanos: UInt64?) {
        var full: Int?
        let isOwner = polyspan_span_lock(body)
        let state = body.pointee.state
        polyspan_set_state(body, SpanState.ended)
        switch state {
        case SpanState.open: full = leave(body, recorder, nanos ?? Clock.now())
        case SpanState.quiet: full = leaveQuietly(body, recorder, nanos)
        default: recorder.count(.endedTwice)
        }
        polyspan_span_unlock(body, isOwner)
        if state == SpanState.open, body.pointee.is_listed {
            let holdsEnded = sharedTrace._withUnsafeGuaranteedRef { $0.open.map { polyspan_unlist($0, body) } ?? false }
            if holdsEnded { letGoOfEnded(body) }
        }
        if let full { recorder.submit(full: full) }
    }

    /// Puts a span that is locked into a frame. Returns the frame that is full by that, as `leaveQuietly` does.
    private func leave(_ body: Body, _ recorder: Recorder, _ end: UInt64) -> Int? {
        let start = body.word(Head.start, UInt64.self)
        if end < start { recorder.count(.altered) }
        body.set(max(start, end), at: Head.end)
        let full = recorder.take(body, kind: EventKind.ended)
        // What was kept is in the frame.
        if body.pointee.body.bytes != body.pointee.body.fixed { polyspan_buffer_free(&body.pointee.body) }
        return full
    }

    private func leaveQuietly(_ body: Body, _ recorder: Recorder, _ end: UInt64?) -> Int? {
        guard recorder.terms.countsUnsampled else {
            recorder.count(.unsampled)
            return nil
        }
        let start = body.word(Head.start, UInt64.self)
        let nanos = end ?? Clock.now()
        let length = 14 + Int(body.pointee.body.at) - Head.size
        return recorder.append(kind: EventKind.unsampled, length: length, spans: 0) { frame in
            frame.put(nanos > start ? nanos - start : 0)
            frame.put(body.word(Head.type, UInt16.self))
            frame.put(body.recordFlags & RecordFlag.kindGiven)
            frame.put(body.word(Head.kind, UInt8.self))
            frame.put(body.word(Head.status, UInt8.self))
            frame.raw(UnsafeRawBufferPointer(rebasing: body.pointee.body.written[Head.size...]))
        }
    }

    /// Ends every open span below this one, the latest first, and then this one, all at the same moment.
    public func endTree() {
        let moment = Clock.now()
        if let body, let recorder {
            while let full = endBelow(body, recorder, moment) { recorder.submit(full: full) }
        }
        end(nanos: moment)
    }

    /// Ends the spans below until a frame is full, which it returns: that one is handed in without the lock of the list, and
    /// what is still open then comes next.
    private func endBelow(_ top: Body, _ recorder: Recorder, _ moment: UInt64) -> Int? {
        guard let open = trace.open else { return nil }
        let isOwner = polyspan_open_lock(open)
        defer { polyspan_open_unlock(open, isOwner) }
        var at = open.pointee.last
        // Spans in the list live: each is taken out under this lock before it goes.
        while let span = at {
            at = span.pointee.previous
            guard span != top, polyspan_is_open(span), isBelow(span, top) else { continue }
            let full = span.locked { span -> Int? in
                guard span.isOpen else { return nil }
                polyspan_set_state(span, SpanState.ended)
                return leave(span, recorder, moment)
            }
            if let full { return full }
        }
        return nil
    }

    private func isBelow(_ span: Body, _ top: Body) -> Bool {
        var above = span.pointee.parent
        while let one = above {
            if one == top { return true }
            above = one.pointee.parent
        }
        return false
    }

    // --- Those above ------------------------------------------------------------------------------------------------

    /// The nearest that is open of it and those above. What has ended is passed by, so that a chain of spans, each started
    /// after the one before, does not grow for as long as the program runs.
    var openAbove: Span? {
        var above = self
        while let body = above.written, !polyspan_is_open(body) {
            guard let next = above.guardedParent else { return nil }
            above = next
        }
        return above
    }

    /// Another thread may be ending it, and change what it holds.
    private var guardedParent: Span? {
        guard let open = sharedTrace._withUnsafeGuaranteedRef({ $0.open }) else { return parent }
        let isOwner = polyspan_open_lock(open)
        defer { polyspan_open_unlock(open, isOwner) }
        return parent
    }

    /// Lets go of those above that have ended, up to the first that is open: where each span of a chain starts before the one
    /// before has ended, the last would hold all of them else. What has ended has done the same, so there are few.
    @inline(never)
    private func letGoOfEnded(_ body: Body) {
        guard let open = trace.open else { return }
        var held: Span?
        let isOwner = polyspan_open_lock(open)
        held = parent
        var above = held
        // The lock is that of this trace alone.
        while let one = above, one.isOfTrace(of: self), let ended = one.written, !polyspan_is_open(ended) { above = one.parent }
        if above !== held {
            // It was kept by the parent so far.
            if own == nil { own = (trace, recorder) }
            parent = above
            body.pointee.parent = above.flatMap { $0.isOfTrace(of: self) ? $0.body : nil }
        }
        polyspan_open_unlock(open, isOwner)
        // Only now: what goes with it takes the lock.
        withExtendedLifetime(held) {}
    }

    /// Whether both share one list of open spans.
    func isOfTrace(of other: Span) -> Bool { sharedTrace.toOpaque() == other.sharedTrace.toOpaque() }

    /// Puts it among the open ones of its trace. The list knows those above it in the same one.
    func list(below above: Span?) {
        guard let body, let open = trace.open else { return }
        polyspan_list(open, body, above.flatMap { $0.isOfTrace(of: self) ? $0.body : nil })
    }
}
