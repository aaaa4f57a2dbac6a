// Spans that have ended and are not yet written. A thread that ends spans only keeps them: what writes them is the timer,
// or whoever flushes (`Lane`).

package dev.polyspan.internal

import dev.polyspan.Span
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong

/**
 * Ended spans of one lane, in their order. The lane adds to it, one thread at a time takes out of it. A full one is left
 * for the next, and is never added to again.
 */
internal class Batch {
    @JvmField val spans = arrayOfNulls<Span>(Full.SPANS)

    /** How many are there to be taken. */
    @JvmField val filled = AtomicInteger()

    /** What they keep of the application's; of the lane alone until there is a next one. */
    @JvmField var bytes = 0L

    @Volatile
    @JvmField var next: Batch? = null
}

internal object Full {
    /** Spans after which a batch is full. */
    const val SPANS = 512

    /** Bytes after which it is. */
    const val BYTES = 256L * 1024
}

/** What may wait so. */
private const val MOST_BATCHES = 32
private const val MOST_BYTES = 8L * 1024 * 1024

/** How much waits in the full batches of all threads. */
internal class Waiting {
    private val batches = AtomicInteger()
    private val bytes = AtomicLong()

    /** Whether there is room for another batch besides these; it is counted either way. */
    fun add(batch: Batch): Boolean {
        val before = batches.getAndIncrement()
        return bytes.addAndGet(batch.bytes) <= MOST_BYTES && before < MOST_BATCHES
    }

    fun remove(batch: Batch) {
        batches.getAndDecrement()
        bytes.addAndGet(-batch.bytes)
    }
}
