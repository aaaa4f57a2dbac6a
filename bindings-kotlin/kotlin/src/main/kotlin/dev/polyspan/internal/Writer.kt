// A buffer that grows, and the parts that frames are made of (docs/frame.md, "Fields").
//
// `FrameWriter` writes spans with it, `Capture` values.

package dev.polyspan.internal

/** A key inline has at most so many bytes. */
internal const val MAX_INLINE = 0x7fff

/** Kinds of values. */
internal const val NULL = 0
internal const val FALSE = 1
internal const val TRUE = 2
internal const val INT = 3
internal const val DOUBLE = 4
internal const val TEXT = 5
internal const val BYTES = 6
internal const val LIST = 7
internal const val MAP = 8

/** Shorter texts are written without an array of their own. Constants stand outside of classes here and elsewhere: a
 * companion is one more class that every start loads. */
internal const val LONG = 64

private const val MOST = Int.MAX_VALUE - 64L

internal open class Writer(size: Int) {
    @JvmField var buf: ByteArray = ByteArray(size)

    @JvmField var at: Int = 0

    /** Makes room for so many bytes more. */
    fun reserve(bytes: Int) {
        if (bytes > buf.size - at) grow(at.toLong() + bytes)
    }

    private fun grow(needed: Long) {
        if (needed > MOST) throw OutOfMemoryError("a frame of $needed bytes")
        val size = maxOf(needed, minOf(buf.size * 2L, MOST)).toInt()
        buf = buf.copyOf(size)
    }

    fun u8(value: Int) {
        reserve(1)
        buf[at++] = value.toByte()
    }

    fun u16(value: Int) {
        reserve(2)
        Bytes.putShort(buf, at, value)
        at += 2
    }

    fun u32(value: Int) {
        reserve(4)
        Bytes.putInt(buf, at, value)
        at += 4
    }

    fun u64(value: Long) {
        reserve(8)
        Bytes.putLong(buf, at, value)
        at += 8
    }

    fun raw(
        bytes: ByteArray,
        from: Int = 0,
        length: Int = bytes.size - from,
    ) {
        reserve(length)
        System.arraycopy(bytes, from, buf, at, length)
        at += length
    }

    /** UTF-8 alone; returns its length. */
    protected open fun utf8(text: String): Int {
        val length = text.length
        if (length < LONG) {
            reserve(length)
            if (Bytes.putAscii(text, length, buf, at)) {
                at += length
                return length
            }
        }
        val bytes = Utf8.of(text)
        raw(bytes)
        return bytes.size
    }

    /** A u32 length and that much UTF-8. */
    fun sized(text: String) {
        reserve(4)
        val start = at
        at += 4
        val length = utf8(text)
        Bytes.putInt(buf, start, length)
    }

    /** A key inline, cut where it is too long; whether it was. */
    fun inlineKey(text: String): Boolean {
        if (text.length * 3L > MAX_INLINE) {
            val bytes = Utf8.of(text)
            if (bytes.size > MAX_INLINE) {
                val end = Utf8.cut(bytes, MAX_INLINE)
                u16(end)
                raw(bytes, 0, end)
                return true
            }
        }
        reserve(2)
        val start = at
        at += 2
        val length = utf8(text)
        Bytes.putShort(buf, start, length)
        return false
    }

    /** A tag, and a static key or an inline one; whether that was cut. */
    fun tagged(
        tag: Int,
        text: String,
    ): Boolean {
        val key = Key.of(text)
        val field = key.field
        if (field == null) {
            u8(tag)
            return inlineKey(text)
        }
        reserve(field.size)
        val into = buf
        val start = at
        var done = 0
        do {
            Bytes.putLong(into, start + done, Bytes.getLong(field, done))
            done += 8
        } while (done < field.size)
        into[start] = tag.toByte()
        at = start + key.size
        return false
    }

    /** The same without a tag, somewhere behind the beginning of the buffer. */
    fun key(text: String): Boolean {
        at--
        return tagged(buf[at].toInt(), text)
    }

    fun nothing() = u8(NULL)

    fun bool(value: Boolean) = u8(if (value) TRUE else FALSE)

    fun int(value: Long) {
        reserve(9)
        buf[at] = INT.toByte()
        Bytes.putLong(buf, at + 1, value)
        at += 9
    }

    fun double(value: Double) {
        reserve(9)
        buf[at] = DOUBLE.toByte()
        Bytes.putDouble(buf, at + 1, value)
        at += 9
    }

    fun text(text: String) {
        u8(TEXT)
        sized(text)
    }

    fun bytes(bytes: ByteArray) {
        u8(BYTES)
        u32(bytes.size)
        raw(bytes)
    }

    /** Opens a list or map; the place is for `close`. */
    fun open(kind: Int): Int {
        reserve(9)
        buf[at] = kind.toByte()
        val place = at + 1
        at += 9
        return place
    }

    fun close(
        place: Int,
        count: Int,
    ) {
        Bytes.putInt(buf, place, at - place - 4)
        Bytes.putInt(buf, place + 4, count)
    }

    fun copied(): ByteArray = buf.copyOf(at)
}
