// Presets of OTLP receivers: what a product's own variables make of the requests that are sent, by the vectors.

package dev.polyspan

import com.google.gson.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.condition.DisabledOnOs
import org.junit.jupiter.api.condition.OS

class PresetsTest {
    @TestFactory
    @DisabledOnOs(OS.WINDOWS)
    fun `requests of a preset`(): List<DynamicTest> =
        Vectors.cases("presets.json").map { entry ->
            dynamicTest(entry["name"].asString) {
                withEnvironment(Vectors.plainMap(entry["env"])) { if (entry.has("says")) refused(entry) else sent(entry) }
            }
        }

    private fun refused(entry: JsonObject) {
        val error =
            assertThrows(PolyspanError::class.java) { Engines.with({ exporter = Vectors.plain(entry["exporter"]) }) { _, _ -> } }
        assertEquals("invalid_option", error.code)
        for (part in entry["says"].asJsonArray) assertTrue(part.asString in error.message!!, error.message)
    }

    private fun sent(entry: JsonObject) {
        val given = Vectors.plain(entry["exporter"])
        val described = given as? Map<*, *> ?: mapOf("type" to "otlp", "preset" to given)
        // It stands where the product would.
        Receiver().use { product ->
            Engines.with({ exporter = described + ("endpoint" to product.endpoint) }) { engine, _ ->
                engine.start("sent").end()
                assertEquals(entry.has("logs"), log(LogLevel.INFO, "sent too"))
                engine.flush()
                assertEquals(1, engine.stats().exported)
            }
            val paths = if (entry.has("logs")) listOf("/v1/logs", "/v1/traces") else listOf("/v1/traces")
            assertEquals(paths, product.requests.map { it.first }.sorted())
            for ((_, headers) in product.requests) {
                for ((name, value) in Vectors.plainMap(entry["headers"])) assertEquals(value, headers.getFirst(name), name)
                assertTrue("x-secret" !in headers)
            }
        }
    }
}
