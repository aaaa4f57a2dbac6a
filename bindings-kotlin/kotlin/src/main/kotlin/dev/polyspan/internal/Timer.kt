// The one thread that writes what others have recorded and hands it in, a moment after they did. It starts with the first
// span and sleeps when nothing comes.

package dev.polyspan.internal

import java.util.concurrent.locks.LockSupport

internal object Timer {
    /** How long the first span of a frame waits for others, in nanoseconds. */
    private const val DELAY = 50_000_000L

    /** Turns without anything to hand in after which the thread sleeps until it is called. */
    private const val IDLE = 20

    /** Whether nobody looks; written by the thread itself and whoever calls it. */
    @Volatile
    private var sleeps = true

    @Volatile
    private var thread: Thread? = null

    /** Sees to it that what was recorded is handed in within about `DELAY`. */
    fun arm() {
        if (sleeps) wake()
    }

    /** Has it look at once; false where there is no such thread. */
    fun hurry(): Boolean {
        val running = thread ?: return false
        LockSupport.unpark(running)
        return true
    }

    @Synchronized
    private fun wake() {
        if (!sleeps) return
        sleeps = false
        val running = thread
        if (running == null) start() else LockSupport.unpark(running)
    }

    private fun start() {
        try {
            thread =
                Thread(null, ::run, "polyspan-flush", STACK).apply {
                    isDaemon = true
                    contextClassLoader = null
                    start()
                }
        } catch (_: Throwable) {
            // A process that may have no more threads: spans still go when they are many, and by `flush`.
            sleeps = true
            Log.sayOnce("timer", "no thread could be started; spans are handed in when they are many, and by flush alone")
        }
    }

    private fun run() {
        var idle = 0
        while (true) {
            LockSupport.parkNanos(this, DELAY)
            Clock.reAnchor()
            idle = if (handIn()) 0 else idle + 1
            if (idle < IDLE) continue
            sleeps = true
            // Who wrote before that was to be seen is handed in by this turn; who did after it wakes us.
            LockSupport.parkNanos(this, DELAY)
            if (!handIn()) while (sleeps) LockSupport.park(this) else sleeps = false
            idle = 0
        }
    }

    private fun handIn(): Boolean =
        try {
            Registry.recorders().fold(false) { found, recorder -> recorder.handIn() || found }
        } catch (error: Throwable) {
            Log.sayOnce("timer", "handing in spans failed: $error")
            false
        }

    private const val STACK = 256L * 1024
}
