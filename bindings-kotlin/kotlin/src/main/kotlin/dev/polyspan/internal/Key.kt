// Keys: attribute keys and names, met again and again. What each is in a frame is found once.

package dev.polyspan.internal

/** A key with what stands for it in a frame: the code of a static one, else its length and UTF-8. */
internal class Key private constructor(
    @JvmField val text: String,
    /** A place for the tag of a field, and what stands for the key; then nothing up to a multiple of eight, as it is
     * copied by eight bytes. `null` where it is long. */
    @JvmField val field: ByteArray?,
    /** Bytes of these that count. */
    @JvmField val size: Int,
) {
    companion object {
        /** A place for each; two keys of one place take turns. A power of two. */
        private const val PLACES = 1024

        /** Longer ones are written inline each time. */
        private const val SHORT = 96
        private const val STATIC = 0x8000

        /** Before the text: the tag, and the length or code. */
        private const val HEAD = 3

        /** Nothing at all is as short inline. */
        private val statics: Map<String, Key> =
            HashMap<String, Key>(STATIC_KEYS.size * 2).apply {
                for (id in 1 until STATIC_KEYS.size) put(STATIC_KEYS[id], of(STATIC_KEYS[id], STATIC + id, Content.NO_BYTES))
            }

        /** Shared by all threads without order: whoever reads a stale place finds a whole key or looks again. */
        private val places = arrayOfNulls<Key>(PLACES)

        private fun of(
            text: String,
            number: Int,
            bytes: ByteArray,
        ): Key {
            val size = HEAD + bytes.size
            val field = ByteArray((size + 7) and 7.inv())
            Bytes.putShort(field, 1, number)
            System.arraycopy(bytes, 0, field, HEAD, bytes.size)
            return Key(text, field, size)
        }

        fun of(text: String): Key {
            val hash = text.hashCode()
            val found = places[(hash xor (hash ushr 16)) and (PLACES - 1)]
            return if (found != null && (found.text === text || found.text == text)) found else meet(text, hash)
        }

        private fun meet(
            text: String,
            hash: Int,
        ): Key {
            if (text.length > SHORT) return Key(text, null, 0)
            val key = statics[text] ?: Utf8.of(text).let { of(text, it.size, it) }
            places[(hash xor (hash ushr 16)) and (PLACES - 1)] = key
            return key
        }
    }
}
