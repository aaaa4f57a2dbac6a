// `inject`, `extract` and ids, by the vectors.

package dev.polyspan

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonObject
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.TestInstance

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PropagationTest {
    private lateinit var engine: Engine

    @BeforeAll
    fun start() {
        Polyspan.setLogger { }
        engine =
            Polyspan.init {
                service = "tests"
                name = Engines.name()
                exporters = emptyList<Any>()
            }
        Polyspan.setDefault(engine.name)
    }

    @AfterAll
    fun stop() = engine.shutdown()

    private fun each(
        file: String,
        part: String = "cases",
        run: (JsonObject) -> Unit,
    ): List<DynamicTest> = Vectors.cases(file, part).map { entry -> dynamicTest(entry["name"].asString) { run(entry) } }

    private fun present(element: JsonElement?): JsonElement? = element?.takeIf { !it.isJsonNull }

    private fun headers(pairs: JsonArray): List<Pair<String, Any>> =
        pairs.map { it.asJsonArray.toList() }.map { (name, value) ->
            Vectors.text(name) to
                if (isHex(value)) Vectors.bytes(value) else Vectors.text(value)
        }

    private fun isHex(value: JsonElement) = value.isJsonObject && value.asJsonObject.has("hex")

    private fun written(found: Context): Map<String, String> = inject(LinkedHashMap<String, String>(), found)

    @TestFactory
    fun ids(): List<DynamicTest> =
        each("ids.json") { entry ->
            val given = Vectors.text(entry["text"])
            val isFine = present(entry["error"]) == null
            if (entry["kind"].asString == "span") {
                val found = SpanContext.of("1", given)
                assertEquals(isFine, found.isValid)
                if (isFine) assertEquals(entry["id"].asString, found.spanId)
            } else {
                val span = Polyspan.start("x", SpanOptions().traceId(given))
                assertTrue(Regex("[0-9a-f]{32}").matches(span.traceId))
                assertTrue(span.traceId != "0".repeat(32))
                if (isFine) assertEquals(entry["id"].asString, span.traceId)
                span.end()
            }
        }

    @TestFactory
    fun traceparent(): List<DynamicTest> =
        each("traceparent.json") { entry ->
            val found = extract(headers(entry["headers"].asJsonArray))
            val span = present(entry["span"])?.asJsonObject
            if (span == null) {
                assertNull(found.spanContext)
            } else {
                val context = checkNotNull(found.spanContext)
                assertEquals(span["trace_id"].asString, context.traceId)
                assertEquals(span["span_id"].asString, context.spanId)
                assertEquals(span["flags"].asInt, context.traceFlags)
                assertEquals(present(entry["written"])?.let(Vectors::text), written(found)["traceparent"])
            }
        }

    @TestFactory
    fun tracestate(): List<DynamicTest> =
        Vectors.cases("tracestate.json").filter { (it["steps"]?.asJsonArray?.size() ?: 0) == 0 }.map { entry ->
            dynamicTest(entry["name"].asString) {
                val found = extract(headers(entry["headers"].asJsonArray))
                val context = found.spanContext
                assertEquals(entry["found"].asBoolean, context != null)
                if (context != null) {
                    val members = context.traceState.split(',').filter { it.isNotEmpty() }
                    val expected = entry["members"].asJsonArray.map { it.asJsonArray.joinToString("=") { part -> Vectors.text(part) } }
                    assertEquals(expected, members)
                    assertEquals(present(entry["written"])?.let(Vectors::text), written(found)["tracestate"])
                }
            }
        }

    private fun joined(entries: JsonArray): Map<String, String> =
        entries.map { it.asJsonArray.toList() }.associate { (key, value, properties) ->
            val more = Vectors.text(properties)
            Vectors.text(key) to if (more.isEmpty()) Vectors.text(value) else "${Vectors.text(value)};$more"
        }

    @TestFactory
    fun `baggage is read`(): List<DynamicTest> =
        each("baggage.json", "extract") { entry ->
            val found = extract(headers(entry["headers"].asJsonArray))
            assertEquals(joined(entry["entries"].asJsonArray), found.baggage)
            assertEquals(present(entry["written"])?.let(Vectors::text), written(found)["baggage"])
        }

    @TestFactory
    fun `baggage is written`(): List<DynamicTest> {
        val cases =
            Vectors.cases("baggage.json", "inject").filter { entry ->
                val entries = entry["entries"].asJsonArray
                val refused = entry["refused"].asInt > 0 && entries.any { Vectors.text(it.asJsonArray[2]).isNotEmpty() }
                // A map of texts cannot say the same name twice, nor which part of a value is a property.
                joined(entries).size == entries.size() && !refused
            }
        assertTrue(cases.size > 5)
        return cases.map { entry ->
            dynamicTest(entry["name"].asString) {
                context({ baggage = joined(entry["entries"].asJsonArray) }) {
                    assertEquals(present(entry["written"])?.let(Vectors::text), inject(LinkedHashMap<String, String>())["baggage"])
                }
            }
        }
    }

    @TestFactory
    fun `carriers are read`(): List<DynamicTest> =
        each("carriers.json", "extract") { entry ->
            val pairs = carrier(entry["entries"].asJsonArray)
            val found =
                when (entry["kind"].asString) {
                    "pairs" -> extract(pairs)
                    "environment" -> extractEnvironment(pairs.associate { it.first to it.second.toString() })
                    "functions" -> extract(pairs.toMap()) { held, name -> held[name] }
                    else -> extract(pairs.toMap())
                }
            val span = present(entry["span"])?.asJsonObject
            assertEquals(span?.get("trace_id")?.asString, found.spanContext?.traceId)
            assertEquals(span?.get("span_id")?.asString, found.spanContext?.spanId)
            if (span != null) assertEquals(span["tracestate"]?.asString ?: "", found.spanContext?.traceState)
            assertEquals(pairsOf(entry["baggage"].asJsonArray).toMap(), found.baggage)
        }

    private fun pairsOf(entries: JsonArray): List<Pair<String, String>> =
        entries.map { it.asJsonArray.toList() }.map { (name, value) -> Vectors.text(name) to Vectors.text(value) }

    private fun carrier(entries: JsonArray): List<Pair<String, Any>> =
        entries.map { it.asJsonArray.toList() }.map { (name, value) ->
            val held: Any =
                when {
                    value.isJsonArray -> value.asJsonArray.map { if (isHex(it)) Vectors.bytes(it) else Vectors.text(it) }
                    isHex(value) -> Vectors.bytes(value)
                    else -> Vectors.text(value)
                }
            Vectors.text(name) to held
        }

    @TestFactory
    fun `carriers are written`(): List<DynamicTest> =
        Vectors
            .cases("carriers.json", "inject")
            .filter { it["kind"].asString in setOf("map", "multi_map", "pairs") }
            // An empty map does not show that it holds lists.
            .filter { it["kind"].asString != "multi_map" || it["before"].asJsonArray.size() > 0 }
            .map { entry ->
                dynamicTest(entry["name"].asString) {
                    val incoming = LinkedHashMap<String, String>()
                    present(entry["span"])?.asJsonObject?.let { span ->
                        val flags = "%02x".format(span["flags"].asInt)
                        incoming["traceparent"] = "00-${span["trace_id"].asString}-${span["span_id"].asString}-$flags"
                        incoming["tracestate"] = span["tracestate"]?.asString ?: ""
                    }
                    val carried = pairsOf(entry["baggage"].asJsonArray).toMap()
                    val before = carrier(entry["before"].asJsonArray)
                    val after = carrier(entry["after"].asJsonArray)
                    context({
                        parent = extract(incoming)
                        baggage = carried
                    }) {
                        if (entry["kind"].asString == "pairs") {
                            assertEquals(after, inject(before.map { it.first to it.second.toString() }.toMutableList()))
                        } else {
                            assertEquals(after.toMap(), inject(LinkedHashMap<String, Any>(before.toMap())))
                        }
                    }
                }
            }

    @Test
    fun `carriers of the platform`() {
        span("x") { current ->
            val expected = "00-${current.traceId}-${current.spanId}-03"
            assertEquals(expected, injectEnvironment(HashMap())["TRACEPARENT"])
            assertEquals(current.spanId, extractEnvironment(mapOf("TRACEPARENT" to expected)).spanContext?.spanId)
            assertEquals(current.spanId, extract(mapOf("TraceParent" to listOf(expected))).spanContext?.spanId)
            assertEquals(current.spanId, SpanContext.parse(expected)?.spanId)
            assertNull(SpanContext.parse("nothing"))
        }
    }

    @Test
    fun `a carrier that fails changes nothing`() {
        span("x") {
            val frozen = java.util.Collections.unmodifiableMap(HashMap<String, String>())
            assertSame(frozen, inject(frozen))
            assertNull(extract(null as Map<String, Any>?).spanContext)
            assertNull(extract("anything") { _, _ -> error("no") }.spanContext)
            assertNotNull(inject("anything", { _, _, _ -> error("no") }))
        }
    }

    @Test
    fun `baggage travels inside its context only`() {
        context({ baggage = mapOf("tenant" to "acme") }) {
            context({ baggage = mapOf("plan" to "pro") }) {
                assertEquals(mapOf("tenant" to "acme", "plan" to "pro"), Polyspan.baggage())
            }
            assertEquals(mapOf("tenant" to "acme"), Polyspan.baggage())
        }
        assertEquals(emptyMap<String, String>(), Polyspan.baggage())
    }
}
