// Values that are `Encodable`, taken apart as they encode themselves: one level at a time, so that what is never shown is
// never encoded.

import Foundation

/// What a value made of itself: nothing, one value, items, or fields.
private final class Node {
    enum Content {
        case nothing
        case one(Any?)
        case items([Any?])
        case fields([(String, Any?)])
    }

    var content = Content.nothing

    var shape: Shape {
        switch content {
        case .nothing: .fields([])
        case .one(let value): .other(value)
        case .items(let items): .list(items)
        case .fields(let fields): .fields(fields)
        }
    }
}

/// Thrown into a value that goes on encoding itself after more than is ever shown.
private struct Enough: Error {}

/// What a value encodes itself as; a text that says so where it fails.
func encoded(_ value: any Encodable, bounds: Bounds) -> Shape {
    let node = Node()
    let limit = max(bounds.arrayItems, bounds.objectKeys) + 1
    do {
        try value.encode(to: OneLevel(node: node, codingPath: [], limit: limit))
    } catch is Enough {
        // What there is by then is more than is shown.
    } catch {
        return .text("[encode threw \(type(of: error))]")
    }
    return settled(node)
}

/// Nested containers as values.
private func settled(_ node: Node) -> Shape {
    func plain(_ value: Any?) -> Any? {
        guard let inner = value as? Node else { return value }
        switch inner.content {
        case .nothing: return Attributes()
        case .one(let value): return plain(value)
        case .items(let items): return items.map(plain)
        case .fields(let fields): return Fields(fields: fields.map { ($0.0, plain($0.1)) })
        }
    }
    switch node.content {
    case .one(let value): return .other(plain(value))
    case .items(let items): return .list(items.map(plain))
    case .fields(let fields): return .fields(fields.map { ($0.0, plain($0.1)) })
    case .nothing: return .fields([])
    }
}

/// Named values in their order.
private struct Fields: Listed {
    let fields: [(String, Any?)]

    func opened(by opener: Opener, _ capture: inout Capture, _ out: inout Buffer) {
        capture.entries(count: fields.count, depth: opener.depth, entries: fields, into: &out)
    }
}

private struct OneLevel: Encoder {
    let node: Node
    let codingPath: [any CodingKey]
    let limit: Int
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .fields = node.content {} else { node.content = .fields([]) }
        return KeyedEncodingContainer(Keyed<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .items = node.content {} else { node.content = .items([]) }
        return Unkeyed(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoder: self) }

    func add(_ value: Any?, as name: String) throws {
        guard case .fields(var fields) = node.content else { return }
        guard fields.count < limit else { throw Enough() }
        node.content = .nothing
        fields.append((name, value))
        node.content = .fields(fields)
    }

    func add(_ value: Any?) throws {
        guard case .items(var items) = node.content else { return }
        guard items.count < limit else { throw Enough() }
        node.content = .nothing
        items.append(value)
        node.content = .items(items)
    }

    func inner(_ key: any CodingKey) -> OneLevel {
        OneLevel(node: Node(), codingPath: codingPath + [key], limit: limit)
    }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: OneLevel
    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encodeNil(forKey key: Key) throws { try encoder.add(nil, as: key.stringValue) }

    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        try encoder.add(value, as: key.stringValue)
    }

    private func nested(_ key: any CodingKey) -> OneLevel {
        let inner = encoder.inner(key)
        // One too many is not shown.
        try? encoder.add(inner.node, as: key.stringValue)
        return inner
    }

    mutating func nestedContainer<Inner: CodingKey>(
        keyedBy type: Inner.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Inner> { nested(key).container(keyedBy: type) }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        nested(key).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { nested(Named(stringValue: "super")) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
}

private struct Unkeyed: UnkeyedEncodingContainer {
    let encoder: OneLevel
    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { if case .items(let items) = encoder.node.content { items.count } else { 0 } }

    mutating func encodeNil() throws { try encoder.add(nil) }
    mutating func encode<T: Encodable>(_ value: T) throws { try encoder.add(value) }

    private func nested() -> OneLevel {
        let inner = encoder.inner(Named(stringValue: "\(count)"))
        try? encoder.add(inner.node)
        return inner
    }

    mutating func nestedContainer<Inner: CodingKey>(keyedBy type: Inner.Type) -> KeyedEncodingContainer<Inner> {
        nested().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { nested() }
}

private struct Single: SingleValueEncodingContainer {
    let encoder: OneLevel
    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encodeNil() throws { encoder.node.content = .one(nil) }
    mutating func encode<T: Encodable>(_ value: T) throws { encoder.node.content = .one(value) }
}

private struct Named: CodingKey {
    let stringValue: String
    let intValue: Int? = nil

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
