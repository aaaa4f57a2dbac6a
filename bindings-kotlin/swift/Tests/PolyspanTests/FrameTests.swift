// The encoder: `tests/vectors/frame.json` byte for byte.

import Foundation
import PolyspanShims
import Testing

@testable import Polyspan

extension EngineTests {
    @Suite struct FrameTests {
        @Test func staticKeysAreThoseOfTheCore() {
            StaticKeys.made
            let texts = vectors("frame.json")["static_keys"]!.list.map { $0.string! }
            #expect(staticKeyTexts.map(\.description) == texts)
            for (id, text) in texts.enumerated() where !text.isEmpty {
                #expect(withUTF8(of: text) { StaticKeys.code(of: $0) } == 0x8000 + UInt16(id))
                #expect(withUTF8(of: text + "x") { StaticKeys.code(of: $0) } == nil)
            }
        }

        @Test(arguments: vectors("frame.json")["events"]!.list)
        func fieldsAreWrittenAsTheCoreWritesThem(_ entry: Json) {
            StaticKeys.made
            guard let written = fields(entry["event"]!) else { return }
            let expected = bytes(ofHex: text(entry["hex"]!)).dropFirst(72)
            #expect(hex(written) == hex(expected), "\(entry["name"]!)")
        }

        @Test func mostEventsWereCompared() {
            #expect(vectors("frame.json")["events"]!.list.filter { fields($0["event"]!) != nil }.count >= 9)
        }
    }
}

/// The fields of a span as the vectors describe it, from the parts that spans are written with; nil where an application
/// cannot give them.
private func fields(_ event: Json) -> Data? {
    var out = Buffer.empty()
    defer { polyspan_buffer_free(&out) }
    let tags: [String: UInt8] = [
        "name": Field.name, "status_message": Field.statusMessage, "tracestate": Field.traceState,
        "attribute": Field.attribute, "input": Field.input, "output": Field.output, "metadata": Field.metadata,
        "tag": Field.tag,
    ]
    for field in event["fields"]?.list ?? [] {
        let (kind, given) = field.fields[0]
        if ["\"static\"", "static:", "entry:", "nested:"].contains(where: { given.description.contains($0) }) { return nil }
        guard let tag = tags[kind] else { return nil }
        out.put(tag)
        switch kind {
        case "name", "tag": _ = withUTF8(of: text(given)) { out.inlineKey($0) }
        case "status_message", "tracestate": out.sized(text(given))
        case "attribute", "metadata":
            _ = withUTF8(of: text(given[0])) { out.inlineKey($0) }
            captured(value(given[1]), into: &out)
        default: captured(value(given), into: &out)
        }
    }
    return out.data
}

private func captured(_ value: Value, into out: inout Buffer) {
    var capture = Capture(.whole)
    capture.value(value, depth: 0, into: &out)
}
