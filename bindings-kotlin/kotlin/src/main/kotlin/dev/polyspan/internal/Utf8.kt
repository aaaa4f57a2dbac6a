// Text as UTF-8, with U+FFFD for what is half of a character, as every language here writes it.

package dev.polyspan.internal

import java.nio.charset.StandardCharsets

internal object Utf8 {
    private const val UNKNOWN = '\uFFFD'
    private const val MARK = '?'.code.toByte()
    private const val MARKS = 0x3f3f3f3f3f3f3f3fL
    private const val ONES = 0x0101010101010101L
    private const val TOPS = 0x7f7f7f7f7f7f7f7fL.inv()

    fun of(text: String): ByteArray {
        val bytes = text.toByteArray(StandardCharsets.UTF_8)
        // The library writes `?` for half a character.
        val isWhole = if (bytes.size == text.length) saysSo(text, bytes) else !hasHalves(text)
        return if (isWhole) bytes else whole(text).toByteArray(StandardCharsets.UTF_8)
    }

    /** Whether every `?` stands in the text as well, where each character has become one byte. */
    private fun saysSo(
        text: String,
        bytes: ByteArray,
    ): Boolean {
        val end = bytes.size
        var at = 0
        while (at <= end - 8) {
            if (hasMark(Bytes.getLong(bytes, at)) && !marks(text, bytes, at, at + 8)) return false
            at += 8
        }
        return marks(text, bytes, at, end)
    }

    private fun marks(
        text: String,
        bytes: ByteArray,
        from: Int,
        until: Int,
    ): Boolean {
        for (at in from until until) if (bytes[at] == MARK && text[at] != '?') return false
        return true
    }

    /** Whether one of eight bytes is `?`: only where all of its bits agree does the subtraction borrow into the top bit. */
    private fun hasMark(eight: Long): Boolean {
        val differs = eight xor MARKS
        return (differs - ONES) and differs.inv() and TOPS != 0L
    }

    /** The longest beginning of at most `limit` bytes that splits no character. */
    fun cut(
        bytes: ByteArray,
        limit: Int,
    ): Int {
        var end = minOf(limit, bytes.size)
        while (end > 0 && end < bytes.size && (bytes[end].toInt() and 0xc0) == 0x80) end--
        return end
    }

    private fun hasHalves(text: String): Boolean {
        var at = 0
        while (at < text.length) {
            val char = text[at++]
            if (!char.isSurrogate()) continue
            if (char.isLowSurrogate() || at == text.length || !text[at].isLowSurrogate()) return true
            at++
        }
        return false
    }

    private fun whole(text: String): String {
        val found = StringBuilder(text)
        var at = 0
        while (at < text.length) {
            val char = text[at]
            val pairs = char.isHighSurrogate() && at + 1 < text.length && text[at + 1].isLowSurrogate()
            if (char.isSurrogate() && !pairs) found.setCharAt(at, UNKNOWN)
            at += if (pairs) 2 else 1
        }
        return found.toString()
    }
}
