// `config_env.json`: what options and the environment make of an engine, as far as a program can see it: errors and
// warnings, what is sent where and how, what is recorded, kept and carried along.

package dev.polyspan

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonPrimitive
import dev.polyspan.internal.Log
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.condition.DisabledOnOs
import org.junit.jupiter.api.condition.OS
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Path
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.function.Consumer
import kotlin.math.roundToLong

class ConfigTest {
    @TempDir
    lateinit var folder: Path

    @TestFactory
    @DisabledOnOs(OS.WINDOWS)
    fun `what options and the environment come to`(): List<DynamicTest> =
        Vectors.cases("config_env.json").filter(::canBeSeen).map { vector ->
            dynamicTest(vector["name"].asString) {
                Receiver().use { receiver ->
                    val entry = moved(vector, receiver.endpoint) as JsonObject
                    val lines = ConcurrentLinkedQueue<String>()
                    Log.write = Consumer { lines.add(it) }
                    withEnvironment(Vectors.plainMap(entry["env"])) {
                        if (entry.has("error")) refused(entry) else comesOut(entry, receiver)
                    }
                    warned(entry, lines)
                }
            }
        }

    /** What products' variables set is in `presets.json`, and would be sent to them; a provider is OpenTelemetry's. */
    private fun canBeSeen(entry: JsonObject): Boolean {
        val isOfProduct = entry["env"].asJsonObject.keySet().any { it.endsWith("_KEY") || it.endsWith("_TOKEN") }
        return !entry["options"].asJsonObject.has("provider") && (!isOfProduct || entry.has("error"))
    }

    /** The same with that receiver in the place of every other one, and with our folder. */
    private fun moved(
        form: JsonElement,
        endpoint: String,
    ): JsonElement =
        when {
            form.isJsonObject -> {
                JsonObject().also { to -> form.asJsonObject.entrySet().forEach { (key, item) -> to.add(key, moved(item, endpoint)) } }
            }

            form.isJsonArray -> {
                JsonArray().also { to -> form.asJsonArray.forEach { to.add(moved(it, endpoint)) } }
            }

            form.isJsonPrimitive && form.asJsonPrimitive.isString -> {
                val text = RECEIVERS.replace(form.asString, endpoint)
                JsonPrimitive(if (text.startsWith("/tmp/")) "$folder/${text.drop(5)}" else text)
            }

            else -> {
                form
            }
        }

    private fun InitOptions.take(entry: JsonObject) {
        replace = true
        for ((name, value) in Vectors.plainMap(entry["options"])) set(Vectors.camel(name), value)
    }

    @Test
    fun `names are told as they are given here`() {
        fun told(given: InitOptions.() -> Unit): String = assertThrows(PolyspanError::class.java) { Polyspan.init { given() } }.message!!
        val unknown = told { set("maxQueueSpan", 1) }
        assertTrue(unknown.startsWith("options: \"maxQueueSpan\" is not usable; expected only service, name, "), unknown)
        assertTrue(unknown.endsWith(", processors, spanFilter, mobile") && ", maxQueueSpans," in unknown && "_" !in unknown, unknown)
        val inside = told { exporter = mapOf("type" to "console", "maxQueueSpan" to 1) }
        assertTrue("\"maxQueueSpan\"" in inside && "_" !in inside && "mobile" !in inside, inside)
    }

    private fun refused(entry: JsonObject) {
        val error = assertThrows(PolyspanError::class.java) { Polyspan.init { take(entry) } }
        assertEquals("invalid_option", error.code)
        assertTrue(error.message!!.startsWith(Vectors.camel(entry["error"].asString) + ":"), error.message)
    }

    private fun warned(
        entry: JsonObject,
        lines: Collection<String>,
    ) {
        assertTrue(lines.none { "s3cret" in it }, "$lines")
        val warnings = Vectors.plain(entry["warnings"]) as List<*>
        for (warning in warnings) {
            val (variable, value, fallback) = listOf("variable", "value", "fallback").map { (warning as Map<*, *>)[it] }
            val isSaid = lines.any { "$variable: " in it && it.endsWith("; $fallback") }
            // Each is said once in the life of a process.
            assertTrue(isSaid || !said.add("$variable $value"), "$variable; $fallback in $lines")
            said.add("$variable $value")
        }
        // And nothing else of variables.
        assertTrue(lines.count { OF_VARIABLES.containsMatchIn(it) } <= warnings.size, "$lines")
    }

    private fun comesOut(
        entry: JsonObject,
        receiver: Receiver,
    ) {
        val expected = Vectors.plainMap(entry["expect"])
        if ("limits" in expected) keeps(entry)
        (expected["log_level"] as String?)?.let { keepsLogs(it, entry) }
        val logs = "log_exporters" in expected || "log_endpoints" in expected
        val asked = listOf("exporters", "console_fallback", "metric_exporters", "metric_endpoints")
        val engine =
            Polyspan.init {
                // What is not asked about goes nowhere.
                if (!logs) set("logsExporter", "none")
                if (!logs && asked.none { it in expected }) set("exporters", emptyList<Any>())
                take(entry)
            }
        try {
            Polyspan.setDefault(engine.name)
            shows(engine, expected)
            (expected["sampler"] as String?)?.let { samples(engine, it) }
            sends(engine, expected, receiver)
            assertTrue(engine.stats().addsUp)
        } finally {
            // Those at the usual place have no receiver.
            runCatching { engine.shutdown(0.0) }
        }
    }

    /** What an engine shows of itself. */
    private fun shows(
        engine: Engine,
        expected: Map<String, Any?>,
    ) {
        expected["name"]?.let { assertEquals(it, engine.name) }
        val unnamed = engine.resource["service.name"] as String
        if ("service" in expected) assertTrue(unnamed.startsWith("unknown_service:") && unnamed.length > 16, unnamed)
        if ("resource" in expected) {
            val wanted = map(expected["resource"]).toMutableMap()
            wanted["telemetry.sdk.language"] = engine.resource["telemetry.sdk.language"]
            if (wanted["service.name"] == "unknown_service:vectors") {
                assertTrue(unnamed.startsWith("unknown_service:"), unnamed)
                wanted["service.name"] = unnamed
            }
            assertEquals(wanted, engine.resource - "telemetry.sdk.version")
        }
        expected["disabled"]?.let { assertEquals(it == false, engine.start("recorded").isRecording) }
        val terms = engine.recorder.terms
        expected["capture"]?.let {
            assertEquals(map(it), mapOf("value_bytes" to terms.valueBytes.toLong(), "span_bytes" to terms.spanBytes.toLong()))
        }
        expected["memory"]?.let { assertEquals(map(it)["open_spans"], terms.openSpans.toLong()) }
        expected["exit_timeout_ms"]?.let { assertEquals(it, (terms.exitTimeout * 1000).roundToLong()) }
        expected["propagators"]?.let { propagators ->
            val carried =
                context({ baggage = mapOf("tenant" to "acme") }) {
                    engine.span("caller") { inject(LinkedHashMap<String, String>()) }
                }
            val names = mapOf("traceparent" to "tracecontext", "baggage" to "baggage")
            assertEquals((propagators as List<*>).toSet(), carried.keys.mapNotNull { names[it] }.toSet())
        }
    }

    /** What a sampler that is described so says of a root at the edge, of one below it, and of children. */
    private fun samples(
        engine: Engine,
        description: String,
    ) {
        val root = Regex("^ParentBased\\{root=([^,]*),").find(description)?.groupValues?.get(1) ?: description
        val ratio = Regex("^ProbabilitySampler\\{(.*)\\}$").find(root)?.let { it.groupValues[1].toDouble() }
        val isOff = root == "AlwaysOffSampler" || ratio == 0.0
        val threshold = ratio?.let { ((1 - it) * (1L shl 56)).roundToLong() } ?: 0

        fun start(randomness: Long): SpanContext {
            val options = SpanOptions().traceId("1".repeat(18) + "%014x".format(randomness))
            return engine.start("root", options).spanContext
        }
        assertEquals(!isOff, start(if (isOff) LAST else threshold).isSampled)
        if (!isOff && threshold > 0) assertTrue(!start(threshold - 1).isSampled)
        val shortest = "%014x".format(threshold).trimEnd('0').ifEmpty { "0" }
        assertEquals(if (ratio == null || isOff) "" else "ot=th:$shortest", start(LAST).traceState)
        for (flags in 0..1) {
            val parent = SpanContext.of("1".repeat(18) + "%014x".format(LAST), "2".repeat(16), flags, "", true)
            val child = engine.start("child", SpanOptions().parent(parent)).spanContext
            assertEquals(if (description == root) !isOff else flags == 1, child.isSampled)
        }
    }

    /** How much of a span is kept, where each part of it is one longer than it may be. */
    private fun keeps(entry: JsonObject) {
        val limits = Vectors.plainMap(entry["expect"].asJsonObject["limits"])
        val length = limits["attribute_value_length"] as Long?
        val limit = { name: String -> (limits[name] as Long).toInt() }
        val many = { count: Int -> (0..count).associate { "k$it" to "x".repeat((length ?: 99).toInt() + 1) } }
        val memory = MemoryExporter()
        val engine =
            Polyspan.init {
                take(entry)
                exporter = memory
            }
        val span = engine.start("long", SpanOptions().attributes(many(limit("attributes"))))
        val target = SpanContext.of("1".repeat(32), "2".repeat(16), 1, "", true)
        for (at in 0..limit("events")) span.event("e", if (at == 0) many(limit("event_attributes")) else emptyMap())
        for (at in 0..limit("links")) span.link(target, if (at == 0) many(limit("link_attributes")) else emptyMap<String, Any>())
        span.end()
        engine.shutdown()
        val found = memory.only()
        val counts =
            mapOf(
                "attributes" to found.attributes,
                "events" to found.events,
                "links" to found.links,
                "event_attributes" to found.events[0].attributes,
                "link_attributes" to map(found.links[0]["attributes"]),
            ).mapValues { (_, part) -> if (part is Map<*, *>) part.size.toLong() else (part as List<*>).size.toLong() }
        assertEquals(limits - "attribute_value_length", counts)
        for (value in found.attributes.values) assertEquals(length ?: 100, (value as String).length.toLong())
    }

    private fun keepsLogs(
        least: String,
        entry: JsonObject,
    ) {
        val engine =
            Polyspan.init {
                take(entry)
                exporter = MemoryExporter()
            }
        Polyspan.setDefault(engine.name)
        val levels = LogLevel.entries - LogLevel.NONE
        val first = levels.indexOfFirst { it.name.lowercase() == least }
        assertEquals(levels.map { first >= 0 && it.ordinal >= first }, levels.map { log(it, "said") })
        engine.shutdown()
    }

    /** The exporters by their types, and what those that send were given. */
    private fun sends(
        engine: Engine,
        expected: Map<String, Any?>,
        receiver: Receiver,
    ) {
        val stats = engine.stats()
        val counted = mapOf("" to stats.exporters, "log_" to stats.logs["exporters"], "metric_" to stats.metrics["exporters"])
        val otlp = ArrayList<Map<String, Any?>>()
        for ((signal, exporters) in counted) {
            val wanted = (expected["${signal}exporters"] as List<*>?)?.map(::map)
            // The second of a type has a number.
            if (wanted != null) {
                val types = map(exporters).keys.map { it.substringBefore('#') }
                assertEquals(wanted.map { it["type"] as String }.sorted(), types.sorted())
            }
            otlp += wanted.orEmpty().filter { it["type"] == "otlp_http" }
            otlp += (expected["${signal}endpoints"] as List<*>?).orEmpty().map { mapOf("endpoint" to it) }
        }
        // Nobody listens at the usual place, nobody has certificates, and a millisecond is none to wait for.
        val isSendable = { one: Map<String, Any?> ->
            (one["endpoint"] as String).startsWith(receiver.endpoint) && one["certificate"] == null &&
                (one["timeout_ms"] as Long? ?: 10_000) >= 1000
        }
        if (otlp.isEmpty() || !otlp.all(isSendable)) return
        engine.span("sent") { log(LogLevel.ERROR, "sent too") }
        engine.flush()
        for (one in otlp) assertTrue(receiver.requests.any { isThat(it.first, it.second, one, receiver) }, "$one in ${receiver.requests}")
    }

    private fun isThat(
        path: String,
        headers: Map<String, List<String>>,
        wanted: Map<String, Any?>,
        receiver: Receiver,
    ): Boolean {
        if (path != (wanted["endpoint"] as String).removePrefix(receiver.endpoint).substringBefore('?')) return false
        val compression = wanted["compression"] ?: return true
        val found = headers.entries.associate { (name, values) -> name.lowercase() to values.first() }
        val own = found.filterKeys { !STANDARD.matches(it) }
        return own == map(wanted["headers"]).mapKeys { it.key.lowercase() } && compression == (found["content-encoding"] ?: "none")
    }

    private companion object {
        val said = HashSet<String>()
        val RECEIVERS = Regex("^http(s://|://(?!localhost))[a-z.]+(:[0-9]+)?(?=[/?]|$)")
        val OF_VARIABLES = Regex("^polyspan: OTEL_\\w+: ")

        /** Requests have these whatever the options say. */
        val STANDARD = Regex("host|user-agent|content-.*|accept.*|connection|trace(parent|state)|transfer-encoding")
        const val LAST = (1L shl 56) - 1

        @Suppress("UNCHECKED_CAST")
        fun map(value: Any?): Map<String, Any?> = value as Map<String, Any?>? ?: emptyMap()
    }
}
