// Several engines: which one is the default, and a selector that sends each trace to one of them.

package dev.polyspan

import com.google.gson.JsonObject
import dev.polyspan.internal.Log
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.util.function.Consumer

class EnginesTest {
    /** Two engines, of which the first is the default; what each has got, by names. */
    private fun two(
        selector: EngineSelector? = null,
        body: (common: Engine, other: Engine) -> Unit,
    ): Pair<Set<String>, Set<String>> =
        Engines.with { common, ours ->
            Engines.with { other, theirs ->
                Polyspan.setDefault(common.name)
                Polyspan.setSelector(selector)
                try {
                    body(common, other)
                } finally {
                    Polyspan.setSelector(null)
                }
                common.flush()
                other.flush()
                ours.spans.map { it.name }.toSet() to theirs.spans.map { it.name }.toSet()
            }
        }

    @Test
    fun `who does not run is no default`() {
        two { _, _ ->
            val error = assertThrows(PolyspanError::class.java) { Polyspan.setDefault("nobody") }
            assertEquals("not_running", error.code)
            assertTrue("nobody" in error.message!!)
        }
    }

    @Test
    fun `a selector sees the request and what the root was given`() {
        val seen = ArrayList<SpanAbout>()
        val selector =
            EngineSelector { root ->
                seen.add(root)
                (root.requestContext as? Map<*, *>)?.get("tenant") as String?
            }
        val given = SpanOptions().attributes(mapOf("a" to 1)).metadata(mapOf("m" to "x"))
        val found =
            two(selector) { common, other ->
                context({ requestContext = mapOf("tenant" to other.name) }) {
                    span("root", type = SpanType.Agent, input = "in", options = given) {
                        span("child") { Polyspan.event("instant") }
                        common.span("asked for") { }
                    }
                }
                span("housekeeping") { }
                common.span("named") { }
            }
        assertEquals(setOf("housekeeping", "asked for", "named") to setOf("root", "child", "instant"), found)
        assertEquals(listOf("root", "housekeeping"), seen.map { it.name })
        assertEquals("agent", seen[0].type)
        assertEquals(mapOf<String, Any?>("a" to 1L), seen[0].attributes)
        assertEquals(mapOf<String, Any?>("m" to "x"), seen[0].metadata)
    }

    @Test
    fun `what decides may record, and is not asked about that`() {
        var asked = 0

        fun record() {
            asked++
            assertEquals(mapOf("tenant" to "acme"), Polyspan.baggage())
            span("inside") { assertTrue(!it.isRecording) }
            // A parent of its own makes no difference.
            val incoming = extract(mapOf("traceparent" to "00-${"0".repeat(31)}1-${"0".repeat(15)}2-01"))
            Polyspan.start("inside", SpanOptions().parent(incoming)).use { assertTrue(!it.isRecording) }
        }
        Engines.with({
            sampler =
                Sampler {
                    record()
                    Decision.SAMPLE
                }
        }) { engine, memory ->
            Polyspan.setSelector {
                record()
                engine.name
            }
            try {
                context({ baggage = mapOf("tenant" to "acme") }) {
                    span("work") { assertTrue(Polyspan.currentSpan() === it) }
                }
            } finally {
                Polyspan.setSelector(null)
            }
            engine.flush()
            assertEquals(listOf("work"), memory.spans.map { it.name })
            assertEquals(2, asked)
        }
    }

    @Test
    fun `too many open spans do not record, also where the engine is asked`() {
        Engines.with({
            sampler = Sampler { Decision.SAMPLE }
            set("openSpans", 3)
        }) { engine, memory ->
            val spans = List(5) { engine.start("span $it", SpanOptions().metadata(mapOf("n" to 1))) }
            assertEquals(3, spans.count { it.isRecording })
            assertTrue(spans.all { it.spanContext.isValid })
            spans.forEach { it.end() }
            assertTrue(engine.start("again", SpanOptions().metadata(mapOf("n" to 1))).isRecording)
            engine.flush()
            assertEquals(3, memory.spans.size)
            assertEquals(2, engine.stats().openLimit)
        }
    }

    @Test
    fun `what a chosen engine gets is whole`() {
        Engines.with { common, _ ->
            Engines.with { other, theirs ->
                Polyspan.setDefault(common.name)
                Polyspan.setSelector { other.name }
                try {
                    val options = SpanOptions().attributes(mapOf("a" to 1)).metadata(mapOf("m" to "x")).tags("t")
                    span("root", input = "in", options = options) { it.set("b", 2).output("out") }
                    other.flush()
                    val root = theirs.only()
                    assertEquals(mapOf<String, Any?>("a" to 1L, "b" to 2L), root.attributes)
                    assertEquals(mapOf<String, Any?>("m" to "x"), root.metadata)
                    assertEquals(listOf("t"), root.tags)
                    assertEquals("in" to "out", root.input to root.output)
                    assertEquals(0, common.stats().ended)
                    // A parent elsewhere begins a trace here.
                    val incoming = mapOf("traceparent" to "00-${"0".repeat(31)}1-${"0".repeat(15)}2-01")
                    context({ parent = extract(incoming) }) { span("continued") { } }
                    other.flush()
                    assertEquals("${"0".repeat(15)}2", theirs.only().parentSpanId)
                } finally {
                    Polyspan.setSelector(null)
                }
            }
        }
    }

    @TestFactory
    fun `a trace goes where the vectors say`(): List<DynamicTest> =
        Vectors.cases("selection.json").map { entry ->
            dynamicTest(entry["name"].asString) { Selection(entry).check() }
        }

    /** A case of `selection.json`. */
    private class Selection(
        private val entry: JsonObject,
    ) {
        private val kept = entry["engines"].asJsonArray.associate { it.asString to MemoryExporter() }
        private val asked = ArrayList<String>()

        private fun selector(given: JsonObject): EngineSelector =
            EngineSelector { root ->
                asked.add(root.name)
                check(!given.has("fails")) { "as the case asks for" }
                when (given["reads"]?.asString) {
                    "request_context" -> (root.requestContext as? Map<*, *>)?.get("tenant") as String?
                    "type" -> root.type
                    "name" -> root.name
                    "attributes" -> root.attributes["tenant"] as String?
                    else -> Vectors.plain(given["answer"]) as String?
                }
            }

        private fun play(
            steps: List<JsonObject>,
            engines: Map<String, Engine>,
        ) {
            for (step in steps) {
                val inside = step["inside"]?.asJsonArray?.map { it.asJsonObject } ?: emptyList()
                if (!step.has("span")) {
                    context({ requestContext = Vectors.plainMap(step["context"]) }) { play(inside, engines) }
                    continue
                }
                val options = SpanOptions()
                options.type = step["type"]?.let { SpanType.of(it.asString) }
                options.root = step["root"]?.asBoolean ?: false
                options.attributes = step["attributes"]?.let(Vectors::plainMap)
                val name = step["span"].asString
                val engine = step["engine"]?.let { engines.getValue(it.asString) }
                if (engine == null) {
                    span(name, options = options) { play(inside, engines) }
                } else {
                    engine.span(name, options = options) { play(inside, engines) }
                }
            }
        }

        private fun start(
            given: String,
            memory: MemoryExporter,
        ): Engine =
            Polyspan.init {
                service = "tests"
                name = given
                exporter = memory
            }

        fun check() {
            Log.write = Consumer { }
            val engines = kept.mapValues { (given, memory) -> start(given, memory) }
            try {
                entry["default"]?.let { Polyspan.setDefault(it.asString) }
                entry["selector"]?.let { Polyspan.setSelector(selector(it.asJsonObject)) }
                for (name in entry["stopped"]?.asJsonArray ?: emptyList()) engines.getValue(name.asString).shutdown()
                play(entry["spans"].asJsonArray.map { it.asJsonObject }, engines)
            } finally {
                Polyspan.setSelector(null)
                for (engine in engines.values) engine.shutdown()
            }
            val goes = Vectors.plainMap(entry["goes"]).mapValues { (_, names) -> (names as List<*>).toSet() }
            val found = kept.mapValues { (_, memory) -> memory.spans.map { it.name }.toSet() }
            assertEquals(goes, found.filterValues { it.isNotEmpty() })
            entry["asked"]?.let { wanted -> assertEquals(wanted.asJsonArray.map { it.asString }, asked) }
            for (engine in engines.values) assertTrue(engine.stats().addsUp, "${engine.stats()}")
        }
    }
}
