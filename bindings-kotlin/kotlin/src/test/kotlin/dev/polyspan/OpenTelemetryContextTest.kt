// One engine and one current context behind both interfaces: scopes, baggage, and who started the engine.

package dev.polyspan

import dev.polyspan.coroutines.polyspanContext
import dev.polyspan.internal.Log
import dev.polyspan.opentelemetry.PolyspanOpenTelemetry
import io.opentelemetry.api.baggage.Baggage
import io.opentelemetry.api.baggage.BaggageEntryMetadata
import io.opentelemetry.context.ContextKey
import io.opentelemetry.context.Scope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotSame
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.function.Consumer
import java.util.function.Function
import io.opentelemetry.api.trace.Span as ApiSpan
import io.opentelemetry.context.Context as ApiContext

class OpenTelemetryContextTest {
    private class Traced(
        otel: PolyspanOpenTelemetry,
    ) {
        private val tracer = otel.getTracer("app")

        fun span(name: String): ApiSpan = tracer.spanBuilder(name).setNoParent().startSpan()
    }

    private fun traced(body: Traced.() -> Unit) = Engines.with { engine, _ -> Traced(PolyspanOpenTelemetry.of(engine)).body() }

    /** Runs `body` in the one thread of a pool, which lives on between calls. */
    private class Pool : AutoCloseable {
        private val thread = Executors.newSingleThreadExecutor()

        fun <R> run(body: () -> R): R = thread.submit(Callable { body() }).get(30, TimeUnit.SECONDS)

        override fun close() {
            thread.shutdownNow()
            assertTrue(thread.awaitTermination(30, TimeUnit.SECONDS))
        }
    }

    @Test
    fun `a scope that is closed twice changes nothing`() =
        traced {
            val (first, second, third) = listOf("first", "second", "third").map(::span)
            first.makeCurrent().use {
                val closed = second.makeCurrent()
                closed.close()
                assertSame(first, ApiSpan.current())
                third.makeCurrent().use {
                    closed.close()
                    assertSame(third, ApiSpan.current())
                }
                closed.close()
                assertSame(first, ApiSpan.current())
            }
            assertFalse(ApiSpan.current().spanContext.isValid)
        }

    @Test
    fun `a scope that is closed before one inside it changes nothing`() =
        traced {
            val (outer, inner) = listOf("outer", "inner").map(::span)
            val outside = outer.makeCurrent()
            val inside = inner.makeCurrent()
            outside.close()
            assertSame(inner, ApiSpan.current())
            inside.close()
            assertSame(outer, ApiSpan.current())
            outside.close()
            assertFalse(ApiSpan.current().spanContext.isValid)
        }

    @Test
    fun `a scope that is closed in another thread leaves that thread alone`() =
        traced {
            Pool().use { pool ->
                val (request, call) = listOf("request", "call").map(::span)
                request.makeCurrent().use {
                    val scope = call.makeCurrent()
                    pool.run { scope.close() }
                    assertFalse(pool.run { ApiSpan.current() }.spanContext.isValid)
                    assertSame(call, ApiSpan.current())
                    // Where the same context was carried to, it is another's as well.
                    pool.run {
                        call.makeCurrent().use {
                            scope.close()
                            assertSame(call, ApiSpan.current())
                        }
                    }
                    scope.close()
                    assertSame(request, ApiSpan.current())
                }
                assertFalse(ApiSpan.current().spanContext.isValid)
            }
        }

    @Test
    fun `the root context is put away like any other`() =
        traced {
            val (outer, inner) = listOf("outer", "inner").map(::span)
            outer.makeCurrent().use {
                val root: Scope = ApiContext.root().makeCurrent()
                assertFalse(ApiSpan.current().spanContext.isValid)
                inner.makeCurrent().use {
                    root.close()
                    assertSame(inner, ApiSpan.current())
                }
                root.close()
                assertSame(outer, ApiSpan.current())
            }
        }

    @Test
    fun `a scope follows its coroutine through threads`() =
        traced {
            val work = span("work")
            runBlocking(polyspanContext()) {
                val scope = work.makeCurrent()
                withContext(Dispatchers.Default) { assertSame(work, ApiSpan.current()) }
                assertSame(work, ApiSpan.current())
                scope.close()
                assertFalse(ApiSpan.current().spanContext.isValid)
            }
            Turns().use { turns ->
                runBlocking(polyspanContext() + turns) {
                    val scope = work.makeCurrent()
                    val before = Thread.currentThread()
                    yield()
                    assertNotSame(before, Thread.currentThread())
                    assertSame(work, ApiSpan.current())
                    scope.close()
                    assertFalse(ApiSpan.current().spanContext.isValid)
                }
            }
        }

    @Test
    fun `keys of a context are kept inside contexts of ours`() =
        traced {
            val key = ContextKey.named<String>("a key of the application")
            ApiContext.root().with(key, "kept").makeCurrent().use {
                val carried = Context.current()
                context({ userId = "u-7" }) {
                    assertEquals("kept", ApiContext.current()[key])
                    span("inside") { assertEquals("kept", ApiContext.current()[key]) }
                    runBlocking(polyspanContext(sessionId = "s")) { assertEquals("kept", ApiContext.current()[key]) }
                }
                Pool().use { pool -> assertEquals("kept", pool.run { carried.run { ApiContext.current()[key] } }) }
            }
            assertSame(ApiContext.root(), ApiContext.current())
        }

    @Test
    fun `keys of a context inside a trace that is not sampled do not stay behind`() =
        Engines.with({ sampler = 0.0 }) { engine, _ ->
            val key = ContextKey.named<String>("a key of the application")
            engine.span("root") {
                ApiContext.current().with(key, "inner").makeCurrent().use {
                    span("child") {
                        assertEquals("inner", ApiContext.current()[key])
                        span("grandchild") { assertEquals("inner", ApiContext.current()[key]) }
                    }
                }
                assertEquals(null, ApiContext.current()[key])
                span("later") { assertEquals(null, ApiContext.current()[key]) }
            }
            assertEquals(listOf(4L, 4L), engine.stats().let { listOf(it.ended, it.unsampled) })
        }

    @Test
    fun `what the API starts records what our own interface is given`() {
        Log.write = Consumer { }
        val memory = MemoryExporter()
        val otel = PolyspanOpenTelemetry.create(InitOptions().set("service", "web").set("replace", true).set("exporter", memory))
        try {
            val tracer = otel.getTracer("app")
            tracer.spanBuilder("theirs").startSpan().end()
            Polyspan.call("ours", Function { it.set("k", 1) })
            span("mine") { }
            assertEquals(3, Polyspan.stats().ended)
            Polyspan.flush()
            assertEquals(listOf("theirs", "ours", "mine"), memory.spans.map { it.name })
        } finally {
            otel.close()
        }
        assertEquals(0, Polyspan.stats().ended)
    }

    @Test
    fun `baggage keeps its values and metadata`() =
        Engines.with { engine, _ ->
            val propagator = PolyspanOpenTelemetry.of(engine).propagators.textMapPropagator
            val given =
                Baggage
                    .builder()
                    .put("k", "a;b,c=d é", BaggageEntryMetadata.create("p=1;q"))
                    .put("plain", "1")
                    .build()
            val carrier = HashMap<String, String>()
            propagator.inject(given.storeInContext(ApiContext.root()), carrier) { to, name, value -> to!![name] = value }
            assertEquals("k=a%3Bb%2Cc%3Dd%20%C3%A9;p=1;q,plain=1", carrier["baggage"])
            val found = propagator.extract(ApiContext.root(), carrier, PlainHeaders)
            assertEquals(given.asMap(), Baggage.fromContext(found).asMap())
            // Through a span of ours and back, and on to the next service.
            found.makeCurrent().use {
                span("ours") {
                    assertEquals(given.asMap(), Baggage.current().asMap())
                    assertEquals(carrier["baggage"], inject(HashMap<String, String>())["baggage"])
                }
            }
            given.makeCurrent().use {
                span("ours") {
                    assertEquals(given.asMap(), Baggage.current().asMap())
                    assertEquals("a;b,c=d é;p=1;q", Polyspan.baggage()["k"])
                }
            }
            // What ours adds is seen by the API beside what was there.
            found.makeCurrent().use {
                context({ baggage = mapOf("more" to "x;y") }) {
                    assertEquals(given.asMap()["k"], Baggage.current().asMap()["k"])
                    assertEquals("x", Baggage.current().getEntryValue("more")?.substringBefore(';'))
                }
            }
        }
}
