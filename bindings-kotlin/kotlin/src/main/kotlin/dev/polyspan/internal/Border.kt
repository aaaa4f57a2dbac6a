// Contexts, propagation, and spans about which the engine has to be asked: what `Jni` offers, as Kotlin has it.
//
// All of it answers with nothing where the library is not loaded, which is before the first `init`: an application goes
// on without.

package dev.polyspan.internal

import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.util.concurrent.ConcurrentHashMap

/** A span that the engine started. */
internal class Started(
    told: Map<String, Any?>,
) {
    /** The number of its engine; `null` where no engine runs. */
    val slot: Int? = (told["slot"] as? Long)?.toInt()

    /** Its identity for others. */
    val context: ByteArray = told["context"] as? ByteArray ?: Ids.contextBytes(Trace.NONE, 0, false)

    /** The body of its event so far; `null` where it does not record. */
    val body: ByteArray? = told["body"] as? ByteArray

    /** What spans inside inherit, where that is not what surrounds the span. */
    val ambient: Ambient? = (told["ambient"] as? Long)?.let(Border::ambient)
}

/** What stood in a carrier. */
internal class Brought(
    told: Map<String, Any?>,
) {
    val context: ByteArray? = told["context"] as? ByteArray

    /** Key, value, properties, and so on. */
    val baggage: List<String> = Border.texts(told["baggage"])

    /** Ids for everything inside, as names and values in turn. */
    val ids: List<String> = Border.texts(told["ids"])

    /** How much was malformed: of traceparent, tracestate and baggage. */
    val refused: List<Long> = (told["refused"] as? List<*>)?.filterIsInstance<Long>() ?: emptyList()
}

/** Fields for a carrier, as names and values in turn, and how much baggage they cannot carry. */
internal class Written(
    told: Map<String, Any?>,
) {
    val headers: List<String> = Border.texts(told["headers"])
    val refused: Long = told["refused"] as? Long ?: 0
}

internal object Border {
    /** Ambients of the native library whose objects here may be gone, by what tells that. */
    private val kept = ConcurrentHashMap.newKeySet<Kept>()
    private val gone = ReferenceQueue<Ambient>()

    private class Kept(
        ambient: Ambient,
        queue: ReferenceQueue<Ambient>,
    ) : PhantomReference<Ambient>(ambient, queue) {
        val number = ambient.number
    }

    private val isThere: Boolean get() = Library.isLoaded

    private fun map(bytes: ByteArray?): Map<String, Any?> = if (bytes == null) emptyMap() else Values.readMap(bytes)

    fun texts(told: Any?): List<String> = (told as? List<*>)?.filterIsInstance<String>() ?: emptyList()

    /** An ambient of that number, which is released once nobody has it. */
    fun ambient(number: Long): Ambient {
        while (true) {
            val left = gone.poll() as Kept? ?: break
            if (kept.remove(left)) Jni.releaseAmbient(left.number)
        }
        return Ambient(number).also { kept.add(Kept(it, gone)) }
    }

    /** What is inherited inside, and how much of what was added could not be used. */
    fun surround(
        outer: Ambient?,
        added: ByteArray,
    ): Pair<Ambient, Long>? {
        if (!isThere) return null
        val told = map(Jni.surround(outer?.number ?: 0, added))
        val number = told["ambient"] as? Long ?: return null
        return ambient(number) to (told["refused"] as? Long ?: 0)
    }

    fun inherited(
        engine: Long,
        ambient: Ambient?,
    ): Beginning = beginning(map(Jni.inherited(engine, ambient?.number ?: 0)))

    private fun beginning(told: Map<String, Any?>): Beginning =
        Beginning(
            fields = told["fields"] as? ByteArray ?: Content.NO_BYTES,
            tags = told["tags"] as? ByteArray ?: Content.NO_BYTES,
            flags = (told["flags"] as? Number)?.toInt() ?: 0,
            asks = told["asks"] == true,
        )

    /** A number that cannot be negative. */
    fun count(
        told: Map<String, Any?>,
        name: String,
    ): Int = minOf(maxOf(0, (told[name] as? Number)?.toLong() ?: 0), Int.MAX_VALUE.toLong()).toInt()

    fun baggage(ambient: Ambient): List<String> = Jni.baggage(ambient.number)?.let { texts(Values.read(it)) } ?: emptyList()

    fun start(
        engine: Long,
        described: ByteArray,
        parent: ByteArray?,
        ambient: Ambient?,
        request: ByteArray?,
        traceId: String?,
    ): Started = Started(map(Jni.start(engine, described, parent, ambient?.number ?: 0, request, traceId?.toByteArray())))

    /** Reads fields: names and values in turn. */
    fun extract(
        recorder: Recorder?,
        fields: List<String>,
    ): Brought? = if (isThere) Brought(map(Jni.extract(recorder?.engine ?: 0, wholeValue(fields)))) else null

    fun carrierFields(recorder: Recorder?): List<String> =
        if (isThere) Jni.carrierFields(recorder?.engine ?: 0)?.let { texts(Values.read(it)) } ?: emptyList() else emptyList()

    fun inject(
        recorder: Recorder?,
        context: ByteArray?,
        ambient: Ambient?,
    ): Written? = if (isThere) Written(map(Jni.inject(recorder?.engine ?: 0, context, ambient?.number ?: 0))) else null

    /** Has the exporters of an engine keep what they are given from now on, or lets it go again. */
    fun hold(
        engine: Long,
        held: Boolean,
    ) = Jni.hold(engine, held)

    /** Throws what an answer says. */
    fun check(answer: ByteArray?) {
        if (answer != null) throw dev.polyspan.PolyspanError.of(String(answer, Charsets.UTF_8))
    }
}
