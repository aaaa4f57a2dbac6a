// Ids: random, kept as numbers, and shown as hex.

package dev.polyspan.internal

import java.nio.charset.StandardCharsets

/** A trace as all its spans in this process share it: id, flags and vendor list. */
internal class Trace(
    @JvmField val high: Long,
    @JvmField val low: Long,
    /** The flag byte, and the bit of this process that says that another span stands in. */
    @JvmField val flags: Int,
    @JvmField val state: String,
) {
    val id: String get() = Ids.hex(high) + Ids.hex(low)

    val isSampled: Boolean get() = flags and 1 != 0

    val isValid: Boolean get() = high or low != 0L

    /** The same trace for a span that does not record. */
    fun unsampled(): Trace = Trace(high, low, flags and 1.inv(), state)

    companion object {
        val NONE = Trace(0, 0, 0, "")
    }
}

internal object Ids {
    /** Bytes of a context before its tracestate. */
    private const val CONTEXT_HEAD = 26
    private const val DIGITS = "0123456789abcdef"

    /** Random numbers of their own. */
    fun seeded(): Random = Random(Jni.seed())

    /** Sixteen hex digits. */
    fun hex(number: Long): String {
        val digits = ByteArray(16)
        for (at in 0 until 16) digits[at] = DIGITS[(number ushr (60 - at * 4)).toInt() and 15].code.toByte()
        return String(digits, StandardCharsets.ISO_8859_1)
    }

    /** The identity of a span in bytes: ids, flags, whether it is of another process, tracestate. */
    fun contextBytes(
        trace: Trace,
        span: Long,
        remote: Boolean,
    ): ByteArray {
        val state = trace.state.toByteArray(StandardCharsets.ISO_8859_1)
        val bytes = ByteArray(CONTEXT_HEAD + state.size)
        Bytes.putId(bytes, 0, trace.high)
        Bytes.putId(bytes, 8, trace.low)
        Bytes.putId(bytes, 16, span)
        bytes[24] = trace.flags.toByte()
        bytes[25] = if (remote) 1 else 0
        System.arraycopy(state, 0, bytes, CONTEXT_HEAD, state.size)
        return bytes
    }

    /** The trace of such bytes. */
    fun traceOf(bytes: ByteArray): Trace {
        // Header text: one byte a character.
        val state = String(bytes, CONTEXT_HEAD, bytes.size - CONTEXT_HEAD, StandardCharsets.ISO_8859_1)
        return Trace(Bytes.getId(bytes, 0), Bytes.getId(bytes, 8), bytes[24].toInt() and 0xff, state)
    }

    fun spanOf(bytes: ByteArray): Long = Bytes.getId(bytes, 16)

    fun isContext(bytes: ByteArray?): Boolean = bytes != null && bytes.size >= CONTEXT_HEAD

    /** The words of an id given as 1 to `digits` (16 or 32) hex digits, left-padded; `null` if it is none. */
    fun wordsOf(
        text: String?,
        digits: Int,
    ): LongArray? {
        if (text == null || text.isEmpty() || text.length > digits) return null
        if (!text.all { it in '0'..'9' || it in 'a'..'f' || it in 'A'..'F' }) return null
        val full = text.padStart(digits, '0')
        val words = LongArray(digits / 16) { java.lang.Long.parseUnsignedLong(full, it * 16, it * 16 + 16, 16) }
        return if (words.all { it == 0L }) null else words
    }
}

/** Random numbers of one thread (xoroshiro128++), seeded from the system. */
internal class Random(
    seed: ByteArray,
) {
    private var s0 = Bytes.getLong(seed, 0)
    private var s1 = Bytes.getLong(seed, 8)

    init {
        // The all-zero state is the one fixed point of the generator.
        if (s0 or s1 == 0L) s1 = System.nanoTime() or 1
    }

    fun next(): Long {
        val a = s0
        var b = s1
        val result = java.lang.Long.rotateLeft(a + b, 17) + a
        b = b xor a
        s0 = java.lang.Long.rotateLeft(a, 49) xor b xor (b shl 21)
        s1 = java.lang.Long.rotateLeft(b, 28)
        return result
    }

    /** A span id: anything but zero. */
    fun id(): Long {
        while (true) {
            val id = next()
            if (id != 0L) return id
        }
    }
}
