// What becomes of values of every kind, and where they are cut.

import Foundation
import Testing

@testable import Polyspan

private struct Address: Encodable {
    let street: String
    let zip: Int?
}

private struct Order: Encodable {
    let id: UUID
    let at: Date
    let address: Address
    let amounts: [Decimal]
    let note: String?
}

private struct Nested: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        var inner = container.nestedContainer(keyedBy: Key.self, forKey: Key(stringValue: "inner")!)
        try inner.encode(1, forKey: Key(stringValue: "one")!)
        var list = container.nestedUnkeyedContainer(forKey: Key(stringValue: "list")!)
        try list.encode("a")
        try list.encodeNil()
        var deeper = list.nestedUnkeyedContainer()
        try deeper.encode(true)
    }

    struct Key: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

private struct Endless: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        while true { try container.encode(7) }
    }
}

private struct Failing: Encodable {
    struct Reason: Error {}
    func encode(to encoder: any Encoder) throws { throw Reason() }
}

private struct Plain {
    let name = "x"
    let count = 3
}

private final class Knot {
    var other: Knot?
    let name: String
    init(_ name: String) { self.name = name }
}

private actor Till {
    var takings = [1, 2]
    let password = "hunter2"
}

private enum Hidden: Error { case case1 }

private enum Choice {
    case empty
    case full(Int)
}

extension EngineTests {
    @Suite struct ValueTests {
        @Test func whatFoundationHasBecomesText() {
            let id = UUID()
            #expect(Value(id) == .text(id.uuidString))
            #expect(Value(URL(string: "https://example.org/a?b=c")) == "https://example.org/a?b=c")
            #expect(Value(Date(timeIntervalSince1970: 0)) == "1970-01-01T00:00:00.000Z")
            #expect(Value(Date(timeIntervalSince1970: 951_782_400.25)) == "2000-02-29T00:00:00.250Z")
            #expect(Value(Date(timeIntervalSince1970: -1.5)) == "1969-12-31T23:59:58.500Z")
            #expect(Value(Date(timeIntervalSince1970: .infinity)) == "Invalid Date")
            #expect(Value(Decimal(string: "12.3400")) == .text(Decimal(string: "12.3400")!.description))
            #expect(Value(Data([1, 2])) == .bytes(Data([1, 2])))
            #expect(Value([UInt8]([1, 2])) == .bytes(Data([1, 2])))
        }

        @Test func objectsOfFoundationAreTheValuesThatTheyHold() throws {
            #expect(Value(NSNumber(value: 1)) == 1)
            #expect(Value(NSNumber(value: 0.0)) == .double(0))
            #expect(Value(NSNumber(value: true)) == true)
            #expect(Value(NSNumber(value: UInt64.max)) == "18446744073709551615")
            #expect(Value(NSDecimalNumber(string: "12.5")) == "12.5")
            #expect(Value(NSString("a")) == "a")
            #expect(Value(NSNull()) == .null)
            #expect(Value(NSArray(array: [1, true, "x", NSNull()])) == [1, true, "x", nil])
            #expect(Value(NSDictionary(dictionary: ["b": 1, "a": ["c": 0]])) == ["a": ["c": 0], "b": 1])
            #expect(Value(NSDate(timeIntervalSince1970: 0)) == "1970-01-01T00:00:00.000Z")
            #expect(Value(NSData(data: Data([1]))) == .bytes(Data([1])))
            let parsed = try JSONSerialization.jsonObject(with: Data(#"{"one":1,"yes":true,"half":1.0,"list":[0,null]}"#.utf8))
            #expect(Value(parsed) == ["half": .double(1), "list": [0, nil], "one": 1, "yes": true])
        }

        /// By text they would not be found: keys say what is secret.
        @Test func secretsInDictionariesOfFoundationStayInside() throws {
            try withEngine { engine, memory in
                engine.withSpan("sign in", input: NSDictionary(dictionary: ["password": "hunter2"])) { _ in }
                try #expect(engine.flushed(memory).first?.input == ["password": "[REDACTED]"])
            }
        }

        /// Their own code changes what they hold, on other threads.
        @Test func whatOthersMayNotReadSaysItsType() {
            #expect(Value(Till()) == "[PolyspanTests.Till]")
            #expect(Value(["till": Till()] as [String: Any]) == ["till": "[PolyspanTests.Till]"])
            #expect(Value(NSLock()).text?.hasSuffix("NSLock]") == true)
            #expect(Value(DispatchQueue.main).text?.hasPrefix("[") == true)
        }

        @Test func numbersKeepTheirKind() {
            #expect(Value(Int8(-3)) == -3)
            #expect(Value(UInt64.max) == "18446744073709551615")
            #expect(Value(UInt64(7)) == 7)
            #expect(Value(Float(0.5)) == 0.5)
            #expect(Value(2.0) == .double(2))
            #expect(Value(true) == true)
        }

        @Test func optionalsAreWhatTheyHold() {
            #expect(Value(nil) == .null)
            #expect(Value(Optional<Int>.none as Any) == .null)
            #expect(Value(Optional(Optional(3)) as Any) == 3)
            #expect(Value([1, nil, 3]) == [1, nil, 3])
        }

        @Test func collectionsAndDictionaries() {
            #expect(Value(["b": 1, "a": 2] as [String: Any]) == ["a": 2, "b": 1])
            #expect(Value([1: "x"]) == ["1": "x"])
            #expect(Value(Set([4])) == [4])
            #expect(Value(["b": 1, "a": 2] as KeyValuePairs) == ["b": 1, "a": 2])
            #expect(Value(["a", "b"][...]) == ["a", "b"])
            #expect(Value([Int]()) == [])
            #expect(Value(["list": [String]()]) == ["list": []])
            #expect(Value([String: Int]()) == .map([:]))
            #expect(Value(Set<Int>()) == [])
            #expect(Value([UInt8]()) == .bytes(Data()))
        }

        @Test func encodableValuesAreEncoded() {
            let id = UUID()
            let order = Order(
                id: id, at: Date(timeIntervalSince1970: 1), address: Address(street: "Ring 1", zip: nil), amounts: [1, 2],
                note: nil)
            #expect(
                Value(order) == [
                    "id": .text(id.uuidString), "at": "1970-01-01T00:00:01.000Z", "address": ["street": "Ring 1"],
                    "amounts": ["1", "2"],
                ])
            #expect(Value(Nested()) == ["inner": ["one": 1], "list": ["a", nil, [true]]])
            #expect(Value(Failing()) == "[encode threw Reason]")
        }

        @Test func anEndlessValueEnds() {
            var capture = Capture(Bounds(valueBytes: 4096, depth: 8, arrayItems: 50, objectKeys: 50))
            let value = withScratch { out in
                capture.value(Endless(), into: &out)
                return ValueReader.read(out.data)
            }
            #expect(value?.array?.count == 51)
            #expect(value?.array?.last == "[…1 more items]")
        }

        @Test func allElseIsMirrored() {
            #expect(Value(Plain()) == ["name": "x", "count": 3])
            #expect(Value((1, b: "x")) == [".0": 1, "b": "x"])
            #expect(Value(Choice.empty) == "empty")
            #expect(Value(Choice.full(2)) == ["full": 2])
        }

        @Test func knotsAreCut() {
            let (one, two) = (Knot("one"), Knot("two"))
            (one.other, two.other) = (two, one)
            defer { one.other = nil }
            #expect(Value(one) == ["other": ["other": "[Circular]", "name": "two"], "name": "one"])
        }

        @Test func aHugeValueCostsWhatIsKept() {
            let bounds = Bounds(valueBytes: 100, depth: 3, arrayItems: 5, objectKeys: 2)
            func captured(_ value: Any) -> (Value?, Cuts) {
                withScratch { out in
                    var capture = Capture(bounds)
                    capture.value(value, into: &out)
                    return (ValueReader.read(out.data), capture.cuts)
                }
            }
            let (text, cuts) = captured(String(repeating: "ä", count: 1_000_000))
            #expect(text == .text(String(repeating: "ä", count: 50) + "…[truncated]"))
            #expect(cuts.altered == 1)
            #expect(captured(Data(count: 1000)).0 == "[bytes length=1000]")
            #expect(captured(Array(repeating: 1, count: 1_000_000)).0 == [1, 1, 1, 1, 1, "[…999995 more items]"])
            #expect(captured(["a": 1, "b": 2, "c": 3]).0 == ["a": 1, "b": 2, "__truncated": "1 more keys omitted"])
            #expect(captured([[[[[1]]]]]).0 == [[[["[MaxDepth]"]]]])
            #expect(captured([[[[[1]]]]]).1.limited == 1)
        }

        @Test func errorsSayTheirTypeAndMessage() {
            struct Odd: LocalizedError {
                var errorDescription: String? { "it is odd" }
            }
            let parts = ErrorParts(Odd())
            #expect(parts.type.hasSuffix("Odd"))
            // Where in memory a private type is says nothing, and something else in each run.
            #expect(ErrorParts(Hidden.case1).type == "PolyspanTests.Hidden")
            #expect(!parts.type.contains("$"))
            #expect(parts.message == "it is odd")
        }

        @Test func theLastValueOfAKeyCounts() {
            var attributes: Attributes = ["a": 1, "a": 2]
            #expect(attributes["a"] == 2)
            attributes["b"] = "x"
            attributes["a"] = nil
            #expect(attributes == ["b": "x"])
        }

        @Test func whatIsReadIsCheckedFirst() {
            let whole = wholeValue(["a": [1, "x", nil, ["b": 0.5]]])
            #expect(ValueReader.read(whole) == ["a": [1, "x", nil, ["b": 0.5]]])
            for length in 0..<whole.count { #expect(ValueReader.read(whole.prefix(length)) == nil) }
        }
    }
}
