// `inject` and `extract`: what is current, to and from any carrier. The formats are the engine's.
//
// A carrier is a map of headers (one value or a list each), a list of pairs, a process environment, or anything else
// with a function that reads or writes one field.

@file:JvmName("Carriers")

package dev.polyspan

import dev.polyspan.internal.Ambient
import dev.polyspan.internal.Here
import dev.polyspan.internal.Log
import dev.polyspan.internal.Border
import dev.polyspan.internal.Recorder
import dev.polyspan.internal.Registry
import dev.polyspan.internal.Slot

private const val NOWHERE = "inject: nothing to write to"

/** Reads one field of a carrier: a text, bytes, or several of them; names are in lower case. */
public fun interface Getter<C> {
    public fun get(
        carrier: C,
        name: String,
    ): Any?
}

/** Writes one field of a carrier. */
public fun interface Setter<C> {
    public fun set(
        carrier: C,
        name: String,
        value: String,
    )
}

/**
 * Reads the calling span and baggage from a map of headers, to be used as a parent. Case does not matter, values are
 * texts, bytes, or lists of them; what is malformed is not there.
 */
public fun extract(carrier: Map<String, *>?): Context = extract(carrier) { map, name -> valuesOf(map?.entries, name) }

/** The same from a list of pairs, whose order counts. */
public fun extract(carrier: Iterable<Pair<String, *>>?): Context =
    extract(carrier) { pairs, name -> pairs?.filter { it.first.equals(name, ignoreCase = true) }?.map { it.second } }

/** The same from the environment of a process, such as `System.getenv()`. */
public fun extractEnvironment(variables: Map<String, String>?): Context = extract(variables) { map, name -> map?.get(variable(name)) }

/** The same from a carrier of any kind. */
public fun <C> extract(
    carrier: C,
    getter: Getter<C>?,
): Context = extractIn(Here.slot, carrier, getter)

/** The names of all fields that may be in a carrier. */
internal fun carrierFieldNames(): List<String> = Border.carrierFields(Registry.default)

internal fun <C> extractIn(
    outer: Slot?,
    carrier: C,
    getter: Getter<C>?,
): Context {
    val recorder = Registry.default
    val fields = ArrayList<String>()
    if (getter == null) {
        Log.refuse("extract: nothing reads the carrier")
        return brought(recorder, outer, fields)
    }
    for (name in Border.carrierFields(recorder)) {
        try {
            eachValue(getter.get(carrier, name)) {
                fields.add(name)
                fields.add(it)
            }
        } catch (_: Exception) {
            Log.refuse("extract: the carrier cannot be read")
        }
    }
    return brought(recorder, outer, fields)
}

private fun brought(
    recorder: Recorder?,
    outer: Slot?,
    fields: List<String>,
): Context {
    val brought = Border.extract(recorder, fields) ?: return Context(null, outer?.ambient)
    val kinds = listOf("traceparent", "tracestate", "baggage")
    brought.refused.forEachIndexed { at, count -> if (count > 0) Log.refuse("extract: malformed ${kinds.getOrNull(at)}") }
    var ambient = outer?.ambient
    if (brought.baggage.isNotEmpty() || brought.ids.isNotEmpty()) {
        // What surrounds the caller stays; its baggage is replaced, and its ids by those that came.
        val added = LinkedHashMap<String, Any?>()
        for (i in 0 until brought.ids.size - 1 step 2) added[brought.ids[i]] = brought.ids[i + 1]
        added["baggage"] = brought.baggage.chunked(3)
        added["replace_baggage"] = true
        ambient = Ambient.added(ambient, added, "extract")
    }
    val found = SpanContext.ofBytes(brought.context)
    return Context(found?.let { Span.none(it.trace, it.id, ambient, true) }, ambient)
}

/** Writes the current span and baggage, or those of `from`, to a map of headers, and returns it. */
@JvmOverloads
public fun <V, M : MutableMap<String, V>?> inject(
    carrier: M,
    from: Parent? = null,
): M {
    inject(carrier, { map, name, value -> if (map == null) Log.refuse(NOWHERE) else write(map, name, value) }, from)
    return carrier
}

/** The same to a list of pairs. */
@JvmOverloads
public fun <L : MutableList<Pair<String, String>>?> inject(
    carrier: L,
    from: Parent? = null,
): L {
    inject(
        carrier,
        { pairs, name, value ->
            pairs?.removeIf { it.first.equals(name, ignoreCase = true) }
            pairs?.add(name to value) ?: Log.refuse(NOWHERE)
        },
        from,
    )
    return carrier
}

/** The same to the environment of a process that is to be started, such as `ProcessBuilder.environment()`. */
@JvmOverloads
public fun <M : MutableMap<String, String>?> injectEnvironment(
    variables: M,
    from: Parent? = null,
): M {
    inject(variables, { map, name, value -> if (map == null) Log.refuse(NOWHERE) else map[variable(name)] = value }, from)
    return variables
}

/** The same to a carrier of any kind. */
@JvmOverloads
public fun <C> inject(
    carrier: C,
    setter: Setter<C>?,
    from: Parent? = null,
): C {
    if (setter == null) {
        Log.refuse(NOWHERE)
        return carrier
    }
    val slot = if (from == null) Here.slot else from as? Slot
    val span = slot?.currentSpan
    val context = (if (from != null && slot == null) from.spanContext else span?.spanContext)
    val recorder = span?.recorder ?: Registry.default
    val written = Border.inject(recorder, context?.bytes(), slot?.ambient) ?: return carrier
    val headers = written.headers
    if (written.refused > 0) Log.refuse("inject: baggage that the header cannot carry")
    for (i in 0 until headers.size - 1 step 2) {
        try {
            setter.set(carrier, headers[i], headers[i + 1])
        } catch (_: Exception) {
            Log.refuse("inject: the carrier cannot be written")
        }
    }
    return carrier
}

@Suppress("UNCHECKED_CAST")
private fun <V> write(
    carrier: MutableMap<String, V>,
    name: String,
    value: String,
) {
    val lists = carrier.isNotEmpty() && carrier.values.all { it is List<*> }
    carrier.keys.removeIf { it != name && it.equals(name, ignoreCase = true) }
    carrier[name] = (if (lists) listOf(value) else value) as V
}

/** Several spellings of one name are taken by name, as in every language. */
private fun valuesOf(
    entries: Set<Map.Entry<String, *>>?,
    name: String,
): List<Any?>? = entries?.filter { (it.key as String?).equals(name, ignoreCase = true) }?.sortedBy { it.key }?.map { it.value }

private fun variable(name: String): String = name.uppercase().replace(Regex("[^A-Z0-9]"), "_")

private fun eachValue(
    found: Any?,
    take: (String) -> Unit,
) {
    when (found) {
        is String -> take(found)
        is ByteArray -> take(String(found, Charsets.UTF_8))
        is Iterable<*> -> for (one in found) eachValue(one, take)
        is Array<*> -> for (one in found) eachValue(one, take)
    }
}
