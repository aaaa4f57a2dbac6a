// The span as applications see it: a plain object that keeps what it is given and is written as one event when it ends.
//
// Texts, numbers and truth values are kept as they are; everything else is captured when it is set, so that a span
// shows what was there then and holds on to nothing of the application. Nothing here throws, and any thread may hold a
// span. `Starting` makes spans, `Content` keeps what they are given, `FrameWriter` writes them.

package dev.polyspan

import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Clock
import dev.polyspan.internal.Content
import dev.polyspan.internal.Ending
import dev.polyspan.internal.Epoch
import dev.polyspan.internal.ErrorParts
import dev.polyspan.internal.Flags
import dev.polyspan.internal.Given
import dev.polyspan.internal.Here
import dev.polyspan.internal.Ids
import dev.polyspan.internal.Links
import dev.polyspan.internal.Local
import dev.polyspan.internal.Log
import dev.polyspan.internal.Recorder
import dev.polyspan.internal.Tagging
import dev.polyspan.internal.Trace
import java.time.Instant
import java.util.function.Supplier

/**
 * An open operation. What is set on it is kept until it ends; then it goes to the engine as one event.
 *
 * No method throws, whatever it is given and whenever it is called: what cannot be recorded is left out and counted in
 * [Stats.altered]. A span may be handed to other threads and used by several at once.
 */
public class Span internal constructor(
    state: Int,
    recorder: Recorder?,
    internal val trace: Trace,
    internal var id: Long,
    internal override val ambient: Ambient?,
    internal val remote: Boolean,
    home: Here?,
) : Content(state, recorder, home),
    Parent,
    Tagging,
    AutoCloseable {
    /** The id that others see: that of an ancestor where this span is hidden. */
    internal var seenId: Long = id
    internal var parentId: Long = 0
    internal var start: Long = 0
    internal var end: Long = 0
    internal var kind: Int = 1
    internal var status: Int = 0
    internal var type: Int = 0
    internal var scope: Int = 0
    internal var name: String = ""
    internal var renamed: Boolean = false

    internal var above: Span? = null
    internal var local: Local? = null
    internal var previous: Span? = null
    internal var next: Span? = null
    internal var token: Epoch.Token? = null
    internal var follower: Span? = null

    /** That its body has ended where it was not current. A field for all, as others of a type that programs seldom load:
     * the compiler leaves a call where it would have to know that type. */
    @JvmField
    @field:JvmSynthetic
    internal var left: Here.Left? = null

    /** What it is for the OpenTelemetry API as a span, once that has asked. */
    internal var api: Any? = null
    internal override val currentSpan: Span get() = this

    /** Where a span that starts inside with such options is counted, if it would be this one again: one that stands for
     * all of a trace that does not record. */
    internal fun standingFor(options: SpanOptions?): Recorder? {
        if (state != STANDS || face != null || (options != null && options.breaks)) return null
        return recorder?.takeUnless { it.stopped }
    }

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

    /** Sets an attribute; the last value of a key counts. `null` is recorded as such. */
    public fun set(
        key: String?,
        value: Any?,
    ): Span {
        if (state != OPEN) return this
        attribute(key, kept(value))
        return this
    }

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: String?,
    ): Span {
        if (state == OPEN) attribute(key, value ?: NULL_VALUE, value?.length ?: 1)
        return this
    }

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Long,
    ): Span {
        if (state == OPEN) attribute(key, value, 0)
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
        if (state == OPEN) attribute(key, value, 0)
        return this
    }

    /** Sets an attribute. */
    public fun set(
        key: String?,
        value: Boolean,
    ): Span {
        if (state == OPEN) attribute(key, value, 0)
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

    /** Adds an event that happens now, or at `time`. */
    @JvmOverloads
    public fun event(
        name: String?,
        attributes: Map<String, *>? = null,
        time: Instant? = null,
    ): Span {
        if (state != OPEN) return this
        return addEvent(name, time, EventAttributes.of(attributes, this))
    }

    /**
     * Adds an event that happens now, or at `time`: `span.event("usage") { set("tokens", 12) }`. The block runs only
     * where the span records.
     */
    @JvmSynthetic
    public inline fun event(
        name: String?,
        time: Instant? = null,
        given: EventAttributes.() -> Unit,
    ): Span {
        val attributes = eventAttributes() ?: return this
        attributes.given()
        return addEvent(name, time, attributes)
    }

    @PublishedApi
    @JvmSynthetic
    internal fun eventAttributes(): EventAttributes? = if (state == OPEN) EventAttributes(this) else null

    @PublishedApi
    @JvmSynthetic
    internal fun addEvent(
        name: String?,
        time: Instant?,
        attributes: EventAttributes,
    ): Span {
        addEvent(name, if (time == null) Clock.now() else moment(time) ?: Clock.now(), attributes)
        return this
    }

    internal fun addEvent(
        name: String?,
        time: Long,
        attributes: EventAttributes,
    ) {
        attributes.name = name ?: ""
        attributes.time = time
        keepEvent(attributes)
        show()
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
        keepLink(field)
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
            keepEvent(parts.event(this))
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

    /** Records an error as an event and leaves the status alone. What `attributes` gives replaces what was found. */
    @JvmOverloads
    public fun recordException(
        error: Any?,
        attributes: Map<String, *>? = null,
        time: Instant? = null,
    ): Span {
        if (state != OPEN) return this
        val fields = ErrorParts.of(error).fields
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
        endAt(if (time == null) Ending.NOW else moment(time) ?: Ending.NOW)
    }

    /** The same at so many nanoseconds since the Unix epoch. */
    internal fun endAt(moment: Long) = Ending.at(this, moment)

    /** Ends every open span below this one, the latest first, and then this one, all at the same moment. */
    public fun endTree(): Unit = Ending.tree(this)

    /** Ends the span if it has not ended: `Polyspan.start("name").use { }`, or `try (var span = ...)` in Java. */
    override fun close() {
        if (canEnd) end()
    }

    /** Runs `body` with this span current. The span stays open. */
    @JvmSynthetic
    public inline fun <R> run(body: () -> R): R = inSlot(this, body)

    /** Runs `body` with this span current; for Java. */
    public fun <R> call(body: Supplier<R>?): R = Here.inside(this) { Given.answer(body, "call") { it.get() } }

    /** Shows what it is by now to who follows open spans. */
    private fun show() {
        val recorder = recorder ?: return
        if (state != OPEN || !recorder.terms.showsUpdates) return
        locked { recorder.updated(this) }
        recorder.say()
    }

    /** What this trace's open spans stand in. */
    internal fun localForChildren(): Local {
        enter()
        val found = local ?: Local().also { local = it }
        leave()
        return found
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
        /** What stands for nothing: before `init`, or outside of any span. */
        fun none(
            trace: Trace = Trace.NONE,
            id: Long = 0,
            ambient: Ambient? = null,
            remote: Boolean = false,
        ): Span = Span(STANDS, null, trace, id, ambient, remote, null)
    }
}

/** What is not given, where `null` is something that may be given. */
@PublishedApi
internal object Unset
