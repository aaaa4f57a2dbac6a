// Presets of OTLP receivers: what a product's own variables make of the requests that are sent, by the vectors.

package dev.polyspan

import com.google.gson.JsonObject
import com.sun.jna.NativeLibrary
import com.sun.net.httpserver.Headers
import com.sun.net.httpserver.HttpServer
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.junit.jupiter.api.condition.DisabledOnOs
import org.junit.jupiter.api.condition.OS
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.ConcurrentLinkedQueue

class PresetsTest {
    /** Takes requests where the product would. */
    private class Product : AutoCloseable {
        val requests = ConcurrentLinkedQueue<Pair<String, Headers>>()
        private val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
        val endpoint get() = "http://127.0.0.1:${server.address.port}"

        init {
            server.createContext("/") { exchange ->
                exchange.use {
                    it.requestBody.readAllBytes()
                    requests.add(it.requestURI.path to it.requestHeaders)
                    it.sendResponseHeaders(200, -1)
                }
            }
            server.start()
        }

        override fun close() = server.stop(0)
    }

    /** Variables of this process, which the JVM can only read. */
    private fun <R> withEnvironment(
        given: Map<String, Any?>,
        body: () -> R,
    ): R {
        val process = NativeLibrary.getProcess()
        try {
            for ((name, value) in given) process.getFunction("setenv").invokeInt(arrayOf<Any>(name, value.toString(), 1))
            return body()
        } finally {
            for (name in given.keys) process.getFunction("unsetenv").invokeInt(arrayOf<Any>(name))
        }
    }

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
        Product().use { product ->
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
