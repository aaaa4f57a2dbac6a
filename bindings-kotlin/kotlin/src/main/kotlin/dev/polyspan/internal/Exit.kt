// The end of the process loses nothing that had ended, within the engines' exit bound.

package dev.polyspan.internal

import dev.polyspan.host.Stage

internal object Exit {
    /** How long code of the application may go on after the engines have ended, in seconds. */
    private const val GRACE = 0.5

    private var isArmed = false

    /** Called by each `init`: nothing is registered before. */
    @Synchronized
    fun arm() {
        if (isArmed) return
        isArmed = true
        try {
            Runtime.getRuntime().addShutdownHook(Thread(null, ::leave, "polyspan-exit"))
        } catch (_: IllegalStateException) {
            // The process ends already.
        }
    }

    private fun leave() {
        try {
            Registry.handIn()
            if (Stage.isUsed) Stage.exit(GRACE) else Jni.exit()
        } catch (error: Throwable) {
            Log.say("polyspan: the last spans could not be delivered: $error")
        }
    }
}
