// Life on a phone: sessions, batching where power and network are scarce, and what happens when the app leaves the
// foreground. Plain configuration that the app sets; nothing here asks the platform anything.

package dev.polyspan

import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Border
import dev.polyspan.internal.Clock
import dev.polyspan.internal.Ids
import dev.polyspan.internal.Log
import dev.polyspan.internal.Random
import dev.polyspan.internal.Recorder
import dev.polyspan.internal.Registry
import java.util.concurrent.atomic.AtomicBoolean

/** How an app records: `Polyspan.init { mobile = MobileOptions() }`. */
public class MobileOptions {
    /** Spans of one request at most. */
    public var batchSize: Int = 256

    /** Seconds that the first span of a request waits for others. */
    public var batchInterval: Double = 30.0

    /**
     * Spans wait while the network is metered, and until the app has said that it is not ([Mobile.onNetwork]), within the
     * limits of the queue. `flush`, `shutdown` and the end of the process send them all the same.
     */
    public var unmeteredOnly: Boolean = false

    /** Seconds without a trace that begins after which the next one begins a new session: half an hour; 0 for no sessions. */
    public var sessionInactivity: Double = 30 * 60.0

    /** Seconds after which a session ends in any case: a day. */
    public var sessionMaxAge: Double = 24 * 3600.0

    /** Seconds that [Mobile.onBackground] may take by default: what the platform grants, or less. */
    public var backgroundTimeout: Double = 5.0

    /** Puts what the engine has options for among these; what the app says itself wins. */
    internal fun describe(options: MutableMap<String, Any?>) {
        options.putIfAbsent("max_batch_spans", batchSize)
        options.putIfAbsent("schedule_delay", batchInterval)
    }

    /** Refuses what is no time; one that never ends is. */
    internal fun check() {
        fun refuse(
            name: String,
            found: Double,
            expected: String,
        ): Nothing = throw PolyspanError("invalid_option", "mobile.$name: $found is not usable; expected a number of seconds$expected")
        if (!(sessionInactivity >= 0)) refuse("sessionInactivity", sessionInactivity, ", or 0 for no sessions")
        if (!(sessionMaxAge > 0)) refuse("sessionMaxAge", sessionMaxAge, " above 0")
        if (!(backgroundTimeout >= 0)) refuse("backgroundTimeout", backgroundTimeout, "")
    }

    /** The sessions of an engine that has `known` ones so far: they go on where they are of the same times, since starting an
     * engine again ends no session. */
    internal fun sessions(known: Sessions?): Sessions? {
        if (sessionInactivity == 0.0) return null
        val (inactivity, maxAge) = (sessionInactivity * SECOND).toLong() to (sessionMaxAge * SECOND).toLong()
        if (known != null && known.inactivity == inactivity && known.maxAge == maxAge) return known
        val random = Ids.seeded()
        return Sessions(inactivity, maxAge, Clock::now) { Ids.hex(random.next()) + Ids.hex(random.next()) }
    }

    private companion object {
        const val SECOND = 1e9
    }
}

/** Which session it is: a new id after so long without a trace, and after so long in any case. */
internal class Sessions(
    val inactivity: Long,
    val maxAge: Long,
    private val now: () -> Long,
    private val newId: () -> String,
) {
    private var id = ""

    /** The session without touching it; `null` where none has begun. */
    val current: String? @Synchronized get() = id.ifEmpty { null }
    private var since = 0L

    private var last = 0L

    /** What traces of the current session inherit that begin outside of any context. */
    private var around: Ambient? = null

    /** The session of a trace that begins now. */
    @Synchronized
    fun touch(): String {
        val moment = now()
        if (id.isEmpty() || moment - last >= inactivity || moment - since >= maxAge) {
            id = newId()
            since = moment
            around = null
        }
        last = moment
        return id
    }

    /** What a trace of the current session inherits that begins inside `outer`. */
    @Synchronized
    fun around(outer: Ambient?): Ambient? {
        val id = touch()
        if (outer != null) return Ambient.ofSession(outer, id)
        return around ?: Ambient.ofSession(null, id).also { around = it }
    }

    /** The next trace begins a new one. */
    @Synchronized
    fun end() {
        id = ""
    }
}

/** What an app tells about its life. All of it may be called at any time, also before `init`. */
public object Mobile {
    private val backgrounds = AtomicBoolean()

    /** Whether the network costs nothing; one that nobody has told of may. */
    private var isFree = false

    /** The id of the current session; `null` where there is none. */
    @JvmStatic
    public val sessionId: String? get() = Registry.default?.sessions?.current

    /** Ends the current session, after a sign-out for example: the next trace begins a new one. */
    @JvmStatic
    public fun endSession() {
        Registry.default?.sessions?.end()
    }

    /**
     * The app leaves the foreground: delivers what there is within so many seconds, but what waits for another network.
     * Blocks; call it from a worker, or give `done`, which is run on another thread once everything is delivered or the
     * time is over.
     *
     * @return whether everything was delivered; true where `done` is given
     */
    @JvmStatic
    @JvmOverloads
    public fun onBackground(
        timeout: Double = -1.0,
        done: Runnable? = null,
    ): Boolean {
        val given = if (timeout >= 0) timeout else Registry.default?.mobile?.backgroundTimeout ?: 5.0
        // A platform that grants as much as is wanted says so by the largest number there is.
        val seconds = minOf(given, Timeouts.YEAR)
        if (done == null) return delivered(seconds)
        // One at a time: an app that comes and goes quickly needs no more.
        if (!backgrounds.compareAndSet(false, true)) {
            done.run()
            return true
        }
        val flush = {
            delivered(seconds)
            backgrounds.set(false)
            done.run()
        }
        Thread(null, flush, "polyspan-background").apply { isDaemon = true }.start()
        return true
    }

    /**
     * The network is another one: where spans wait for one that is not metered ([MobileOptions.unmeteredOnly]), they go by
     * themselves from now on, or wait.
     */
    @JvmStatic
    @Synchronized
    public fun onNetwork(isMetered: Boolean) {
        isFree = !isMetered
        for (recorder in Registry.recorders()) settle(recorder)
    }

    /** Has an engine that was just started wait, or one whose network has changed. */
    @Synchronized
    internal fun settle(recorder: Recorder) {
        if (recorder.mobile != null) Border.hold(recorder.engine, waits(recorder))
    }

    @Synchronized
    private fun waits(recorder: Recorder): Boolean = recorder.mobile?.unmeteredOnly == true && !isFree

    private fun delivered(seconds: Double): Boolean {
        val deadline = System.nanoTime() + (seconds * 1e9).toLong()
        return Polyspan.engines().fold(true) { fine, engine ->
            val left = maxOf(0, deadline - System.nanoTime()) / 1e9
            (if (waits(engine.recorder)) engine.stats().pending == 0L else isFlushed(engine, left)) && fine
        }
    }

    private fun isFlushed(
        engine: Engine,
        seconds: Double,
    ): Boolean =
        try {
            engine.flush(seconds)
            true
        } catch (error: PolyspanError) {
            Log.sayOnce("background ${error.code}", "not everything was delivered in the background: ${error.message}")
            false
        }
}
