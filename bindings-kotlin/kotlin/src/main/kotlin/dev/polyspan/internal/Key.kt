// Keys: attribute keys and names, met again and again. What each is in a frame is found once.

package dev.polyspan.internal

/** A key with what stands for it in a frame: the code of a static one, else its length and UTF-8; `null` where that is
 * long. */
internal class Key private constructor(
    @JvmField val text: String,
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
            HashMap<String, Key>(STATIC_KEYS.size * 2).apply {
                for (id in 1 until STATIC_KEYS.size) put(STATIC_KEYS[id], Key(STATIC_KEYS[id], short(STATIC + id, 0)))
            }

        /** Shared by all threads without order: whoever reads a stale place finds a whole key or looks again. */
        private val places = arrayOfNulls<Key>(PLACES)

        /** A number, and room for so many bytes more. */
        private fun short(
            number: Int,
            room: Int,
        ): ByteArray = ByteArray(2 + room).also { Bytes.putShort(it, 0, number) }

        private fun inline(text: ByteArray): ByteArray = short(text.size, text.size).also { System.arraycopy(text, 0, it, 2, text.size) }

        fun of(text: String): Key {
            val hash = text.hashCode()
            val found = places[(hash xor (hash ushr 16)) and (PLACES - 1)]
            return if (found != null && (found.text === text || found.text == text)) found else meet(text, hash)
        }

        private fun meet(
            text: String,
            hash: Int,
        ): Key {
            if (text.length > SHORT) return Key(text, null)
            val key = statics[text] ?: Key(text, inline(Utf8.of(text)))
            places[(hash xor (hash ushr 16)) and (PLACES - 1)] = key
            return key
        }
    }
}
