// Engines for tests: each with a memory exporter of its own, stopped at the end of the test.

package dev.polyspan

import dev.polyspan.internal.Log
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.function.Consumer
import org.junit.jupiter.api.Assertions.assertTrue

internal object Engines {
    private val names = AtomicInteger()

    /** A name that no other engine has. */
    fun name(): String = "test-${names.incrementAndGet()}"

    /** Runs `body` with an engine that is the default one, and its exporter. Both equations hold at the end. */
    fun <R> with(
        given: InitOptions.() -> Unit = {},
        body: (Engine, MemoryExporter) -> R,
    ): R {
        Log.write = Consumer { }
        val memory = MemoryExporter()
        val engine =
            Polyspan.init {
                service = "tests"
                name = name()
                exporter = memory
                given()
            }
        Polyspan.setDefault(engine.name)
        val result = runCatching { body(engine, memory).also { assertTrue(engine.stats().addsUp, "${engine.stats()}") } }
        // What went wrong before goes first.
        val stopped = runCatching { engine.shutdown() }
        return result.getOrThrow().also { stopped.getOrThrow() }
    }

    /** Waits for something that happens elsewhere, for as long as a loaded machine may take. */
    fun eventually(
        what: String,
        holds: () -> Boolean,
    ) {
        val deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30)
        while (!holds()) {
            assertTrue(System.nanoTime() < deadline, what)
            Thread.sleep(5)
        }
    }
}

/** The one span that arrived. */
internal fun MemoryExporter.only(): SpanRecord = take().single()
