// Writing long ASCII texts into a buffer that is there. The library has no such call: its encoders make an array for
// each text, which for prompts and answers costs as much as all the rest of a span. Its Latin-1 encoder does it for
// characters in an array, with vector instructions, so texts go through a small one that stays in the cache.

package dev.polyspan.internal

import java.nio.ByteBuffer
import java.nio.CharBuffer
import java.nio.charset.CharsetEncoder
import java.nio.charset.StandardCharsets

internal class Narrow {
    private val chars = CharArray(CHUNK)
    private val from: CharBuffer = CharBuffer.wrap(chars)
    private val encoder: CharsetEncoder = StandardCharsets.ISO_8859_1.newEncoder()

    /** The array that is written to, as the encoder takes it. */
    private var into: ByteBuffer = ByteBuffer.allocate(0)

    /** Writes the text to `at`, where there is room; false if it is not ASCII, with some of it written. */
    fun write(
        text: String,
        bytes: ByteArray,
        at: Int,
    ): Boolean {
        if (into.array() !== bytes) into = ByteBuffer.wrap(bytes)
        val length = text.length
        into.limit(at + length).position(at)
        var done = 0
        while (done < length) {
            val until = minOf(done + CHUNK, length)
            text.toCharArray(chars, 0, done, until)
            from.limit(until - done).position(0)
            if (encoder.reset().encode(from, into, true).isUnmappable || from.hasRemaining()) return false
            done = until
        }
        return isAscii(bytes, at, at + length)
    }

    private fun isAscii(
        bytes: ByteArray,
        from: Int,
        until: Int,
    ): Boolean {
        var seen = 0L
        var at = from
        while (at <= until - 32) {
            seen = seen or Bytes.getLong(bytes, at) or Bytes.getLong(bytes, at + 8) or
                Bytes.getLong(bytes, at + 16) or Bytes.getLong(bytes, at + 24)
            at += 32
        }
        while (at <= until - 8) {
            seen = seen or Bytes.getLong(bytes, at)
            at += 8
        }
        while (at < until) seen = seen or bytes[at++].toLong()
        return seen and TOPS == 0L
    }

    private companion object {
        const val CHUNK = 512
        const val TOPS = 0x7f7f7f7f7f7f7f7fL.inv()
    }
}
