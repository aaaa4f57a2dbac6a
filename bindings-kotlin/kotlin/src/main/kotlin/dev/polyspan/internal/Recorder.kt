// Where the spans of one engine go when they end: a lane for each thread, with counts beside them. What a lane keeps is
// handed in when it is much, a moment after its first span, and whenever somebody flushes; it is written into a frame
// then, which crosses into native code whole.

package dev.polyspan.internal

import dev.polyspan.MobileOptions
import dev.polyspan.Sessions
import dev.polyspan.Span
import dev.polyspan.internal.ffi.NativeEngine
import java.lang.ref.WeakReference
import java.nio.charset.StandardCharsets
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger

/** Roots drawn at once. */
private const val BLOCK = 128

/** Lanes of virtual threads. */
private const val SHARED = 8

/** What the engine answers: bits. */
private const val PRESSED = 2
private const val STOPPED = 4
private const val SAYS = 8

internal class Recorder(
    /** The engine for the native library. */
    @JvmField val engine: Long,
) : Governed {
    val name: String = String(Jni.name(engine) ?: Content.NO_BYTES, StandardCharsets.UTF_8)
    override val terms: Terms = Terms(Jni.terms(engine)?.let(Values::readMap) ?: emptyMap())
    val permits = Permits(terms.openSpans)
    val waiting = Waiting()

    /** Who is told of each span that records, where anybody is. A field for all, as that of sessions: the compiler leaves a
     * call where a type of the signature is not loaded. */
    @Volatile
    @JvmField
    var observer: Observer? = null

    /** How the app lives, where it is one on a phone. */
    @Volatile
    var mobile: MobileOptions? = null

    @Volatile
    @JvmField
    var sessions: Sessions? = null

    @Volatile
    var stopped = false
        private set

    @Volatile
    private var pressed = false
    val isPressed: Boolean get() = pressed

    /** Whether lines of the engine wait to be shown. */
    @Volatile
    private var says = false

    /** The engine for the generated interface. */
    val native: NativeEngine?
        @Synchronized get() {
            if (!isAsked) {
                found = Natives.engine(engine)
                isAsked = true
            }
            return found
        }

    private var isAsked = false
    private var found: NativeEngine? = null

    private val none = Border.inherited(engine, null)

    /** Whether nothing has to be looked at for a span that is given nothing special, in no context: whether it records is
     * its root's to say. */
    @JvmField
    val isPlain: Boolean = terms.hidesNothing && !none.asks && terms.localParent == LocalParent.INHERIT
    private val lanes = ConcurrentLinkedQueue<Lane>()
    private val shared = arrayOfNulls<Lane>(SHARED)
    private val turns = AtomicInteger()
    val timer: Timer get() = Timer

    fun drawRoots(): ByteArray {
        val draws = terms.drawsRoots && !pressed && !stopped
        return if (draws) Jni.drawRoots(engine, BLOCK) ?: Content.NO_BYTES else Content.NO_BYTES
    }

    fun newLane(): Lane {
        val thread = Thread.currentThread()
        val isVirtual = Platform.mayHaveVirtualThreads() && Virtual.isOne(thread)
        if (!isVirtual) return Lane(this, WeakReference(thread)).also(lanes::add)
        val place = Math.floorMod(turns.getAndIncrement(), SHARED)
        return synchronized(shared) {
            shared[place] ?: Lane(this, null).also {
                shared[place] = it
                lanes.add(it)
            }
        }
    }

    /** What spans inside begin with. */
    override fun inherited(around: Ambient?): Beginning = if (around == null) none else around.beginning(this)

    override fun altered(by: Int) = count(Counts.ALTERED, by)

    override fun limited(by: Int) = count(Counts.LIMITED, by)

    fun count(
        place: Int,
        by: Int = 1,
    ) = Here.get().lane(this).count(place, by)

    /** Takes in a span that has ended, in that thread. */
    fun ended(
        span: Span,
        here: Here,
    ) {
        here.lane(this).ended(span)
        say()
    }

    fun leftOut(span: Span) {
        Here.get().lane(this).leftOut(span)
        say()
    }

    /** Takes in what an open span is by now; under its lock, so `say` is for after. */
    fun updated(span: Span) = Here.get().lane(this).updated(span)

    /** Hands in the beginning of an array as a frame; under the monitor of that frame. */
    fun submit(
        bytes: ByteArray,
        length: Int,
        spans: Int,
        counts: LongArray,
    ) {
        val answer = Jni.submit(engine, bytes, length, spans, counts)
        pressed = answer and PRESSED != 0
        if (answer and STOPPED != 0) stopped = true
        if (answer and SAYS != 0) says = true
    }

    /** Shows the engine's own lines, where there are any: the application's logger may record spans itself, so nothing is
     * locked or half done meanwhile. */
    fun say() {
        if (!says) return
        says = false
        EngineLog.sayWaiting()
    }

    /** Hands in what all threads have. Whether there was anything. */
    fun handIn(): Boolean {
        var found = false
        for (lane in lanes) {
            // Asked first: what it wrote before it ended is there then.
            val left = lane.isLeft
            if (lane.handIn()) found = true
            if (left && lanes.remove(lane)) lane.leave()
        }
        say()
        return found
    }

    /** Waits until every span that had ended is delivered or given up. */
    fun flush(seconds: Double) = Border.check(Jni.flush(engine, seconds))

    fun shutdown(seconds: Double) = Border.check(Jni.shutdown(engine, seconds))

    /** A number for an instrumentation scope. */
    fun scope(
        name: String,
        version: String,
        schemaUrl: String,
    ): Int = Jni.scope(engine, name.toByteArray(), version.toByteArray(), schemaUrl.toByteArray())

    fun stats(): Map<String, Any?> = Jni.stats(engine)?.let(Values::readMap) ?: emptyMap()

    fun resource(): Map<String, Any?> = Natives.resource(engine)

    fun stop() {
        stopped = true
    }
}

/** Virtual threads, where this Java has them: looking for the method costs others a millisecond. */
private object Virtual {
    private val asks: java.lang.reflect.Method? =
        try {
            Thread::class.java.getMethod("isVirtual")
        } catch (_: NoSuchMethodException) {
            null
        }

    fun isOne(thread: Thread): Boolean = asks?.invoke(thread) == true
}

/** Code of the application that is told of spans while they are at hand. */
internal interface Observer {
    fun started(
        span: Span,
        slot: Slot?,
    )

    fun ending(span: Span)

    fun ended(span: Span)

    /** The engine stops: has its processors begin to; tells within so many seconds whether they are done. */
    fun shutdown(): (Double) -> Boolean
}
