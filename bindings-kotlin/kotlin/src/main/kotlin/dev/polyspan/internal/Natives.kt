// What of the native library is seldom needed, through the generated interface (`dev.polyspan.internal.ffi`), which
// needs JNA and is loaded with the first call: logs, the memory exporter, records for processors of the OpenTelemetry
// SDK. `Plan` starts engines with code of the application.

package dev.polyspan.internal

import dev.polyspan.EngineSelector
import dev.polyspan.PolyspanError
import dev.polyspan.choiceOf
import dev.polyspan.internal.ffi.Ambient as FfiAmbient
import dev.polyspan.internal.ffi.NativeEngine
import dev.polyspan.internal.ffi.NativeMemory
import dev.polyspan.internal.ffi.ambientOfHandle
import dev.polyspan.internal.ffi.engineOfHandle
import dev.polyspan.internal.ffi.logEnabled
import dev.polyspan.internal.ffi.recordLog
import dev.polyspan.internal.ffi.setDefaultEngine
import dev.polyspan.internal.ffi.RootSelector
import dev.polyspan.internal.ffi.setLogLevel
import dev.polyspan.internal.ffi.setSelector
import dev.polyspan.internal.ffi.version
import java.nio.ByteBuffer

internal object Natives {
    private const val LIBRARY = "uniffi.component.polyspan_uniffi.libraryOverride"

    /** Has the generated interface take the library that is loaded already: it reads the property when it is loaded itself.
     * The property is the process's, and another copy of these classes may have loaded another file. */
    private val ready: Unit by lazy {
        Library.load()
        val file = Library.file
        if (file != null) {
            synchronized(System.getProperties()) {
                val isOurs = System.getProperty(LIBRARY) == null
                if (isOurs) System.setProperty(LIBRARY, file)
                try {
                    version()
                } finally {
                    if (isOurs) System.clearProperty(LIBRARY)
                }
            }
        }
    }

    /** Runs a call of the generated interface; its errors are ours. */
    inline fun <R> call(run: () -> R): R {
        try {
            ready
            return run()
        } catch (error: dev.polyspan.internal.ffi.PolyspanException) {
            if (error is dev.polyspan.internal.ffi.PolyspanException.Failed) throw PolyspanError.of(error.code, error.text)
            throw PolyspanError("internal", error.toString())
        } catch (error: LinkageError) {
            throw PolyspanError("resource", "library: the generated interface cannot be loaded, which needs JNA: $error")
        }
    }

    /** Bytes as the generated interface takes them: outside the heap, from their beginning. */
    fun direct(bytes: ByteArray): ByteBuffer = ByteBuffer.allocateDirect(bytes.size).put(bytes).flip()

    private val nothing = ByteArray(0)

    /** An engine for the generated interface; kept by who asks. */
    fun engine(number: Long): NativeEngine? = call { engineOfHandle(number) }

    private fun ambient(ambient: Ambient?): FfiAmbient? = ambient?.let { ambientOfHandle(it.number) }

    fun resource(engine: Long): Map<String, Any?> = engine(engine)?.use { found -> call { Values.readMap(found.resource()) } } ?: emptyMap()

    fun setDefault(name: String) = call { setDefaultEngine(name) }

    fun setSelector(selector: EngineSelector?) =
        call {
            setSelector(
                selector?.let {
                    object : RootSelector {
                        override fun choose(about: ByteArray): String = choiceOf(it, about)
                    }
                },
            )
        }

    fun memory(capacity: Int): NativeMemory = call { NativeMemory(capacity) }

    fun logEnabled(
        recorder: Recorder,
        severity: Int,
    ): Boolean = call { logEnabled(recorder.native, severity) }

    fun log(
        recorder: Recorder,
        severity: Int,
        said: ByteArray,
        span: ByteArray?,
        around: Ambient?,
    ): Boolean =
        call {
            val ambient = ambient(around)
            try {
                recordLog(recorder.native, severity, direct(said), direct(span ?: nothing), ambient)
            } finally {
                ambient?.close()
            }
        }

    fun setLogLevel(level: String) = call { setLogLevel(null, level) }

    /** What the body of a span's event says, redacted and limited unless it is to be `raw`; `null` where that fails. */
    fun record(
        recorder: Recorder,
        body: ByteArray,
        raw: Boolean,
    ): Map<String, Any?>? = call { recorder.native?.record(direct(body), raw) }?.let(Values::readMap)
}
