// Sessions of a person with an app: their ids change after a time without any trace, and after a time at all.

import Foundation

/// Gives ids to sessions: a new one after `inactivity` without a trace that began, and after `maxAge` whatever happens.
public final class Sessions: Sendable {
    private struct State {
        var id = ""
        var began = Date.distantPast
        var used = Date.distantPast
        var around: Surroundings?
    }

    /// Seconds.
    public let inactivity: TimeInterval
    public let maxAge: TimeInterval
    private let now: @Sendable () -> Date
    private let state = Locked(State())

    /// - Parameters:
    ///   - inactivity: seconds; 30 minutes by default, `.infinity` for never.
    ///   - maxAge: seconds; a day by default, `.infinity` for never.
    ///   - now: the clock. Called without any lock.
    public init(
        inactivity: TimeInterval = 1800, maxAge: TimeInterval = 86_400, now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.inactivity = inactivity
        self.maxAge = maxAge
        self.now = now
    }

    /// The id of the session that goes on now, or of one that begins. Counts as use.
    public var current: String {
        let moment = now()
        return state.with { renewed(&$0, at: moment).id }
    }

    /// Begins a new session, whatever became of the one before: after signing out.
    public func renew() {
        state.with { $0.id = "" }
    }

    /// Refuses what is no time; one that never ends is.
    func check() throws {
        for (name, seconds) in [("inactivity", inactivity), ("maxAge", maxAge)] where !(seconds > 0) {
            throw PolyspanError(
                code: "invalid_option",
                message: "sessions.\(name): \(seconds) is not usable; expected a number of seconds above 0")
        }
    }

    /// What a trace of the session that begins inside `outer` inherits.
    func surroundings(inside outer: Surroundings?) -> Surroundings {
        let moment = now()
        let session = state.with { renewed(&$0, at: moment) }
        if let outer { return .inside(outer, session: session.id) }
        if let around = session.around { return around }
        let around = Surroundings.inside(nil, session: session.id)
        state.with { if $0.id == session.id { $0.around = around } }
        return around
    }

    private func renewed(_ state: inout State, at moment: Date) -> State {
        // A clock that was set back is no reason for a new one.
        if state.id.isEmpty || moment.timeIntervalSince(state.used) >= inactivity
            || moment.timeIntervalSince(state.began) >= maxAge
        {
            state.id = hexDigits(randomWord()) + hexDigits(randomWord())
            state.began = moment
            state.around = nil
        }
        state.used = moment
        return state
    }
}
