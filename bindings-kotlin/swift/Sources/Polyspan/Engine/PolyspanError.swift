// The one error that is thrown: by starting, flushing and stopping, never while spans are recorded.

import Foundation
import PolyspanNative

/// What went wrong. `code` is the same in every language: `invalid_option`, `already_initialized`, `not_running`,
/// `deadline_exceeded` and the like; the message names the option, what was found and what was expected.
public struct PolyspanError: Error, Sendable, Equatable, CustomStringConvertible, LocalizedError {
    public let code: String
    public let message: String

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }
    public var errorDescription: String? { message }

    static func notRunning(_ what: String) -> PolyspanError {
        PolyspanError(code: "not_running", message: "\(what): no engine runs")
    }
}

/// Runs what may throw the native library's error, as ours.
func checked<R>(_ run: () throws -> R) throws -> R {
    do {
        return try run()
    } catch PolyspanNative.PolyspanError.Failed(let code, let text) {
        throw PolyspanError(code: code, message: text)
    }
}
