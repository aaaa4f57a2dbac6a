// How values of the JVM are taken apart, and that nothing an application gives can make it throw.

package dev.polyspan

import dev.polyspan.internal.Bounds
import dev.polyspan.internal.Capture
import dev.polyspan.internal.Cuts
import dev.polyspan.internal.Values
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.math.BigDecimal
import java.math.BigInteger
import java.net.URI
import java.nio.ByteBuffer
import java.time.Duration
import java.time.Instant
import java.util.Date
import java.util.Optional
import java.util.UUID
import java.util.concurrent.CompletableFuture
import java.util.concurrent.atomic.AtomicLong

class CaptureTest {
    private class Count : Cuts {
        var altered = 0
        var limited = 0

        override fun altered(by: Int) {
            altered += by
        }

        override fun limited(by: Int) {
            limited += by
        }
    }

    private fun read(
        value: Any?,
        bounds: Bounds = Bounds.WHOLE,
        cuts: Cuts = Cuts.Uncounted,
    ): Any? = Vectors.told(Values.read(Capture.of(value, bounds, cuts)))

    private enum class Colour { Red }

    private data class Order(
        val id: Int,
        val items: List<String>,
        private val secret: String = "x",
    )

    private class Bean(
        val name: String,
    ) {
        val fails: String get() = error("no")
        val kept: Int = 3
    }

    private class Says {
        override fun toString() = "said"
    }

    private class Fails {
        override fun toString(): String = throw IllegalStateException("no text")
    }

    private class Silent

    @Test
    fun `plain values keep their form`() {
        assertEquals(listOf(null, true, 1L, 2L, 3L, 4L), read(listOf(null, true, 1.toByte(), 2.toShort(), 3, 4L)))
        assertEquals(listOf(0.5, 0.25, "c", "text"), read(listOf(0.5, 0.25f, 'c', "text")))
        assertEquals(listOf(1L, 2L), read(intArrayOf(1, 2)))
        assertEquals(listOf("a", null), read(arrayOf("a", null)))
        assertEquals(listOf(1L, 2L), read(linkedSetOf(1, 2)))
        assertEquals(byteArrayOf(1, 2).toList(), read(byteArrayOf(1, 2)))
        assertEquals(byteArrayOf(2).toList(), read(ByteBuffer.wrap(byteArrayOf(1, 2)).position(1)))
        assertEquals("aä😀", read(StringBuilder("aä😀")))
        assertEquals("\uFFFD!?", read("\ud800!?"))
        assertEquals("\uFFFD", read("\udc00"))
    }

    @Test
    fun `numbers of any size`() {
        assertEquals(Long.MIN_VALUE, read(BigInteger.valueOf(Long.MIN_VALUE)))
        assertEquals("9223372036854775808", read(BigInteger.ONE.shiftLeft(63)))
        assertEquals("0.10", read(BigDecimal("0.10")))
        assertEquals("18446744073709551615", read(ULong.MAX_VALUE))
        assertEquals(4294967295L, read(UInt.MAX_VALUE))
        assertEquals(7L, read(AtomicLong(7)))
    }

    @Test
    fun `objects that say what they are`() {
        val id = UUID(1, 2)
        assertEquals("Red", read(Colour.Red))
        assertEquals(id.toString(), read(id))
        assertEquals("1970-01-01T00:00:01Z", read(Date(1000)))
        assertEquals("1970-01-01T00:00:01Z", read(Instant.ofEpochSecond(1)))
        assertEquals("PT1S", read(Duration.ofSeconds(1)))
        assertEquals("https://a.b/c", read(URI("https://a.b/c")))
        assertEquals("said", read(Says()))
        assertEquals("java.lang.String", read(String::class.java))
        assertEquals("x", read(Optional.of("x")))
        assertEquals(null, read(Optional.empty<String>()))
        assertEquals("[Silent]", read(Silent()))
    }

    @Test
    fun `objects that hold something`() {
        assertEquals(mapOf("id" to 1L, "items" to listOf("a")), read(Order(1, listOf("a"))))
        assertEquals(mapOf("first" to 1L, "second" to "b"), read(1 to "b"))
        assertEquals(mapOf("name" to "n", "kept" to 3L), read(Bean("n")))
        assertEquals(mapOf("1" to "one", "Red" to 2L, "null" to 3L), read(linkedMapOf(1 to "one", Colour.Red to 2, null to 3)))
    }

    @Test
    fun `nothing is used up or waited for`() {
        val items = listOf(1, 2).iterator()
        assertTrue(read(items).toString().startsWith("["))
        assertEquals(1, items.next())
        assertEquals("[CompletableFuture]", read(CompletableFuture<String>()))
        assertTrue(read(sequenceOf(1)).toString().startsWith("["))
        assertTrue(read({ 1 }).toString().startsWith("["))
    }

    @Test
    fun `errors with what caused them`() {
        val cause = IllegalArgumentException("inner")
        val error = IllegalStateException("outer", cause)
        error.addSuppressed(RuntimeException("aside"))
        val found = read(error) as Map<*, *>
        assertEquals("IllegalStateException", found["name"])
        assertEquals("outer", found["message"])
        assertTrue(found["stack"].toString().contains("CaptureTest"))
        assertEquals("inner", (found["cause"] as Map<*, *>)["message"])
        assertEquals("aside", ((found["errors"] as List<*>)[0] as Map<*, *>)["message"])
        // Two errors that cause each other.
        val one = RuntimeException("one")
        val two = RuntimeException("two", one)
        one.initCause(two)
        assertTrue(read(one).toString().contains("[Circular]"))
    }

    @Test
    fun `what fails when it is read says so`() {
        assertEquals("[toString threw IllegalStateException]", read(Fails()))
        val broken =
            object : AbstractList<Int>() {
                override val size = 3

                override fun get(index: Int) = if (index == 1) error("no") else index
            }
        assertEquals(listOf(0L, "[unreadable: IllegalStateException]"), read(broken))
        val sized =
            object : AbstractMap<String, Int>() {
                override val entries: Set<Map.Entry<String, Int>> get() = error("no")
            }
        assertEquals("[unreadable: IllegalStateException]", read(sized))
    }

    @Test
    fun `what holds itself`() {
        val list = ArrayList<Any>()
        list.add(list)
        assertEquals(listOf("[Circular]"), read(list))
        val map = HashMap<String, Any>()
        map["self"] = map
        assertEquals(mapOf("self" to "[Circular]"), read(map))
        // Twice the same is no circle.
        val shared = listOf(1)
        assertEquals(listOf(listOf(1L), listOf(1L)), read(listOf(shared, shared)))
    }

    @Test
    fun `a huge value costs what is kept of it`() {
        val cuts = Count()
        val bounds = Bounds(valueBytes = 100, depth = 2, arrayItems = 3, objectKeys = 2)
        assertEquals("x".repeat(100) + "…[truncated]", read("x".repeat(1000), bounds, cuts))
        assertEquals(1, cuts.altered)
        assertEquals(listOf(0L, 1L, 2L, "[…7 more items]"), read(List(10) { it }, bounds, cuts))
        assertEquals(
            mapOf("a" to 1L, "b" to 2L, "__truncated" to "2 more keys omitted"),
            read(
                linkedMapOf(
                    "a" to 1,
                    "b" to 2,
                    "c" to 3,
                    "d" to 4,
                ),
                bounds,
                cuts,
            ),
        )
        assertEquals(1, cuts.altered)
        assertEquals(listOf(listOf(listOf("[MaxDepth]"))), read(listOf(listOf(listOf(listOf(1)))), bounds, cuts))
        assertEquals(1, cuts.limited)
        assertEquals("[bytes length=101]", read(ByteArray(101), bounds, cuts))
    }
}
