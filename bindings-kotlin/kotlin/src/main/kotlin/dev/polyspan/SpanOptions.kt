// What a span is given when it starts.

package dev.polyspan

import dev.polyspan.internal.Given
import dev.polyspan.internal.Listing
import dev.polyspan.internal.Log
import java.time.Instant

/** As OTLP and frames have it. */
internal val SpanKind.number: Int get() = ordinal + 1

/** Its name in every language. */
internal val SpanKind.wireName: String get() = name.lowercase()

/**
 * Options of a span, for Kotlin as properties and for Java one call after the other:
 * `new SpanOptions().type(SpanType.Tool).input(query)`.
 */
public class SpanOptions :
    InheritedOptions(),
    Listing {
    /** What the span stands for; [SpanType.Generic] by default. */
    public var type: SpanType? = null

    /** The role in a request; by default what the type has, and internal for generic spans. */
    public var kind: SpanKind? = null
    public var attributes: Map<String, *>? = null

    internal var inputOrUnset: Any? = Unset

    /** What goes into the operation: any value. */
    public var input: Any?
        get() = if (inputOrUnset === Unset) null else inputOrUnset
        set(value) {
            inputOrUnset = value
        }

    /** For this span and everything inside. */
    public var metadata: Map<String, *>? = null

    /** Tags of the trace; only its first span in this process carries them. */
    public var tags: Iterable<String>? = null

    /** A span, span context or context, instead of the current span. */
    public var parent: Parent? = null

    /** Links to other spans. */
    public var links: Iterable<Parent>? = null

    /** When it started; now by default. */
    public var startTime: Instant? = null

    /** Begins a new trace, whatever is current. */
    public var root: Boolean = false

    /** The trace id of a root, as 1 to 32 hex digits. A bad one is replaced by a random one. */
    public var traceId: String? = null

    /** The span is internal to a framework, and hidden unless asked for. */
    public var internal: Boolean = false

    public fun type(type: SpanType?): SpanOptions = apply { this.type = type }

    public fun kind(kind: SpanKind?): SpanOptions = apply { this.kind = kind }

    public fun attributes(attributes: Map<String, *>?): SpanOptions = apply { this.attributes = attributes }

    public fun input(input: Any?): SpanOptions = apply { this.input = input }

    public fun metadata(metadata: Map<String, *>?): SpanOptions = apply { this.metadata = metadata }

    public fun parent(parent: Parent?): SpanOptions = apply { this.parent = parent }

    public fun startTime(startTime: Instant?): SpanOptions = apply { this.startTime = startTime }

    public fun root(root: Boolean): SpanOptions = apply { this.root = root }

    public fun traceId(traceId: String?): SpanOptions = apply { this.traceId = traceId }

    public fun internal(internal: Boolean): SpanOptions = apply { this.internal = internal }

    public fun sessionId(sessionId: String?): SpanOptions = apply { this.sessionId = sessionId }

    public fun userId(userId: String?): SpanOptions = apply { this.userId = userId }

    /** When it starts, in nanoseconds since the Unix epoch; `null` for now. */
    internal val startNanos: Long?
        get() {
            val given = startTime ?: return null
            val found = Given.nanos(given)
            if (found == null) Log.refuse("time")
            return found
        }

    internal val hasContent: Boolean get() = attributes != null || links != null
    internal val isAskedAbout: Boolean get() = metadata != null || requestContext != null || internal

    /** Whether it makes a difference for spans inside, or for whose child it is. */
    internal val changes: Boolean get() = isAskedAbout || parent != null || inherits

    /** Whether a span with them is not simply the next one inside what is current. */
    internal val breaks: Boolean get() = root || changes

    /** Whether there is nothing in them but a type and a kind. */
    internal val isLight: Boolean
        get() =
            !breaks && !hasContent && inputOrUnset === Unset && tags == null && startTime == null && traceId == null

    /** The same with another parent. */
    internal fun copyWith(parent: Parent?): SpanOptions {
        val copy = SpanOptions()
        copy.type = type
        copy.kind = kind
        copy.attributes = attributes
        copy.inputOrUnset = inputOrUnset
        copy.metadata = metadata
        copy.tags = tags
        copy.parent = parent ?: this.parent
        copy.links = links
        copy.startTime = startTime
        copy.root = root
        copy.traceId = traceId
        copy.internal = internal
        copy.takeInherited(this)
        return copy
    }

    internal companion object {
        val NONE = SpanOptions()
    }
}

/** The options of a span: `span("answer", options = spanOptions { kind = SpanKind.Client }) { }`. */
@JvmSynthetic
public inline fun spanOptions(given: SpanOptions.() -> Unit): SpanOptions = SpanOptions().apply(given)
