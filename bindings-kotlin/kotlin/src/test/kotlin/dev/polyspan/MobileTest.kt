// Life on a phone: sessions that change, and what the app tells about itself.

package dev.polyspan

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

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
    fun `leaving the foreground delivers what there is`() {
        Engines.with({ mobile = MobileOptions() }) { engine, memory ->
            span("before") { }
            assertTrue(Mobile.onBackground(30.0))
            assertEquals("before", memory.only().name)
            span("again") { }
            val done = CountDownLatch(1)
            Mobile.onBackground(30.0) { done.countDown() }
            assertTrue(done.await(60, TimeUnit.SECONDS))
            assertEquals("again", memory.only().name)
            assertEquals(2, engine.stats().exported)
        }
    }
}
