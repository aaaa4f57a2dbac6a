// `sampling.json`, its `sequences`: samplers that are asked in turn. A program does not choose what time it is: what is
// asked at one moment can be asked here.

package dev.polyspan

import com.google.gson.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory

class SamplingInTurnTest {
    /** A sampler whose clock stands still for a test: a thousand times slower, with as much at once. */
    private fun slowed(given: Any?): Any? {
        if (given !is Map<*, *>) return given
        if (given["type"] != "rate_limited") return given.mapValues { slowed(it.value) }
        val rate = (given["per_second"] as Number).toDouble()
        return given + mapOf("per_second" to rate / 1000, "burst" to (given["burst"] ?: given["per_second"]))
    }

    private fun parent(step: JsonObject): SpanContext? =
        step["parent"]?.asJsonObject?.let {
            SpanContext.of(
                "0123456789abcdef0180000000000000",
                it["span_id"].asString,
                if (it["sampled"].asBoolean) 1 else 0,
                it["tracestate"].asString,
                it["remote"].asBoolean,
            )
        }

    @TestFactory
    fun sequences(): List<DynamicTest> =
        Vectors.cases("sampling.json", "sequences").map { sequence ->
            val steps = sequence["steps"].asJsonArray.map { it.asJsonObject }
            val moment = steps.takeWhile { it["now_nanos"].asLong == steps[0]["now_nanos"].asLong }
            dynamicTest(sequence["name"].asString) {
                Engines.with({
                    exporter = null
                    exporters = emptyList<Any>()
                    sampler = slowed(Vectors.plain(sequence["sampler"]))
                }) { engine, _ ->
                    moment.forEachIndexed { at, step ->
                        val span = engine.start("span", SpanOptions().parent(parent(step)))
                        val expected = step["expected"].asJsonObject
                        assertEquals(expected["decision"].asString == "record_and_sample", span.spanContext.isSampled, "step $at")
                        assertEquals(expected["tracestate"].asString, span.spanContext.traceState, "step $at")
                        span.end()
                    }
                    assertEquals(moment.size.toLong(), engine.stats().ended)
                }
            }
        }
}
