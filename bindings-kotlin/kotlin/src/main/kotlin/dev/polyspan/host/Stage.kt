// The host stage: a thread that pulls the engine's jobs and runs the application's code. It starts when there is the
// first job; where it hangs in one, the engine calls for another, so that everybody else's code goes on.

package dev.polyspan.host

import dev.polyspan.internal.Here
import dev.polyspan.internal.Log
import dev.polyspan.internal.MUTED
import dev.polyspan.internal.Natives
import dev.polyspan.internal.ffi.HostCaller
import dev.polyspan.internal.ffi.NativeJob
import dev.polyspan.internal.ffi.NativeWorker
import dev.polyspan.internal.ffi.hostEnter
import dev.polyspan.internal.ffi.hostExit
import dev.polyspan.internal.ffi.hostForgotten
import dev.polyspan.internal.ffi.hostNumber
import dev.polyspan.internal.ffi.hostOpen
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.WeakHashMap
import java.util.concurrent.ConcurrentHashMap

internal object Stage {
    /** How long the thread waits for a job before it looks around, in seconds. */
    private const val WAIT = 1.0

    private val handlers = ConcurrentHashMap<Int, Handler>()
    private val numbers = WeakHashMap<Any, Int>()

    @Volatile
    private var isOpen = false

    /** Whether there is code of the application to run. */
    val isUsed: Boolean get() = isOpen

    /** Has the jobs of a handler run here; its number. */
    @Synchronized
    fun register(handler: Handler): Int {
        if (!isOpen) {
            Natives.call { hostOpen(Caller) }
            isOpen = true
        }
        for (forgotten in Natives.call { hostForgotten() }) handlers.remove(forgotten)
        val number = Natives.call { hostNumber() }
        handlers[number] = handler
        return number
    }

    /** The number of an object of the application in this process. */
    @Synchronized
    fun numberOf(given: Any): Int = numbers.getOrPut(given) { Natives.call { hostNumber() } }

    /** When the process ends: runs what is left, within the engines' bounds. */
    fun exit(seconds: Double) = Natives.call { hostExit(seconds) }

    private object Caller : HostCaller {
        /** The engine calls at most once a second; whoever is one too many is turned away at once. */
        override fun call() =
            Thread(null, ::pull, "polyspan-host").run {
                isDaemon = true
                start()
            }
    }

    private fun pull() {
        // What this code records itself would be exported by what it records.
        Here.inside(MUTED) {
            val worker = Natives.call { hostEnter() } ?: return
            worker.use { while (!it.hasLeft()) work(it) }
        }
    }

    private fun work(worker: NativeWorker) {
        val job = worker.next(WAIT) ?: return
        job.use {
            val handler = handlers[it.target()]
            try {
                if (handler == null) it.done() else handler.run(Crossing(it))
            } catch (error: Throwable) {
                // The job is dropped unanswered, which counts as failed.
                Log.sayOnce("host stage", "the host stage failed: $error")
            }
        }
    }
}

/** A job through the generated interface. */
private class Crossing(
    private val job: NativeJob,
) : Job {
    override val task: String = job.task()
    override val target: Int get() = job.target()
    override val spans: Int get() = job.spans()

    override fun records(): ByteArray = job.records()

    override fun done() = job.done()

    override fun judge(
        verdicts: ByteArray,
        changes: List<ByteArray>,
        failures: Int,
    ): String? {
        val joined = ByteBuffer.allocate(changes.sumOf { 4 + it.size }).order(ByteOrder.LITTLE_ENDIAN)
        for (change in changes) joined.putInt(change.size).put(change)
        return job.judge(Natives.direct(verdicts), Natives.direct(joined.array()), failures)
    }

    override fun delivered(
        rejected: Int,
        failed: Int,
        unknown: Int,
        failures: Int,
    ) = job.delivered(rejected, failed, unknown, failures)
}
