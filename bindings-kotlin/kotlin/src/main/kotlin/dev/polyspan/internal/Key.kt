// Keys: attribute keys and names, met again and again. What each is in a frame is found once.

package dev.polyspan.internal

/** A key with what stands for it: `code` of a static one, else its UTF-8 where it is short. */
internal class Key private constructor(
    @JvmField val text: String,
    @JvmField val code: Int,
    @JvmField val bytes: ByteArray?,
) {
    companion object {
        /** A place for each; two keys of one place take turns. A power of two. */
        private const val PLACES = 1024

        /** Longer ones are written inline each time. */
        private const val SHORT = 96
        private const val STATIC = 0x8000

        /** Nothing at all is as short inline. */
        private val statics: Map<String, Key> =
            STATIC_KEYS.withIndex().drop(1).associate { (id, text) -> text to Key(text, STATIC + id, null) }

        /** Shared by all threads without order: whoever reads a stale place finds a whole key or looks again. */
        private val places = arrayOfNulls<Key>(PLACES)

        fun of(text: String): Key {
            val hash = text.hashCode()
            val found = places[(hash xor (hash ushr 16)) and (PLACES - 1)]
            return if (found != null && (found.text === text || found.text == text)) found else meet(text, hash)
        }

        private fun meet(
            text: String,
            hash: Int,
        ): Key {
            if (text.length > SHORT) return Key(text, 0, null)
            val key = statics[text] ?: Key(text, 0, Utf8.of(text))
            places[(hash xor (hash ushr 16)) and (PLACES - 1)] = key
            return key
        }
    }
}
