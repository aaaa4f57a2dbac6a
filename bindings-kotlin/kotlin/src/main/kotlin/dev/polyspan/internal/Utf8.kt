// Text as UTF-8, with U+FFFD for what is half of a character, as every language here writes it.

package dev.polyspan.internal

internal object Utf8 {
    private const val UNKNOWN = '\uFFFD'

    fun of(text: String): ByteArray {
        val bytes = text.toByteArray(Charsets.UTF_8)
        // The library writes `?` for half a character.
        return if (bytes.contains('?'.code.toByte()) && hasHalves(text)) whole(text).toByteArray(Charsets.UTF_8) else bytes
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
