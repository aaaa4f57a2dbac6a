// What a span records, and what happens to spans in many threads, too many, ended twice, or never.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.time.Instant
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicReference

class SpanTest {
    @Test
    fun `everything a span may hold`() {
        Engines.with { engine, memory ->
            val start = Instant.ofEpochSecond(1_700_000_000, 1)
            val linked = SpanContext.of("1", "2")
            span(
                "work",
                type = SpanType.Tool,
                input = mapOf("q" to 1),
                options =
                    spanOptions {
                        startTime = start
                        tags = listOf("t")
                        metadata =
                            mapOf("m" to 1)
                    },
            ) { span ->
                span
                    .set(
                        "text",
                        "a",
                    ).set("int", 1)
                    .set("double", 0.5)
                    .set("bool", true)
                    .set("list", listOf(1, "b"))
                    .set("none", null as Any?)
                span.set("text", "b")
                span.event("e", mapOf("k" to 1)).link(linked, mapOf("l" to 2))
                span.update(name = "renamed", output = "out", metadata = mapOf("n" to 2), attributes = mapOf("more" to 3))
                assertEquals(span, Polyspan.currentSpan())
                assertEquals(span.traceId, Polyspan.currentTraceId())
            }
            assertNull(Polyspan.currentTraceId())
            engine.flush()
            val record = memory.only()
            assertEquals("renamed", record.name)
            assertEquals("tool", record.type)
            assertEquals(1_700_000_000_000_000_001, record.startTime)
            assertEquals(mapOf("q" to 1L), record.input)
            assertEquals("out", record.output)
            assertEquals(mapOf("m" to 1L, "n" to 2L), record.metadata)
            assertEquals(listOf("t"), record.tags)
            assertEquals(
                mapOf("int" to 1L, "double" to 0.5, "bool" to true, "list" to listOf(1L, "b"), "none" to null, "text" to "b", "more" to 3L),
                record.attributes,
            )
            assertEquals(mapOf("k" to 1L), record.events.single().attributes)
            assertEquals(linked.traceId, record.links.single()["traceId"])
            assertEquals(mapOf("l" to 2L), record.links.single()["attributes"])
        }
    }

    @Test
    fun `an exception is recorded and thrown on`() {
        Engines.with { engine, memory ->
            assertThrows(
                IllegalArgumentException::class.java,
            ) { span("fails") { throw IllegalArgumentException("bad", RuntimeException("why")) } }
            Polyspan.start("told").error("something", id = "E1", domain = "user")
            engine.flush()
            val (failed, told) = memory.take()
            assertEquals("error", failed.status)
            assertEquals("bad", failed.statusMessage)
            assertEquals("java.lang.IllegalArgumentException", failed.attributes["error.type"])
            val stack =
                failed.events
                    .single()
                    .attributes["exception.stacktrace"]
                    .toString()
            assertTrue(stack.contains("Caused by: java.lang.RuntimeException: why"), stack)
            assertEquals("E1", told.attributes["error.type"])
            assertEquals("something", told.statusMessage)
        }
    }

    @Test
    fun `an end that comes twice is counted, and nothing is set after it`() {
        Engines.with { engine, memory ->
            val span = Polyspan.start("once")
            span.end()
            span.set("late", 1).event("late").update(output = 1)
            span.end()
            engine.flush()
            assertEquals(emptyMap<String, Any?>(), memory.only().attributes)
            assertEquals(1, engine.stats().endedTwice)
            assertFalse(span.isRecording)
        }
    }

    @Test
    fun `a tree ends at once`() {
        Engines.with { engine, memory ->
            val root = Polyspan.start("root")
            val child = Polyspan.start("child", SpanOptions().parent(root))
            Polyspan.start("grandchild", SpanOptions().parent(child))
            val other = Polyspan.start("other")
            root.endTree()
            engine.flush()
            assertEquals(listOf("grandchild", "child", "root"), memory.spans.map { it.name })
            assertEquals(
                1,
                memory.spans
                    .map { it.endTime }
                    .toSet()
                    .size,
            )
            other.end()
        }
    }

    @Test
    fun `several threads may hold one span`() {
        Engines.with { engine, memory ->
            val span = Polyspan.start("shared")
            val threads =
                List(8) { thread ->
                    Thread { repeat(100) { span.set("k-$thread-$it", it) } }.also(Thread::start)
                }
            threads.forEach(Thread::join)
            span.end()
            engine.flush()
            assertEquals(800, memory.only().let { it.attributes.size + it.droppedAttributes })
        }
    }

    @Test
    fun `many threads lose nothing, and what they leave behind arrives`() {
        Engines.with { engine, memory ->
            repeat(20) { round ->
                List(16) { thread -> Thread { repeat(20) { span("s-$round-$thread-$it") { } } }.also(Thread::start) }.forEach(Thread::join)
            }
            engine.flush()
            assertEquals(6400, memory.spans.size)
            assertEquals(6400, engine.stats().ended)
            assertEquals(
                6400,
                memory.spans
                    .map { it.spanId }
                    .toSet()
                    .size,
            )
        }
    }

    @Test
    fun `what ended arrives without a flush`() {
        Engines.with({ set("scheduleDelay", 0.01) }) { engine, memory ->
            span("alone") { }
            Engines.eventually("the timer hands in") { engine.stats().exported == 1L }
            assertEquals("alone", memory.only().name)
        }
    }

    @Test
    fun `more open spans than are allowed do not record, and are counted`() {
        Engines.with({ set("openSpans", 10) }) { engine, memory ->
            val open = List(15) { Polyspan.start("open-$it") }
            assertEquals(10, open.count { it.isRecording })
            open.forEach(Span::end)
            val again = List(10) { Polyspan.start("again-$it") }
            assertTrue(again.all { it.isRecording })
            again.forEach(Span::end)
            engine.flush()
            assertEquals(20, memory.spans.size)
            assertEquals(5, engine.stats().openLimit)
        }
    }

    @Test
    fun `tasks of executors keep the context they are wrapped in`() {
        Engines.with { engine, memory ->
            span("outer") {
                val seen = AtomicReference<Span>()
                val done = CountDownLatch(1)
                val task =
                    Context.current().wrap(
                        Runnable {
                            seen.set(Polyspan.currentSpan())
                            done.countDown()
                        },
                    )
                Thread(task).start()
                done.await()
                assertEquals(it, seen.get())
            }
            engine.flush()
            memory.only()
        }
    }

    @Test
    fun `functions and objects whose calls are spans`() {
        Engines.with { engine, memory ->
            val search = traced("search", { type = SpanType.Tool }) { query: String -> listOf(query) }
            assertEquals(listOf("x"), search("x"))
            val sorted = instrument(Comparator::class.java, Comparator<String> { a, b -> a.compareTo(b) }, "Order")
            @Suppress("UNCHECKED_CAST")
            assertTrue((sorted as Comparator<String>).compare("a", "b") < 0)
            assertNotEquals(0, sorted.hashCode())
            engine.flush()
            val (first, second) = memory.take()
            assertEquals("x", first.input)
            assertEquals(listOf("x"), first.output)
            assertEquals("tool", first.type)
            assertEquals("Order.compare", second.name)
            assertEquals(listOf("a", "b"), second.input)
        }
    }

    @Test
    fun `what is around a span goes along in a trace that is not sampled`() {
        Engines.with({ sampler = 0.0 }) { engine, _ ->
            val sent = { inject(HashMap<String, String>())["baggage"] }
            engine.span("root") { root ->
                context({ baggage = mapOf("tenant" to "acme") }) {
                    span("child") { child ->
                        assertEquals(root.traceId to "tenant=acme", child.traceId to sent())
                        span("grandchild") { assertEquals("tenant=acme", sent()) }
                        context({ baggage = mapOf("tier" to "gold") }) {
                            span("grandchild", type = SpanType.Tool) { assertEquals("tenant=acme,tier=gold", sent()) }
                        }
                        assertEquals("tenant=acme", sent())
                    }
                    Polyspan.start("manual").run { assertEquals("tenant=acme", sent()) }
                }
                span("later") { assertEquals(null, sent()) }
            }
            assertEquals(listOf(6L, 6L, 6L), engine.stats().let { listOf(it.started, it.ended, it.unsampled) })
        }
    }

    @Test
    fun `spans by their type`() {
        Engines.with { engine, memory ->
            modelGeneration("draft", {
                model = "gpt-5"
                temperature = 0.2
            }) { span ->
                span.set(ModelGenerationAttributes().apply { usage = mapOf("inputTokens" to 812, "outputTokens" to 64) })
            }
            engine.flush()
            val record = memory.only()
            assertEquals("model_generation", record.type)
            assertEquals("gpt-5", record.attributes["model"])
        }
    }

    @Test
    fun `a log record belongs to the current span`() {
        Engines.with { engine, memory ->
            span("outer") { assertTrue(log(LogLevel.WARN, "filling", LogOptions().apply { attributes = mapOf("disk" to 1) })) }
            engine.flush()
            val record = memory.logs.single()
            assertEquals("filling", record.body)
            assertEquals(13, record.severity)
            assertEquals(memory.spans.single().spanId, record.spanId)
            assertEquals(1L, record.attributes["disk"])
        }
    }
}
