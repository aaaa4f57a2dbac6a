// The examples of docs/swift.md compile, run, and print what they say. `cargo xtask test swift` makes `Guide.swift` of them.

import Foundation
import Polyspan
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// An example, and the lines that it says it prints.
struct Example: Sendable, CustomTestStringConvertible {
    let number: Int
    let says: [String]
    let run: @Sendable () async throws -> Void

    init(number: Int, says: [String], run: @escaping @Sendable () async throws -> Void) {
        self.number = number
        self.says = says
        self.run = run
    }

    var testDescription: String { "example \(number)" }
}

private let lock = NSLock()
private nonisolated(unsafe) var printed: [String] = []

/// What examples print stays here.
func print(_ items: Any...) {
    let line = items.map { "\($0)" }.joined(separator: " ")
    lock.withLock { printed.append(line) }
}

private func takePrinted() -> [String] {
    lock.withLock {
        defer { printed = [] }
        return printed
    }
}

// What examples speak of and do not say where they have it from.

let cart = ["tea", "milk"]
func pay(_ cart: [String]) async throws -> String { "paid for \(cart.count)" }
let query = "tea"
func search(_ query: String) {}
let queue = DispatchQueue(label: "guide")
private let receiver = try? Receiver()
var request: URLRequest { URLRequest(url: URL(string: receiver?.endpoint ?? "")!) }
let message = (
    headers: ["traceparent": "00-\(String(repeating: "1", count: 32))-\(String(repeating: "2", count: 16))-01"], body: ""
)
func handle(_ data: Data, _ response: URLResponse) {}

extension EngineTests {
    @Suite struct GuideTests {
        @Test(arguments: guide)
        func examplesDoWhatTheGuideSays(_ example: Example) async throws {
            Polyspan.setLogger { _ in }
            _ = takePrinted()
            do {
                try await example.run()
            } catch {
                Issue.record("\(error)")
            }
            queue.sync {}
            Polyspan.setSelector(nil)
            try await Polyspan.shutdown(timeout: 30)
            let found = takePrinted()
            for said in example.says { #expect(found.contains(said), "\(found)") }
        }

        @Test func thereAreAllOfThem() {
            #expect(guide.count >= 9)
            #expect(guide.flatMap(\.says).count >= 6)
        }
    }
}
