// The engine behind the OpenTelemetry API for Java: what is instrumented with that exports through the engine. Needs
// `io.opentelemetry:opentelemetry-api`, an optional dependency.

// Callers from Java give null where the API says they may not, and a bad argument breaks no call.
@file:Suppress("WRONG_TYPE_FOR_JAVA_OVERRIDE")

package dev.polyspan.opentelemetry

import dev.polyspan.Engine
import dev.polyspan.InitOptions
import dev.polyspan.SpanOptions
import dev.polyspan.Timeouts
import dev.polyspan.carrierFieldNames
import dev.polyspan.extractIn
import dev.polyspan.inject
import dev.polyspan.internal.Here
import dev.polyspan.internal.Launch
import dev.polyspan.internal.Log
import dev.polyspan.internal.Recorder
import dev.polyspan.internal.Starting
import io.opentelemetry.api.GlobalOpenTelemetry
import io.opentelemetry.api.OpenTelemetry
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.common.Attributes
import io.opentelemetry.api.trace.SpanBuilder
import io.opentelemetry.api.trace.SpanContext
import io.opentelemetry.api.trace.SpanKind
import io.opentelemetry.api.trace.Tracer
import io.opentelemetry.api.trace.TracerBuilder
import io.opentelemetry.api.trace.TracerProvider
import io.opentelemetry.context.Context
import io.opentelemetry.context.propagation.ContextPropagators
import io.opentelemetry.context.propagation.TextMapGetter
import io.opentelemetry.context.propagation.TextMapPropagator
import io.opentelemetry.context.propagation.TextMapSetter
import java.util.concurrent.TimeUnit
import io.opentelemetry.api.trace.Span as ApiSpan

/**
 * The OpenTelemetry API over an engine: `PolyspanOpenTelemetry.create(options).registerGlobal()`. Without an endpoint it
 * sends to `localhost:4318`, as the specification has it.
 */
public class PolyspanOpenTelemetry private constructor(
    /** The engine that records. */
    public val engine: Engine,
) : OpenTelemetry,
    AutoCloseable {
    private val tracers = PolyspanTracerProvider(engine.recorder)
    private val propagators = ContextPropagators.create(PolyspanPropagator)

    override fun getTracerProvider(): TracerProvider = tracers

    override fun getPropagators(): ContextPropagators = propagators

    /** Makes it what `GlobalOpenTelemetry` gives. */
    public fun registerGlobal(): PolyspanOpenTelemetry = apply { GlobalOpenTelemetry.set(this) }

    /** Shuts span processors of the SDK down, and the engine. */
    override fun close() {
        stop(Timeouts.TIMEOUT)
    }

    /** The same within so many seconds; whether the processors said that they were done. */
    internal fun stop(timeout: Double): Boolean {
        val deadline = System.nanoTime() + (Timeouts.seconds(timeout) * 1e9).toLong()
        // They go on while the engine delivers, and stop neither it nor one another.
        val processors = engine.recorder.observer?.shutdown()
        var isDone = true
        try {
            engine.shutdown(left(deadline))
        } finally {
            if (processors != null) isDone = processors(left(deadline))
        }
        return isDone
    }

    private fun left(deadline: Long): Double = maxOf(0, deadline - System.nanoTime()) / 1e9

    public companion object {
        /** Starts an engine; see [dev.polyspan.Polyspan.init]. */
        @JvmStatic
        @JvmOverloads
        public fun create(options: InitOptions? = null): PolyspanOpenTelemetry =
            PolyspanOpenTelemetry(Launch.init(options ?: InitOptions(), provider = true))

        /** The API over an engine that runs. */
        @JvmStatic
        public fun of(engine: Engine): PolyspanOpenTelemetry = PolyspanOpenTelemetry(engine)
    }
}

internal class PolyspanTracerProvider(
    private val recorder: Recorder,
) : TracerProvider {
    override fun get(name: String?): Tracer = tracerBuilder(name).build()

    override fun get(
        name: String?,
        version: String?,
    ): Tracer = tracerBuilder(name).setInstrumentationVersion(version ?: "").build()

    override fun tracerBuilder(name: String?): TracerBuilder =
        object : TracerBuilder {
            private var url = ""
            private var version = ""

            override fun setSchemaUrl(schemaUrl: String?): TracerBuilder = also { url = schemaUrl ?: "" }

            override fun setInstrumentationVersion(instrumentationVersion: String?): TracerBuilder =
                also { version = instrumentationVersion ?: "" }

            override fun build(): Tracer = PolyspanTracer(recorder, name ?: "", version, url)
        }
}

internal class PolyspanTracer(
    private val recorder: Recorder,
    private val name: String,
    private val version: String,
    private val schemaUrl: String,
) : Tracer {
    private val scope = recorder.scope(name, version, schemaUrl)

    override fun spanBuilder(name: String?): SpanBuilder = PolyspanSpanBuilder(name ?: "", recorder, scope)
}

private class PolyspanSpanBuilder(
    private val name: String,
    private val recorder: Recorder,
    private val scope: Int,
) : SpanBuilder {
    private val options = SpanOptions()
    private val attributes = LinkedHashMap<String, Any?>()
    private val links = ArrayList<Pair<SpanContext, Attributes>>()
    private var parent: Context? = null
    private var start: Long? = null

    override fun setParent(context: Context?): SpanBuilder = also { if (context != null) parent = context }

    override fun setNoParent(): SpanBuilder = also { parent = Context.root() }

    override fun addLink(spanContext: SpanContext?): SpanBuilder = addLink(spanContext, Attributes.empty())

    override fun addLink(
        spanContext: SpanContext?,
        attributes: Attributes?,
    ): SpanBuilder = also { if (spanContext?.isValid == true) links.add(spanContext to (attributes ?: Attributes.empty())) }

    override fun setAttribute(
        key: String?,
        value: String?,
    ): SpanBuilder = put(key, value)

    override fun setAttribute(
        key: String?,
        value: Long,
    ): SpanBuilder = put(key, value)

    override fun setAttribute(
        key: String?,
        value: Double,
    ): SpanBuilder = put(key, value)

    override fun setAttribute(
        key: String?,
        value: Boolean,
    ): SpanBuilder = put(key, value)

    override fun <T : Any> setAttribute(
        key: AttributeKey<T>?,
        value: T?,
    ): SpanBuilder = if (key == null) this else put(key.key, plain(key, value))

    private fun put(
        key: String?,
        value: Any?,
    ): SpanBuilder = also { if (!key.isNullOrEmpty() && value != null) attributes[key] = value }

    override fun setSpanKind(spanKind: SpanKind?): SpanBuilder =
        also { options.kind = spanKind?.let { kind -> dev.polyspan.SpanKind.entries[kind.ordinal] } }

    override fun setStartTimestamp(
        startTimestamp: Long,
        unit: TimeUnit?,
    ): SpanBuilder = also { start = OtelSpan.nanos(startTimestamp, unit) }

    override fun startSpan(): ApiSpan {
        if (attributes.isNotEmpty()) options.attributes = attributes
        start?.let { options.startTime = java.time.Instant.ofEpochSecond(0, it) }
        val given = parent
        val slot = if (given == null) Here.slot else slotOf(given)
        val own = Starting.startAt(slot, name, options, recorder, scope)
        for ((to, more) in links) own.link(contextGiven(to), attributesAsMap(more))
        Starting.told(own, slot)
        return spanFor(own)
    }
}

/** Our propagation as the API has it. */
internal object PolyspanPropagator : TextMapPropagator {
    override fun fields(): Collection<String> = carrierFieldNames()

    override fun <C : Any?> inject(
        context: Context?,
        carrier: C?,
        setter: TextMapSetter<C>?,
    ) {
        if (context == null || setter == null) return Log.refuse("inject: nothing to write to")
        Here.inside(slotOf(context)) { inject(carrier, { to, name, value -> setter.set(to, name, value) }) }
    }

    override fun <C : Any?> extract(
        context: Context?,
        carrier: C?,
        getter: TextMapGetter<C>?,
    ): Context {
        if (context == null || getter == null) {
            Log.refuse("extract: nothing reads the carrier")
            return context ?: Context.root()
        }
        val found = extractIn(slotOf(context), carrier) { from, name -> getter.getAll(from, name).asSequence().toList() }
        found.origin = context
        // What brings nothing changes nothing.
        return if (found.span == null && found.ambient === slotOf(context)?.ambient) context else contextOf(found) ?: context
    }
}
