// What a span keeps until it ends, and the frame writer writes then.

package dev.polyspan.internal

import dev.polyspan.Span

/** An event as it was added: its attributes as keys and values in turn, so many of both. */
internal class KeptEvent(
    @JvmField val name: String,
    @JvmField val time: Long,
    @JvmField val fields: Array<Any?>,
    @JvmField val count: Int,
)

/** What most spans have nothing of. */
internal class More {
    @JvmField var statusMessage = ""

    /** Texts, numbers and truth values as they are, else captured. */
    @JvmField var input: Any? = null

    @JvmField var hasInput = false

    @JvmField var output: Any? = null

    @JvmField var hasOutput = false

    /** Keys and captured values in turn. */
    @JvmField var metadata: ArrayList<Any>? = null

    @JvmField var tags: ArrayList<String>? = null

    @JvmField var events: ArrayList<KeptEvent>? = null

    @JvmField var links: ArrayList<ByteArray>? = null

    /** What was left out. */
    @JvmField var droppedAttributes = 0

    @JvmField var droppedEvents = 0

    @JvmField var droppedLinks = 0
}

/** Open children of one trace in this process, for `endTree`. */
internal class Local : Guard() {
    @JvmField var last: Span? = null

    fun add(span: Span) {
        enter()
        span.previous = last
        last?.next = span
        last = span
        leave()
    }

    fun remove(span: Span) {
        enter()
        val before = span.previous
        val after = span.next
        if (before != null) before.next = after
        if (after != null) {
            after.previous = before
        } else if (last === span) {
            last = before
        }
        span.previous = null
        span.next = null
        leave()
    }

    /** All of them, the latest first. */
    fun all(): List<Span> {
        val found = ArrayList<Span>()
        enter()
        var span = last
        while (span != null) {
            found.add(span)
            span = span.previous
        }
        leave()
        return found
    }
}
