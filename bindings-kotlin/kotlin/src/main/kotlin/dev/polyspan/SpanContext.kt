// The identity of a span: what travels between processes.

package dev.polyspan

import dev.polyspan.internal.Ids
import dev.polyspan.internal.Log
import dev.polyspan.internal.Border
import dev.polyspan.internal.Trace

/** What a span can be the child of, or linked to: a [Span], a [SpanContext], or a [Context]. */
public sealed interface Parent {
    /** The identity; `null` where there is no span. */
    public val spanContext: SpanContext?
}

/** The identity of a span, often one of another process. */
public class SpanContext internal constructor(
    internal val trace: Trace,
    internal val id: Long,
    /** Whether the span lives in another process. */
    public val isRemote: Boolean,
) : Parent {
    override val spanContext: SpanContext get() = this

    /** The trace id as 32 lower-case hex digits. */
    public val traceId: String get() = trace.id

    /** The span id as 16 lower-case hex digits. */
    public val spanId: String get() = Ids.hex(id)

    /** The flag byte of W3C Trace Context: 1 is sampled, 2 is random. */
    public val traceFlags: Int get() = trace.flags and 3

    /** The `tracestate` header; empty when there is none. */
    public val traceState: String get() = trace.state

    public val isSampled: Boolean get() = trace.isSampled

    /** Whether both ids are other than zero. */
    public val isValid: Boolean get() = trace.isValid && id != 0L

    internal fun bytes(): ByteArray = Ids.contextBytes(trace, id, isRemote)

    override fun equals(other: Any?): Boolean =
        other is SpanContext &&
            trace.high == other.trace.high &&
            trace.low == other.trace.low &&
            trace.flags == other.trace.flags &&
            trace.state == other.trace.state &&
            id == other.id &&
            isRemote == other.isRemote

    override fun hashCode(): Int = (trace.low xor id).hashCode()

    override fun toString(): String = "SpanContext(traceId=$traceId, spanId=$spanId, traceFlags=$traceFlags)"

    public companion object {
        /**
         * A span context of another process, or of another library. Ids are 1 to 32 and 1 to 16 hex digits; ids that
         * are none make it invalid, which is counted.
         */
        @JvmStatic
        @JvmOverloads
        public fun of(
            traceId: String?,
            spanId: String?,
            traceFlags: Int = 1,
            traceState: String? = "",
            isRemote: Boolean = true,
        ): SpanContext {
            val trace = Ids.wordsOf(traceId, 32)
            val span = Ids.wordsOf(spanId, 16)
            if (trace == null || span == null) {
                Log.refuse("SpanContext")
                return SpanContext(Trace.NONE, 0, true)
            }
            return SpanContext(Trace(trace[0], trace[1], traceFlags and 3, usable(traceState)), span[0], isRemote)
        }

        /** The identity that a `traceparent` header names; `null` if it names none. */
        @JvmStatic
        public fun parse(traceparent: String?): SpanContext? {
            if (traceparent == null) return null
            return ofBytes(Border.extract(null, listOf("traceparent", traceparent))?.context)
        }

        internal fun ofBytes(bytes: ByteArray?): SpanContext? {
            if (bytes == null || !Ids.isContext(bytes)) return null
            return SpanContext(Ids.traceOf(bytes), Ids.spanOf(bytes), bytes[25].toInt() == 1)
        }

        /** Header text of one byte a character; the engine checks it further. */
        private fun usable(state: String?): String = if (state != null && state.all { it in ' '..'~' || it == '\t' }) state else ""
    }
}
