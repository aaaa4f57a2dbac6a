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

    /** What it is for that API but for the current span, which spans inside put their own in place of. */
    internal open val base: Any? get() = origin

    /** Keeps what that API has in its context where this begins. */
    internal fun keepsOf(outer: Slot?) {
        val found = if (outer is Span) outer.origin else outer?.base
        if (found != null) origin = found
    }
}

/** One thread's own. */
internal class Here {
    private val thread: Thread = Thread.currentThread()

    /** What was made current last. */
    private var held: Slot? = null

    val current: Slot?
        get() {
            val found = held
            return if (found is Span && found.left != null) before(found) else found
        }

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
    ) {
        companion object {
            val NOTHING = State(null, null)
        }
    }

    /** A coroutine runs here from now on. */
    fun enter(by: Carried): State {
        val before = if (current == null && carried == null) State.NOTHING else State(current, carried)
        held = by.slot
        carried = by
        return before
    }

    fun leave(before: State) {
        held = before.current
        carried = before.carried
    }

    /** Makes something current, for the coroutine that runs here as well. */
    fun make(slot: Slot?) {
        held = slot
        val by = carried
        if (by != null) by.slot = slot
    }

    /** Makes something current if it is not; returns what was. */
    fun enter(slot: Slot): Slot? {
        val before = current
        if (before !== slot) make(slot)
        return before
    }

    /** A span's body has ended elsewhere than where it was current, or after others had begun here. */
    class Left(
        /** What was current before it. */
        val before: Slot?,
    )

    /**
     * Puts back what was current before a span. The body of one may suspend in a coroutine that does not carry what is
     * current: then it ends in another thread, which is left as it is, or while the next one is current here. Such a span
     * is marked, so that the thread which it began in does not take it for current any more.
     */
    fun putBack(
        span: Span,
        before: Slot?,
    ) {
        val isUsual = held === span || carried != null
        if (!isUsual) span.left = Left(before)
        if (isUsual || span.home === this) make(before)
    }

    /** The same for what may be current in several places: it was entered in that one. */
    fun putBack(
        slot: Slot,
        before: Slot?,
        entered: Here,
    ) {
        if (entered === this || carried != null || held === slot) {
            make(before)
        } else if (entered.held === slot) {
            // That thread is at something else by now.
            entered.held = before
        }
    }

    /** What was current before a span that has been left; where it was carried to on purpose, it stays current. */
    private fun before(left: Span): Slot? {
        var found: Slot? = left
        while (carried == null && found is Span && found.home === this) found = (found.left ?: break).before
        held = found
        return found
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
