// Functions of the application that decide about roots.

package dev.polyspan

import dev.polyspan.internal.Here
import dev.polyspan.internal.Log
import dev.polyspan.internal.MUTED
import dev.polyspan.internal.Values

/** What becomes of a trace. */
public enum class Decision {
    /** It is not recorded. */
    DROP,

    /** It is recorded, and not exported. */
    RECORD,

    /** It is recorded and exported. */
    SAMPLE,
}

/** What is told of a span that is about to start. */
public class SpanAbout internal constructor(
    told: Map<String, Any?>,
) {
    public val name: String = told["name"] as? String ?: ""

    /** The span type, such as `tool`. */
    public val type: String = told["type"] as? String ?: ""

    /** The span kind, such as `client`. */
    public val kind: String = told["kind"] as? String ?: ""
    public val traceId: String? = told["traceId"] as? String

    @Suppress("UNCHECKED_CAST")
    public val attributes: Map<String, Any?> = told["attributes"] as? Map<String, Any?> ?: emptyMap()

    @Suppress("UNCHECKED_CAST")
    public val metadata: Map<String, Any?> = told["metadata"] as? Map<String, Any?> ?: emptyMap()
    public val requestContext: Any? = told["requestContext"]
    public val parent: SpanContext? = SpanContext.ofBytes(told["parent"] as? ByteArray)
}

/** Decides about each trace that starts. One that throws samples, which is said once. */
public fun interface Sampler {
    public fun decide(about: SpanAbout): Decision
}

/** Names the engine of a trace whose root names none: that of its tenant, say. `null` is the default engine, and so is
 * one that throws or names none that runs, which is said once. */
public fun interface EngineSelector {
    public fun choose(about: SpanAbout): String?
}

/** A selector for the native library: it must not throw. */
internal fun choiceOf(
    selector: EngineSelector,
    about: ByteArray,
): String =
    try {
        deciding { selector.choose(SpanAbout(Values.readMap(about))) } ?: ""
    } catch (error: Throwable) {
        Log.sayOnce("selector", "the selector threw ${error.javaClass.simpleName}; the default engine is taken")
        ""
    }

/** A sampler for the native library: it must not throw. */
internal fun decisionOf(
    sampler: Sampler,
    about: ByteArray,
): Int =
    try {
        // Java may answer nothing.
        (deciding { sampler.decide(SpanAbout(Values.readMap(about))) } as Decision?)?.ordinal ?: Decision.DROP.ordinal
    } catch (error: Throwable) {
        Log.sayOnce("sampler", "the sampler threw ${error.javaClass.simpleName}; the span is sampled")
        FAILED
    }

/** Runs code that decides about a trace. What it records itself is not recorded: about that it would be asked again, without
 * end. */
private inline fun <R> deciding(decide: () -> R): R = Here.inside(Context(MUTED, Here.slot?.ambient), decide)

private const val FAILED = 3
