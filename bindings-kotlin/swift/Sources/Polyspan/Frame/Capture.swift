// Values as they are when they are set, cut so that a huge one costs its caller what is kept of it and no more.
//
// What is cut where, and the markers it leaves, are the core's (`core/src/span/capture.rs`; `tests/vectors/limits.json`
// pins them). How a value of Swift is taken apart stands in `Shape.swift`.

import Foundation
import PolyspanShims

/// How much of a value is captured.
struct Bounds: Sendable {
    var valueBytes: Int
    var depth: Int
    var arrayItems: Int
    var objectKeys: Int

    /// For values that are to be read as they are.
    static let whole = Bounds(valueBytes: 1 << 24, depth: 64, arrayItems: 1 << 20, objectKeys: 1 << 20)
}

/// What was not captured as it was given.
struct Cuts: Sendable {
    var altered: Int64 = 0
    var limited: Int64 = 0
}

private let truncated = "…[truncated]"
private let maxDepth = "[MaxDepth]"
private let circular = "[Circular]"
private let truncatedKey = "__truncated"
/// What each value counts at least.
private let least = 8
/// Values that stand for others, one behind the other, at most.
private let standIns = 8

/// Writes values into a buffer.
struct Capture {
    private let bounds: Bounds
    private(set) var cuts = Cuts()
    private var spent = 0
    private var standingIn = 0
    private var path: [ObjectIdentifier] = []

    init(_ bounds: Bounds) {
        self.bounds = bounds
    }

    private var room: Int { max(0, bounds.valueBytes - spent) }

    mutating func value(_ value: Any?, depth: Int = 0, into out: inout Buffer) {
        guard let value else { return null(&out) }
        switch value {
        case let value as Value: self.value(value, depth: depth, into: &out)
        case let text as String: self.text(text, into: &out)
        // A number of Foundation's would pass for any of these, and for a truth first where it is 1.
        case let bool as Bool where type(of: value) == Bool.self:
            spent += least
            out.bool(bool)
        case let number as Int where type(of: value) == Int.self: int(Int64(number), into: &out)
        case let number as Double where type(of: value) == Double.self:
            spent += least
            out.double(number)
        default: shaped(value, depth: depth, into: &out)
        }
    }

    private mutating func null(_ out: inout Buffer) {
        spent += least
        out.put(Kind.null)
    }

    private mutating func int(_ number: Int64, into out: inout Buffer) {
        spent += least
        out.int(number)
    }

    mutating func value(_ value: Value, depth: Int, into out: inout Buffer) {
        switch value {
        case .null: null(&out)
        case .bool(let bool):
            spent += least
            out.bool(bool)
        case .int(let number): int(number, into: &out)
        case .double(let number):
            spent += least
            out.double(number)
        case .text(let text): self.text(text, into: &out)
        case .bytes(let data): data.withUnsafeBytes { bytes($0, into: &out) }
        case .array(let items): list(count: items.count, items: items, depth: depth, into: &out) { $0 }
        case .map(let map):
            entries(count: map.count, depth: depth, entries: map.lazy.map { ($0.key, $0.value) }, into: &out)
        }
    }

    mutating func text(_ text: String, into out: inout Buffer) {
        withUTF8(of: text) { utf8 in
            if utf8.count <= room {
                spent += least + utf8.count
                out.put(Kind.text)
                out.sized(utf8)
                return
            }
            let cut = utf8Cut(utf8, room)
            cuts.altered += 1
            out.put(Kind.text)
            out.put(UInt32(cut + truncated.utf8.count))
            out.raw(UnsafeRawBufferPointer(rebasing: utf8[..<cut]))
            withUTF8(of: truncated) { out.raw($0) }
            spent += least + cut + truncated.utf8.count
        }
    }

    /// A text that says what stands here.
    private mutating func marker(_ text: String, into out: inout Buffer) {
        spent += least + text.utf16.count
        out.text(text)
    }

    private mutating func bytes(_ bytes: UnsafeRawBufferPointer, into out: inout Buffer) {
        guard bytes.count <= room else {
            cuts.altered += 1
            return marker("[bytes length=\(bytes.count)]", into: &out)
        }
        spent += least + bytes.count
        out.put(Kind.bytes)
        out.sized(bytes)
    }

    private mutating func shaped(_ value: Any, depth: Int, into out: inout Buffer) {
        let object = type(of: value) is AnyClass ? ObjectIdentifier(value as AnyObject) : nil
        if let object, path.contains(object) { return marker(circular, into: &out) }
        if let object { path.append(object) }
        defer { if object != nil { path.removeLast() } }
        switch shape(of: value, bounds: bounds) {
        case .null: null(&out)
        case .text(let text): self.text(text, into: &out)
        case .int(let number): int(number, into: &out)
        case .bool(let bool):
            spent += least
            out.bool(bool)
        case .double(let number):
            spent += least
            out.double(number)
        case .bytes(let data): data.withUnsafeBytes { self.bytes($0, into: &out) }
        case .other(let other):
            guard standingIn < standIns else { return marker(circular, into: &out) }
            standingIn += 1
            self.value(other, depth: depth, into: &out)
            standingIn -= 1
        case .list(let list):
            list.opened(by: Opener(depth: depth), &self, &out)
        case .fields(let fields):
            entries(count: fields.count, depth: depth, entries: fields, into: &out)
        }
    }

    /// Whether an array or map that stands in `depth` others may be opened.
    private mutating func opens(_ depth: Int, into out: inout Buffer) -> Bool {
        spent += least
        if depth <= bounds.depth { return true }
        cuts.limited += 1
        marker(maxDepth, into: &out)
        return false
    }

    mutating func list<Items: Sequence>(
        count: Int, items: Items, depth: Int, into out: inout Buffer, _ given: (Items.Element) -> Any?
    ) {
        guard opens(depth, into: &out) else { return }
        let place = out.open(Kind.array)
        var written = 0
        for item in items {
            if written >= bounds.arrayItems || room == 0 { break }
            if let value = item as? Value {
                self.value(value, depth: depth + 1, into: &out)
            } else {
                self.value(given(item), depth: depth + 1, into: &out)
            }
            written += 1
        }
        let left = count - written
        if left > 0, written >= bounds.arrayItems || room == 0 {
            cuts.altered += written < bounds.arrayItems ? 1 : 0
            marker("[…\(left) more items]", into: &out)
            written += 1
        }
        out.close(place, count: written)
    }

    private mutating func key(_ name: String, into out: inout Buffer) {
        let start = out.at
        if withUTF8(of: name, { out.inlineKey($0) }) { cuts.altered += 1 }
        spent += Int(out.at - start) - 2
    }

    mutating func entries<Entries: Sequence, Item>(
        count: Int, depth: Int, entries: Entries, into out: inout Buffer
    ) where Entries.Element == (String, Item) {
        guard opens(depth, into: &out) else { return }
        let place = out.open(Kind.map)
        var written = 0
        for (name, item) in entries {
            if written >= bounds.objectKeys || room == 0 { break }
            key(name, into: &out)
            if let value = item as? Value {
                self.value(value, depth: depth + 1, into: &out)
            } else {
                self.value(item, depth: depth + 1, into: &out)
            }
            written += 1
        }
        let left = count - written
        if left > 0 {
            cuts.altered += written < bounds.objectKeys ? 1 : 0
            key(truncatedKey, into: &out)
            marker("\(left) more keys omitted", into: &out)
            written += 1
        }
        out.close(place, count: written)
    }
}

/// The value that is recorded for anything, with nothing cut off; what is too deep is.
func capturedWhole(_ anything: Any?) -> Value {
    if let value = anything as? Value { return value }
    return withScratch { out in
        var capture = Capture(.whole)
        capture.value(anything, into: &out)
        return ValueReader.read(out.data) ?? .null
    }
}

/// A value alone, to be read as it is.
func wholeValue(_ value: Value) -> Data {
    withScratch { out in
        var capture = Capture(.whole)
        capture.value(value, depth: 0, into: &out)
        return out.data
    }
}
