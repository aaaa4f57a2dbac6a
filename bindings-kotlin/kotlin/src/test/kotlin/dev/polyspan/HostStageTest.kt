// Code of the application that hangs: it costs itself, and nobody else.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit

class HostStageTest {
    /** Where a piece of code waits until the test has seen what it came for. */
    private class Hanging : AutoCloseable {
        private val reached = CountDownLatch(1)
        private val released = CountDownLatch(1)

        fun hang() {
            reached.countDown()
            released.await()
        }

        fun isReached(): Boolean = reached.await(60, TimeUnit.SECONDS)

        override fun close() = released.countDown()
    }

    private class Healthy : SpanExporter {
        val arrived = Semaphore(0)

        override fun onSpanEnded(span: FinishedSpan) = arrived.release()

        fun hasGot(spans: Int): Boolean = arrived.tryAcquire(spans, 60, TimeUnit.SECONDS)
    }

    @Test
    fun `an exporter that hangs holds up no other`() {
        val healthy = Healthy()
        Hanging().use { hanging ->
            val stuck =
                object : SpanExporter {
                    override fun export(spans: List<FinishedSpan>): Boolean {
                        hanging.hang()
                        return true
                    }
                }
            Engines.with({
                exporter = null
                exporters = listOf(stuck, healthy)
            }) { engine, _ ->
                span("first") { }
                assertTrue(hanging.isReached())
                repeat(9) { span("later") { } }
                assertTrue(healthy.hasGot(10))
                val error = assertThrows(PolyspanError::class.java) { engine.flush(0.05) }
                assertEquals("deadline_exceeded", error.code)
                assertTrue(engine.stats().addsUp)
                hanging.close()
                engine.flush(60.0)
                assertEquals(10, engine.stats().exported)
            }
        }
    }

    @Test
    fun `a processor that hangs holds up no other engine`() {
        val healthy = Healthy()
        Hanging().use { hanging ->
            val stuck =
                Processor { span ->
                    hanging.hang()
                    span
                }
            Engines.with({ processors = listOf(stuck) }) { held, _ ->
                Engines.with({ exporter = healthy }) { free, _ ->
                    held.span("stuck") { }
                    assertTrue(hanging.isReached())
                    repeat(5) { free.span("free") { } }
                    assertTrue(healthy.hasGot(5))
                }
                hanging.close()
                held.flush(60.0)
                assertEquals(1, held.stats().exported)
            }
        }
    }
}
