// Polyspan for Kotlin and Java: tracing for AI agents and the apps that call them. Loading these classes does nothing
// else: no thread, no file, no environment read; the native library is loaded by `init`.

@file:JvmName("Spans")

package dev.polyspan

import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Ending
import dev.polyspan.internal.Given
import dev.polyspan.internal.Here
import dev.polyspan.internal.Launch
import dev.polyspan.internal.Log
import dev.polyspan.internal.Natives
import dev.polyspan.internal.Registry
import dev.polyspan.internal.Slot
import dev.polyspan.internal.Starting
import java.util.function.Consumer
import java.util.function.Function
import java.util.function.Supplier

/** The front door: starting engines, and what is current. */
public object Polyspan {
    /**
     * Starts an engine: `Polyspan.init { service = "app" }`.
     *
     * @throws PolyspanError `invalid_option` naming the option, or `already_initialized` where an engine of that name
     * runs with other options and `replace` is not true
     */
    @JvmSynthetic
    public inline fun init(given: InitOptions.() -> Unit = {}): Engine = init(InitOptions().apply(given))

    /** Starts an engine; see [init]. */
    @JvmStatic
    public fun init(options: InitOptions?): Engine = Launch.init(options ?: InitOptions(), provider = false)

    /** Starts an engine for a service, with what else there is from the environment. */
    @JvmStatic
    public fun init(service: String?): Engine = init(InitOptions().set("service", service))

    /** The engine of that name, or the default one. Throws [PolyspanError] (`not_running`) where there is none. */
    @JvmStatic
    @JvmOverloads
    public fun engine(name: String? = null): Engine =
        Registry.find(name)?.let(::Engine) ?: throw PolyspanError.notRunning(if (name == null) "engine" else "engine \"$name\"")

    /** All engines that this process has started here and that run, in that order. */
    @JvmStatic
    public fun engines(): List<Engine> = Registry.recorders().filter { !it.stopped }.map(::Engine)

    /** Makes the engine of that name the one for spans that name none. */
    @JvmStatic
    public fun setDefault(name: String?) {
        Natives.setDefault(name ?: throw PolyspanError.notRunning("engine null"))
        Registry.findDefault()
    }

    /**
     * Asks `selector` for the engine of each trace whose root names none; `null` asks nobody any more. Spans inside
     * follow the engine of the span above them.
     */
    @JvmStatic
    public fun setSelector(selector: EngineSelector?) {
        Natives.setSelector(selector)
        Registry.selects = selector != null
    }

    /** Starts a span that is not current: it ends by `end`, or with its block as something that is closed. */
    @JvmStatic
    @JvmOverloads
    public fun start(
        name: String?,
        options: SpanOptions? = null,
    ): Span = Starting.start(name, null, options)

    /** Records what `body` does as a span, which is current inside; for Java. */
    @JvmStatic
    public fun <R> call(
        name: String?,
        body: Function<Span, R>?,
    ): R = running(start(name)) { span -> Given.answer(body, "call") { it.apply(span) } }

    /** Records what `body` does as a span, which is current inside; for Java. */
    @JvmStatic
    public fun <R> call(
        name: String?,
        options: SpanOptions?,
        body: Function<Span, R>?,
    ): R = running(start(name, options)) { span -> Given.answer(body, "call") { it.apply(span) } }

    /** Records what `body` does as a span, which is current inside; for Java. */
    @JvmStatic
    @JvmOverloads
    public fun run(
        name: String?,
        options: SpanOptions? = null,
        body: Consumer<Span>?,
    ): Unit = running(start(name, options)) { span -> if (body == null) Log.refuse("run") else body.accept(span) }

    /** The current span; one that does not record where there is none. */
    @JvmStatic
    public fun currentSpan(): Span = Here.slot?.currentSpan ?: Span.none()

    /** The id of the current trace; `null` where no span is current or the trace is not sampled. */
    @JvmStatic
    public fun currentTraceId(): String? =
        Here.slot
            ?.currentSpan
            ?.trace
            ?.takeIf { it.isSampled && it.isValid }
            ?.id

    /** Records a span that stands for an instant: it starts and ends now, or at the start time that is given. */
    @JvmStatic
    @JvmOverloads
    public fun event(
        name: String?,
        options: SpanOptions? = null,
    ) {
        val span = Starting.start(name, null, options, instant = true)
        if (span.isRecording) span.endAt(span.start) else span.end()
    }

    /** The context inside some options, on top of what is current. */
    @JvmStatic
    public fun contextOf(options: ContextOptions?): Context {
        if (options == null) Log.refuse("context")
        return Ambient.context(Here.slot, options ?: ContextOptions())
    }

    /** Runs `body` with more around it; for Java. */
    @JvmStatic
    public fun <R> inContext(
        options: ContextOptions?,
        body: Supplier<R>?,
    ): R = Here.inside(contextOf(options)) { Given.answer(body, "context") { it.get() } }

    /** The current baggage. */
    @JvmStatic
    public fun baggage(): Map<String, String> = Here.slot?.ambient?.baggage() ?: emptyMap()

    /** Waits until every span that has ended is delivered or given up, of all engines, within so many seconds. */
    @JvmStatic
    @JvmOverloads
    public fun flush(timeout: Double = Timeouts.TIMEOUT): Unit = each(timeout, Engine::flush)

    /** Flushes and stops every engine, within so many seconds. */
    @JvmStatic
    @JvmOverloads
    public fun shutdown(timeout: Double = Timeouts.TIMEOUT): Unit = each(timeout, Engine::shutdown)

    private fun each(
        timeout: Double,
        run: (Engine, Double) -> Unit,
    ) {
        val deadline = System.nanoTime() + (Timeouts.seconds(timeout) * 1e9).toLong()
        var failure: PolyspanError? = null
        for (engine in engines()) {
            try {
                run(engine, maxOf(0, deadline - System.nanoTime()) / 1e9)
            } catch (error: PolyspanError) {
                failure = failure ?: error
            }
        }
        if (failure != null) throw failure
    }

    /** What the default engine has counted so far; all zeros where none runs. */
    @JvmStatic
    public fun stats(): Stats = Registry.default?.let(Stats::of) ?: Stats.none()

    /** Sends the few lines that Polyspan says about itself somewhere else than to the standard error. */
    @JvmStatic
    public fun setLogger(logger: Consumer<String>?) {
        if (logger == null) Log.refuse("logger") else Log.write = logger
    }
}

/**
 * Records what `body` does as a span, which is current inside and ends with it. What it throws is recorded.
 *
 * Inside coroutines this holds as well where a Polyspan context is in the coroutine's context
 * ([dev.polyspan.coroutines.polyspanContext]); without one use [dev.polyspan.coroutines.span], which brings its own.
 */
@JvmSynthetic
public inline fun <R> span(
    name: String,
    type: SpanType? = null,
    input: Any? = Unset,
    parent: Parent? = null,
    options: SpanOptions? = null,
    body: (Span) -> R,
): R = running(startSpan(name, type, input, parent, options, null), body)

/** Runs `body` with more around it: ids, tags, metadata, attributes or baggage for everything inside. */
@JvmSynthetic
public inline fun <R> context(
    given: ContextOptions.() -> Unit,
    body: () -> R,
): R = inSlot(Polyspan.contextOf(ContextOptions().apply(given)), body)

@PublishedApi
@JvmSynthetic
internal fun startSpan(
    name: String?,
    type: SpanType?,
    input: Any?,
    parent: Parent?,
    options: SpanOptions?,
    engine: Engine?,
): Span {
    val given = if (parent == null) options else (options ?: SpanOptions()).copyWith(parent)
    val span = Starting.start(name, type, given, engine?.recorder, instant = false)
    if (input !== Unset && span.isRecording) span.keepInput(input)
    return span
}

/** Runs `body` with a span current and ends it after. */
@PublishedApi
@JvmSynthetic
internal inline fun <R> running(
    span: Span,
    body: (Span) -> R,
): R {
    val before = enterSlot(span)
    try {
        return body(span)
    } catch (error: Throwable) {
        failed(span, error)
        throw error
    } finally {
        leaveSlot(before, span)
    }
}

@PublishedApi
@JvmSynthetic
internal fun failed(
    span: Span,
    error: Throwable,
) {
    if (span.canEnd) span.error(error, end = false)
}

/** Makes something current; returns what was. */
@PublishedApi
@JvmSynthetic
internal fun enterSlot(parent: Parent): Any? {
    val slot = parent as Slot
    return Here.from((slot as? Span)?.home).enter(slot)
}

/** The same for a span. */
@PublishedApi
@JvmSynthetic
internal fun enterSlot(span: Span): Any? = Here.from(span.home).enter(span)

/** What is current here is kept in it; for [leaveSlot]. */
@PublishedApi
@JvmSynthetic
internal fun here(): Any = Here.get()

/** Puts back what was current where something was entered. */
@PublishedApi
@JvmSynthetic
internal fun leaveSlot(
    before: Any?,
    parent: Parent,
    entered: Any,
): Unit = Here.from(entered as Here).putBack(parent as Slot, before as Slot?, entered)

/** Puts back what was current before a span, and ends it if it has not ended. */
@PublishedApi
@JvmSynthetic
internal fun leaveSlot(
    before: Any?,
    span: Span,
) {
    // One that stands for several is current around them already, and does not end.
    if (before !== span) Ending.leave(span, before as Slot?)
}

@PublishedApi
@JvmSynthetic
internal inline fun <R> inSlot(
    parent: Parent,
    body: () -> R,
): R {
    val entered = here()
    val before = enterSlot(parent)
    try {
        return body()
    } finally {
        leaveSlot(before, parent, entered)
    }
}
