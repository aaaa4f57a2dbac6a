// Links of a span, written when they are added.

package dev.polyspan.internal

import dev.polyspan.SpanContext

internal object Links {
    /** Attributes of a link at most. */
    private const val MOST = 65535

    /** The field of a link. */
    fun field(
        to: SpanContext,
        attributes: Map<String, *>?,
        bounds: Bounds,
        cuts: Cuts,
    ): ByteArray {
        val out = Writer(64)
        out.u8(Tags.LINK)
        out.u32(0)
        out.raw(Ids.contextBytes(to.trace, to.id, to.isRemote), 0, 24)
        out.u8(to.traceFlags)
        out.u8(if (to.isRemote) 1 else 0)
        out.sized(to.traceState)
        out.u32(0)
        val countAt = out.at
        out.u16(0)
        var count = 0
        Given.each(attributes, "link attributes", cuts) { key, value ->
            if (key.isEmpty() || count == MOST) {
                cuts.altered()
            } else {
                if (out.key(key)) cuts.altered()
                Capture.write(out, value, bounds, cuts)
                count++
            }
        }
        Bytes.putShort(out.buf, countAt, count)
        Bytes.putInt(out.buf, 1, out.at - 5)
        return out.copied()
    }
}
