// The table of span types is the core's.

import Foundation
import PolyspanNative
import Testing

@testable import Polyspan

extension EngineTests {
    @Suite struct SpanTypeTests {
        @Test(arguments: vectors("semantics.json")["types"]!.list)
        func namesHaveTheirNumbers(_ type: Json) {
            for name in [type["type"]!] + type["aliases"]!.list {
                #expect(SpanType(name.string!)?.number == UInt16(type["number"]!.int!))
            }
        }

        @Test func theSourceIsWhatTheTableGives() throws {
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let source = try String(
                contentsOf: folder.appendingPathComponent("Sources/Polyspan/Span/SpanTypes.swift"), encoding: .utf8)
            for type in vectors("semantics.json")["types"]!.list where type["type"]!.string != "generic" {
                #expect(
                    source.contains(
                        "public static let \(camel(type["type"]!.string!)) = SpanType(number: \(type["number"]!.int!))"))
                for attribute in type["attributes"]!.list {
                    #expect(source.contains("found.add(\"\(attribute["name"]!.string!)\", "))
                }
            }
        }

        @Test func whatIsNoTypeIsNone() {
            #expect(SpanType("no_such_type") == nil)
            #expect(SpanType("tool") == .tool)
        }
    }
}
