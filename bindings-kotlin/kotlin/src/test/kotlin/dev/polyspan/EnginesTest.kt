// Several engines: which one is the default, and a selector that sends each trace to one of them.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

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
    fun `one is the default until another is chosen`() {
        val found =
            two { _, other ->
                span("one") { }
                other.span("two") { }
                Polyspan.setDefault(other.name)
                span("three") { }
                val error = assertThrows(PolyspanError::class.java) { Polyspan.setDefault("nobody") }
                assertEquals("not_running", error.code)
                assertTrue("nobody" in error.message!!)
            }
        assertEquals(setOf("one") to setOf("two", "three"), found)
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
    fun `answers that mean the default`(): List<DynamicTest> =
        mapOf(
            "nothing" to EngineSelector { null },
            "no text" to EngineSelector { "" },
            "an engine that does not run" to EngineSelector { "nobody" },
            "a failure" to EngineSelector { error("no") },
        ).map { (name, selector) ->
            dynamicTest(name) { assertEquals(setOf("one") to emptySet<String>(), two(selector) { _, _ -> span("one") { } }) }
        }
}
