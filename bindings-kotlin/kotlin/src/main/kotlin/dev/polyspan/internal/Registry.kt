// The engines that this process runs, each with its recorder.

package dev.polyspan.internal

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.concurrent.CopyOnWriteArrayList

internal object Registry {
    private val running = CopyOnWriteArrayList<Recorder>()

    /** Recorders whose objects may be gone, whose numbers are released then. */
    private val kept = HashSet<Kept>()
    private val gone = ReferenceQueue<Recorder>()

    private class Kept(
        recorder: Recorder,
        queue: ReferenceQueue<Recorder>,
    ) : PhantomReference<Recorder>(recorder, queue) {
        val engine = recorder.engine
    }

    /** The recorder of the default engine. */
    @Volatile
    private var chosen: Recorder? = null

    /** The recorder of the default engine; `null` where none runs. */
    val default: Recorder?
        get() {
            val found = chosen
            return if (found != null && found.stopped) findDefault() else found
        }

    /** Whether the application chooses the engine of each trace. */
    @Volatile
    var selects = false

    fun recorders(): List<Recorder> = running

    /** The recorder of an engine that was just started or found. Takes over the number. */
    @Synchronized
    fun recorderFor(engine: Long): Recorder {
        val fresh = Recorder(engine)
        for (known in running) {
            if (known.name != fresh.name) continue
            if (known.terms.slot == fresh.terms.slot && !known.stopped) {
                Jni.release(engine)
                return known
            }
            running.remove(known)
        }
        running.add(fresh)
        kept.add(Kept(fresh, gone))
        while (true) {
            val left = gone.poll() as Kept? ?: break
            if (kept.remove(left)) Jni.release(left.engine)
        }
        return fresh
    }

    /** The recorder of the engine of that name, or of the default one. */
    fun find(name: String?): Recorder? {
        if (!Library.isLoaded) return null
        val engine = Jni.engine(name?.toByteArray())
        return if (engine == 0L) null else recorderFor(engine)
    }

    /** The recorder of the engine with that number. */
    fun ofSlot(slot: Int): Recorder? = running.find { it.terms.slot == slot && !it.stopped }

    /** Looks for the default engine anew. */
    @Synchronized
    fun findDefault(): Recorder? {
        for (known in running) if (known.stopped) running.remove(known)
        chosen = find(null)
        return chosen
    }

    /** An engine is to stop: the default one is looked for anew once it has. */
    @Synchronized
    fun forget(recorder: Recorder) {
        recorder.stop()
        running.remove(recorder)
        if (chosen === recorder) chosen = null
    }

    /** Hands in what every thread has written. */
    fun handIn() = running.forEach { it.handIn() }
}
