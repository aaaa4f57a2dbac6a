// Baggage as an application gives it: what travels with the trace to the services that are called.

/// Names and values in their order, `["tenant": "acme"]`: each goes along as far as the header has room. The last one of a
/// name counts.
public struct Baggage: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// A name with its value.
    public struct Entry: Sendable, Hashable {
        public var name: String
        public var value: String
        /// What is said of the value, as `key` and `key=value` with semicolons between. Nil where it stands behind the
        /// value, after a semicolon, or is nothing.
        public var properties: String?

        public init(_ name: String, _ value: String, properties: String? = nil) {
            self.name = name
            self.value = value
            self.properties = properties
        }
    }

    public var entries: [Entry]

    public init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    public init(dictionaryLiteral elements: (String, String)...) {
        entries = elements.map { Entry($0.0, $0.1) }
    }

    /// The entries of a dictionary, in the order of their names.
    public init(_ dictionary: [String: String]) {
        entries = dictionary.sorted { $0.key < $1.key }.map { Entry($0.key, $0.value) }
    }

    /// As it crosses.
    var value: Value {
        .array(entries.map { .array([.text($0.name), .text($0.value)] + ($0.properties.map { [.text($0)] } ?? [])) })
    }
}
