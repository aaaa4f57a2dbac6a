// Values that come from the native library, as Kotlin has them: `null`, `Boolean`, `Long`, `Double`, `String`,
// `ByteArray`, `List`, and `Map` in the order it was told. Kotlin's own collections and ranges are left alone here and in
// whatever else a start needs: each of its classes of extensions has thousands of methods, for which the start would wait.

package dev.polyspan.internal

import java.nio.charset.StandardCharsets
import java.util.Arrays

internal class Values private constructor(
    private val bytes: ByteArray,
    private var at: Int,
) {
    private fun value(): Any? =
        when (val kind = bytes[at++].toInt()) {
            NULL -> {
                null
            }

            FALSE -> {
                false
            }

            TRUE -> {
                true
            }

            INT -> {
                Bytes.getLong(bytes, skip(8))
            }

            DOUBLE -> {
                Bytes.getDouble(bytes, skip(8))
            }

            TEXT -> {
                text(u32())
            }

            BYTES -> {
                u32().let { size -> skip(size).let { Arrays.copyOfRange(bytes, it, it + size) } }
            }

            LIST -> {
                val count = count()
                val list = ArrayList<Any?>(count)
                repeat(count) { list.add(value()) }
                list
            }

            MAP -> {
                val count = count()
                val map = LinkedHashMap<String, Any?>(count * 2)
                repeat(count) {
                    val key = text(Bytes.getShort(bytes, skip(2)))
                    map[key] = value()
                }
                map
            }

            else -> {
                throw IllegalArgumentException("polyspan: a value of kind $kind")
            }
        }

    private fun skip(size: Int): Int {
        val start = at
        at += size
        return start
    }

    private fun u32(): Int = Bytes.getInt(bytes, skip(4))

    private fun count(): Int = Bytes.getInt(bytes, skip(8) + 4)

    private fun text(size: Int): String = String(bytes, skip(size), size, StandardCharsets.UTF_8)

    companion object {
        /** Reads one value that stands alone. */
        fun read(
            bytes: ByteArray,
            from: Int = 0,
        ): Any? = Values(bytes, from).value()

        @Suppress("UNCHECKED_CAST")
        fun readMap(
            bytes: ByteArray,
            from: Int = 0,
        ): Map<String, Any?> = read(bytes, from) as Map<String, Any?>
    }
}
