// Calls over HTTP, against a server on this machine: each is a span, continues in the service called, and says how it failed.

package dev.polyspan

import com.sun.net.httpserver.HttpServer
import dev.polyspan.http.traced
import dev.polyspan.okhttp.PolyspanInterceptor
import dev.polyspan.okhttp.traced
import okhttp3.Call
import okhttp3.Callback
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.Response
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit

class HttpTest {
    /** A service: `/torn` closes the connection without an answer, any other path is answered with its number. */
    private class Service : AutoCloseable {
        val traceparents = ConcurrentLinkedQueue<String>()
        private val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)

        init {
            server.createContext("/") { exchange ->
                exchange.use {
                    traceparents.add(it.requestHeaders.getFirst("traceparent") ?: "none")
                    val status =
                        it.requestURI.path
                            .trim('/')
                            .toIntOrNull()
                    if (status != null) it.sendResponseHeaders(status, -1)
                }
            }
            server.start()
        }

        fun url(path: String) = "http://127.0.0.1:${server.address.port}/$path"

        override fun close() = server.stop(0)
    }

    private fun <R> okHttp(body: (OkHttpClient) -> R): R {
        val client =
            OkHttpClient
                .Builder()
                .addInterceptor(PolyspanInterceptor())
                .retryOnConnectionFailure(false)
                .build()
        try {
            return body(client)
        } finally {
            client.dispatcher.executorService.shutdown()
            client.connectionPool.evictAll()
        }
    }

    private fun request(url: String): Request = Request.Builder().url(url).build()

    /** What a call that was answered says. */
    private fun assertAnswered(
        span: SpanRecord,
        parent: SpanRecord,
        url: String,
        status: Int,
        traceparent: String,
    ) {
        assertEquals(parent.spanId, span.parentSpanId)
        assertEquals("client", span.kind)
        assertEquals("GET", span.name)
        assertEquals("00-${span.traceId}-${span.spanId}-03", traceparent)
        val failed = if (status >= 400) mapOf("error.type" to "$status") else emptyMap()
        val expected =
            mapOf(
                "http.request.method" to "GET",
                "url.full" to url,
                "server.address" to "127.0.0.1",
                "server.port" to URI(url).port.toLong(),
                "http.response.status_code" to status.toLong(),
            )
        assertEquals(expected + failed, span.attributes)
        assertEquals(if (status >= 400) "error" else "unset", span.status)
    }

    private fun assertFailed(
        span: SpanRecord,
        parent: SpanRecord,
    ) {
        assertEquals(parent.spanId, span.parentSpanId)
        assertEquals("error", span.status)
        assertEquals(listOf("exception"), span.events.map { it.name })
        assertTrue(
            "IOException" in
                span.events
                    .single()
                    .attributes["exception.stacktrace"]
                    .toString(),
        )
        assertTrue("http.response.status_code" !in span.attributes)
    }

    @Test
    fun `calls of OkHttp`() {
        Service().use { service ->
            Engines.with { engine, memory ->
                okHttp { client ->
                    span("around") {
                        for (status in listOf(204, 404, 503)) {
                            client.newCall(request(service.url("$status"))).execute().use { assertEquals(status, it.code) }
                        }
                        assertThrows(IOException::class.java) { client.newCall(request(service.url("torn"))).execute() }
                    }
                }
                engine.flush()
                val spans = memory.spans
                assertEquals(5, spans.size)
                listOf(204, 404, 503).forEachIndexed { at, status ->
                    assertAnswered(spans[at], spans[4], service.url("$status"), status, service.traceparents.elementAt(at))
                }
                assertFailed(spans[3], spans[4])
            }
        }
    }

    @Test
    fun `calls of OkHttp that are enqueued keep their parent`() {
        Service().use { service ->
            Engines.with { engine, memory ->
                okHttp { client ->
                    val answers =
                        span("around") {
                            listOf("200", "torn").map { path ->
                                val answer = CompletableFuture<Int>()
                                client.traced().newCall(request(service.url(path))).enqueue(
                                    object : Callback {
                                        override fun onFailure(
                                            call: Call,
                                            e: IOException,
                                        ) {
                                            answer.completeExceptionally(e)
                                        }

                                        override fun onResponse(
                                            call: Call,
                                            response: Response,
                                        ) {
                                            response.use { answer.complete(it.code) }
                                        }
                                    },
                                )
                                answer
                            }
                        }
                    assertEquals(200, answers[0].get(60, TimeUnit.SECONDS))
                    assertThrows(ExecutionException::class.java) { answers[1].get(60, TimeUnit.SECONDS) }
                }
                engine.flush()
                val (around, calls) = memory.spans.partition { it.name == "around" }
                assertEquals(2, calls.size)
                val (failed, answered) = calls.partition { it.events.isNotEmpty() }
                val own = service.traceparents.single { answered.single().spanId in it }
                assertAnswered(answered.single(), around.single(), service.url("200"), 200, own)
                assertFailed(failed.single(), around.single())
            }
        }
    }

    /** Names as those of containers. */
    @Test
    fun `a host whose name has underscores`() {
        Engines.with { engine, memory ->
            val client =
                OkHttpClient
                    .Builder()
                    .addInterceptor(PolyspanInterceptor())
                    .addInterceptor { chain ->
                        Response
                            .Builder()
                            .request(chain.request())
                            .protocol(okhttp3.Protocol.HTTP_1_1)
                            .code(200)
                            .message("fine")
                            .build()
                    }.build()
            client.newCall(request("http://order_service:8080/a")).execute().use { assertEquals(200, it.code) }
            engine.flush()
            val span = memory.only()
            assertEquals("order_service", span.attributes["server.address"])
            assertEquals(8080L, span.attributes["server.port"])
            assertEquals("http://order_service:8080/a", span.attributes["url.full"])
        }
    }

    /** Since JDK 21 there is such a thing. */
    @Test
    fun `a client is closed with what traces it`() {
        assumeTrue(AutoCloseable::class.java.isAssignableFrom(HttpClient::class.java), "clients can be closed since JDK 21")
        val client = HttpClient.newHttpClient()
        val traced = client.traced()
        val isTerminated = HttpClient::class.java.getMethod("isTerminated")
        assertEquals(false, isTerminated.invoke(traced))
        (traced as AutoCloseable).close()
        assertEquals(true, isTerminated.invoke(client))
        assertEquals(true, isTerminated.invoke(traced))
    }

    @Test
    fun `calls of the platform's client`() {
        Service().use { service ->
            Engines.with { engine, memory ->
                val client = HttpClient.newHttpClient().traced()

                fun to(path: String) = HttpRequest.newBuilder(URI(service.url(path))).build()
                span("around") {
                    assertEquals(204, client.send(to("204"), BodyHandlers.discarding()).statusCode())
                    assertEquals(503, client.sendAsync(to("503"), BodyHandlers.discarding()).get(60, TimeUnit.SECONDS).statusCode())
                    assertThrows(IOException::class.java) { client.send(to("torn"), BodyHandlers.discarding()) }
                }
                engine.flush()
                Engines.eventually("every call has ended") {
                    engine.flush()
                    memory.spans.size == 4
                }
                val spans = memory.spans.associateBy { it.attributes["url.full"] }
                val around = checkNotNull(spans[null])
                listOf(204, 503).forEachIndexed { at, status ->
                    val url = service.url("$status")
                    assertAnswered(checkNotNull(spans[url]), around, url, status, service.traceparents.elementAt(at))
                }
                assertFailed(checkNotNull(spans[service.url("torn")]), around)
            }
        }
    }
}
