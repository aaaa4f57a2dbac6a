// What the engine makes of spans that Kotlin recorded: limits, redaction, names on the wire, samplers and the host stage,
// by the vectors.

package dev.polyspan

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.io.TempDir
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant

class PipelineTest {
    /** Options as the vectors have them, under the names that Kotlin has. */
    private fun options(given: Any?): InitOptions.() -> Unit =
        {
            for ((name, value) in given as Map<*, *>? ?: emptyMap<String, Any>()) set(Vectors.camel(name.toString()), value)
        }

    private fun pairs(given: com.google.gson.JsonElement?): Map<String, Any?> =
        told(given?.let { Vectors.map(it.asJsonArray) } ?: emptyMap<String, Any?>())

    @Suppress("UNCHECKED_CAST")
    private fun told(given: Map<String, Any?>): Map<String, Any?> = Vectors.told(given) as Map<String, Any?>

    @TestFactory
    fun limits(): List<DynamicTest> =
        Vectors.cases("limits.json").map { entry ->
            dynamicTest(entry["name"].asString) {
                Engines.with(options(Vectors.plain(entry["options"]))) { engine, memory ->
                    val given = entry["span"].asJsonObject
                    val span = engine.start("x")
                    given["input"]?.let { span.input(Vectors.value(it)) }
                    given["attributes"]?.let { span.set(Vectors.map(it.asJsonArray)) }
                    given["metadata"]?.let { span.metadata(Vectors.map(it.asJsonArray)) }
                    for (event in given["events"]?.asJsonArray?.map { it.asJsonObject } ?: emptyList()) {
                        span.event(event["name"].asString, event["attributes"]?.let { Vectors.map(it.asJsonArray) })
                    }
                    given["status_message"]?.let { span.status(SpanStatus.ERROR, Vectors.text(it)) }
                    given["output"]?.let { span.output(Vectors.value(it)) }
                    span.end()
                    engine.flush()
                    val stats = engine.stats()
                    if (entry.has("limited")) assertEquals(entry["limited"].asLong, stats.limited) else assertTrue(stats.limited > 0)
                    val kept = entry["kept"]?.asJsonObject ?: return@with
                    val record = memory.only()
                    assertEquals(pairs(kept["attributes"]), told(record.attributes))
                    assertEquals(pairs(kept["metadata"]), told(record.metadata))
                    assertEquals(kept["input"]?.let { Vectors.told(Vectors.value(it)) }, Vectors.told(record.input))
                    assertEquals(kept["output"]?.let { Vectors.told(Vectors.value(it)) }, Vectors.told(record.output))
                    assertEquals(kept["status_message"]?.let(Vectors::text) ?: "", record.statusMessage)
                    assertEquals(
                        kept["events"]?.asJsonArray?.map { it.asJsonObject["name"].asString to pairs(it.asJsonObject["attributes"]) }
                            ?: emptyList<Any>(),
                        record.events.map { it.name to told(it.attributes) },
                    )
                }
            }
        }

    @TestFactory
    fun `limits are refused`(): List<DynamicTest> =
        Vectors.cases("limits.json", "errors").map { entry ->
            dynamicTest(entry["options"].toString()) {
                val error = assertThrows(PolyspanError::class.java) { Engines.with(options(Vectors.plain(entry["options"]))) { _, _ -> } }
                assertEquals("invalid_option", error.code)
                assertTrue(error.message!!.startsWith(Vectors.camel(entry["option"].asString)), error.message)
            }
        }

    private class Noted(
        entry: JsonObject,
    ) {
        val name: String = entry["name"]?.asString ?: entry.toString()
        val key: String = entry["key"]?.asString ?: "note"
        val isText = entry.has("text")
        val given: Any? = Vectors.plain(entry["text"] ?: entry["value"])
        val expected: Any? = if (entry.has("expected")) Vectors.plain(entry["expected"]) else given
    }

    private fun replay(
        entries: List<Noted>,
        engine: Engine,
        memory: MemoryExporter,
    ) {
        for (noted in entries) {
            val held = mapOf(noted.key to noted.given)
            val span = engine.start("x", SpanOptions().attributes(held).input(held).metadata(held))
            span.event("y", held).output(listOf(noted.given)).end()
        }
        engine.flush()
        val records = memory.take()
        assertEquals(entries.size, records.size)
        entries.zip(records).forEach { (noted, record) ->
            for (found in listOf(record.attributes, record.metadata, record.events[0].attributes)) {
                assertEquals(noted.expected, Vectors.told(found[noted.key]), noted.name)
            }
            assertEquals(mapOf(noted.key to noted.expected), Vectors.told(record.input), noted.name)
            if (noted.isText) assertEquals(listOf(noted.expected), Vectors.told(record.output), noted.name)
        }
    }

    @TestFactory
    fun redaction(): List<DynamicTest> =
        listOf("redacted", "left").map { part ->
            dynamicTest(part) {
                Engines.with { engine, memory -> replay(Vectors.cases("redaction.json", part).map(::Noted), engine, memory) }
            }
        }

    @TestFactory
    fun `redaction as configured`(): List<DynamicTest> =
        Vectors.cases("redaction.json", "configured").map { entry ->
            dynamicTest(entry["name"].asString) {
                Engines.with(
                    { redaction = Vectors.plain(entry["redaction"]) },
                ) { engine, memory -> replay(listOf(Noted(entry)), engine, memory) }
            }
        }

    /** Options that are refused, by name. */
    private fun refused(
        file: String,
        option: String,
    ): List<DynamicTest> =
        // What is null was not given.
        Vectors.cases(file, "invalid").filterNot { it[option].isJsonNull }.map { entry ->
            dynamicTest(entry["name"]?.asString ?: entry[option].toString()) {
                val given: InitOptions.() -> Unit = { set(option, Vectors.plain(entry[option])) }
                val error = assertThrows(PolyspanError::class.java) { Engines.with(given) { _, _ -> } }
                assertEquals("invalid_option", error.code)
                assertTrue(error.message!!.startsWith(Vectors.camel(entry["names"].asString) + ":"), error.message)
            }
        }

    @TestFactory
    fun `redaction is refused`(): List<DynamicTest> = refused("redaction.json", "redaction")

    @TestFactory
    fun `samplers are refused`(): List<DynamicTest> = refused("sampling.json", "sampler")

    @TestFactory
    fun `names on the wire`(
        @TempDir folder: Path,
    ): List<DynamicTest> =
        listOf("genai", "openinference").map { semantics ->
            dynamicTest(semantics) {
                val path = folder.resolve("$semantics.jsonl")
                val cases =
                    Vectors.cases("semantics.json").filter { !it.has("stepped") && !it.has("everywhere") && it.has(semantics) }
                val engine =
                    Polyspan.init {
                        service = "x"
                        name = Engines.name()
                        redaction = false
                        exporter = mapOf("type" to "file", "path" to path.toString(), "semantics" to semantics)
                    }
                val start = Instant.parse("2026-01-01T00:00:00Z")
                cases.forEachIndexed { index, entry -> record(engine, entry, start, start.plusSeconds(1).plusNanos(index.toLong())) }
                engine.shutdown()
                val spans =
                    Files.readAllLines(path).filter { it.isNotBlank() }.flatMap { line ->
                        JsonParser.parseString(line).asJsonObject["resourceSpans"].asJsonArray.flatMap { resource ->
                            resource.asJsonObject["scopeSpans"].asJsonArray.flatMap { it.asJsonObject["spans"].asJsonArray }
                        }
                    }
                assertEquals(cases.size, spans.size)
                // What the timer hands in and what the shutdown does have no common order.
                val ordered = spans.map { it.asJsonObject }.sortedBy { it["endTimeUnixNano"].asLong }
                cases.zip(ordered).forEach { (entry, span) -> compare(entry, entry[semantics].asJsonObject, span) }
            }
        }

    private fun record(
        engine: Engine,
        entry: JsonObject,
        start: Instant,
        end: Instant,
    ) {
        val options = SpanOptions()
        options.type = entry["type"]?.let { checkNotNull(SpanType.of(it.asString)) }
        options.kind = entry["kind"]?.let { kind -> SpanKind.entries.first { it.wireName == kind.asString } }
        options.tags = entry["tags"]?.asJsonArray?.map { it.asString }
        options.startTime = start
        val span = engine.start(entry["name"].asString, options)
        entry["input"]?.let { span.input(Vectors.plain(it)) }
        entry["output"]?.let { span.output(Vectors.plain(it)) }
        entry["metadata"]?.let { span.metadata(Vectors.plainMap(it)) }
        span.set(Vectors.plainMap(entry["attributes"]))
        entry["status"]?.let { span.status(SpanStatus.ERROR, if (it.isJsonObject) it.asJsonObject["message"]?.asString else null) }
        span.end(end)
    }

    private fun compare(
        entry: JsonObject,
        expected: JsonObject,
        span: JsonObject,
    ) {
        val case = entry["case"].asString
        assertEquals(expected["name"].asString, span["name"].asString, case)
        assertEquals(expected["kind"].asString, SpanKind.entries[span["kind"].asInt - 1].wireName, case)
        assertEquals(numbers(Vectors.plain(expected["attributes"])), numbers(attributes(span["attributes"])), case)
    }

    /** JSON has one kind of number. */
    private fun numbers(given: Any?): Any? =
        when (given) {
            is Number -> given.toDouble()
            is List<*> -> given.map(::numbers)
            is Map<*, *> -> given.mapValues { numbers(it.value) }
            else -> given
        }

    private fun attributes(list: com.google.gson.JsonElement?): Map<String, Any?> =
        list?.asJsonArray?.associate { it.asJsonObject["key"].asString to wire(it.asJsonObject["value"].asJsonObject) } ?: emptyMap()

    private fun wire(given: JsonObject): Any? {
        val (kind, item) = given.entrySet().first()
        return when (kind) {
            "intValue" -> item.asString.toLong()
            "arrayValue" -> item.asJsonObject["values"]?.asJsonArray?.map { wire(it.asJsonObject) } ?: emptyList<Any>()
            "kvlistValue" -> attributes(item.asJsonObject["values"])
            else -> Vectors.plain(item)
        }
    }

    @TestFactory
    fun sampling(): List<DynamicTest> =
        Vectors.cases("sampling.json").mapNotNull { entry ->
            val given = entry["input"].asJsonObject
            val parent = given["parent"]?.takeIf { !it.isJsonNull }?.asJsonObject
            val above =
                parent?.let {
                    SpanContext.of(
                        given["trace_id"].asString,
                        it["span_id"]?.asString,
                        if (it["sampled"].asBoolean) 1 else 0,
                        it["tracestate"]?.asString ?: "",
                        it["remote"].asBoolean,
                    )
                }
            // A root is given its trace id by itself.
            if (above != null && !above.isValid) return@mapNotNull null
            dynamicTest(entry["name"].asString) {
                Engines.with({
                    exporter = null
                    exporters = emptyList<Any>()
                    sampler = Vectors.plain(entry["sampler"])
                }) { engine, _ ->
                    val options = SpanOptions()
                    options.kind = given["kind"]?.let { kind -> SpanKind.entries.first { it.wireName == kind.asString } }
                    options.type = given["span_type"]?.let { SpanType.of(it.asString) }
                    options.attributes = given["attributes"]?.let(Vectors::plainMap)
                    options.parent = above
                    options.traceId = given["trace_id"]?.asString
                    val span =
                        context({ requestContext = given["request_context"]?.takeIf { it.isJsonObject }?.let(Vectors::plainMap) }) {
                            Polyspan.start(given["span_name"]?.asString ?: "span", options)
                        }
                    val expected = entry["expected"].asJsonObject
                    assertEquals(expected["decision"].asString != "drop", span.isRecording)
                    assertEquals(expected["decision"].asString == "record_and_sample", span.spanContext.isSampled)
                    assertEquals(expected["tracestate"].asString, span.spanContext.traceState)
                    span.end()
                    assertEquals(1, engine.stats().ended)
                }
            }
        }

    @TestFactory
    fun inheritance(): List<DynamicTest> =
        Vectors.cases("inheritance.json").map { entry ->
            dynamicTest(entry["name"].asString) { Inheritance(entry).check() }
        }

    private fun processor(name: String): Processor =
        Processor { span ->
            when (name) {
                "fails" -> {
                    span.attributes["half"] = true
                    error("fails")
                }

                "becomes_tool" -> {
                    span.apply { type = SpanType.Tool }
                }

                "first", "second" -> {
                    span.apply { attributes["order"] = "${attributes["order"] ?: ""} $name".trim() }
                }

                "drops_health" -> {
                    span.takeIf { it.name != "GET /healthz" }
                }

                "copies_password" -> {
                    span.apply { attributes["length"] = (attributes["password"] as? String ?: "").length }
                }

                "counts_input" -> {
                    span.apply { attributes["length"] = (input as? String ?: "").length }
                }

                "adds_password" -> {
                    span.apply { attributes["password"] = "hunter2" }
                }

                "adds_text" -> {
                    span.apply { output = "abcdefghijklmnopqrstuvwxyz" }
                }

                else -> {
                    error("no processor $name")
                }
            }
        }

    private fun filter(name: String): SpanFilter =
        SpanFilter { span ->
            when (name) {
                "fails" -> error("fails")
                "keeps_redacted" -> span.attributes["password"] == "[REDACTED]"
                "keeps_short" -> (span.output as? String ?: "").length < 20
                "no_noise" -> span.name != "noise"
                else -> error("no filter $name")
            }
        }

    @TestFactory
    fun pipeline(): List<DynamicTest> =
        Vectors.cases("pipeline.json").map { entry ->
            dynamicTest(entry["name"].asString) {
                Engines.with({
                    options(Vectors.plain(entry["options"]))()
                    entry["processors"]?.let { names -> processors = names.asJsonArray.map { processor(it.asString) } }
                    entry["filter"]?.takeIf { !it.isJsonNull }?.let { spanFilter = filter(it.asString) }
                }) { engine, memory -> Piped(entry).check(engine, memory) }
            }
        }
}
