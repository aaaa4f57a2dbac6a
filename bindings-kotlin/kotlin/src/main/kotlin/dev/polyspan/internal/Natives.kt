// What of the native library is needed besides the span path (`Jni`): contexts, propagation, spans about which the
// engine has to be asked, logs, engines with code of the application. It is loaded with the first call that needs it.

package dev.polyspan.internal

/** A span that the engine started. */
internal class Started(
    /** The number of its engine; `null` where no engine runs. */
    val slot: Int?,
    /** Its identity for others. */
    val context: ByteArray,
    /** The body of its event so far; `null` where it does not record. */
    val body: ByteArray?,
    /** What spans inside inherit, where that is not what surrounds the span. */
    val ambient: Ambient?,
)

/** What stood in a carrier. */
internal data class Brought(
    val context: ByteArray?,
    /** Key, value, properties, and so on. */
    val baggage: List<String>,
    /** Ids for everything inside, as names and values in turn. */
    val ids: List<String>,
    /** How much was malformed: of traceparent, tracestate and baggage. */
    val refused: List<Int>,
)

/** Fields for a carrier, as names and values in turn, and how much baggage they cannot carry. */
internal data class Injected(
    val headers: List<String>,
    val refused: Int,
)

/** What the generated interface offers. */
internal interface Rest {
    fun surround(
        outer: Ambient?,
        added: ByteArray,
    ): Pair<Ambient, Int>

    fun inherited(
        recorder: Recorder,
        ambient: Ambient,
    ): Beginning

    fun baggage(ambient: Ambient): List<String>

    fun start(
        recorder: Recorder?,
        described: ByteArray,
        parent: ByteArray?,
        ambient: Ambient?,
        request: ByteArray?,
        traceId: String?,
    ): Started?

    fun extract(
        recorder: Recorder?,
        names: List<String>,
        values: List<ByteArray>,
    ): Brought

    fun inject(
        recorder: Recorder?,
        context: ByteArray?,
        ambient: Ambient?,
    ): Injected

    fun carrierFields(recorder: Recorder?): List<String>
}

internal object Natives {
    /** `null` where the library cannot be loaded, which is said once: the application goes on without. */
    val rest: Rest? by lazy { null }
}
