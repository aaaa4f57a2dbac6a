// What is current belongs to a coroutine, whatever threads it runs in.

package dev.polyspan

import dev.polyspan.coroutines.inSpan
import dev.polyspan.coroutines.polyspanContext
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.CoroutineContext
import dev.polyspan.coroutines.span as suspending
import dev.polyspan.coroutines.traced as tracing

class CoroutinesTest {
    /** Runs each part of a coroutine in a thread of its own. */
    private class Elsewhere : CoroutineDispatcher() {
        val threads = AtomicInteger()

        override fun dispatch(
            context: CoroutineContext,
            block: Runnable,
        ) {
            Thread(block, "part-${threads.incrementAndGet()}").apply { isDaemon = true }.start()
        }
    }

    private fun parents(memory: MemoryExporter): Map<String, String?> {
        val spans = memory.spans
        val names = spans.associate { it.spanId to it.name }
        return spans.associate { it.name to names[it.parentSpanId] }
    }

    @Test
    fun `a span stays current when every part runs in another thread`() {
        Engines.with { engine, memory ->
            val elsewhere = Elsewhere()
            runBlocking(elsewhere) {
                suspending("outer") { outer ->
                    repeat(20) { round ->
                        yield()
                        assertSame(outer, Polyspan.currentSpan())
                        suspending("inner-$round") { inner ->
                            yield()
                            assertSame(inner, Polyspan.currentSpan())
                        }
                        assertSame(outer, Polyspan.currentSpan())
                    }
                }
                yield()
                assertFalse(Polyspan.currentSpan().spanContext.isValid)
            }
            assertTrue(elsewhere.threads.get() > 20)
            engine.flush()
            val found = parents(memory)
            assertEquals(21, found.size)
            assertTrue(found.all { (name, parent) -> parent == if (name == "outer") null else "outer" }, "$found")
        }
    }

    @Test
    fun `the inline form holds where a context is around`() {
        Engines.with { engine, memory ->
            runBlocking(Elsewhere() + polyspanContext(sessionId = "s-1")) {
                span("outer", type = SpanType.Agent) { outer ->
                    repeat(5) {
                        yield()
                        assertSame(outer, Polyspan.currentSpan())
                        withContext(Dispatchers.Default) {
                            yield()
                            assertSame(outer, Polyspan.currentSpan())
                            span("inner-$it") { inner ->
                                yield()
                                assertSame(inner, Polyspan.currentSpan())
                            }
                        }
                    }
                }
                assertFalse(Polyspan.currentSpan().spanContext.isValid)
            }
            engine.flush()
            assertEquals(6, memory.spans.size)
            assertTrue(memory.spans.all { it.attributes["session.id"] == "s-1" })
            assertTrue(parents(memory).all { (name, parent) -> parent == if (name == "outer") null else "outer" })
        }
    }

    @Test
    fun `coroutines begin with what is current, and keep their own apart`() {
        Engines.with { engine, memory ->
            runBlocking(Dispatchers.Default) {
                suspending("root") {
                    (1..50)
                        .map { n ->
                            async {
                                suspending("task-$n") { task ->
                                    yield()
                                    coroutineScope { launch { suspending("part-$n") { yield() } } }
                                    assertSame(task, Polyspan.currentSpan())
                                }
                            }
                        }.awaitAll()
                }
            }
            engine.flush()
            val found = parents(memory)
            assertEquals(101, found.size)
            for (n in 1..50) {
                assertEquals("root", found["task-$n"])
                assertEquals("task-$n", found["part-$n"])
            }
        }
    }

    @Test
    fun `flows are collected inside their span`() {
        Engines.with { engine, memory ->
            runBlocking(Elsewhere()) {
                val items =
                    flow {
                        repeat(3) {
                            span("item-$it") { yield() }
                            emit(it)
                        }
                    }.inSpan("stream").map { it * 2 }
                suspending("reader") { reader ->
                    assertEquals(listOf(0, 2, 4), items.toList())
                    assertEquals(listOf(0, 2, 4), items.flowOn(Dispatchers.Default).buffer(Channel.UNLIMITED).toList())
                    assertSame(reader, Polyspan.currentSpan())
                }
            }
            engine.flush()
            val spans = memory.spans
            val ids = spans.associateBy { it.spanId }
            assertEquals(9, spans.size)
            for (one in spans) {
                val expected =
                    if (one.name.startsWith("item")) {
                        "stream"
                    } else if (one.name == "stream") {
                        "reader"
                    } else {
                        null
                    }
                assertEquals(expected, ids[one.parentSpanId]?.name, one.name)
            }
        }
    }

    @Test
    fun `a collector that has enough, or fails, is no failure of the flow`() {
        Engines.with { engine, memory ->
            fun numbers(name: String) = flow { repeat(3) { emit(it) } }.inSpan(name)
            runBlocking {
                assertEquals(0, numbers("first").first())
                assertEquals(listOf(0, 1), numbers("take").take(2).toList())
                assertThrows(IllegalStateException::class.java) { runBlocking { numbers("collector").collect { error("mine") } } }
                assertThrows(IllegalStateException::class.java) {
                    runBlocking { flow<Int> { error("its own") }.inSpan("fails").collect { } }
                }
                val begun = Channel<Unit>()
                val job =
                    launch {
                        numbers("cancelled").collect {
                            begun.send(Unit)
                            begun.receive()
                            begun.receive()
                        }
                    }
                begun.receive()
                job.cancelAndJoin()
            }
            engine.flush()
            val expected = mapOf("first" to "unset", "take" to "unset", "collector" to "unset", "fails" to "error", "cancelled" to "error")
            assertEquals(expected, memory.spans.associate { it.name to it.status })
        }
    }

    @Test
    fun `what fails or is cancelled is recorded, and stays what it is`() {
        Engines.with { engine, memory ->
            assertThrows(IllegalStateException::class.java) {
                runBlocking { suspending("fails") { error("no") } }
            }
            runBlocking {
                val begun = Channel<Unit>()
                val job =
                    launch {
                        suspending("cancelled") {
                            begun.send(Unit)
                            begun.receive()
                            begun.receive()
                        }
                    }
                begun.receive()
                job.cancelAndJoin()
            }
            engine.flush()
            assertEquals(mapOf("fails" to "error", "cancelled" to "error"), memory.spans.associate { it.name to it.status })
        }
    }

    @Test
    fun `functions whose every call is a span may suspend`() =
        Engines.with { engine, memory ->
            val elsewhere = Elsewhere()
            val inner =
                tracing("inner") { n: Int ->
                    yield()
                    n + 1
                }
            val outer =
                tracing("outer", { captureInput = false }) { a: Int, b: Int ->
                    withContext(elsewhere) { inner(a) } + inner(b)
                }
            val failing = tracing("failing") { _: Int -> error("no") }
            runBlocking {
                assertEquals(7, outer(2, 3))
                assertThrows(IllegalStateException::class.java) { runBlocking { failing(1) } }
            }
            engine.flush()
            val (first, second, around, failed) = memory.take()
            assertEquals(listOf("inner", "inner", "outer", "failing"), listOf(first, second, around, failed).map { it.name })
            assertEquals(listOf(2L, 3L, null), listOf(first, second, around).map { it.input })
            assertEquals(listOf(3L, 4L, 7L), listOf(first, second, around).map { it.output })
            assertEquals(listOf(around.spanId, around.spanId), listOf(first, second).map { it.parentSpanId })
            assertEquals("error", failed.status)
        }
}
