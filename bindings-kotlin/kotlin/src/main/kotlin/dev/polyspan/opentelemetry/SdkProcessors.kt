// Span processors of the OpenTelemetry SDK for Java beside the engine's exporters: stock ones and those of third parties,
// fed real `ReadableSpan`s. Needs `io.opentelemetry:opentelemetry-sdk-trace`, an optional dependency.
//
// What a processor sees of a span that has ended has passed redaction and limits, through one call into the engine; while
// the span is open it sees what was recorded. Those that asked for what was recorded (`raw`) have a face of the span of
// their own: a processor may read what it was given at any later time, on any thread.

@file:JvmName("SdkProcessors")

package dev.polyspan.opentelemetry

import dev.polyspan.PolyspanError
import dev.polyspan.Span
import dev.polyspan.Timeouts
import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Beginning
import dev.polyspan.internal.Cuts
import dev.polyspan.internal.FrameWriter
import dev.polyspan.internal.Tags
import dev.polyspan.internal.Governed
import dev.polyspan.internal.Ids
import dev.polyspan.internal.Log
import dev.polyspan.internal.Natives
import dev.polyspan.internal.Observer
import dev.polyspan.internal.Recorder
import dev.polyspan.internal.Slot
import dev.polyspan.internal.Terms
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.common.Attributes
import io.opentelemetry.api.common.AttributesBuilder
import io.opentelemetry.api.trace.SpanContext
import io.opentelemetry.api.trace.SpanKind
import io.opentelemetry.api.trace.StatusCode
import io.opentelemetry.api.trace.TraceFlags
import io.opentelemetry.context.Context
import io.opentelemetry.sdk.common.CompletableResultCode
import io.opentelemetry.sdk.common.InstrumentationLibraryInfo
import io.opentelemetry.sdk.common.InstrumentationScopeInfo
import io.opentelemetry.sdk.resources.Resource
import io.opentelemetry.sdk.trace.ReadWriteSpan
import io.opentelemetry.sdk.trace.SpanProcessor
import io.opentelemetry.sdk.trace.data.EventData
import io.opentelemetry.sdk.trace.data.LinkData
import io.opentelemetry.sdk.trace.data.SpanData
import io.opentelemetry.sdk.trace.data.StatusData
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit

/**
 * Gives every span of the engine to a processor of the SDK, from now on.
 *
 * @param raw what was recorded, secrets included, rather than what leaves the process
 */
@JvmOverloads
public fun PolyspanOpenTelemetry.addSpanProcessor(
    processor: SpanProcessor,
    raw: Boolean = false,
): PolyspanOpenTelemetry =
    apply {
        val recorder = engine.recorder
        synchronized(recorder) {
            val known = recorder.observer as Processors? ?: Processors(recorder).also { recorder.observer = it }
            known.list.add(Registered(processor, raw))
        }
    }

/** Flushes the processors; the engine's own exporters have `flush`. */
@JvmOverloads
public fun PolyspanOpenTelemetry.flushSpanProcessors(timeout: Double = Timeouts.TIMEOUT): Boolean {
    val seconds = Timeouts.seconds(timeout)
    return (engine.recorder.observer as Processors?)?.flushed()?.invoke(seconds) ?: true
}

/** Shuts the processors down and the engine, as [PolyspanOpenTelemetry.close] does. */
@JvmOverloads
public fun PolyspanOpenTelemetry.shutdownWithProcessors(timeout: Double = Timeouts.TIMEOUT): Boolean = stop(timeout)

private class Registered(
    val processor: SpanProcessor,
    val raw: Boolean,
)

/** What an engine tells of its spans, where a provider has processors. */
private class Processors(
    private val recorder: Recorder,
) : Observer {
    val list = CopyOnWriteArrayList<Registered>()
    private val resource by lazy { Resource.create(attributesOf(recorder.resource())) }

    override fun started(
        span: Span,
        slot: Slot?,
    ) {
        val face = SdkSpan(span, recorder, resource, raw = false)
        span.api = face
        val context = contextOf(slot) ?: Context.root()
        each("onStart") { if (it.processor.isStartRequired) it.processor.onStart(context, face.shownTo(it)) }
    }

    /** Nothing of the SDK's stable interface is told of a span that is about to end. */
    override fun ending(span: Span) = Unit

    override fun ended(span: Span) {
        val face = span.api as? SdkSpan ?: return
        each("onEnd") {
            if (it.processor.isEndRequired) {
                val shown = face.shownTo(it)
                shown.settle()
                it.processor.onEnd(shown)
            }
        }
        // Whoever kept it from its start may ask yet.
        face.settle()
    }

    fun flushed(): (Double) -> Boolean = settled("forceFlush") { it.forceFlush() }

    override fun shutdown(): (Double) -> Boolean = settled("shutdown") { it.shutdown() }

    /** Has every processor begin something, whatever another throws; tells within so many seconds whether all is done. */
    private fun settled(
        method: String,
        begin: (SpanProcessor) -> CompletableResultCode,
    ): (Double) -> Boolean {
        val begun = ArrayList<CompletableResultCode>()
        each(method) { begun.add(begin(it.processor)) }
        val isFailed = begun.size < list.size
        return { seconds ->
            val all = CompletableResultCode.ofAll(begun).join((seconds * 1e3).toLong(), TimeUnit.MILLISECONDS)
            all.isSuccess && !isFailed
        }
    }

    private inline fun each(
        method: String,
        call: (Registered) -> Unit,
    ) {
        for (one in list) {
            try {
                call(one)
            } catch (error: Throwable) {
                val name = one.processor.javaClass.name
                Log.sayOnce("processor $name $method", "$name: $method threw $error")
            }
        }
    }
}

/** A span as processors of one kind have it. */
private class SdkSpan(
    own: Span,
    private val recorder: Recorder,
    private val resource: Resource,
    /** Shows what was recorded also once the span has ended. */
    private val raw: Boolean,
) : OtelSpan(own),
    ReadWriteSpan {
    private val unredacted by lazy { SdkSpan(own, recorder, resource, raw = true) }

    /** Set once, when the span has ended, and the same for every reader from then on. */
    @Volatile
    private var settled: Record? = null

    /** The face of the same span for that processor. */
    fun shownTo(one: Registered): SdkSpan = if (one.raw) unredacted else this

    /** Reads what is to be seen of it once it has ended; later calls find the same. */
    fun settle(): Record = settled ?: synchronized(this) { settled ?: read(raw, ended = true).also { settled = it } }

    private fun read(
        raw: Boolean,
        ended: Boolean,
    ): Record = Record(this, own, recorder, resource, raw, ended)

    private val now: Record get() = if (hasEnded()) settle() else read(raw = true, ended = false)

    override fun getParentSpanContext(): SpanContext = parentOf(own)

    override fun getName(): String = if (hasEnded()) settle().name else own.name

    override fun toSpanData(): SpanData = now

    @Deprecated("the SDK's own old name of the scope")
    @Suppress("DEPRECATION")
    override fun getInstrumentationLibraryInfo(): InstrumentationLibraryInfo = InstrumentationLibraryInfo.empty()

    override fun getInstrumentationScopeInfo(): InstrumentationScopeInfo = now.instrumentationScopeInfo

    override fun hasEnded(): Boolean = !own.isRecording

    override fun getLatencyNanos(): Long =
        maxOf(
            0,
            (
                if (hasEnded()) {
                    own.end
                } else {
                    dev.polyspan.internal.Clock
                        .now()
                }
            ) - own.start,
        )

    override fun getKind(): SpanKind = SpanKind.entries[own.kind - 1]

    override fun <T : Any?> getAttribute(key: AttributeKey<T>): T? = now.attributes[key]

    override fun getAttributes(): Attributes = now.attributes
}

private fun parentOf(own: Span): SpanContext {
    if (own.parentId == 0L) return SpanContext.getInvalid()
    val flags = TraceFlags.fromByte((own.trace.flags and 3).toByte())
    val state = contextTold(own.spanContext).traceState
    return if (own.flags and PARENT_REMOTE != 0) {
        SpanContext.createFromRemoteParent(own.traceId, Ids.hex(own.parentId), flags, state)
    } else {
        SpanContext.create(own.traceId, Ids.hex(own.parentId), flags, state)
    }
}

private const val PARENT_REMOTE = 4

/** A span at one moment. */
private class Record(
    private val face: SdkSpan,
    own: Span,
    recorder: Recorder,
    private val resource: Resource,
    raw: Boolean,
    private val ended: Boolean,
) : SpanData {
    private val told: Map<String, Any?> = recordOf(own, recorder, raw)
    private val name = told["name"] as? String ?: ""
    private val start = own.start
    private val end = own.end
    private val kind = SpanKind.entries.find { it.name.equals(told["kind"] as? String, ignoreCase = true) } ?: SpanKind.INTERNAL
    private val parent = parentOf(own)
    private val attributes = attributesOf(told["attributes"] as? Map<*, *>)

    override fun getName(): String = name

    override fun getKind(): SpanKind = kind

    override fun getSpanContext(): SpanContext = face.spanContext

    override fun getParentSpanContext(): SpanContext = parent

    override fun getStatus(): StatusData {
        val code =
            when (told["status"]) {
                "ok" -> StatusCode.OK
                "error" -> StatusCode.ERROR
                else -> StatusCode.UNSET
            }
        return StatusData.create(code, told["statusMessage"] as? String ?: "")
    }

    override fun getStartEpochNanos(): Long = start

    override fun getAttributes(): Attributes = attributes

    private fun maps(name: String): List<Map<*, *>> = (told[name] as? List<*>)?.filterIsInstance<Map<*, *>>() ?: emptyList()

    private fun count(
        map: Map<*, *>,
        name: String,
    ): Int = (map[name] as? Long ?: 0).toInt()

    override fun getEvents(): List<EventData> =
        maps("events").map {
            val found = attributesOf(it["attributes"] as? Map<*, *>)
            val total = found.size() + count(it, "droppedAttributes")
            EventData.create(it["time"] as? Long ?: 0, it["name"] as? String ?: "", found, total)
        }

    override fun getLinks(): List<LinkData> =
        maps("links").map {
            val flags = count(it, "traceFlags")
            val to =
                dev.polyspan.SpanContext.of(
                    it["traceId"] as? String,
                    it["spanId"] as? String,
                    flags,
                    it["traceState"] as? String,
                    it["isRemote"] == true,
                )
            LinkData.create(contextTold(to), attributesOf(it["attributes"] as? Map<*, *>))
        }

    override fun getEndEpochNanos(): Long = if (ended) end else 0

    override fun hasEnded(): Boolean = ended

    override fun getTotalRecordedEvents(): Int = maps("events").size + count(told, "droppedEvents")

    override fun getTotalRecordedLinks(): Int = maps("links").size + count(told, "droppedLinks")

    override fun getTotalAttributeCount(): Int = attributes.size() + count(told, "droppedAttributes")

    @Deprecated("the SDK's own old name of the scope")
    @Suppress("DEPRECATION")
    override fun getInstrumentationLibraryInfo(): InstrumentationLibraryInfo = InstrumentationLibraryInfo.empty()

    override fun getInstrumentationScopeInfo(): InstrumentationScopeInfo =
        InstrumentationScopeInfo
            .builder(told["scope"] as? String ?: "")
            .apply {
                // What is not given is none rather than empty.
                (told["scopeVersion"] as? String)?.ifEmpty { null }?.let(::setVersion)
                (told["scopeSchemaUrl"] as? String)?.ifEmpty { null }?.let(::setSchemaUrl)
            }.build()

    override fun getResource(): Resource = resource
}

/** Writes one span alone, without counting. */
private class Alone(
    private val recorder: Recorder,
) : Governed,
    Cuts by Cuts.Uncounted {
    override val terms: Terms get() = recorder.terms

    override fun inherited(around: Ambient?): Beginning = recorder.inherited(around)
}

/** The record of a span as the engine tells it; nothing where it cannot be redacted. */
private fun recordOf(
    own: Span,
    recorder: Recorder,
    raw: Boolean,
): Map<String, Any?> {
    try {
        val writer = FrameWriter(Alone(recorder), recorder.terms.slot)
        writer.span(own)
        return Natives.record(recorder, writer.buf.copyOfRange(Tags.HEADER, writer.at), raw) ?: emptyMap()
    } catch (error: PolyspanError) {
        // The end of a span throws nothing.
        Log.sayOnce("processors record", "processors of the SDK see spans without content: ${error.message}")
        return emptyMap()
    }
}

/** Attributes of the SDK are texts, numbers, truth values, lists of these, and values of any other shape. */
private fun attributesOf(given: Map<*, *>?): Attributes {
    val found = Attributes.builder()
    for ((key, value) in given ?: return Attributes.empty()) put(found, key.toString(), value)
    return found.build()
}

private fun put(
    found: AttributesBuilder,
    key: String,
    value: Any?,
) {
    when (value) {
        null -> {}

        is String -> {
            found.put(key, value)
        }

        is Long -> {
            found.put(key, value)
        }

        is Double -> {
            found.put(key, value)
        }

        is Boolean -> {
            found.put(key, value)
        }

        is List<*> -> {
            when {
                value.all { it is String } -> found.put(AttributeKey.stringArrayKey(key), value.map { it as String })
                value.all { it is Long } -> found.put(AttributeKey.longArrayKey(key), value.map { it as Long })
                value.all { it is Double } -> found.put(AttributeKey.doubleArrayKey(key), value.map { it as Double })
                value.all { it is Boolean } -> found.put(AttributeKey.booleanArrayKey(key), value.map { it as Boolean })
                else -> found.put(AttributeKey.valueKey(key), valueOf(value))
            }
        }

        else -> {
            found.put(AttributeKey.valueKey(key), valueOf(value))
        }
    }
}
