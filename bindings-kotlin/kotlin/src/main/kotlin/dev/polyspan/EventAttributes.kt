// The attributes of an event of a span.

package dev.polyspan

import dev.polyspan.internal.Content
import dev.polyspan.internal.Given

/**
 * The attributes of an event while it is made: `span.event("usage") { set("tokens", 12) }`.
 *
 * Like those of a span they never throw: a key that is empty, or one too many, is left out and counted.
 */
public class EventAttributes internal constructor(
    private val span: Content,
) {
    internal var name: String = ""

    /** Nanoseconds since the Unix epoch. */
    internal var time: Long = 0

    /** Keys and values in turn. */
    internal var fields: Array<Any?> = arrayOfNulls(FIRST)
    internal var count: Int = 0

    /** Bytes of them. */
    internal var size: Int = 0

    /** The event that was added after it. */
    internal var next: EventAttributes? = null

    /** Sets an attribute; `null` is recorded as such. */
    public fun set(
        key: String?,
        value: Any?,
    ) {
        val kept = span.kept(value)
        put(key, kept, Content.sizeOf(kept))
    }

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: String?,
    ): Unit = put(key, value ?: Content.NULL_VALUE, value?.length ?: 1)

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Long,
    ): Unit = put(key, value, 0)

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Int,
    ): Unit = put(key, value.toLong(), 0)

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Double,
    ): Unit = put(key, value, 0)

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Boolean,
    ): Unit = put(key, value, 0)

    private fun put(
        key: String?,
        value: Any,
        bytes: Int,
    ) {
        val at = count
        if (key == null || key.length == 0 || at >= MOST) return leftOut()
        val into = if (at < fields.size) fields else larger()
        into[at] = key
        into[at + 1] = value
        count = at + 2
        size += Content.FIELD + key.length + bytes
    }

    private fun leftOut() {
        span.recorder?.altered()
    }

    private fun larger(): Array<Any?> = fields.copyOf(count * 2).also { fields = it }

    internal companion object {
        private const val FIRST = 4

        /** Keys and values of one event at most. */
        private const val MOST = 2 * 65535

        fun of(
            given: Map<String, *>?,
            span: Content,
        ): EventAttributes {
            val found = EventAttributes(span)
            if (given != null) Given.each(given, "event attributes", span.recorder) { key, value -> found.set(key, value) }
            return found
        }
    }
}
