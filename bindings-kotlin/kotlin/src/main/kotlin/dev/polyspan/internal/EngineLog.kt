// The engine's own lines, which wait in the native library until somebody shows them.

package dev.polyspan.internal

internal object EngineLog {
    fun sayWaiting() {
        val lines = Values.read(Jni.takeLog()) as? List<*> ?: return
        for (line in lines) Log.say(line.toString())
    }
}
