// How a value of Swift is taken apart: what of it is worth showing. Called by `Capture.swift`.

import Foundation

enum Shape {
    case null
    case text(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case bytes(Data)
    /// Another value stands for it.
    case other(Any?)
    case list(any Listed)
    case fields([(String, Any?)])
}

/// Where an array or map is opened.
struct Opener {
    let depth: Int
}

/// Collections of any element, taken apart without being copied.
protocol Listed {
    func opened(by opener: Opener, _ capture: inout Capture, _ out: inout Buffer)
}

extension Listed where Self: Collection {
    func opened(by opener: Opener, _ capture: inout Capture, _ out: inout Buffer) {
        capture.list(count: count, items: self, depth: opener.depth, into: &out) { $0 }
    }
}

extension Array: Listed {}
extension ArraySlice: Listed {}
extension ContiguousArray: Listed {}
extension Set: Listed {}

extension Attributes: Listed {
    func opened(by opener: Opener, _ capture: inout Capture, _ out: inout Buffer) {
        capture.value(.map(self), depth: opener.depth, into: &out)
    }
}

extension KeyValuePairs: Listed {
    func opened(by opener: Opener, _ capture: inout Capture, _ out: inout Buffer) {
        capture.entries(
            count: count, depth: opener.depth, entries: lazy.map { (keyText($0.key), $0.value) }, into: &out)
    }
}

extension Dictionary: Listed {
    func opened(by opener: Opener, _ capture: inout Capture, _ out: inout Buffer) {
        let named = lazy.map { (keyText($0.key), $0.value) }
        // An order that is the same each time, unless there is too much to be shown at all.
        guard count <= 4096 else {
            return capture.entries(count: count, depth: opener.depth, entries: named, into: &out)
        }
        let sorted = named.sorted { $0.0 < $1.0 }
        capture.entries(count: count, depth: opener.depth, entries: sorted, into: &out)
    }
}

/// Optionals of any kind.
protocol Wrapping {
    var wrapped: Any? { get }
}

extension Optional: Wrapping {
    var wrapped: Any? { self }
}

private func keyText(_ key: Any) -> String {
    key as? String ?? String(describing: key)
}

func shape(of value: Any, bounds: Bounds) -> Shape {
    if type(of: value) is AnyClass, let known = object(value as AnyObject) { return known }
    switch value {
    case let value as any Wrapping:
        return value.wrapped.map { .other($0) } ?? .null
    case let number as any FixedWidthInteger:
        return Int64(exactly: number).map { .int($0) } ?? .text("\(number)")
    case let number as Float: return .double(Double(number))
    case let text as Substring: return .text(String(text))
    case let character as Character: return .text(String(character))
    case let data as Data: return .bytes(data)
    // Of the others each empty one would pass for this.
    case let bytes as [UInt8] where type(of: value) == [UInt8].self: return .bytes(Data(bytes))
    case let date as Date: return .text(timestamp(date))
    case let number as Decimal: return .text(number.description)
    case let url as URL: return .text(url.absoluteString)
    case let id as UUID: return .text(id.uuidString)
    case let list as any Listed: return .list(list)
    case let error as any Error: return .fields(fields(of: error))
    case let value as any Encodable: return encoded(value, bounds: bounds)
    default: return mirrored(value, bounds: bounds)
    }
}

/// Objects that are not taken apart as others are: those of Foundation that hold values, which `JSONSerialization` makes on
/// Apple platforms; and those whose content nobody else may read, since threads of their own change it: these say their type.
private func object(_ value: AnyObject) -> Shape? {
    switch value {
    case is NSNull: return .null
    case let number as NSNumber: return shape(of: number)
    case let list as NSArray: return .list(list.map { $0 as Any? })
    case let set as NSSet: return .list(set.map { $0 as Any? })
    case let map as NSDictionary:
        return .fields(map.map { (keyText($0.key), $0.value as Any?) }.sorted { $0.0 < $1.0 })
    case let text as NSAttributedString: return .text(text.string)
    case is any Actor: return .text("[\(typeName(of: value))]")
    default: break
    }
    if value is any Encodable || value is any Error || bridged(value) != nil { return nil }
    let name = typeName(of: value)
    let isOfSystem = ["Foundation", "Dispatch", "Swift.", "_Concurrency", "__C.", "NS"].contains { name.hasPrefix($0) }
    return isOfSystem ? .text("[\(name)]") : nil
}

/// The value that an object of Foundation's is.
private func bridged(_ value: AnyObject) -> Any? {
    switch value {
    case let value as Data: value
    case let value as Date: value
    case let value as URL: value
    case let value as UUID: value
    default: nil
    }
}

private func shape(of number: NSNumber) -> Shape {
    if number is NSDecimalNumber { return .text(number.stringValue) }
    switch UInt8(bitPattern: number.objCType.pointee) {
    case UInt8(ascii: "d"), UInt8(ascii: "f"): return .double(number.doubleValue)
    case UInt8(ascii: "B"): return .bool(number.boolValue)
    // A truth, unless it is a byte that is none.
    case UInt8(ascii: "c") where number.int64Value == 0 || number.int64Value == 1: return .bool(number.boolValue)
    case UInt8(ascii: "Q") where number.uint64Value > UInt64(Int64.max): return .text(number.stringValue)
    default: return .int(number.int64Value)
    }
}

/// RFC 3339 with milliseconds, in UTC.
func timestamp(_ date: Date) -> String {
    let seconds = date.timeIntervalSince1970
    guard seconds.isFinite, abs(seconds) < 253_402_300_800 else { return "Invalid Date" }
    let millis = Int64((seconds * 1000).rounded())
    let day = millis >= 0 ? millis / 86_400_000 : -((-millis + 86_399_999) / 86_400_000)
    let inDay = millis - day * 86_400_000
    // Days since the epoch to a date of the Gregorian calendar, by years that begin in March.
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func padded(_ number: Int64, _ digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))"
    let time = "\(padded(inDay / 3_600_000, 2)):\(padded(inDay / 60_000 % 60, 2)):\(padded(inDay / 1000 % 60, 2))"
    return "\(date)T\(time).\(padded(inDay % 1000, 3))Z"
}

private func fields(of error: any Error) -> [(String, Any?)] {
    let parts = ErrorParts(error)
    return [("name", parts.type), ("message", parts.message)]
}

/// Structs, classes, tuples and cases as reflection shows them.
private func mirrored(_ value: Any, bounds: Bounds) -> Shape {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .struct, .class:
        var fields: [(String, Any?)] = []
        var level: Mirror? = mirror
        while let shown = level {
            for child in shown.children where fields.count <= bounds.objectKeys {
                fields.append((child.label ?? "\(fields.count)", child.value))
            }
            level = shown.superclassMirror
        }
        if fields.isEmpty { return .text(String(describing: value)) }
        return .fields(fields)
    case .tuple:
        if mirror.children.isEmpty { return .null }
        return .fields(mirror.children.prefix(bounds.objectKeys + 1).enumerated().map { ($1.label ?? "\($0)", $1.value) })
    case .enum:
        guard let child = mirror.children.first else { return .text(String(describing: value)) }
        return .fields([(child.label ?? "value", child.value)])
    default:
        return .text(String(describing: value))
    }
}
