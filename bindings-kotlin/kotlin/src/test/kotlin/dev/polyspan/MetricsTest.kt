// Metrics of spans, by the vectors.

package dev.polyspan

import com.google.gson.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.time.Instant
import kotlin.math.roundToLong

class MetricsTest {
    private val start = Instant.ofEpochSecond(0, Vectors.file("metrics.json")["start"].asString.toLong())

    @TestFactory
    fun `what spans count`(): List<DynamicTest> =
        Vectors.cases("metrics.json").map { entry ->
            dynamicTest(entry["name"].asString) {
                Engines.with({
                    metrics = true
                    for ((name, value) in Vectors.plainMap(entry["options"])) set(Vectors.camel(name), value)
                }) { engine, memory ->
                    val given = entry["spans"].asJsonArray.map { it.asJsonObject }
                    record(engine, given)
                    engine.flush()
                    compare(entry, memory.metrics)
                    val counted = engine.stats().metrics
                    assertEquals(given.size.toLong(), counted["spans"])
                    assertEquals(entry["overflowed"]?.asLong ?: 0L, counted["overflowed"])
                    assertEquals(emptyMap<String, Any>(), counted["missed"])
                    assertEquals(entry["exported"]?.asInt ?: given.size, memory.spans.size)
                }
            }
        }

    private fun record(
        engine: Engine,
        spans: List<JsonObject>,
    ) {
        val started = HashMap<Int, Span>()

        fun begin(place: Int): Span =
            started[place] ?: run {
                val given = spans[place]
                val options = SpanOptions()
                options.type = given["type"]?.let { checkNotNull(SpanType.of(it.asString)) }
                options.kind = given["kind"]?.let { kind -> SpanKind.entries.first { it.wireName == kind.asString } }
                options.internal = given["internal"]?.asBoolean ?: false
                options.startTime = start
                val above = given["parent"]
                if (above == null) options.root = true else options.parent = begin(above.asInt)
                engine.start(given["name"].asString, options).also { started[place] = it }
            }
        spans.forEachIndexed { place, given ->
            val span = begin(place)
            span.set(Vectors.plainMap(given["attributes"])).metadata(Vectors.plainMap(given["metadata"]))
            given["status"]?.let { status -> span.status(if (status.asString == "ok") SpanStatus.OK else SpanStatus.ERROR) }
            given["renamed"]?.let { span.rename(it.asString) }
            span.end(start.plusNanos((given["seconds"].asDouble * 1e9).roundToLong()))
            // Which series come too late depends on the order in which spans reach the engine; two batches have none.
            engine.stats()
        }
    }

    private fun compare(
        entry: JsonObject,
        points: List<Map<String, Any?>>,
    ) {
        val wanted = entry["points"].asJsonArray.map { Vectors.plainMap(it) }
        for ((name, expected) in wanted.groupBy { it["metric"] }) {
            val found = points.filter { it["name"] == name }.map { shown(it, expected) }
            assertEquals(expected.map(::rounded).toSet(), found.map(::rounded).toSet(), "$name")
            assertEquals(expected.size, found.size, "$name")
        }
        val names = points.map { it["name"] }.toSet()
        for (absent in entry["absent"]?.asJsonArray ?: emptyList()) assertTrue(absent.asString !in names, absent.asString)
        for ((name, unit) in Vectors.plainMap(entry["unit"])) assertEquals(unit, points.first { it["name"] == name }["unit"])
    }

    /** A data point as the vectors have it, with as much of a histogram as is expected. */
    private fun shown(
        point: Map<String, Any?>,
        expected: List<Map<String, Any?>>,
    ): Map<String, Any?> {
        val found = mapOf("metric" to point["name"], "labels" to point["attributes"])
        if (point["count"] == null) return found + ("value" to point["value"])
        val counted = found + mapOf("count" to point["count"], "sum" to point["value"])
        val isWhole = expected.any { "buckets" in it && it["labels"] == point["attributes"] }
        return if (isWhole) counted + mapOf("buckets" to point["buckets"], "bounds" to point["bounds"]) else counted
    }

    /** JSON has one kind of number, and sums are sums of fractions. */
    private fun rounded(given: Any?): Any? =
        when (given) {
            is Number -> (given.toDouble() * 1e9).roundToLong()
            is List<*> -> given.map(::rounded)
            is Map<*, *> -> given.mapValues { rounded(it.value) }
            else -> given
        }

    @Test
    fun `without the option there are none`() {
        Engines.with { engine, memory ->
            span("work") { }
            engine.flush()
            assertEquals(emptyList<Any>(), memory.metrics)
        }
    }
}
