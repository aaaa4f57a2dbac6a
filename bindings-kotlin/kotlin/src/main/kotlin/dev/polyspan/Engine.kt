// Engines: what one is for applications.

package dev.polyspan

import dev.polyspan.internal.Given
import dev.polyspan.internal.Recorder
import dev.polyspan.internal.Registry
import dev.polyspan.internal.Starting
import java.util.function.Function

/** A running engine: one configured instance with its sampler, limits and exporters. */
public class Engine internal constructor(
    internal val recorder: Recorder,
) {
    /** The name under which it runs. */
    public val name: String get() = recorder.name

    /** The attributes that every span says of its process. */
    public val resource: Map<String, Any?> get() = recorder.resource()

    /** Records what `body` does as a span of this engine; see [dev.polyspan.span]. */
    @JvmSynthetic
    public inline fun <R> span(
        name: String,
        type: SpanType? = null,
        input: Any? = Unset,
        parent: Parent? = null,
        options: SpanOptions? = null,
        body: (Span) -> R,
    ): R = running(startSpan(name, type, input, parent, options, this), body)

    /** Records what `body` does as a span of this engine; for Java. */
    @JvmOverloads
    public fun <R> call(
        name: String?,
        options: SpanOptions? = null,
        body: Function<Span, R>?,
    ): R = running(start(name, options)) { span -> Given.answer(body, "call") { it.apply(span) } }

    /** Starts a span of this engine, which is not current: it ends by `end`. */
    @JvmOverloads
    public fun start(
        name: String?,
        options: SpanOptions? = null,
    ): Span = Starting.start(name, null, options, recorder)

    /**
     * Waits until every span that had ended is delivered or given up. Blocks.
     *
     * @param timeout seconds
     * @throws PolyspanError `deadline_exceeded` says what is left, `invalid_option` that the timeout is none
     */
    @JvmOverloads
    public fun flush(timeout: Double = Timeouts.TIMEOUT) {
        val seconds = Timeouts.seconds(timeout)
        recorder.handIn()
        recorder.flush(seconds)
    }

    /** Flushes and stops the engine, within so many seconds. A second call does nothing. */
    @JvmOverloads
    public fun shutdown(timeout: Double = Timeouts.TIMEOUT) {
        val seconds = Timeouts.seconds(timeout)
        recorder.handIn()
        Registry.forget(recorder)
        try {
            recorder.shutdown(seconds)
        } finally {
            // What ended meanwhile is counted.
            recorder.handIn()
            Registry.findDefault()
        }
    }

    /** What it has counted so far. */
    public fun stats(): Stats = Stats.of(recorder)

    override fun toString(): String = "Engine($name)"
}

internal object Timeouts {
    const val TIMEOUT = 30.0
    const val YEAR = 31536000.0

    fun seconds(timeout: Double): Double {
        if (timeout >= 0 && timeout <= YEAR) return timeout
        throw PolyspanError("invalid_option", "timeout: $timeout is not usable; expected a number of seconds, 0 or more")
    }
}
