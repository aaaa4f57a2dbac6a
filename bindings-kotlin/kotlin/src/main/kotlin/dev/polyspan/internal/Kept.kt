// What a span keeps until it ends, and the frame writer writes then.

package dev.polyspan.internal

import dev.polyspan.EventAttributes
import dev.polyspan.Span

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

    /** Events, from the first to the last; each knows the next one. */
    @JvmField var firstEvent: EventAttributes? = null

    @JvmField var lastEvent: EventAttributes? = null

    @JvmField var links: ArrayList<ByteArray>? = null

    /** Attributes that others than the owner have set: the owner's count by then, key and value in turn. */
    @JvmField var others: ArrayList<Any>? = null

    @JvmField var othersSize = 0

    /** The body of its event as it was when it started, where the engine has written that. */
    @JvmField var prefix: ByteArray? = null

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
