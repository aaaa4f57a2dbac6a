// Life on a phone: sessions that change, networks that cost or are not there, and what the app tells about itself.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.Socket
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.random.Random

class MobileTest {
    @Test
    fun `a session ends by inactivity, by its age, and when it is told to`() {
        var now = 1000L
        var made = 0
        val sessions = Sessions(inactivity = 100, maxAge = 250, now = { now }) { "s-${++made}" }
        assertEquals("s-1", sessions.touch())
        now += 99
        assertEquals("s-1", sessions.touch())
        now += 100
        assertEquals("s-2", sessions.touch())
        repeat(4) {
            now += 60
            assertEquals("s-2", sessions.touch())
        }
        now += 60
        assertEquals("s-3", sessions.touch())
        sessions.end()
        assertEquals(null, sessions.current)
        assertEquals("s-4", sessions.touch())
    }

    @Test
    fun `spans carry the session, unless another is around`() {
        Engines.with({ mobile = MobileOptions() }) { engine, memory ->
            span("first") { }
            val id = Mobile.sessionId
            span("second") { }
            context({ sessionId = "given" }) { span("third") { } }
            Mobile.endSession()
            span("fourth") { }
            engine.flush()
            val ids = memory.spans.map { it.attributes["session.id"] }
            assertEquals(listOf<Any?>(id, id, "given"), ids.take(3))
            assertNotEquals(id, ids[3])
        }
    }

    @Test
    fun `starting again ends no session`() {
        Engines.with({
            name = "again"
            mobile = MobileOptions()
        }) { engine, memory ->
            span("first") { }
            val id = Mobile.sessionId
            Polyspan.init {
                service = "tests"
                name = "again"
                exporter = memory
                mobile = MobileOptions()
            }
            span("second") { }
            engine.flush()
            assertEquals(listOf<Any?>(id, id), memory.spans.map { it.attributes["session.id"] })
        }
    }

    @Test
    fun `times that are none are refused`() {
        fun refused(given: MobileOptions.() -> Unit) =
            assertThrows(PolyspanError::class.java) { Polyspan.init { mobile = MobileOptions().apply(given) } }.let {
                assertEquals("invalid_option", it.code)
                it.message!!.substringBefore(':')
            }
        for (none in listOf(-1.0, Double.NaN)) {
            assertEquals("mobile.sessionInactivity", refused { sessionInactivity = none })
            assertEquals("mobile.sessionMaxAge", refused { sessionMaxAge = none })
            assertEquals("mobile.backgroundTimeout", refused { backgroundTimeout = none })
        }
        // One that never ends is a time.
        Engines.with({
            mobile =
                MobileOptions().apply {
                    sessionInactivity = Double.POSITIVE_INFINITY
                    sessionMaxAge = Double.POSITIVE_INFINITY
                }
        }) { engine, memory ->
            span("first") { }
            span("second") { }
            Mobile.endSession()
            span("third") { }
            engine.flush()
            val ids = memory.spans.map { it.attributes["session.id"] }
            assertEquals(ids[0], ids[1])
            assertNotEquals(ids[1], ids[2])
        }
    }

    @Test
    fun `leaving the foreground delivers what there is`() {
        Engines.with({ mobile = MobileOptions() }) { engine, memory ->
            span("before") { }
            assertTrue(Mobile.onBackground(30.0))
            assertEquals("before", memory.only().name)
            // As a platform may say that grants as much as is wanted.
            span("between") { }
            assertTrue(Mobile.onBackground(Double.MAX_VALUE))
            assertEquals("between", memory.only().name)
            span("again") { }
            val done = CountDownLatch(1)
            Mobile.onBackground(30.0) { done.countDown() }
            assertTrue(done.await(60, TimeUnit.SECONDS))
            assertEquals("again", memory.only().name)
            assertEquals(3, engine.stats().exported)
        }
    }

    /** Spans of one trace, which pressure leaves alone. */
    private fun record(
        engine: Engine,
        spans: Int,
    ) = engine.span("root") { repeat(spans - 1) { engine.span("child") { } } }

    /** An engine that waits for nothing has sent something by itself: there was the time to. */
    private fun othersWentOn() =
        Engines.with({ set("scheduleDelay", 0.001) }) { engine, memory ->
            for (turn in 1..5) {
                record(engine, 100)
                Engines.eventually("an engine that is not held sends") { memory.spans.size == 100 * turn }
            }
        }

    private fun waiting() =
        MobileOptions().apply {
            batchInterval = 0.001
            unmeteredOnly = true
        }

    /** Whether everything that ended is with its exporter. */
    private fun hasGot(
        engine: Engine,
        spans: Int,
    ) = engine.stats().accepted == spans.toLong()

    @Test
    fun `spans wait for a network that is not metered`() {
        try {
            Engines.with({ mobile = waiting() }) { engine, memory ->
                // Nobody has said yet what the network is, then that it is metered, again and again.
                for (turn in 1..3) {
                    record(engine, 1000)
                    Engines.eventually("every span reaches its exporter") { hasGot(engine, 1000 * turn) }
                    othersWentOn()
                    assertTrue(!Mobile.onBackground(30.0))
                    assertEquals(1000 * (turn - 1), memory.spans.size)
                    Mobile.onNetwork(isMetered = false)
                    Engines.eventually("what waited leaves") { memory.spans.size == 1000 * turn }
                    Mobile.onNetwork(isMetered = true)
                }
                assertTrue(Mobile.onBackground(30.0))
                span("asked for") { }
                engine.flush()
                assertEquals(3001, memory.spans.size)
            }
        } finally {
            Mobile.onNetwork(isMetered = true)
        }
    }

    @Test
    fun `the network may be told before there is an engine`() {
        try {
            Mobile.onNetwork(isMetered = false)
            Engines.with({ mobile = waiting() }) { engine, memory ->
                record(engine, 10)
                Engines.eventually("nothing waits") { memory.spans.size == 10 }
            }
        } finally {
            Mobile.onNetwork(isMetered = true)
        }
    }

    @Test
    fun `without a network for days it keeps within its bytes`() {
        Socket().use { dead ->
            // Bound, so that nobody else gets the port, but not listening.
            dead.bind(InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            Engines.with({
                exporter = mapOf("type" to "otlp", "endpoint" to "http://127.0.0.1:${dead.localPort}")
                mobile = MobileOptions()
            }) { engine, _ ->
                val (turns, spans, bytes) = Triple(32, 64, 16 * 1024)
                // Six bits in each of eight: what waits is compressed, and cannot be made smaller than three quarters.
                val random = Random(1)
                val noise = String(CharArray(spans * bytes) { ('0'.code + random.nextInt(64)).toChar() })
                // One trace, which pressure leaves alone.
                engine.span("root") {
                    for (turn in 1..turns) {
                        repeat(spans) { at -> engine.span("child") { it.set("text", noise.substring(at * bytes, (at + 1) * bytes)) } }
                        // What the hand-off cannot take is lost there, which is another matter.
                        Engines.eventually("the exporter keeps up") { hasGot(engine, spans * turn) }
                        assertTrue(engine.stats().addsUp)
                    }
                }
                val stats = engine.stats()
                assertEquals(0, stats.exported)
                // Exporters have half of the 32 MiB of a process.
                val waiting = stats.exporters.values.sumOf { it["pending"] as Long }
                assertTrue(waiting * bytes * 3 / 4 <= 16L shl 20, "$stats $waiting")
                assertTrue(stats.dropped.values.sum() > turns * spans / 4, "$stats")
                // Nobody waits for the dead one at the end.
                assertThrows(PolyspanError::class.java) { engine.shutdown(0.0) }
                Engines.eventually("nothing is pending") {
                    engine
                        .stats()
                        .dropped.values
                        .sum() == turns * spans + 1L
                }
            }
        }
    }
}
