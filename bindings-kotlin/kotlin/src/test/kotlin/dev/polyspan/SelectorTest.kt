// Which engine a trace belongs to, where the application says.

package dev.polyspan

import dev.polyspan.internal.Log
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.util.function.Consumer

class SelectorTest {
    @AfterEach
    fun ask() = Polyspan.setSelector(null)

    private fun names(memory: MemoryExporter): List<String> = memory.spans.map { it.name }

    @Test
    fun `each trace goes to the engine of its tenant, and spans inside follow`() =
        Engines.with { main, rest ->
            val memory = MemoryExporter()
            val tenant =
                Polyspan.init {
                    name = Engines.name()
                    exporter = memory
                }
            try {
                Polyspan.setSelector { about -> if ((about.requestContext as? Map<*, *>)?.get("tenant") == "acme") tenant.name else null }
                context({ requestContext = mapOf("tenant" to "acme") }) {
                    span("theirs") { span("inside") { it.set("k", 1) } }
                    main.span("named") { }
                }
                span("other") { span("below") { } }
                Polyspan.flush()
                assertEquals(listOf("inside", "theirs"), names(memory))
                assertEquals(1L, memory.spans[0].attributes["k"])
                assertEquals(listOf("named", "below", "other"), names(rest))
                Polyspan.setSelector(null)
                context({ requestContext = mapOf("tenant" to "acme") }) { span("after") { } }
                Polyspan.flush()
                assertEquals(listOf("named", "below", "other", "after"), names(rest))
            } finally {
                tenant.shutdown()
            }
        }

    @Test
    fun `a selector that throws or names nobody leaves the default engine`() =
        Engines.with { _, memory ->
            val said = ArrayList<String>()
            Log.write = Consumer { synchronized(said) { said.add(it) } }
            Polyspan.setSelector { error("no") }
            span("first") { }
            Polyspan.setSelector { "nobody of that name" }
            span("second") { }
            Polyspan.flush()
            assertEquals(listOf("first", "second"), names(memory))
        }
}
