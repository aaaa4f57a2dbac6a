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
    /** Keys and values in turn. */
    internal var fields: Array<Any?> = arrayOfNulls(FIRST)
    internal var count: Int = 0

    /** Sets an attribute; `null` is recorded as such. */
    public fun set(
        key: String?,
        value: Any?,
    ): Unit = put(key, span.kept(value))

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: String?,
    ): Unit = put(key, value ?: Content.NULL_VALUE)

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Long,
    ): Unit = put(key, value)

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Int,
    ): Unit = put(key, value.toLong())

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Double,
    ): Unit = put(key, value)

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Boolean,
    ): Unit = put(key, value)

    private fun put(
        key: String?,
        value: Any,
    ) {
        val at = count
        if (key.isNullOrEmpty() || at >= MOST) {
            span.recorder?.altered()
            return
        }
        if (at == fields.size) fields = fields.copyOf(at * 2)
        fields[at] = key
        fields[at + 1] = value
        count = at + 2
    }

    internal companion object {
        private const val FIRST = 4

        /** Keys and values of one event at most. */
        private const val MOST = 2 * 65535

        fun of(
            given: Map<String, *>?,
            span: Content,
        ): EventAttributes? {
            if (given == null) return null
            val found = EventAttributes(span)
            Given.each(given, "event attributes", span.recorder) { key, value -> found.set(key, value) }
            return found
        }
    }
}
