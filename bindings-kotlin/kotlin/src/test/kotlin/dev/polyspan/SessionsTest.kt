// `tests/vectors/sessions.json`: which session spans are of where the app has sessions.

package dev.polyspan

import com.google.gson.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory

class SessionsTest {
    @TestFactory
    fun `spans are of their session`(): List<DynamicTest> =
        Vectors.cases("sessions.json").map { entry ->
            dynamicTest(entry["name"].asString) {
                Engines.with({ mobile = MobileOptions() }) { engine, memory ->
                    run(engine, entry["steps"].asJsonArray.map { it.asJsonObject })
                    engine.flush()
                    val ids = memory.spans.associate { it.name to it.attributes["session.id"] }
                    // Those of the app are new ones each.
                    val ours = ArrayList<Any?>()
                    val found =
                        Vectors.plainMap(entry["spans"]).mapValues { (name, wanted) ->
                            val id = ids[name]
                            if (wanted is Long && wanted > ours.size) ours.add(id)
                            if (id in ours) 1L + ours.indexOf(id) else id
                        }
                    assertEquals(Vectors.plainMap(entry["spans"]), found)
                    assertEquals(ids.keys, found.keys)
                }
            }
        }

    private fun run(
        engine: Engine,
        steps: List<JsonObject>,
        known: MutableMap<String, Span> = HashMap(),
    ) {
        for (step in steps) {
            val inside = step["inside"]?.asJsonArray?.map { it.asJsonObject } ?: emptyList()
            when {
                step.has("ends") -> {
                    Mobile.endSession()
                }

                step.has("context") -> {
                    val given = Vectors.plainMap(step["context"])
                    val ids: ContextOptions.() -> Unit = {
                        sessionId = given["session_id"] as String?
                        userId = given["user_id"] as String?
                    }
                    context(ids) { run(engine, inside, known) }
                }

                step.has("extract") -> {
                    context({ parent = extract(Vectors.plainMap(step["extract"])) }) { run(engine, inside, known) }
                }

                else -> {
                    val given = Vectors.plainMap(step["with"])
                    val options = SpanOptions().sessionId(given["session_id"] as String?)
                    options.root = given["root"] == true
                    options.metadata = step["with"]?.asJsonObject?.get("metadata")?.let(Vectors::plainMap)
                    options.parent = known[given["parent"]]
                    val name = step["span"].asString
                    engine.span(name, options = options) {
                        known[name] = it
                        run(engine, inside, known)
                    }
                }
            }
        }
    }
}
