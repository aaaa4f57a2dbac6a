// What a span keeps where several threads fill it, and texts on the way into its frame.

package dev.polyspan

import dev.polyspan.internal.Narrow
import dev.polyspan.internal.Utf8
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.concurrent.thread
import kotlin.random.Random

class ContentTest {
    private fun elsewhere(body: () -> Unit) = thread(block = body).join()

    @Test
    fun `the last value of a key counts, whichever thread sets it`() =
        Engines.with { _, memory ->
            val span = Polyspan.start("s")
            span.set("k", 1).set("mine", 1)
            elsewhere { span.set("k", 2).set("theirs", 1) }
            assertTrue(span.isRecording)
            span.set("mine", 2)
            elsewhere { span.set("theirs", 2) }
            span.set("theirs", 3)
            span.end()
            Polyspan.flush()
            assertEquals(mapOf("k" to 2L, "mine" to 2L, "theirs" to 3L), memory.only().attributes)
        }

    @Test
    fun `a span that another thread ends has what both have set`() =
        Engines.with { _, memory ->
            val span = Polyspan.start("s")
            repeat(20) { span.set("a$it", it) }
            elsewhere { span.set("b", true).end() }
            span.set("late", 1)
            Polyspan.flush()
            assertEquals((0 until 20).associate { "a$it" to it.toLong() } + ("b" to true), memory.only().attributes)
        }

    @Test
    fun `threads that set at the same time lose nothing`() =
        Engines.with { _, memory ->
            val span = Polyspan.start("s")
            val others = List(3) { at -> thread { repeat(30) { span.set("t$at.$it", it) } } }
            repeat(30) { span.set("own.$it", it) }
            others.forEach(Thread::join)
            span.end()
            Polyspan.flush()
            val names = List(3) { at -> List(30) { "t$at.$it" } }.flatten() + List(30) { "own.$it" }
            assertEquals(names.toSet(), memory.only().attributes.keys)
        }

    @Test
    fun `values that are replaced again and again take no room, whoever sets them`() =
        Engines.with { _, memory ->
            val span = Polyspan.start("s")
            elsewhere { span.set("first", 1) }
            repeat(50_000) { span.set("k", it) }
            elsewhere { span.set("k", "last") }
            span.end()
            Polyspan.flush()
            assertEquals(mapOf("first" to 1L, "k" to "last"), memory.only().attributes)
        }

    @Test
    fun `events are made where they are wanted`() =
        Engines.with { _, memory ->
            val before = Polyspan.stats().altered
            val span = Polyspan.start("s")
            span.event("usage") {
                set("tokens", 12)
                set("unit", "piece")
                set("", 1)
                set("list", listOf(1, 2))
            }
            span.end()
            span.event("late") { error("a span that has ended asks for nothing") }
            Polyspan.flush()
            val event = memory.only().events.single()
            assertEquals(mapOf("tokens" to 12L, "unit" to "piece", "list" to listOf(1L, 2L)), event.attributes)
            assertEquals(1, Polyspan.stats().altered - before)
        }

    /** Half characters are replaced: by the decoder of the standard library, from UTF-16 as it stands. */
    private fun whole(text: String): ByteArray = String(text.toByteArray(Charsets.UTF_16BE), Charsets.UTF_16BE).toByteArray()

    @Test
    fun `texts become UTF-8 by every way there is`() {
        val random = Random(20_261_122)
        val pieces = listOf("a", "?", "what is it? ", "é", "Ł", "😀", "\ud83f", "\udc3f", "\u0000", "x".repeat(70), "?".repeat(9))
        val narrow = Narrow()
        var ascii = 0
        repeat(20_000) {
            val few = pieces.shuffled(random).take(random.nextInt(1, 4))
            val text = buildString { repeat(random.nextInt(1, 40)) { append(few.random(random)) } }
            val expected = whole(text)
            assertArrayEquals(expected, Utf8.of(text), text)
            val into = ByteArray(text.length + 3)
            val wrote = narrow.write(text, into, 3)
            assertEquals(text.all { it.code < 0x80 }, wrote, text)
            if (wrote) assertArrayEquals(expected, into.copyOfRange(3, into.size), text)
            if (wrote) ascii++
        }
        assertTrue(ascii > 1000, "$ascii")
    }
}
