// What is current inside coroutines. Needs kotlinx.coroutines, which is an optional dependency.
//
// What is current belongs to a coroutine rather than to the thread that happens to run it: an element of its context
// puts it into each thread for as long as the coroutine runs there, and what the coroutine makes current meanwhile is
// written to the element at once (`enterSlot`), since its next part may run elsewhere before this thread has left it.
// Coroutines that it starts begin with what is current then.

package dev.polyspan.coroutines

import dev.polyspan.Context
import dev.polyspan.ContextOptions
import dev.polyspan.Parent
import dev.polyspan.Polyspan
import dev.polyspan.Span
import dev.polyspan.SpanOptions
import dev.polyspan.SpanType
import dev.polyspan.Unset
import dev.polyspan.failed
import dev.polyspan.internal.Here
import dev.polyspan.internal.Slot
import dev.polyspan.running
import dev.polyspan.startSpan
import kotlinx.coroutines.CopyableThreadContextElement
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.isActive
import kotlinx.coroutines.withContext
import kotlin.coroutines.CoroutineContext

/** Keeps what is current for a coroutine. */
@OptIn(ExperimentalCoroutinesApi::class, DelicateCoroutinesApi::class)
internal class CurrentElement(
    @Volatile override var slot: Slot?,
) : Here.Carried(),
    CopyableThreadContextElement<Here.State> {
    override val key: CoroutineContext.Key<*> get() = Key

    override fun updateThreadContext(context: CoroutineContext): Here.State = Here.get().enter(this)

    override fun restoreThreadContext(
        context: CoroutineContext,
        oldState: Here.State,
    ) = Here.get().leave(oldState)

    override fun copyForChild(): CurrentElement = CurrentElement(slot)

    override fun mergeForChild(overwritingElement: CoroutineContext.Element): CoroutineContext =
        CurrentElement((overwritingElement as CurrentElement).slot)

    companion object Key : CoroutineContext.Key<CurrentElement>
}

/** What is current here, as an element for coroutines: `launch(polyspanContext()) { }`. */
public fun polyspanContext(): CoroutineContext = CurrentElement(Here.slot)

/** A span or context as an element for coroutines: `withContext(polyspanContext(span)) { }`. */
public fun polyspanContext(current: Parent): CoroutineContext =
    CurrentElement(current as? Slot ?: Context(current.spanContext?.let { Span.none(it.trace, it.id, null, it.isRemote) }, null))

/** More around a coroutine: `withContext(polyspanContext(sessionId = id)) { }`. */
public fun polyspanContext(
    sessionId: String? = null,
    userId: String? = null,
    tags: Iterable<String>? = null,
    metadata: Map<String, *>? = null,
    attributes: Map<String, *>? = null,
    baggage: Map<String, String>? = null,
    more: ContextOptions.() -> Unit = {},
): CoroutineContext {
    val options = ContextOptions()
    options.sessionId = sessionId
    options.userId = userId
    options.tags = tags
    options.metadata = metadata
    options.attributes = attributes
    options.baggage = baggage
    return CurrentElement(Polyspan.contextOf(options.apply(more)))
}

/**
 * Records what `body` does as a span, which is current inside, whatever threads it runs in, and ends with it.
 * Cancelling it is recorded as a failure. Coroutines that the body starts belong to it: the span ends after them.
 */
public suspend fun <R> span(
    name: String,
    type: SpanType? = null,
    input: Any? = Unset,
    parent: Parent? = null,
    options: SpanOptions? = null,
    body: suspend CoroutineScope.(Span) -> R,
): R {
    val span = startSpan(name, type, input, parent, options, null)
    if (currentCoroutineContext()[CurrentElement] != null) return running(span) { coroutineScope { body(it) } }
    try {
        return withContext(CurrentElement(span)) { body(span) }
    } catch (error: Throwable) {
        failed(span, error)
        throw error
    } finally {
        span.close()
    }
}

/**
 * Records each collection of a flow as a span: from its start to its end, failure or cancellation. Upstream it is
 * current. A collector that has what it wants, as `first` and `take`, ends it; so does one that fails, whose failure is not
 * the flow's.
 */
public fun <T> Flow<T>.inSpan(
    name: String,
    type: SpanType? = null,
    options: SpanOptions? = null,
): Flow<T> =
    flow {
        val span = startSpan(name, type, Unset, null, options, null)
        var isDownstream = false
        try {
            this@inSpan.flowOn(CurrentElement(span)).collect {
                isDownstream = true
                emit(it)
                isDownstream = false
            }
        } catch (error: Throwable) {
            if (!isDownstream || !currentCoroutineContext().isActive) failed(span, error)
            throw error
        } finally {
            span.close()
        }
    }
