// The body of an open span: fields are written into a raw block as they are set, in the form in which they leave (a field of
// docs/frame.md each), and cut where a span grows too large. Everything here runs while the span is locked; nothing here
// runs code of the application.

import Foundation
import PolyspanShims

@usableFromInline typealias Body = UnsafeMutablePointer<polyspan_span>

/// How a span is.
enum SpanState {
    static let open: UInt32 = 0
    static let ended: UInt32 = 1
    /// Does not record, and counts its end.
    static let quiet: UInt32 = 2
}

/// Places in the head.
enum Head {
    static let size = 64
    static let spanId = 16
    static let parentId = 24
    static let start = 32
    static let end = 40
    static let flags = 48
    static let kind = 49
    static let status = 50
    static let type = 52
    static let recordFlags = 54
    static let scope = 56
}

/// Flags of a record.
enum RecordFlag {
    static let root: UInt16 = 1
    static let localRoot: UInt16 = 2
    static let event: UInt16 = 8
    static let `internal`: UInt16 = 16
    static let kindGiven: UInt16 = 256
}

/// What a span counts where there is too much of it.
enum Dropped {
    case attributes, events, links
}

private let truncated = "…[truncated]"

extension Body {
    @inline(__always)
    func locked<R>(_ body: (Body) throws -> R) rethrows -> R {
        let isOwner = polyspan_span_lock(self)
        defer { polyspan_span_unlock(self, isOwner) }
        return try body(self)
    }

    @inline(__always)
    var isOpen: Bool { pointee.state == SpanState.open }

    @inline(__always)
    func word<T: FixedWidthInteger>(_ place: Int, _ type: T.Type) -> T { pointee.body.load(type, at: place) }

    @inline(__always)
    func set<T: FixedWidthInteger>(_ value: T, at place: Int) { pointee.body.set(value, at: place) }

    var recordFlags: UInt16 { word(Head.recordFlags, UInt16.self) }
    var isLocalRoot: Bool { recordFlags & RecordFlag.localRoot != 0 }

    /// Writes the head, all zeros but for the ids and flags.
    @inline(__always)
    func begin(trace: Trace, id: UInt64, parentId: UInt64, start: UInt64, flags: UInt16) {
        polyspan_begin(self, trace.high, trace.low, id, parentId, start, trace.flags & 3, flags)
    }

    /// Writes its name, behind the head.
    @inline(__always)
    func named(_ name: String, _ recorder: Recorder) {
        let isDone = name.utf8.withContiguousStorageIfAvailable { polyspan_name(self, $0.baseAddress, $0.count) }
        if isDone != true { namedCarefully(name, recorder) }
    }

    @inline(never)
    private func namedCarefully(_ name: String, _ recorder: Recorder) {
        pointee.body.put(Field.name)
        if pointee.body.key(name) { recorder.count(.altered) }
    }

    /// Writes a field and takes it back where the span is too large with it, after what was replaced has been taken out.
    @inline(__always)
    func field(_ recorder: Recorder, dropped: Dropped?, _ write: (inout Buffer) -> Void) {
        let before = pointee.body.at
        write(&pointee.body)
        if Int(pointee.body.at) > recorder.terms.spanBytes { tooLarge(recorder, since: before, dropped: dropped) }
    }

    private func tooLarge(_ recorder: Recorder, since before: UInt32, dropped: Dropped?) {
        let length = pointee.body.at - before
        // Looking for what was replaced takes time: not before a good part of the span is new.
        let growth = UInt32(recorder.terms.spanBytes / 4)
        if pointee.compacted_at == 0 || pointee.compacted_at + growth < pointee.body.at {
            compactFields(self)
            pointee.compacted_at = pointee.body.at
            if Int(pointee.body.at) <= recorder.terms.spanBytes { return }
        }
        pointee.body.at -= Swift.min(length, pointee.body.at - UInt32(Head.size))
        switch dropped {
        case .attributes: pointee.dropped_attributes += 1
        case .events: pointee.dropped_events += 1
        case .links: pointee.dropped_links += 1
        case nil: break
        }
        recorder.count(.altered)
    }

    @inline(__always)
    func attribute(_ recorder: Recorder, _ key: String, _ write: (inout Buffer) -> Void) {
        if key.isEmpty {
            recorder.count(.altered)
            return
        }
        field(recorder, dropped: .attributes) { body in
            body.put(Field.attribute)
            if body.key(key) { recorder.count(.altered) }
            write(&body)
        }
    }

    @inline(__always)
    func text(_ recorder: Recorder, _ key: String, _ value: String) {
        attribute(recorder, key) { $0.cutText(value, recorder) }
    }

    /// The input or output: what was there goes.
    func slot(_ recorder: Recorder, _ tag: UInt8, _ write: (inout Buffer) -> Void) {
        removeSlot(tag)
        let before = pointee.body.at
        pointee.body.put(tag)
        write(&pointee.body)
        if Int(pointee.body.at) > recorder.terms.spanBytes {
            compactFields(self)
            pointee.compacted_at = pointee.body.at
            if Int(pointee.body.at) > recorder.terms.spanBytes {
                let place = Swift.min(before, pointee.body.at)
                pointee.body.at = place
                pointee.body.put(tag)
                pointee.body.text(truncated)
                recorder.count(.altered)
            }
            return locateSlots()
        }
        if tag == Field.input {
            (pointee.input_at, pointee.input_length) = (before, pointee.body.at - before)
        } else {
            (pointee.output_at, pointee.output_length) = (before, pointee.body.at - before)
        }
    }

    private func removeSlot(_ tag: UInt8) {
        let isInput = tag == Field.input
        let (at, length) =
            isInput ? (pointee.input_at, pointee.input_length) : (pointee.output_at, pointee.output_length)
        guard at > 0 else { return }
        pointee.body.remove(at: Int(at), length: Int(length))
        if isInput {
            pointee.input_at = 0
            if pointee.output_at > at { pointee.output_at -= length }
        } else {
            pointee.output_at = 0
            if pointee.input_at > at { pointee.input_at -= length }
        }
    }

    /// Finds the input and output after fields have moved.
    private func locateSlots() {
        (pointee.input_at, pointee.output_at) = (0, 0)
        eachField(of: self) { tag, range in
            if tag == Field.input {
                (pointee.input_at, pointee.input_length) = (UInt32(range.lowerBound), UInt32(range.count))
            } else if tag == Field.output {
                (pointee.output_at, pointee.output_length) = (UInt32(range.lowerBound), UInt32(range.count))
            }
        }
    }

    func status(_ recorder: Recorder, _ code: UInt8, _ message: String?) {
        // Ok is final.
        guard word(Head.status, UInt8.self) != 1 else { return }
        set(code, at: Head.status)
        let said = code == 2 ? message ?? "" : ""
        guard !said.isEmpty || pointee.has_status_message != 0 else { return }
        pointee.has_status_message = 1
        field(recorder, dropped: nil) { body in
            body.put(Field.statusMessage)
            // As a value it is cut alike; a sized text has no kind before it.
            let place = body.at
            body.cutText(said, recorder)
            body.remove(at: Int(place), length: 1)
        }
    }

    /// An event; `attributes` writes them as key, value, and answers how many.
    @inline(__always)
    func event(_ recorder: Recorder, _ name: String, time: UInt64, attributes: (inout Buffer) -> Int) {
        field(recorder, dropped: .events) { body in
            body.put(Field.event)
            let place = Int(body.at)
            body.put(UInt32(0))
            body.put(time)
            if body.key(name) { recorder.count(.altered) }
            body.put(UInt32(0))
            let countAt = Int(body.at)
            body.put(UInt16(0))
            let count = attributes(&body)
            // Memory that is out leaves a piece of it; the frame is then refused as one that was cut.
            if Int(body.at) >= countAt + 2 {
                body.set(UInt16(truncatingIfNeeded: count), at: countAt)
                body.set(UInt32(Int(body.at) - place - 4), at: place)
            }
        }
    }
}

extension Buffer {
    /// A text as a value, cut where it is longer than is captured.
    @inline(__always)
    mutating func cutText(_ text: String, _ recorder: Recorder) {
        withUTF8(of: text) { utf8 in
            put(Kind.text)
            if utf8.count <= recorder.terms.bounds.valueBytes { return sized(utf8) }
            let cut = utf8Cut(utf8, recorder.terms.bounds.valueBytes)
            recorder.count(.altered)
            put(UInt32(cut + truncated.utf8.count))
            raw(UnsafeRawBufferPointer(rebasing: utf8[..<cut]))
            withUTF8(of: truncated) { raw($0) }
        }
    }
}
