// Values as spans hold them and as they come back from the engine: what an OpenTelemetry `AnyValue` can be.

import Foundation

/// Any value of an attribute, an input, an output or metadata.
public enum Value: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    case bytes(Data)
    case array([Value])
    case map(Attributes)
}

/// Keys and values in the order in which they were given. A key may stand there more than once; the last one counts.
public struct Attributes: Sendable, Hashable, ExpressibleByDictionaryLiteral, RandomAccessCollection {
    /// A key with its value.
    public struct Entry: Sendable, Hashable {
        public var key: String
        public var value: Value

        public init(key: String, value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// As a literal gives them, so that one is taken over as it is.
    var pairs: [(String, Value)]

    public init(_ entries: [Entry] = []) {
        pairs = entries.map { ($0.key, $0.value) }
    }

    public init(dictionaryLiteral elements: (String, Value)...) {
        pairs = elements
    }

    /// The entries of a dictionary, in the order of their keys.
    public init(_ dictionary: [String: Value]) {
        pairs = dictionary.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    var entries: [Entry] { pairs.map { Entry(key: $0.0, value: $0.1) } }

    public var startIndex: Int { 0 }
    public var endIndex: Int { pairs.count }
    public subscript(position: Int) -> Entry { Entry(key: pairs[position].0, value: pairs[position].1) }

    /// The value of a key. Setting it replaces what is there; setting nil takes it out.
    public subscript(key: String) -> Value? {
        get { pairs.last { $0.0 == key }?.1 }
        set {
            guard let newValue else { return pairs.removeAll { $0.0 == key } }
            if let place = pairs.lastIndex(where: { $0.0 == key }) {
                pairs[place].1 = newValue
            } else {
                pairs.append((key, newValue))
            }
        }
    }

    /// The same without an order.
    public var dictionary: [String: Value] {
        Dictionary(pairs) { _, last in last }
    }

    /// These, and then those of `more`.
    public func merging(_ more: Attributes) -> Attributes {
        var all = self
        all.pairs += more.pairs
        return all
    }

    public static func == (left: Attributes, right: Attributes) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0.0 == $1.0 && $0.1 == $1.1 }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(pairs.count)
        for (key, value) in pairs {
            hasher.combine(key)
            hasher.combine(value)
        }
    }
}

extension Value {
    /// Whatever it is, as a span would record it: see `docs/swift.md`, "Values".
    public init(_ anything: Any?) {
        self = capturedWhole(anything)
    }

    public var text: String? { if case .text(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    public var int: Int64? { if case .int(let int) = self { int } else { nil } }
    public var array: [Value]? { if case .array(let array) = self { array } else { nil } }
    public var map: Attributes? { if case .map(let map) = self { map } else { nil } }
    public var bytes: Data? { if case .bytes(let bytes) = self { bytes } else { nil } }

    /// A number of either kind.
    public var double: Double? {
        switch self {
        case .double(let double): double
        case .int(let int): Double(int)
        default: nil
        }
    }

    /// The value of a key of a map; nil for all else.
    public subscript(key: String) -> Value? { map?[key] }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: Value...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, Value)...) {
        self = .map(Attributes(elements.map { Attributes.Entry(key: $0.0, value: $0.1) }))
    }
}
