// Time: a monotonic clock laid against the wall clock. A moment is nanoseconds since the Unix epoch.

package dev.polyspan.internal

import java.time.Instant

internal object Clock {
    private const val SECOND = 1_000_000_000L

    /** Differences between the two clocks below this are left alone. */
    private const val TOLERANCE = 10_000_000L

    /** What is added to the monotonic clock. A reader that sees the one before is off by what the clock was set. */
    private var correction = measured()

    fun now(): Long = System.nanoTime() + correction

    /** Follows the wall clock when it was set or has drifted. Called now and then. */
    fun reAnchor() {
        val found = measured()
        if (Math.abs(found - correction) > TOLERANCE) correction = found
    }

    private fun measured(): Long = nanos(Instant.now()) - System.nanoTime()

    fun nanos(instant: Instant): Long = Math.addExact(Math.multiplyExact(instant.epochSecond, SECOND), instant.nano.toLong())
}
