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

    /** The context of the OpenTelemetry API under which it was made. */
    internal var origin: Any? = null
}

/** One thread's own. */
internal class Here {
    private val thread: Thread = Thread.currentThread()

    var current: Slot? = null
        private set

    /** The coroutine that runs here, where it keeps what is current for itself. */
    private var carried: Carried? = null

    /** What a coroutine keeps; an element of its context (`dev.polyspan.coroutines`). */
    abstract class Carried {
        abstract var slot: Slot?
    }

    /** What was here before a coroutine. */
    class State(
        val current: Slot?,
        val carried: Carried?,
    )

    /** A coroutine runs here from now on. */
    fun enter(by: Carried): State {
        val before = if (current == null && carried == null) NOTHING else State(current, carried)
        current = by.slot
        carried = by
        return before
    }

    fun leave(before: State) {
        current = before.current
        carried = before.carried
    }

    /** Makes something current, for the coroutine that runs here as well. */
    fun make(slot: Slot?) {
        current = slot
        val by = carried
        if (by != null) by.slot = slot
    }

    /** Whose it is what is current here: the coroutine's that runs here where it keeps that for itself, or the thread's. */
    val owner: Any get() = carried ?: this

    /** Whether it belongs to the thread that asks. */
    val isHere: Boolean get() = Thread.currentThread() === thread

    private var lane: Lane? = null
    private var others: ArrayList<Lane>? = null

    /** What this thread writes to for a recorder. */
    fun lane(recorder: Recorder): Lane {
        val last = lane
        return if (last != null && last.recorder === recorder) last else find(recorder)
    }

    private fun find(recorder: Recorder): Lane {
        val all = others ?: ArrayList<Lane>(2).also { others = it }
        var found: Lane? = null
        var at = all.size
        while (--at >= 0) {
            val known = all[at]
            if (known.recorder === recorder) {
                found = known
            } else if (known.recorder.stopped) {
                all.removeAt(at)
            }
        }
        // What a stopped engine had has gone with it.
        if (found == null) {
            found = recorder.newLane()
            all.add(found)
        }
        lane = found
        return found
    }

    companion object {
        private val NOTHING = State(null, null)
        private val threads = ThreadLocal<Here>()

        fun get(): Here = threads.get() ?: first()

        private fun first(): Here {
            val here = Here()
            threads.set(here)
            return here
        }

        /** What `get` answers, sooner where the thread is still that one. */
        fun from(known: Here?): Here = if (known != null && known.isHere) known else get()

        /** What is current here. */
        val slot: Slot? get() = get().current

        /** Runs `body` with something current. */
        inline fun <R> inside(
            slot: Slot?,
            body: () -> R,
        ): R {
            val here = get()
            val before = here.current
            here.make(slot)
            try {
                return body()
            } finally {
                // A body that suspended may have gone on in another thread.
                get().make(before)
            }
        }
    }
}
