// Engines: starting one, finding it again, flushing and stopping it.

import Dispatch
import Foundation
import PolyspanNative

/// A running engine: one configured instance with its sampler, limits and exporters.
public final class Engine: Sendable {
    let recorder: Recorder

    init(_ recorder: Recorder) {
        self.recorder = recorder
    }

    /// The name under which it runs.
    public var name: String { recorder.name }

    /// The attributes that every span says of its process.
    public var resource: Attributes { ValueReader.read(recorder.engine.resource())?.map ?? Attributes() }

    /// Records what `body` does as a span of this engine; see `withSpan`.
    @discardableResult
    public func withSpan<R>(
        _ name: String, type: SpanType = .generic, kind: SpanKind? = nil, attributes: Attributes? = nil, input: Any? = nil,
        parent: (any SpanParent)? = nil, options: SpanOptions? = nil, _ body: (Span) throws -> R
    ) rethrows -> R {
        try inside(
            startSpan(
                name, type: type, kind: kind, attributes: attributes, input: input, parent: parent, options: options), body)
    }

    /// The same for a body that waits.
    @discardableResult
    public func withSpan<R>(
        _ name: String, type: SpanType = .generic, kind: SpanKind? = nil, attributes: Attributes? = nil, input: Any? = nil,
        parent: (any SpanParent)? = nil, options: SpanOptions? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (Span) async throws -> R
    ) async rethrows -> R {
        try await inside(
            startSpan(
                name, type: type, kind: kind, attributes: attributes, input: input, parent: parent, options: options), body)
    }

    /// Starts a span of this engine, which is not current; see `startSpan`.
    public func startSpan(
        _ name: String, type: SpanType = .generic, kind: SpanKind? = nil, attributes: Attributes? = nil, input: Any? = nil,
        parent: (any SpanParent)? = nil, options: SpanOptions? = nil
    ) -> Span {
        let given = Described(name: name, type: type, kind: kind, attributes: attributes, input: input, options: options)
        return start(given, parent: parent, recorder: recorder)
    }

    /// Waits until every span that had ended is delivered or given up. Throws `PolyspanError`: `deadline_exceeded` where that
    /// took longer, `not_running`.
    public func flush(timeout: TimeInterval = 30) throws {
        recorder.submit()
        try checked { try recorder.engine.flush(seconds: try seconds(timeout)) }
    }

    /// The same without holding a thread of the caller.
    public func flush(timeout: TimeInterval = 30) async throws {
        try await onAnotherThread { try self.flush(timeout: timeout) }
    }

    /// Flushes and stops the engine. A second call does nothing.
    public func shutdown(timeout: TimeInterval = 30) throws {
        let seconds = try seconds(timeout)
        recorder.submit()
        Registry.remove(recorder)
        defer { Registry.findDefault() }
        try checked { try recorder.engine.shutdown(seconds: seconds) }
    }

    public func shutdown(timeout: TimeInterval = 30) async throws {
        try await onAnotherThread { try self.shutdown(timeout: timeout) }
    }

    /// Changes from which level on log records are kept: `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `none`.
    public func setLogLevel(_ level: String) throws {
        try checked { try PolyspanNative.setLogLevel(engine: recorder.engine, name: level) }
    }

    /// What it has counted so far in this process.
    public func stats() -> Stats { Stats(recorder) }
}

/// A year, in seconds.
let longestTimeout: TimeInterval = 31_536_000

private func seconds(_ timeout: TimeInterval) throws -> Double {
    guard timeout >= 0, timeout <= longestTimeout else {
        throw PolyspanError(
            code: "invalid_option", message: "timeout: \(timeout) is not usable; expected a number of seconds, 0 or more")
    }
    return timeout
}

private func onAnotherThread(_ run: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
        DispatchQueue.global().async { done.resume(with: Result(catching: run)) }
    }
}

/// What concerns the whole process: the default engine, and all of them.
public enum Polyspan {
    /// Starts an engine; the first one is the default. Nothing happens before: no thread, no file, no network.
    ///
    /// - Parameters:
    ///   - service: `service.name` of the resource.
    /// - Throws: `PolyspanError`: `invalid_option` naming the option, or `already_initialized` where an engine of that name
    ///   runs with other options and `replace` is not true.
    @discardableResult
    public static func start(service: String? = nil, _ options: Options = Options()) throws -> Engine {
        let native = NativeOptions(language: "swift")
        // What the engine has to say of the options.
        defer { Log.sayWaiting() }
        try options.sessions?.check()
        let engine = try checked {
            try addHostStage(options, to: native)
            try native.data(options: wholeValue(.map(options.data(service: service))))
            return try initEngine(options: native, provider: false)
        }
        _ = leaving
        let recorder = Registry.add(Recorder(engine))
        if let sessions = options.sessions { try recorder.take(sessions) }
        return Engine(recorder)
    }

    /// What the end of the process does, once there is something to do. Registered after the first engine has started: what was
    /// registered last is run first, and the native library, which stops its engines then, has to get what is left here before.
    private static let leaving: Void = {
        atexit {
            for recorder in Registry.recorders { recorder.submit() }
            hostExit(seconds: 2)
        }
    }()

    /// The engine of that name, or the default one. Throws `PolyspanError` (`not_running`) where there is none.
    public static func engine(_ name: String? = nil) throws -> Engine {
        let recorder = name.map(Registry.recorder(named:)) ?? Registry.recorder
        guard let recorder else { throw PolyspanError.notRunning(name.map { "engine \"\($0)\"" } ?? "engine") }
        return Engine(recorder)
    }

    /// All running engines, in the order they were started.
    public static var engines: [Engine] { Registry.recorders.map { Engine($0) } }

    /// Makes the engine of that name the one for spans that name none.
    public static func setDefault(_ name: String) throws {
        try checked { try setDefaultEngine(name: name) }
        Registry.findDefault()
    }

    /// Waits until every span that has ended is delivered or given up, of all engines.
    public static func flush(timeout: TimeInterval = 30) throws {
        try each(timeout) { engine, left in try engine.flush(timeout: left) }
    }

    /// The same without holding a thread of the caller.
    public static func flush(timeout: TimeInterval = 30) async throws {
        try await onAnotherThread { try Polyspan.flush(timeout: timeout) }
    }

    /// Flushes and stops every engine.
    public static func shutdown(timeout: TimeInterval = 30) throws {
        try each(timeout) { engine, left in try engine.shutdown(timeout: left) }
    }

    public static func shutdown(timeout: TimeInterval = 30) async throws {
        try await onAnotherThread { try Polyspan.shutdown(timeout: timeout) }
    }

    static func each(_ timeout: TimeInterval, _ run: (Engine, TimeInterval) throws -> Void) throws {
        let deadline = Date().addingTimeInterval(try seconds(timeout))
        var failure: (any Error)?
        for engine in engines {
            do {
                try run(engine, max(0, deadline.timeIntervalSinceNow))
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// What the default engine has counted so far; all zeros where none runs.
    public static func stats() -> Stats {
        Registry.recorder.map { Stats($0) } ?? Stats()
    }

    /// Sends the few lines that Polyspan says about itself somewhere else than to the standard error stream.
    public static func setLogger(_ write: @escaping @Sendable (String) -> Void) {
        Log.setLogger(write)
    }

    /// The version of the engine.
    public static var version: String { PolyspanNative.version() }
}
