// What one thread needs to record for one engine: its frame, counts, drawn roots, random numbers, and a share of the
// spans that may be open. Nothing of it is shared with other threads but what they hand in (`FrameWriter`).
//
// Virtual threads have one lane between several, under its monitor: there may be a million of them.

package dev.polyspan.internal

import dev.polyspan.Span
import java.nio.charset.StandardCharsets
import java.util.concurrent.atomic.AtomicLongArray

internal class Lane(
    @JvmField val recorder: Recorder,
    private val thread: java.lang.ref.WeakReference<Thread>?,
) {
    private val frame = FrameWriter(recorder, recorder.terms.slot)
    private val random = Random.seeded()

    /** Cumulative; written by this thread alone, read by whoever hands in. */
    private val counts = AtomicLongArray(Counts.ALL)

    /** How far the counts were handed in; guarded by the frame's monitor. */
    private val told = LongArray(Counts.ALL)

    private var roots = ByteArray(0)
    private var rootAt = 0

    /** Spans that may still be opened here before the recorder is asked. */
    private var permits = 0
    private var startedInEpoch = 0
    private lateinit var epoch: Epoch.Token

    val isShared: Boolean get() = thread == null

    /** Whether nobody will write here any more. */
    val isLeft: Boolean get() = thread != null && thread.get()?.isAlive != true

    fun count(
        place: Int,
        by: Int = 1,
    ) {
        if (isShared) counts.addAndGet(place, by.toLong()) else counts.lazySet(place, counts.get(place) + by)
        recorder.timer.arm()
    }

    /** Counts a span that is started and ended by what stands for it. */
    fun countFollower() = count(Counts.FOLLOWERS)

    fun id(): Long = exclusively { random.id() }

    private inline fun <R> exclusively(body: () -> R): R = if (isShared) synchronized(this) { body() } else body()

    /** Decides about a new trace; `null` where the engine has to be asked. */
    fun nextRoot(): Root? = exclusively { drawn() }

    private fun drawn(): Root? {
        if (rootAt >= roots.size) {
            roots = recorder.drawRoots()
            rootAt = 0
            if (roots.isEmpty()) return null
        }
        val bytes = roots
        val start = rootAt
        val decision = bytes[start + 16].toInt()
        val length = bytes[start + 17].toInt() and 0xff
        rootAt = start + 18 + length
        val state = if (length == 0) "" else String(bytes, start + 18, length, StandardCharsets.ISO_8859_1)
        // Sampled, and random as our ids are.
        val flags = if (decision == SAMPLE) 3 else 2
        return Root(Trace(Bytes.getId(bytes, start), Bytes.getId(bytes, start + 8), flags, state), decision != 0)
    }

    /** A permission for one open span; `null` where too many are open. */
    fun open(): Epoch.Token? = exclusively { permitted() }

    private fun permitted(): Epoch.Token? {
        if (permits == 0) permits = recorder.permits.take()
        if (permits == 0) return null
        permits--
        if (startedInEpoch == 0 || startedInEpoch == EPOCH) nextEpoch()
        startedInEpoch++
        epoch.epoch.opened()
        return epoch
    }

    private fun nextEpoch() {
        startedInEpoch = 0
        epoch = Epoch.Token(Epoch(this))
        recorder.permits.watch(epoch)
    }

    private fun closed(span: Span) {
        val token = span.token ?: return
        span.token = null
        token.epoch.closed(this)
        permits++
        if (permits > recorder.permits.most) permits -= recorder.permits.give(permits)
    }

    /** Takes in a span that has ended. */
    fun ended(span: Span) = exclusively { finished(span) }

    private fun finished(span: Span) {
        closed(span)
        frame.span(span)
        written()
    }

    /** Takes in what metrics count of a span that did not record. */
    fun leftOut(span: Span) =
        exclusively {
            frame.unsampled(span)
            written()
        }

    /** Takes in what an open span is by now. */
    fun updated(span: Span) =
        exclusively {
            frame.update(span)
            written()
        }

    private fun written() {
        if (frame.isFull) {
            handIn()
            frame.reset()
        } else {
            recorder.timer.arm()
        }
    }

    /** Hands in what there is. By any thread; what another is handing in meanwhile has arrived when this returns, or a
     * flush could overtake it. Whether there was anything. */
    fun handIn(): Boolean =
        synchronized(frame) {
            var said = false
            frame.handIn { bytes, from, length, spans ->
                recorder.submit(bytes, from, length, spans, since())
                said = true
            }
            if (!said && hasCounted()) {
                recorder.submit(NONE, 0, 0, 0, since())
                said = true
            }
            said
        }

    /** Gives back what the thread held that is gone. */
    fun leave() {
        handIn()
        val held = permits
        permits = 0
        recorder.permits.giveBack(held)
    }

    private fun hasCounted(): Boolean {
        for (place in 0 until Counts.ALL) if (counts.get(place) != told[place]) return true
        return false
    }

    /** What was counted since the last time, as the engine has it. */
    private fun since(): LongArray {
        val more = LongArray(Counts.ALL)
        for (place in 0 until Counts.ALL) {
            val now = counts.get(place)
            more[place] = now - told[place]
            told[place] = now
        }
        more[Counts.NOT_RECORDING] += more[Counts.FOLLOWERS]
        more[Counts.UNSAMPLED] += more[Counts.FOLLOWERS]
        return more
    }

    private companion object {
        /** Starts after which spans that were never ended are looked for. */
        const val EPOCH = 256
        const val SAMPLE = 2
        val NONE = ByteArray(0)
    }
}

/** A new trace, and whether its spans record. */
internal class Root(
    @JvmField val trace: Trace,
    @JvmField val records: Boolean,
)
