// What is current in each thread, and what this thread needs to record.

package dev.polyspan.internal

import dev.polyspan.Span

/** What can be current: a span or a context. */
public abstract class Slot internal constructor() : Guard() {
    /** What spans inside inherit. */
    internal abstract val ambient: Ambient?

    /** The span that is current. */
    internal abstract val currentSpan: Span?

    /** What it is for the OpenTelemetry API as a context, once that has asked; the adapter's alone. */
    internal var face: Any? = null
}

/** One thread's own. */
internal class Here {
    @JvmField var current: Slot? = null

    private var lane: Lane? = null
    private var others: ArrayList<Lane>? = null

    /** What this thread writes to for a recorder. */
    fun lane(recorder: Recorder): Lane {
        val last = lane
        return if (last != null && last.recorder === recorder) last else find(recorder)
    }

    private fun find(recorder: Recorder): Lane {
        val all = others ?: ArrayList<Lane>(2).also { others = it }
        // What a stopped engine had goes with it.
        all.removeIf { it.recorder.stopped && it.recorder !== recorder }
        val found = all.find { it.recorder === recorder } ?: recorder.newLane().also(all::add)
        lane = found
        return found
    }

    companion object {
        private val threads = ThreadLocal.withInitial(::Here)

        fun get(): Here = threads.get()

        /** What is current here. */
        val slot: Slot? get() = get().current

        /** Runs `body` with something current. */
        inline fun <R> inside(
            slot: Slot?,
            body: () -> R,
        ): R {
            val here = get()
            val before = here.current
            here.current = slot
            try {
                return body()
            } finally {
                // A body that suspended may have gone on in another thread.
                get().current = before
            }
        }
    }
}
