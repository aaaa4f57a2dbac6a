// The context of the OpenTelemetry API and ours are one: what is current is kept once, and seen from both sides.
//
// `PolyspanContextStorage` is what the API keeps its current context in, found by the API through `META-INF/services`.
// A context of the API that is made current becomes a slot of ours whose face it is; a span or context of ours that the
// API asks for gets a face, made once.

// Callers from Java give null where the API says they may not, and a bad argument breaks no call.
@file:Suppress("WRONG_TYPE_FOR_JAVA_OVERRIDE")

package dev.polyspan.opentelemetry

import dev.polyspan.Span
import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Border
import dev.polyspan.internal.Here
import dev.polyspan.internal.Log
import dev.polyspan.internal.Slot
import io.opentelemetry.api.baggage.Baggage
import io.opentelemetry.api.baggage.BaggageEntryMetadata
import io.opentelemetry.context.Context
import io.opentelemetry.context.ContextKey
import io.opentelemetry.context.ContextStorage
import io.opentelemetry.context.ContextStorageProvider
import io.opentelemetry.context.Scope

/** Under it a context of the API carries what spans inside inherit, and the baggage that this stands for. */
private val AROUND: ContextKey<Around> = ContextKey.named("polyspan")

private class Around(
    val ambient: Ambient?,
    val baggage: Baggage?,
)

/** A context of the API as a slot. */
private class OtelSlot(
    private val context: Context,
) : Slot() {
    init {
        face = context
    }

    override val currentSpan: Span? by lazy(LazyThreadSafetyMode.PUBLICATION) {
        ownSpan(
            io.opentelemetry.api.trace.Span
                .fromContextOrNull(context),
            this,
        )
    }

    override val ambient: Ambient? by lazy(LazyThreadSafetyMode.PUBLICATION) { ambientOf(context) }

    /** Spans inside outlive it: with its own span they would keep that in memory, and so on. */
    override val base: Any by lazy(LazyThreadSafetyMode.PUBLICATION) {
        context.with(
            io.opentelemetry.api.trace.Span
                .getInvalid(),
        )
    }
}

/** What spans inside a context of the API inherit. */
private fun ambientOf(context: Context): Ambient? {
    val around = context[AROUND]
    val baggage = Baggage.fromContextOrNull(context)
    if (around?.baggage === baggage) return around?.ambient
    val entries = (baggage ?: Baggage.empty()).asMap().map { (key, entry) -> listOf(key, entry.value, entry.metadata.value) }
    return Ambient.added(around?.ambient, mapOf("baggage" to entries, "replace_baggage" to true), "baggage")
}

/** The context of the API as what is current, or becomes it. */
internal fun slotOf(context: Context): Slot? = if (context === Context.root()) null else OtelSlot(context)

/** The face of what is current; `null` for nothing. */
internal fun contextOf(slot: Slot?): Context? {
    if (slot == null) return null
    (slot.face as Context?)?.let { return it }
    var found = slot.origin as Context? ?: Context.root()
    slot.currentSpan?.let { found = found.with(spanFor(it)) }
    val ambient = slot.ambient
    if (ambient != null && ambient !== found[AROUND]?.ambient) {
        val builder = Baggage.builder()
        val flat = Border.baggage(ambient)
        for (i in 0 until flat.size - 2 step 3) builder.put(flat[i], flat[i + 1], BaggageEntryMetadata.create(flat[i + 2]))
        val baggage = builder.build()
        found = found.with(baggage).with(AROUND, Around(ambient, baggage))
    }
    slot.face = found
    return found
}

/** Keeps the current context of the API where ours is. */
public class PolyspanContextStorage : ContextStorage {
    override fun attach(toAttach: Context?): Scope {
        if (toAttach == null || toAttach === current()) return Scope.noop()
        val here = Here.get()
        return Attached(here.owner, here.current, slotOf(toAttach)).also { here.make(it.slot) }
    }

    override fun current(): Context? = contextOf(Here.slot)
}

/**
 * The time for which a context of the API is current: in one thread, or in one coroutine wherever that runs. It puts back
 * what was there once, and only while what it made current still is; anything else would change what is current for code
 * that has nothing to do with it, such as the next task of a pool.
 */
private class Attached(
    private val owner: Any,
    private val before: Slot?,
    val slot: Slot?,
) : Scope {
    private var isClosed = false

    override fun close() {
        val here = Here.get()
        if (here.owner !== owner || isClosed || here.current !== slot) {
            if (!isClosed) Log.sayOnce("scope", SCOPE)
            return
        }
        isClosed = true
        here.make(before)
    }

    private companion object {
        const val SCOPE = "an OpenTelemetry Scope was closed in another thread than its own, or before one inside it: what is current stays"
    }
}

/** Finds the storage; named in `META-INF/services`. */
public class PolyspanContextStorageProvider : ContextStorageProvider {
    override fun get(): ContextStorage = PolyspanContextStorage()
}
