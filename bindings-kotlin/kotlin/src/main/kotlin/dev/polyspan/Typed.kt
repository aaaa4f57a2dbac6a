// What the functions for spans of one type share (`TypedSpans.kt`).

package dev.polyspan

import kotlin.reflect.KProperty

/** Attributes of spans of one type. */
public abstract class TypedAttributes internal constructor() {
    internal val values = LinkedHashMap<String, Any?>()

    /** Keeps what is given under the name of its property, which the engine knows. */
    protected val given: Property = Property()

    /** One of the attributes; `null` is not recorded. */
    public inner class Property internal constructor() {
        @Suppress("UNCHECKED_CAST")
        public operator fun <T> getValue(
            of: TypedAttributes,
            property: KProperty<*>,
        ): T? = values[property.name] as T?

        public operator fun <T> setValue(
            of: TypedAttributes,
            property: KProperty<*>,
            value: T?,
        ) {
            if (value == null) values.remove(property.name) else values[property.name] = value
        }
    }
}

/** Sets attributes of a type on a span that is open, such as the usage of a call once that is known. */
public fun Span.set(attributes: TypedAttributes): Span = set(attributes.values)

@PublishedApi
@JvmSynthetic
internal inline fun <R> typedSpan(
    name: String,
    type: SpanType,
    attributes: TypedAttributes,
    options: SpanOptions?,
    body: (Span) -> R,
): R = running(startTyped(name, type, attributes, options), body)

@PublishedApi
@JvmSynthetic
internal fun startTyped(
    name: String,
    type: SpanType,
    attributes: TypedAttributes,
    options: SpanOptions?,
): Span {
    val all = (options ?: SpanOptions()).copyWith(null)
    all.type = type
    // What stands among the attributes, and then what `attributes` of the options holds.
    all.attributes = attributes.values + (options?.attributes ?: emptyMap<String, Any?>())
    return startSpan(name, type, Unset, null, all, null)
}
