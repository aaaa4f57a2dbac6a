// The encoder against the core's own, on random values: the core reads what Kotlin wrote, and tells a sampler what it has
// read, as it writes values itself.

package dev.polyspan

import dev.polyspan.internal.Bounds
import dev.polyspan.internal.Capture
import dev.polyspan.internal.Cuts
import dev.polyspan.internal.Values
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.math.BigInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.random.Random

class DifferentialTest {
    private val pieces =
        listOf("", "a", "zürich", "😀", "\ud800", "\udc00x", "\u2028", "x".repeat(40), "ß".repeat(30), "key.of.something", "\u0000", "?")

    private fun word(random: Random): String = pieces.random(random) + pieces.random(random)

    private fun anything(
        random: Random,
        depth: Int,
    ): Any? =
        when (random.nextInt(if (depth > 3) 11 else 14)) {
            0 -> null
            1 -> random.nextBoolean()
            2 -> random.nextInt()
            3 -> random.nextLong()
            4 -> random.nextDouble() * Math.pow(10.0, random.nextInt(-300, 300).toDouble())
            5 -> listOf(Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -0.0, Double.MIN_VALUE).random(random)
            6 -> BigInteger(random.nextInt(1, 64), java.util.Random(random.nextLong())).negate()
            7 -> random.nextBytes(random.nextInt(8))
            8 -> random.nextInt().toShort()
            11 -> List(random.nextInt(5)) { anything(random, depth + 1) }
            12, 13 -> (0 until random.nextInt(5)).associate { "${word(random)}$it" to anything(random, depth + 1) }
            else -> word(random)
        }

    /** What is left of a value on its way. */
    private fun normal(given: Any?): Any? =
        when (given) {
            is Short -> given.toLong()
            is Int -> given.toLong()
            is BigInteger -> given.toLong()
            is String -> whole(given)
            is ByteArray -> given.toList()
            is List<*> -> given.map(::normal)
            is Map<*, *> -> given.entries.associate { whole(it.key as String) to normal(it.value) }
            else -> given
        }

    /** Half characters are replaced: by the decoder of the standard library, from UTF-16 as it stands. */
    private fun whole(text: String): String = String(text.toByteArray(Charsets.UTF_16BE), Charsets.UTF_16BE)

    @Test
    fun `the core reads random values and writes the same bytes`() {
        val heard = AtomicReference<SpanAbout>()
        Engines.with({
            sampler =
                Sampler { about ->
                    heard.set(about)
                    Decision.DROP
                }
        }) { engine, _ ->
            val random = Random(20_261_121)
            repeat(5000) { round ->
                val given = anything(random, 0)
                val bytes = Capture.of(given, Bounds.WHOLE, Cuts.Uncounted)
                val expected = normal(given)
                // What Kotlin reads of it is what was given.
                assertEquals(expected, Vectors.told(Values.read(bytes)), "round $round")
                engine.start("span", SpanOptions().attributes(mapOf("k" to given))).end()
                val told = heard.get().attributes
                assertEquals(expected, Vectors.told(told["k"]), "round $round")
                // What the core wrote of it is, byte for byte, what is written here.
                assertEquals(Vectors.hex(bytes), Vectors.hex(Capture.of(told["k"], Bounds.WHOLE, Cuts.Uncounted)), "round $round")
            }
        }
    }
}
