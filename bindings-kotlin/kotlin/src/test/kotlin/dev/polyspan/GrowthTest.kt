// Memory over a long life: engines that come and go, and spans without end. What the collector may still take is not
// growth, so it is asked for until the heap is small again. Nor is a heap that comes to be used: the collector lets the
// young generation fill before it looks, which in ten million spans adds a hundred MiB of its pages to what is resident.
// So all of the heap is touched before the first test (pom.xml), and what is resident then grows by what lies outside
// of it alone: our library, and what the JVM compiles.

package dev.polyspan

import dev.polyspan.internal.Log
import dev.polyspan.opentelemetry.OtelSpan
import dev.polyspan.opentelemetry.PolyspanOpenTelemetry
import dev.polyspan.opentelemetry.spanFor
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import java.lang.management.ManagementFactory
import java.lang.ref.WeakReference
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.function.Consumer

class GrowthTest {
    private class Memory(
        val heap: Long,
        /** Resident, where the system tells. */
        val resident: Long,
    ) {
        override fun toString() = "heap ${heap / MIB} MiB, resident ${resident / MIB} MiB"
    }

    private fun heap(): Long {
        System.gc()
        return Runtime.getRuntime().let { it.totalMemory() - it.freeMemory() }
    }

    private fun memory(): Memory {
        val status = Path.of("/proc/self/status")
        val resident = if (Files.exists(status)) Files.readAllLines(status).first { it.startsWith("VmRSS:") } else "0"
        return Memory(heap(), resident.filter(Char::isDigit).toLong() * 1024)
    }

    /** Without this a test that runs alone says that spans grow, and one that runs after others that they do not. */
    private fun assertHeapTouched() {
        val runtime = Runtime.getRuntime()
        val touched = "-XX:+AlwaysPreTouch" in ManagementFactory.getRuntimeMXBean().inputArguments
        assertTrue(touched && runtime.totalMemory() == runtime.maxMemory(), "needs the JVM's options of pom.xml")
    }

    private fun assertFlat(
        before: Memory,
        heap: Long,
        resident: Long,
    ) {
        Engines.eventually("the heap grows: $before before, ${memory()} after") { heap() < before.heap + heap }
        val after = memory()
        println("$before before, $after after")
        assertTrue(after.resident < before.resident + resident, "$before before, $after after")
    }

    private fun engines(count: Int) =
        repeat(count) { at ->
            val engine =
                Polyspan.init {
                    service = "growth"
                    name = "growth"
                    exporters = emptyList<Any>()
                }
            engine.span("s") { it.set("k", 1) }
            engine.shutdown()
            assertEquals(1, engine.stats().accepted)
            // An engine goes with its object, which is small: few make the collector look by itself.
            if (at % 500 == 0) System.gc()
        }

    @Test
    @Timeout(10, unit = TimeUnit.MINUTES)
    fun `ten thousand engines leave nothing behind`() {
        assertHeapTouched()
        Log.write = Consumer { }
        engines(1000)
        val before = memory()
        engines(9000)
        // A KiB of each would be more.
        assertFlat(before, heap = 4 * MIB, resident = 64 * MIB)
        assertTrue(Polyspan.engines().none { it.name == "growth" })
    }

    /** A chain of spans, each the child of one that has ended by then or soon after; its beginning, and the open end. */
    private fun chain(next: (Span) -> Span): Pair<WeakReference<Span>, Span> {
        var last = Polyspan.start("first")
        val first = WeakReference(last)
        repeat(1000) {
            if (it % 2 == 0) last.end()
            last = next(last).also { last.end() }
        }
        return first to last
    }

    @Test
    fun `a span does not keep those before it`() {
        Engines.with { engine, _ ->
            val tracer = PolyspanOpenTelemetry.of(engine).getTracer("app")
            val chains =
                listOf(
                    chain { Polyspan.start("next", SpanOptions().parent(it)) },
                    chain { span -> span.run { Polyspan.start("next") } },
                    chain { span -> spanFor(span).makeCurrent().use { (tracer.spanBuilder("next").startSpan() as OtelSpan).own } },
                )
            for ((first, last) in chains) {
                engine.flush()
                Engines.eventually("the first span is kept") {
                    System.gc()
                    first.get() == null
                }
                last.end()
            }
        }
    }

    /** As pollers that start the next round before they end the last, or the last but one. */
    @Test
    fun `nor where some of the chain are open at once`() {
        Engines.with { engine, memory ->
            for (open in listOf(1, 2, 5)) {
                val chain = ArrayDeque(listOf(Polyspan.start("first")))
                val first = WeakReference(chain.first())
                repeat(20) {
                    chain.add(Polyspan.start("next", SpanOptions().parent(chain.last())))
                    if (chain.size > open) chain.removeFirst().end()
                }
                engine.flush()
                Engines.eventually("the first span is kept where $open are open") {
                    System.gc()
                    first.get() == null
                }
                // What is left still ends as a tree.
                chain.first().endTree()
                assertTrue(chain.none { it.isRecording })
                engine.flush()
                assertEquals(21, memory.take().size)
            }
        }
    }

    private fun spans(
        engine: Engine,
        count: Long,
    ) {
        for (n in 1..count) {
            engine.span("s") {
                it.set("agent.request", "twenty characters ok").set("agent.attempt", n).set("agent.score", 0.5)
            }
            if (n % ROUND == 0L) engine.flush()
        }
    }

    /** `POLYSPAN_TEST_SPANS` spans, 200,000 without it. */
    @Test
    @Timeout(2, unit = TimeUnit.HOURS)
    fun `the heap and what is resident stay flat, however many spans there are`() {
        assertHeapTouched()
        val count = System.getenv("POLYSPAN_TEST_SPANS")?.toLong() ?: 200_000
        val engine =
            Polyspan.init {
                service = "growth"
                name = "spans"
                exporters = emptyList<Any>()
            }
        try {
            // What is compiled, and what queues and pools come to hold, is there after these.
            spans(engine, 100_000)
            val before = memory()
            spans(engine, count)
            assertFlat(before, heap = 2 * MIB, resident = 64 * MIB)
            engine.flush()
            val stats = engine.stats()
            assertTrue(stats.addsUp, "$stats")
            assertEquals(count + 100_000, stats.ended)
        } finally {
            engine.shutdown()
        }
    }

    private companion object {
        const val MIB = 1024L * 1024
        const val ROUND = 1000L
    }
}
