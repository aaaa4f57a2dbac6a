// The OpenTelemetry API for Java over the engine: spans, one current context for both, propagation, processors of the SDK.

package dev.polyspan

import dev.polyspan.opentelemetry.PolyspanContextStorage
import dev.polyspan.opentelemetry.PolyspanOpenTelemetry
import dev.polyspan.opentelemetry.addSpanProcessor
import dev.polyspan.opentelemetry.flushSpanProcessors
import io.opentelemetry.api.baggage.Baggage
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.common.Attributes
import io.opentelemetry.api.trace.StatusCode
import io.opentelemetry.context.ContextKey
import io.opentelemetry.context.ContextStorage
import io.opentelemetry.sdk.trace.ReadWriteSpan
import io.opentelemetry.sdk.trace.ReadableSpan
import io.opentelemetry.sdk.trace.SpanProcessor
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Instant
import java.util.concurrent.TimeUnit
import io.opentelemetry.api.trace.Span as ApiSpan
import io.opentelemetry.api.trace.SpanKind as ApiKind
import io.opentelemetry.context.Context as ApiContext

class OpenTelemetryTest {
    private fun <R> with(body: (PolyspanOpenTelemetry, MemoryExporter) -> R): R =
        Engines.with { engine, memory -> body(PolyspanOpenTelemetry.of(engine), memory) }

    @Test
    fun `what is current is kept once`() {
        assertTrue(ContextStorage.get() is PolyspanContextStorage, "${ContextStorage.get()}")
        with { otel, memory ->
            val tracer = otel.getTracer("app", "1.2")
            val key = ContextKey.named<String>("mine")
            val request =
                tracer
                    .spanBuilder("request")
                    .setSpanKind(ApiKind.SERVER)
                    .setAttribute("a", 1)
                    .startSpan()
            val inner = ApiContext.current().with(request).with(key, "kept")
            inner.makeCurrent().use {
                assertSame(inner, ApiContext.current())
                assertEquals(request.spanContext.spanId, Polyspan.currentSpan().spanId)
                span("ours") { ours ->
                    assertEquals(ours.spanId, ApiSpan.current().spanContext.spanId)
                    assertEquals("kept", ApiContext.current()[key])
                    tracer.spanBuilder("theirs").startSpan().end()
                }
                assertSame(inner, ApiContext.current())
            }
            assertSame(ApiContext.root(), ApiContext.current())
            request.end()
            otel.engine.flush()
            val spans = memory.spans.associateBy { it.name }
            assertEquals(spans["ours"]?.spanId, spans["theirs"]?.parentSpanId)
            assertEquals(spans["request"]?.spanId, spans["ours"]?.parentSpanId)
            assertEquals("server", spans["request"]?.kind)
            assertEquals(listOf("app", "1.2"), spans["request"]?.let { listOf(it.scope, it.scopeVersion) })
        }
    }

    @Test
    fun `everything a span of the API may hold`() {
        with { otel, memory ->
            val linked =
                ApiSpan
                    .wrap(
                        io.opentelemetry.api.trace.SpanContext.create(
                            "0".repeat(31) + "1",
                            "0".repeat(15) + "2",
                            io.opentelemetry.api.trace.TraceFlags
                                .getSampled(),
                            io.opentelemetry.api.trace.TraceState
                                .getDefault(),
                        ),
                    ).spanContext
            val span =
                otel
                    .getTracer(
                        "app",
                    ).spanBuilder("work")
                    .setNoParent()
                    .addLink(linked, Attributes.of(AttributeKey.stringKey("l"), "x"))
                    .startSpan()
            span
                .setAttribute("text", "a")
                .setAttribute("long", 1)
                .setAttribute("double", 0.5)
                .setAttribute("bool", true)
            span.setAttribute(AttributeKey.stringArrayKey("list"), listOf("a", "b"))
            span.addEvent("e", Attributes.of(AttributeKey.longKey("k"), 1L)).recordException(IllegalStateException("no"))
            span.setStatus(StatusCode.ERROR, "why").updateName("renamed").end()
            span.end()
            otel.engine.flush()
            val record = memory.only()
            assertEquals("renamed", record.name)
            assertEquals(mapOf("text" to "a", "long" to 1L, "double" to 0.5, "bool" to true, "list" to listOf("a", "b")), record.attributes)
            assertEquals(listOf("e", "exception"), record.events.map { it.name })
            assertEquals("error" to "why", record.status to record.statusMessage)
            assertEquals("x", (record.links.single()["attributes"] as Map<*, *>)["l"])
        }
    }

    @Test
    fun `times that a span cannot hold are counted, and now`() =
        with { otel, memory ->
            val tracer = otel.getTracer("app")
            val before = otel.engine.stats().altered
            val builder = { tracer.spanBuilder("span") }
            builder().setStartTimestamp(Long.MAX_VALUE, TimeUnit.DAYS).startSpan().end()
            builder().setStartTimestamp(Instant.MAX).startSpan().end()
            builder().startSpan().end(Instant.MAX)
            builder().setStartTimestamp(Instant.MIN).startSpan().end()
            builder().startSpan().addEvent("e", Instant.MAX).end()
            assertEquals(5, otel.engine.stats().altered - before)
            // The API's word for no time.
            builder().setStartTimestamp(0, TimeUnit.NANOSECONDS).startSpan().end()
            assertEquals(5, otel.engine.stats().altered - before)
            otel.engine.flush()
            val spans = memory.spans
            val now = System.currentTimeMillis() * 1_000_000
            val day = TimeUnit.DAYS.toNanos(1)
            for (span in spans) for (time in listOf(span.startTime, span.endTime)) assertTrue(time in now - day..now + day, "$span $time")
            assertEquals(6, spans.size)
        }

    @Test
    fun `context travels through the propagator`() {
        with { otel, memory ->
            val propagator = otel.propagators.textMapPropagator
            val carrier = HashMap<String, String>()
            val outer = otel.getTracer("app").spanBuilder("outer").startSpan()
            val context = ApiContext.root().with(outer).with(Baggage.builder().put("tenant", "acme").build())
            propagator.inject(context, carrier) { to, name, value -> to!![name] = value }
            assertTrue(carrier["traceparent"]!!.contains(outer.spanContext.traceId))
            assertEquals("tenant=acme", carrier["baggage"])
            val found = propagator.extract(ApiContext.root(), carrier, PlainHeaders)
            assertTrue(ApiSpan.fromContext(found).spanContext.isRemote)
            assertEquals("acme", Baggage.fromContext(found).getEntryValue("tenant"))
            otel
                .getTracer("app")
                .spanBuilder("inner")
                .setParent(found)
                .startSpan()
                .end()
            outer.end()
            otel.engine.flush()
            val spans = memory.spans.associateBy { it.name }
            assertEquals(spans["outer"]?.spanId, spans["inner"]?.parentSpanId)
            assertTrue(spans["inner"]!!.parentIsRemote)
        }
    }

    @Test
    fun `processors of the SDK get real spans, without secrets`() {
        with { otel, memory ->
            val kept = KeepingExporter()
            otel.addSpanProcessor(SimpleSpanProcessor.create(kept))
            otel.addSpanProcessor(
                object : SpanProcessor {
                    override fun onStart(
                        parent: ApiContext,
                        span: ReadWriteSpan,
                    ) {
                        span.setAttribute("region", "eu")
                    }

                    override fun isStartRequired() = true

                    override fun onEnd(span: ReadableSpan) = error("a processor that fails")

                    override fun isEndRequired() = true
                },
            )
            span("ours") { it.set("password", "hunter2").event("e", mapOf("k" to 1)) }
            otel
                .getTracer("app")
                .spanBuilder("theirs")
                .startSpan()
                .end()
            assertTrue(otel.flushSpanProcessors())
            otel.engine.flush()
            val (ours, theirs) = kept.spans.toList()
            assertEquals("eu", ours.attributes[AttributeKey.stringKey("region")])
            assertEquals("[REDACTED]", ours.attributes[AttributeKey.stringKey("password")])
            assertEquals("e", ours.events.single().name)
            assertEquals("theirs", theirs.name)
            assertTrue(ours.hasEnded() && ours.endEpochNanos >= ours.startEpochNanos)
            assertEquals("tests", ours.resource.attributes[AttributeKey.stringKey("service.name")])
            assertEquals(memory.spans.map { it.spanId }, kept.spans.map { it.spanId })
        }
    }
}
