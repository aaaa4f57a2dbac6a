// A span of ours with the methods of the OpenTelemetry API.

// Callers from Java give null where the API says they may not, and a bad argument breaks no call.
@file:Suppress("WRONG_TYPE_FOR_JAVA_OVERRIDE")

package dev.polyspan.opentelemetry

import dev.polyspan.EventAttributes
import dev.polyspan.Span
import dev.polyspan.SpanStatus
import dev.polyspan.internal.Clock
import dev.polyspan.internal.Ending
import dev.polyspan.internal.Log
import dev.polyspan.internal.Slot
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.common.AttributeType
import io.opentelemetry.api.common.Attributes
import io.opentelemetry.api.common.KeyValue
import io.opentelemetry.api.common.Value
import io.opentelemetry.api.common.ValueType
import io.opentelemetry.api.trace.SpanContext
import io.opentelemetry.api.trace.StatusCode
import io.opentelemetry.api.trace.TraceFlags
import io.opentelemetry.api.trace.TraceState
import java.util.concurrent.TimeUnit
import io.opentelemetry.api.trace.Span as ApiSpan

/** The face of a span in contexts of the API; it is made once. */
internal fun spanFor(own: Span): ApiSpan = own.api as ApiSpan? ?: OtelSpan(own).also { own.api = it }

/** The span of ours that a span of the API is, or one that stands for it. */
internal fun ownSpan(
    span: ApiSpan?,
    slot: Slot?,
): Span? {
    if (span == null) return null
    if (span is OtelSpan) return span.own
    val context = span.spanContext
    if (!context.isValid) return null
    val to = contextGiven(context)
    return Span.none(to.trace, to.id, slot?.ambient, context.isRemote)
}

/** A span context of the API as ours. */
internal fun contextGiven(context: SpanContext): dev.polyspan.SpanContext {
    val state =
        context.traceState
            .asMap()
            .entries
            .joinToString(",") { "${it.key}=${it.value}" }
    val flags = context.traceFlags.asByte().toInt() and 0xff
    return dev.polyspan.SpanContext.of(context.traceId, context.spanId, flags, state, context.isRemote)
}

/** Ours as the API has it. */
internal fun contextTold(context: dev.polyspan.SpanContext): SpanContext {
    val state = TraceState.builder()
    for (member in context.traceState.split(',').asReversed()) {
        val (key, value) = member.split('=', limit = 2).takeIf { it.size == 2 } ?: continue
        state.put(key.trim(), value.trim())
    }
    val flags = TraceFlags.fromByte(context.traceFlags.toByte())
    return if (context.isRemote) {
        SpanContext.createFromRemoteParent(context.traceId, context.spanId, flags, state.build())
    } else {
        SpanContext.create(context.traceId, context.spanId, flags, state.build())
    }
}

/** The attributes of the API as a map. */
internal fun attributesAsMap(attributes: Attributes?): Map<String, Any?> {
    val found = LinkedHashMap<String, Any?>()
    attributes?.forEach { key, value -> found[key.key] = plain(key, value) }
    return found
}

internal fun plain(
    key: AttributeKey<*>,
    value: Any?,
): Any? = if (key.type == AttributeType.VALUE) (value as? Value<*>)?.let(::plainValue) else value

private fun plainValue(value: Value<*>): Any? {
    val inner = value.value
    // By its name: not every version of the API that is used has it.
    if (inner !is List<*>) return if (value.type.name == "EMPTY") null else inner
    // An empty map is a list as an empty list is.
    if (value.type != ValueType.KEY_VALUE_LIST) return inner.map { if (it is Value<*>) plainValue(it) else it }
    return inner.filterIsInstance<KeyValue>().associate { it.key to plainValue(it.value) }
}

/** A value as the engine tells it, of any shape. */
internal fun valueOf(value: Any?): Value<*> =
    when (value) {
        null -> Value.empty()
        is Long -> Value.of(value)
        is Double -> Value.of(value)
        is Boolean -> Value.of(value)
        is ByteArray -> Value.of(value)
        is List<*> -> Value.of(value.map(::valueOf))
        is Map<*, *> -> Value.of(value.entries.associate { it.key.toString() to valueOf(it.value) })
        else -> Value.of(value.toString())
    }

internal open class OtelSpan(
    /** The span that it stands for. */
    val own: Span,
) : ApiSpan {
    private val context: SpanContext by lazy(LazyThreadSafetyMode.PUBLICATION) {
        val own = own.spanContext
        if (own.isValid) contextTold(own) else SpanContext.getInvalid()
    }

    override fun getSpanContext(): SpanContext = context

    override fun isRecording(): Boolean = own.isRecording

    override fun setAttribute(
        key: String?,
        value: String?,
    ): ApiSpan = also { if (!key.isNullOrEmpty() && value != null) own.set(key, value) }

    override fun setAttribute(
        key: String?,
        value: Long,
    ): ApiSpan = also { if (!key.isNullOrEmpty()) own.set(key, value) }

    override fun setAttribute(
        key: String?,
        value: Double,
    ): ApiSpan = also { if (!key.isNullOrEmpty()) own.set(key, value) }

    override fun setAttribute(
        key: String?,
        value: Boolean,
    ): ApiSpan = also { if (!key.isNullOrEmpty()) own.set(key, value) }

    override fun <T : Any> setAttribute(
        key: AttributeKey<T>?,
        value: T?,
    ): ApiSpan = also { if (key != null && key.key.isNotEmpty() && value != null) own.set(key.key, plain(key, value)) }

    override fun addEvent(
        name: String?,
        attributes: Attributes?,
    ): ApiSpan = also { own.event(name, attributes?.let(::attributesAsMap)) }

    override fun addEvent(
        name: String?,
        attributes: Attributes?,
        timestamp: Long,
        unit: TimeUnit?,
    ): ApiSpan =
        also {
            if (own.isRecording) {
                val given = EventAttributes.of(attributesAsMap(attributes), own)
                own.addEvent(name, nanos(timestamp, unit) ?: Clock.now(), given)
            }
        }

    override fun addEvent(
        name: String?,
        timestamp: Long,
        unit: TimeUnit?,
    ): ApiSpan = addEvent(name, Attributes.empty(), timestamp, unit)

    override fun setStatus(
        statusCode: StatusCode?,
        description: String?,
    ): ApiSpan =
        also {
            when (statusCode) {
                StatusCode.OK -> own.status(SpanStatus.OK)
                StatusCode.ERROR -> own.status(SpanStatus.ERROR, description)
                else -> Unit
            }
        }

    override fun recordException(
        exception: Throwable?,
        additionalAttributes: Attributes?,
    ): ApiSpan = also { if (exception != null) own.recordException(exception, attributesAsMap(additionalAttributes)) }

    override fun updateName(name: String?): ApiSpan = also { if (name != null) own.rename(name) }

    override fun addLink(
        spanContext: SpanContext?,
        attributes: Attributes?,
    ): ApiSpan = also { if (spanContext?.isValid == true) own.link(contextGiven(spanContext), attributesAsMap(attributes)) }

    override fun addLink(spanContext: SpanContext?): ApiSpan = addLink(spanContext, Attributes.empty())

    override fun end() = own.end()

    override fun end(
        timestamp: Long,
        unit: TimeUnit?,
    ) = own.endAt(nanos(timestamp, unit) ?: Ending.NOW)

    companion object {
        /** Nanoseconds since the epoch; `null` for none, which the API says as 0, and for what a span cannot hold: that
         * is counted. Conversions of the API end at the largest number, or beyond it below zero. */
        fun nanos(
            timestamp: Long,
            unit: TimeUnit?,
        ): Long? {
            if (timestamp == 0L) return null
            val found = unit?.toNanos(timestamp) ?: Long.MAX_VALUE
            if (found in 1 until Long.MAX_VALUE) return found
            Log.refuse("time")
            return null
        }
    }
}
