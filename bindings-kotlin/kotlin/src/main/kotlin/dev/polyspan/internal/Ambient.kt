// What spans inside a context inherit; its content is the engine's.

package dev.polyspan.internal

import dev.polyspan.Context
import dev.polyspan.ContextOptions
import dev.polyspan.InheritedOptions
import dev.polyspan.Span
import dev.polyspan.SpanOptions

internal class Ambient(
    /** Its number in the native library. */
    @JvmField val number: Long,
) {
    /** Whether spans inside are of a session that was given. */
    var hasSession = false
        private set

    /** The same for what the engine has made of an outer one. */
    fun inside(outer: Ambient?): Ambient = apply { hasSession = outer?.hasSession == true }

    /** The beginnings of spans inside, with the recorder each is for; replaced as a whole. */
    @Volatile
    private var beginnings: List<Pair<Recorder, Beginning>> = emptyList()

    fun beginning(recorder: Recorder): Beginning {
        for ((of, beginning) in beginnings) if (of === recorder) return beginning
        val found = Border.inherited(recorder.engine, this)
        beginnings = beginnings.filter { !it.first.stopped }.take(KEPT) + (recorder to found)
        return found
    }

    /** The baggage; properties stand behind the value. */
    fun baggage(): Map<String, String> {
        val flat = Border.baggage(this)
        val found = LinkedHashMap<String, String>()
        for (i in 0 until flat.size - 2 step 3) {
            found[flat[i]] = if (flat[i + 2].isEmpty()) flat[i + 1] else "${flat[i + 1]};${flat[i + 2]}"
        }
        return found
    }

    companion object {
        private const val KEPT = 7

        /** What is inherited inside `outer` once some options are added. */
        fun inside(
            outer: Ambient?,
            options: InheritedOptions,
            place: String,
        ): Ambient? {
            val added = LinkedHashMap<String, Any?>()
            options.eachId { name, value -> added[name] = value }
            if (options.hideInput) added["hide_input"] = true
            if (options.hideOutput) added["hide_output"] = true
            options.internalSpans?.let { added["internal_spans"] = Given.texts(it, place, null) }
            options.requestContextKeys?.let { added["request_context_keys"] = Given.texts(it, place, null) }
            if (options is ContextOptions) {
                options.requestContext?.let { added["request_context"] = it }
                options.attributes?.let { added["attributes"] = entries(it, place) }
                options.metadata?.let { added["metadata"] = entries(it, place) }
                options.tags?.let { added["tags"] = Given.texts(it, place, null) }
                options.baggage?.let { given -> added["baggage"] = entries(given, place).map { listOf(it.key, it.value.toString()) } }
            }
            return added(outer, added, place)
        }

        fun added(
            outer: Ambient?,
            added: Map<String, Any?>,
            place: String,
        ): Ambient? {
            val (ambient, refused) = Border.surround(outer, wholeValue(added)) ?: return outer
            if (refused > 0) Log.refuse(place)
            ambient.hasSession = "session_id" in added || outer?.hasSession == true
            return ambient
        }

        /** What is inherited in a trace of the app's own session, which is none that was given. */
        fun ofSession(
            outer: Ambient?,
            id: String,
        ): Ambient? = Border.surround(outer, wholeValue(mapOf("session_id" to id)))?.first ?: outer

        private fun entries(
            given: Map<*, *>,
            place: String,
        ): Map<String, Any?> {
            val map = LinkedHashMap<String, Any?>()
            Given.each(given, place, null) { key, value -> map[key] = value }
            return map
        }

        /** The context inside some options, where `outer` is current. */
        fun context(
            outer: Slot?,
            options: ContextOptions,
        ): Context {
            val parent = options.parent
            var span = outer?.currentSpan
            var ambient = outer?.ambient
            when (parent) {
                is Context -> {
                    span = parent.span ?: span
                    ambient = parent.ambient ?: ambient
                }

                is Span -> {
                    span = parent
                    ambient = parent.ambient ?: ambient
                }

                null -> {}

                else -> {
                    span = parent.spanContext?.let { Span.none(it.trace, it.id, ambient, it.isRemote) }
                }
            }
            val adds =
                options.inherits ||
                    options.requestContext != null ||
                    options.tags != null ||
                    options.metadata != null ||
                    options.attributes != null ||
                    options.baggage != null
            return Context(span, if (adds) inside(ambient, options, "context") else ambient).apply { keepsOf(outer) }
        }

        /** What a span given such options is surrounded by: its own attributes and metadata go another way. */
        fun inside(
            outer: Ambient?,
            options: SpanOptions,
        ): Ambient? = inside(outer, options, "span")
    }
}

/** The bytes of a value that is to be read as it is. */
internal fun wholeValue(value: Any?): ByteArray {
    val out = Writer(256)
    return if (PlainValues.write(out, value)) out.copied() else Capture.of(value, Bounds.WHOLE, Cuts.Uncounted)
}
