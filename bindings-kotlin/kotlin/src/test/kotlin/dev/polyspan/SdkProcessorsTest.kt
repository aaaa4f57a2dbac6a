// What processors of the SDK see of a span: secrets only where they asked for what was recorded, whoever else is there
// and whenever they look.

package dev.polyspan

import dev.polyspan.opentelemetry.PolyspanOpenTelemetry
import dev.polyspan.opentelemetry.addSpanProcessor
import io.opentelemetry.api.common.AttributeKey
import io.opentelemetry.sdk.trace.ReadWriteSpan
import io.opentelemetry.sdk.trace.ReadableSpan
import io.opentelemetry.sdk.trace.SpanProcessor
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.time.Duration
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
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
        val ended = ConcurrentLinkedQueue<ReadableSpan>()

        override fun onStart(
            parent: ApiContext,
            span: ReadWriteSpan,
        ) {
            held.add(span)
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
