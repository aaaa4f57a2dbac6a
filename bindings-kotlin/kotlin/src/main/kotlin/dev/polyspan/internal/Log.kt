// The few lines that Polyspan says about itself, at most one per kind: its own and the engine's.

package dev.polyspan.internal

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.LongAdder
import java.util.function.Consumer

internal object Log {
    @Volatile
    var write: Consumer<String> = Consumer { System.err.println(it) }

    private val said = ConcurrentHashMap.newKeySet<String>()
    private val altered = LongAdder()

    /** How often something was left out outside of any recording span. */
    val refusals: Long get() = altered.sum()

    /** Says a line, whatever the application's logger does. */
    fun say(line: String) {
        try {
            write.accept(line)
        } catch (_: Throwable) {
            // A logger that fails is no reason to fail with it.
        }
    }

    /** Counts that something given was not usable there, and says so once. */
    fun refuse(place: String) {
        altered.increment()
        if (said.add(place)) {
            say("polyspan: $place: something that cannot be recorded was left out or changed; it is counted and not said again")
        }
    }

    /** Says something once. */
    fun sayOnce(
        kind: String,
        line: String,
    ) {
        if (said.add(kind)) say("polyspan: $line")
    }
}
