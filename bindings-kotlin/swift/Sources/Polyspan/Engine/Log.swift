// The few lines that Polyspan says about itself, at most one per kind: its own and the engine's.

import Foundation
import PolyspanNative

enum Log {
    private struct State {
        var said: Set<String> = []
        var refusals: Int64 = 0
        var write: @Sendable (String) -> Void = { line in
            FileHandle.standardError.write(Data((line + "\n").utf8))
        }
    }

    private static let state = Locked(State())

    /// Sends the lines somewhere else than to the standard error stream.
    static func setLogger(_ write: @escaping @Sendable (String) -> Void) {
        // What the one before held may say something as it goes: not while this is locked.
        _ = state.with { state in
            let before = state.write
            state.write = write
            return before
        }
    }

    private static func say(_ line: String) {
        let write = state.with { $0.write }
        write(line)
    }

    /// Says what the engine has to say. The logger is the application's and may record spans: called without any lock.
    static func sayWaiting() {
        for line in takeLog() { say(line) }
    }

    /// Counts that something given was not usable there, and says so once.
    static func refuse(_ place: String) {
        let isNew = state.with { state in
            state.refusals += 1
            return state.said.insert(place).inserted
        }
        if isNew {
            say(
                "polyspan: \(place): something that cannot be recorded was left out or changed; it is counted and not said "
                    + "again")
        }
    }

    /// Says something once.
    static func sayOnce(_ kind: String, _ line: String) {
        if state.with({ $0.said.insert(kind).inserted }) { say("polyspan: \(line)") }
    }

    /// How often something was left out outside of any recording span.
    static var refusals: Int64 { state.with { $0.refusals } }
}
