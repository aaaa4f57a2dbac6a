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
import dev.polyspan.internal.Here
import dev.polyspan.internal.Slot
import io.opentelemetry.api.baggage.Baggage
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
        for ((key, value) in ambient.baggage()) builder.put(key, value.substringBefore(';'))
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
        val before = here.current
        here.make(slotOf(toAttach))
        // By value: a scope that is closed late or in another thread puts back what was there, and fails nobody.
        return Scope { Here.get().make(before) }
    }

    override fun current(): Context? = contextOf(Here.slot)
}

/** Finds the storage; named in `META-INF/services`. */
public class PolyspanContextStorageProvider : ContextStorageProvider {
    override fun get(): ContextStorage = PolyspanContextStorage()
}
