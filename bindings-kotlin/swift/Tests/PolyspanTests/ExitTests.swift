// The end of a process: what had ended arrives. Each program is this one again, with the one test that is the program.

import Foundation
import Testing

@testable import Polyspan

/// The file that the program's spans go to; nil where this is no program, but the tests.
private let file = ProcessInfo.processInfo.environment["POLYSPAN_TEST_EXIT"]

extension EngineTests {
    @Suite struct ExitTests {
        @Test(.enabled(if: file != nil)) func program() throws {
            let engine = try Polyspan.start(
                service: "exit", Options(exporters: [.described(["type": "file", "path": .text(file ?? "")])]))
            engine.withSpan("ended") { _ in }
            // Of nobody any more: it has its place among the open ones until the end.
            _ = Unmanaged.passRetained(engine.startSpan("open"))
            exit(0)
        }

        @Test(.enabled(if: file == nil && FileManager.default.fileExists(atPath: "/proc/self/exe")))
        func whatHadEndedArrives() throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let spans = folder.appendingPathComponent("spans.jsonl")
            let child = Process()
            let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            child.executableURL = URL(fileURLWithPath: own)
            child.arguments = ["--testing-library", "swift-testing", "--filter", "ExitTests/program"]
            child.environment = ProcessInfo.processInfo.environment.merging(["POLYSPAN_TEST_EXIT": spans.path]) { $1 }
            let log = folder.appendingPathComponent("log")
            _ = FileManager.default.createFile(atPath: log.path, contents: nil)
            let output = try FileHandle(forWritingTo: log)
            (child.standardOutput, child.standardError) = (output, output)
            try child.run()
            child.waitUntilExit()
            let said = try String(contentsOf: log, encoding: .utf8)
            #expect(child.terminationStatus == 0, "\(said)")
            let lines = (try? String(contentsOf: spans, encoding: .utf8)) ?? ""
            #expect(lines.contains("\"ended\""), "\(said)")
            #expect(!lines.contains("\"open\""))
        }
    }
}
