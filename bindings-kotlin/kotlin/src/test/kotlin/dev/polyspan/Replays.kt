// Cases of `tests/vectors` that are programs: what is inside what, and what is exported of it. `PipelineTest` runs them.

package dev.polyspan

import com.google.gson.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/** Options of a context or span as the vectors have them. */
private fun inherited(
    options: InheritedOptions,
    given: Map<String, Any?>,
) {
    for ((name, value) in given) {
        when (name) {
            "session_id" -> options.sessionId = value as String
            "user_id" -> options.userId = value as String
            "organization_id" -> options.organizationId = value as String
            "thread_id" -> options.threadId = value as String
            "run_id" -> options.runId = value as String
            "request_id" -> options.requestId = value as String
            "resource_id" -> options.resourceId = value as String
            "environment" -> options.environment = value as String
            "entity_type" -> options.entityType = value as String
            "entity_id" -> options.entityId = value as String
            "entity_name" -> options.entityName = value as String
            "hide_input" -> options.hideInput = value as Boolean
            "hide_output" -> options.hideOutput = value as Boolean
            "internal_spans" -> options.internalSpans = texts(value)
            "request_context" -> options.requestContext = map(value)
            "request_context_keys" -> options.requestContextKeys = texts(value)
            else -> own(options, name, value)
        }
    }
}

private fun own(
    options: InheritedOptions,
    name: String,
    value: Any?,
) {
    when (options) {
        is ContextOptions -> {
            when (name) {
                "tags" -> options.tags = texts(value)
                "metadata" -> options.metadata = map(value)
                "attributes" -> options.attributes = map(value)
                "baggage" -> options.baggage = map(value).mapValues { it.value.toString() }
                else -> error("no option $name")
            }
        }

        is SpanOptions -> {
            when (name) {
                "type" -> options.type = checkNotNull(SpanType.of(value as String))
                "kind" -> options.kind = SpanKind.entries.first { it.wireName == value }
                "attributes" -> options.attributes = map(value)
                "input" -> options.input = value
                "metadata" -> options.metadata = map(value)
                "tags" -> options.tags = texts(value)
                "root" -> options.root = value as Boolean
                "trace_id" -> options.traceId = value as String
                "internal" -> options.internal = value as Boolean
                else -> error("no option $name")
            }
        }
    }
}

private fun texts(value: Any?): List<String> = if (value is List<*>) value.map { it as String } else listOf(value as String)

@Suppress("UNCHECKED_CAST")
private fun map(value: Any?): Map<String, Any?> = value as Map<String, Any?>

/** `inheritance.json`: what spans inherit, which are left out, and what travels. */
internal class Inheritance(
    private val entry: JsonObject,
) {
    fun check() {
        Engines.with({ for ((name, value) in Vectors.plainMap(entry["options"])) set(Vectors.camel(name), value) }) { engine, memory ->
            run(engine, entry["steps"].asJsonArray.map { it.asJsonObject })
            engine.flush()
            val stats = engine.stats()
            assertEquals(0, stats.panics)
            val leftOut = entry["left_out"]?.asJsonObject
            assertEquals(leftOut?.get("internal")?.asLong ?: 0, stats.internal)
            assertEquals(leftOut?.get("excluded")?.asLong ?: 0, stats.excluded)
            val spans = memory.spans
            val names = spans.associate { it.spanId to it.name }
            val empty =
                mapOf(
                    "parent" to null,
                    "ids" to emptyMap<String, Any>(),
                    "attributes" to emptyMap<String, Any>(),
                    "metadata" to emptyMap<String, Any>(),
                    "tags" to emptyList<Any>(),
                )
            val expected = Vectors.plainMap(entry["spans"]).mapValues { (_, span) -> empty + (map(span) - "hides") }
            assertEquals(expected, spans.associate { it.name to shown(it, names) })
            assertEquals(entry["traces"]?.asInt ?: 1, spans.map { it.traceId }.toSet().size)
        }
    }

    private fun run(
        engine: Engine,
        steps: List<JsonObject>,
    ) {
        for (step in steps) {
            val inside = step["inside"]?.asJsonArray?.map { it.asJsonObject } ?: emptyList()
            when {
                step.has("context") -> {
                    context({ inherited(this, Vectors.plainMap(step["context"])) }) { run(engine, inside) }
                }

                step.has("extract") -> {
                    context({ parent = extract(Vectors.plainMap(step["extract"])) }) { run(engine, inside) }
                }

                step.has("inject") -> {
                    val written = inject(LinkedHashMap<String, String>())
                    assertEquals(step["traceparent"].asBoolean, "traceparent" in written)
                    assertEquals(Vectors.plainMap(step["inject"]), written - "traceparent")
                }

                else -> {
                    val options = SpanOptions().also { inherited(it, Vectors.plainMap(step["with"])) }
                    engine.span(step["span"].asString, options = options) { run(engine, inside) }
                }
            }
        }
    }

    private fun shown(
        span: SpanRecord,
        names: Map<String, String>,
    ): Map<String, Any?> {
        val ids = IDS.filterValues { it in span.attributes }.mapValues { span.attributes[it.value] }
        return mapOf(
            "parent" to span.parentSpanId?.let { names[it] ?: it },
            "ids" to ids,
            "attributes" to span.attributes - IDS.values.toSet(),
            "metadata" to span.metadata,
            "tags" to span.tags,
        )
    }

    private companion object {
        val IDS =
            mapOf(
                "session_id" to "session.id",
                "user_id" to "user.id",
                "organization_id" to "polyspan.organization.id",
                "thread_id" to "gen_ai.conversation.id",
                "run_id" to "polyspan.run.id",
                "request_id" to "polyspan.request.id",
                "resource_id" to "polyspan.resource.id",
                "environment" to "deployment.environment.name",
                "entity_type" to "polyspan.entity.type",
                "entity_id" to "polyspan.entity.id",
                "entity_name" to "polyspan.entity.name",
            )
    }
}

/** `pipeline.json`: the order of the stages. */
internal class Piped(
    private val entry: JsonObject,
) {
    fun check(
        engine: Engine,
        memory: MemoryExporter,
    ) {
        val opened = ArrayList<Span>()
        for (given in entry["spans"].asJsonArray.map { it.asJsonObject }) {
            val options = SpanOptions()
            val above = given["parent"]?.asInt
            if (above == null) options.root = true else options.parent = opened[above]
            inherited(options, Vectors.plainMap(given) - setOf("name", "parent", "output"))
            val span = engine.start(given["name"].asString, options)
            given["output"]?.let { span.output(Vectors.plain(it)) }
            opened.add(span)
        }
        for (span in opened.reversed()) span.end()
        engine.flush()
        val spans = memory.spans.sortedBy { it.name }
        val names = spans.associate { it.spanId to it.name }
        val found =
            spans.map { span ->
                mapOf(
                    "name" to span.name,
                    "attributes" to span.attributes,
                    "metadata" to span.metadata,
                    "input" to span.input,
                    "output" to span.output,
                    "parent" to names[span.parentSpanId],
                )
            }
        val empty =
            mapOf(
                "attributes" to emptyMap<String, Any>(),
                "metadata" to emptyMap<String, Any>(),
                "input" to null,
                "output" to null,
                "parent" to null,
            )
        assertEquals(entry["exported"].asJsonArray.map { empty + Vectors.plainMap(it) - "type" }, found)
        entry["exported"].asJsonArray.zip(spans).forEach { (wanted, span) ->
            wanted.asJsonObject["type"]?.let { assertEquals(it.asString, span.type) }
        }
        val stats = engine.stats()
        assertTrue(stats.addsUp)
        for ((name, count) in Vectors.plainMap(entry["counts"])) assertEquals(count, stats.all[Vectors.camel(name)], name)
    }
}
