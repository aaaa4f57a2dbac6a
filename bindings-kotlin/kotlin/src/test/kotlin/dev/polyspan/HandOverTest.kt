// Spans between their end and the frame they are written into: each arrives once, with what it was given, all are counted,
// and there are never too many of them.

package dev.polyspan

import dev.polyspan.internal.Batch
import dev.polyspan.internal.Full
import dev.polyspan.internal.Waiting
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.concurrent.thread

class HandOverTest {
    @Test
    fun `each span arrives once, however many wait`() {
        Engines.with { engine, memory ->
            val rounds = 2 * Full.SPANS
            for (n in 0 until rounds) {
                span("parent $n") { span("child $n") { it.set("n", n) } }
                if (n % 700 == 0) engine.flush()
            }
            engine.flush()
            val names = memory.spans.map { it.name }
            assertEquals((0 until rounds).flatMap { listOf("child $it", "parent $it") }.sorted(), names.sorted())
        }
    }

    @Test
    fun `many threads, and others that flush and ask for counts meanwhile`() {
        Engines.with { engine, memory ->
            val ends = AtomicBoolean()
            val wrong = ConcurrentHashMap.newKeySet<String>()
            val askers =
                List(2) {
                    thread {
                        while (!ends.get()) {
                            engine.flush()
                            engine.stats().let { stats -> if (!stats.addsUp) wrong.add("$stats") }
                        }
                    }
                }
            val threads = List(4) { at -> thread { for (n in 0 until EACH) engine.span("$at/$n") { it.set("n", n) } } }
            threads.forEach(Thread::join)
            assertEquals(4L * EACH, engine.stats().ended)
            ends.set(true)
            askers.forEach(Thread::join)
            engine.flush()
            assertEquals(emptySet<String>(), wrong)
            val stats = engine.stats()
            // Under pressure the engine leaves roots unsampled.
            assertEquals(4L * EACH, stats.exported + stats.unsampled + stats.dropped.values.sum(), "$stats")
            val names = memory.spans.map { it.name }
            assertEquals(stats.exported, names.toSet().size.toLong())
        }
    }

    @Test
    fun `one thread that records faster than anybody writes`() {
        Engines.with { engine, _ ->
            val text = "x".repeat(4096)
            repeat(EACH) { engine.span("s") { it.set("text", text) } }
            assertEquals(EACH.toLong(), engine.stats().ended)
        }
    }

    @Test
    fun `what is recorded is what was there when it was set`() {
        Engines.with { engine, memory ->
            val list = arrayListOf(1)
            val map = HashMap(mapOf("k" to list))
            val span = engine.start("s", SpanOptions().input(map))
            lateinit var event: EventAttributes
            span.set("list", list).event("e") {
                set("list", list)
                event = this
            }
            span.end()
            list.add(2)
            map["more"] = list
            span.set("late", 1).rename("late")
            engine.flush()
            event.set("late", 1)
            val record = memory.only()
            assertEquals("s", record.name)
            assertEquals(mapOf("list" to listOf(1L)), record.attributes)
            assertEquals(mapOf("k" to listOf(1L)), record.input)
            assertEquals(mapOf("list" to listOf(1L)), record.events.single().attributes)
        }
    }

    @Test
    fun `an engine that was shut down counts what ends after`() {
        Engines.with { engine, _ ->
            val open = List(3 * Full.SPANS) { engine.start("s") }
            engine.shutdown()
            open.forEach(Span::end)
            assertEquals(open.size.toLong(), engine.stats().ended)
        }
    }

    @Test
    fun `there is room for so many batches, and for so many bytes`() {
        val waiting = Waiting()
        val few = List(32) { Batch() }
        assertTrue(few.all(waiting::add))
        val last = Batch()
        assertFalse(waiting.add(last))
        waiting.remove(last)
        few.forEach(waiting::remove)
        val large = Batch().apply { bytes = 8L * 1024 * 1024 }
        assertTrue(waiting.add(large))
        assertFalse(waiting.add(Batch().apply { bytes = 1 }))
    }

    private companion object {
        const val EACH = 5000
    }
}
