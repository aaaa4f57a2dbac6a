// The end of the process loses nothing that had ended, within the engines' exit bound.

package dev.polyspan.internal

internal object Exit {
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
            Jni.exit()
        } catch (error: Throwable) {
            Log.say("polyspan: the last spans could not be delivered: $error")
        }
    }
}
