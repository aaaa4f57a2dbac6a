// What one thread needs to record for one engine: the spans it has ended, counts, drawn roots, random numbers, and a
// share of the spans that may be open.
//
// The thread only keeps ended spans, in batches. Whoever hands in writes them, under the monitor of the frame: the timer,
// a flush, and the thread itself where too many wait already, so that it pays for what it records faster than the timer
// can write. Virtual threads have one lane between several, under its own monitor: there may be a million of them.

package dev.polyspan.internal

import dev.polyspan.Span
import java.nio.charset.StandardCharsets
import java.util.concurrent.atomic.AtomicLongArray

/** Starts after which spans that were never ended are looked for. */
private const val EPOCH = 256

/** What is decided about a root: that it is sampled. */
private const val SAMPLE = 2

internal class Lane(
    @JvmField val recorder: Recorder,
    private val thread: java.lang.ref.WeakReference<Thread>?,
) : Governed {
    private val frame = FrameWriter(this, recorder.terms.slot)

    /** Where ended spans are kept, and how many are there. */
    private var filling = Batch()
    private var filled = 0

    /** Where those begin that are not written; guarded by the frame's monitor, as all that follows. */
    private var emptying = filling
    private var emptied = 0

    /** What writing has counted. */
    private val found = LongArray(Counts.ALL)

    /** How far the counts were handed in. */
    private val told = LongArray(Counts.ALL)
    private val random = Random(Jni.seed())

    /** Cumulative; written by this thread alone, read by whoever hands in. */
    private val counts = AtomicLongArray(Counts.ALL)

    private var roots = Content.NO_BYTES
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

    /** Gives back a permission that no span has taken. */
    fun closed(token: Epoch.Token) = exclusively { gaveBack(token) }

    private fun closed(span: Span) {
        val token = span.token ?: return
        span.token = null
        gaveBack(token)
    }

    private fun gaveBack(token: Epoch.Token) {
        token.epoch.closed(this)
        permits++
        if (permits > recorder.permits.most) permits -= recorder.permits.give(permits)
    }

    /** Takes in a span that has ended. */
    fun ended(span: Span) = exclusively { finished(span) }

    private fun finished(span: Span) {
        closed(span)
        val batch = filling
        val at = filled
        batch.spans[at] = span
        batch.bytes += span.weight
        filled = at + 1
        batch.filled.lazySet(at + 1)
        if (at + 1 == Full.SPANS || batch.bytes >= Full.BYTES) full(batch) else recorder.timer.arm()
    }

    private fun full(batch: Batch) {
        val next = Batch()
        val hasRoom = recorder.waiting.add(batch)
        filling = next
        filled = 0
        batch.next = next
        recorder.timer.arm()
        // Of an engine that has stopped the timer knows nothing any more.
        if (!hasRoom || recorder.stopped || !recorder.timer.hurry()) handIn()
    }

    /** Takes in what metrics count of a span that did not record. */
    fun leftOut(span: Span) = writes { frame.unsampled(span) }

    /** Takes in what an open span is by now. */
    fun updated(span: Span) = writes { frame.update(span) }

    private inline fun writes(event: () -> Unit) {
        synchronized(frame) {
            settle()
            event()
            if (frame.isFull) submit()
        }
        recorder.timer.arm()
    }

    /** Hands in what there is. By any thread; what another is handing in meanwhile has arrived when this returns, or a
     * flush could overtake it. Whether there was anything. */
    fun handIn(): Boolean =
        synchronized(frame) {
            val wrote = settle()
            if (submit() || wrote) return true
            if (!hasCounted()) return false
            recorder.submit(Content.NO_BYTES, 0, 0, since())
            true
        }

    /** Writes the spans that have ended by now, and hands in each frame that is full. Whether there were any. */
    private fun settle(): Boolean {
        var last = emptying
        while (true) last = last.next ?: break
        val most = last.filled.get()
        var any = false
        while (true) {
            val batch = emptying
            // What was left for the next one has all of it.
            val until = if (batch === last) most else batch.filled.get()
            while (emptied < until) {
                write(batch)
                any = true
            }
            if (batch === last) return any
            recorder.waiting.remove(batch)
            emptying = batch.next ?: return any
            emptied = 0
        }
    }

    private fun write(batch: Batch) {
        val at = emptied++
        val span = batch.spans[at] ?: return
        batch.spans[at] = null
        frame.span(span)
        span.forget()
        if (frame.isFull) submit()
    }

    private fun submit(): Boolean = frame.handIn { bytes, length, spans -> recorder.submit(bytes, length, spans, since()) }

    override val terms: Terms get() = recorder.terms

    override fun inherited(around: Ambient?): Beginning = recorder.inherited(around)

    override fun altered(by: Int) {
        found[Counts.ALTERED] += by.toLong()
    }

    override fun limited(by: Int) {
        found[Counts.LIMITED] += by.toLong()
    }

    /** Gives back what the thread held that is gone. */
    fun leave() {
        handIn()
        val held = permits
        permits = 0
        recorder.permits.giveBack(held)
    }

    private fun hasCounted(): Boolean {
        for (place in 0 until Counts.ALL) if (counts.get(place) + found[place] != told[place]) return true
        return false
    }

    /** What was counted since the last time, as the engine has it. */
    private fun since(): LongArray {
        val more = LongArray(Counts.ALL)
        for (place in 0 until Counts.ALL) {
            val now = counts.get(place) + found[place]
            more[place] = now - told[place]
            told[place] = now
        }
        more[Counts.NOT_RECORDING] += more[Counts.FOLLOWERS]
        more[Counts.UNSAMPLED] += more[Counts.FOLLOWERS]
        return more
    }
}

/** A new trace, and whether its spans record. */
internal class Root(
    @JvmField val trace: Trace,
    @JvmField val records: Boolean,
)
