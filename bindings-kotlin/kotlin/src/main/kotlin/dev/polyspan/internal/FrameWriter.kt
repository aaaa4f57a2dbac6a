// Writing finished spans as frame events (docs/frame.md), one after the other into one buffer. One thread at a time.
//
// There is no string table: a frame can be handed in after any event.

package dev.polyspan.internal

import dev.polyspan.EventAttributes
import dev.polyspan.Span

/** Spans of one frame at most. */
private const val SPANS = 512

/** Bytes after which a frame is handed in: with the last span and the engine's own header it should still fit
 * into a segment of 64 KiB, which are pooled. */
private const val FULL = 56 * 1024

/** A buffer begins so small, since each thread that ends spans has one. */
private const val FIRST = 4 * 1024

/** A type byte and a length. */
private const val SIZED = 5

/** A buffer that one huge span has made larger is given back. */
private const val KEPT = 512 * 1024
private const val FIELDS_AT = 72
private const val UNSAMPLED_HEAD = 22
private const val EVENT_HEAD = 13
private const val UPDATED = 2
private const val ENDED = 3
private const val UNSAMPLED = 5

/** Tags of fields, and where they begin (docs/frame.md). */
internal object Tags {
    const val HEADER = 8

    /** Bytes of a body before its fields. */
    const val PREFIX_AT = 64

    const val NAME = 1
    const val STATUS_MESSAGE = 2
    const val TRACE_STATE = 3
    const val ATTRIBUTE = 4
    const val EVENT = 5
    const val LINK = 6
    const val INPUT = 7
    const val OUTPUT = 8
    const val METADATA = 9
    const val TAG = 10
    const val DROPPED = 11
}

internal class FrameWriter(
    private val recorder: Governed,
    private val slot: Int,
) : Writer(FIRST) {
    private val terms get() = recorder.terms

    /** Finished spans in the frame. */
    private var spans = 0

    /** Whether the frame is full enough to be handed in. */
    val isFull: Boolean get() = at >= FULL || spans >= SPANS

    /** Hands what is there to `submit`: bytes, how many of them count, and the spans in them; then begins the next frame.
     * Whether there was anything. */
    inline fun handIn(submit: (ByteArray, Int, Int) -> Unit): Boolean {
        if (at == 0) return false
        submit(buf, at, spans)
        at = 0
        spans = 0
        if (buf.size > KEPT) buf = ByteArray(FIRST)
        return true
    }

    private var narrow: Narrow? = null

    /** Long texts are most of what is written: where they are ASCII, without an array of their own. */
    override fun utf8(text: String): Int {
        val length = text.length
        if (length < LONG) return super.utf8(text)
        reserve(length)
        val narrow = narrow ?: Narrow().also { narrow = it }
        if (!narrow.write(text, buf, at)) return super.utf8(text)
        at += length
        return length
    }

    /** Writes an event; one that cannot be written is not there. */
    private inline fun whole(write: () -> Unit) {
        val start = at
        try {
            write()
            Bytes.putInt(buf, start, at - start - Tags.HEADER)
        } catch (_: OutOfMemoryError) {
            at = start
            recorder.altered()
        }
    }

    /** A span that has ended. */
    fun span(span: Span) {
        // One that memory had no room for is announced all the same, with the next: the engine then counts it as lost.
        spans++
        whole { event(span, ENDED, span.end) }
    }

    /** What an open span is by now. */
    fun update(span: Span) = whole { event(span, UPDATED, 0) }

    /** What metrics count of a span that was not sampled. */
    fun unsampled(span: Span) =
        whole {
            reserve(UNSAMPLED_HEAD)
            val start = at
            Bytes.putInt(buf, start + 4, UNSAMPLED or (1 shl 8) or (slot shl 16))
            Bytes.putLong(buf, start + 8, maxOf(0, span.end - span.start))
            Bytes.putShort(buf, start + 16, span.type)
            Bytes.putShort(buf, start + 18, span.flags and Flags.KIND_GIVEN)
            buf[start + 20] = span.kind.toByte()
            buf[start + 21] = span.status.toByte()
            at = start + UNSAMPLED_HEAD
            put(span.name)
        }

    private fun put(key: String) {
        if (key(key)) recorder.altered()
    }

    private fun field(
        tag: Int,
        key: String,
    ) {
        if (tagged(tag, key)) recorder.altered()
    }

    private fun event(
        span: Span,
        kind: Int,
        end: Long,
    ) {
        val start = at
        head(span, kind, end)
        val prefix = span.more?.prefix
        if (prefix != null) {
            raw(prefix, Tags.PREFIX_AT)
            if (span.renamed) field(Tags.NAME, span.name)
        } else {
            field(Tags.NAME, span.name)
            inherited(span)
        }
        val limit = start + terms.spanBytes.toLong()
        val fields = span.settled()
        var i = 0
        while (i < fields.size) {
            val key = fields[i] as String? ?: break
            val before = at
            attribute(key, fields[i + 1])
            if (at > limit) {
                at = before
                recorder.altered()
                span.extra().droppedAttributes++
            }
            i += 2
        }
        val more = span.more
        if (more != null) more(more, limit)
    }

    private fun head(
        span: Span,
        kind: Int,
        end: Long,
    ) {
        reserve(FIELDS_AT)
        val into = buf
        val start = at
        val trace = span.trace
        Bytes.putInt(into, start + 4, kind or (1 shl 8) or (slot shl 16))
        Bytes.putId(into, start + 8, trace.high)
        Bytes.putId(into, start + 16, trace.low)
        Bytes.putId(into, start + 24, span.id)
        Bytes.putId(into, start + 32, span.parentId)
        Bytes.putLong(into, start + 40, span.start)
        Bytes.putLong(into, start + 48, end)
        Bytes.putInt(into, start + 56, (trace.flags and 3) or (span.kind shl 8) or (span.status shl 16))
        Bytes.putInt(into, start + 60, span.type or (span.flags shl 16))
        Bytes.putInt(into, start + 64, span.scope)
        Bytes.putInt(into, start + 68, 0)
        at = start + FIELDS_AT
    }

    /** What the span has by where it stands. */
    private fun inherited(span: Span) {
        val state = span.trace.state
        if (state.isNotEmpty()) {
            u8(Tags.TRACE_STATE)
            sized(state)
        }
        val inherited = recorder.inherited(span.ambient)
        if (inherited.fields.isNotEmpty()) raw(inherited.fields)
        if (inherited.tags.isNotEmpty() && span.isLocalRoot) raw(inherited.tags)
    }

    private fun attribute(
        key: String,
        value: Any?,
    ) {
        field(Tags.ATTRIBUTE, key)
        scalar(value)
    }

    /** A value that was kept as it was given, or one that was captured. */
    private fun scalar(value: Any?) {
        when (value) {
            is String -> cutText(value)
            is Long -> int(value)
            is Boolean -> bool(value)
            is Double -> double(value)
            is ByteArray -> raw(value)
            else -> nothing()
        }
    }

    private fun cutText(text: String) {
        val length = text.length
        if (length < LONG && length * 3 <= terms.valueBytes) {
            reserve(SIZED + length)
            val start = at
            if (Bytes.putAscii(text, length, buf, start + SIZED)) {
                buf[start] = TEXT.toByte()
                Bytes.putInt(buf, start + 1, length)
                at = start + SIZED + length
                return
            }
        }
        u8(TEXT)
        cutSized(text)
    }

    private fun cutSized(text: String) {
        val limit = terms.valueBytes
        if (text.length * 3L <= limit || Utf8.of(text).size <= limit) {
            sized(text)
        } else {
            recorder.altered()
            sized(Capture.cutText(text, limit))
        }
    }

    /** What most spans have nothing of. */
    private fun more(
        more: More,
        limit: Long,
    ) {
        if (more.statusMessage.isNotEmpty()) {
            u8(Tags.STATUS_MESSAGE)
            cutSized(more.statusMessage)
        }
        if (more.hasInput) slot(Tags.INPUT, more.input, limit)
        if (more.hasOutput) slot(Tags.OUTPUT, more.output, limit)
        val metadata = more.metadata
        if (metadata != null) {
            for (i in metadata.indices step 2) {
                val before = at
                field(Tags.METADATA, metadata[i] as String)
                raw(metadata[i + 1] as ByteArray)
                if (at > limit) {
                    at = before
                    recorder.altered()
                }
            }
        }
        more.tags?.forEach { field(Tags.TAG, it) }
        var event = more.firstEvent
        while (event != null) {
            spanEvent(event, more, limit)
            event = event.next
        }
        more.links?.forEach {
            if (at + it.size > limit) {
                more.droppedLinks++
                recorder.altered()
            } else {
                raw(it)
            }
        }
        if (more.droppedAttributes + more.droppedEvents + more.droppedLinks > 0) {
            u8(Tags.DROPPED)
            u32(more.droppedAttributes)
            u32(more.droppedEvents)
            u32(more.droppedLinks)
        }
    }

    /** The input or output. */
    private fun slot(
        tag: Int,
        value: Any?,
        limit: Long,
    ) {
        val before = at
        u8(tag)
        scalar(value)
        if (at > limit) {
            at = before
            recorder.altered()
            u8(tag)
            text(Capture.TRUNCATED)
        }
    }

    private fun spanEvent(
        event: EventAttributes,
        more: More,
        limit: Long,
    ) {
        val before = at
        reserve(EVENT_HEAD)
        buf[before] = Tags.EVENT.toByte()
        Bytes.putLong(buf, before + 5, event.time)
        at = before + EVENT_HEAD
        put(event.name)
        u32(0)
        val countAt = at
        u16(0)
        // Once: whoever has kept hold of it may set more by now.
        val count = event.count
        val fields = event.fields
        var i = 0
        while (i < count) {
            put(fields[i] as String? ?: break)
            scalar(fields[i + 1])
            i += 2
        }
        Bytes.putShort(buf, countAt, i / 2)
        Bytes.putInt(buf, before + 1, at - before - 5)
        if (at > limit) {
            at = before
            more.droppedEvents++
            recorder.altered()
        }
    }
}

/** What encoding a span needs of its recorder. */
internal interface Governed : Cuts {
    val terms: Terms

    fun inherited(around: Ambient?): Beginning
}
