// The inline functions in coroutines that carry nothing of ours: what is wrong then ends with them.

package dev.polyspan

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
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
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.resume
import kotlin.coroutines.suspendCoroutine

/** Runs each part of a coroutine in the next one of some threads. */
internal class Turns(
    count: Int = 2,
) : CoroutineDispatcher(),
    AutoCloseable {
    private val threads = List(count) { Executors.newSingleThreadExecutor() }
    private val turn = AtomicInteger()

    override fun dispatch(
        context: CoroutineContext,
        block: Runnable,
    ) = threads[turn.getAndIncrement() % threads.size].execute(block)

    /** What `ask` answers in each thread. */
    fun <R> each(ask: () -> R): List<R> = threads.map { it.submit(Callable { ask() }).get(30, TimeUnit.SECONDS) }

    override fun close() {
        for (thread in threads) {
            thread.shutdown()
            assertTrue(thread.awaitTermination(30, TimeUnit.SECONDS))
        }
    }
}

class InlineInCoroutinesTest {
    private fun isCurrent() = Polyspan.currentSpan().spanContext.isValid || Polyspan.baggage().isNotEmpty()

    @Test
    fun `a span that ends in another thread is current nowhere`() {
        Engines.with { engine, memory ->
            Turns().use { turns ->
                runBlocking(turns) {
                    span("moved") {
                        val before = Thread.currentThread()
                        yield()
                        assertNotSame(before, Thread.currentThread())
                    }
                    assertFalse(isCurrent())
                }
                assertEquals(listOf(false, false), turns.each(::isCurrent))
                turns.each { span("next") { assertSame(it, Polyspan.currentSpan()) } }
                assertEquals(listOf(false, false), turns.each(::isCurrent))
            }
            engine.flush()
            assertEquals(listOf("moved", "next", "next"), memory.spans.map { it.name })
            assertTrue(memory.spans.all { it.parentSpanId == null }, "${memory.spans}")
        }
    }

    @Test
    fun `what is current in the thread where a span ends stays`() {
        Engines.with { _, _ ->
            Turns(1).use { turns ->
                runBlocking {
                    lateinit var moved: Continuation<Unit>
                    // Begins in this thread, and goes on in the one that resumes it.
                    val job = launch(Dispatchers.Unconfined) { span("moved") { suspendCoroutine { moved = it } } }
                    turns.each {
                        span("here") { here ->
                            moved.resume(Unit)
                            assertSame(here, Polyspan.currentSpan())
                        }
                    }
                    job.join()
                    assertFalse(isCurrent())
                }
                assertEquals(listOf(false), turns.each(::isCurrent))
            }
        }
    }

    @Test
    fun `spans that overlap in one thread leave nothing behind`() {
        Engines.with { _, _ ->
            Turns(1).use { turns ->
                runBlocking(turns) {
                    val (first, second) = List(2) { Channel<Unit>() }
                    val one = launch { span("one") { first.receive() } }
                    val two = launch { span("two") { second.receive() } }
                    yield()
                    first.send(Unit)
                    one.join()
                    second.send(Unit)
                    two.join()
                }
                assertEquals(listOf(false), turns.each(::isCurrent))
            }
        }
    }

    @Test
    fun `a context that ends in another thread is current nowhere`() {
        Engines.with { _, _ ->
            Turns().use { turns ->
                runBlocking(turns) { context({ baggage = mapOf("k" to "v") }) { yield() } }
                assertEquals(listOf(false, false), turns.each(::isCurrent))
            }
        }
    }
}
