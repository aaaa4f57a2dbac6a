// Reading values that come from the engine (docs/frame.md, "Value").

import Foundation

/// Reads values one after the other; nil where the bytes are not what they should be.
struct ValueReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var at = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// One value that stands alone.
    static func read(_ data: Data) -> Value? {
        data.withUnsafeBytes { bytes in
            var reader = ValueReader(bytes)
            return reader.value()
        }
    }

    mutating func value(depth: Int = 0) -> Value? {
        guard depth <= 128, let kind: UInt8 = number() else { return nil }
        switch kind {
        case Kind.null: return .null
        case Kind.no: return .bool(false)
        case Kind.yes: return .bool(true)
        case Kind.int: return number().map { .int($0) }
        case Kind.double: return number().map { .double(Double(bitPattern: $0)) }
        case Kind.text: return sized().map { .text(String(decoding: $0, as: UTF8.self)) }
        case Kind.bytes: return sized().map { .bytes(Data($0)) }
        case Kind.array:
            guard let count = count() else { return nil }
            var items: [Value] = []
            items.reserveCapacity(min(count, 1024))
            for _ in 0..<count {
                guard let item = value(depth: depth + 1) else { return nil }
                items.append(item)
            }
            return .array(items)
        case Kind.map:
            guard let count = count() else { return nil }
            var entries: [Attributes.Entry] = []
            entries.reserveCapacity(min(count, 1024))
            for _ in 0..<count {
                guard let length: UInt16 = number(), let key = key(length), let item = value(depth: depth + 1) else { return nil }
                entries.append(Attributes.Entry(key: key, value: item))
            }
            return .map(Attributes(entries))
        default: return nil
        }
    }

    mutating func number<T: FixedWidthInteger>() -> T? {
        guard bytes.count - at >= MemoryLayout<T>.size else { return nil }
        defer { at += MemoryLayout<T>.size }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: T.self))
    }

    private mutating func key(_ code: UInt16) -> String? {
        if code >= 0x8000 {
            let id = Int(code - 0x8000)
            return id < staticKeyTexts.count ? staticKeyTexts[id].description : nil
        }
        return take(Int(code)).map { String(decoding: $0, as: UTF8.self) }
    }

    private mutating func sized() -> UnsafeRawBufferPointer? {
        guard let length: UInt32 = number() else { return nil }
        return take(Int(length))
    }

    /// The bytes of an array or map are not needed, what stands in them says its own length.
    private mutating func count() -> Int? {
        guard let _: UInt32 = number(), let count: UInt32 = number() else { return nil }
        return Int(count)
    }

    mutating func take(_ length: Int) -> UnsafeRawBufferPointer? {
        guard length >= 0, bytes.count - at >= length else { return nil }
        defer { at += length }
        return UnsafeRawBufferPointer(rebasing: bytes[at..<(at + length)])
    }
}
