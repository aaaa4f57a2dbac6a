// The parts that frames are made of (docs/frame.md, "Fields"), written into bytes that grow. Where memory is out, nothing is
// written and `false` is returned, or the value is null.

import Foundation
import PolyspanShims

typealias Buffer = polyspan_buffer

/// Tags of fields.
enum Field {
    static let filler: UInt8 = 0
    static let name: UInt8 = 1
    static let statusMessage: UInt8 = 2
    static let traceState: UInt8 = 3
    static let attribute: UInt8 = 4
    static let event: UInt8 = 5
    static let link: UInt8 = 6
    static let input: UInt8 = 7
    static let output: UInt8 = 8
    static let metadata: UInt8 = 9
    static let tag: UInt8 = 10
    static let dropped: UInt8 = 11
}

/// Types of values.
enum Kind {
    static let null: UInt8 = 0
    static let no: UInt8 = 1
    static let yes: UInt8 = 2
    static let int: UInt8 = 3
    static let double: UInt8 = 4
    static let text: UInt8 = 5
    static let bytes: UInt8 = 6
    static let array: UInt8 = 7
    static let map: UInt8 = 8
}

/// A key inline has at most so many bytes.
let longestKey = 0x7fff

extension Buffer {
    /// One of its own on the heap; `polyspan_buffer_free` gives it back.
    static func empty() -> Buffer { Buffer(bytes: nil, fixed: nil, at: 0, capacity: 0) }

    @inline(__always)
    mutating func reserve(_ bytes: Int) -> Bool {
        if UInt64(at) + UInt64(bytes) <= UInt64(capacity) { return true }
        return polyspan_buffer_grow(&self, UInt64(bytes))
    }

    /// Where the next byte goes; room has been made.
    @inline(__always)
    var end: UnsafeMutableRawPointer { UnsafeMutableRawPointer(bytes) + Int(at) }

    var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: Int(at)) }

    var data: Data { at == 0 ? Data() : Data(bytes: bytes, count: Int(at)) }

    @inline(__always)
    mutating func put<T: FixedWidthInteger>(_ value: T) {
        guard reserve(MemoryLayout<T>.size) else { return }
        end.storeBytes(of: value.littleEndian, as: T.self)
        at += UInt32(MemoryLayout<T>.size)
    }

    @inline(__always)
    mutating func raw(_ source: UnsafeRawBufferPointer) {
        guard source.count > 0, reserve(source.count) else { return }
        end.copyMemory(from: source.baseAddress!, byteCount: source.count)
        at += UInt32(source.count)
    }

    mutating func raw(_ source: Data) {
        source.withUnsafeBytes { raw($0) }
    }

    /// Writes over what stands there.
    @inline(__always)
    func set<T: FixedWidthInteger>(_ value: T, at place: Int) {
        UnsafeMutableRawPointer(bytes + place).storeBytes(of: value.littleEndian, as: T.self)
    }

    @inline(__always)
    func load<T: FixedWidthInteger>(_ type: T.Type, at place: Int) -> T {
        T(littleEndian: UnsafeRawPointer(bytes + place).loadUnaligned(as: type))
    }

    /// Takes out the bytes of a range; what follows moves up.
    mutating func remove(at place: Int, length: Int) {
        let rest = Int(at) - place - length
        memmove(bytes + place, bytes + place + length, rest)
        at -= UInt32(length)
    }

    /// A u32 length and that much UTF-8.
    @inline(__always)
    mutating func sized(_ text: String) {
        withUTF8(of: text) { sized($0) }
    }

    @inline(__always)
    mutating func sized(_ source: UnsafeRawBufferPointer) {
        guard reserve(4 + source.count) else { return }
        put(UInt32(truncatingIfNeeded: source.count))
        raw(source)
    }

    /// A static key, or one inline; whether that was cut.
    @inline(__always)
    mutating func key(_ text: String) -> Bool {
        let isDone = text.utf8.withContiguousStorageIfAvailable { polyspan_put_key(&self, $0.baseAddress, $0.count) }
        return isDone == true ? false : anyKey(text)
    }

    /// One that needs room, or is too long.
    @inline(never)
    private mutating func anyKey(_ text: String) -> Bool {
        withUTF8(of: text) { key($0) }
    }

    private mutating func key(_ source: UnsafeRawBufferPointer) -> Bool {
        if let code = StaticKeys.code(of: source) {
            put(code)
            return false
        }
        return inlineKey(source)
    }

    mutating func inlineKey(_ source: UnsafeRawBufferPointer) -> Bool {
        if source.count > longestKey {
            let cut = utf8Cut(source, longestKey)
            put(UInt16(cut))
            raw(UnsafeRawBufferPointer(rebasing: source[..<cut]))
            return true
        }
        guard reserve(2 + source.count) else { return false }
        put(UInt16(truncatingIfNeeded: source.count))
        raw(source)
        return false
    }

    @inline(__always)
    mutating func int(_ value: Int64) {
        guard reserve(9) else { return }
        end.storeBytes(of: Kind.int, as: UInt8.self)
        (end + 1).storeBytes(of: value.littleEndian, as: Int64.self)
        at += 9
    }

    @inline(__always)
    mutating func double(_ value: Double) {
        guard reserve(9) else { return }
        end.storeBytes(of: Kind.double, as: UInt8.self)
        (end + 1).storeBytes(of: value.bitPattern.littleEndian, as: UInt64.self)
        at += 9
    }

    @inline(__always)
    mutating func bool(_ value: Bool) { put(value ? Kind.yes : Kind.no) }

    @inline(__always)
    mutating func text(_ value: String) {
        put(Kind.text)
        sized(value)
    }

    /// Opens an array or map; the place is for `close`.
    mutating func open(_ kind: UInt8) -> Int {
        guard reserve(9) else { return Int(at) }
        put(kind)
        let place = Int(at)
        put(UInt32(0))
        put(UInt32(0))
        return place
    }

    func close(_ place: Int, count: Int) {
        guard place + 8 <= Int(at) else { return }
        set(UInt32(Int(at) - place - 4), at: place)
        set(UInt32(count), at: place + 4)
    }
}

extension UnsafeRawBufferPointer {
    /// As C takes bytes.
    @inline(__always)
    var start: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

/// The UTF-8 of a text, in place where it has some.
@inline(__always)
func withUTF8<R>(of text: String, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    if let done = try text.utf8.withContiguousStorageIfAvailable({ try body(UnsafeRawBufferPointer($0)) }) { return done }
    var native = text
    return try native.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
}

/// The longest beginning of at most `limit` bytes that splits no character.
func utf8Cut(_ bytes: UnsafeRawBufferPointer, _ limit: Int) -> Int {
    var end = min(limit, bytes.count)
    while end > 0, end < bytes.count, bytes[end] & 0xc0 == 0x80 { end -= 1 }
    return end
}

/// Gives `body` bytes of its own to write to, and takes them back.
func withScratch<R>(_ body: (inout Buffer) throws -> R) rethrows -> R {
    try withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) { place in
        let start = place.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var buffer = Buffer(bytes: start, fixed: start, at: 0, capacity: 1024)
        defer { polyspan_buffer_free(&buffer) }
        return try body(&buffer)
    }
}
