// How many spans of an engine are open, over all threads, and which of those that never ended are gone.
//
// Threads take permissions in batches, so that they do not wait for each other's memory; spans that were dropped
// without being ended are found by the collector, some hundred at a time.

package dev.polyspan.internal

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong

/** Spans that started together in one lane: who is left in memory tells how many of them can still end. */
internal class Epoch(
    private val lane: Lane,
) {
    /** Opened less closed in the lane, which needs no more than to be seen by and by. */
    private var here = 0
    private val closedElsewhere = AtomicInteger()

    fun opened() {
        here++
    }

    fun closed(by: Lane) {
        if (by === lane) here-- else closedElsewhere.incrementAndGet()
    }

    val left: Int get() = here - closedElsewhere.get()

    /** What every open span of an epoch holds. */
    class Token(
        @JvmField val epoch: Epoch,
    )
}

/** Into how many parts the limit is divided at least. */
private const val SHARES = 1024
private const val BATCH = 64

internal class Permits(
    limit: Int,
) {
    /** Permissions that no thread has. */
    private val free = AtomicLong(limit.toLong())

    /** How many are taken at once: few of few. */
    private val batch = minOf(maxOf(1, limit / SHARES), BATCH)

    /** More than so many a thread gives back. */
    val most: Int = batch * 2

    private val gone = ReferenceQueue<Epoch.Token>()

    /** The latest of those that are watched, a list: a set would have the virtual machine find a hash for each. */
    private var watched: Watch? = null

    private class Watch(
        token: Epoch.Token,
        queue: ReferenceQueue<Epoch.Token>,
    ) : PhantomReference<Epoch.Token>(token, queue) {
        @JvmField val epoch = token.epoch

        @JvmField var before: Watch? = null

        @JvmField var after: Watch? = null
    }

    fun take(): Int {
        while (true) {
            val left = free.get()
            if (left == 0L) {
                if (collect() == 0L) return 0
                continue
            }
            val taken = minOf(batch.toLong(), left)
            if (free.compareAndSet(left, left - taken)) return taken.toInt()
        }
    }

    /** Gives back some of what a thread has; how many. */
    fun give(has: Int): Int {
        val back = has - batch
        free.addAndGet(back.toLong())
        return back
    }

    fun giveBack(count: Int) {
        free.addAndGet(count.toLong())
    }

    fun watch(token: Epoch.Token) {
        add(Watch(token, gone))
        collect()
    }

    @Synchronized
    private fun add(watch: Watch) {
        val last = watched
        watch.before = last
        if (last != null) last.after = watch
        watched = watch
    }

    @Synchronized
    private fun remove(watch: Watch) {
        val before = watch.before
        val after = watch.after
        if (before != null) before.after = after
        if (after != null) after.before = before else watched = before
        watch.before = null
        watch.after = null
    }

    @Synchronized
    private fun count(): Long {
        var found = 0L
        var watch = watched
        while (watch != null) {
            found += watch.epoch.left
            watch = watch.before
        }
        return found
    }

    /** Takes back the permissions of spans that are gone; how many. */
    private fun collect(): Long {
        var back = 0L
        while (true) {
            val watch = gone.poll() as Watch? ?: break
            remove(watch)
            back += watch.epoch.left
        }
        if (back > 0) free.addAndGet(back)
        return back
    }

    /** Spans that are open and can still end. */
    val open: Long
        get() {
            collect()
            return count()
        }
}
