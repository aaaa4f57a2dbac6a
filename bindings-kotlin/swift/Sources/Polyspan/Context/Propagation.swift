// `inject` and `extract`: what is current, to and from any carrier. The formats are the engine's.

import Foundation
import PolyspanNative

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Any object that carries context between processes: headers, metadata of a message, an environment.
public protocol Carrier {
    /// The values under a name, whatever its letters' case.
    func values(of name: String) -> [String]
    /// Replaces what is under a name.
    mutating func set(_ name: String, to value: String)
}

extension Dictionary: Carrier where Key == String, Value == String {
    public func values(of name: String) -> [String] {
        keys.filter { $0.lowercased() == name }.sorted().compactMap { self[$0] }
    }

    public mutating func set(_ name: String, to value: String) {
        for key in keys where key != name && key.lowercased() == name { self[key] = nil }
        self[name] = value
    }
}

/// Headers as pairs, in their order.
public struct HeaderList: Carrier, Sendable {
    public var pairs: [(name: String, value: String)]

    public init(_ pairs: [(name: String, value: String)] = []) {
        self.pairs = pairs
    }

    public func values(of name: String) -> [String] { pairs.filter { $0.name.lowercased() == name }.map(\.value) }

    public mutating func set(_ name: String, to value: String) {
        pairs.removeAll { $0.name.lowercased() == name }
        pairs.append((name, value))
    }
}

/// Headers of several values.
public struct MultiHeaders: Carrier, Sendable {
    public var values: [String: [String]]

    public init(_ values: [String: [String]] = [:]) {
        self.values = values
    }

    public func values(of name: String) -> [String] {
        values.keys.filter { $0.lowercased() == name }.sorted().flatMap { values[$0] ?? [] }
    }

    public mutating func set(_ name: String, to value: String) {
        for key in values.keys where key != name && key.lowercased() == name { values[key] = nil }
        values[name] = [value]
    }
}

/// Variables of an environment, under the names that stand for the fields there.
public struct EnvironmentCarrier: Carrier, Sendable {
    public var variables: [String: String]

    public init(_ variables: [String: String] = ProcessInfo.processInfo.environment) {
        self.variables = variables
    }

    /// The variable that stands for a field.
    public static func variable(_ name: String) -> String {
        let variable = String(name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        // No variable begins with a digit.
        return variable.first?.isNumber == true ? "_\(variable)" : variable
    }

    public func values(of name: String) -> [String] { variables[Self.variable(name)].map { [$0] } ?? [] }

    public mutating func set(_ name: String, to value: String) { variables[Self.variable(name)] = value }
}

extension URLRequest: Carrier {
    public func values(of name: String) -> [String] { value(forHTTPHeaderField: name).map { [$0] } ?? [] }

    public mutating func set(_ name: String, to value: String) { setValue(value, forHTTPHeaderField: name) }
}

/// What came in a carrier, as it crossed.
struct Carried {
    let context: SpanContext?
    let baggage: [String]
    let ids: [String]
}

func carried(engine: NativeEngine?, names: [String], values: [String]) -> Carried? {
    let brought = PolyspanNative.extract(engine: engine, names: names, values: values)
    for (place, count) in zip(["traceparent", "tracestate", "baggage"], brought.refused) where count > 0 {
        Log.refuse("extract: malformed \(place)")
    }
    return Carried(context: brought.context.flatMap(SpanContext.init(data:)), baggage: brought.baggage, ids: brought.ids)
}

extension Polyspan {
    /// Reads the calling span and baggage from a carrier, to be used as a parent. What is malformed is not there.
    public static func extract(_ carrier: some Carrier) -> TraceContext {
        let outer = Slot.current
        let engine = Registry.recorder?.engine
        var names: [String] = []
        var values: [String] = []
        for name in PolyspanNative.carrierFields(engine: engine) {
            for value in carrier.values(of: name) {
                names.append(name)
                values.append(value)
            }
        }
        guard let brought = carried(engine: engine, names: names, values: values) else {
            return TraceContext(span: nil, around: outer?.around)
        }
        var around = outer?.around
        if !brought.baggage.isEmpty || !brought.ids.isEmpty {
            // What surrounds the caller stays; its baggage is replaced, and its ids by those that came.
            var added = Attributes()
            for at in stride(from: 0, to: brought.ids.count - 1, by: 2) { added[brought.ids[at]] = .text(brought.ids[at + 1]) }
            added["baggage"] = .array(
                stride(from: 0, to: brought.baggage.count - 2, by: 3).map { at in
                    .array(brought.baggage[at..<(at + 3)].map { .text($0) })
                })
            added["replace_baggage"] = true
            // What of it cannot be used was counted where it was read.
            around = Surroundings(
                surround(outer: around?.native, added: wholeValue(.map(added))).ambient,
                hasSession: added["session_id"] != nil || around?.hasSession == true)
        }
        let span = brought.context.map { Span.standing(trace: $0.trace, id: $0.id, around: around, isRemote: true) }
        return TraceContext(span: span, around: around)
    }

    /// Writes the current span and baggage, or those of `context`, to a carrier.
    public static func inject(_ carrier: inout some Carrier, context: (any SpanParent)? = nil) {
        let from = context.map { chosenParent($0, slot: nil) } ?? TraceContext.current
        let recorder = from.span?.recorder ?? Registry.recorder
        let found = PolyspanNative.inject(
            engine: recorder?.engine, context: from.span?.context.data ?? Data(), around: from.around?.native)
        if found.refused > 0 { Log.refuse("inject: baggage that the header cannot carry") }
        for at in stride(from: 0, to: found.headers.count - 1, by: 2) {
            carrier.set(found.headers[at], to: found.headers[at + 1])
        }
    }

    /// The headers that carry the current span and baggage.
    public static func headers(context: (any SpanParent)? = nil) -> [String: String] {
        var headers: [String: String] = [:]
        inject(&headers, context: context)
        return headers
    }

    /// The current baggage.
    public static var baggage: [String: String] { TraceContext.current.baggage }
}
