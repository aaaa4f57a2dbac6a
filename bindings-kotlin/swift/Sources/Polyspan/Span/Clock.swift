// Time: a clock that is never set, laid against the wall clock.

import Foundation
import PolyspanShims

enum Clock {
    /// Differences below this are left alone, in nanoseconds.
    private static let tolerance: Int64 = 10_000_000

    private static func measured() -> Int64 {
        Int64(bitPattern: polyspan_wall_nanos() &- polyspan_steady_nanos())
    }

    /// Nanoseconds since the Unix epoch.
    @inline(__always)
    static func now() -> UInt64 { polyspan_now() }

    /// Follows the wall clock when it was set, has drifted, or went on while the machine slept. Called when a recorder is
    /// made, and now and then.
    static func reAnchor() {
        let found = measured()
        if abs(found &- polyspan_clock_offset_get()) > tolerance { polyspan_clock_offset_set(found) }
    }

    /// Nanoseconds since the Unix epoch; nil where it lies outside what a frame holds.
    static func nanos(_ date: Date) -> UInt64? {
        let seconds = date.timeIntervalSince1970
        guard seconds >= 0, seconds < 18_446_744_073 else { return nil }
        // A date has a resolution of about 100 ns; whole microseconds are what was meant.
        let micros = (seconds * 1_000_000).rounded()
        return UInt64(micros) * 1000
    }

    static func date(_ nanos: UInt64) -> Date {
        Date(timeIntervalSince1970: Double(nanos / 1000) / 1_000_000)
    }
}
