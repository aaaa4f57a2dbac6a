// What processors of the SDK see of a span: secrets only where they asked for what was recorded, whoever else is there
// and whenever they look.

package dev.polyspan

import dev.polyspan.opentelemetry.PolyspanOpenTelemetry
import dev.polyspan.opentelemetry.addSpanProcessor
import dev.polyspan.opentelemetry.shutdownWithProcessors
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.api.common.Value
import io.opentelemetry.api.trace.TraceFlags
import io.opentelemetry.api.trace.TraceState
import io.opentelemetry.sdk.common.CompletableResultCode
import io.opentelemetry.sdk.common.InstrumentationScopeInfo
import io.opentelemetry.sdk.trace.ReadWriteSpan
import io.opentelemetry.sdk.trace.ReadableSpan
import io.opentelemetry.sdk.trace.SpanProcessor
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.time.Duration
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import io.opentelemetry.api.trace.SpanContext as ApiSpanContext
import io.opentelemetry.context.Context as ApiContext

class SdkProcessorsTest {
    /** Runs something when a span ends. */
    private class AtEnd(
        private val run: () -> Unit,
    ) : SpanProcessor {
        override fun onStart(
            parent: ApiContext,
            span: ReadWriteSpan,
        ) = Unit

        override fun isStartRequired() = false

        override fun onEnd(span: ReadableSpan) = run()

        override fun isEndRequired() = true
    }

    /** Keeps the spans that it is told of at their start. */
    private class Holding : SpanProcessor {
        val held = ConcurrentLinkedQueue<ReadableSpan>()

        /** How many links each had when it started. */
        val links = ConcurrentLinkedQueue<Int>()
        val ended = ConcurrentLinkedQueue<ReadableSpan>()

        override fun onStart(
            parent: ApiContext,
            span: ReadWriteSpan,
        ) {
            held.add(span)
            links.add(span.toSpanData().totalRecordedLinks)
        }

        override fun isStartRequired() = true

        override fun onEnd(span: ReadableSpan) {
            ended.add(span)
        }

        override fun isEndRequired() = true
    }

    private val password: AttributeKey<String> = AttributeKey.stringKey("password")

    private fun seen(raw: Boolean) = if (raw) "hunter2" else "[REDACTED]"

    private fun batch(kept: KeepingExporter): BatchSpanProcessor =
        // Nothing goes before it is flushed.
        BatchSpanProcessor.builder(kept).setScheduleDelay(Duration.ofDays(1)).build()

    private fun flush(batches: List<BatchSpanProcessor>) {
        for (one in batches) assertTrue(one.forceFlush().join(30, TimeUnit.SECONDS).isSuccess)
    }

    /** Batches read a span on a thread of their own: while others are being told of its end, or long after. */
    @TestFactory
    fun `batches see what they asked for`(): List<DynamicTest> =
        listOf(listOf(false, true), listOf(true, false)).flatMap { order ->
            listOf(true, false).map { between ->
                dynamicTest("raw $order, read ${if (between) "between" else "after"}") {
                    Engines.with { engine, _ ->
                        val otel = PolyspanOpenTelemetry.of(engine)
                        val kept = order.map { KeepingExporter() }
                        val batches = kept.map(::batch)
                        var failed: Throwable? = null
                        order.zip(batches).forEach { (raw, one) ->
                            otel.addSpanProcessor(one, raw)
                            if (between) otel.addSpanProcessor(AtEnd { runCatching { flush(batches) }.onFailure { failed = it } }, raw)
                        }
                        repeat(3) { span("ours") { it.set("password", "hunter2") } }
                        failed?.let { throw it }
                        // A flush right after another may be answered by that one.
                        Engines.eventually("every batch has its spans") {
                            flush(batches)
                            kept.all { it.spans.size == 3 }
                        }
                        order.zip(kept).forEach { (raw, exporter) ->
                            assertEquals(List(3) { seen(raw) }, exporter.spans.map { it.attributes[password] })
                        }
                        for (one in batches) assertTrue(one.shutdown().join(30, TimeUnit.SECONDS).isSuccess)
                    }
                }
            }
        }

    @Test
    fun `processors see the scope, and values of every shape`() {
        Engines.with { engine, _ ->
            val otel = PolyspanOpenTelemetry.of(engine)
            val holding = Holding()
            otel.addSpanProcessor(holding)
            val given =
                mapOf(
                    "map" to mapOf("a" to 1),
                    "bytes" to byteArrayOf(1, 2),
                    "mixed" to listOf("a", null, 1.5),
                    "none" to emptyMap<String, Any>(),
                )
            Polyspan.start("ours").apply { for ((key, value) in given) set(key, value) }.end()
            val tracer =
                otel.tracerProvider
                    .tracerBuilder("app")
                    .setInstrumentationVersion("1.2")
                    .setSchemaUrl("https://schema")
                    .build()
            val empty = Value.of(emptyMap<String, Value<*>>())
            val linked = ApiSpanContext.create("0".repeat(31) + "1", "0".repeat(15) + "2", TraceFlags.getSampled(), TraceState.getDefault())
            val theirs =
                tracer
                    .spanBuilder("theirs")
                    .setAttribute(AttributeKey.valueKey("none"), empty)
                    .addLink(linked)
                    .startSpan()
            val whole =
                InstrumentationScopeInfo
                    .builder("app")
                    .setVersion("1.2")
                    .setSchemaUrl("https://schema")
                    .build()
            assertEquals(whole, holding.held.last().instrumentationScopeInfo)
            theirs.end()
            assertEquals(1, holding.links.last())
            otel
                .getTracer("bare")
                .spanBuilder("bare")
                .startSpan()
                .end()
            val (first, second, third) = holding.ended.toList()
            assertEquals("polyspan", first.instrumentationScopeInfo.name)
            assertEquals(listOf(whole, InstrumentationScopeInfo.create("bare")), listOf(second, third).map { it.instrumentationScopeInfo })
            val expected =
                mapOf(
                    "map" to Value.of(mapOf("a" to Value.of(1L))),
                    "bytes" to Value.of(byteArrayOf(1, 2)),
                    "mixed" to Value.of(Value.of("a"), Value.empty(), Value.of(1.5)),
                    "none" to empty,
                )
            for ((key, value) in expected) assertEquals(value, first.getAttribute(AttributeKey.valueKey(key)), key)
            assertEquals(empty, second.getAttribute(AttributeKey.valueKey("none")))
        }
    }

    @Test
    fun `what is closed with an engine's provider are its processors as well`() {
        val otel = PolyspanOpenTelemetry.create(InitOptions().set("service", "web").set("replace", true).set("exporter", "none"))
        val kept = KeepingExporter()
        otel.addSpanProcessor(
            object : SpanProcessor by AtEnd({}) {
                override fun shutdown(): CompletableResultCode = error("a processor that fails")
            },
        )
        otel.addSpanProcessor(batch(kept))
        otel
            .getTracer("app")
            .spanBuilder("last")
            .startSpan()
            .end()
        // One that fails stops neither another nor the engine, and is told of.
        assertFalse(otel.shutdownWithProcessors(30.0))
        assertEquals(listOf("last"), kept.spans.map { it.name })
        assertTrue(Polyspan.engines().none { it.name == otel.engine.name })
        val closed = PolyspanOpenTelemetry.create(InitOptions().set("service", "web").set("exporter", "none"))
        closed.addSpanProcessor(batch(kept))
        closed
            .getTracer("app")
            .spanBuilder("closed")
            .startSpan()
            .end()
        closed.close()
        assertEquals(listOf("last", "closed"), kept.spans.map { it.name })
    }

    @Test
    fun `a span that is kept from its start shows no more once it has ended`() {
        Engines.with { engine, _ ->
            val otel = PolyspanOpenTelemetry.of(engine)
            val given = listOf(false, true).map { raw -> raw to Holding().also { otel.addSpanProcessor(it, raw) } }
            val open = Polyspan.start("open").set("password", "hunter2")
            for ((_, one) in given) {
                // Nothing has been through redaction yet.
                assertEquals("hunter2", one.held.single().getAttribute(password))
                assertTrue(!one.held.single().hasEnded())
            }
            open.end()
            for ((raw, one) in given) {
                val held = one.held.single()
                assertEquals(listOf(held), one.ended.toList())
                assertEquals(seen(raw), held.getAttribute(password))
                assertEquals(seen(raw), held.toSpanData().attributes[password])
                assertTrue(held.toSpanData().hasEnded())
                assertEquals("open", held.name)
            }
        }
    }
}
