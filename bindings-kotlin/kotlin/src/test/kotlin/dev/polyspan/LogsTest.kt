// Log records: what one says, what it belongs to, and from which level on it is kept, by the vectors.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.time.Instant

class LogsTest {
    private val levels = LogLevel.entries.filter { it != LogLevel.NONE }

    @TestFactory
    fun `levels keep what the vectors say`(): List<DynamicTest> {
        val vectors = Vectors.file("logs.json")
        val severities = vectors["severities"].asJsonArray.map { it.asString }
        return vectors["levels"].asJsonArray.map { it.asJsonArray }.map { entry ->
            val (name, least) = entry[0].asString to entry[1]
            dynamicTest("'$name'") {
                if (!least.isJsonNull && least.asString == "unknown") {
                    val error = assertThrows(PolyspanError::class.java) { Engines.with({ logLevel = name }) { _, _ -> } }
                    assertEquals("invalid_option", error.code)
                    assertTrue(error.message!!.startsWith("logLevel: "), error.message)
                    return@dynamicTest
                }
                Engines.with({ logLevel = name }) { engine, memory ->
                    val kept = levels.filter { !least.isJsonNull && severities.indexOf(it.name) >= least.asInt }
                    for (level in levels) assertEquals(level in kept, log(level, "said"), level.name)
                    engine.flush()
                    assertEquals(kept.map { it.name }, memory.logs.map { it.severityText })
                    assertEquals(kept.map { severities.indexOf(it.name).toLong() }, memory.logs.map { it.severity })
                }
            }
        }
    }

    @Test
    fun `the level can be changed while the engine runs`() {
        Engines.with { _, _ ->
            try {
                setLogLevel(LogLevel.ERROR)
                assertEquals(listOf(false, true), listOf(LogLevel.WARN, LogLevel.ERROR).map { log(it, "said") })
                setLogLevel(LogLevel.NONE)
                assertTrue(!log(LogLevel.FATAL, "said"))
            } finally {
                setLogLevel(LogLevel.INFO)
            }
        }
    }

    @Test
    fun `a record says what was logged, where`() {
        Engines.with { engine, memory ->
            val other = Polyspan.start("other")
            val options =
                LogOptions().apply {
                    attributes = mapOf("attempt" to 2, "password" to "hunter2")
                    logger = "billing"
                    eventName = "settle.failed"
                    time = Instant.ofEpochSecond(1_767_225_600)
                    error = IllegalStateException("after 5 s")
                    span = other
                }
            assertTrue(log(LogLevel.WARN, mapOf("card" to "visa"), options))
            context({ sessionId = "s-42" }) { span("work") { log(LogLevel.INFO, "inside") } }
            other.end()
            engine.flush()
            val (first, second) = memory.logs
            assertEquals(mapOf("card" to "visa"), first.body)
            assertEquals(listOf(2L, "[REDACTED]"), listOf("attempt", "password").map { first.attributes[it] })
            assertEquals("java.lang.IllegalStateException", first.attributes["exception.type"])
            assertEquals("after 5 s", first.attributes["exception.message"])
            assertEquals(listOf("billing", "settle.failed"), listOf(first.logger, first.eventName))
            assertEquals(1_767_225_600_000_000_000, first.time)
            assertEquals(other.spanId, first.spanId)
            val work = memory.spans.first { it.name == "work" }
            assertEquals(work.traceId to work.spanId, second.traceId to second.spanId)
            assertEquals("s-42", second.attributes["session.id"])
        }
    }
}
