// Walking over the fields of a span's body, and taking out those that a later one replaces.

import Foundation
import PolyspanShims

/// Calls `take` with the tag of every field and where it stands, its tag included. Stops where the bytes are not what they
/// should be.
func eachField(of span: Body, _ take: (UInt8, Range<Int>) -> Void) {
    let bytes = span.pointee.body.written
    var at = Head.size
    while at < bytes.count {
        guard let end = endOfField(bytes, at) else { return }
        take(bytes[at], at..<end)
        at = end
    }
}

/// Takes out attributes and metadata whose key comes again, and names and messages that another one follows.
func compactFields(_ span: Body) {
    var last: [String: Int] = [:]
    var ranges: [(String, Range<Int>)] = []
    eachField(of: span) { tag, range in
        var name = "\(tag)"
        switch tag {
        case Field.attribute, Field.metadata:
            let bytes = span.pointee.body.written
            guard let end = endOfKey(bytes, range.lowerBound + 1) else { return }
            name += String(decoding: bytes[(range.lowerBound + 1)..<end], as: UTF8.self)
        case Field.name, Field.statusMessage: break
        default: name = "\(tag) \(range.lowerBound)"
        }
        last[name] = ranges.count
        ranges.append((name, range))
    }
    var to = Head.size
    for (at, (name, range)) in ranges.enumerated() where last[name] == at {
        memmove(span.pointee.body.bytes + to, span.pointee.body.bytes + range.lowerBound, range.count)
        if range.lowerBound == Int(span.pointee.input_at) { span.pointee.input_at = UInt32(to) }
        if range.lowerBound == Int(span.pointee.output_at) { span.pointee.output_at = UInt32(to) }
        to += range.count
    }
    // What could not be read is left as it is.
    if ranges.last?.1.upperBound == Int(span.pointee.body.at) { span.pointee.body.at = UInt32(to) }
}

private func endOfField(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int? {
    switch bytes[at] {
    case Field.name, Field.tag: endOfKey(bytes, at + 1)
    case Field.attribute, Field.metadata: endOfKey(bytes, at + 1).flatMap { endOfValue(bytes, $0) }
    case Field.input, Field.output: endOfValue(bytes, at + 1)
    case Field.dropped: at + 13 <= bytes.count ? at + 13 : nil
    default: endOfSized(bytes, at + 1)
    }
}

private func endOfKey(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int? {
    guard at + 2 <= bytes.count else { return nil }
    let word = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self))
    let end = at + 2 + (word < 0x8000 ? Int(word) : 0)
    return end <= bytes.count ? end : nil
}

private func endOfSized(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int? {
    guard at + 4 <= bytes.count else { return nil }
    let end = at + 4 + Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    return end <= bytes.count ? end : nil
}

private func endOfValue(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int? {
    guard at < bytes.count else { return nil }
    switch bytes[at] {
    case Kind.null, Kind.no, Kind.yes: return at + 1
    case Kind.int, Kind.double: return at + 9 <= bytes.count ? at + 9 : nil
    default: return endOfSized(bytes, at + 1)
    }
}
