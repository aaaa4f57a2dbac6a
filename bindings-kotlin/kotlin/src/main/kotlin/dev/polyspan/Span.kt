// The span as applications see it: a plain object that keeps what it is given and is written as one event when it ends.
//
// Texts, numbers and truth values are kept as they are; everything else is captured when it is set, so that a span
// shows what was there then and holds on to nothing of the application. Nothing here throws, and any thread may hold a
// span. `Starting` makes spans, `FrameWriter` writes them.

package dev.polyspan

import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Capture
import dev.polyspan.internal.Clock
import dev.polyspan.internal.Counts
import dev.polyspan.internal.Epoch
import dev.polyspan.internal.ErrorParts
import dev.polyspan.internal.Flags
import dev.polyspan.internal.Given
import dev.polyspan.internal.Here
import dev.polyspan.internal.Ids
import dev.polyspan.internal.KeptEvent
import dev.polyspan.internal.Links
import dev.polyspan.internal.Local
import dev.polyspan.internal.Log
import dev.polyspan.internal.More
import dev.polyspan.internal.Recorder
import dev.polyspan.internal.Slot
import dev.polyspan.internal.Trace
import java.time.Instant
import java.util.function.Supplier

/** The status of a span; `OK` is final. */
public enum class SpanStatus { UNSET, OK, ERROR }

/**
 * An open operation. What is set on it is kept until it ends; then it goes to the engine as one event.
 *
 * No method throws, whatever it is given and whenever it is called: what cannot be recorded is left out and counted in
 * [Stats.altered]. A span may be handed to other threads and used by several at once.
 */
public class Span internal constructor(
    internal var state: Int,
    internal val recorder: Recorder?,
    internal val trace: Trace,
    internal var id: Long,
    internal override val ambient: Ambient?,
    internal val remote: Boolean,
) : Slot(),
    Parent,
    AutoCloseable {
    /** The id that others see: that of an ancestor where this span is hidden. */
    internal var seenId: Long = id
    internal var parentId: Long = 0
    internal var start: Long = 0
    internal var end: Long = 0
    internal var kind: Int = 1
    internal var status: Int = 0
    internal var type: Int = 0
    internal var flags: Int = 0
    internal var scope: Int = 0
    internal var name: String = ""
    internal var renamed: Boolean = false

    /** Keys and values in turn. */
    internal var fields: Array<Any?> = NOTHING
    internal var fieldCount: Int = 0

    /** Bytes that it keeps. */
    private var size: Int = 0
    internal var more: More? = null

    /** The body of its event as it was when it started, where the engine has written that. */
    internal var prefix: ByteArray? = null
    internal var above: Span? = null
    internal var local: Local? = null
    internal var previous: Span? = null
    internal var next: Span? = null
    internal var token: Epoch.Token? = null
    internal var follower: Span? = null

    /** What it is for the OpenTelemetry API as a span, once that has asked. */
    internal var api: Any? = null
    internal override val currentSpan: Span get() = this

    internal val isLocalRoot: Boolean get() = flags and Flags.LOCAL_ROOT != 0

    /** Whether it can still end. */
    internal val canEnd: Boolean get() = state == OPEN || state == QUIET

    /** The trace id as 32 lower-case hex digits; all zeros when no engine runs. */
    public val traceId: String get() = trace.id

    /** The span id as 16 lower-case hex digits. */
    public val spanId: String get() = Ids.hex(seenId)

    /** Whether what is set is kept: false when it is not sampled, has ended, or no engine runs. */
    public val isRecording: Boolean get() = state == OPEN

    /** Its identity as others refer to it: a parent for other spans, a target for links. */
    override val spanContext: SpanContext get() = SpanContext(trace, seenId, remote)

    internal fun extra(): More = more ?: More().also { more = it }

    /** Sets an attribute; the last value of a key counts. `null` is recorded as such. */
    public fun set(
        key: String?,
        value: Any?,
    ): Span {
        if (state != OPEN) return this
        val kept = kept(value)
        locked { attribute(key, kept) }
        return this
    }

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: String?,
    ): Span {
        if (state == OPEN) locked { attribute(key, value ?: NULL_VALUE) }
        return this
    }

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Long,
    ): Span {
        if (state == OPEN) locked { attribute(key, value) }
        return this
    }

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Int,
    ): Span = set(key, value.toLong())

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Double,
    ): Span {
        if (state == OPEN) locked { attribute(key, value) }
        return this
    }

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Boolean,
    ): Span {
        if (state == OPEN) locked { attribute(key, value) }
        return this
    }

    /** Sets all attributes of a map; the last value of a key counts. */
    public fun set(attributes: Map<String, *>?): Span {
        if (state == OPEN) Given.each(attributes, "attributes", recorder) { key, value -> set(key, value) }
        return this
    }

    /**
     * Sets any of these: name, input and output are replaced, the others merged.
     *
     * @param metadata added to the metadata of this span; the last value of a key counts
     * @param attributes added to the attributes; the last value of a key counts
     * @param tags of the trace; only its first span in this process carries them
     */
    @JvmSynthetic
    public fun update(
        name: String? = null,
        input: Any? = Unset,
        output: Any? = Unset,
        metadata: Map<String, *>? = null,
        attributes: Map<String, *>? = null,
        tags: Iterable<String>? = null,
    ): Span {
        if (name != null) rename(name)
        if (state != OPEN) return this
        if (input !== Unset) keepInput(input)
        if (output !== Unset) keepOutput(output)
        if (metadata != null) keepMetadata(metadata)
        if (attributes != null) set(attributes)
        if (tags != null) keepTags(tags)
        show()
        return this
    }

    /** Replaces the input. */
    public fun input(value: Any?): Span = update(input = value)

    /** Replaces the output. */
    public fun output(value: Any?): Span = update(output = value)

    /** Adds to the metadata of this span. */
    public fun metadata(values: Map<String, *>?): Span = update(metadata = values)

    /** Adds tags of the trace; only its first span in this process carries them. */
    public fun tags(vararg tags: String): Span = update(tags = tags.asList())

    /** Adds an event that happens now, or at `time`. */
    @JvmOverloads
    public fun event(
        name: String?,
        attributes: Map<String, *>? = null,
        time: Instant? = null,
    ): Span {
        if (state != OPEN) return this
        val fields = if (attributes == null) NOTHING else eventFields(attributes)
        addEvent(KeptEvent(name ?: "", moment(time) ?: Clock.now(), fields))
        return this
    }

    internal fun addEvent(event: KeptEvent) {
        var bytes = 32 + event.name.length
        for (i in event.fields.indices step 2) bytes += 16 + (event.fields[i] as String).length + sizeOf(event.fields[i + 1])
        locked {
            if (fits(bytes)) {
                val more = extra()
                (more.events ?: ArrayList<KeptEvent>(2).also { more.events = it }).add(event)
            } else {
                extra().droppedEvents++
            }
        }
        show()
    }

    internal fun eventFields(attributes: Map<String, *>): Array<Any?> {
        val found = ArrayList<Any?>(attributes.size * 2)
        Given.each(attributes, "event attributes", recorder) { key, value ->
            if (key.isEmpty() || found.size >= 2 * MOST_OF_EVENT) {
                recorder?.altered()
            } else {
                found.add(key)
                found.add(kept(value))
            }
        }
        return found.toTypedArray()
    }

    /** Links to another span. */
    @JvmOverloads
    public fun link(
        target: Parent?,
        attributes: Map<String, *>? = null,
    ): Span {
        val recorder = recorder
        if (state != OPEN || recorder == null) return this
        val to = target?.spanContext
        if (to == null) {
            refused("link")
            return this
        }
        val field = Links.field(to, attributes, recorder.terms, recorder)
        locked {
            val more = extra()
            if (fits(field.size)) {
                (more.links ?: ArrayList<ByteArray>(1).also { more.links = it }).add(field)
            } else {
                more.droppedLinks++
            }
        }
        return this
    }

    /** Links to the span of a `traceparent`. */
    @JvmOverloads
    public fun link(
        traceparent: String?,
        attributes: Map<String, *>? = null,
    ): Span = if (state == OPEN) link(SpanContext.parse(traceparent), attributes) else this

    /**
     * Records that the operation failed: the error with its type, message and stack, and the status. Ends the span
     * unless told otherwise.
     *
     * @param error a [Throwable], or anything that says what went wrong
     * @param id names the error where its class says too little; becomes `error.type`
     */
    @JvmOverloads
    public fun error(
        error: Any?,
        end: Boolean = true,
        id: String? = null,
        domain: String? = null,
        category: String? = null,
        details: Any? = null,
        metadata: Map<String, *>? = null,
    ): Span {
        if (state == OPEN) {
            val parts = ErrorParts.of(error)
            addEvent(KeptEvent("exception", Clock.now(), exceptionFields(parts)))
            set("error.type", id ?: parts.type)
            if (id != null) set("polyspan.error.id", id)
            if (domain != null) set("polyspan.error.domain", domain)
            if (category != null) set("polyspan.error.category", category)
            if (details != null) set("polyspan.error.details", details)
            if (metadata != null) keepMetadata(metadata)
            status(SpanStatus.ERROR, parts.message)
        } else {
            status(SpanStatus.ERROR)
        }
        if (end) end() else show()
        return this
    }

    private fun exceptionFields(parts: ErrorParts): Array<Any?> =
        arrayOf(
            "exception.type",
            parts.type,
            "exception.message",
            parts.message,
            "exception.stacktrace",
            parts.stack,
        )

    /** Records an error as an event and leaves the status alone. What `attributes` gives replaces what was found. */
    @JvmOverloads
    public fun recordException(
        error: Any?,
        attributes: Map<String, *>? = null,
        time: Instant? = null,
    ): Span {
        if (state != OPEN) return this
        val fields = exceptionFields(ErrorParts.of(error))
        val all = LinkedHashMap<String, Any?>()
        for (i in fields.indices step 2) all[fields[i] as String] = fields[i + 1]
        Given.each(attributes, "exception attributes", recorder) { key, value -> all[key] = value }
        return event("exception", all, time)
    }

    /** Sets the status, an error's with a message. `OK` is final. */
    @JvmOverloads
    public fun status(
        status: SpanStatus?,
        message: String? = null,
    ): Span {
        if (status == null) {
            refused("status")
            return this
        }
        if (!canEnd || status == SpanStatus.UNSET) return this
        locked {
            if (this.status != SpanStatus.OK.ordinal && canEnd) {
                this.status = status.ordinal
                val said = if (status == SpanStatus.ERROR) message ?: "" else ""
                // Of a span that does not record metrics count the status alone.
                if (state == OPEN && (said.isNotEmpty() || more != null)) extra().statusMessage = said
            }
        }
        return this
    }

    /** Replaces the name. */
    public fun rename(name: String?): Span {
        locked {
            if (canEnd) {
                this.name = name ?: ""
                renamed = true
            }
        }
        return this
    }

    /** Ends the span, now or at `time`. Only the first call counts. */
    @JvmOverloads
    public fun end(time: Instant? = null) {
        endAt(if (time == null) NOW else moment(time) ?: NOW)
    }

    /** The same at so many nanoseconds since the Unix epoch. */
    internal fun endAt(given: Long) {
        val recorder = recorder ?: return
        when (state) {
            OPEN -> if (recorder.observer == null || claimEnding()) finish(recorder, if (given == NOW) Clock.now() else given)
            QUIET -> endQuietly(recorder, given)
            ENDED -> recorder.count(Counts.ENDED_TWICE)
        }
    }

    /** Processors may still write it while it ends, and end it again, which counts as such. */
    private fun claimEnding(): Boolean {
        var mine = false
        locked {
            mine = state == OPEN && flags and ENDING == 0
            if (mine) flags = flags or ENDING
        }
        if (mine) recorder?.observer?.ending(this) else recorder?.count(Counts.ENDED_TWICE)
        return mine
    }

    private fun finish(
        recorder: Recorder,
        moment: Long,
    ) {
        enter()
        val mine = state == OPEN
        if (mine) {
            state = ENDED
            flags = flags and ENDING.inv()
        }
        leave()
        if (!mine) {
            recorder.count(Counts.ENDED_TWICE)
            return
        }
        end = moment
        if (moment < start) {
            end = start
            recorder.altered()
        }
        if (above != null) local?.remove(this)
        recorder.observer?.ended(this)
        recorder.ended(this)
        // What was kept is in the frame.
        fields = NOTHING
        fieldCount = 0
        more = null
        prefix = null
    }

    /** The end of a span that does not record. */
    private fun endQuietly(
        recorder: Recorder,
        moment: Long,
    ) {
        enter()
        val mine = state == QUIET
        if (mine) state = ENDED
        leave()
        if (!mine) {
            recorder.count(Counts.ENDED_TWICE)
        } else if (recorder.terms.countsUnsampled) {
            end = if (moment == NOW) Clock.now() else moment
            recorder.leftOut(this)
        } else {
            recorder.count(Counts.UNSAMPLED)
        }
    }

    /** Ends every open span below this one, the latest first, and then this one, all at the same moment. */
    public fun endTree() {
        val moment = Clock.now()
        for (span in local?.all() ?: emptyList()) if (span !== this && span.isBelow(this)) span.endAt(moment)
        if (state == OPEN) endAt(moment) else end()
    }

    /** Ends the span if it has not ended: `Polyspan.start("name").use { }`, or `try (var span = ...)` in Java. */
    override fun close() {
        if (canEnd) end()
    }

    /** Runs `body` with this span current. The span stays open. */
    @JvmSynthetic
    public inline fun <R> run(body: () -> R): R = inSlot(this, body)

    /** Runs `body` with this span current; for Java. */
    public fun <R> call(body: Supplier<R>): R = Here.inside(this) { body.get() }

    private inline fun locked(body: () -> Unit) {
        enter()
        try {
            if (state == OPEN || state == QUIET) body()
        } finally {
            leave()
        }
    }

    /** What is kept of a value. */
    private fun kept(value: Any?): Any {
        val recorder = recorder
        return when (value) {
            is String, is Long, is Boolean, is Double -> value
            is Int, is Short, is Byte -> (value as Number).toLong()
            is Float -> value.toDouble()
            null -> NULL_VALUE
            else -> if (recorder == null) NULL_VALUE else Capture.of(value, recorder.terms, recorder)
        }
    }

    /** Keeps an attribute. While the lock is held, or before anybody else has the span. */
    internal fun attribute(
        key: String?,
        value: Any,
    ) {
        if (state != OPEN) return
        if (key.isNullOrEmpty()) {
            recorder?.altered()
            Log.sayOnce("empty key", "an attribute or metadata whose key is empty is left out")
            return
        }
        val at = fieldCount
        if (at == fields.size) {
            if (at >= MANY) compact()
            if (fieldCount == fields.size) fields = fields.copyOf(maxOf(FIRST, fieldCount * 2))
        }
        val place = fieldCount
        fields[place] = key
        fields[place + 1] = value
        fieldCount = place + 2
        size += sizeOf(value) + 16
        val recorder = recorder
        if (recorder != null && size > recorder.terms.spanBytes) tooLarge(recorder)
    }

    internal fun startAttributes(attributes: Map<String, *>) =
        Given.each(attributes, "attributes", recorder) { key, value -> attribute(key, kept(value)) }

    /** Takes out attributes that a later one replaces. */
    private fun compact() {
        val last = LinkedHashMap<String, Any?>()
        for (i in 0 until fieldCount step 2) {
            val key = fields[i] as String
            last.remove(key)
            last[key] = fields[i + 1]
        }
        var at = 0
        for ((key, value) in last) {
            fields[at++] = key
            fields[at++] = value
        }
        fields.fill(null, at, fieldCount)
        fieldCount = at
    }

    private fun tooLarge(recorder: Recorder) {
        val before = fieldCount
        compact()
        size = 0
        for (i in 1 until fieldCount step 2) size += sizeOf(fields[i]) + 16
        if (size <= recorder.terms.spanBytes || fieldCount < before) return
        fieldCount -= 2
        size -= sizeOf(fields[fieldCount + 1]) + 16
        fields[fieldCount] = null
        fields[fieldCount + 1] = null
        extra().droppedAttributes++
        recorder.altered()
    }

    internal fun keepInput(value: Any?) {
        if (recorder?.terms?.io != true) return
        val kept = kept(value)
        locked {
            extra().input = kept
            extra().hasInput = true
        }
    }

    private fun keepOutput(value: Any?) {
        if (recorder?.terms?.io != true) return
        val kept = kept(value)
        locked {
            extra().output = kept
            extra().hasOutput = true
        }
    }

    internal fun keepMetadata(metadata: Map<String, *>) {
        val recorder = recorder ?: return
        Given.each(metadata, "metadata", recorder) { name, value ->
            if (name.isEmpty()) {
                recorder.altered()
            } else {
                val bytes = Capture.of(value, recorder.terms, recorder)
                locked {
                    if (fits(name.length + bytes.size)) {
                        val more = extra()
                        val list = more.metadata ?: ArrayList<Any>(4).also { more.metadata = it }
                        list.add(name)
                        list.add(bytes)
                    }
                }
            }
        }
    }

    internal fun keepTags(tags: Iterable<String?>) {
        val list = Given.texts(tags, "tags", recorder)
        if (!isLocalRoot) {
            if (list.isEmpty()) return
            recorder?.altered(list.size)
            Log.sayOnce("tags", "tags are of a trace: give them to its root, or to the context around it")
            return
        }
        locked {
            val more = extra()
            (more.tags ?: ArrayList<String>(list.size).also { more.tags = it }).addAll(list)
        }
    }

    /** Whether the span may grow by so much. */
    private fun fits(bytes: Int): Boolean {
        val recorder = recorder ?: return false
        size += bytes
        if (size <= recorder.terms.spanBytes) return true
        size -= bytes
        recorder.altered()
        return false
    }

    /** Shows what it is by now to who follows open spans. */
    private fun show() {
        val recorder = recorder ?: return
        if (state == OPEN && recorder.terms.showsUpdates) locked { recorder.updated(this) }
    }

    /** What this trace's open spans stand in. */
    internal fun localForChildren(): Local {
        enter()
        val found = local ?: Local().also { local = it }
        leave()
        return found
    }

    internal fun isBelow(other: Span): Boolean {
        var span = above
        while (span != null) {
            if (span === other) return true
            span = span.above
        }
        return false
    }

    internal fun kindIs(kind: Int) {
        this.kind = kind
        flags = flags or Flags.KIND_GIVEN
    }

    internal fun refused(place: String) {
        recorder?.altered()
        Log.refuse(place)
    }

    private fun moment(time: Instant?): Long? {
        if (time == null) return null
        val found = Given.nanos(time)
        if (found == null) refused("time")
        return found
    }

    internal fun contextBytes(): ByteArray = Ids.contextBytes(trace, seenId, remote)

    override fun toString(): String = "Span(traceId=$traceId, spanId=$spanId)"

    internal companion object {
        /** How a span is open, has ended, or does not record. */
        const val OPEN = 0
        const val ENDED = 1
        const val QUIET = 2

        /** Ends without being counted: of another process, without an engine, or standing for several. */
        const val STANDS = 3

        /** For the end of a span: at the moment of the call. */
        const val NOW = Long.MIN_VALUE

        /** Of the flags: processors see its end. Not among those that are written. */
        private const val ENDING = 1 shl 30

        /** Room for the first attributes. */
        private const val FIRST = 16

        /** Keys and values of one span that are kept before those that were replaced are taken out. */
        private const val MANY = 2048
        private const val MOST_OF_EVENT = 65535
        private val NOTHING = arrayOfNulls<Any?>(0)

        /** `null` as a frame has it. */
        val NULL_VALUE = ByteArray(1)

        fun sizeOf(value: Any?): Int =
            when (value) {
                is String -> value.length
                is ByteArray -> value.size
                else -> 0
            }

        /** What stands for nothing: before `init`, or outside of any span. */
        fun none(
            trace: Trace = Trace.NONE,
            id: Long = 0,
            ambient: Ambient? = null,
            remote: Boolean = false,
        ): Span = Span(STANDS, null, trace, id, ambient, remote)
    }
}

/** What is not given, where `null` is something that may be given. */
@PublishedApi
internal object Unset
