// All tests, one after the other: the default engine and the environment are the process's.

import Foundation
import Testing

@testable import Polyspan

@Suite(.serialized) struct EngineTests {}

/// Runs `body` with an engine that keeps its spans in memory, and stops it.
func withEngine<R>(
    _ more: Attributes = [:], options given: Options = Options(), _ body: (Engine, MemoryExporter) throws -> R
) throws -> R {
    let (engine, memory) = try started(more, given)
    defer { try? engine.shutdown(timeout: 30) }
    return try body(engine, memory)
}

func withEngine<R>(
    _ more: Attributes = [:], options given: Options = Options(), _ body: (Engine, MemoryExporter) async throws -> R
) async throws -> R {
    let (engine, memory) = try started(more, given)
    do {
        let result = try await body(engine, memory)
        try await engine.shutdown(timeout: 30)
        return result
    } catch {
        try? await engine.shutdown(timeout: 30)
        throw error
    }
}

private func started(_ more: Attributes, _ given: Options) throws -> (Engine, MemoryExporter) {
    Polyspan.setLogger { _ in }
    let memory = MemoryExporter()
    var options = given
    options.replace = true
    options.exporters = (given.exporters ?? []) + [.memory(memory)]
    options.more = more
    return (try Polyspan.start(service: "tests", options), memory)
}

/// Expects that no engine starts with these options, and that the error names one of them.
func refuses(_ options: Attributes, _ option: String, _ place: SourceLocation = #_sourceLocation) {
    #expect(sourceLocation: place) {
        try Polyspan.start(service: "x", Options(name: "refused", exporters: [], more: options))
    } throws: { error in
        guard let error = error as? PolyspanError else { return false }
        return error.code == "invalid_option" && error.message.hasPrefix("\(option):")
    }
}

/// Runs `body` with these variables in the environment. No other test runs at the same time, and nothing that an engine
/// started reads the environment after its start.
func withEnvironment(_ given: Json?, _ body: () throws -> Void) rethrows {
    for (name, value) in given?.fields ?? [] { setenv(name, value.string ?? "", 1) }
    defer { for (name, _) in given?.fields ?? [] { unsetenv(name) } }
    try body()
}

extension Engine {
    /// The spans of a memory exporter after a flush.
    func flushed(_ memory: MemoryExporter) throws -> [SpanRecord] {
        try flush(timeout: 30)
        return memory.take()
    }
}
